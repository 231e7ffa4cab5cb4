// A receiving server that counts and forgets: the end of every delivery in a bench run. It runs in
// its own process; `--delay MS` makes it answer late, `--certificate` and `--key` make it offer
// STARTTLS, `--no-chunking` makes it offer no CHUNKING.
//
// Over IPC: {ask:'count'} → {count, signed, lastAt, cpuMs}, {ask:'reset'} → the same after zeroing.

import { createSecureContext } from 'node:tls'
import { parseArgs } from 'node:util'
import { receiver } from './receiver.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '2626' },
    delay: { type: 'string', default: '0' },
    certificate: { type: 'string' },
    key: { type: 'string' },
    numbers: { type: 'boolean', default: false },
    'no-chunking': { type: 'boolean', default: false },
  },
})
const delayMs = Number(values.delay)
let count = 0
let signed = 0
let lastAt = 0
let seen = new Map<number, number>()
const secureContext =
  values.certificate && values.key
    ? await import('node:fs').then((fs) =>
        createSecureContext({
          cert: fs.readFileSync(values.certificate ?? ''),
          key: fs.readFileSync(values.key ?? ''),
        }),
      )
    : undefined

const SIGNATURE = Buffer.from('DKIM-Signature:')

function took(content: Buffer): void {
  count++
  lastAt = performance.timeOrigin + performance.now()
  if (content.subarray(0, 2048).includes(SIGNATURE)) signed++
  if (values.numbers) {
    const number = Number(/^X-Number: (\d+)/m.exec(content.toString('latin1', 0, 4096))?.[1])
    seen.set(number, (seen.get(number) ?? 0) + 1)
  }
}

const chunking = !values['no-chunking']
receiver({ delayMs, chunking, secureContext, took }).listen(
  Number(values.port),
  '127.0.0.1',
  4096,
  () => process.send?.({ ready: true }),
)

process.on('message', (message: { ask: string }) => {
  if (message.ask === 'reset') {
    count = signed = lastAt = 0
    seen = new Map()
  }
  const { user, system } = process.cpuUsage()
  process.send?.({
    count,
    signed,
    lastAt,
    cpuMs: (user + system) / 1000,
    distinct: seen.size,
    ...(message.ask === 'numbers' ? { numbers: [...seen] } : {}),
  })
})
process.on('disconnect', () => process.exit(0))
