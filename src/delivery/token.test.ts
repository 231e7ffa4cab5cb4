import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { SMTPServer } from 'smtp-server'
import { testCertificate, testKey } from '../../test/support/certificate.ts'
import { ManualClock } from '../../test/support/clock.ts'
import { shortTimeouts } from '../../test/support/delivery.ts'
import { openSession } from '../smtp/open.ts'
import { TlsMemory } from '../smtp/tls-memory.ts'
import { systemClock } from '../std/clock.ts'
import { TokenSource } from './token.ts'

type Provider = Disposable & { readonly endpoint: string; readonly asked: URLSearchParams[] }

/** A provider that answers what it is told, one after the other. */
async function provider(...answers: { status?: number; body: unknown }[]): Promise<Provider> {
  const asked: URLSearchParams[] = []
  const server: Server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk) => {
      text += chunk
    })
    request.on('end', () => {
      asked.push(new URLSearchParams(text))
      const answer = answers[Math.min(asked.length, answers.length) - 1]!
      response.statusCode = answer.status ?? 200
      response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}/token`,
    asked,
    [Symbol.dispose]: () => void server.close(),
  }
}

const source = (
  endpoint: string,
  more: { accessToken?: string; kept?: string[]; clock?: ManualClock } = {},
) =>
  new TokenSource(
    {
      endpoint,
      clientId: 'app',
      clientSecret: 'hush',
      refreshToken: 'r1',
      ...(more.accessToken !== undefined && { accessToken: more.accessToken }),
    },
    { clock: more.clock ?? systemClock, keep: async (text) => void more.kept?.push(text) },
  )

describe('tokens of a relay', () => {
  it('are renewed when they end, once for all who wait, with the newest refresh token', async () => {
    using one = await provider(
      { body: { access_token: 'a1', expires_in: 3600, refresh_token: 'r2' } },
      { body: { access_token: 'a2' } },
    )
    const clock = new ManualClock()
    const kept: string[] = []
    const tokens = source(one.endpoint, { clock, kept })
    assert.deepEqual(await Promise.all([tokens.get(), tokens.get()]), ['a1', 'a1'])
    assert.equal(one.asked.length, 1)
    assert.deepEqual(Object.fromEntries(one.asked[0]!), {
      grant_type: 'refresh_token',
      refresh_token: 'r1',
      client_id: 'app',
      client_secret: 'hush',
    })
    assert.deepEqual(kept, ['r2'])
    await clock.advance(3_500_000)
    assert.equal(await tokens.get(), 'a1')
    await clock.advance(60_000)
    assert.equal(await tokens.get(), 'a2')
    assert.equal(one.asked[1]!.get('refresh_token'), 'r2')
  })

  it('do not come: each way has its words', async () => {
    const cases: [{ status?: number; body: unknown }, RegExp][] = [
      [{ status: 400, body: { error: 'invalid_grant' } }, /answered 400: invalid_grant/],
      [{ body: 'not JSON' }, /no token from/],
      [{ body: { token: 'x' } }, /gave no access token/],
      [{ body: { access_token: 'a b\r\nc' } }, /gave no access token/],
      [{ body: 'x'.repeat(70_000) }, /the answer is too long/],
    ]
    for (const [answer, says] of cases) {
      using one = await provider(answer)
      await assert.rejects(source(one.endpoint).get(), { name: 'TokenFault', message: says })
    }
    await assert.rejects(source('http://127.0.0.1:1/').get(), { name: 'TokenFault' })
  })

  it('open a session; a stale one is replaced in the same session', async () => {
    using one = await provider({ body: { access_token: 'fresh' } })
    const seen: string[] = []
    const relay = new SMTPServer({
      key: testKey,
      cert: testCertificate,
      authMethods: ['XOAUTH2'],
      onAuth(auth, _session, callback) {
        seen.push(`${auth.username} ${auth.accessToken}`)
        if (auth.accessToken === 'fresh') return callback(null, { user: 'me' })
        return callback(null, { data: { status: '401', schemes: 'bearer' } } as never)
      },
    })
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = relay.server.address() as AddressInfo
      const tokens = source(one.endpoint, { accessToken: 'stale' })
      const opened = await openSession(
        { host: 'relay.test', address: '127.0.0.1', port },
        {
          clock: systemClock,
          helloName: 'mail.example.com',
          security: { level: 'opportunistic', verify: false },
          login: { username: 'me@example.com', password: '', inTheClear: false, tokens },
          timeouts: shortTimeouts,
          tlsMemory: new TlsMemory(systemClock),
          signal: new AbortController().signal,
        },
      )
      assert.equal(opened.kind, 'open')
      assert.deepEqual(seen, ['me@example.com stale', 'me@example.com fresh'])
      if (opened.kind === 'open') opened.session.destroy()
    } finally {
      await new Promise<void>((resolve) => relay.close(resolve))
    }
  })
})
