import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createTransport } from 'nodemailer'
import { signText } from '../../test/support/sign.ts'
import { KeyRing, makeSandboxKey } from '../dkim/keyring.ts'
import { makeKey } from '../dkim/keys.ts'
import type { SigningKey } from '../dkim/sign.ts'
import { type Domain, parseDomain } from '../mail/domain.ts'
import { parseMailbox } from '../mail/mailbox.ts'
import { type Clock, systemClock } from '../std/clock.ts'
import { silentLog } from '../std/log.ts'
import { openStore } from '../store/sqlite/open.ts'
import type { CapturedMessage, Store } from '../store/store.ts'
import { speakingAddresses } from './behaviours.ts'
import { type Sandbox, type SandboxOptions, startSandbox } from './sandbox.ts'

const domain = (text: string) => parseDomain(text) as Domain
const identity = { hostname: domain('mail.known.example'), ipv4: '192.0.2.25' }
const ownKey: SigningKey = {
  selector: 'p1',
  algorithm: 'rsa-sha256',
  privateKey: await makeKey('rsa-sha256'),
}
const sandboxKey = await makeSandboxKey()
/** Sleeps are noted, not slept. */
const sleeps: number[] = []
const clock: Clock = {
  ...systemClock,
  sleep: async (ms) => {
    sleeps.push(ms)
  },
}

