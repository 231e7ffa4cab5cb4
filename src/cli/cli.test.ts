import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, test } from 'node:test'
import { type FakeControl, fakeControl, queueEntry } from '../../test/support/fake-control.ts'
import { makeApp } from '../api/app.ts'
import type { Engine } from '../api/control.ts'
import { ensureToken } from '../api/token.ts'
import { systemClock } from '../std/clock.ts'
import { runCli } from './cli.ts'
import { en } from './texts-en.ts'
import { ru } from './texts-ru.ts'
import type { World } from './world.ts'

type Bench = {
  control: FakeControl
  folder: string
  /** Runs a command line; resolves to its exit code and output. */
  run(
    line: string | string[],
    more?: Partial<World>,
  ): Promise<{ code: number; out: string; err: string }>
  signal(name: string): void
  exits: number[]
}

const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp()
})

function bench(): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-cli-'))
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
  const control = fakeControl()
  const handlers = new Set<(name: string) => void>()
  const exits: number[] = []
  return {
    control,
    folder,
    exits,
    signal(name) {
      for (const handler of handlers) handler(name)
    },
    async run(line, more = {}) {
      let out = ''
      let err = ''
      const args = typeof line === 'string' ? line.split(' ').filter(Boolean) : line
      const code = await runCli(args, {
        environment: { POSTHORN_HTTP_PORT: '1' },
        workingDirectory: folder,
        machineName: 'web-1',
        version: '0.1.0',
        program: 'posthorn',
        clock: systemClock,
        stdout: { write: (text) => void (out += text), isTTY: false, columns: 100 },
        logTo: '/dev/null',
        stderr: { write: (text) => void (err += text), isTTY: false, columns: 100 },
        engine: async () => fakeEngine(control),
        onSignal(then) {
          handlers.add(then)
          return () => handlers.delete(then)
        },
        exit: (exitCode) => exits.push(exitCode),
        ...more,
      })
      return { code, out, err }
    },
  }
}

/** The real application over the Control in memory, on a real port. */
function fakeEngine(control: FakeControl): Engine {
  return {
    async startServer(config, { log, clock }) {
      const token = await ensureToken(config.data)
      const app = makeApp(control, { token, hosts: [config.hostname], clock, log })
      await app.listen({ host: config.http.address, port: config.http.port })
      const { port } = app.server.address() as { port: number }
      return {
        control,
        http: { address: config.http.address, port },
        failed: new Promise(() => {}),
        [Symbol.asyncDispose]: () => app.close(),
      }
    },
    openControl: async () => ({ ...control, [Symbol.asyncDispose]: async () => {} }),
    importSpool: async () => ({ messages: 0, recipients: 0, held: 0, left: [] }),
  }
}

const withData = { environment: { POSTHORN_HTTP_PORT: '1', POSTHORN_DATA: '.' } }

test('wrong usage ends with 2, a suggestion and the way to help', async () => {
  const { run } = bench()
  for (const [line, expected] of [
    ['quee', 'Unknown command quee. Did you mean queue?'],
    ['queue lst', 'Unknown command lst. Did you mean list?'],
    ['queue list --limt 3', 'Unknown option --limt. Did you mean --limit?'],
    ['serve --http-prt 3', 'Unknown option --http-prt. Did you mean --http-port?'],
    ['domain add', 'DOMAIN is missing.'],
    ['domain add a.example b.example', 'Too many arguments.'],
    ['queue list --limit', '--limit <number> needs a value.'],
    ['queue list --limit many', '--limit wants a number, not "many".'],
    ['queue list --state lost', '--state is one of: ready, held.'],
    ['queue retry', 'Give one of: ID, --site, --all.'],
    ['queue retry X --all', 'Give one of: ID, --site, --all.'],
    [
      'dns a.example --format xml',
      '--format is one of: table, bind, form, cloudflare, route53, terraform, json.',
    ],
  ] as const) {
    const { code, err } = await run(line)
    assert.equal(code, 2, line)
    assert.equal(err.split('\n')[0], expected)
  }
  const bare = await run('')
  assert.equal(bare.code, 2)
  assert.match(bare.err, /^Usage: posthorn/)
})

