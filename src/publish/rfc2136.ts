// The zone's own name server: dynamic updates (RFC 2136) over TCP, signed by TSIG. One update is one
// message, and the server takes all of it or nothing. Prerequisites say what we saw in every set that
// we touch, so that a zone that somebody else changed meanwhile is left alone.

import { randomInt } from 'node:crypto'
import { connect } from 'node:net'
import { type DecodedPacket, type Answer as DnsRecord, decode, encode } from 'dns-packet'
import type { Clock } from '../std/clock.ts'
import {
  type Driver,
  PublishFault,
  plainName,
  possibleZones,
  type RecordType,
  type Zone,
  type ZoneRecord,
} from './publisher.ts'
import { allOf, namesOf, type SetChange, setChanges } from './sets.ts'
import { signMessage, type TsigKey, verifyMessage } from './tsig.ts'
import { type UpdateEntry, updateMessage, wireData } from './wire.ts'

export type Rfc2136Settings = {
  readonly address: string
  readonly port: number
  /** Absent: the server lets us in by our address. */
  readonly key?: TsigKey
}

const TYPES = { A: 1, CNAME: 5, MX: 15, TXT: 16, AAAA: 28 } as const
const IN = 1
const NONE = 254
const NXDOMAIN = 3
const REFUSED = 5
const TIMEOUT_MS = 10_000
const NOTHING = Buffer.alloc(0)

/** A driver for a primary server that takes updates. */
export function rfc2136Driver(settings: Rfc2136Settings, clock: Clock): Driver {
  const ask = (message: Buffer, signal?: AbortSignal) =>
    exchange(settings, message, { clock, ...(signal && { signal }) })
  const answer = async (name: string, type: RecordType | 'SOA', signal?: AbortSignal) =>
    readAnswer(await ask(query(name, type), signal), settings)
  const readRaw = async (name: string, signal?: AbortSignal): Promise<Raw[]> => {
    const types = Object.keys(TYPES) as RecordType[]
    const all = await Promise.all(
      types.map(async (type) => {
        const { answers = [] } = await answer(name, type, signal)
        return answers.filter((one) => one.type === type && plainName(one.name) === name)
      }),
    )
    return all.flat().map((record) => ({ record: zoneRecord(record), data: wireData(record) }))
  }
  return {
    provider: 'rfc2136',
    async zoneOf(name, signal) {
      // At an alias the server speaks of its target: then the name above tells the zone.
      for (const above of possibleZones(name)) {
        const packet = await answer(above, 'SOA', signal)
        const soa = [...(packet.answers ?? []), ...(packet.authorities ?? [])].find(
          (record) => record.type === 'SOA',
        )
        const zone = soa && plainName(soa.name)
        if (zone === undefined || !packet.flag_aa) continue
        if (above === zone || above.endsWith(`.${zone}`)) return { name: zone, id: zone }
      }
      throw new PublishFault('NO_ZONE', `${place(settings)} holds no zone with ${name}`)
    },
    async read(_zone, name, signal) {
      return (await readRaw(name, signal)).map(({ record }) => record)
    },
    async apply(zone, changes, signal) {
      try {
        const current = (
          await Promise.all(namesOf(changes).map((name) => readRaw(name, signal)))
        ).flat()
        const sets = setChanges(
          changes,
          current.map(({ record }) => record),
        )
        if (sets.length > 0) await update(zone, { sets, current, ask, settings, signal })
        return allOf(changes)
      } catch (error) {
        return allOf(changes, error)
      }
    },
  }
}

/** A record with its octets: to name it to the server it must be told as it stands there. */
type Raw = { readonly record: ZoneRecord; readonly data: Buffer }

async function update(
  zone: Zone,
  {
    sets,
    current,
    ask,
    settings,
    signal,
  }: {
    sets: readonly SetChange[]
    current: readonly Raw[]
    ask: (message: Buffer, signal?: AbortSignal) => Promise<Buffer>
    settings: Rfc2136Settings
    signal: AbortSignal | undefined
  },
): Promise<void> {
  const dataOf = (record: ZoneRecord) =>
    current.find((one) => one.record === record)?.data ?? wireData(dnsRecord(record))
  const entry = (record: ZoneRecord, ofClass: number, ttlSeconds: number): UpdateEntry => ({
    name: record.name,
    type: TYPES[record.type],
    class: ofClass,
    ttlSeconds,
    data: dataOf(record),
  })
  const prerequisites = sets.flatMap(
    ({ name, type, before }) =>
      before.length > 0
        ? before.map((record) => entry(record, IN, 0)) // RFC 2136 §2.4.2
        : [{ name, type: TYPES[type], class: NONE, ttlSeconds: 0, data: NOTHING }], // §2.4.3
  )
  const updates = sets.flatMap(({ before, after }) => [
    ...before.filter((one) => !after.includes(one)).map((one) => entry(one, NONE, 0)),
    ...after.filter((one) => !before.includes(one)).map((one) => entry(one, IN, one.ttlSeconds)),
  ])
  const id = randomInt(0x10000)
  const response = await ask(updateMessage(id, zone.name, { prerequisites, updates }), signal)
  const rcode = response.readUInt16BE(2) & 15
  if (rcode !== 0) throw refused(rcode, `${place(settings)} refused the update of ${zone.name}`)
}

