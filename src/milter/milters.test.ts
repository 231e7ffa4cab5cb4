import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type MilterScript, say, startMilter, type TestMilter } from '../../test/support/milter.ts'
import { decodeWords } from '../mail/encoded-word.ts'
import type { Envelope } from '../mail/envelope.ts'
import { fieldValue, findField, type HeaderField, splitHeader } from '../mail/header.ts'
import { formatMailbox, parseMailbox } from '../mail/mailbox.ts'
import { Refusal, refuse } from '../mail/reply.ts'
import { systemClock } from '../std/clock.ts'
import type { Draft } from './change.ts'
import { createMilters, type MilterOptions, type Milters } from './milters.ts'
import { formatPacket } from './packet.ts'

const mailbox = (text: string) => parseMailbox(text) ?? assert.fail(text)
const HEADER = 'From: a@b.example\r\nSubject: one\r\n two\r\nX-A: 1\r\nX-A: 2\r\n'

function draft(body = 'Hello\r\n', ...to: string[]): Draft {
  const fields = splitHeader(HEADER) as HeaderField[]
  const octets = Buffer.from(body, 'latin1')
  const envelope: Envelope = {
    reversePath: mailbox('a@b.example'),
    recipients: (to.length > 0 ? to : ['c@d.example']).map((one) => ({ mailbox: mailbox(one) })),
    body: '8bitmime',
    smtputf8: false,
    requireTls: false,
  }
  return { envelope, fields, body: { size: octets.length, chunks: () => [octets] } }
}

const failures: string[] = []
function row(ports: readonly number[], change: Partial<MilterOptions> = {}): Milters {
  failures.length = 0
  const options = ports.map((port, i) => ({
    name: `m${i + 1}`,
    address: { host: '127.0.0.1', port },
    connectMs: 300,
    commandMs: 300,
    messageMs: 300,
    onFailure: 'tempfail' as const,
    onQuarantine: 'hold' as const,
    ...change,
  }))
  return createMilters(options, {
    clock: systemClock,
    hostname: 'mail.example.com',
    version: 'test',
    mostOctets: 1_000_000,
    onFailure: (name, why) => failures.push(`${name}: ${why}`),
  })
}

const CLIENT = {
  door: 'smtp',
  address: '192.0.2.7',
  port: 0,
  helloName: 'app.example',
  tls: 'TLSv1.3 TLS_X',
  credential: 'app',
}

/** As the intake does it, in small. */
function check({ fields }: Draft): void {
  const bad = fields.find(({ raw }) => /[\x80-\xff]/.test(raw))
  if (bad) throw refuse(550, '5.6.7', `8-bit characters in the ${bad.name} field`)
}

/** What becomes of a message: the draft, "thrown away", or the refusal's text. */
async function ask(milters: Milters, mail = draft()): Promise<Draft | string> {
  using talk = milters.begin(CLIENT, 'ID1')
  try {
    if (!(await talk.envelope(mail.envelope))) return 'thrown away'
    return (await talk.message(mail, check)) ?? 'thrown away'
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error))
    return error.message
  }
}

async function told(script: MilterScript, mail?: Draft, change?: Partial<MilterOptions>) {
  await using milter = await startMilter(script)
  using milters = row([milter.port], change)
  return { result: await ask(milters, mail), milter }
}

const lettersOf = ({ seen: [first] }: TestMilter) => first!.map(({ letter }) => letter).join('')

function passed(result: Draft | string): Draft {
  return typeof result === 'string' ? assert.fail(result) : result
}
const header = ({ fields }: Draft) => fields.map(({ raw }) => raw).join('')
async function bodyOf({ body }: Draft): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of body.chunks()) pieces.push(piece)
  return Buffer.concat(pieces).toString('latin1')
}

