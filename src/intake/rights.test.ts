import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Domain } from '../mail/domain.ts'
import { parseMailbox } from '../mail/mailbox.ts'
import type { Sender, World } from '../mail/message.ts'
import { Refusal } from '../mail/reply.ts'
import { judge, type RightsTable, rightsOf } from './rights.ts'

const domains: Record<string, World> = {
  'live.example': 'live',
  'captured.example': 'sandbox',
  'keyless.example': 'live',
  'keyless-captured.example': 'sandbox',
}
const keys: Record<string, string> = {
  'live.example': 'key of live',
  'news.live.example': 'key of live',
  'captured.example': 'key of captured',
}
const credentials: Record<string, { domains: Domain[]; addresses?: string[] }> = {
  all: { domains: [] },
  one: { domains: ['live.example' as Domain] },
  single: { domains: [], addresses: ['news@live.example', '"a b"@live.example'] },
}

function table(mode: World): RightsTable<string> {
  return {
    mode,
    worldOf: (domain) => domains[domain],
    keysFor: (domain) => keys[domain],
    sandboxKeys: (domain) => `sandbox key as ${domain}`,
    grantOf: (name) => credentials[name] && { addresses: [], ...credentials[name] },
  }
}

const network: Sender = { kind: 'network', address: '127.0.0.1' }
const credential = (name: string): Sender => ({ kind: 'credential', name })

function ask(mode: World, author: string, sender = network, reversePath: string | null = null) {
  const mailbox = (text: string) => parseMailbox(text) ?? assert.fail(text)
  const question = {
    sender,
    author: mailbox(author),
    reversePath: reversePath === null ? null : mailbox(reversePath),
  }
  return judge(question, table(mode))
}

describe('judge', () => {
  const good: [World, string, World, string][] = [
    ['sandbox', 'a@nobody.example', 'sandbox', 'sandbox key as nobody.example'],
    ['sandbox', 'a@gmail.com', 'sandbox', 'sandbox key as gmail.com'],
    ['sandbox', 'a@live.example', 'live', 'key of live'],
    ['sandbox', 'a@news.live.example', 'live', 'key of live'],
    ['sandbox', 'a@captured.example', 'sandbox', 'key of captured'],
    ['sandbox', 'a@keyless-captured.example', 'sandbox', 'sandbox key as keyless-captured.example'],
    ['live', 'a@live.example', 'live', 'key of live'],
    ['live', 'a@captured.example', 'sandbox', 'key of captured'],
  ]
  for (const [mode, author, world, key] of good) {
    it(`mode ${mode}: ${author} travels ${world}`, () => {
      const rights = ask(mode, author)
      assert.equal(rights.world, world)
      assert.equal(rights.keys, key)
      assert.equal(rights.fromDomain, author.split('@')[1])
    })
  }

  const bad: [string, () => unknown, RegExp][] = [
    [
      'a domain that is not ours',
      () => ask('live', 'a@nobody.example'),
      /^550 5\.7\.1 You may not send as a@nobody\.example: nobody\.example is not verified here\. Fix: posthorn domain add nobody\.example$/,
    ],
    [
      'a mail provider',
      () => ask('live', 'a@gmail.com'),
      /^550 5\.7\.1 .*gmail\.com forbids others to send for it.*put a@gmail\.com into Reply-To$/,
    ],
    [
      'a live domain without a key',
      () => ask('live', 'a@keyless.example'),
      /^451 4\.3\.5 Nothing is sent unsigned for a live domain/,
    ],
    ['the same in mode sandbox', () => ask('sandbox', 'a@keyless.example'), /^451 4\.3\.5/],
    ['an address literal', () => ask('sandbox', 'a@[192.0.2.1]'), /^550 5\.7\.1 .*literal/],
    [
      "a look-alike of a credential's domain",
      () => ask('sandbox', 'a@notlive.example', credential('one')),
      /^550 5\.7\.1 You may not send as a@notlive\.example: the credential one is only for live\.example$/,
    ],
    [
      'another domain in the envelope',
      () => ask('live', 'a@live.example', credential('one'), 'a@captured.example'),
      /^550 5\.7\.1 You may not send as a@captured\.example: the credential one/,
    ],
    [
      'a revoked credential',
      () => ask('live', 'a@live.example', credential('gone')),
      /^535 5\.7\.8/,
    ],
  ]
  for (const [what, act, text] of bad) {
    it(`refuses ${what}`, () => {
      assert.throws(act, (error) => {
        assert.ok(error instanceof Refusal)
        assert.match(error.message, text)
        return true
      })
    })
  }

  it('lets a credential use its single addresses, in any case, and nothing beside them', () => {
    const single = credential('single')
    assert.equal(ask('live', 'News@LIVE.example', single, 'news@live.example').world, 'live')
    assert.equal(ask('live', '"A b"@live.example', single).world, 'live')
    for (const other of ['new@live.example', 'news@news.live.example', 'news+x@live.example'])
      assert.throws(() => ask('live', other, single), /only for news@live\.example/)
  })

  it('lets a credential use its domains, their subdomains and the null reverse-path', () => {
    assert.equal(ask('live', 'a@live.example', credential('one')).world, 'live')
    assert.equal(ask('live', 'a@news.live.example', credential('one')).world, 'live')
    assert.equal(ask('live', 'a@live.example', credential('one'), 'b@live.example').world, 'live')
    assert.equal(ask('live', 'a@captured.example', credential('all')).world, 'sandbox')
  })
})

it('a notice travels and is signed as its message was', () => {
  const about = { fromDomain: 'captured.example' as Domain, world: 'sandbox' as const }
  assert.equal(rightsOf(about, table('live')).keys, 'key of captured')
  const lost = { fromDomain: 'keyless.example' as Domain, world: 'live' as const }
  assert.throws(() => rightsOf(lost, table('live')), Refusal)
})

it('takes live mail of domains that are not ours, unsigned, where that is wanted', () => {
  const open = { ...table('live'), foreignKeys: (domain: string) => `no key of ${domain}` }
  const author = { localPart: 'me', domain: 'gmail.com' as Domain }
  const question = {
    sender: { kind: 'network', address: '10.0.0.9' },
    author,
    reversePath: author,
  } as const
  assert.deepEqual(judge(question, open), {
    fromDomain: 'gmail.com',
    world: 'live',
    keys: 'no key of gmail.com',
  })
  assert.throws(() => judge(question, table('live')), Refusal)
})
