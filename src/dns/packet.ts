// Questions and responses as octets (RFC 1035 §4, EDNS: RFC 6891), over dns-packet's codec, which
// believes what it reads: everything that a stranger could have written is checked here.

import { randomBytes, randomInt } from 'node:crypto'
import {
  AUTHENTIC_DATA,
  type DecodedPacket,
  type Answer as DnsRecord,
  decode,
  encode,
  RECURSION_DESIRED,
} from 'dns-packet'
import type { RecordData, RecordType } from './resolver.ts'

/** What was asked: the id and the letters' case are random and must come back (a shield against spoofing). */
export type Query = {
  readonly id: number
  readonly name: string
  readonly type: RecordType
  readonly octets: Buffer
}

export type Response = {
  readonly rcode: string
  readonly truncated: boolean
  /** The server holds the zone itself. */
  readonly authoritative: boolean
  readonly authentic: boolean
  /** The question came back in the case in which we wrote it; a simple forwarder may lose it, a forger must guess it. */
  readonly sameCase: boolean
  readonly answers: readonly DnsRecord[]
  readonly authorities: readonly DnsRecord[]
}

/** A response without fragments on every path (DNS flag day 2020). */
const UDP_PAYLOAD_BYTES = 1232
const MOST_RECORDS = 1000
const LABEL = /^[!#-[\]-~]{1,63}$/

/** Whether a name can be asked at all: lengths of RFC 1035 §2.3.4, printable ASCII without escapes. */
export function isName(name: string): boolean {
  return name.length <= 253 && name.split('.').every((label) => LABEL.test(label))
}

/**
 * Writes a question with a random id and random case. We ask for AD without DO: the proof itself
 * (RFC 6840 §5.7) is the server's business and would only make answers large.
 */
export function newQuery(name: string, type: RecordType, options: { edns: boolean }): Query {
  const id = randomInt(0x10000)
  const cased = randomCase(name)
  const octets = encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED | AUTHENTIC_DATA,
    questions: [{ name: cased, type, class: 'IN' }],
    additionals: options.edns
      ? [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: UDP_PAYLOAD_BYTES,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ]
      : [],
  })
  return { id, name: cased, type, octets }
}

function randomCase(name: string): string {
  const bits = randomBytes(Math.ceil(name.length / 8))
  let out = ''
  for (let i = 0; i < name.length; i++) {
    const upper = (bits[i >> 3]! >> (i & 7)) & 1
    out += upper ? name[i]!.toUpperCase() : name[i]!
  }
  return out
}

/**
 * Reads a response to `query`.
 * @returns `garbage` for octets that are no response, `not-ours` for another id or question
 */
export function readResponse(octets: Buffer, query: Query): Response | 'garbage' | 'not-ours' {
  if (octets.length < 12) return 'garbage'
  if (octets.readUInt16BE(0) !== query.id) return 'not-ours'
  let records = 0
  for (let at = 4; at < 12; at += 2) records += octets.readUInt16BE(at)
  if (records > MOST_RECORDS) return 'garbage'
  let packet: DecodedPacket & { rcode?: string }
  try {
    packet = decode(octets)
  } catch {
    return 'garbage'
  }
  if (!packet.flag_qr) return 'not-ours'
  const rcode = packet.rcode ?? ''
  const question = packet.questions?.[0]
  // Some servers answer FORMERR with a bare header.
  const bare = question === undefined && rcode === 'FORMERR'
  if (!bare) {
    if (packet.questions?.length !== 1 || question?.type !== query.type) return 'not-ours'
    if (question.class !== 'IN') return 'not-ours'
    if (question.name.toLowerCase() !== query.name.toLowerCase()) return 'not-ours'
  }
  const opt = packet.additionals?.find((record) => record.type === 'OPT')
  return {
    rcode: opt?.type === 'OPT' && opt.extendedRcode !== 0 ? 'BADVERS' : rcode,
    truncated: packet.flag_tc,
    authoritative: packet.flag_aa,
    authentic: packet.flag_ad,
    sameCase: bare || question?.name === query.name,
    answers: packet.answers ?? [],
    authorities: packet.authorities ?? [],
  }
}

/** A record's data in our types; undefined for a record that is not of this type or not whole. */
export function recordData<T extends RecordType>(
  record: DnsRecord,
  type: T,
): RecordData[T] | undefined {
  if (record.type !== type) return undefined
  return plainData(record) as RecordData[T] | undefined
}

function plainData(record: DnsRecord): RecordData[RecordType] | undefined {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return record.data
    // Compression points into our question, and so the random case may come back in names.
    case 'CNAME':
    case 'PTR':
    case 'NS':
      return record.data.toLowerCase()
    case 'MX': {
      const { preference = 0, exchange } = record.data
      return { preference, exchange: exchange.toLowerCase() }
    }
    case 'TXT':
      return joined(record.data)
    case 'TLSA':
      return {
        usage: record.data.usage,
        selector: record.data.selector,
        matching: record.data.matchingType,
        data: record.data.certificate,
      }
    default:
      return undefined
  }
}

/** One record's strings are one text (RFC 7208 §3.3). */
function joined(data: string | Buffer | readonly (string | Buffer)[]): string {
  const parts = Array.isArray(data) ? (data as readonly (string | Buffer)[]) : [data]
  return Buffer.concat(parts.map((part) => Buffer.from(part as Buffer))).toString('utf8')
}
