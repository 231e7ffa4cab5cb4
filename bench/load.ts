// The load generator, a process of its own: N sessions that each send messages one after another as
// smtp-source does (a command, a reply), over kept or new connections, plain or with STARTTLS.
//
// Over IPC: a Job comes in, a JobResult goes out; 'stop' ends a job before its time.

import { Client } from './client.ts'
import { messageMaker } from './message.ts'
import { sleep } from './wait.ts'

export type Job = {
  readonly port: number
  readonly sessions: number
  readonly messages: number
  readonly bytes: number
  readonly keep: boolean
  readonly starttls: boolean
  readonly domains: number
  readonly firstNumber: number
  /** Stop sending after so many milliseconds; 0: after all messages, or when told. */
  readonly forMs: number
  /** How long each session rests between two messages; not at all by default. */
  readonly pauseMs?: number
  /** Tell the numbers of accepted messages. */
  readonly numbers: boolean
}

export type JobResult = {
  readonly accepted: number
  readonly refused: number
  /** How often which refusal was heard, such as `452 4.3.1`. */
  readonly refusals: Readonly<Record<string, number>>
  readonly broken: number
  readonly startedAt: number
  readonly endedAt: number
  readonly cpuMs: number
  /** Milliseconds from MAIL to the final 250: median and 99th percentile. */
  readonly p50: number
  readonly p99: number
  readonly acknowledged: readonly number[]
}

let stopped = false
const now = () => performance.timeOrigin + performance.now()

async function run(job: Job): Promise<JobResult> {
  const make = messageMaker(job.bytes)
  const cpuBefore = process.cpuUsage()
  const startedAt = now()
  const latencies: number[] = []
  const acknowledged: number[] = []
  let next = 0
  let accepted = 0
  let refused = 0
  const refusals: Record<string, number> = {}
  let broken = 0

  const sendOne = async (peer: Client, number: number): Promise<boolean> => {
    const began = now()
    const rcpt = `user${number % 100}@d${number % job.domains}.recipient.example`
    const code = await peer.send(rcpt, make(number))
    if (code === 250) {
      accepted++
      latencies.push(now() - began)
      if (job.numbers) acknowledged.push(number)
    } else if (code === 0) broken++
    else {
      refused++
      refusals[peer.said] = (refusals[peer.said] ?? 0) + 1
    }
    return code === 250
  }
  const session = async () => {
    let peer: Client | undefined
    while (!stopped && next < job.messages && (job.forMs === 0 || now() - startedAt < job.forMs)) {
      const number = job.firstNumber + next++
      try {
        peer ??= await Client.open(job)
        const taken = await sendOne(peer, number)
        if (job.pauseMs) await sleep(job.pauseMs)
        if (taken && job.keep) continue
      } catch {
        broken++
        await sleep(20)
      }
      peer?.close()
      peer = undefined
    }
    peer?.close()
  }
  await Promise.all(Array.from({ length: job.sessions }, session))
  const { user, system } = process.cpuUsage(cpuBefore)
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)] ?? 0
  return {
    accepted,
    refused,
    refusals,
    broken,
    startedAt,
    endedAt: now(),
    cpuMs: (user + system) / 1000,
    p50: at(0.5),
    p99: at(0.99),
    acknowledged,
  }
}

process.on('message', (job: Job | 'stop') => {
  if (job === 'stop') stopped = true
  else void run(job).then((result) => process.send?.(result))
})
process.on('disconnect', () => process.exit(0))
process.send?.({ ready: true })