const RCODES: Readonly<Record<number, string>> = {
  1: 'FORMERR',
  2: 'SERVFAIL',
  4: 'NOTIMP: it takes no updates',
  5: 'REFUSED: it does not take this change, or not from this key or address',
  6: 'YXDOMAIN: the zone changed meanwhile',
  7: 'YXRRSET: the zone changed meanwhile',
  8: 'NXRRSET: the zone changed meanwhile',
  9: 'NOTAUTH: it is not the primary of this zone, or does not take this key',
  10: 'NOTZONE: a name is outside the zone',
}

function refused(rcode: number, what: string): PublishFault {
  const denied = rcode === 5 || rcode === 9
  return new PublishFault(
    denied ? 'UNAUTHORIZED' : 'REFUSED',
    `${what}: ${RCODES[rcode] ?? `code ${rcode}`}`,
  )
}

function query(name: string, type: RecordType | 'SOA'): Buffer {
  return encode({
    type: 'query',
    id: randomInt(0x10000),
    flags: 0,
    questions: [{ name, type, class: 'IN' }],
  })
}

function readAnswer(response: Buffer, settings: Rfc2136Settings): DecodedPacket {
  const rcode = response.readUInt16BE(2) & 15
  const aliasOnly = rcode === REFUSED && response.readUInt16BE(6) > 0
  if (rcode !== 0 && rcode !== NXDOMAIN && !aliasOnly)
    throw refused(rcode, `${place(settings)} does not answer questions`)
  try {
    return decode(response)
  } catch {
    throw new PublishFault('REFUSED', `${place(settings)} answered with a broken message`)
  }
}

function zoneRecord(record: DnsRecord): ZoneRecord {
  const ttlSeconds = ('ttl' in record && record.ttl) || 0
  const about = { name: plainName(record.name), ttlSeconds }
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return { ...about, type: record.type, value: record.data }
    case 'CNAME':
      return { ...about, type: 'CNAME', value: plainName(record.data) }
    case 'MX': {
      const { preference = 0, exchange: host } = record.data
      return { ...about, type: 'MX', value: `${preference} ${plainName(host)}` }
    }
    case 'TXT': {
      const parts = [record.data].flat() as (string | Buffer)[]
      const value = Buffer.concat(parts.map((part) => Buffer.from(part as Buffer))).toString()
      return { ...about, type: 'TXT', value }
    }
    default:
      throw new PublishFault('REFUSED', `an answer of another type (${record.type})`)
  }
}

const LONGEST_STRING = 255

function dnsRecord({ name, type, value, ttlSeconds }: ZoneRecord): DnsRecord {
  const ttl = ttlSeconds
  switch (type) {
    case 'MX': {
      const [preference = '0', host = ''] = value.split(' ')
      return { type, name, ttl, data: { preference: Number(preference), exchange: host } }
    }
    case 'TXT': {
      const octets = Buffer.from(value)
      const data: Buffer[] = []
      for (let at = 0; at < octets.length || at === 0; at += LONGEST_STRING)
        data.push(octets.subarray(at, at + LONGEST_STRING))
      return { type, name, ttl, data }
    }
    default:
      return { type, name, ttl, data: value }
  }
}

function place({ address, port }: Rfc2136Settings): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** Sends one message and reads one; signs and verifies when there is a key. Rejects with a PublishFault. */
async function exchange(
  settings: Rfc2136Settings,
  message: Buffer,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal },
): Promise<Buffer> {
  const { key } = settings
  const signed = key && signMessage(message, key, clock.now())
  const response = await overTcp(settings, signed?.message ?? message, {
    clock,
    ...(signal && { signal }),
  })
  if (response.length < 12 || response.readUInt16BE(0) !== message.readUInt16BE(0))
    throw new PublishFault('REFUSED', `${place(settings)} answered something else`)
  if (!key || !signed) return response
  const checked = verifyMessage(response, { key, mac: signed.mac, now: clock.now() })
  switch (checked.kind) {
    case 'good':
      return checked.message
    case 'refused':
      throw new PublishFault('UNAUTHORIZED', `${place(settings)}: ${checked.why}`)
    case 'unsigned':
      throw refused(
        response.readUInt16BE(2) & 15,
        `${place(settings)} answered without a signature`,
      )
    case 'forged':
      throw new PublishFault('REFUSED', `${place(settings)} answered with a wrong signature`)
  }
}

function overTcp(
  settings: Rfc2136Settings,
  message: Buffer,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal },
): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const fail = (why: string) =>
    reject(new PublishFault('UNREACHABLE', `${place(settings)}: ${why}`))
  const socket = connect({ host: settings.address, port: settings.port })
  const timer = clock.after(TIMEOUT_MS, () => fail('no answer in time'))
  const abort = () => fail('given up')
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort, { once: true })
  let received = NOTHING
  socket.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message))
  socket.on('close', () => fail('the server closed the connection'))
  socket.on('connect', () => {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(message.length)
    socket.write(Buffer.concat([length, message]))
  })
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    const whole = received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)
    if (whole) resolve(received.subarray(2, 2 + received.readUInt16BE(0)))
  })
  return promise.finally(() => {
    timer.cancel()
    signal?.removeEventListener('abort', abort)
    socket.destroy()
  })
}
