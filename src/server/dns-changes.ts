// From the compared plan to the changes that make a zone like it. Pure.

import type { ComparedRecord } from '../doctor/compare.ts'
import { pendingRecords } from '../doctor/formats.ts'
import type { Found, Lookup } from '../doctor/lookup.ts'
import type { Change, RecordType, ZoneRecord } from '../publish/publisher.ts'

/** A value as the plan compares it: behind a proxy the world sees another one. */
const shown = ({ value, proxied }: ZoneRecord) => (proxied ? `${value} (proxied)` : value)

/** What a zone holds, as the plan asks for it. */
export function lookupIn(records: readonly ZoneRecord[]): Lookup {
  return async (name, type): Promise<Found> => {
    const here = records.filter((record) => record.name === name)
    const alias = here.find((record) => record.type === 'CNAME')
    const values = here.filter((record) => record.type === type).map(shown)
    return { kind: 'values', values, ...(alias && { alias: alias.value }) }
  }
}

/**
 * What must happen to the zone: what is replaced or goes first, what comes last, for an alias must be
 * gone before other records can stand in its place.
 * @param current what the zone holds at the names of the plan
 */
export function changesFor(
  compared: readonly ComparedRecord[],
  current: readonly ZoneRecord[],
): readonly Change[] {
  const changes = pendingRecords(compared).flatMap((one) => changesOf(one, current))
  const order = { replace: 0, remove: 1, add: 2 }
  return changes.sort((a, b) => order[a.kind] - order[b.kind])
}

function changesOf(planned: ComparedRecord, current: readonly ZoneRecord[]): Change[] {
  const { name, type, value, ttl, published, extra } = planned
  if (type === 'PTR') return []
  const at = (ofType: string, wanted: string) =>
    current.find(
      (record) => record.name === name && record.type === ofType && shown(record) === wanted,
    )
  const record: ZoneRecord = { name, type: type as RecordType, value, ttlSeconds: ttl }
  const changes: Change[] = []
  for (const one of extra) {
    const before = at(one.type, one.value)
    if (before) changes.push({ kind: 'remove', record: before })
  }
  const before = published[0] === undefined ? undefined : at(type, published[0])
  if (before === undefined) changes.push({ kind: 'add', record })
  else if (published[0] !== value) changes.push({ kind: 'replace', before, record })
  return changes
}
