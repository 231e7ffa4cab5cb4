// Octets of DNS messages that dns-packet does not write: UPDATE with its classes ANY and NONE
// (RFC 2136 §2), names for signatures.

import { type Answer as DnsRecord, encode } from 'dns-packet'

/** A name in lower case, uncompressed (RFC 4034 §6.2, which RFC 8945 §4.3.3 asks for). */
export function wireName(name: string): Buffer {
  const parts: Buffer[] = []
  for (const label of name.toLowerCase().replace(/\.$/, '').split('.')) {
    if (label === '') continue
    const octets = Buffer.from(label, 'latin1')
    if (octets.length > 63) throw new RangeError(`a label of ${name} is too long`)
    parts.push(Buffer.from([octets.length]), octets)
  }
  return Buffer.concat([...parts, Buffer.from([0])])
}

/** Reads over a name, following at most so many pointers as a message can hold. Throws RangeError. */
export function skipName(message: Buffer, from: number): { name: string; next: number } {
  const labels: string[] = []
  let at = from
  let next: number | undefined
  for (let steps = 0; steps < 128; steps++) {
    const length = message.readUInt8(at)
    if (length === 0) return { name: labels.join('.').toLowerCase(), next: next ?? at + 1 }
    if (length >= 0xc0) {
      next ??= at + 2
      at = message.readUInt16BE(at) & 0x3fff
    } else {
      labels.push(message.toString('latin1', at + 1, at + 1 + length))
      at += 1 + length
    }
  }
  throw new RangeError('a name without end')
}

const HEADER_OCTETS = 12
const NO_RECORDS = { questions: [], answers: [], authorities: [], additionals: [] }

/** The data of a record as it goes over the wire. */
export function wireData(record: DnsRecord): Buffer {
  const message = encode({ ...NO_RECORDS, type: 'response', answers: [record] })
  const { next } = skipName(message, HEADER_OCTETS)
  return message.subarray(next + 10)
}

/** One entry of an update message: class, TTL and data say what it means (RFC 2136 §2.4, §2.5). */
export type UpdateEntry = {
  readonly name: string
  readonly type: number
  readonly class: number
  readonly ttlSeconds: number
  readonly data: Buffer
}

const OPCODE_UPDATE = 5 << 11
const SOA = 6
const IN = 1

/** An UPDATE message (RFC 2136 §2). */
export function updateMessage(
  id: number,
  zone: string,
  sections: {
    readonly prerequisites: readonly UpdateEntry[]
    readonly updates: readonly UpdateEntry[]
  },
): Buffer {
  const head = Buffer.alloc(HEADER_OCTETS)
  head.writeUInt16BE(id, 0)
  head.writeUInt16BE(OPCODE_UPDATE, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(sections.prerequisites.length, 6)
  head.writeUInt16BE(sections.updates.length, 8)
  const about = Buffer.alloc(4)
  about.writeUInt16BE(SOA, 0)
  about.writeUInt16BE(IN, 2)
  const entries = [...sections.prerequisites, ...sections.updates].map(wireEntry)
  return Buffer.concat([head, wireName(zone), about, ...entries])
}

function wireEntry(entry: UpdateEntry): Buffer {
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(entry.type, 0)
  fixed.writeUInt16BE(entry.class, 2)
  fixed.writeUInt32BE(entry.ttlSeconds, 4)
  fixed.writeUInt16BE(entry.data.length, 8)
  return Buffer.concat([wireName(entry.name), fixed, entry.data])
}
