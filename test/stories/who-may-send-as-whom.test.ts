import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type PosthornHere, startHere } from '../support/posthorn.ts'
import { openReceiver, type Receiver } from '../support/receiver.ts'
import { refusal, send } from '../support/talk.ts'
import { until } from '../support/tools.ts'
import { converse, Peer } from '../support/transcript.ts'
import { TestWorld } from '../support/world.ts'

const parts = new AsyncDisposableStack()
let receiver: Receiver
let world: TestWorld
before(async () => {
  receiver = parts.use(await openReceiver())
  world = parts.use(await TestWorld.open({ 'kunde.test A': ['127.0.0.1'] }))
})
after(() => parts.disposeAsync())

const live = () => ({
  hostname: 'mail.sender.example',
  dns: { servers: [world.server] },
  delivery: { port: receiver.port, allow_private_addresses: true },
})

const arrived = (subject: string) =>
  until(
    () => receiver.taken.find(({ content }) => content.includes(`\r\nSubject: ${subject}\r\n`)),
    `${subject} arrives`,
  )

describe('in live mode', () => {
  let posthorn: PosthornHere
  before(async () => {
    posthorn = await startHere({ ...live(), mode: 'live', domains: { 'sender.example': {} } })
  })
  after(() => posthorn?.[Symbol.asyncDispose]())

  const to = 'a@kunde.test'
  it('an unknown From domain is refused, with the command that adds it', async () => {
    const reply = await refusal(posthorn.port, { from: 'me@unknown.example', to }, '550 5.7.1')
    assert.match(reply, /me@unknown\.example/)
    assert.match(reply, /Fix: posthorn domain add unknown\.example/)
  })

  it('so is a free mail address, with what to write instead', async () => {
    const author = 'somebody@gmail.com'
    const reply = await refusal(
      posthorn.port,
      { from: 'me@sender.example', to, author },
      '550 5.7.1',
    )
    assert.match(reply, /gmail\.com/)
    assert.match(reply, /your own domain in From .*somebody@gmail\.com.* Reply-To/)
  })

  it('nothing of it is queued, delivered or captured', async () => {
    assert.deepEqual(await posthorn.queue(), [])
    assert.deepEqual(await posthorn.captured(), [])
    assert.equal(receiver.taken.length, 0)
  })

  it('what was refused is taken as soon as the domain is added', async () => {
    const added = await posthorn.command(['domain', 'add', 'unknown.example', '--live'])
    assert.equal(added.code, 0, added.err)
    await send(posthorn.port, { from: 'me@unknown.example', to, subject: 'added' })
    const mail = await arrived('added')
    assert.match(mail.content, /^DKIM-Signature: .*\r\n d=unknown\.example;/)
  })
})

describe('in sandbox mode', () => {
  let posthorn: PosthornHere
  before(async () => {
    posthorn = await startHere({ ...live(), domains: { 'sender.example': { mode: 'live' } } })
  })
  after(() => posthorn?.[Symbol.asyncDispose]())

  it('mail of a live domain goes out, while all other mail is captured', async () => {
    const to = 'a@kunde.test'
    await send(posthorn.port, { from: 'me@sender.example', to, subject: 'out into the world' })
    await send(posthorn.port, { from: 'me@news.sender.example', to, subject: 'a subdomain' })
    await send(posthorn.port, { from: 'me@other.example', to, subject: 'stays here' })
    await arrived('out into the world')
    await arrived('a subdomain')
    await posthorn.capture('stays here')
    await posthorn.emptyQueue()
    assert.deepEqual(
      (await posthorn.captured()).map(({ subject }) => subject),
      ['stays here'],
    )
    assert.ok(!receiver.taken.some(({ content }) => content.includes('stays here')))
  })

  it('the From field decides, and not the envelope', async () => {
    const to = 'a@kunde.test'
    const author = 'me@other.example'
    await send(posthorn.port, { from: 'me@sender.example', to, author, subject: 'by its author' })
    await posthorn.capture('by its author')
  })
})

describe('a credential', () => {
  let posthorn: PosthornHere
  before(async () => {
    posthorn = await startHere({ networks: [] })
  })
  after(() => posthorn?.[Symbol.asyncDispose]())

  async function make(...args: string[]): Promise<string> {
    const made = await posthorn.command(['credential', 'add', ...args, '--json'])
    assert.equal(made.code, 0, made.err)
    return (JSON.parse(made.out) as { auth_plain: string }).auth_plain
  }

  it('is asked for where no network is trusted, with the command that makes one', async () => {
    await converse(
      posthorn.port,
      `S: 220 *
      C: EHLO a
      S: ...
      S: 250 *
      C: MAIL FROM:<a@b.test>
      S: 530-5.7.0 Authentication required*
      S: 530-5.7.0 *posthorn credential add*
      S: 530 5.7.0 *`,
    )
  })

  it('is refused at once when it is revoked, also in an open session', async () => {
    const authPlain = await make('shop')
    const letter = { from: 'a@shop.test', to: 'b@kunde.test', authPlain }
    await send(posthorn.port, letter)
    const login = `C: AUTH PLAIN ${authPlain}`
    const revoke = posthorn.command(['credential', 'revoke', 'shop'])
    assert.equal((await revoke).code, 0)
    await converse(posthorn.port, `S: 220 *\nC: EHLO a\nS: ...\nS: 250 *\n${login}\nS: 535 5.7.8 *`)

    await revokeInSession(await make('shop'))
  })

  /** Logs in, begins to send, and lets the credential be revoked. */
  async function revokeInSession(authPlain: string): Promise<void> {
    const peer = new Peer(posthorn.port)
    await peer.say(`EHLO a\r\nAUTH PLAIN ${authPlain}\r\n`)
    await peer.expect('235 *', true)
    await peer.say('MAIL FROM:<a@shop.test>\r\nRCPT TO:<b@kunde.test>\r\nDATA\r\n')
    await peer.expect('354 *', true)
    await peer.say('From: a@shop.test\r\n\r\nx\r\n')
    assert.equal((await posthorn.command(['credential', 'revoke', 'shop'])).code, 0)
    await peer.expect('421 4.7.0 *revoked')
    await peer.expect('(closed)')
    peer.leave()
  }

  it('for one domain may not send for another', async () => {
    const authPlain = await make('only', '--domain', 'mine.test')
    const to = 'b@kunde.test'
    await send(posthorn.port, { from: 'a@mine.test', to, authPlain })
    const reply = await refusal(
      posthorn.port,
      { from: 'a@theirs.test', to, authPlain },
      '550 5.7.1',
    )
    assert.match(reply, /a@theirs\.test.*only for mine\.test/)
    const author = 'a@theirs.test'
    await refusal(posthorn.port, { from: 'a@mine.test', to, author, authPlain }, '550 5.7.1')
  })
})
