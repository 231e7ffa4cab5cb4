// A DNS server on loopback for the whole program: records by `name TYPE`, changed while a test runs.

import type { Resolver } from '../../src/dns/resolver.ts'
import { createResolver } from '../../src/dns/stub.ts'
import { serveDns, type WorldAnswer, type WorldRecord } from '../../src/sandbox/dns-server.ts'
import { systemClock } from '../../src/std/clock.ts'
import type { Running } from './posthorn.ts'

/** MX records are written `10 mx.example.com`; one of preference 0 with the host `.` takes no mail. */
export type Records = Readonly<Record<string, readonly string[] | 'server-failure'>>

export class TestWorld implements AsyncDisposable {
  /** For `dns.servers`. */
  readonly server: string
  /** Asks here. */
  readonly resolver: Resolver
  readonly #records: Map<string, readonly string[] | 'server-failure'>
  readonly #parts: AsyncDisposable

  private constructor(options: {
    server: string
    resolver: Resolver
    records: Map<string, readonly string[] | 'server-failure'>
    parts: AsyncDisposable
  }) {
    this.server = options.server
    this.resolver = options.resolver
    this.#records = options.records
    this.#parts = options.parts
  }

  static async open(records: Records): Promise<TestWorld> {
    await using parts = new AsyncDisposableStack()
    const map = new Map(Object.entries(records))
    const options = { address: '127.0.0.1', clock: systemClock }
    const { address, port } = parts.use(
      await serveDns((...asked) => answer(map, ...asked), options),
    )
    const resolver = createResolver({
      servers: [{ address, port }],
      clock: systemClock,
      timeoutMs: 2_000,
      attempts: 2,
      cacheEntries: 100,
      trustAd: false,
    })
    parts.defer(() => resolver.close())
    const server = `${address}:${port}`
    return new TestWorld({ server, resolver, records: map, parts: parts.move() })
  }

  set(question: string, values: readonly string[]): void {
    this.#records.set(question, values)
  }

  /** Publishes what a server says that a domain of its own needs. */
  async publish(posthorn: Running, domain: string): Promise<void> {
    type Plan = { records: { name: string; type: string; value: string | object }[] }
    const { records } = await posthorn.ask<Plan>(`/api/v1/domains/${domain}/dns`)
    for (const { name, type, value } of records)
      if (typeof value === 'string') this.set(`${name} ${type}`, [value])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts[Symbol.asyncDispose]()
  }
}

function answer(
  records: ReadonlyMap<string, readonly string[] | 'server-failure'>,
  name: string,
  type: string,
): WorldAnswer {
  const values = records.get(`${name} ${type}`)
  if (values === 'server-failure') return { kind: 'server-failure' }
  if (values) return { kind: 'records', records: values.map((value) => record(type, value)) }
  const known = [...records.keys()].some((key) => key.split(' ')[0]!.endsWith(name))
  return { kind: known ? 'none' : 'no-such-name' }
}

function record(type: string, value: string): WorldRecord {
  if (type !== 'MX') return { type, value } as WorldRecord
  const [preference, exchange = ''] = value.split(' ')
  return { type, value: { preference: Number(preference), exchange } }
}
