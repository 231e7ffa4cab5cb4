// What a server really costs: CPU time and memory of its whole process tree, read from /proc.

import { readdirSync, readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100

type Stat = { pid: number; parent: number; ticks: number }

function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    // utime, stime, and those of children that have been waited for (proc(5), fields 14 to 17).
    const ticks = [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0)
    return { pid, parent: Number(fields[1]), ticks }
  } catch {
    return undefined
  }
}

function treeOf(roots: readonly number[]): Stat[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)))
    .filter((stat) => stat !== undefined)
  const inside = new Set(roots)
  for (let grown = true; grown; ) {
    grown = false
    for (const stat of all)
      if (!inside.has(stat.pid) && inside.has(stat.parent)) {
        inside.add(stat.pid)
        grown = true
      }
  }
  return all.filter((stat) => inside.has(stat.pid))
}

/** Processes of the trees below `roots`, which are the first of them. */
export const processesOf = (roots: readonly number[]): readonly number[] =>
  treeOf(roots).map(({ pid }) => pid)

/** Whether a process has not ended; one that only waits to be reaped has. */
export function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}

/** CPU milliseconds that the trees below `roots` have used, processes that ended included. */
export function cpuMs(roots: readonly number[]): number {
  const ticks = treeOf(roots).reduce((sum, stat) => sum + stat.ticks, 0)
  return (ticks * 1000) / TICKS_PER_SECOND
}

/** Memory of the trees in MiB; pages that several processes share are counted once (PSS). */
export function memoryMiB(roots: readonly number[]): number {
  let kib = 0
  for (const { pid } of treeOf(roots))
    try {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
      kib += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0)
    } catch {
      // It ended between the two looks.
    }
  return kib / 1024
}