describe('a filter is told', () => {
  it('every stage in order, with macros', async () => {
    const { result, milter } = await told({}, draft('Hello\r\n', 'c@d.example', 'e@f.example'))
    passed(result)
    const [seen] = milter.seen
    assert.match(lettersOf(milter), /^ODCDHDMDRDRDTLLLLDNBDEQ?$/)
    const text = (letter: string, n = 0) => seen!.filter((one) => one.letter === letter)[n]!.text
    assert.equal(text('C'), '[192.0.2.7]\x004\0\x00192.0.2.7\0')
    assert.equal(text('H'), 'app.example\0')
    assert.equal(text('M'), '<a@b.example>\0BODY=8BITMIME\0')
    assert.equal(text('R', 1), '<e@f.example>\0')
    assert.equal(text('L', 1), 'Subject\0one\n two\0')
    assert.equal(text('B'), 'Hello\r\n')
    assert.match(text('D'), /^Cj\0mail\.example\.com\0/)
    assert.match(text('D', 2), /^Mi\0ID1\0.*\{auth_authen\}\0app\0/)
  })
  it('not what it does not want, and nothing is waited for that it does not answer', async () => {
    const steps = 0x01 | 0x02 | 0x04 | 0x08 | 0x40 | 0x80 | 0x200 | 0x8_0000 | 0x10_0000
    const none = () => 'silence' as const
    const { result, milter } = await told({ steps, on: { L: none, B: none } })
    passed(result)
    assert.match(lettersOf(milter), /^OLLLLBDEQ?$/)
    assert.equal(milter.seen[0]![2]!.text, 'Subject\0 one\n two\0')
  })
  it('of a body in pieces that it can take, until it has enough', async () => {
    const on = { B: (_: unknown, n: number) => (n === 2 ? say.skip() : say.go()) }
    const { result, milter } = await told({ steps: 0x400, on }, draft('x'.repeat(300_000)))
    assert.equal(passed(result).body.size, 300_000)
    const pieces = milter.seen[0]!.filter(({ letter }) => letter === 'B')
    assert.deepEqual(
      pieces.map(({ text }) => text.length),
      [65_535, 65_535],
    )
  })
  it('in version 2 as in 6, without DATA', async () => {
    await using milter = await startMilter({ version: 2, changes: 0x3f, steps: 0 })
    using milters = row([milter.port])
    passed(await ask(milters))
    passed(await ask(milters))
    assert.equal(milter.connections, 1)
    assert.doesNotMatch(lettersOf(milter), /T/)
  })
  it('message after message on one connection, also when that died in between', async () => {
    await using milter = await startMilter()
    using milters = row([milter.port])
    for (let i = 0; i < 3; i++) passed(await ask(milters))
    assert.equal(milter.connections, 1)
    milter.script = { on: { M: (_, n) => (n === 4 ? 'die' : say.go()) } }
    passed(await ask(milters))
    assert.equal(milter.connections, 2)
    assert.deepEqual(failures, [])
  })

  it('on a fresh connection after one that spoke unasked', async () => {
    await using milter = await startMilter({ on: { E: () => Buffer.concat([say.go(), say.go()]) } })
    using milters = row([milter.port])
    passed(await ask(milters))
    passed(await ask(milters))
    assert.equal(milter.connections, 2)
  })
})

describe('a filter ends it', () => {
  const table: [string, MilterScript['on'] & object, RegExp][] = [
    ['rejects at connect', { C: say.reject }, /^550 5\.7\.1 The filter m1 refuses/],
    ['asks to wait at MAIL', { M: say.tempfail }, /^451 4\.7\.1 The filter m1 asks/],
    [
      'says what it likes at RCPT',
      { R: () => say.reply('551 5.1.6 gone\0'.replace('\0', '')) },
      /^551 5\.1\.6 gone$/,
    ],
    [
      'says it in two lines',
      { E: () => say.reply('550-5.7.1 one\r\n550 5.7.1 two') },
      /^550-5\.7\.1 one\r\n550 5\.7\.1 two$/,
    ],
    ['rejects at a header', { L: say.reject }, /^550/],
    ['rejects in the body', { B: say.reject }, /^550/],
    ['asks to wait at the end', { E: say.tempfail }, /^451/],
    ['throws away at MAIL', { M: say.discard }, /^thrown away$/],
    ['throws away at the end', { E: say.discard }, /^thrown away$/],
    [
      'removes everybody',
      { E: () => [say.deleteRecipient('c@d.example'), say.go()] },
      /^thrown away$/,
    ],
  ]
  for (const [what, on, text] of table)
    it(what, async () => {
      const { result } = await told({ on })
      assert.match(String(result), text)
      assert.deepEqual(failures, [])
    })
  for (const letter of 'CHMRTLNBE')
    it(`accepts at ${letter}, and is asked no more`, async () => {
      const { result, milter } = await told({ on: { [letter]: say.accept } })
      passed(result)
      const letters = milter.seen[0]!.map((one) => one.letter).join('')
      assert.match(letters, new RegExp(`${letter}Q?$`))
    })
  it('quarantines: the message is held, or refused', async () => {
    const on = { E: () => [say.quarantine('looks bad'), say.go()] }
    assert.equal(passed((await told({ on })).result).hold, 'looks bad')
    const { result } = await told({ on }, undefined, { onQuarantine: 'reject' })
    assert.match(String(result), /^550 5\.7\.1/)
  })
})

