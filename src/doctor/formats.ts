// The compared plan for programs: a file for Cloudflare's import, a change batch for Route 53, and
// Terraform. Each holds what has to change; what stands already is not repeated, for it would collide.

import { quotedStrings } from '../dns/character-strings.ts'
import type { ComparedRecord } from './compare.ts'
import { describeNote, describeState, type ZoneLanguage } from './notes.ts'
import { describeRecord, formatZone } from './zone.ts'

/** What has to be done in the zone itself. */
export function pendingRecords(records: readonly ComparedRecord[]): readonly ComparedRecord[] {
  return records.filter(({ inZone, covered, state }) => inZone && !covered && state !== 'present')
}

const HAND = {
  en: 'To be changed by hand, for an import only adds:',
  ru: 'Изменить руками, потому что импорт только добавляет:',
} as const

/** A zone file for "Import and Export": only new records, none of them behind the proxy. */
export function formatCloudflare(
  records: readonly ComparedRecord[],
  language: ZoneLanguage,
): string {
  const pending = pendingRecords(records)
  const isNew = ({ state }: ComparedRecord) => state === 'missing' || state === 'unknown'
  const fresh = formatZone(pending.filter(isNew), language, {
    tagOf: ({ type }) => (/^A/.test(type) ? ' ; cf_tags=cf-proxied:false' : ''),
  })
  const byHand = pending.filter((record) => !isNew(record))
  if (byHand.length === 0) return fresh
  const zone = formatZone(byHand, language).replace(/^(?!;|$)/gm, '; ')
  return `${fresh};\n; ${HAND[language]}\n${zone}`
}

/** Input of `aws route53 change-resource-record-sets --change-batch file://…`. */
export function formatRoute53(records: readonly ComparedRecord[]): string {
  const pending = pendingRecords(records)
  // An UPSERT replaces the whole set: what else stands there must be known.
  const isSafe = ({ state }: ComparedRecord) => state !== 'unknown'
  const isFree = ({ extra }: ComparedRecord) => !extra.some(({ type }) => type === 'CNAME')
  const sets = pending.filter((record) => isSafe(record) && isFree(record))
  const left = pending
    .filter((record) => !sets.includes(record))
    .map((one) => `${one.type} ${one.name}`)
  const batch = {
    Comment:
      left.length === 0
        ? 'Posthorn'
        : `Posthorn; left out (not known or an alias in the way): ${left.join(', ')}`.slice(0, 256),
    Changes: sets.map((record) => ({
      Action: 'UPSERT',
      ResourceRecordSet: {
        Name: `${record.name}.`,
        Type: record.type,
        TTL: record.ttl,
        ResourceRecords: [record.value, ...record.beside].map((value) => ({
          Value: record.type === 'TXT' ? quotedStrings(value).join(' ') : value,
        })),
      },
    })),
  }
  return `${JSON.stringify(batch, null, 2)}\n`
}

export type TerraformOptions = {
  readonly zone: string
  /** The id of the provider that keeps the zone. */
  readonly provider: string
  readonly language: ZoneLanguage
}

/** Resources for the zone's provider, and for any server that takes updates (hashicorp/dns) otherwise. */
export function formatTerraform(
  records: readonly ComparedRecord[],
  { zone, provider, language }: TerraformOptions,
): string {
  const resource = RESOURCES[provider] ?? dnsResource
  return pendingRecords(records)
    .map((record) => {
      const says = [
        describeRecord(record.why, language),
        describeState(record.state, language),
        ...record.notes.map((note) => describeNote(note, language)),
      ]
      const { type, fields } = resource(record, zone)
      const width = Math.max(...fields.map(([name]) => name.length))
      const lines = fields.map(([name, value]) =>
        value.startsWith('{\n') ? `  ${name} ${value}` : `  ${name.padEnd(width)} = ${value}`,
      )
      const comments = says.map((line) => `# ${line.replace(/[\r\n]+/g, ' ')}`)
      const label = `${record.name}_${record.type}`.toLowerCase().replace(/[^a-z0-9]+/g, '_')
      return [...comments, `resource "${type}" "posthorn_${label}" {`, ...lines, '}', ''].join('\n')
    })
    .join('\n')
}

