// The listeners that sessions are held against: real ones, with small limits, over a service that keeps
// what it gets or over the real intake and its store.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isDeepStrictEqual } from 'node:util'
import { makeSandboxKey } from '../../src/dkim/keyring.ts'
import { createIntake, defaultIntakeLimits } from '../../src/intake/accept.ts'
import { Credentials } from '../../src/intake/credentials.ts'
import { submissionService } from '../../src/intake/submission.ts'
import type { Domain } from '../../src/mail/domain.ts'
import type { DueMessage } from '../../src/mail/entry.ts'
import type { Envelope, Recipient } from '../../src/mail/envelope.ts'
import { formatMailbox } from '../../src/mail/mailbox.ts'
import { type MessageId, parseMessageId } from '../../src/mail/message.ts'
import { refuse } from '../../src/mail/reply.ts'
import { AuthThrottle, type ProtocolLimits, SessionLimits } from '../../src/smtp/limits.ts'
import { type Listener, listen } from '../../src/smtp/server.ts'
import type { Client, SmtpService } from '../../src/smtp/service.ts'
import { serverCertificate } from '../../src/smtp/tls.ts'
import { type Clock, systemClock } from '../../src/std/clock.ts'
import { type Log, silentLog } from '../../src/std/log.ts'
import { openStore } from '../../src/store/sqlite/open.ts'
import type { Store } from '../../src/store/store.ts'
import { testCertificate, testKey } from '../support/certificate.ts'
import {
  BROKEN_LATE,
  type Delivered,
  type Limits,
  PASSWORD,
  REFUSED_EARLY,
  REFUSED_LATE,
  type Rules,
  USER,
} from './model.ts'

const US = 'mx.example.com' as Domain

export type Kept = Omit<Delivered, 'reply'>

/** A listener to hold sessions against. */
export type Variant = AsyncDisposable & {
  readonly name: string
  readonly rules: Rules
  readonly listener: Listener
  /** Errors that the server had with itself. */
  readonly faults: readonly string[]
  /**
   * Compares what was kept of a client's messages with what should have been, and forgets it.
   * `mayLack` when the client vanished: then the last ones may be missing.
   */
  compare(client: string, expected: readonly Expected[], mayLack: boolean): Promise<void>
  /** Nothing is left over, of any session. */
  assertEmpty(): Promise<void>
}

/** A message that was to be taken, and the reply to it if one was heard. */
export type Expected = { readonly message: Delivered; readonly said: string | undefined }

const small: Limits = {
  commandOctets: 512,
  authOctets: 600,
  recipients: 3,
  messageOctets: 2_000,
  hardErrors: 12,
  junkCommands: 20,
  longLines: 3,
  authFailures: 3,
}

const plain: Rules = {
  tls: 'none',
  requireAuth: false,
  authWithoutTls: true,
  trusted: false,
  judged: false,
  limits: small,
}

const ruleSets: Readonly<Record<string, Rules>> = {
  plain,
  trusted: { ...plain, trusted: true },
  // A login before the handshake counts for nothing after it.
  starttls: { ...plain, tls: 'starttls' },
  strict: { ...plain, tls: 'starttls', authWithoutTls: false, requireAuth: true },
}
const judgedRules: Rules = {
  ...plain,
  judged: true,
  // Nothing may depend on what the intake refused.
  limits: { ...small, messageOctets: 600_000, hardErrors: 100_000, junkCommands: 100_000 },
}

/** Replies that wait because of errors wait for nothing here. */
const clock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => (ms > 0 ? systemClock.sleep(ms, signal) : Promise.resolve()),
}

export async function openVariants(): Promise<Variant[]> {
  const recording = Object.entries(ruleSets).map(([name, rules]) => openRecorder(name, rules))
  return await Promise.all([...recording, openIntake()])
}

async function open(
  name: string,
  rules: Rules,
  service: SmtpService,
): Promise<{ listener: Listener; faults: string[] }> {
  const faults: string[] = []
  const log: Log = {
    ...silentLog,
    error: (fields, text) => {
      const { err } = fields as { err?: Error }
      if (err?.message !== BROKEN_LATE) faults.push(`${text}: ${err?.stack}`)
    },
  }
  const limits: Partial<ProtocolLimits> = {
    ...rules.limits,
    softErrors: rules.limits.hardErrors - 4,
    errorDelayMs: 0,
  }
  const listener = await listen(
    {
      name,
      hostname: US,
      address: '0.0.0.0',
      port: 0,
      tls: rules.tls,
      certificate: serverCertificate(testKey, testCertificate, name),
      requireAuth: rules.requireAuth,
      authWithoutTls: rules.authWithoutTls,
      isTrusted: () => rules.trusted,
      offers: { holdMs: 3_600_000, deliverBySeconds: 60, priority: true },
      limits,
    },
    {
      service,
      slots: new SessionLimits({ perAddress: 1_000, total: 10_000 }),
      throttle: new AuthThrottle(clock, { failures: 1, windowMs: 0 }),
      clock,
      log,
    },
  )
  return { listener, faults }
}

