// Everything goes to a relayhost that asks for TLS and a password, as hosting providers do: run as a
// process, since the certificate's authority is one that only the environment tells of.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import nodemailer from 'nodemailer'
import { PosthornProcess } from '../support/posthorn.ts'
import { openReceiver, type Receiver } from '../support/receiver.ts'
import { until } from '../support/tools.ts'
import { TestWorld } from '../support/world.ts'

let world: TestWorld
let relay: Receiver
before(async () => {
  world = await TestWorld.open({ 'relay.test A': ['127.0.0.1'] })
  relay = await openReceiver({
    authOptional: false,
    authMethods: ['PLAIN', 'LOGIN'],
    onAuth({ username, password }, session, done) {
      const good = session.secure && username === 'customer' && password === 'pä55'
      if (good) done(null, { user: username })
      else done(new Error('no'))
    },
  })
})
after(async () => {
  await relay?.[Symbol.asyncDispose]()
  await world?.[Symbol.asyncDispose]()
})

const settings = (password: string) => ({
  log: { format: 'json' },
  mode: 'live',
  hostname: 'mail.sender.example',
  domains: { 'sender.example': {} },
  dns: { servers: [world.server] },
  retry: { first: '1s', longest: '1s' },
  relayhost: {
    host: 'relay.test',
    port: relay.port,
    tls: 'required',
    username: 'customer',
    password,
  },
})

async function send(posthorn: PosthornProcess, subject: string): Promise<void> {
  const transport = nodemailer.createTransport({ host: '127.0.0.1', port: posthorn.port })
  const to = ['a@one.test', 'b@two.test']
  await transport.sendMail({ from: 'me@sender.example', to, subject, text: 'x' })
  transport.close()
}

it('a relayhost with a certificate that we can verify gets password and mail', async () => {
  await using posthorn = await PosthornProcess.start({
    settings: settings('pä55'),
    environment: (folder) => ({ NODE_EXTRA_CA_CERTS: join(folder, 'authority.pem') }),
  })
  await send(posthorn, 'to the relay')
  await posthorn.emptyQueue()
  const [mail, ...more] = relay.taken.filter(({ content }) => content.includes('to the relay'))
  assert.deepEqual(more, [])
  assert.deepEqual([mail!.secure, mail!.user], [true, 'customer'])
  assert.deepEqual(mail!.to, ['a@one.test', 'b@two.test'])
  assert.match(mail!.content, /^DKIM-Signature: .*\r\n d=sender\.example;/)
})

it('without that, neither: the mail waits, and the queue says why', async () => {
  const before = relay.taken.length
  await using posthorn = await PosthornProcess.start({ settings: settings('pä55') })
  await send(posthorn, 'not to the relay')
  const why = await until(
    async () => (await posthorn.queue())[0]?.last_failure ?? undefined,
    'the first attempt fails',
  )
  assert.match(why, /relay\.test.*TLS.*certificate/)
  assert.equal(relay.taken.length, before)
})

it('a wrong password defers, and bounces nothing: the fault is ours', async () => {
  await using posthorn = await PosthornProcess.start({
    settings: settings('wrong'),
    environment: (folder) => ({ NODE_EXTRA_CA_CERTS: join(folder, 'authority.pem') }),
  })
  await send(posthorn, 'wrong password')
  const why = await until(
    async () => (await posthorn.queue())[0]?.last_failure ?? undefined,
    'the first attempt fails',
  )
  assert.match(why, /relay\.test said at auth: 535/)
  assert.equal((await posthorn.queue()).length, 2)
})
