// Operations of a batch that are not done, and why.

import { CALL, type Operation, SETTLE } from './operations.ts'

export type Failures = { index: number; kind: 'full' | 'failed'; text: string }[]

export function refuseAll(indexes: readonly number[], failures: Failures, text: string): void {
  for (const index of indexes) failures.push({ index, kind: 'failed', text })
}

/** What brings mail in hears that the disk is full; what takes mail out goes on. */
export function refuseTakers(
  operations: readonly Operation[],
  indexes: readonly number[],
  failures: Failures,
): number[] {
  return indexes.filter((index) => {
    const [kind, name] = operations[index]!
    if (kind === SETTLE || (kind === CALL && name !== 'capture')) return true
    failures.push({ index, kind: 'full', text: 'the disk is full or below its reserve' })
    return false
  })
}
