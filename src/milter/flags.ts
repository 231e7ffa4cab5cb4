// What MTA and filter agree on at the start: a version, what the filter may change, and which steps
// it does not want to be asked about, or will not answer (mfapi.h, mfdef.h).

/** The highest that is spoken, by everybody. */
export const VERSION = 6
const OLDEST = 2

export const CHANGES = {
  addHeaders: 0x01,
  changeBody: 0x02,
  addRecipient: 0x04,
  deleteRecipient: 0x08,
  changeHeaders: 0x10,
  quarantine: 0x20,
  changeFrom: 0x40,
  addRecipientWithParameters: 0x80,
} as const

export const STEPS = {
  noConnect: 0x01,
  noHelo: 0x02,
  noMail: 0x04,
  noRcpt: 0x08,
  noBody: 0x10,
  noHeaders: 0x20,
  noEndOfHeader: 0x40,
  silentHeader: 0x80,
  noUnknown: 0x100,
  noData: 0x200,
  skip: 0x400,
  silentConnect: 0x1000,
  silentHelo: 0x2000,
  silentMail: 0x4000,
  silentRcpt: 0x8000,
  silentData: 0x1_0000,
  silentUnknown: 0x2_0000,
  silentEndOfHeader: 0x4_0000,
  silentBody: 0x8_0000,
  leadingSpace: 0x10_0000,
} as const

const all = (flags: Readonly<Record<string, number>>): number =>
  Object.values(flags).reduce((sum, flag) => sum | flag, 0)

const OUR_CHANGES = all(CHANGES)
const OUR_STEPS = all(STEPS)

export type Agreement = {
  readonly version: number
  readonly changes: number
  readonly steps: number
}

/** The data of our side's offer. */
export function offer(): Buffer {
  const data = Buffer.alloc(12)
  data.writeUInt32BE(VERSION, 0)
  data.writeUInt32BE(OUR_CHANGES, 4)
  data.writeUInt32BE(OUR_STEPS, 8)
  return data
}

/** What the filter answered to it; a text says why we cannot work so. Macro lists behind it are its own matter. */
export function readAgreement(data: Buffer): Agreement | string {
  if (data.length < 12) return 'an answer to the offer that is too short'
  const version = data.readUInt32BE(0)
  const changes = data.readUInt32BE(4)
  const steps = data.readUInt32BE(8)
  if (version < OLDEST || version > VERSION) return `version ${version} of the protocol`
  // SETSYMLIST (0x100) asks for nothing that we would do: all macros are sent anyway.
  if ((changes & ~(OUR_CHANGES | 0x100)) !== 0) return `changes that were not offered (${changes})`
  if ((steps & ~OUR_STEPS) !== 0) return `steps that were not offered (${steps})`
  return { version, changes, steps }
}

/** Is the flag in the set? */
export const has = (set: number, flag: number): boolean => (set & flag) !== 0
