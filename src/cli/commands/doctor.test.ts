import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeControl } from '../../../test/support/fake-control.ts'
import { catalogue } from '../../doctor/catalogue.ts'
import { couldNotCheck, findingsOf } from '../../doctor/check.ts'
import { reverseDnsTexts } from '../../doctor/texts/reverse-dns.ts'
import { systemClock } from '../../std/clock.ts'
import { runCli } from '../cli.ts'
import type { World } from '../world.ts'

const found = findingsOf(reverseDnsTexts)
const address = '203.0.113.10'
const missing = found('PTR_MISSING', address, { address, hostname: 'mail.example.test' })
const good = found('PTR_OK', address, { address, name: 'mail.example.test' })
const unused = found('IPV6_NO_PTR', '2001:db8::1', {
  address: '2001:db8::1',
  hostname: 'mail.example.test',
})

async function run(line: string, control = fakeControl(), more: Partial<World> = {}) {
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
    ...more,
  })
  return { code, out, err }
}

test('a problem is said with its reason, its fix and the way to more, and fails the command', async () => {
  const control = fakeControl()
  control.doctorFindings.push(missing, good, unused, couldNotCheck('example.com', 'SERVFAIL'))
  const { code, out } = await run('doctor', control)
  assert.equal(code, 1)
  assert.equal(
    out,
    `mail.example.test, this server
  Identity     ✗ PTR_MISSING  203.0.113.10 has no name (no PTR record).
                 Gmail (550 5.7.25), Mail.ru, Yahoo and Microsoft refuse or junk mail from an
                 address without a name.
                 Fix: In the panel of the hosting provider, under "reverse DNS" or "PTR", name
                 203.0.113.10 mail.example.test; keep the A record of mail.example.test.
                   203.0.113.10 -> mail.example.test
                 More: posthorn explain PTR_MISSING
               ✓ 203.0.113.10 is named mail.example.test.
               - IPv6 is not used for sending: 2001:db8::1 is not named mail.example.test.
               ? example.com: could not check (SERVFAIL).

1 problem, 1 check could not be made.
Watch until it is green: posthorn doctor --watch
`,
  )
})

test('the same in Russian', async () => {
  const control = fakeControl()
  control.doctorFindings.push(missing)
  const { out } = await run('doctor --lang ru', control)
  assert.match(out, /^mail\.example\.test, этот сервер\n {2}Имя и адрес +✗ PTR_MISSING {2}У адреса/)
  assert.match(out, /Что делать: /)
  assert.match(out, /\n1 проблема\.\n/)
})

test('without problems the command succeeds', async () => {
  const control = fakeControl()
  control.doctorFindings.push(good)
  const { code, out } = await run('doctor', control)
  assert.equal(code, 0)
  assert.match(out, /No problems\./)
})

test('JSON has codes, facts and texts', async () => {
  const control = fakeControl()
  control.doctorFindings.push(missing)
  const { code, out } = await run('doctor --json', control)
  assert.equal(code, 1)
  const { healthy, counts, host } = JSON.parse(out)
  assert.equal(healthy, false)
  assert.equal(counts.error, 1)
  assert.equal(host[0].findings[0].code, 'PTR_MISSING')
  assert.equal(host[0].findings[0].facts.address, address)
  assert.match(host[0].findings[0].fix, /reverse DNS/)
})

test('watching ends when nothing is wrong any more, and prints only what changed', async () => {
  const control = fakeControl()
  control.doctorFindings.push(missing)
  let rounds = 0
  const sleep = async () => {
    rounds++
    if (rounds === 2) control.doctorFindings.splice(0, 1, good)
    assert.ok(rounds < 3, 'it ended')
  }
  const { code, out } = await run('doctor --watch', control, { clock: { ...systemClock, sleep } })
  assert.equal(code, 0)
  assert.equal(out.match(/PTR_MISSING {2}/g)?.length, 1)
  assert.match(out, /✓ 203\.0\.113\.10 is named/)
})

test('a domain that is not ours is told how to become so', async () => {
  const { code, err } = await run('doctor other.example')
  assert.equal(code, 1)
  assert.match(err, /^other\.example is no domain.*posthorn domain add other\.example\n$/)
})

test('every code is explained, in both languages, and fits a terminal', async () => {
  for (const code of catalogue.keys())
    for (const language of ['en', 'ru']) {
      const { code: exit, out } = await run(`explain ${code} --lang ${language}`)
      assert.equal(exit, 0)
      assert.ok(out.startsWith(`${code}\n`))
      assert.doesNotMatch(out, /\{\w+\}|undefined/)
    }
})

test('codes are listed, found in any case, and suggested', async () => {
  const { out } = await run('explain')
  for (const [code, { severity }] of catalogue)
    assert.equal(out.includes(`  ${code} `), severity !== 'ok', code)
  assert.match((await run('explain ptr-missing')).out, /^PTR_MISSING\n/)
  const { code, err } = await run('explain PTR_MISING')
  assert.equal(code, 1)
  assert.match(err, /^There is no code PTR_MISING\. Did you mean PTR_\w+\?\nAll codes: /)
})
