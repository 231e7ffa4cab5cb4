import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FakeControl, fakeControl } from '../../../test/support/fake-control.ts'
import { couldNotCheck, findingsOf } from '../../doctor/check.ts'
import { dkimTexts } from '../../doctor/texts/dkim.ts'
import { systemClock } from '../../std/clock.ts'
import { runCli } from '../cli.ts'

const found = findingsOf(dkimTexts)
const name = 's._domainkey.example.com'
const seen = found('DKIM_OK', name, { name, servers: 2, of: 2 })
const unseen = found('DKIM_MISSING', name, { name, record: 'v=DKIM1; p=AAAA' })

async function run(line: string, control: FakeControl) {
  let out = ''
  let err = ''
  const code = await runCli(line.split(' '), {
    environment: { POSTHORN_HTTP_PORT: '1', POSTHORN_DATA: '.' },
    workingDirectory: '/tmp',
    machineName: 'web-1',
    version: '0.1.0',
    program: 'posthorn',
    clock: systemClock,
    stdout: { write: (text) => void (out += text), isTTY: false, columns: 100 },
    stderr: { write: (text) => void (err += text), isTTY: false, columns: 100 },
    logTo: '/dev/null',
    engine: async () => ({
      startServer: () => Promise.reject(new Error('not here')),
      openControl: async () => ({ ...control, [Symbol.asyncDispose]: async () => {} }),
      importSpool: async () => ({ messages: 0, recipients: 0, held: 0, left: [] }),
    }),
    onSignal: () => () => {},
    exit: () => {},
  })
  return { code, out, err }
}

async function withDomain() {
  const control = fakeControl()
  await control.addDomain({ domain: 'example.com', world: 'sandbox' })
  return control
}

test('what is missing keeps a domain inside, with one next command', async () => {
  const control = await withDomain()
  control.doctorFindings.push(unseen)
  const { code, out } = await run('live example.com', control)
  assert.equal(code, 1)
  assert.match(out, /^example\.com is not ready: its mail stays captured/)
  assert.match(out, /✗ DKIM_MISSING {2}s\._domainkey\.example\.com does not exist/)
  assert.match(out, /s\._domainkey\.example\.com\. TXT "v=DKIM1; p=AAAA"/)
  assert.match(out, /\nNext: posthorn dns example\.com --only changes\n$/)
  assert.equal((await control.domains())[0]!.world, 'sandbox')
})

test('by force it goes, and the risk is said', async () => {
  const control = await withDomain()
  control.doctorFindings.push(unseen)
  const { code, out } = await run('live example.com --force', control)
  assert.equal(code, 0)
  assert.match(out, /IS DELIVERED from now on, by your wish\. What you risk: receivers refuse it/)
  assert.match(out, /Undo: posthorn sandbox example\.com\n$/)
  const again = await run('live example.com', control)
  assert.equal(again.code, 1)
  assert.match(again.out, /is delivered already, but receivers demand more:/)
})

test('silence is no yes', async () => {
  const control = await withDomain()
  control.doctorFindings.push(seen, couldNotCheck('ns2.example.com', 'timeout'))
  const { code, out } = await run('live example.com', control)
  assert.equal(code, 1)
  assert.match(out, /\? ns2\.example\.com: could not check \(timeout\)/)
  assert.match(out, /\nNext: posthorn doctor example\.com --watch\n$/)
})

test('what is met goes out, and comes back', async () => {
  const control = await withDomain()
  control.doctorFindings.push(seen)
  const gone = await run('live example.com', control)
  assert.equal(gone.code, 0)
  assert.equal(
    gone.out,
    `✓ DKIM
All that receivers demand is met.
From now on mail From @example.com IS DELIVERED. Other domains stay as they are.
Undo: posthorn sandbox example.com
Next: posthorn send-test YOU@gmail.com --from test@example.com --live --watch
`,
  )
  const again = await run('live example.com', control)
  assert.equal(again.code, 0)
  assert.match(again.out, /is delivered already, and all demands are met/)
  const back = await run('sandbox example.com', control)
  assert.match(back.out, /^From now on mail From @example\.com is captured\./)
  assert.match((await run('sandbox example.com', control)).out, /is captured already/)
})

test('in Russian, for programs, and for a domain that is not here', async () => {
  const control = await withDomain()
  control.doctorFindings.push(unseen)
  const russian = await run('live example.com --lang ru', control)
  assert.match(russian.out, /^example\.com не готов: его почта по-прежнему задерживается/)
  const json = await run('live example.com --json', control)
  assert.equal(json.code, 1)
  const { ready, demands } = JSON.parse(json.out)
  assert.equal(ready, false)
  assert.equal(demands[0].state, 'missing')
  assert.match(demands[0].findings[0].saw, /does not exist in DNS/)
  for (const command of ['live example.org', 'sandbox example.org']) {
    const { code, err } = await run(command, control)
    assert.equal(code, 1)
    assert.match(err, /Add it: posthorn domain add example\.org/)
  }
})
