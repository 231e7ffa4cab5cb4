import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { posthorn, startHere } from '../../../test/support/posthorn.ts'
import { temporaryFolder } from '../../../test/support/tools.ts'
import type { PolicyAnswer } from '../../api/policy.ts'

describe('posthorn policy test', () => {
  const folder = temporaryFolder()
  const aliases = join(folder.path, 'aliases')
  let server: Awaited<ReturnType<typeof startHere>>
  const test = (line: string, environment = {}) =>
    posthorn(['policy', 'test', ...line.split(' ')], { folder: folder.path, environment })
  before(async () => {
    writeFileSync(aliases, 'root: admin@example.com\nnobody: /dev/null\na: b\nb: a\n')
    server = await startHere(
      {
        mode: 'sandbox',
        hostname: 'web1.example.com',
        networks: ['127.0.0.1/32', '10.0.0.0/8'],
        domains: {
          'example.com': { mode: 'live', selector: 's1' },
          'plain.example': { mode: 'live', sign: false },
          'box.example': {},
        },
        credentials: {
          app: { password: 'correct horse battery', domains: ['example.com'] },
          other: { password: 'correct horse battery', domains: ['plain.example'] },
        },
        listeners: { submission: { address: '127.0.0.1', port: 0, tls: 'none', auth: 'required' } },
        routes: { 'partner.example': 'smtp://10.0.0.25:2525' },
        rewrite: {
          local_domain: 'example.com',
          aliases: [aliases],
          always_bcc: ['archive@partner.example'],
        },
        doctor: { every: '0s' },
      },
      { folder: folder.path },
    )
  })
  after(async () => {
    await server?.[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  it('tells of a machine’s own mail, from the door to the next server', async () => {
    const { out, code, err } = await test('root root bob@gmail.com nobody')
    assert.equal(err, '')
    const shown = out.replaceAll(String(server.port), 'P').replace(/(submission .*):\d+/, '$1:P')
    assert.equal(
      shown,
      `From 127.0.0.1
  smtp 127.0.0.1:P  may hand in mail without a password
  submission 127.0.0.1:P  needs a password
Sender <root>
  rewrite.local_domain: root@example.com
  may be sent as example.com, live
  signed by s1._domainkey.example.com
  credentials that may: app
Recipient <root>
  rewrite.aliases: admin@example.com
  <admin@example.com>  to the mail hosts of example.com, port 25  (site example.com)
Recipient <bob@gmail.com>
  not rewritten
  <bob@gmail.com>  to the mail hosts of gmail.com, port 25  (site gmail.com)
Recipient <nobody>
  rewrite.aliases: thrown away by its alias
  thrown away by its alias
Copies for always_bcc
  <archive@partner.example>  to the relay 10.0.0.25, port 2525  (site relay:10.0.0.25:2525)
`,
    )
    assert.equal(code, 0)
  })

  it('asks what intake asks: strangers, credentials, worlds', async () => {
    const ask = (from: string, to: string, more: object = {}) =>
      server.ask<PolicyAnswer>('/api/v1/policy/test', 'POST', { from, to: [to], ...more })
    const doors = async (more: object) =>
      (await ask('x@example.com', 'a@b.example', more)).listeners.map(({ may }) => may)
    assert.deepEqual(await doors({ client: '192.0.2.1' }), [false, false])
    assert.deepEqual(await doors({ client: '10.1.2.3' }), [true, false])
    assert.deepEqual(await doors({ client: '192.0.2.1', credential: 'app' }), [true, true])
    const { rights, credentials } = await ask('x@plain.example', 'a@b.example')
    assert.deepEqual(rights, { may: true, world: 'live', domain: 'plain.example', selectors: [] })
    assert.deepEqual(credentials, ['other'])
    const boxed = await ask('x@box.example', 'a@b.example')
    assert.equal(boxed.recipients[0]?.routes[0]?.by, 'sandbox')
    const foreign = await ask('x@plain.example', 'a@b.example', { credential: 'app' })
    assert.match(JSON.stringify(foreign.rights), /"may":false.*550 5\.7\.1 You may not/)
    const circle = await ask('x@example.com', 'a')
    assert.match(circle.recipients[0]?.refused ?? '', /^550 5\.4\.6 .*circles/)
    await assert.rejects(ask('x@example.com', 'b@'), /400 .*NOT_AN_ADDRESS/)
    await assert.rejects(
      ask('x@example.com', 'a@b.example', { credential: 'no' }),
      /404 .*NO_CREDENTIAL/,
    )
    await assert.rejects(ask('x@example.com', 'a@b.example', { client: 'here' }), /400/)
  })

  it('as JSON, in Russian, and what it cannot read', async () => {
    const [json, russian, wrong, refused] = await Promise.all([
      test('x@example.com a@b.example --json'),
      test('root a@b.example', { POSTHORN_LANG: 'ru' }),
      test('x@example.com a@b.example --client here'),
      test('x@plain.example a@b.example --credential app'),
    ])
    assert.deepEqual((JSON.parse(json.out) as PolicyAnswer).rights, {
      may: true,
      world: 'live',
      domain: 'example.com',
      selectors: ['s1'],
    })
    assert.match(russian.out, /^Отправитель <root>/m)
    assert.deepEqual([wrong.code, wrong.err], [2, '--client: here is no IP address\n'])
    assert.match(refused.out, /REFUSED: 550/)
    assert.equal(refused.code, 1)
  })
})
