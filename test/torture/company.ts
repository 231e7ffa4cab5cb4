// Starts crowds (crowd.ts) and asks after them.

import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { end } from '../../bench/wait.ts'
import type { CrowdCount, CrowdJob } from './crowd.ts'

export type Company = AsyncDisposable & { count(): Promise<CrowdCount> }

/** A process for each job; resolves when all connections of all of them have been tried. */
export async function gatherCrowds(jobs: readonly CrowdJob[]): Promise<Company> {
  const children: ChildProcess[] = []
  const ready = jobs.map((job) => {
    const child = fork(join(import.meta.dirname, 'crowd.ts'))
    children.push(child)
    const answer = nextMessage<CrowdCount>(child)
    child.send(job)
    return answer
  })
  const dispose = async () => void (await Promise.all(children.map((child) => end(child, 2_000))))
  try {
    await Promise.all(ready)
  } catch (error) {
    await dispose()
    throw error
  }
  return {
    async count() {
      const counts = await Promise.all(
        children.map((child) => {
          const answer = nextMessage<CrowdCount>(child)
          child.send('count')
          return answer
        }),
      )
      const sum = (pick: (count: CrowdCount) => number) =>
        counts.reduce((total, count) => total + pick(count), 0)
      return {
        open: sum(({ open }) => open),
        turnedAway: sum(({ turnedAway }) => turnedAway),
        lost: sum(({ lost }) => lost),
      }
    },
    [Symbol.asyncDispose]: dispose,
  }
}

export function nextMessage<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Error('a process of the torment ended early'))
    child.once('exit', gone)
    child.once('message', (value) => {
      child.off('exit', gone)
      resolve(value as T)
    })
  })
}
