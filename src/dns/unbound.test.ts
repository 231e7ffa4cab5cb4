// Our stub against a resolver that the world uses: unbound with local data.

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { systemClock } from '../std/clock.ts'
import type { DnsServer } from './exchange.ts'
import { createResolver } from './stub.ts'

function missing(): string | false {
  try {
    execFileSync('unbound', ['-V'], { stdio: 'ignore' })
    return false
  } catch {
    return 'unbound is not installed'
  }
}

const skip = missing()
const LONG = 'k'.repeat(250)

const config = (port: number, folder: string) => `server:
  interface: 127.0.0.1
  port: ${port}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: ""
  use-syslog: no
  logfile: ""
  module-config: "iterator"
  local-zone: "example.com." static
  local-data: "example.com. 120 IN SOA ns.example.com. x.example.com. 1 3600 600 86400 30"
  local-data: "example.com. 120 IN MX 10 mx.example.com."
  local-data: "mx.example.com. 60 IN A 192.0.2.1"
  local-data: "mx.example.com. 60 IN A 192.0.2.2"
  local-data: "www.example.com. 60 IN CNAME mx.example.com."
  local-data: 'key._domainkey.example.com. 60 IN TXT "${LONG}" "${LONG}"'
${Array.from({ length: 20 }, (_, i) => `  local-data: 'big.example.com. 60 IN TXT "${i}${LONG}"'`).join('\n')}
`

let server: DnsServer
let stop = async () => {}

before(async () => {
  if (skip) return
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-unbound-'))
  const port = await freePort()
  await writeFile(join(folder, 'unbound.conf'), config(port, folder))
  const unbound = spawn('unbound', ['-d', '-c', join(folder, 'unbound.conf')], { stdio: 'ignore' })
  server = { address: '127.0.0.1', port }
  stop = async () => {
    unbound.kill()
    await rm(folder, { recursive: true, force: true })
  }
  for (let i = 0; i < 50; i++) {
    using probe = resolver()
    if ((await probe.resolve('example.com', 'MX')).kind === 'records') return
    await systemClock.sleep(100)
  }
  throw new Error('unbound does not answer')
})
after(() => stop())

function resolver() {
  return createResolver({
    servers: [server],
    clock: systemClock,
    timeoutMs: 2000,
    attempts: 1,
    cacheEntries: 10,
    trustAd: false,
  })
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise((resolve) => probe.close(resolve))
  return port
}

test('records, aliases, long texts and the two kinds of nothing', { skip }, async () => {
  using ask = resolver()
  const mx = await ask.resolve('Example.com', 'MX')
  assert.deepEqual(mx.kind === 'records' && mx.records, [
    { preference: 10, exchange: 'mx.example.com' },
  ])
  assert.equal(mx.kind === 'records' && mx.ttlSeconds, 120)
  const two = await ask.resolve('mx.example.com', 'A')
  assert.deepEqual(two.kind === 'records' && [...two.records].sort(), ['192.0.2.1', '192.0.2.2'])
  const www = await ask.resolve('www.example.com', 'CNAME')
  assert.deepEqual(www.kind === 'records' && www.records, ['mx.example.com'])
  const key = await ask.resolve('key._domainkey.example.com', 'TXT')
  assert.deepEqual(key.kind === 'records' && key.records, [LONG + LONG])
  assert.equal((await ask.resolve('nobody.example.com', 'A')).kind, 'no-such-name')
  assert.equal((await ask.resolve('mx.example.com', 'AAAA')).kind, 'none')
})

test('an answer over the datagram size comes over TCP', { skip }, async () => {
  using ask = resolver()
  const big = await ask.resolve('big.example.com', 'TXT')
  assert.equal(big.kind === 'records' && big.records.length, 20)
})