describe('a filter changes', () => {
  const changed = async (...packets: Uint8Array[]) => {
    const { result } = await told({ on: { E: () => [say.progress(), ...packets, say.accept()] } })
    assert.deepEqual(failures, [])
    return passed(result)
  }
  it('the header: adds, inserts, changes, removes', async () => {
    const after = await changed(
      say.addHeader('X-New', 'a\n\tb'),
      say.insertHeader(0, 'X-Top', 'top'),
      say.insertHeader(99, 'X-End', 'end'),
      say.changeHeader(2, 'x-a', 'second'),
      say.changeHeader(1, 'Subject', ''),
      say.changeHeader(7, 'X-None', 'added'),
    )
    assert.equal(
      header(after),
      'X-Top: top\r\nFrom: a@b.example\r\nX-A: 1\r\nx-a: second\r\nX-New: a\r\n\tb\r\nX-End: end\r\nX-None: added\r\n',
    )
  })
  it('a value over lines, and none of them begins a field of its own', async () => {
    const after = await changed(say.addHeader('X-New', 'a\nBcc: x@y.example\n\n'))
    assert.match(header(after), /X-New: a\r\n\tBcc: x@y\.example\r\n$/)
  })
  it('a value beyond ASCII becomes encoded words, for a client that knows no SMTPUTF8', async () => {
    const after = await changed(
      say.addHeader('X-Spam-Report', 'Grüße\n\tсо спамом'),
      say.changeHeader(1, 'Subject', 'schön'),
    )
    assert.doesNotMatch(header(after), /[^\0-\x7f]/)
    assert.equal(decodeWords(fieldValue(after.fields.at(-1)!)), 'Grüße со спамом')
    assert.equal(decodeWords(fieldValue(findField(after.fields, 'subject')!)), 'schön')
  })
  it('the body, in pieces, with line ends that are right', async () => {
    assert.equal(
      await bodyOf(await changed(say.body('one\ntw'), say.body('o\r\n'))),
      'one\r\ntwo\r\n',
    )
  })
  it('the envelope', async () => {
    const { envelope } = await changed(
      say.addRecipient('new@x.example'),
      say.deleteRecipient('c@d.example'),
      say.from('bounces@b.example'),
    )
    assert.deepEqual(
      envelope.recipients.map((one) => formatMailbox(one.mailbox)),
      ['new@x.example'],
    )
    assert.equal(formatMailbox(envelope.reversePath!), 'bounces@b.example')
  })
  it('and the next one in the row sees it', async () => {
    await using first = await startMilter({
      on: { E: () => [say.addHeader('X-First', 'yes'), say.body('new\r\n'), say.go()] },
    })
    await using second = await startMilter()
    using milters = row([first.port, second.port])
    passed(await ask(milters))
    const seen = second.seen[0]!
    assert.ok(seen.some(({ letter, text }) => letter === 'L' && text === 'X-First\0yes\0'))
    assert.ok(seen.some(({ letter, text }) => letter === 'B' && text === 'new\r\n'))
  })
})

