// The plan on paper: as a zone file (RFC 1035 §5.1) and as rows for a table, in both languages.

import type { PlannedRecord, RecordPurpose } from './plan.ts'

export type ZoneLanguage = 'en' | 'ru'

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
  'reverse-dns': {
    en: 'Reverse DNS: set at the provider of the address (hosting panel), not in this zone',
    ru: 'Обратная запись (PTR): задаётся у владельца адреса (в панели хостинга), а не в этой зоне',
  },
}

const NOT_HERE: Readonly<Record<ZoneLanguage, string>> = {
  en: 'NOT in this zone',
  ru: 'НЕ в этой зоне',
}

/** One sentence about what a record is for. */
export function describeRecord(why: RecordPurpose, language: ZoneLanguage): string {
  return TEXTS[why][language]
}

/** A zone file that name servers read; what belongs elsewhere stands in comments. */
export function formatZone(records: readonly PlannedRecord[], language: ZoneLanguage): string {
  const width = Math.max(0, ...records.filter((r) => r.inZone).map((r) => r.name.length + 1))
  let out = ''
  let before: RecordPurpose | undefined
  for (const record of records) {
    const says = describeRecord(record.why, language)
    if (record.why !== before)
      out += record.inZone ? `; ${says}\n` : `; ${NOT_HERE[language]}. ${says}\n`
    before = record.why
    const name = `${record.name}.`.padEnd(record.inZone ? width : 0)
    const line = `${name} ${record.ttl} IN ${record.type.padEnd(4)} ${zoneData(record)}`
    out += record.inZone ? `${line}\n` : `; ${line.replaceAll('\n', '\n; ')}\n`
  }
  return out
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
  if (type === 'PTR') return `${value}.`
  if (type !== 'TXT') return value
  const strings = characterStrings(value)
  return strings.length === 1 ? strings[0]! : `( ${strings.join('\n    ')} )`
}

const LONGEST_STRING = 255

/** Quoted strings of at most 255 octets (RFC 1035 §3.3.14); octets beyond ASCII as \DDD. */
function characterStrings(text: string): string[] {
  const octets = Buffer.from(text)
  const strings: string[] = []
  for (let from = 0; from < octets.length || from === 0; from += LONGEST_STRING) {
    let quoted = ''
    for (const octet of octets.subarray(from, from + LONGEST_STRING)) {
      const letter = String.fromCharCode(octet)
      if (octet < 0x20 || octet > 0x7e) quoted += `\\${String(octet).padStart(3, '0')}`
      else quoted += letter === '"' || letter === '\\' ? `\\${letter}` : letter
    }
    strings.push(`"${quoted}"`)
  }
  return strings
}
