import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { KeyRing, makeSandboxKey, type Signer } from '../dkim/keyring.ts'
import { makeKey, publicText } from '../dkim/keys.ts'
import type { SigningKey } from '../dkim/sign.ts'
import type { Domain } from '../mail/domain.ts'
import type { Envelope } from '../mail/envelope.ts'
import { LineCheck } from '../mail/lines.ts'
import { parseMailbox } from '../mail/mailbox.ts'
import type { Content, MessageId } from '../mail/message.ts'
import { Refusal } from '../mail/reply.ts'
import { systemClock } from '../std/clock.ts'
import { silentLog } from '../std/log.ts'
import { openStore } from '../store/sqlite/open.ts'
import { CONTENT_ROW_BYTES, type NewMessage, StorageFailed, StorageFull } from '../store/store.ts'
import { createIntake, defaultIntakeLimits, type IntakeParts } from './accept.ts'
import type { ContentSource, Origin } from './door.ts'

const NOW = Date.UTC(2026, 10, 21, 12)
const LIVE = 'live.example' as Domain

let sandboxKey: SigningKey
let liveKey: SigningKey
const ring = new KeyRing()
before(async () => {
  sandboxKey = await makeSandboxKey()
  const privateKey = await makeKey('rsa-sha256')
  liveKey = { selector: 'p2611', algorithm: 'rsa-sha256', privateKey }
  ring.add(LIVE, [liveKey])
})

/** What the intake needs of a store, kept in memory; `fail` is thrown by the next call of that verb. */
class MemoryStore {
  put: [MessageId, number, number][] = []
  discarded: MessageId[] = []
  committed: NewMessage[] = []
  fail: { putContent?: Error; commit?: Error; discardContent?: Error } = {}
  #id = 1000

  nextMessageId(): MessageId {
    return ++this.#id as MessageId
  }
  async putContent(message: MessageId, row: number, bytes: Uint8Array): Promise<void> {
    if (this.fail.putContent) throw this.fail.putContent
    assert.ok(bytes.length <= CONTENT_ROW_BYTES)
    this.put.push([message, row, bytes.length])
  }
  async discardContent(message: MessageId): Promise<void> {
    this.discarded.push(message)
    if (this.fail.discardContent) throw this.fail.discardContent
  }
  async commit(message: NewMessage): Promise<void> {
    if (this.fail.commit) throw this.fail.commit
    this.committed.push(message)
  }
}

let store: MemoryStore
let handedOver: [NewMessage, Content | undefined][]
beforeEach(() => {
  store = new MemoryStore()
  handedOver = []
})

function parts(change: Partial<IntakeParts> = {}): IntakeParts {
  return {
    store,
    clock: { ...systemClock, now: () => NOW },
    log: silentLog,
    hostname: 'mail.posthorn.example' as Domain,
    limits: defaultIntakeLimits,
    rights: {
      mode: 'sandbox',
      worldOf: (domain) => (domain === LIVE ? 'live' : undefined),
      keysFor: (domain) => ring.keysFor(domain),
      sandboxKeys: (domain): Signer => ({ domain, keys: [sandboxKey] }),
      grantOf: () => ({ domains: [], addresses: [] }),
    },
    nonce: 'n0nce',
    siteOf: ({ domain }, world) => `${world}:${domain}`,
    onAccepted: (message, content) => handedOver.push([message, content]),
    ...change,
  }
}

const origin: Origin = {
  door: 'smtp',
  sender: { kind: 'network', address: '127.0.0.1' },
  helloName: 'app.example',
  address: '192.0.2.7',
  protocol: 'ESMTP',
}

function envelope(from: string | null, ...to: string[]): Envelope {
  const mailbox = (text: string) => parseMailbox(text) ?? assert.fail(text)
  return {
    reversePath: from === null ? null : mailbox(from),
    recipients: to.map((text) => ({ mailbox: mailbox(text) })),
    body: '7bit',
    smtputf8: false,
    requireTls: false,
  }
}