describe('a filter fails', () => {
  const raw = (...octets: number[]) => Buffer.from(octets)
  const table: [string, MilterScript, RegExp][] = [
    ['hangs at the offer', { on: { O: () => 'silence' } }, /did not answer/],
    ['hangs at connect', { on: { C: () => 'silence' } }, /did not answer/],
    ['hangs at the end', { on: { E: () => 'silence' } }, /did not answer/],
    [
      'hangs after a change',
      { on: { E: () => say.addHeader('X-Half', 'done') } },
      /did not answer/,
    ],
    ['dies in the header', { on: { L: () => 'die' } }, /closed the connection/],
    [
      'dies after a change',
      { on: { E: () => [say.addHeader('X-Half', 'done'), raw(0, 0)] } },
      /did not answer/,
    ],
    ['wants version 7', { version: 7 }, /version 7/],
    ['wants version 1', { version: 1 }, /version 1/],
    ['wants what was not offered', { changes: 0xfff }, /not offered/],
    ['agrees in two octets', { on: { O: () => formatPacket('O', raw(0, 0)) } }, /too short/],
    [
      'sends a packet without a letter',
      { on: { C: () => raw(0, 0, 0, 0, 99) } },
      /packet of 0 octets/,
    ],
    [
      'sends a packet of 4 GB',
      { on: { C: () => raw(255, 255, 255, 255, 99) } },
      /packet of 4294967295/,
    ],
    ['sends an unknown packet', { on: { C: () => formatPacket('?') } }, /no answer but packet \?/],
    ['sends a letter of no alphabet', { on: { C: () => formatPacket('\x01') } }, /octet 1/],
    ['changes too early', { on: { M: () => say.addHeader('X', 'y') } }, /no answer but packet h/],
    ['changes what was not agreed', { changes: 1, on: { E: () => say.body('x') } }, /not agreed/],
    [
      'replies with a 250',
      { on: { M: () => say.reply('250 2.0.0 fine') } },
      /no answer but packet y/,
    ],
    ['replies with no code', { on: { M: () => say.reply('go away') } }, /no answer but packet y/],
    ['names a field with a colon', { on: { E: () => say.addHeader('X: y', 'z') } }, /packet h/],
    ['adds nobody', { on: { E: () => say.addRecipient('not an address') } }, /packet \+/],
    [
      'writes 8-bit into an address field',
      { on: { E: () => [say.changeHeader(1, 'From', 'Jürgen <a@b.example>'), say.go()] } },
      /cannot be sent: 550 5.6.7 8-bit characters in the From/,
    ],
    [
      'writes what is no UTF-8',
      { on: { E: () => [formatPacket('h', 'X-New', raw(0xff), raw(0)), say.go()] } },
      /cannot be sent: 550 5.6.7 8-bit characters in the X-New/,
    ],
    ['skips the header', { on: { L: say.skip } }, /skips what cannot be/],
    [
      'changes without end',
      { on: { E: () => Array.from({ length: 10_001 }, () => say.addHeader('X', 'y')) } },
      /more than a message/,
    ],
    [
      'makes a body of 2 MB',
      { on: { E: () => Array.from({ length: 32 }, () => say.body('x'.repeat(65_000))) } },
      /more than a message/,
    ],
    ['promises more than it sends', { on: { C: () => raw(0, 15, 0, 0, 98) } }, /did not answer/],
    ['says too much', { on: { C: () => formatPacket('c', raw(1)) } }, /no answer but packet c/],
  ]
  for (const [what, script, why] of table)
    it(`${what}: tempfail, accept or reject, and nothing half done`, async () => {
      assert.match(String((await told(script)).result), /^451 4\.7\.1 The filter m1 does not work/)
      assert.match(failures.join(), why)
      const { result } = await told(script, undefined, { onFailure: 'accept' })
      assert.equal(header(passed(result)), HEADER)
      assert.equal(failures.length, 1)
    })
  it('is not there', async () => {
    const gone = await startMilter()
    await gone[Symbol.asyncDispose]()
    using milters = row([gone.port], { onFailure: 'reject' })
    assert.match(String(await ask(milters)), /^550 5\.7\.1 The filter m1 does not work/)
    assert.match(failures.join(), /ECONNREFUSED/)
  })
  it('goes on and on with progress', async () => {
    await using milter = await startMilter()
    milter.script = { on: { E: () => Array.from({ length: 3 }, say.progress) } }
    using milters = row([milter.port], { messageMs: 50 })
    assert.match(String(await ask(milters)), /^451/)
  })
  it('and the others in the row still do their work', async () => {
    await using dead = await startMilter({ on: { M: () => 'die' } })
    await using good: TestMilter = await startMilter({
      on: { E: () => [say.addHeader('X-Good', 'yes'), say.go()] },
    })
    using milters = row([dead.port, good.port], { onFailure: 'accept' })
    assert.match(header(passed(await ask(milters))), /X-Good: yes/)
  })
})
