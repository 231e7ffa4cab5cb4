// Amazon Route 53 (API of 2013-04-01, XML). One batch is all or nothing, and a set is deleted as it was
// seen before it is made anew: so a zone that somebody else changed meanwhile is left alone.

import { joinedStrings, quotedStrings } from '../dns/character-strings.ts'
import type { Clock } from '../std/clock.ts'
import { callApi, hostOf, refusal } from './http.ts'
import {
  type Driver,
  PublishFault,
  plainName,
  possibleZones,
  type RecordType,
  type Zone,
  type ZoneRecord,
} from './publisher.ts'
import { allOf, namesOf, setChanges } from './sets.ts'
import { type AwsKeys, queryString, signAws } from './sigv4.ts'

const BASE = 'https://route53.amazonaws.com'
const TYPES: readonly RecordType[] = ['A', 'AAAA', 'CNAME', 'MX', 'TXT']
const XMLNS = 'https://route53.amazonaws.com/doc/2013-04-01/'
const PENDING_LOOKS = 30
const PENDING_PAUSE_MS = 2_000

export type Route53Settings = AwsKeys & { readonly base?: string | undefined }

type Call = (
  method: 'GET' | 'POST',
  path: string,
  options?: {
    readonly query?: Readonly<Record<string, string>>
    readonly body?: string
    readonly signal?: AbortSignal | undefined
  },
) => Promise<string>