/** Content in chunks; waits where the sink asks for it. */
function source(...chunks: (string | Buffer)[]): ContentSource {
  return async (sink) => {
    for (const chunk of chunks) {
      const busy = sink(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk)
      await busy
    }
  }
}

const usual = () => envelope('a@some.example', 'b@other.example')

async function send(content: string, change: Partial<Envelope> = {}, options = parts()) {
  await createIntake(options).accept({ ...usual(), ...change }, source(content), origin)
  const [newMessage] = store.committed
  assert.ok(newMessage)
  const text = Buffer.concat(newMessage.rows).toString('latin1')
  return { newMessage, prefix: newMessage.message.prefix, text }
}

async function refused(act: Promise<unknown>, text: RegExp): Promise<void> {
  await assert.rejects(act, (error) => {
    assert.ok(error instanceof Refusal, String(error))
    assert.match(error.message, text)
    return true
  })
  assert.deepEqual(store.committed, [])
  assert.deepEqual(handedOver, [])
}

async function dkimOf(octets: Buffer): Promise<string[]> {
  const resolver = async (name: string) => {
    const key = name.startsWith('sandbox._domainkey.') ? sandboxKey : liveKey
    return [[publicText(key.privateKey)]]
  }
  const { results } = await dkimVerify(octets, { resolver } as object)
  return results.map(({ status, signingDomain }) => `${status.result} ${signingDomain}`)
}

const whole = (newMessage: NewMessage) =>
  Buffer.concat([Buffer.from(newMessage.message.prefix), ...newMessage.rows])

const MESSAGE =
  'From: A <a@some.example>\r\nTo: b@other.example\r\nSubject: hello\r\n' +
  'Date: Sat, 21 Nov 2026 11:59:59 +0000\r\nMessage-ID: <1@some.example>\r\n\r\nHello,\r\n\r\nA\r\n'

