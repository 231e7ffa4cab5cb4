// How fast the store commits and settles, and what it costs: `node bench/store.ts [folder]`.
// Every message is committed with one recipient and, when its commit has resolved, settled without
// being waited for, as delivery does. CPU is of the whole process; the main thread's share apart.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '../src/std/clock.ts'
import { silentLog } from '../src/std/log.ts'
import { openStore } from '../src/store/sqlite/open.ts'
import { delivered, sample } from '../src/store/store.samples.ts'
import type { NewMessage, Store } from '../src/store/store.ts'

const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: tmpdir() },
    seconds: { type: 'string', default: '4' },
    backlog: { type: 'string', default: '0' },
  },
})

const PREFIX = `Received: from app.example\r\nDKIM-Signature: v=1; b=${'a'.repeat(1100)}\r\n`

type Figures = {
  messages: number
  seconds: number
  cpu: number
  main: number
  latencies: number[]
  perCommit: number
}

async function produce(store: Store, options: { producers: number; content: Buffer; ms: number }) {
  const start = systemClock.elapsed()
  const until = start + options.ms
  const latencies: number[] = []
  const settling = new Set<Promise<void>>()
  const cpu = process.cpuUsage()
  const main = process.threadCpuUsage()
  const before = store.stats()
  let messages = 0
  const producer = async () => {
    while (systemClock.elapsed() < until) {
      const message = made(store, options.content)
      const asked = systemClock.elapsed()
      await store.commit(message)
      latencies.push(systemClock.elapsed() - asked)
      messages++
      const settled = store.settle(delivered(message)).finally(() => settling.delete(settled))
      settling.add(settled)
    }
  }
  await Promise.all(Array.from({ length: options.producers }, producer))
  await Promise.all(settling)
  const seconds = (systemClock.elapsed() - start) / 1000
  const used = process.cpuUsage(cpu)
  const usedMain = process.threadCpuUsage(main)
  const after = store.stats()
  return {
    messages,
    seconds,
    cpu: used.user + used.system,
    main: usedMain.user + usedMain.system,
    latencies: latencies.sort((a, b) => a - b),
    perCommit: (after.operations - before.operations) / (after.commits - before.commits),
  } satisfies Figures
}

function made(store: Store, content: Buffer): NewMessage {
  const message = sample(store, { content })
  const size = Buffer.byteLength(PREFIX) + content.length
  return { ...message, message: { ...message.message, prefix: PREFIX, size } }
}

function print(label: string, figures: Figures): void {
  const { messages, seconds, cpu, main, latencies, perCommit } = figures
  const at = (share: number) => latencies[Math.floor(latencies.length * share)]!.toFixed(2)
  console.log(
    `${label.padEnd(22)} ${(messages / seconds).toFixed(0).padStart(7)}/s  CPU µs ${(cpu / messages).toFixed(0).padStart(4)}  main ${(main / messages).toFixed(1).padStart(5)}  ack ms p50 ${at(0.5)} p99 ${at(0.99)} max ${at(0.99999)}  ops/commit ${perCommit.toFixed(1)}`,
  )
}

const folder = await mkdtemp(join(values.folder, 'posthorn-bench-'))
try {
  await using store = await openStore({ folder, clock: systemClock, log: silentLog })
  const ms = Number(values.seconds) * 1000
  await produce(store, { producers: 20, content: Buffer.alloc(5000, 'x'), ms: 1000 })
  for (const size of [5000, 50_000]) {
    const content = Buffer.alloc(size, 'abcdefgh\r\n')
    for (const producers of [1, 20, 100]) {
      print(
        `${size / 1000} KB, ${producers} producers`,
        await produce(store, { producers, content, ms }),
      )
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