type Fields = readonly (readonly [name: string, value: string])[]
type Resource = (record: ComparedRecord, zone: string) => { type: string; fields: Fields }

const text = (value: string) =>
  JSON.stringify(value).replaceAll('${', '$$${').replaceAll('%{', '%%{')
const list = (values: readonly string[]) => `[${values.map(text).join(', ')}]`
const relative = (record: ComparedRecord, zone: string) =>
  record.name === zone ? '@' : record.name.slice(0, -zone.length - 1)
const values = ({ value, beside }: ComparedRecord) => [value, ...beside]
const wire = (record: ComparedRecord): string[] =>
  values(record).map((value) => {
    if (record.type === 'TXT') return quotedStrings(value).join(' ')
    return record.type === 'MX' ? `${value}.` : value
  })

const RESOURCES: Readonly<Record<string, Resource>> = {
  cloudflare: (record) => ({
    type: 'cloudflare_dns_record',
    fields: [
      ['zone_id', 'var.zone_id'],
      ['name', text(record.name)],
      ['type', text(record.type)],
      ...(record.type === 'MX'
        ? ([
            ['content', text(record.value.split(' ')[1]!)],
            ['priority', record.value.split(' ')[0]!],
          ] as const)
        : ([['content', text(record.type === 'TXT' ? wire(record)[0]! : record.value)]] as const)),
      ['ttl', String(record.ttl)],
      ['proxied', 'false'],
    ],
  }),
  route53: (record) => ({
    type: 'aws_route53_record',
    fields: [
      ['zone_id', 'var.zone_id'],
      ['name', text(record.name)],
      ['type', text(record.type)],
      ['ttl', String(record.ttl)],
      // It adds the outer quotes itself.
      [
        'records',
        list(wire(record).map((value) => value.replace(/^"|"$/g, '').replaceAll('" "', '""'))),
      ],
    ],
  }),
  hetzner: (record, zone) => ({
    type: 'hcloud_zone_rrset',
    fields: [
      ['zone', text(zone)],
      ['name', text(relative(record, zone))],
      ['type', text(record.type)],
      ['ttl', String(record.ttl)],
      [
        'records',
        `[${wire(record)
          .map((value) => `{ value = ${text(value)} }`)
          .join(', ')}]`,
      ],
    ],
  }),
  digitalocean: (record, zone) => ({
    type: 'digitalocean_record',
    fields: [
      ['domain', text(zone)],
      ['type', text(record.type)],
      ['name', text(relative(record, zone))],
      ...(record.type === 'MX'
        ? ([
            ['value', text(`${record.value.split(' ')[1]}.`)],
            ['priority', record.value.split(' ')[0]!],
          ] as const)
        : ([['value', text(record.value)]] as const)),
      ['ttl', String(record.ttl)],
    ],
  }),
  google: (record) => ({
    type: 'google_dns_record_set',
    fields: [
      ['managed_zone', 'var.managed_zone'],
      ['name', text(`${record.name}.`)],
      ['type', text(record.type)],
      ['ttl', String(record.ttl)],
      ['rrdatas', list(wire(record))],
    ],
  }),
}

function dnsResource(record: ComparedRecord, zone: string): { type: string; fields: Fields } {
  const type = record.type.toLowerCase()
  const name = relative(record, zone)
  const data: Fields[number] =
    record.type === 'TXT'
      ? ['txt', list(values(record))]
      : record.type === 'MX'
        ? [
            'mx',
            `[${values(record)
              .map((value) => value.split(' '))
              .map(
                ([preference, host]) =>
                  `{ preference = ${preference}, exchange = ${text(`${host}.`)} }`,
              )
              .join(', ')}]`,
          ]
        : ['addresses', list(values(record))]
  return {
    type: `dns_${type}_record_set`,
    fields: [
      ['zone', text(`${zone}.`)],
      ...(name === '@' ? [] : [['name', text(name)] as const]),
      ['ttl', String(record.ttl)],
      data,
    ],
  }
}