describe('a message comes in', () => {
  it('and is signed, committed, handed over, in that order', async () => {
    const accepted = await createIntake(parts()).accept(usual(), source(MESSAGE), origin)
    const [newMessage] = store.committed
    assert.ok(newMessage)
    const { message, entries, rows, firstRow } = newMessage
    assert.deepEqual(accepted, { id: message.id, size: message.size, recipients: 1 })
    assert.equal(rows[0]!.length + Buffer.byteLength(message.prefix), message.size)
    assert.equal(Buffer.concat(rows).toString('latin1'), MESSAGE)
    assert.equal(firstRow, 0)
    assert.deepEqual(
      [message.fromDomain, message.world, message.body, message.acceptedAt],
      ['some.example', 'sandbox', '7bit', NOW],
    )
    assert.deepEqual(entries, [
      {
        message: message.id,
        index: 0,
        recipient: { mailbox: { localPart: 'b', domain: 'other.example' } },
        site: 'sandbox:other.example',
        state: { kind: 'ready', at: NOW },
        attempts: 0,
        acceptedAt: NOW,
        delayNoticed: false,
      },
    ])
    assert.equal(handedOver[0]![0], newMessage)
    assert.equal(handedOver[0]![1]?.whole, rows[0])
    assert.deepEqual(await dkimOf(whole(newMessage)), ['pass some.example'])
  })

  it('however untidy its white space is, and whoever looked at the lines', async () => {
    const head = 'From: a@some.example\r\nSubject: a  b\r\n\tfolded\r\n\r\n'
    const body = `one two\r\n${'tidy '.repeat(30)}end\r\n\t a \r\n${'x y '.repeat(40)}z\r\n\r\n`
    const cuts = [1, 40, head.length - 1, head.length, head.length + 160, head.length + 175]
    const byTheDoor = (chunks: string[]): ContentSource => {
      const lines = new LineCheck()
      return async (sink) => {
        for (const chunk of chunks.map((text) => Buffer.from(text))) {
          lines.push(chunk)
          await sink(chunk, lines)
        }
      }
    }
    for (const at of [0, ...cuts]) {
      const chunks = [(head + body).slice(0, at), (head + body).slice(at)].filter(Boolean)
      for (const content of [source(...chunks), byTheDoor(chunks)]) {
        await createIntake(parts()).accept(usual(), content, origin)
        assert.deepEqual(await dkimOf(whole(store.committed.at(-1)!)), ['pass some.example'])
      }
    }
  })

  it('and knows whether DATA can carry it as it is', async () => {
    const head = 'From: a@some.example\r\nBcc: c@other.example\r\n'
    const table: [string, boolean][] = [
      [`${head}\r\ntext\r\n`, true],
      [`${head}\r\n.text\r\n`, false],
      [`${head}\r\ntext`, false],
      [head, true],
    ]
    for (const [content, asIs] of table) {
      await createIntake(parts()).accept(usual(), source(content), origin)
      assert.equal(handedOver.at(-1)![1]?.asIs, asIs, content)
    }
  })

  it('with a Received field that tells the way', async () => {
    const { prefix } = await send(MESSAGE)
    const [, received] = prefix.split(/^(?=Received)/m)
    assert.equal(
      received,
      'Received: from app.example ([192.0.2.7]) by mail.posthorn.example with ESMTP\r\n' +
        ' id 00000000Z9H for <b@other.example>; Sat, 21 Nov 2026 12:00:00 +0000\r\n'.replace(
          '00000000Z9H',
          prefix.match(/id ([0-9A-Z]{11})/)![1]!,
        ),
    )
  })

  it('but the Received field tells nobody of the others', async () => {
    const change = envelope('a@some.example', 'b@other.example', 'c@other.example')
    const { prefix, newMessage } = await send(MESSAGE, change)
    assert.doesNotMatch(prefix, / for </)
    assert.equal(newMessage.entries.length, 2)
  })

  it('once for a recipient that was named twice', async () => {
    const twice = envelope('a@some.example', 'b@other.example', 'b@other.example', 'c@x.example')
    const { newMessage } = await send(MESSAGE, twice)
    assert.deepEqual(
      newMessage.entries.map((entry) => entry.index),
      [0, 2],
    )
  })

  it('live where the domain is, signed with its own key', async () => {
    const { newMessage } = await send(MESSAGE.replaceAll('some.example', 'news.live.example'))
    assert.equal(newMessage.message.world, 'live')
    assert.equal(newMessage.message.fromDomain, 'news.live.example')
    assert.equal(newMessage.entries[0]!.site, 'live:other.example')
    assert.deepEqual(await dkimOf(whole(newMessage)), ['pass live.example'])
  })

  it('and what it is counts, not what was said of its octets', async () => {
    const eight = await send(`${MESSAGE}caf\xc3\xa9\r\n`)
    assert.equal(eight.newMessage.message.body, '8bitmime')
    store.committed = []
    const seven = await send(MESSAGE, { body: '8bitmime', smtputf8: true })
    assert.equal(seven.newMessage.message.body, '7bit')
    assert.equal(seven.newMessage.message.smtputf8, false)
  })

  it('in many chunks, with one row as the result', async () => {
    const chunks = MESSAGE.match(/[\s\S]{1,7}/g)!
    await createIntake(parts()).accept(usual(), source(...chunks), origin)
    assert.equal(store.committed[0]!.rows.length, 1)
    assert.equal(Buffer.concat(store.committed[0]!.rows).toString('latin1'), MESSAGE)
    assert.deepEqual(await dkimOf(whole(store.committed[0]!)), ['pass some.example'])
  })

  it('too big for one row: full rows go ahead, the rest with the commit', async () => {
    const body = 'x'.repeat(76).concat('\r\n').repeat(9000)
    const content = Buffer.from(MESSAGE + body)
    const chunks = [
      content.subarray(0, 100),
      content.subarray(100, 400_000),
      content.subarray(400_000),
    ]
    await createIntake(parts()).accept(usual(), source(...chunks), origin)
    const [newMessage] = store.committed
    assert.deepEqual(
      store.put.map(([, row, size]) => [row, size]),
      [
        [0, CONTENT_ROW_BYTES],
        [1, CONTENT_ROW_BYTES],
      ],
    )
    assert.equal(newMessage!.firstRow, 2)
    assert.equal(newMessage!.rows[0]!.length, content.length - 2 * CONTENT_ROW_BYTES)
    assert.equal(handedOver[0]![1], undefined)
    const prefix = Buffer.from(newMessage!.message.prefix)
    assert.deepEqual(await dkimOf(Buffer.concat([prefix, content])), ['pass some.example'])
  })
})

