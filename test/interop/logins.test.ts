// Who logs in, and how: other people's clients with every mechanism that they know, and what a
// credential may do once it is in.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type PosthornHere, startHere, TLS_LISTENERS } from '../support/posthorn.ts'
import { missing, PYTHON, type Ran, run } from '../support/tools.ts'
import { converse } from '../support/transcript.ts'

const MECHANISMS = ['plain', 'login', 'scram-sha-256', 'scram-sha-256-plus', 'external', 'cram-md5']

let posthorn: PosthornHere
let password: string
before(async () => {
  posthorn = await startHere({
    ...TLS_LISTENERS,
    auth: { mechanisms: MECHANISMS, client_authorities: 'authority.pem' },
  })
  password = await made('shop', { cram_md5: true })
})
after(() => posthorn?.[Symbol.asyncDispose]())

async function made(name: string, terms: Record<string, unknown> = {}): Promise<string> {
  const body = { name, ...terms }
  const path = '/api/v1/credentials'
  return (await posthorn.ask<{ password: string }>(path, 'POST', body)).password
}

const plain = (name: string, word: string) => Buffer.from(`\0${name}\0${word}`).toString('base64')
const HELLO = 'S: 220 *\nC: EHLO a.example\nS: ...\nS: 250 *'

describe('gsasl', { skip: missing('gsasl') }, () => {
  const gsasl = (mechanism: string, word: string, ...more: string[]): Promise<Ran> =>
    run('gsasl', [
      ...['--smtp', '--connect', `localhost:${posthorn.ports.submission}`, '-m', mechanism],
      ...['-a', 'shop', '-z', '', '-p', word, '--verbose', ...more],
      `--x509-ca-file=${join(posthorn.folder, 'authority.pem')}`,
    ])
  const ways: [string, string[]][] = [
    ['SCRAM-SHA-256-PLUS', []],
    ['SCRAM-SHA-256', ['--no-cb']],
    ['PLAIN', []],
    ['LOGIN', []],
    ['CRAM-MD5', []],
  ]
  for (const [mechanism, more] of ways)
    it(`logs in with ${mechanism}, and not with a wrong password`, async () => {
      const right = await gsasl(mechanism, password, ...more)
      assert.match(right.out, /^235 2\.7\.0 /m, right.out + right.err)
      assert.equal(right.code, 0)
      const wrong = await gsasl(mechanism, 'wrong password', ...more)
      assert.match(wrong.out, /^535 5\.7\.8 /m)
      const logins = posthorn.log().filter((line) => line.mechanism === mechanism)
      assert.deepEqual(
        logins.map(({ message, username, why }) => [message, username, why]),
        [
          ['login', 'shop', undefined],
          ['login refused', 'shop', 'wrong'],
        ],
      )
      assert.ok(!JSON.stringify(posthorn.log()).includes(password))
    })
})

it('smtplib logs in with each mechanism that it has', { skip: missing(PYTHON) }, async () => {
  const script = `
import smtplib
for mechanism in ('auth_cram_md5', 'auth_plain', 'auth_login'):
    server = smtplib.SMTP('localhost', ${posthorn.ports.submission})
    server.starttls()
    server.ehlo()
    server.user, server.password = 'shop', '${password}'
    name = mechanism[5:].upper().replace('_', '-')
    assert server.auth(name, getattr(server, mechanism))[0] == 235
    server.quit()
`
  assert.deepEqual(await run(PYTHON, ['-'], { input: script }), { code: 0, out: '', err: '' })
})

it('a client certificate stands for the credential that names it', async () => {
  await made('robot', { certificate_only: true, certificates: ['mx.example.com'] })
  const send = async (certificate: string[]) => {
    const session = `EHLO a.example\r\nAUTH EXTERNAL =\r\nQUIT\r\n`
    const port = `localhost:${posthorn.ports.submissions}`
    const args = ['s_client', '-connect', port, '-quiet', '-crlf', '-ign_eof', ...certificate]
    return (await run('openssl', args, { input: session.replaceAll('\r', '') })).out
  }
  const [chain, key] = ['certificate.pem', 'key.pem'].map((name) => join(posthorn.folder, name))
  const known = await send(['-cert', chain!, '-key', key!])
  assert.match(known, /^250-AUTH .*\bEXTERNAL\b/m)
  assert.match(known, /^235 2\.7\.0 /m)
  const without = await send([])
  assert.doesNotMatch(without, /EXTERNAL/)
  assert.match(without, /^504 5\.5\.4 /m)

  const [strange, strangeKey] = ['strange.pem', 'strange.key'].map((one) =>
    join(posthorn.folder, one),
  )
  const wanted = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-subj',
    '/CN=mx.example.com',
  ]
  const files = ['-keyout', strangeKey!, '-out', strange!]
  const request = await run('openssl', ['req', '-x509', '-nodes', ...wanted, ...files])
  assert.equal(request.code, 0, request.err)
  const unknown = await send(['-cert', strange!, '-key', strangeKey!])
  assert.match(unknown, /^504 5\.5\.4 /m)
  const [line] = posthorn.log('client certificate refused')
  assert.equal(line?.client, '127.0.0.1')
})

