// What `posthorn dns` prints is read by name servers, verifiers and tools that others wrote.

import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { publicText } from '../../src/dkim/keys.ts'
import { createResolver } from '../../src/dns/stub.ts'
import { type ComparedRecord, comparePlan } from '../../src/doctor/compare.ts'
import { formatCloudflare, formatRoute53, formatTerraform } from '../../src/doctor/formats.ts'
import { lookupOver } from '../../src/doctor/lookup.ts'
import { type Plan, plannedRecords } from '../../src/doctor/plan.ts'
import { formatZone } from '../../src/doctor/zone.ts'
import { type Domain, parseDomain } from '../../src/mail/domain.ts'
import { systemClock } from '../../src/std/clock.ts'
import { missingPrimary, startPrimary } from '../support/primary.ts'
import { signText } from '../support/sign.ts'
import { missing, PYTHON, run } from '../support/tools.ts'

/** The keys of the classic guide (1024 bits, which many still have) and those of today. */
const BITS = { myselector: 1024, p2611: 2048, large: 4096 } as const
const keys = Object.entries(BITS).map(([selector, modulusLength]) => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength })
  return { selector, privateKey, txt: publicText(privateKey) }
})
const planFor = (name: string, host: string): Plan => ({
  domain: parseDomain(name) as Domain,
  keys,
  identity: { hostname: parseDomain(host) as Domain, ipv4: '11.22.33.44', ipv6: '2a03:b0c0::25' },
  extras: {
    returnPath: true,
    mtaSts: '20260105',
    tlsRpt: true,
    bimi: { logo: 'https://mydomain.ru/logo.svg' },
  },
})
const plan = planFor('mydomain.ru', 'mail.mydomain.ru')
const PLANS = [plan, planFor('почта.рф', 'smtp.почта.рф')]

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'posthorn-records-'))
})
after(() => rm(folder, { recursive: true, force: true }))

async function zoneFile(of: Plan): Promise<string> {
  const file = join(folder, `${of.domain}.zone`)
  const head = `$TTL 300\n${of.domain}. SOA ns.other.example. x.other.example. 1 3600 600 86400 30\n${of.domain}. NS ns.other.example.\n`
  await writeFile(file, head + formatZone(plannedRecords(of), 'ru'))
  return file
}

for (const of of PLANS) {
  test(`named-checkzone takes ${of.domain}`, { skip: missing('named-checkzone') }, async () => {
    const { code, out } = await run('named-checkzone', [of.domain, await zoneFile(of)])
    assert.equal(code, 0, out)
    assert.match(out, /^OK$/m)
    assert.doesNotMatch(out, /ignor|warning/i)
  })
}

test('knot serves them as they were meant', { skip: missingPrimary('knot') }, async () => {
  const records = formatZone(plannedRecords(plan), 'en')
  await using primary = await startPrimary('knot', { zone: plan.domain, records })
  using resolver = createResolver({
    servers: [primary],
    clock: systemClock,
    timeoutMs: 2_000,
    attempts: 1,
    cacheEntries: 100,
    trustAd: false,
  })
  const compared = await comparePlan(plan, { lookup: lookupOver(resolver) })
  const elsewhere = compared.filter(({ inZone, state }) => inZone && state !== 'present')
  assert.deepEqual(elsewhere, [])
  assert.ok(compared.length > 12)
})

const MESSAGE = 'From: <no-reply@mydomain.ru>\r\nSubject: Test message\r\n\r\nThis is a test.\r\n'
const sign = (selector: string, privateKey: KeyObject) =>
  signText(MESSAGE, 'mydomain.ru', { selector, algorithm: 'rsa-sha256', privateKey })

const dkimpy = missing(PYTHON)
test('dkimpy verifies with the printed keys', { skip: dkimpy }, async (context) => {
  if ((await run(PYTHON, ['-c', 'import dkim'])).code !== 0)
    return context.skip('needs python3-dkim')
  const script = `import dkim, json, sys
texts, message = json.loads(sys.argv[1]), sys.stdin.buffer.read()
print(dkim.verify(message, dnsfunc=lambda name, timeout=5: texts[name.decode().rstrip('.')].encode()))
`
  const texts = Object.fromEntries(
    plannedRecords(plan)
      .filter(({ why }) => why === 'dkim')
      .map(({ name, value }) => [name, value]),
  )
  for (const { selector, privateKey } of keys) {
    const input = await sign(selector, privateKey)
    const { out, err } = await run(PYTHON, ['-c', script, JSON.stringify(texts)], { input })
    assert.equal(out.trim(), 'True', `${selector}: ${err}`)
  }
})

test('OpenDKIM verifies with the printed keys', { skip: missing('opendkim') }, async () => {
  const texts = plannedRecords(plan).filter(({ why }) => why === 'dkim')
  await writeFile(
    join(folder, 'keys'),
    texts.map(({ name, value }) => `${name} ${value}\n`).join(''),
  )
  const conf = join(folder, 'conf')
  await writeFile(conf, `Mode v\nTestPublicKeys ${join(folder, 'keys')}\nSyslog no\n`)
  const files: string[] = []
  for (const { selector, privateKey } of keys) {
    const file = join(folder, `${selector}.eml`)
    await writeFile(file, await sign(selector, privateKey))
    files.push(file)
  }
  const { out, err } = await run('opendkim', ['-t', files.join(','), '-x', conf])
  assert.equal((out + err).match(/verification .* succeeded/g)?.length, keys.length, out + err)
})

const pending = (): ComparedRecord[] =>
  plannedRecords(plan).map((record) => ({
    ...record,
    state: 'missing',
    published: [],
    extra: [],
    beside: record.name === plan.domain ? ['other=%{x} "quoted"'] : [],
    notes: [],
  }))

for (const provider of ['cloudflare', 'route53', 'hetzner', 'digitalocean', 'google', 'other'])
  test(`terraform reads what is for ${provider}`, { skip: missing('terraform') }, async () => {
    const text = formatTerraform(pending(), { zone: plan.domain, provider, language: 'ru' })
    const { code, out, err } = await run('terraform', ['fmt', '-'], { input: text })
    assert.equal(code, 0, err)
    assert.equal(out.match(/^resource /gm)?.length, pending().filter(({ inZone }) => inZone).length)
  })

test('the batch for Route 53 keeps what else stands in a set', () => {
  type Batch = { Changes: { ResourceRecordSet: Record<string, unknown> }[] }
  const { Changes } = JSON.parse(formatRoute53(pending())) as Batch
  const apex = Changes.find(({ ResourceRecordSet: set }) => set.Name === 'mydomain.ru.')!
  assert.deepEqual(apex.ResourceRecordSet.ResourceRecords, [
    { Value: '"v=spf1 ip4:11.22.33.44 ip6:2a03:b0c0::25 ~all"' },
    { Value: '"other=%{x} \\"quoted\\""' },
  ])
  const unknown = pending().map((record) => ({ ...record, state: 'unknown' as const }))
  assert.deepEqual(JSON.parse(formatRoute53(unknown)).Changes, [])
})

test('the file for Cloudflare: no address behind the proxy, and what exists only in comments', () => {
  const records = pending().map((record) =>
    record.why === 'domain-spf' ? { ...record, state: 'differs' as const } : record,
  )
  const file = formatCloudflare(records, 'en')
  assert.match(file, /^mail\.mydomain\.ru\. .* IN A .* ; cf_tags=cf-proxied:false$/m)
  assert.doesNotMatch(file, /^mydomain\.ru\./m)
  assert.match(file, /^; mydomain\.ru\. .*v=spf1/m)
})
