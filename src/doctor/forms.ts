// A record as the form of its provider wants it: which name, which value, which TTL, which priority.

import { quotedStrings } from '../dns/character-strings.ts'
import type { PlannedRecord } from './plan.ts'
import type { Provider } from './zone-keepers.ts'

export type FormFields = {
  readonly type: string
  /** Empty for the domain itself, where the form wants the field left empty. */
  readonly name: string
  readonly value: string
  /** Undefined: the form has no such field. */
  readonly ttl: string | undefined
  readonly priority: string | undefined
}

/** @param zone the apex that names are relative to */
export function formFields(record: PlannedRecord, zone: string, provider: Provider): FormFields {
  const { type } = record
  const [priority, host] = type === 'MX' ? record.value.split(' ') : []
  const separate = type === 'MX' && !provider.mxInOne
  return {
    type,
    name: nameIn(record, zone, provider),
    value: separate ? dotted(host!, provider) : valueIn(record, provider),
    ttl: ttlIn(record, provider),
    priority: separate ? priority : undefined,
  }
}

function nameIn({ name, inZone }: PlannedRecord, zone: string, provider: Provider): string {
  if (!inZone) return name
  if (provider.names === 'absolute') return `${name}.`
  return name === zone ? provider.apex : relativeTo(zone, name)
}

/** The name without the zone; whole when it is not in it. */
export function relativeTo(zone: string, name: string): string {
  if (name === zone) return '@'
  return name.endsWith(`.${zone}`) ? name.slice(0, -zone.length - 1) : name
}

function valueIn({ type, value }: PlannedRecord, provider: Provider): string {
  switch (type) {
    case 'TXT':
      return provider.quoted ? quotedStrings(value).join(' ') : value
    case 'MX':
    case 'PTR':
      return dotted(value, provider)
    default:
      return value
  }
}

function dotted(name: string, provider: Provider): string {
  return provider.dotted ? `${name}.` : name
}

function ttlIn({ ttl }: PlannedRecord, provider: Provider): string | undefined {
  switch (provider.ttl.kind) {
    case 'seconds':
      return String(Math.max(ttl, provider.ttl.least))
    case 'menu':
      return provider.ttl.word
    case 'none':
      return undefined
  }
}
