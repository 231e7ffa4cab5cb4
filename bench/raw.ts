// The raw parts of one message's way, measured in the same run as the servers: what the machine asks
// for the operations alone. The sum is the floor under the CPU of a message.

import { constants, createHash, generateKeyPairSync, sign } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Job } from './load.ts'
import { messageMaker } from './message.ts'
import { generate, Sink } from './run.ts'

export type RawParts = {
  /** CPU microseconds each. */
  readonly signature: number
  readonly sha256: number
  readonly commit: number
  readonly dialogueKept: number
  readonly dialogueNew: number
  /** Messages a second that generator and sink exchange without a server between. */
  readonly sinkRateKept: number
  readonly sinkRateNew: number
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

async function each(times: number, work: (i: number) => unknown): Promise<number> {
  const before = cpuMicros()
  for (let i = 0; i < times; i++) await work(i)
  return (cpuMicros() - before) / times
}

async function signature(): Promise<number> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = { key: privateKey, padding: constants.RSA_PKCS1_PADDING }
  const data = Buffer.alloc(600, 'h')
  const one = () =>
    new Promise<void>((resolve, reject) =>
      sign('sha256', data, key, (error) => (error ? reject(error) : resolve())),
    )
  await each(200, one)
  const before = cpuMicros()
  const times = 2000
  for (let i = 0; i < times; i += 20) await Promise.all(Array.from({ length: 20 }, one))
  return (cpuMicros() - before) / times
}

/** Insert of message, content and entry, and later their removal, twenty to a synced transaction. */
async function commit(folder: string, bytes: number): Promise<number> {
  const below = mkdtempSync(join(folder, 'raw-'))
  const database = new DatabaseSync(join(below, 'raw.db'))
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  database.exec('CREATE TABLE m (id INTEGER PRIMARY KEY, head TEXT, content BLOB)')
  database.exec('CREATE TABLE e (id INTEGER PRIMARY KEY, due INTEGER, recipient TEXT)')
  database.exec('CREATE INDEX e_due ON e (due)')
  const insert = database.prepare('INSERT INTO m VALUES (?, ?, ?)')
  const entry = database.prepare('INSERT INTO e VALUES (?, ?, ?)')
  const removeM = database.prepare('DELETE FROM m WHERE id = ?')
  const removeE = database.prepare('DELETE FROM e WHERE id = ?')
  const content = Buffer.alloc(bytes, 'c')
  const head = 'h'.repeat(900)
  const batches = 300
  const cost = await each(batches, (batch) => {
    database.exec('BEGIN')
    for (let i = 0; i < 20; i++) {
      insert.run(batch * 20 + i, head, content)
      entry.run(batch * 20 + i, batch, 'user@recipient.example')
      if (batch > 0) {
        removeE.run((batch - 1) * 20 + i)
        removeM.run((batch - 1) * 20 + i)
      }
    }
    database.exec('COMMIT')
  })
  database.close()
  rmSync(below, { recursive: true, force: true })
  return cost / 20
}

/** A skeleton that speaks both sides of SMTP and does nothing else: CPU of taking a message. */
async function dialogue(port: number, keep: boolean, bytes: number) {
  const sink = await Sink.start(port)
  const job: Job = {
    port,
    sessions: 20,
    messages: keep ? 12_000 : 5000,
    bytes,
    keep,
    starttls: false,
    domains: 1,
    firstNumber: 1,
    forMs: 8000,
    numbers: false,
  }
  await generate({ ...job, messages: 1000 })
  const before = await sink.ask('reset')
  const result = await generate(job)
  const after = await sink.ask('count')
  await sink.stop()
  return {
    serverMicros: ((after.cpuMs - before.cpuMs) * 1000) / result.accepted,
    clientMicros: (result.cpuMs * 1000) / result.accepted,
    rate: result.accepted / ((result.endedAt - result.startedAt) / 1000),
  }
}

/** Measures all parts; `port` must be free. */
export async function measureRaw(folder: string, port: number, bytes: number): Promise<RawParts> {
  const content = messageMaker(bytes)(1)
  const kept = await dialogue(port, true, bytes)
  const fresh = await dialogue(port, false, bytes)
  return {
    signature: await signature(),
    sha256: await each(20_000, () => createHash('sha256').update(content).digest()),
    commit: await commit(folder, bytes),
    // Deliveries go over kept connections in both cases, so the client's side is the kept one.
    dialogueKept: kept.serverMicros + kept.clientMicros,
    dialogueNew: fresh.serverMicros + kept.clientMicros,
    sinkRateKept: kept.rate,
    sinkRateNew: fresh.rate,
  }
}

/** A port that nobody listens on, below the range of outgoing connections. */
export async function freePort(from = 21_000): Promise<number> {
  for (let port = from; port < from + 2000; port += 7) if (await canListen(port)) return port
  throw new Error('no free port')
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
