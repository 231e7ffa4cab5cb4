// Clients that come whether there is room or not: so many a second, a connection and a message each.
// A process of its own; over IPC a FloodJob comes in, a FloodResult goes out. With `atOnce` they come
// as fast as they are served instead, so many at a time: that finds the capacity.

import { connect } from 'node:net'
import { pathToFileURL } from 'node:url'
import { messageMaker } from '../../bench/message.ts'

export type FloodJob = {
  readonly port: number
  readonly forMs: number
  readonly perSecond?: number
  readonly atOnce?: number
  readonly domain: string
  /** Third part of the loopback addresses that they come from. */
  readonly net: number
  /** With `atOnce`: ends after so many. */
  readonly most?: number
  /** No more than so many wait at the same time. */
  readonly mostUnderWay?: number
}

export type FloodResult = {
  /** Connections begun. */
  readonly begun: number
  readonly accepted: number
  readonly seconds: number
  /** By reply code; 0 is a connection that broke or stalled. */
  readonly refused: Readonly<Record<number, number>>
  /** Not begun, since too many were under way already. */
  readonly unsent: number
}

const ADDRESSES = 50
const MOST_UNDER_WAY = 4_000
const PATIENCE_MS = 30_000
const TICK_MS = 10

const make = messageMaker(5_000)

/** One client; resolves to its last code. */
function visit(job: FloodJob, number: number): Promise<number> {
  return new Promise((resolve) => {
    const from = `127.0.${job.net}.${(number % ADDRESSES) + 1}`
    const socket = connect({ port: job.port, host: '127.0.0.1', localAddress: from, noDelay: true })
    let step = 0
    let text = ''
    let settled = false
    const end = (code: number) => {
      if (settled) return
      settled = true
      socket.destroy()
      resolve(code)
    }
    socket.setTimeout(PATIENCE_MS, () => end(0))
    socket.on('error', () => end(0))
    socket.on('close', () => end(0))
    const wanted = [220, 250, 250, 250, 354, 250]
    const replied = (code: number) => {
      if (code !== wanted[step]) return end(code)
      step++
      if (step === 1) socket.write('EHLO flood.example\r\n')
      else if (step === 2)
        socket.write(
          `MAIL FROM:<sender@sender.example>\r\nRCPT TO:<u${number % 100}@${job.domain}>\r\nDATA\r\n`,
        )
      else if (step === 5) socket.write(make(number))
      else if (step === 6) {
        socket.end('QUIT\r\n')
        end(250)
      }
    }
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      for (let found = text.indexOf('\n'); found >= 0 && !settled; found = text.indexOf('\n')) {
        const line = text.slice(0, found)
        text = text.slice(found + 1)
        if (line[3] !== '-') replied(Number(line.slice(0, 3)))
      }
    })
  })
}

async function flood(job: FloodJob): Promise<FloodResult> {
  const { forMs, perSecond = 0, atOnce = 0, mostUnderWay = MOST_UNDER_WAY } = job
  const { most = Number.POSITIVE_INFINITY } = job
  const startedAt = performance.now()
  const passed = () => performance.now() - startedAt
  const refused: Record<number, number> = {}
  let begun = 0
  let unsent = 0
  let underWay = 0
  let accepted = 0
  const one = async () => {
    underWay++
    const code = await visit(job, begun++)
    underWay--
    if (code !== 250) refused[code] = (refused[code] ?? 0) + 1
    else if (passed() <= forMs) accepted++
  }
  if (atOnce > 0) {
    const line = async () => {
      while (passed() < forMs && begun < most) await one()
    }
    await Promise.all(Array.from({ length: atOnce }, line))
  } else {
    const all = new Set<Promise<void>>()
    let due = 0
    while (passed() < forMs) {
      for (const wanted = (passed() / 1000) * perSecond; due < wanted; due++) {
        if (underWay >= mostUnderWay) {
          unsent++
          continue
        }
        const client = one().finally(() => all.delete(client))
        all.add(client)
      }
      await new Promise((resolve) => setTimeout(resolve, TICK_MS))
    }
    await Promise.all(all)
  }
  return { begun, accepted, seconds: forMs / 1000, refused, unsent }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.on('message', (job: FloodJob) => {
    void flood(job).then((result) => process.send?.(result))
  })
  process.on('disconnect', () => process.exit(0))
}
