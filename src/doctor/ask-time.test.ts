import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import { test } from 'node:test'
import { testCertificate, testKey } from '../../test/support/certificate.ts'
import { mapResolver } from '../../test/support/dns.ts'
import { systemClock } from '../std/clock.ts'
import { makeAskTime } from './ask-time.ts'

const resolver = mapResolver({ 'time.example A': ['127.0.0.1'] })
const signal = new AbortController().signal

async function webServer(answer: RequestListener) {
  const server = createServer({ key: testKey, cert: testCertificate }, answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const options = { resolver, clock: systemClock, patienceMs: 500, port }
  return {
    ask: (allowPrivate = true) => makeAskTime({ ...options, allowPrivate })('time.example', signal),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

test('the Date of a web server, whose certificate may be anyone’s', async () => {
  const heard: string[] = []
  await using web = await webServer((request, response) => {
    heard.push(`${request.method} ${request.url} ${request.headers.host}`)
    response.sendDate = false
    response.setHeader('date', 'Sun, 06 Nov 1994 08:49:37 GMT')
    response.writeHead(404).end()
  })
  assert.equal(await web.ask(), Date.UTC(1994, 10, 6, 8, 49, 37))
  assert.deepEqual(heard, ['HEAD / time.example'])
})

test('no date, a broken one, silence', async () => {
  await using none = await webServer((_request, response) => {
    response.sendDate = false
    response.end()
  })
  assert.equal(await none.ask(), undefined)
  await using silent = await webServer(() => {})
  await assert.rejects(silent.ask(), /no answer in time/)
})

test('private addresses are not asked unless they are allowed', async () => {
  await using web = await webServer((_request, response) => response.end())
  await assert.rejects(web.ask(false), /no address/)
})