export function route53Driver(
  settings: Route53Settings,
  { clock }: { readonly clock: Clock },
): Driver {
  const call = caller(settings, clock)
  const read = async (zone: Zone, name: string, signal?: AbortSignal) => {
    const all = await Promise.all(TYPES.map((type) => readSet(call, zone, { name, type, signal })))
    return all.flat()
  }
  return {
    provider: 'route53',
    async zoneOf(name, signal) {
      for (const above of possibleZones(name)) {
        const query = { dnsname: `${above}.`, maxitems: '10' }
        const xml = await call('GET', '/2013-04-01/hostedzonesbyname', { query, signal })
        for (const zone of elements(xml, 'HostedZone')) {
          const isPublic = element(zone, 'PrivateZone') !== 'true'
          if (plainName(element(zone, 'Name') ?? '') === above && isPublic)
            return { name: above, id: (element(zone, 'Id') ?? '').replace(/^\/hostedzone\//, '') }
        }
      }
      throw new PublishFault(
        'NO_ZONE',
        `this key of Route 53 sees no public hosted zone with ${name}`,
      )
    },
    read,
    async apply(zone, changes, signal) {
      try {
        const current = await Promise.all(namesOf(changes).map((name) => read(zone, name, signal)))
        const sets = setChanges(changes, current.flat())
        if (sets.length === 0) return allOf(changes)
        const batch = sets.flatMap(({ before, after }) => [
          ...(before.length > 0 ? [changeXml('DELETE', before)] : []),
          ...(after.length > 0 ? [changeXml('CREATE', after)] : []),
        ])
        const body = batchXml(batch)
        const path = `/2013-04-01/hostedzone/${zone.id}/rrset/`
        const answer = await call('POST', path, { body, signal })
        await inSync(element(answer, 'Id'), { call, clock, signal })
        return allOf(changes)
      } catch (error) {
        return allOf(changes, error)
      }
    },
  }
}

function caller({ base = BASE, ...keys }: Route53Settings, clock: Clock): Call {
  return async (method, path, { query = {}, body = '', signal } = {}) => {
    const request = { method, host: hostOf(base), path, query, body }
    const signed = signAws(request, keys, {
      now: clock.now(),
      region: 'us-east-1', // Route 53 is global and signs as if it were there
      service: 'route53',
    })
    const text = queryString(query)
    const answer = await callApi(
      { base, clock },
      {
        method,
        path: text === '' ? path : `${path}?${text}`,
        headers: { ...signed, ...(body === '' ? {} : { 'content-type': 'application/xml' }) },
        signal,
        ...(body === '' ? {} : { body }),
      },
    )
    if (answer.status === 200) return answer.text
    const code = element(answer.text, 'Code') ?? ''
    const message = element(answer.text, 'Message') ?? ''
    throw refusal(base, answer, [code, message].filter(Boolean).join(': '))
  }
}

async function readSet(
  call: Call,
  zone: Zone,
  { name, type, signal }: { name: string; type: RecordType; signal: AbortSignal | undefined },
): Promise<ZoneRecord[]> {
  const query = { name: `${name}.`, type, maxitems: '1' }
  const xml = await call('GET', `/2013-04-01/hostedzone/${zone.id}/rrset`, { query, signal })
  const [set] = elements(xml, 'ResourceRecordSet')
  if (set === undefined || element(set, 'Type') !== type) return []
  if (plainName(unescapeOctal(element(set, 'Name') ?? '')) !== name) return []
  if (element(set, 'SetIdentifier') !== undefined || element(set, 'AliasTarget') !== undefined)
    throw new PublishFault(
      'REFUSED',
      `${name} ${type} is an alias or has a routing policy: change it in the console`,
    )
  const ttlSeconds = Number(element(set, 'TTL') ?? 300)
  return elements(set, 'Value').map((raw) => {
    const value = type === 'TXT' ? joinedStrings(raw, 8) : plainName(raw)
    const record: ZoneRecord = { name, type, ttlSeconds, value }
    asRead.set(record, raw)
    return record
  })
}

/** How a record stood when it was read: to be deleted it must be told in the same letters. */
const asRead = new WeakMap<ZoneRecord, string>()

function batchXml(changes: readonly string[]): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<ChangeResourceRecordSetsRequest xmlns="${XMLNS}"><ChangeBatch><Comment>Posthorn</Comment>`,
    `<Changes>${changes.join('')}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`,
  ].join('')
}

/** All values of one set. */
function changeXml(action: 'DELETE' | 'CREATE', records: readonly ZoneRecord[]): string {
  const { name, type } = records[0]!
  // A set has one TTL: when it changes, the newest counts.
  const ttl = records.at(-1)!.ttlSeconds
  const values = records
    .map(
      (record) =>
        `<ResourceRecord><Value>${escapeXml(asRead.get(record) ?? wireValue(record))}</Value></ResourceRecord>`,
    )
    .join('')
  return [
    `<Change><Action>${action}</Action><ResourceRecordSet>`,
    `<Name>${escapeXml(name)}.</Name><Type>${type}</Type><TTL>${ttl}</TTL>`,
    `<ResourceRecords>${values}</ResourceRecords></ResourceRecordSet></Change>`,
  ].join('')
}

function wireValue({ type, value }: ZoneRecord): string {
  // Octets beyond ASCII are octal here, where zone files have decimals.
  if (type === 'TXT') return quotedStrings(value, 8).join(' ')
  return type === 'MX' || type === 'CNAME' ? `${value}.` : value
}

/** Resolves when every server of Route 53 has the change. */
async function inSync(
  id: string | undefined,
  { call, clock, signal }: { call: Call; clock: Clock; signal: AbortSignal | undefined },
): Promise<void> {
  const change = (id ?? '').replace(/^\/change\//, '')
  for (let look = 0; change !== '' && look < PENDING_LOOKS; look++) {
    const xml = await call('GET', `/2013-04-01/change/${change}`, { signal })
    if (element(xml, 'Status') === 'INSYNC') return
    await clock.sleep(PENDING_PAUSE_MS, signal)
  }
}

/** The contents of every element of this name, unless they nest in themselves (these do not). */
function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([^]*?)</${name}>`, 'g'))].map(
    ([, content = '']) => (content.includes('<') ? content : unescapeXml(content)),
  )
}

function element(xml: string, name: string): string | undefined {
  return elements(xml, name)[0]
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
}

function unescapeXml(text: string): string {
  return text.replace(/&(#x?[0-9a-f]+|\w+);/gi, (whole, entity: string) => {
    if (!entity.startsWith('#')) return ENTITIES[entity] ?? whole
    const code = /^#x/i.test(entity)
      ? Number.parseInt(entity.slice(2), 16)
      : Number(entity.slice(1))
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`)
}

/** `\052` for the asterisk, in names. */
function unescapeOctal(name: string): string {
  return name.replace(/\\(\d{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  )
}
