import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FakeResolver, mapResolver } from '../../test/support/dns.ts'
import { makeKey, publicText } from '../dkim/keys.ts'
import { type Domain, parseDomain } from '../mail/domain.ts'
import { systemClock } from '../std/clock.ts'
import { catalogue } from './catalogue.ts'
import { examine } from './doctor.ts'
import { plannedRecords } from './plan.ts'
import { domainChecks } from './rounds.ts'

const domain = parseDomain('пример.example') as Domain
const identity = {
  hostname: parseDomain(`mail.${domain}`) as Domain,
  ipv4: '192.0.2.25',
  ipv6: '2001:db8::25',
}
const keys = [
  { selector: 'p1', txt: publicText(await makeKey('rsa-sha256')) },
  { selector: 'p1e', txt: publicText(await makeKey('ed25519-sha256')) },
]

function planned(): FakeResolver {
  const resolver = mapResolver({ [`${domain} MX`]: [`10 ${identity.hostname}`] })
  const all = new Map<string, string[]>()
  for (const { name, type, value } of plannedRecords({ domain, keys, identity }))
    all.set(`${name} ${type}`, [...(all.get(`${name} ${type}`) ?? []), value])
  for (const [question, values] of all) resolver.set(question, values)
  return resolver
}

async function codes(resolver: FakeResolver) {
  const delivery = { port: 25, protocol: 'both', allowPrivate: false, relays: [] } as const
  const host = {
    resolver,
    clock: systemClock,
    identity,
    delivery: { ...delivery, onlyByRelay: false },
  }
  const report = await examine(domainChecks({ host, domain, keys }), { clock: systemClock })
  return report.results.flatMap(({ findings }) => findings.map(({ code }) => code))
}

test('what we say should be published is what we call good', async () => {
  const found = await codes(planned())
  const bad = found.filter((code) => !/^(ok|note)$/.test(catalogue.get(code)!.severity))
  assert.deepEqual(bad, [])
  assert.deepEqual(
    found.filter((code) => code === 'SPF_OK' || code === 'DKIM_OK' || code === 'DMARC_OK'),
    ['SPF_OK', 'DKIM_OK', 'DKIM_OK', 'DMARC_OK'],
  )
})

test('an empty zone misses everything, a zone that fails is told as such', async () => {
  const empty = mapResolver({ [`${domain} NS`]: ['ns1.example'], [`${domain} A`]: ['192.0.2.1'] })
  const missing = ['SPF_MISSING', 'DKIM_MISSING', 'DKIM_MISSING', 'DMARC_MISSING']
  const found = await codes(empty)
  for (const code of missing) assert.ok(found.includes(code), code)
  const failing = planned()
  for (const question of [`${domain} NS`, `${domain} TXT`, `${domain} MX`, `_dmarc.${domain} TXT`])
    failing.set(question, 'cannot-tell')
  const told = await codes(failing)
  assert.ok(told.includes('ZONE_FAILS'))
  assert.equal(told.filter((code) => code === 'COULD_NOT_CHECK').length, 3)
})