describe('nothing is left behind when', () => {
  const big = Buffer.from(MESSAGE + 'x'.repeat(76).concat('\r\n').repeat(9000))

  it('the disk is full at the commit', async () => {
    store.fail = { commit: new StorageFull('full') }
    await refused(send(MESSAGE), /^452 4\.3\.1 Insufficient system storage/)
    assert.deepEqual(store.discarded, [])
  })

  it('the disk fails at the commit of a big message', async () => {
    store.fail = {
      commit: new StorageFailed('broken'),
      discardContent: new StorageFailed('broken'),
    }
    const sent = createIntake(parts()).accept(usual(), source(big), origin)
    await refused(sent, /^451 4\.3\.0/)
    assert.equal(store.discarded.length, 1)
  })

  it('the disk is full while content arrives', async () => {
    store.fail = { putContent: new StorageFull('full') }
    const sent = createIntake(parts()).accept(usual(), source(big), origin)
    await refused(sent, /^452 4\.3\.1/)
    assert.equal(store.discarded.length, 1)
  })

  it('the client vanishes in the middle', async () => {
    const gone = new Error('connection closed')
    const vanishing: ContentSource = async (sink) => {
      await sink(big)
      throw gone
    }
    await assert.rejects(createIntake(parts()).accept(usual(), vanishing, origin), gone)
    assert.deepEqual(store.discarded, [store.put[0]![0]])
    assert.deepEqual(store.committed, [])
  })

  it('the message is too big', async () => {
    const limits = { ...defaultIntakeLimits, messageOctets: 600_000 }
    const chunks = Array.from({ length: 80 }, () => big.subarray(200, 10_000))
    const sent = createIntake(parts({ limits })).accept(usual(), source(MESSAGE, ...chunks), origin)
    await refused(sent, /^552 5\.3\.4 Message too big: the limit is 600000 octets$/)
    assert.equal(store.discarded.length, 1)
  })
})

describe('the limits', () => {
  const table: [string, string, RegExp][] = [
    ['a header of 300 KB', `${'X-A: a\r\n'.repeat(40_000)}\r\n`, /^552 5\.3\.4 Header too big/],
    ['1,001 fields', `${'X-A: a\r\n'.repeat(1_001)}\r\n`, /^554 5\.6\.0 Too many header fields/],
    ['a bare LF', MESSAGE.replace('Hello,\r\n', 'Hello,\n'), /^550 5\.6\.11 .*Fix: end every line/],
    ['a bare CR', MESSAGE.replace('Hello,\r\n', 'Hello,\r'), /^550 5\.6\.11/],
    ['a NUL', MESSAGE.replace('Hello', '\0'), /^550 5\.6\.11/],
    ['a bare LF in the header', MESSAGE.replace('hello\r\n', 'hello\n'), /^550 5\.6\.11/],
    [
      'a long line',
      `${MESSAGE}${'x'.repeat(999)}\r\n`,
      /^550 5\.6\.0 A line of 999 octets; the limit is 998\. Fix: encode/,
    ],
    ['51 hops', `${'Received: x\r\n'.repeat(51)}${MESSAGE}`, /^554 5\.4\.6 Too many hops/],
  ]
  for (const [what, content, text] of table) {
    it(`refuse ${what}`, () => refused(send(content), text))
  }

  it('refuse too many recipients', () => {
    const limits = { ...defaultIntakeLimits, recipients: 2 }
    const to = envelope('a@some.example', 'a@b.example', 'b@b.example', 'c@b.example')
    return refused(send(MESSAGE, to, parts({ limits })), /^452 4\.5\.3/)
  })

  it('take a header of 250 KB in small chunks, and 50 hops', async () => {
    const head = `${'Received: x\r\n'.repeat(50)}X-Long:${` ${'y'.repeat(900)}\r\n`.repeat(270)}`
    const chunks = (head + MESSAGE).match(/[\s\S]{1,50}/g)!
    await createIntake(parts()).accept(usual(), source(...chunks), origin)
    assert.equal(Buffer.concat(store.committed[0]!.rows).toString('latin1'), head + MESSAGE)
  })

  it('take a text of 300 KB without header or empty line', async () => {
    const text = 'some text\r\n'.repeat(30_000)
    const { newMessage, prefix } = await send(text)
    assert.equal(newMessage.message.size, prefix.length + 2 + text.length)
    assert.match(prefix, /^From: a@some\.example\r$/m)
  })
})

