import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fakeControl, queueEntry } from '../../../test/support/fake-control.ts'
import { temporaryFolder } from '../../../test/support/tools.ts'
import { systemClock } from '../../std/clock.ts'
import { runCli } from '../cli.ts'

async function run(args: string[], { control = fakeControl(), folder = '/tmp' } = {}) {
  let out = ''
  let err = ''
  const code = await runCli(args, {
    environment: {
      POSTHORN_HTTP_PORT: '1',
      POSTHORN_DATA: '.',
      POSTHORN_DNS_SERVERS: '127.0.0.1:1',
    },
    workingDirectory: folder,
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

test('a reply: what happened, what happens next, what would change it', async () => {
  const { code, out } = await run(['explain', '550 5.7.1 No such user!'])
  assert.equal(code, 0)
  assert.equal(
    out,
    `What happened: There is no such mailbox.
What happens next: It is not tried again; the sender gets a notice.
What would change it: Correct the address; if it was right once, stop writing to it. Many
such answers harm our reputation.
`,
  )
  const words = await run(['explain', '421', '4.7.28', 'unusual', 'rate', '--lang', 'ru'])
  assert.match(
    words.out,
    /^Что случилось: Слишком много писем.*\n.*\n?Что будет дальше: Ничего не потеряно/,
  )
  assert.match(
    (await run(['explain', '550 5.7.25 no PTR'])).out,
    /More: posthorn explain PTR_MISSING/,
  )
})

test('a code that is misspelt is not taken for a reply', async () => {
  const { code, err } = await run(['explain', 'PTR-MISING'])
  assert.equal(code, 1)
  assert.match(err, /There is no code PTR_MISING\. Did you mean PTR_MISSING\?/)
})

test('a message in the queue, by its id', async () => {
  const control = fakeControl()
  control.entries.push({
    ...queueEntry('0SA4G7BNM00'),
    to: 'you@example.net',
    attempts: 2,
    lastFailure: 'mx.example.net said at rcpt: 450 4.7.1 Greylisted, come back',
  })
  const { code, out, err } = await run(['explain', '0sa4g7bnm00'], { control })
  assert.equal(code, 0, err)
  assert.match(out, /^Message 0SA4G7BNM00 from /)
  assert.match(out, /^To you@example\.net:\n {2}mx\.example\.net said at rcpt: 450/m)
  assert.match(out, /^ {2}What happened: Greylisting/m)
  assert.match(out, /^ {2}What happens next: waits after 2 attempts/m)
  const unknown = await run(['explain', '0SA4G7BNM01'], { control })
  assert.equal(unknown.code, 1)
  assert.match(unknown.err, /No message 0SA4G7BNM01 is in the queue/)
})

test('headers and bounces from a file', async () => {
  using folder = temporaryFolder()
  const file = (text: string) => {
    writeFileSync(join(folder.path, 'text'), text)
    return run(['explain', '--file', 'text'], { folder: folder.path })
  }
  const passed = await file(
    'Authentication-Results: mx.example.net; spf=pass smtp.mailfrom=example.com; dmarc=pass header.from=example.com\nFrom: a@example.com\n',
  )
  assert.match(
    passed.out,
    /mx\.example\.net found:\n {2}✓ SPF pass \(example\.com\)\n {2}✓ DMARC pass/,
  )
  assert.match(passed.out, /The receiver believed it\./)
  const failed = await file(
    'Authentication-Results: mx.example.net; dmarc=fail header.from=example.com\nFrom: a@example.com\n',
  )
  assert.match(failed.out, /✗ DMARC fail \(example\.com\)\n {4}Neither a signature nor SPF/)
  assert.match(failed.out, /It bears no DKIM signature\.\nNext: posthorn doctor example\.com\n$/)
  const bounce = await file(
    'Received: from a by b; Mon, 5 Jan 2026 12:00:00 +0000\n\nFinal-Recipient: rfc822;a@b.example\nDiagnostic-Code: smtp; 552 5.2.2 mailbox\n is full\n',
  )
  assert.match(bounce.out, /^What happened: The recipient’s mailbox is full\./)
  const none = await file('good morning')
  assert.deepEqual(
    [none.code, none.err],
    [1, 'There is neither a header nor a reply in that text.\n'],
  )
  assert.match((await run(['explain', '--file', 'nix'])).err, /nix cannot be read \(ENOENT\)/)
})
