// The plan on paper: as a zone file (RFC 1035 §5.1) and as rows for a table, in both languages.

import { quotedStrings } from '../dns/character-strings.ts'
import type { ComparedRecord } from './compare.ts'
import { describeNote, describeState, type ZoneLanguage } from './notes.ts'
import type { PlannedRecord, RecordPurpose } from './plan.ts'

/** One row of a table; `name` is relative to the domain, `@` for itself, whole for what is outside. */
export type PlannedRow = {
  readonly type: string
  readonly name: string
  readonly value: string
  readonly ttl: number
  readonly inZone: boolean
  readonly says: string
}

const TEXTS: Readonly<Record<RecordPurpose, Readonly<Record<ZoneLanguage, string>>>> = {
  hostname: {
    en: 'The name and address of this server',
    ru: 'Имя и адрес этого сервера',
  },
  'hello-spf': {
    en: 'SPF of the server name itself: receivers check it for bounces',
    ru: 'SPF самого имени сервера: по нему получатели проверяют уведомления о недоставке',
  },
  'domain-spf': {
    en: 'SPF: who may send for this domain. Only one SPF record per name: if one exists, add our part to it',
    ru: 'SPF: кому можно слать от имени домена. Запись SPF должна быть одна: если она уже есть, добавьте в неё нашу часть',
  },
  dkim: {
    en: 'DKIM: the public key of our signature. One record; where it is written in several strings, a web form takes them as one line',
    ru: 'DKIM: открытый ключ нашей подписи. Это одна запись; если она разбита на строки, в веб-форму вводите её одной строкой',
  },
  dmarc: {
    en: 'DMARC: begin by watching (p=none); the reports go to this mailbox',
    ru: 'DMARC: начните с наблюдения (p=none); отчёты придут в этот ящик',
  },
  'dmarc-reports': {
    en: 'Consent of the other domain to get the DMARC reports of this one',
    ru: 'Согласие другого домена получать отчёты DMARC об этом',
  },
  'return-path': {
    en: 'Return path: bounces come back here (skip both if port 25 cannot be reached from outside)',
    ru: 'Обратный адрес: сюда возвращаются недоставленные письма (не нужна, если порт 25 снаружи закрыт)',
  },
  'return-path-spf': {
    en: 'SPF of the return path',
    ru: 'SPF обратного адреса',
  },
  'mta-sts': {
    en: 'MTA-STS: others must use TLS when they send to this domain; a new id for every new policy',
    ru: 'MTA-STS: требует TLS от тех, кто пишет на этот домен; новый id при каждой смене политики',
  },
  'tls-rpt': {
    en: 'TLS-RPT: daily reports about TLS of mail to this domain go to this mailbox',
    ru: 'TLS-RPT: ежедневные отчёты о TLS для почты на этот домен придут в этот ящик',
  },
  bimi: {
    en: 'BIMI: the logo beside the mail; only works with DMARC p=quarantine or p=reject',
    ru: 'BIMI: логотип рядом с письмом; работает только при DMARC p=quarantine или p=reject',
  },
  'reverse-dns': {
    en: 'Reverse DNS: set at the provider of the address (hosting panel), not in this zone',
    ru: 'Обратная запись (PTR): задаётся у владельца адреса (в панели хостинга), а не в этой зоне',
  },
}

const WORDS = {
  en: { notHere: 'NOT in this zone', covered: 'NOT needed' },
  ru: { notHere: 'НЕ в этой зоне', covered: 'НЕ нужна' },
} as const satisfies Readonly<Record<ZoneLanguage, unknown>>

/** A record of the plan, compared with what is published or not. */
export type ZoneRecord = PlannedRecord &
  Partial<Pick<ComparedRecord, 'state' | 'covered' | 'notes'>>

/** One sentence about what a record is for. */
export function describeRecord(why: RecordPurpose, language: ZoneLanguage): string {
  return TEXTS[why][language]
}

/** A zone file that name servers read; what belongs elsewhere stands in comments. */
export function formatZone(
  records: readonly ZoneRecord[],
  language: ZoneLanguage,
  options: { readonly tagOf?: (record: ZoneRecord) => string } = {},
): string {
  const words = WORDS[language]
  const width = Math.max(0, ...records.filter((r) => r.inZone).map((r) => r.name.length + 1))
  let out = ''
  let before: RecordPurpose | undefined
  for (const record of records) {
    const isOutside = !record.inZone || record.covered !== undefined
    if (record.why !== before) {
      const prefix = !record.inZone
        ? `${words.notHere}. `
        : record.covered
          ? `${words.covered}. `
          : ''
      out += `; ${prefix}${describeRecord(record.why, language)}\n`
    }
    before = record.why
    out += stateComment(record, language)
    const name = `${record.name}.`.padEnd(record.inZone ? width : 0)
    const tag = options.tagOf?.(record) ?? ''
    const line = `${name} ${record.ttl} IN ${record.type.padEnd(4)} ${zoneData(record)}${tag}`
    out += isOutside ? `; ${line.replaceAll('\n', '\n; ')}\n` : `${line}\n`
  }
  return out
}

function stateComment({ state, notes = [] }: ZoneRecord, language: ZoneLanguage): string {
  if (state === undefined) return ''
  const says = [describeState(state, language), ...notes.map((one) => describeNote(one, language))]
  return `; ${says.join('; ')}\n`.replace(/[\r\n](?=.)/g, ' ')
}

/** The same for a table on a screen or a form of a DNS provider. */
export function plannedRows(
  records: readonly PlannedRecord[],
  options: { readonly domain: string; readonly language: ZoneLanguage },
): PlannedRow[] {
  const { domain, language } = options
  return records.map(({ type, name, value, ttl, inZone, why }) => {
    const relative = name === domain ? '@' : name.slice(0, -domain.length - 1)
    const says = describeRecord(why, language)
    return { type, name: inZone ? relative : name, value, ttl, inZone, says }
  })
}

function zoneData({ type, value }: PlannedRecord): string {
  if (type === 'PTR' || type === 'MX') return `${value}.`
  if (type !== 'TXT') return value
  const strings = quotedStrings(value)
  return strings.length === 1 ? strings[0]! : `( ${strings.join('\n    ')} )`
}