let folder = ''
let store: Store
let sandbox: Sandbox
const start = (changed: Partial<SandboxOptions> = {}) => {
  const keyring = new KeyRing()
  keyring.add(domain('known.example'), [ownKey])
  return startSandbox({ store, keyring, sandboxKey, identity, clock, log: silentLog, ...changed })
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'posthorn-sandbox-'))
  store = await openStore({ folder, clock: systemClock, log: silentLog, reserveBytes: 0 })
  sandbox = await start()
})
after(async () => {
  await sandbox[Symbol.asyncDispose]()
  await store[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const LETTER = `From: App <app@DOMAIN>\r\nTo: you@customer.example\r\nSubject: =?utf-8?B?0J/RgNC40LLQtdGC?=\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@DOMAIN>\r\n\r\nHello\r\n`

type Letter = {
  readonly from?: string
  readonly to?: string | readonly string[]
  /** Signs; undefined leaves the message unsigned. */
  readonly key?: SigningKey | undefined
  readonly alter?: (signed: string) => string
  readonly sandbox?: Sandbox
  readonly address?: string
  readonly ignoreTLS?: boolean
}

/** Sends over real SMTP with nodemailer; rejects with what the receiver said. */
async function send(letter: Letter): Promise<void> {
  const from = letter.from ?? 'app@known.example'
  const fromDomain = from.split('@')[1] || 'known.example'
  const text = LETTER.replaceAll('DOMAIN', fromDomain)
  const signed = letter.key ? await signText(text, fromDomain, letter.key) : text
  const transport = createTransport({
    host: letter.address ?? '127.0.0.1',
    port: (letter.sandbox ?? sandbox).smtpPort,
    name: identity.hostname,
    ignoreTLS: letter.ignoreTLS ?? false,
    tls: { rejectUnauthorized: false },
  })
  const to = [letter.to ?? 'you@customer.example'].flat()
  try {
    await transport.sendMail({
      envelope: { from, to },
      raw: (letter.alter ?? ((text) => text))(signed),
    })
  } finally {
    transport.close()
  }
}

async function newest(): Promise<CapturedMessage> {
  const [message] = await store.captured({ limit: 1 })
  return message!
}

const verdictOf = async () => {
  const { dkim, spf, dmarc } = (await newest()).authentication
  return `${dkim} ${spf} ${dmarc}`
}

test('signed mail from a domain of ours passes and is kept as the receiver got it', async () => {
  await send({ key: ownKey })
  const message = await newest()
  assert.deepEqual(message.envelope, { from: 'app@known.example', to: ['you@customer.example'] })
  assert.equal(message.subject, 'Привет')
  assert.deepEqual(message.authentication, { dkim: 'pass', spf: 'pass', dmarc: 'pass' })
  const raw = Buffer.from((await store.capturedRaw(message.id))!).toString()
  assert.equal(message.size, Buffer.byteLength(raw))
  assert.match(
    raw,
    /^Return-Path: <app@known\.example>\r\nAuthentication-Results: mx\.customer\.example;/,
  )
  assert.match(raw, /\r\nReceived: from mail\.known\.example \(\[192\.0\.2\.25\]\)/)
  assert.match(raw, /with\s+ESMTPS/)
  assert.match(raw, /\r\nDKIM-Signature: /)
  assert.ok(raw.endsWith('\r\n\r\nHello\r\n'))
  assert.equal(/(?<!\r)\n/.test(raw), false, 'every line ends with CRLF')
})

test('signed mail from a domain that nobody knows passes with the sandbox’s key', async () => {
  await send({ from: 'app@stranger.example', key: sandboxKey })
  assert.equal(await verdictOf(), 'pass pass pass')
})

const FAILURES: readonly [string, Letter, string][] = [
  ['unsigned: SPF alone carries DMARC', {}, 'none pass pass'],
  [
    'an altered body',
    { key: ownKey, alter: (text) => text.replace('Hello', 'Hallo') },
    'fail pass pass',
  ],
  [
    'an altered From',
    { key: ownKey, alter: (text) => text.replace('App <app@', 'Boss <app@') },
    'fail pass pass',
  ],
  ['the sandbox’s key on a domain of ours', { key: sandboxKey }, 'neutral pass pass'],
  [
    'nothing is right',
    { alter: (text) => text.replace('From: App <app@known.example>', 'From: x@other.example') },
    'none pass fail',
  ],
  ['a bounce: SPF of the HELO name', { from: '', key: ownKey }, 'pass pass pass'],
]
for (const [what, letter, expected] of FAILURES)
  test(`the verdict on ${what}`, async () => {
    await send(letter)
    assert.equal(await verdictOf(), expected)
  })

test('one capture for all recipients of a transaction', async () => {
  await send({ key: ownKey, to: ['a@customer.example', 'b@customer.example'] })
  assert.deepEqual((await newest()).envelope.to, ['a@customer.example', 'b@customer.example'])
})

const said = async (letter: Letter): Promise<string> => {
  try {
    await send(letter)
    return 'accepted'
  } catch (error) {
    const { response, code } = error as { response?: string; code?: string }
    return response ?? code ?? String(error)
  }
}

const REFUSED: readonly [string, RegExp, 'for ever' | 'once'][] = [
  ['no-such-user', /^550 5\.1\.1/, 'for ever'],
  ['Unknown+tag', /^550 5\.1\.1/, 'for ever'],
  ['mailbox-full', /^452 4\.2\.2/, 'for ever'],
  ['over-quota', /^552 5\.2\.2/, 'for ever'],
  ['spam', /^550 5\.7\.1/, 'for ever'],
  ['greylisted', /^451 4\.7\.1/, 'once'],
  ['rate-limited', /^421 4\.7\.0/, 'once'],
  ['drops-connection', /ECONNECTION|ESOCKET|closed/, 'once'],
]
for (const [name, reply, often] of REFUSED)
  test(`${name}: refused ${often}`, async () => {
    const to = `${name}@customer.example`
    assert.match(await said({ to }), reply)
    if (often === 'for ever') assert.match(await said({ to }), reply)
    else {
      assert.equal(await said({ to }), 'accepted')
      assert.match(await said({ to }), reply, 'the next message begins anew')
      assert.equal(await said({ to }), 'accepted')
    }
  })

test('greylisting of one recipient does not touch the other', async () => {
  const before = (await newest()).id
  await send({ to: ['greylisted@one.example', 'accept@one.example'] })
  const { id, envelope } = await newest()
  assert.notEqual(id, before)
  assert.deepEqual(envelope.to, ['accept@one.example'])
})

test('slow thinks before it accepts', async () => {
  sleeps.length = 0
  assert.equal(await said({ to: 'slow@customer.example' }), 'accepted')
  assert.deepEqual(
    sleeps.filter((ms) => ms >= 1000),
    [10_000],
  )
})

const noSecondHost = process.platform !== 'linux' && 'no 127.0.0.2'
test('the host with broken TLS: the handshake fails, plain text is taken', {
  skip: noSecondHost,
}, async () => {
  const to = 'broken-tls@customer.example'
  assert.equal(sandbox.destinationOf(parseMailbox(to)!), 'broken-tls.customer.example')
  assert.match(await said({ to, address: '127.0.0.2' }), /ESOCKET|ETLS|EPROTO/)
  assert.equal(await said({ to, address: '127.0.0.2', ignoreTLS: true }), 'accepted')
})

test('destinations stay inside', () => {
  const to = (text: string) => sandbox.destinationOf(parseMailbox(text)!)
  assert.equal(to('you@customer.example'), 'customer.example')
  assert.equal(to('you@[8.8.8.8]'), 'address-literal.test')
  assert.equal(to('broken-tls@[8.8.8.8]'), 'broken-tls.address-literal.test')
})

test('only the newest are kept', async () => {
  await using small = await start({ keep: 2 })
  for (const n of [1, 2, 3]) await send({ to: `n${n}@customer.example`, sandbox: small })
  const kept = await store.captured({ limit: 10 })
  assert.deepEqual(
    kept.map((message) => message.envelope.to[0]),
    ['n3@customer.example', 'n2@customer.example'],
  )
})

test('without a known address the example address is used', async () => {
  await using anonymous = await start({ identity: { hostname: identity.hostname } })
  await send({ key: ownKey, sandbox: anonymous })
  assert.equal(await verdictOf(), 'pass pass pass')
})

test('every speaking address has its sentence in both languages', () => {
  for (const { address, says } of speakingAddresses()) {
    assert.match(says.en, /^[A-Z].*\.$/, address)
    assert.match(says.ru, /^[А-ЯЁП0-9D].*\.$/, address)
  }
  const names = speakingAddresses().flatMap(({ address, aliases }) => [address, ...aliases])
  assert.equal(new Set(names).size, names.length)
})