test('every command has help with examples, in both languages', async () => {
  const { run } = bench()
  const lines = [
    'serve',
    'send-test',
    'mail-checker',
    'domain add',
    'domain list',
    'domain remove',
    'dns',
    'credential add',
    'credential list',
    'credential revoke',
    'queue list',
    'queue show',
    'queue retry',
    'queue cancel',
    'config check',
    'config print',
    'config reference',
    'config example',
    'config schema',
    'health',
  ]
  for (const line of lines) {
    const english = await run(`${line} --help`)
    assert.equal(english.code, 0, line)
    assert.match(english.out, /^Usage: posthorn /)
    assert.match(english.out, /^Examples:$/m, line)
    const russian = await run(`${line} --help`, { environment: { POSTHORN_LANG: 'ru' } })
    assert.match(russian.out, /^Вызов: posthorn /)
    assert.match(russian.out, /^Примеры:$/m, line)
  }
  assert.match((await run('--help --lang ru')).out, /Коды выхода: 0 сделано/)
  for (const line of ['--lang ru config reference', '--lang en config reference --lang ru'])
    assert.match((await run(line)).out, /^# Настройки$/m, line)
  assert.equal((await run('--version')).out, '0.1.0\n')
})

test('the texts say the same things in both languages', () => {
  const names = (value: object, above = ''): string[] =>
    Object.entries(value).flatMap(([name, item]) =>
      typeof item === 'object' && name !== 'terms'
        ? names(item, `${above}${name}.`)
        : [above + name],
    )
  assert.deepEqual(names(ru), names(en))
  assert.equal(ru.queue.retried(1), 'Попробуем сейчас: 1 запись.')
  assert.equal(ru.queue.retried(2), 'Попробуем сейчас: 2 записи.')
  assert.equal(ru.queue.retried(5), 'Попробуем сейчас: 5 записей.')
  assert.equal(ru.queue.retried(21), 'Попробуем сейчас: 21 запись.')
  assert.equal(en.queue.retried(1), '1 entry due now.')
})

test('a faulty configuration ends with 4 and all its faults', async () => {
  const { run, folder } = bench()
  writeFileSync(join(folder, 'posthorn.yaml'), 'mode: lve\nhttp: { prot: 1 }\n')
  const { code, err } = await run('queue list')
  assert.equal(code, 4)
  assert.match(err, /^The configuration has 2 faults:\n {2}posthorn\.yaml:1:7 {2}mode: /)
  const check = await run('config check', { environment: { LANG: 'ru_RU.UTF-8' } })
  assert.equal(check.code, 4)
  assert.match(check.out, /^В настройках 2 ошибки:\n/)
  const json = JSON.parse((await run('config check --json')).out)
  assert.deepEqual(
    json.faults.map((fault: { code: string }) => fault.code),
    ['BAD_VALUE', 'UNKNOWN_OPTION'],
  )
})

test('config prints what is in force, and pages into files', async () => {
  const { run } = bench()
  assert.match((await run('config check')).out, /^No faults/)
  const printed = await run('config print --smtp-port 2599 --lang en')
  assert.match(printed.out, /^ {2}port: 2599 # given in --smtp-port$/m)
  assert.equal(JSON.parse((await run('config print --json')).out).http.port, 1)
  assert.equal((await run('config example --write posthorn.yaml')).code, 0)
  assert.match((await run('config check')).out, /^No faults in posthorn\.yaml\.$/m)
  assert.match((await run('config reference --lang ru')).out, /^# Настройки$/m)
  assert.equal(JSON.parse((await run('config schema')).out).type, 'object')
})

test('without a server and without data there is nothing to talk to', async () => {
  const { run } = bench()
  for (const line of ['queue list', 'domain list', 'credential list', 'dns a.example']) {
    const { code, err } = await run(line)
    assert.equal(code, 3, line)
    assert.match(err, /^There is no data folder /)
  }
  assert.equal((await run('send-test')).code, 3)
  assert.match((await run('send-test')).err, /Start it: posthorn serve$/m)
  assert.equal((await run('health')).code, 3)
})

test('without a server, commands work on the data folder in this process', async () => {
  const { run, control } = bench()
  const added = await run('domain add example.com --live --ed25519', withData)
  assert.deepEqual([added.code, added.err], [0, ''])
  assert.match(added.out, /^Added example\.com\.\n {2}key {8}p2601 \(rsa-sha256\)\n {2}key/)
  assert.match(added.out, /posthorn dns example\.com$/m)
  assert.match(
    (await run('domain list', withData)).out,
    /example\.com +is delivered +p2601, p2601e/,
  )
  const json = JSON.parse((await run('domain list --json', withData)).out)
  assert.equal(json.domains[0].created_at, '2026-01-01T00:00:00.000Z')
  const twice = await run('domain add example.com', withData)
  assert.deepEqual([twice.code, twice.err], [1, 'This domain is here already.\n'])
  assert.equal((await run('domain remove example.com', withData)).code, 0)
  assert.equal((await run('domain remove example.com', withData)).code, 1)
  assert.deepEqual(control.calls.at(-1), 'removeDomain example.com')
})

test('a key is imported from a file', async () => {
  const { run, control, folder } = bench()
  writeFileSync(join(folder, 'dkim.pem'), 'PEM')
  assert.equal((await run('domain add a.example --key dkim.pem --selector mail', withData)).code, 0)
  assert.equal(control.calls.at(-1), 'addDomain a.example imported')
  const absent = await run('domain add b.example --key none.pem', withData)
  assert.deepEqual([absent.code, absent.err], [1, 'Cannot read none.pem (ENOENT).\n'])
})

test('dns prints a table, a zone and JSON; the PTR stands apart', async () => {
  const { run } = bench()
  await run('domain add example.com', withData)
  const { out } = await run('dns example.com', withData)
  const [inside = '', outside = ''] = out.split('NOT in this zone')
  assert.match(inside, /TXT +p2601\._domainkey +300 +v=DKIM1; k=rsa; p=A{392}/)
  assert.doesNotMatch(inside, /^ *PTR/m)
  assert.match(outside, /PTR +10\.113\.0\.203\.in-addr\.arpa +300 +mail\.example\.com/)
  const zone = (await run('dns example.com --format bind', withData)).out
  assert.match(zone, /^example\.com\. +300 IN TXT +"v=spf1 ip4:203\.0\.113\.10 ~all"$/m)
  assert.equal(JSON.parse((await run('dns example.com --json', withData)).out).records.length, 5)
  const unknown = await run('dns other.example', withData)
  assert.deepEqual([unknown.code, unknown.err.includes('domain add other.example')], [1, true])
})

test('a credential is shown once, with the string that AUTH PLAIN really wants', async () => {
  const { run } = bench()
  const { out } = await run('credential add no-reply --domain example.com', withData)
  // The widely copied echo '\no-reply\0…' gives a newline for the first NUL; this is what is right.
  assert.match(out, /AUTH PLAIN +AG5vLXJlcGx5AE4wcmVwbHl1c2VyUEBzc3cwcmQ=$/m)
  const json = JSON.parse((await run('credential add b --json', withData)).out)
  assert.equal(Buffer.from(json.auth_plain, 'base64').toString(), `\0b\0${json.password}`)
  const list = (await run('credential list', withData)).out
  assert.match(list, /no-reply +example\.com +none +- +2026-01-01/)
  assert.match(list, /^ {2}b +all/m)
  assert.equal((await run('credential revoke b', withData)).code, 0)
  assert.equal((await run('credential revoke b', withData)).code, 1)
  assert.equal((await run('credential add no-reply', withData)).code, 1)
})

test('the queue in pages, one message, retry and cancel', async () => {
  const { run, control } = bench()
  assert.equal((await run('queue list', withData)).out, 'The queue is empty.\n')
  control.entries.push(
    queueEntry('0A', { lastFailure: 'mx said: 450\u001b[31m red\r\nlines' }),
    queueEntry('0B', { state: 'held', nextAttemptAt: null }),
    queueEntry('0C', { site: 'gmail.com' }),
  )
  const first = await run('queue list --limit 2', withData)
  assert.match(first.out, /0A +b@example\.org +ready +1 +now +\S+ +mx said: 450 red lines$/m)
  assert.match(first.out, /0B +b@example\.org +held +1 +- /)
  assert.match(first.out, /2 entries ready, 1 held\./)
  assert.match(first.out, /More: posthorn queue list --limit 2 --after 2$/m)
  const second = await run('queue list --limit 2 --after 2', withData)
  assert.match(second.out, /0C/)
  assert.doesNotMatch(second.out, /More:/)
  const json = JSON.parse((await run('queue list --json --site gmail.com', withData)).out)
  assert.deepEqual([json.entries.length, json.entries[0].id], [1, '0C'])
  assert.match((await run('queue show 0A', withData)).out, /From +<a@example\.com>/)
  assert.equal((await run('queue show 0Z', withData)).code, 1)
  assert.equal((await run('queue retry 0A', withData)).out, '1 entry due now.\n')
  assert.equal(
    (await run('queue retry --all', withData)).out,
    '2 entries due now.\nHeld, and still so: 1. To let them go: posthorn queue retry --all --held\n',
  )
  assert.equal((await run('queue retry --all --held', withData)).out, '3 entries due now.\n')
  assert.equal((await run('queue retry 0B', withData)).out, '1 entry due now.\n')
  assert.equal((await run('queue retry 0B --held', withData)).code, 2)
  assert.equal((await run('queue cancel 0A', withData)).out, '1 entry cancelled.\n')
  assert.equal((await run('queue cancel 0A', withData)).code, 1)
})

test('serve: banner, health, commands over HTTP, drain on a signal', async () => {
  const at = bench()
  const environment = { POSTHORN_HTTP_PORT: '0', POSTHORN_LOG: 'plain' }
  const up = Promise.withResolvers<void>()
  let banner = ''
  const stdout = {
    isTTY: false,
    columns: 100,
    write(text: string) {
      banner += text
      up.resolve()
    },
  }
  const serving = at.run('serve', { environment, stdout })
  await up.promise
  assert.match(
    banner,
    /^posthorn 0\.1\.0 {2}SANDBOX: mail is captured, nothing leaves this machine\n/,
  )
  assert.match(banner, /SMTP +127\.0\.0\.1:2525 {2}no password from 127\.0\.0\.0\/8/)
  assert.match(banner, /Try it +posthorn send-test you@example\.com/)
  assert.match(banner, /full@example\.com +552, mailbox full/)
  // Another command line knows only the data folder, not the port.
  const elsewhere = { environment: { POSTHORN_HTTP_PORT: '1' } }
  const health = await at.run('health', elsewhere)
  assert.deepEqual([health.code, health.out.split('\n')[0]], [0, 'ready'])
  at.control.problems.push({ name: 'disk', ok: false, text: 'full' })
  const sick = await at.run('health', elsewhere)
  assert.equal(sick.code, 1)
  assert.match(sick.out, /disk: FAILS {2}full/)
  at.control.entries.push(queueEntry('0A'))
  assert.match((await at.run('queue list', elsewhere)).out, /0A/)
  at.signal('SIGTERM')
  const { code, err } = await serving
  assert.equal(code, 0)
  assert.match(err, /SIGTERM: finishing what is open/)
  assert.deepEqual(at.exits, [])
  assert.equal((await at.run('health', elsewhere)).code, 3)
})

test('serve: the second signal ends at once', async () => {
  const at = bench()
  const up = Promise.withResolvers<void>()
  const stdout = { isTTY: false, columns: 100, write: () => up.resolve() }
  const closing = Promise.withResolvers<void>()
  const engine = async (): Promise<Engine> => ({
    ...fakeEngine(at.control),
    startServer: async () => ({
      control: at.control,
      http: { address: '127.0.0.1', port: 1 },
      failed: new Promise(() => {}),
      [Symbol.asyncDispose]: () => closing.promise,
    }),
  })
  const serving = at.run('serve', { stdout, engine })
  await up.promise
  at.signal('SIGINT')
  at.signal('SIGINT')
  assert.deepEqual(at.exits, [1])
  closing.resolve()
  await serving
})

test('serve: a port that is taken is said in words, with who has it and the way out', async () => {
  const { run } = bench()
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  const { code, err } = await run('serve', { environment: { POSTHORN_HTTP_PORT: String(port) } })
  other.close()
  assert.equal(code, 1)
  assert.match(err, new RegExp(`^PORT_IN_USE {2}Cannot listen on 127\\.0\\.0\\.1:${port}: `))
  if (process.platform === 'linux') assert.match(err, new RegExp(`\\(pid ${process.pid}\\) has it`))
  assert.match(err, new RegExp(`--http-port ${port + 1} \\(POSTHORN_HTTP_PORT\\)`))
  assert.doesNotMatch(err, /\n\s+at /)
})

test('serve: a data folder that cannot be made, or that another server has', async () => {
  const { run, folder, control } = bench()
  writeFileSync(join(folder, 'file'), '')
  const blocked = await run('serve --data file/data')
  assert.equal(blocked.code, 1)
  assert.match(blocked.err, /^DATA_NOT_WRITABLE {2}/)
  assert.match(blocked.err, /--data FOLDER/)
  const locked = Object.assign(new Error('the folder is in use by process 7'), {
    name: 'FolderLocked',
  })
  const engine = async (): Promise<Engine> => ({
    startServer: () => Promise.reject(locked),
    openControl: () => Promise.reject(locked),
    importSpool: () => Promise.reject(locked),
  })
  assert.match(
    (await run('serve', { engine })).err,
    /^DATA_IN_USE {2}the folder is in use by process 7/,
  )
  const silent = await run('queue list', { engine, ...withData })
  assert.deepEqual([silent.code, /does not answer/.test(silent.err)], [3, true])
  const broken = async (): Promise<Engine> => ({
    ...fakeEngine(control),
    startServer: () => Promise.reject(new Error('surprise')),
  })
  const unexpected = await run('serve', { engine: broken })
  assert.deepEqual([unexpected.code, unexpected.err.includes('surprise')], [1, true])
})

test('arguments of the container are named in the language of the page', async () => {
  const { run } = bench()
  const wrong = await run('container --lang ru mydomain.ru plain')
  assert.equal(wrong.code, 4)
  assert.match(wrong.err, /^ {2}аргумент 2: ожидаются имя и пароль/m)
  const page = await run('container --lang ru --explain mydomain.ru app:secret')
  assert.match(page.out, /^ {2}аргумент 1 → hostname: mydomain\.ru/m)
  assert.match(page.out, /# задано в аргументе 1$/m)
})
