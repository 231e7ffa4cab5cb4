import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '../std/clock.ts'
import { makeDial } from './dial.ts'

const signal = new AbortController().signal
const dial = makeDial({ clock: systemClock, patienceMs: 300 })

/** A peer that speaks as told; what it heard comes with its place. */
async function peer(speak: (socket: Socket) => void) {
  let heard = ''
  const server = createServer((socket) => {
    socket.setEncoding('latin1').on('data', (chunk: string) => (heard += chunk))
    socket.on('error', () => {})
    speak(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return {
    place: { address: '127.0.0.1', port },
    heard: () => heard,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      await closed
    },
  }
}

test('a mail server greets, says how it sees us, and is left politely', async () => {
  await using server = await peer((socket) => {
    socket.write('220-mx.example.net\r\n220 ESMTP\r\n')
    socket.on('data', (line: string) => {
      if (line.startsWith('EHLO'))
        socket.write('250-mx.example.net at your service, [203.0.113.10]\r\n250 SIZE 1000\r\n')
      else socket.end('221 bye\r\n')
    })
  })
  assert.deepEqual(await dial(server.place, { hello: 'mail.example.com', signal }), {
    kind: 'answered',
    banner: '220-mx.example.net',
    seenAs: '203.0.113.10',
  })
  assert.equal(server.heard(), 'EHLO mail.example.com\r\nQUIT\r\n')
})

test('an IPv6 address is seen too, whether or not it is written as RFC 5321 asks', async () => {
  for (const said of ['[IPv6:2001:db8::1]', '[2001:db8::1]']) {
    await using server = await peer((socket) => {
      socket.write('220 mx.example.net ESMTP\r\n')
      socket.on('data', (line: string) => {
        if (line.startsWith('EHLO')) socket.write(`250 hello ${said}\r\n`)
        else socket.end()
      })
    })
    const result = await dial(server.place, { hello: 'a.example', signal })
    assert.equal(result.kind === 'answered' && result.seenAs, '2001:db8::1')
  }
})

test('one who greets with a refusal has answered, and gets no EHLO', async () => {
  await using server = await peer((socket) => {
    socket.write('554 your address is not welcome\r\n')
    socket.on('data', () => socket.end())
  })
  assert.deepEqual(await dial(server.place, { hello: 'mail.example.com', signal }), {
    kind: 'answered',
    banner: '554 your address is not welcome',
  })
  assert.equal(server.heard(), 'QUIT\r\n')
})

test('one who takes the call and says nothing has answered without a banner', async () => {
  await using server = await peer(() => {})
  const silent = { kind: 'answered', banner: '' }
  assert.deepEqual(await dial(server.place, { hello: 'mail.example.com', signal }), silent)
  assert.deepEqual(await dial(server.place, { signal }), silent)
})

test('one who talks without end is cut off', async () => {
  await using server = await peer((socket) => {
    const timer = setInterval(() => socket.write('x'.repeat(4096)), 1)
    socket.on('close', () => clearInterval(timer))
  })
  const result = await dial(server.place, { hello: 'mail.example.com', signal })
  assert.equal(result.kind === 'answered' && result.banner.length, 200)
})

test('a closed port refuses; a call that is given up was silent', async () => {
  const closed = await peer(() => {})
  await closed[Symbol.asyncDispose]()
  assert.deepEqual(await dial(closed.place, { signal }), { kind: 'refused', why: 'ECONNREFUSED' })
  const aborted = AbortSignal.abort()
  assert.deepEqual(await dial(closed.place, { signal: aborted }), { kind: 'silent' })
})