const keyOf = (client: Client) => `${client.address}:${client.port}`

async function openRecorder(name: string, rules: Rules): Promise<Variant> {
  const kept = new Map<string, Kept[]>()
  const { listener, faults } = await open(name, rules, recorder(kept))
  return {
    name,
    rules,
    listener,
    faults,
    async compare(client, expected, mayLack) {
      const found = kept.get(client) ?? []
      kept.delete(client)
      const wanted = expected.map(({ message: { reply, ...rest } }) => rest)
      assert.ok(mayLack ? found.length <= wanted.length : found.length === wanted.length)
      assert.deepEqual(found, wanted.slice(0, found.length))
    },
    async assertEmpty() {
      const clients = [...kept.keys()]
      kept.clear()
      assert.deepEqual(clients, [], 'messages of nobody')
    },
    [Symbol.asyncDispose]: () => listener.drain(0),
  }
}

function recorder(kept: Map<string, Kept[]>): SmtpService {
  return {
    authenticate: async (_, username, password) => username === USER && password === PASSWORD,
    mail() {},
    recipient(_, __, recipient) {
      if (recipient.mailbox.localPart === 'nobody') throw refuse(550, '5.1.1', 'No such user')
      return recipient
    },
    async accept(client, envelope, content) {
      const from = senderText(envelope)
      if (from.startsWith(REFUSED_EARLY)) throw refuse(452, '4.3.1', 'Not now')
      const chunks: Uint8Array[] = []
      await content((chunk) => {
        chunks.push(chunk)
        return undefined
      })
      const text = Buffer.concat(chunks).toString('latin1')
      if (text.includes(REFUSED_LATE)) throw refuse(550, '5.7.1', 'Not that')
      if (text.includes(BROKEN_LATE)) throw new Error(BROKEN_LATE)
      const messages = kept.get(keyOf(client)) ?? []
      kept.set(keyOf(client), [...messages, keptOf(client, { envelope, from, content: text })])
      return 'Ok: queued'
    },
  }
}

function keptOf(
  client: Client,
  { envelope, from, content }: { envelope: Envelope; from: string; content: string },
): Kept {
  return {
    from,
    to: envelope.recipients.map(recipientText),
    hello: client.helloName,
    esmtp: client.esmtp,
    tls: client.tls !== undefined,
    credential: client.credential,
    content,
  }
}

function senderText(envelope: Envelope): string {
  const { reversePath, body, smtputf8, requireTls, ret, envelopeId, deliverBy, priority } = envelope
  const words = [reversePath ? formatMailbox(reversePath) : '<>', body]
  if (smtputf8) words.push('utf8')
  if (requireTls) words.push('tls')
  if (ret) words.push(`ret=${ret}`)
  if (envelopeId) words.push(`envid=${envelopeId}`)
  if (envelope.holdUntil !== undefined) words.push('held')
  if (deliverBy) words.push(`by=${deliverBy.mode}`)
  if (priority !== undefined) words.push(`priority=${priority}`)
  return words.join(' ')
}

function recipientText({ mailbox, notify, originalRecipient }: Recipient): string {
  const words = [formatMailbox(mailbox)]
  if (notify) words.push(`notify=${JSON.stringify(notify)}`)
  if (originalRecipient) words.push(`orcpt=${originalRecipient}`)
  return words.join(' ')
}

