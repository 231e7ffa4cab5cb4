// From a zone as people have them to one that receivers believe, by one command, shown before it is done.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { posthorn, writeSettings } from '../support/posthorn.ts'
import { missingPrimary, PRIMARY_KEY, startPrimary } from '../support/primary.ts'

const ZONE = `@ TXT "v=spf1 include:_spf.google.com -all"
@ TXT "v=spf1 mx ~all"
@ TXT "verify=1"
@ MX 10 mx.google.com.
_dmarc TXT "v=DMARC1; p=quarantine; pct=50"
p9._domainkey CNAME gone.other.example.
`

test('dns publish', { skip: missingPrimary('knot'), timeout: 120_000 }, async (context) => {
  await using primary = await startPrimary('knot', { zone: 'example.com', records: ZONE })
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-publish-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  const server = `127.0.0.1:${primary.port}`
  writeSettings(folder, {
    mode: 'live',
    hostname: 'mail.example.com',
    public_ipv4: '203.0.113.10',
    dns: { servers: [server] },
    dns_publish: {
      provider: 'rfc2136',
      server,
      key_name: PRIMARY_KEY.name,
      key_secret: PRIMARY_KEY.secret,
      check_at: [server],
    },
  })
  const run = (...args: string[]) => posthorn(args, { folder })
  const texts = () => primary.dig('example.com', 'TXT')

  const added = await run('domain', 'add', 'example.com', '--live', '--selector', 'p9')
  assert.equal(added.code, 0, added.err)

  const before = await texts()
  const shown = await run('dns', 'publish', 'EXAMPLE.com.', '--dry-run')
  assert.equal(shown.code, 0, shown.err)
  assert.match(
    shown.out,
    /~ CHANGE TXT example\.com\n {6}- v=spf1 .*\n {6}\+ v=spf1 ip4:203\.0\.113\.10 /,
  )
  assert.match(shown.out, /- REMOVE CNAME p9\._domainkey\.example\.com/)
  assert.match(shown.out, /REMOVE TXT example\.com/)
  const unasked = await run('dns', 'publish', 'example.com')
  assert.equal(unasked.code, 2)
  assert.match(unasked.err, /--yes/)
  assert.deepEqual(await texts(), before, 'nothing was changed so far')

  const made = await run('dns', 'publish', 'example.com', '--yes')
  assert.equal(made.code, 0, made.out + made.err)
  assert.match(made.out, /Every name server shows them\.$/m)
  const after = await texts()
  assert.equal(after.filter((text) => text.includes('v=spf1')).length, 1)
  assert.ok(after.includes('"verify=1"'), 'what is not ours stays')
  assert.deepEqual(await primary.dig('_dmarc.example.com', 'TXT'), [
    '"v=DMARC1; p=quarantine; rua=mailto:dmarc@example.com"',
  ])
  assert.deepEqual(await primary.dig('mail.example.com', 'A'), ['203.0.113.10'])

  const again = await run('dns', 'publish', 'example.com', '--yes')
  assert.equal(again.out, 'Nothing to change.\n')
  const table = await run('dns', 'example.com', '--only', 'spf,dkim,dmarc', '--json')
  const { records } = JSON.parse(table.out) as { records: { state: string }[] }
  assert.deepEqual(
    records.map(({ state }) => state),
    ['present', 'present', 'present', 'present'],
  )
})
