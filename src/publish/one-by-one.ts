// Providers that keep single records with an id each: changes go one after the other, and the first
// that fails ends the job, for what follows may rest on it.

import { type Change, type ChangeResult, sameRecord, type ZoneRecord } from './publisher.ts'

/** A record as its provider keeps it. */
export type KeptRecord = { readonly id: string; readonly record: ZoneRecord }

export type RecordVerbs = {
  /** What stands at a name now. */
  read(name: string): Promise<readonly KeptRecord[]>
  create(record: ZoneRecord): Promise<void>
  update(id: string, record: ZoneRecord): Promise<void>
  remove(id: string): Promise<void>
}

export async function oneByOne(
  changes: readonly Change[],
  verbs: RecordVerbs,
): Promise<readonly ChangeResult[]> {
  const results: ChangeResult[] = []
  let failed: string | undefined
  for (const change of changes) {
    if (failed !== undefined) {
      results.push({ change, done: false, why: `not tried, after: ${failed}` })
      continue
    }
    try {
      await make(change, verbs)
      results.push({ change, done: true })
    } catch (error) {
      failed = error instanceof Error ? error.message : String(error)
      results.push({ change, done: false, why: failed })
    }
  }
  return results
}

async function make(change: Change, verbs: RecordVerbs): Promise<void> {
  const here = await verbs.read(change.record.name)
  const find = (wanted: ZoneRecord) => here.find(({ record }) => sameRecord(record, wanted))
  switch (change.kind) {
    case 'add':
      if (!find(change.record)) await verbs.create(change.record)
      return
    case 'remove': {
      const found = find(change.record)
      if (found) await verbs.remove(found.id)
      return
    }
    case 'replace': {
      const found = find(change.before)
      if (find(change.record)) return found && verbs.remove(found.id)
      if (found) await verbs.update(found.id, change.record)
      else await verbs.create(change.record)
    }
  }
}
