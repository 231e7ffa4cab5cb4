// Whether a peer can take a message at all, by what it announced: known before a word is sent.

import type { Recipient } from '../mail/envelope.ts'
import type { Failure } from '../mail/failure.ts'
import { status } from '../mail/status.ts'
import type { ClientSession } from '../smtp/client.ts'
import { addressesNeedUtf8, type Letter } from '../smtp/transact.ts'

/** Why this peer cannot take the message; undefined when it can. */
export async function unfitness(
  session: ClientSession,
  letter: Letter,
  recipients: readonly Recipient[],
): Promise<Failure | undefined> {
  const { message, by } = letter
  const { size, smtputf8, deliverBy = 0 } = session.capabilities
  // RFC 2852: nothing is passed on that will be late, or that the peer cannot be held to.
  if (by?.mode === 'return' && by.seconds <= 0)
    return unfit('5.4.7', 'the time that the sender set has passed')
  if (by?.mode === 'return' && by.seconds < deliverBy) {
    const left = `of the sender's time ${by.seconds} s are left`
    return unfit(
      '5.4.7',
      `${session.host} promises nothing in less than ${deliverBy} s, and ${left}`,
    )
  }
  if (size && message.size > size) {
    const text = `${session.host} takes messages of at most ${size} octets, this one has ${message.size}`
    return unfit('5.3.4', text)
  }
  if (smtputf8) return undefined
  if (addressesNeedUtf8(message, { recipients }))
    return unfit('5.6.7', `${session.host} does not take addresses beyond ASCII (SMTPUTF8)`)
  if (message.smtputf8 && (await headerNeedsUtf8(letter)))
    return unfit('5.6.7', `${session.host} does not take header fields beyond ASCII (SMTPUTF8)`)
  return undefined
}

function unfit(code: string, text: string): Failure {
  const cause = { kind: 'local', text } as const
  return { permanence: 'permanent', scope: 'message', status: status(code), cause }
}

/** The sender allowed SMTPUTF8; only a header section beyond ASCII really needs it (RFC 6532 §3). */
async function headerNeedsUtf8(letter: Letter): Promise<boolean> {
  if (/[^\u0000-\u007f]/.test(letter.message.prefix)) return true
  const first = letter.content.whole ?? (await firstRow(letter))
  const end = Buffer.from(first.buffer, first.byteOffset, first.byteLength).indexOf('\r\n\r\n')
  return first.subarray(0, end < 0 ? first.length : end).some((octet) => octet > 0x7f)
}

/** A header section is smaller than a row. */
async function firstRow(letter: Letter): Promise<Uint8Array> {
  for await (const row of letter.content.rows()) return row
  return new Uint8Array()
}
