import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { registryAt } from './registration.ts'

const ANSWERS: Readonly<Record<string, [number, string]>> = {
  '/domain/example.com': [
    200,
    '{"events":[{"eventAction":"expiration","eventDate":"2030-01-01T00:00:00Z"},{"eventAction":"registration","eventDate":"2026-11-12T10:00:00Z"}]}',
  ],
  '/domain/none.example': [200, '{"events":"?"}'],
  '/domain/odd.example': [200, '{"events":[null,{"eventAction":"registration","eventDate":"?"}]}'],
  '/domain/broken.example': [200, '<html>'],
  '/domain/large.example': [200, '"'.padEnd(300_000, 'x')],
}
const server = createServer((request, response) => {
  if (request.url === '/domain/moved.example')
    return response.writeHead(302, { location: '/domain/example.com' }).end()
  const [status, text] = ANSWERS[request.url ?? ''] ?? [404, '{}']
  return response.writeHead(status, { 'content-type': 'application/rdap+json' }).end(text)
})
let ask: ReturnType<typeof registryAt>
before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ask = registryAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}/domain/`)
})
after(() => server.close())

test('the date of registration, where the registry tells it', async () => {
  const { signal } = new AbortController()
  const at = Date.UTC(2026, 10, 12, 10)
  assert.equal(await ask('example.com', signal), at)
  assert.equal(await ask('moved.example', signal), at)
  for (const silent of ['none.example', 'odd.example', 'unknown.example'])
    assert.equal(await ask(silent, signal), undefined, silent)
  for (const broken of ['broken.example', 'large.example'])
    await assert.rejects(ask(broken, signal), broken)
})
