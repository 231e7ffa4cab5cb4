// A DNS plan as text that can be imported or pasted: BIND's master file form (RFC 1035 §5.1).

import type { Language, Text } from '../config/language.ts'
import type { DnsPlan, PlannedRecord } from './control.ts'

const STRING_OCTETS = 255 // of one character-string in a TXT record (RFC 1035 §3.3)

const purposes: Record<PlannedRecord['purpose'], Text> = {
  'host-address': { en: 'our host', ru: 'наш сервер' },
  'host-spf': {
    en: 'SPF of our host, for bounces',
    ru: 'SPF самого сервера, для отчётов о недоставке',
  },
  spf: {
    en: 'SPF: who may send for the domain. If there is one already, merge them: two SPF records break both',
    ru: 'SPF: кому можно отправлять от домена. Если запись уже есть, объедините: две записи SPF ломают обе',
  },
  dkim: {
    en: 'DKIM: ONE record; in a web form paste its strings as one line',
    ru: 'DKIM: ОДНА запись; в веб-форму вставляйте её строки одной строкой',
  },
  dmarc: { en: 'DMARC: start by watching', ru: 'DMARC: для начала наблюдаем' },
  'return-path': { en: 'where bounces come back', ru: 'куда возвращаются отчёты о недоставке' },
  'reverse-name': { en: 'reverse DNS', ru: 'обратная зона DNS' },
}

/** One sentence on what a record is for. */
export function describePurpose(purpose: PlannedRecord['purpose'], language: Language): string {
  return purposes[purpose][language]
}

/** Everything that belongs into the zone, and the PTR as a comment: it does not. */
export function formatZone(plan: DnsPlan, language: Language): string {
  const out = [`; ${plan.domain}, posthorn (${plan.hostname})`]
  let purpose: string | undefined
  for (const record of plan.records.filter((one) => one.inZone)) {
    if (record.purpose !== purpose) out.push(`; ${purposes[record.purpose][language]}`)
    purpose = record.purpose
    const head = `${record.name}. ${record.ttlSeconds} IN ${record.type}`
    out.push(`${head} ${formatData(record)}`)
  }
  for (const record of plan.records.filter((one) => !one.inZone)) {
    const where =
      language === 'ru'
        ? 'НЕ в этой зоне: задайте обратную запись у того, кто выдал адрес (хостинг)'
        : 'NOT in this zone: set reverse DNS where the address comes from (hosting provider)'
    out.push(`; ${where}:`, `;   ${record.name}. IN PTR ${record.value}.`)
  }
  for (const option of plan.missing) out.push(`; ${describeMissing(option, language)}`)
  return `${out.join('\n')}\n`
}

export function describeMissing(option: DnsPlan['missing'][number], language: Language): string {
  return language === 'ru'
    ? `не хватает настройки ${option}: без неё не назвать адрес в A, SPF и PTR`
    : `${option} is not configured: without it A, SPF and PTR cannot name the address`
}

function formatData(record: PlannedRecord): string {
  switch (record.type) {
    case 'TXT':
      return formatText(record.value)
    case 'MX':
    case 'PTR':
      return `${record.value}.`
    case 'A':
    case 'AAAA':
      return record.value
  }
}

/** One string, or several in brackets where it is longer than 255 octets. */
export function formatText(text: string): string {
  const strings = splitText(text).map((part) => `"${part.replace(/["\\]/g, '\\$&')}"`)
  return strings.length === 1 ? strings[0]! : `( ${strings.join('\n    ')} )`
}

/** The character-strings of a TXT record. The texts that we publish are ASCII. */
export function splitText(text: string): string[] {
  const parts: string[] = []
  for (let from = 0; from === 0 || from < text.length; from += STRING_OCTETS) {
    parts.push(text.slice(from, from + STRING_OCTETS))
  }
  return parts
}
