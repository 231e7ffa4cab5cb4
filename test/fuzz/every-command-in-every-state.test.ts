// RFC 5321 §4.1.4 as a table: what each command is answered in each state, and the state after it.
// States: s before a hello, h after it, m a sender is named, r a recipient is taken, x all recipients
// were refused, c a chunk of content has come (RFC 3030), d content is awaited, t a TLS handshake is
// awaited, q closed. The columns `tls` and `login` are h over TLS and with a credential.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openListener, PASSWORD, type TestListener } from '../support/listener.ts'
import { Peer } from '../support/transcript.ts'

const LOGIN = `AUTH PLAIN ${Buffer.from(`\0app\0${PASSWORD}`).toString('base64')}`

const TABLE = `
                           s     h     m     r     x     c     tls   login
EHLO a.example             250 h 250 h 250 h 250 h 250 h 250 h 250 h 250 h
HELO a.example             250 h 250 h 250 h 250 h 250 h 250 h 250 h 250 h
MAIL FROM:<a@example.com>  503 s 250 m 503 m 503 r 503 x 503 c 250 m 250 m
RCPT TO:<b@example.org>    503 s 503 h 250 r 250 r 250 r 503 c 503 h 503 h
RCPT TO:<nobody@b.example> 503 s 503 h 550 x 550 r 550 x 503 c 503 h 503 h
DATA                       503 s 503 h 503 m 354 d 554 x 503 c 503 h 503 h
BDAT 0                     503 s 503 h 503 m 250 c 554 x 250 c 503 h 503 h
BDAT 0 LAST                503 s 503 h 503 m 250 h 554 x 250 h 503 h 503 h
RSET                       250 s 250 h 250 h 250 h 250 h 250 h 250 h 250 h
NOOP                       250 s 250 h 250 m 250 r 250 x 250 c 250 h 250 h
VRFY b                     252 s 252 h 252 m 252 r 252 x 252 c 252 h 252 h
HELP                       214 s 214 h 214 m 214 r 214 x 214 c 214 h 214 h
LOGIN                      503 s 235 h 503 m 503 r 503 x 503 c 235 h 503 h
STARTTLS                   503 s 220 t 503 m 503 r 503 x 503 c 503 h 220 t
QUIT                       221 q 221 q 221 q 221 q 221 q 221 q 221 q 221 q
EHLO                       501 s 501 h 501 m 501 r 501 x 501 c 501 h 501 h
MAIL FROM:<                501 s 501 h 501 m 501 r 501 x 501 c 501 h 501 h
RCPT TO:<                  501 s 501 h 501 m 501 r 501 x 501 c 501 h 501 h
MAIL FROM:<a@b> HOLDFOR=5  503 s 555 h 503 m 503 r 503 x 503 c 555 h 555 h
MAIL FROM:<a@b> BY=0;R     501 s 501 h 501 m 501 r 501 x 501 c 501 h 501 h
RCPT TO:<b@c.example> X=1  555 s 555 h 555 m 555 r 555 x 555 c 555 h 555 h
DATA now                   501 s 501 h 501 m 501 r 501 x 501 c 501 h 501 h
BDAT -1                    501 s 501 h 501 m 501 r 501 x 501 c 501 h 501 h
AUTH                       501 s 501 h 501 m 501 r 501 x 501 c 501 h 501 h
AUTH NTLM                  503 s 504 h 503 m 503 r 503 x 503 c 504 h 503 h
STARTTLS now               501 s 501 h 501 m 501 r 501 x 501 c 501 h 501 h
EXPN list                  502 s 502 h 502 m 502 r 502 x 502 c 502 h 502 h
XCLIENT ADDR=10.0.0.1      550 s 550 h 503 m 503 r 503 x 503 c 550 h 550 h
XCLIENT ADDR=x             501 s 501 h 501 m 501 r 501 x 501 c 501 h 501 h
PROXY TCP4 10.0.0.1        554 q 554 q 554 q 554 q 554 q 554 q 554 q 554 q
FROB                       500 s 500 h 500 m 500 r 500 x 500 c 500 h 500 h
GET / HTTP/1.1             500 q 500 q 500 q 500 q 500 q 500 q 500 q 500 q
`

