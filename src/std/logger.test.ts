import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import type { Clock } from './clock.ts'
import { systemClock } from './clock.ts'
import { colourWanted, createLogger, type LoggerOptions } from './logger.ts'

const clock: Clock = { ...systemClock, now: () => Date.UTC(2026, 10, 21, 12, 0, 0, 7) }

async function written(
  options: Partial<LoggerOptions>,
  use: (log: ReturnType<typeof createLogger>) => void,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-log-'))
  try {
    const file = join(folder, 'log')
    const log = createLogger({
      format: 'json',
      level: 'info',
      clock,
      destination: file,
      ...options,
    })
    use(log)
    await log[Symbol.asyncDispose]()
    return await readFile(file, 'utf8')
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('json: one object a line, with time, level, fields of the parents and the message', async () => {
  const text = await written({}, (log) => {
    log.debug({ a: 1 }, 'not at this level')
    log.child({ id: 'Q1' }).warn({ to: 'bob@example.net', ms: 1.5, absent: undefined }, 'deferred')
  })
  assert.deepEqual(
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [
      {
        level: 'warn',
        time: '2026-11-21T12:00:00.007Z',
        id: 'Q1',
        to: 'bob@example.net',
        ms: 1.5,
        message: 'deferred',
      },
    ],
  )
})

test('errors come with their causes', async () => {
  const error = new Error('cannot settle', { cause: new Error('disk full') })
  const json = JSON.parse(await written({}, (log) => log.error({ error }, 'broken')))
  assert.match(json.error.stack, /disk full/)
  const plain = await written({ format: 'plain' }, (log) => log.error({ error }, 'broken'))
  assert.match(plain, /ERROR broken {2}Error: cannot settle <- Error: disk full \(at /)
})

test('plain: words, no colour unless asked for, and then the same words', async () => {
  const use = (log: ReturnType<typeof createLogger>) =>
    log.child({ id: 'Q1' }).info({ reply: '250 2.0.0 "Ok"', n: 1 }, 'delivered')
  const plain = await written({ format: 'plain' }, use)
  assert.match(plain, /^\d\d:\d\d:\d\d\.007 info {2}delivered id=Q1 reply="250 2.0.0 'Ok'" n=1\n$/)
  const colourful = await written({ format: 'plain', colour: true }, use)
  assert.equal(colourful.replace(/\u001b\[\d+m/g, ''), plain)
})

test('foreign text stays on its line and commands no terminal', async () => {
  const evil = 'a\r\nb\u001b[2J\u009b2J\u202e\u2028c\0'
  for (const format of ['json', 'plain'] as const) {
    const text = await written({ format }, (log) => log.info({ reply: evil }, evil))
    assert.equal(text.split('\n').length, 2, format)
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/, format)
    if (format === 'json') assert.equal(JSON.parse(text).reply, evil)
  }
})

test('syslog: columns that a line names, and the others with their fields', async () => {
  const origin = { host: 'mail', program: 'posthorn' }
  const use = (log: ReturnType<typeof createLogger>) => {
    log.warn({ daemon: 'postfix/smtpd', number: 7 }, 'connect from\r\nNov 21 x[1]: y')
    log.child({ id: 'Q1' }).warn({ to: 'bob@example.net' }, 'slow')
  }
  const [first = '', second = ''] = (await written({ format: 'syslog', origin }, use)).split('\n')
  assert.match(
    first,
    /^Nov 2[012] \d\d:\d\d:00 mail postfix\/smtpd\[7\]: connect from Nov 21 x\[1\]: y$/,
  )
  assert.match(second, /^Nov .* mail posthorn\[\d+\]: warning: slow id=Q1 to=bob@example\.net$/)
})

test('mail addresses are masked in every form when that is wanted', async () => {
  for (const format of ['json', 'plain', 'syslog'] as const) {
    const text = await written({ format, masking: 'masked' }, (log) =>
      log.info({ to: 'anna@example.net' }, 'to <bob@example.net>'),
    )
    assert.match(text, /a\*\*\*a@e\*\*\*\.net/, format)
    assert.doesNotMatch(text, /anna|bob/, format)
  }
})

test('no line is lost: at dispose, and at process.exit()', async () => {
  const many = await written({}, (log) => {
    for (let i = 0; i < 20_000; i++) log.info({ i }, 'line')
  })
  assert.equal(many.split('\n').length, 20_001)
  const script = `
    import { createLogger } from ${JSON.stringify(join(import.meta.dirname, 'logger.ts'))}
    const log = createLogger({ format: 'json', level: 'info', destination: 1 })
    for (let i = 0; i < 1000; i++) log.info({ i }, 'line')
    process.exit(3)`
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  const { stdout, code } = await run.then(
    ({ stdout }) => ({ stdout, code: 0 }),
    (error: { stdout: string; code: number }) => error,
  )
  assert.equal(code, 3)
  assert.equal(stdout.split('\n').length, 1_001)
})

test('colour follows the terminal, NO_COLOR and FORCE_COLOR', () => {
  assert.equal(colourWanted({}, true), true)
  assert.equal(colourWanted({}, false), false)
  assert.equal(colourWanted({ NO_COLOR: '1' }, true), false)
  assert.equal(colourWanted({ TERM: 'dumb' }, true), false)
  assert.equal(colourWanted({ FORCE_COLOR: '1' }, false), true)
})
