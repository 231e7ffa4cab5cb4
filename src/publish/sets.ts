// Providers that keep sets (all values of one name and type together) instead of single records.

import { type Change, type ChangeResult, sameRecord, type ZoneRecord } from './publisher.ts'

/** The values of a name and type, before and after; what the changes do not name stays. */
export type SetChange = {
  readonly name: string
  readonly type: ZoneRecord['type']
  readonly before: readonly ZoneRecord[]
  readonly after: readonly ZoneRecord[]
}

/**
 * What changes mean for the sets that they touch. Sets whose values stay as they are do not appear;
 * sets that only lose come first, for an alias (CNAME) must go before another record can stand there.
 */
export function setChanges(
  changes: readonly Change[],
  current: readonly ZoneRecord[],
): readonly SetChange[] {
  const sets = new Map<string, ZoneRecord[]>()
  const touch = (one: ZoneRecord): string => {
    const key = `${one.name} ${one.type}`
    if (!sets.has(key))
      sets.set(
        key,
        current.filter((record) => keyOf(record) === key),
      )
    return key
  }
  const drop = (one: ZoneRecord): void => {
    const key = touch(one)
    sets.set(
      key,
      sets.get(key)!.filter((record) => !sameRecord(record, one)),
    )
  }
  for (const change of changes) {
    if (change.kind !== 'add') drop(change.kind === 'replace' ? change.before : change.record)
    if (change.kind === 'remove') continue
    const key = touch(change.record)
    if (!sets.get(key)!.some((record) => sameRecord(record, change.record)))
      sets.get(key)!.push(change.record)
  }
  return [...sets]
    .map(([key, after]) => {
      const [name = '', type] = key.split(' ') as [string, ZoneRecord['type']]
      return { name, type, before: current.filter((record) => keyOf(record) === key), after }
    })
    .filter(({ before, after }) => !sameSet(before, after))
    .sort((a, b) => Number(a.after.length > 0) - Number(b.after.length > 0))
}

function keyOf({ name, type }: ZoneRecord): string {
  return `${name} ${type}`
}

function sameSet(a: readonly ZoneRecord[], b: readonly ZoneRecord[]): boolean {
  return a.length === b.length && a.every((one) => b.some((other) => sameRecord(one, other)))
}

/** The names that changes touch. */
export function namesOf(changes: readonly Change[]): string[] {
  return [...new Set(changes.map(({ record }) => record.name))]
}

/** One fate for all changes of an atomic provider. */
export function allOf(changes: readonly Change[], failure?: unknown): ChangeResult[] {
  if (failure === undefined) return changes.map((change) => ({ change, done: true }))
  const why = failure instanceof Error ? failure.message : String(failure)
  return changes.map((change) => ({ change, done: false, why }))
}