describe('prepare', () => {
  it('makes a notice in the world and with the key of what it is about, without a commit', async () => {
    const intake = createIntake(parts())
    const notice = MESSAGE.replace('A <a@some.example>', 'MAILER-DAEMON@mail.posthorn.example')
    const own: Origin = { ...origin, sender: { kind: 'posthorn' }, protocol: 'ESMTP' }
    const about = { fromDomain: LIVE, world: 'live' as const }
    const to = envelope(null, 'a@some.example')
    const prepared = await intake.prepare(to, source(notice), own, { about })
    assert.equal(prepared.message.world, 'live')
    assert.equal(prepared.message.fromDomain, LIVE)
    assert.equal(prepared.message.reversePath, null)
    assert.deepEqual(await dkimOf(whole(prepared)), ['pass live.example'])
    assert.equal(prepared.content?.whole, prepared.rows[0])
    assert.deepEqual(store.committed, [])
    assert.deepEqual(handedOver, [])
  })
})

describe('over the real store', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'posthorn-intake-'))
  })
  after(() => rm(folder, { recursive: true }))

  it('any message comes out as it went in, and its signature holds', async () => {
    await using real = await openStore({ folder, clock: systemClock, log: silentLog })
    const intake = createIntake(parts({ store: real }))
    const line = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', ' ', '\t', '.', '\xe9', '='), maxLength: 60 }),
      fc.constantFrom('', '.', ' ', '..'),
    )
    const text = fc.array(line, { maxLength: 40 }).map((lines) => lines.join('\r\n'))
    const times = fc.constantFrom(1, 1, 1, 400)
    const field = fc.constantFrom(
      'Subject: odd\r\n\t folding ',
      'Bcc: secret@other.example',
      'X-A:',
      'Cc: c@d.example',
    )
    await fc.assert(
      fc.asyncProperty(
        text,
        times,
        fc.uniqueArray(field),
        fc.nat(3000),
        async (part, n, fields, cut) => {
          const head = `From: <a@some.example>\r\n${fields.map((one) => `${one}\r\n`).join('')}`
          const body = `${part}\r\n`.repeat(n)
          const octets = Buffer.from(`${head}\r\n${body}`, 'latin1')
          const at = Math.min(cut, octets.length)
          const { id } = await intake.accept(
            usual(),
            source(octets.subarray(0, at), octets.subarray(at)),
            origin,
          )
          const queued = await real.queued(id)
          const rows: Uint8Array[] = []
          for await (const row of (await real.content(id)).rows()) rows.push(row)
          const content = Buffer.concat(rows)
          const kept = head.replace('Bcc: secret@other.example\r\n', '')
          assert.equal(content.toString('latin1'), `${kept}\r\n${body}`)
          const message = Buffer.concat([Buffer.from(queued!.message.prefix), content])
          assert.equal(message.length, queued!.message.size)
          assert.deepEqual(await dkimOf(message), ['pass some.example'])
        },
      ),
      { numRuns: 60 },
    )
  })
})