/** What brings a new session into the state of a column. */
const WAYS: Readonly<Record<string, readonly string[]>> = {
  s: [],
  h: ['EHLO a.example'],
  m: ['EHLO a.example', 'MAIL FROM:<a@example.com>'],
  r: ['EHLO a.example', 'MAIL FROM:<a@example.com>', 'RCPT TO:<b@example.org>'],
  x: ['EHLO a.example', 'MAIL FROM:<a@example.com>', 'RCPT TO:<nobody@example.org>'],
  c: [
    'EHLO a.example',
    'MAIL FROM:<a@example.com>',
    'RCPT TO:<b@example.org>',
    'BDAT 9\r\nSubject: ',
  ],
  tls: ['EHLO a.example', 'STARTTLS', 'EHLO a.example'],
  login: ['EHLO a.example', LOGIN],
}

let open: TestListener
before(async () => {
  open = await openListener({ tls: 'starttls', authWithoutTls: true })
})
after(() => open.listener.drain(0))

/** Says a line; the code of the reply to it, and its last line. */
async function ask(peer: Peer, line: string): Promise<[number, string]> {
  await peer.say(line.startsWith('BDAT 9\r\n') ? line : `${line}\r\n`)
  let said = await peer.line()
  while (said[3] === '-') said = await peer.line()
  return [Number(said.slice(0, 3)), said]
}

/** The state that a session is in, from what it says to MAIL and DATA. */
async function stateOf(peer: Peer, code: number): Promise<string> {
  if (code === 354) {
    const [end] = await ask(peer, '.')
    assert.equal(end, 250)
    return 'd'
  }
  if (code === 220) {
    await peer.upgrade()
    assert.equal(await stateOf(peer, 0), 's', 'after a handshake all is forgotten')
    return 't'
  }
  const [, mail] = await ask(peer, 'MAIL FROM:<probe@example.com>')
  if (mail === '(closed)') return 'q'
  const [data] = await ask(peer, 'DATA')
  if (mail.startsWith('250')) return data === 503 ? 'h' : `odd: ${data} to DATA`
  if (/send EHLO/.test(mail)) return 's'
  if (/chunks/.test(mail)) return 'c'
  assert.match(mail, /^503 .*nested/)
  return { 354: 'r', 554: 'x', 503: 'm' }[data] ?? `odd: ${data} to DATA`
}

async function cell(column: string, line: string): Promise<string> {
  const peer = new Peer(open.port)
  await peer.expect('220*')
  for (const step of WAYS[column]!) {
    const [code, said] = await ask(peer, step)
    assert.ok(code < 400, said)
    if (step === 'STARTTLS') await peer.upgrade()
    if (column === 'x' && step.startsWith('MAIL')) break
  }
  if (column === 'x') assert.equal((await ask(peer, WAYS['x']!.at(-1)!))[0], 550)
  const [code] = await ask(peer, line === 'LOGIN' ? LOGIN : line)
  const state = await stateOf(peer, code)
  peer.leave()
  return `${code} ${state}`
}

const [head, ...rows] = TABLE.trim().split('\n')
const columns = head!.trim().split(/\s+/)
for (const row of rows) {
  const line = row.slice(0, 27).trimEnd()
  const expected = row.slice(27).match(/\d{3} [a-z]/g)!
  test(`${line}`, async () => {
    assert.equal(expected.length, columns.length)
    const accepted = open.received.length
    const found: string[] = []
    for (const column of columns) found.push(await cell(column, line))
    assert.deepEqual(found, expected)
    // Only DATA and the last chunk bring a message, and only where there is one to bring.
    const messages = expected.filter((one) => one === '354 d').length
    const chunks = line === 'BDAT 0 LAST' ? expected.filter((one) => one === '250 h').length : 0
    assert.equal(open.received.length - accepted, messages + chunks)
  })
}
