// How long one message takes through an idle server, from the application's connect to the last
// octet at the receiving server. Both ends are in this process, so there is one clock.

import type { AddressInfo, Server } from 'node:net'
import { Client } from './client.ts'
import { messageMaker } from './message.ts'
import type { PeerKind, PeerOptions } from './peers/peer.ts'
import { receiver } from './receiver.ts'
import { generate, withPeer } from './run.ts'
import { sleep } from './wait.ts'

/** Of messages one after another, and of messages with pauses: then caches are cold. */
export type Idle = { readonly inARow: Times; readonly cold: Times }

/** Milliseconds from connect. */
export type Times = {
  /** To the arrival at the sink. */
  readonly p50: number
  readonly p99: number
  /** To the final 250. */
  readonly accepted50: number
  readonly accepted99: number
}

const MESSAGES = 300
const PAUSE_MS = 15
const WARM_UP_MS = 8000
/** A message that takes longer counts as this. */
const LONGEST_MS = 5000

/** 300 messages one after another, each over a new connection; and again with pauses. */
export async function measureIdle(
  kind: PeerKind,
  { chunking, ...setup }: Omit<PeerOptions, 'sinkPort'> & { readonly chunking: boolean },
): Promise<Idle> {
  let arrived = () => {}
  const server = receiver({ delayMs: 0, chunking, took: () => arrived() })
  const sinkPort = await listening(server)
  try {
    return await withPeer(kind, { ...setup, sinkPort }, async () => {
      const warm = { sessions: 4, keep: false, starttls: false, domains: 1, numbers: false }
      const some = { messages: kind.warmUp, forMs: WARM_UP_MS, bytes: 5000, firstNumber: 1 }
      await generate({ ...warm, ...some, port: setup.port })
      const listen = (heard: () => void) => {
        arrived = heard
      }
      await quiet(listen)
      const one = { name: kind.name, port: setup.port, listen }
      const inARow = await series({ ...one, pauseMs: 0 })
      return { inARow, cold: await series({ ...one, pauseMs: PAUSE_MS }) }
    })
  } finally {
    server.close()
  }
}

type Series = {
  readonly name: string
  readonly port: number
  readonly pauseMs: number
  /** Who is called at each arrival from now on. */
  listen(heard: () => void): void
}

async function series({ name, port, pauseMs, listen }: Series): Promise<Times> {
  const make = messageMaker(5000)
  const whole: number[] = []
  const accepted: number[] = []
  for (let number = 0; number < MESSAGES; number++) {
    const began = performance.now()
    const there = new Promise<void>(listen).then(() => performance.now() - began)
    const client = await Client.open({ port, starttls: false })
    const code = await client.send('user@d0.recipient.example', make(number))
    if (code !== 250) throw new Error(`${name} answered ${code} when idle`)
    accepted.push(performance.now() - began)
    client.close()
    whole.push(await Promise.race([there, sleep(LONGEST_MS).then(() => LONGEST_MS)]))
    if (pauseMs > 0) await sleep(pauseMs)
  }
  const at = (values: number[], share: number) =>
    values.sort((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? 0
  return {
    p50: at(whole, 0.5),
    p99: at(whole, 0.99),
    accepted50: at(accepted, 0.5),
    accepted99: at(accepted, 0.99),
  }
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

/** Resolves when nothing has arrived for half a second, after ten at the latest. */
async function quiet(listen: (heard: () => void) => void): Promise<void> {
  let last = performance.now()
  const until = last + 10_000
  listen(() => {
    last = performance.now()
  })
  while (performance.now() - last < 500 && performance.now() < until) await sleep(50)
}