async function openIntake(): Promise<Variant> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-fuzz-'))
  const store = await openStore({ folder, clock: systemClock, log: silentLog, reserveBytes: 0 })
  const key = await makeSandboxKey()
  const intake = createIntake({
    store,
    clock: systemClock,
    log: silentLog,
    hostname: US,
    limits: { ...defaultIntakeLimits, messageOctets: judgedRules.limits.messageOctets },
    rights: {
      mode: 'sandbox',
      worldOf: () => undefined,
      keysFor: () => undefined,
      sandboxKeys: (domain) => ({ domain, keys: [key] }),
      grantOf: () => ({ domains: [], addresses: [] }),
    },
    nonce: 'n0nce',
    siteOf: (domain, world) => `${world}:${domain}`,
    onAccepted() {},
  })
  const service = submissionService({
    accept: intake.accept,
    credentials: new Credentials([{ name: USER, hash: '', domains: [], createdAt: 0 }]),
    listeners: new Map([['intake', { trustedNetworks: ['127.0.0.0/8'] }]]),
    addressLiterals: false,
  })
  const { listener, faults } = await open('intake', judgedRules, {
    ...service,
    // Slow hashes of wrong passwords would be most of the time.
    authenticate: async (_, username, password) => username === USER && password === PASSWORD,
    recipient: (client, request, recipient) => {
      if (recipient.mailbox.localPart === 'nobody') throw refuse(550, '5.1.1', 'No such user')
      return service.recipient(client, request, recipient)
    },
    accept: (client, envelope, content) => {
      if (senderText(envelope).startsWith(REFUSED_EARLY)) throw refuse(452, '4.3.1', 'Not now')
      return service.accept(client, envelope, content)
    },
  })
  const unheard: Delivered[] = []
  return {
    name: 'intake',
    rules: judgedRules,
    listener,
    faults,
    async compare(_, expected) {
      for (const { message, said } of expected) {
        if (said === undefined) unheard.push(message)
        else if (said.startsWith('250')) await takeOut(store, idOf(said), [message])
      }
    },
    async assertEmpty() {
      // Clients that were gone before the reply may have their message taken or not.
      const candidates = unheard.splice(0)
      const left = await store.queuePage({ filter: {}, limit: 1_000 })
      for (const id of new Set(left.map(({ entry }) => entry.message)))
        await takeOut(store, id, candidates)
      await assertNothingLeft(store, folder)
    },
    async [Symbol.asyncDispose]() {
      await listener.drain(0)
      await store[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function idOf(said: string): MessageId {
  const id = parseMessageId(/queued as (\w+)/.exec(said)?.[1] ?? '')
  assert.ok(id !== undefined, said)
  return id
}

/** What was promised is in the store as it came, as one of these; then it is taken out again. */
async function takeOut(
  store: Store,
  id: MessageId,
  candidates: readonly Delivered[],
): Promise<void> {
  const due = await store.queued(id)
  assert.ok(due, 'promised, but not there')
  const { message, entries } = due
  const changes = entries.map(({ index }) => {
    const key = { message: id, index }
    return { kind: 'ended', key, end: 'delivered' } as const
  })
  let content = ''
  for await (const row of (await store.content(id)).rows())
    content += Buffer.from(row).toString('latin1')
  await store.settle({ message, changes, notices: [], at: systemClock.now() })
  const found = candidates.some((one) => isAsSent(one, due, content))
  const shown = {
    from: message.reversePath,
    to: entries.map(({ recipient }) => recipient),
    content,
  }
  assert.ok(found, `another message than was sent: ${JSON.stringify(shown).slice(0, 1_000)}`)
}

function isAsSent(sent: Delivered, { message, entries }: DueMessage, content: string): boolean {
  const from = message.reversePath ? formatMailbox(message.reversePath) : '<>'
  const to = entries.map(({ recipient }) => recipientText(recipient))
  // Who is named twice gets it once.
  const wanted = new Map(sent.to.toReversed().map((text) => [text.split(' ')[0]!, text]))
  // The header may have been completed and repaired; the body is as it came.
  const body = content.slice(content.startsWith('\r\n') ? 2 : content.indexOf('\r\n\r\n') + 4)
  const hasHeader = /^(?:[A-Za-z]+: [^\r]*\r\n)+\r\n/.exec(sent.content)
  return (
    from === sent.from.split(' ')[0] &&
    isDeepStrictEqual(to.toSorted(), [...wanted.values()].toSorted()) &&
    (hasHeader ? sent.content.slice(hasHeader[0].length) === body : sent.content.endsWith(body))
  )
}

/** No message, no entry, no row of content of a message that never was. */
async function assertNothingLeft(store: Store, folder: string): Promise<void> {
  const { ready, held } = await store.queueCounts()
  assert.deepEqual({ ready, held }, { ready: 0, held: 0 }, 'messages that nobody promised')
  const database = new DatabaseSync(join(folder, 'queue.db'), { readOnly: true })
  try {
    for (const table of ['messages', 'entries', 'content', 'arriving']) {
      const { n } = database.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }
      assert.equal(n, 0, `rows left in ${table}`)
    }
  } finally {
    database.close()
  }
}