it('limits say when it is possible again, and the rest of a message goes out', async () => {
  const word = await made('limited', { per_hour: 2, stream: 'broadcast' })
  await converse(
    posthorn.port,
    `${HELLO}
     C: AUTH PLAIN ${plain('limited', word)}
     S: 235 *
     C: MAIL FROM:<a@shop.test>
     S: 250 *
     C: RCPT TO:<a@kunde.test>
     S: 250 *
     C: RCPT TO:<b@kunde.test>
     S: 250 *
     C: RCPT TO:<c@kunde.test>
     S: 452 4.7.1 The credential limited may send to 2 recipients an hour and has. Possible again from 20*
     C: DATA
     S: 354 *
     C: Subject: limited
     C: List-Unsubscribe: <https://shop.test/leave>
     C: List-Unsubscribe-Post: List-Unsubscribe=One-Click
     C:
     C: .
     S: 250 2.0.0 *
     C: MAIL FROM:<a@shop.test>
     S: 450 4.7.1 *
     C: NOOP
     S: 250 *`,
  )
  const [accepted] = posthorn.log('accepted').filter(({ by }) => by === 'limited')
  assert.equal(accepted?.stream, 'broadcast')
  const view = await posthorn.ask<{ used: unknown }>('/api/v1/credentials/limited')
  assert.deepEqual(view.used, { per_minute: 0, per_hour: 2, per_day: 0 })
})

it('a credential sends only as it may, in From and in the envelope, by no trick', async () => {
  const word = await made('narrow', { addresses: ['News@shop.test'] })
  const tricks: [envelope: string, from: string][] = [
    ['boss@shop.test', 'news@shop.test'],
    ['news@shop.test', 'boss@shop.test'],
    ['news@shop.test', 'news@shop.test, boss@shop.test'],
    ['"news@shop.test"@other.test', 'news@shop.test'],
    ['news%shop.test@other.test', 'news@shop.test'],
    ['shop.test!news@other.test', 'news@shop.test'],
    ['@shop.test:news@other.test', 'news@shop.test'],
    ['news@shop.test', '"news@shop.test" <boss@shop.test>'],
    ['news@shop.test.other.test', 'news@shop.test'],
  ]
  const message = (envelope: string, from: string, answer: string) => `
     C: MAIL FROM:<${envelope}>
     S: 250 *
     C: RCPT TO:<a@kunde.test>
     S: 250 *
     C: DATA
     S: 354 *
     C: From: ${from}
     C:
     C: .
     S: ${answer}`
  const script = tricks.map(([envelope, from]) => message(envelope, from, '5*')).join('')
  const good = message('news@shop.test', 'News <NEWS@shop.test>', '250 2.0.0 *')
  const login = `C: AUTH PLAIN ${plain('narrow', word)}\nS: 235 *`
  await converse(posthorn.port, `${HELLO}\n${login}${script}${good}`)
})

it('networks are looked at after the password; revocation ends open sessions', async () => {
  const elsewhere = await made('elsewhere', { networks: ['10.0.0.0/8'] })
  await converse(
    posthorn.port,
    `${HELLO}\nC: AUTH PLAIN ${plain('elsewhere', elsewhere)}\nS: 535 5.7.8 *`,
  )
  assert.equal(posthorn.log('login refused').at(-1)?.why, 'network')
  const brief = await made('brief')
  const login = `C: AUTH PLAIN ${plain('brief', brief)}`
  const path = '/api/v1/credentials/brief'
  const session = converse(
    posthorn.port,
    `${HELLO}\n${login}\nS: 235 *\nS: 421 4.7.0 *\nS: (closed)`,
  )
  while (!posthorn.log('login').some(({ username }) => username === 'brief'))
    await new Promise(setImmediate)
  const rotated = await posthorn.ask<{ password: string }>(`${path}/rotate`, 'POST')
  await session
  await converse(posthorn.port, `${HELLO}\n${login}\nS: 535 *`)
  await converse(
    posthorn.port,
    `${HELLO}\nC: AUTH PLAIN ${plain('brief', rotated.password)}\nS: 235 *`,
  )
  await posthorn.ask(path, 'DELETE')
})

it('a password file with a fault imports nothing; without one its users log in', async () => {
  const file = join(posthorn.folder, 'users')
  const crypt = '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'
  writeFileSync(file, `old:${crypt}\nbad:{BLF-CRYPT}$2y$10$x\n`)
  const refused = await posthorn.command(['credential', 'import', 'users'])
  assert.equal(refused.code, 1)
  assert.match(
    refused.err,
    /users has faults; nothing was imported:\n {2}line 2: BLF-CRYPT is not read/,
  )
  writeFileSync(file, readFileSync(file, 'utf8').split('\n')[0]!)
  assert.equal((await posthorn.command(['credential', 'import', 'users'])).out, 'Imported 1.\n')
  // Until its first login nobody knows the password, so SCRAM is not offered; then it is.
  const before = await converse(posthorn.port, HELLO)
  assert.doesNotMatch(before, /SCRAM/)
  const login = `C: AUTH PLAIN ${plain('old', 'Hello world!')}\nS: 235 *`
  await converse(posthorn.port, `${HELLO}\n${login}`)
  assert.match(await converse(posthorn.port, HELLO), /AUTH SCRAM-SHA-256 /)
})
