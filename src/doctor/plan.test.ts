import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { type Domain, parseDomain } from '../mail/domain.ts'
import { parseMailbox } from '../mail/mailbox.ts'
import { type PlannedRecord, plannedRecords, reverseName } from './plan.ts'
import { formatZone, plannedRows } from './zone.ts'

const domain = (text: string) => parseDomain(text) as Domain
const LONG_KEY = `v=DKIM1; k=rsa; p=${'A'.repeat(392)}`
const keys = [{ selector: 'p1', txt: LONG_KEY }]
const identity = { hostname: domain('mail.example.com'), ipv4: '192.0.2.25' }
const plan = { domain: domain('example.com'), keys, identity }

const lines = (records: readonly PlannedRecord[]) =>
  records.map((r) => `${r.inZone ? '' : '! '}${r.name} ${r.type} ${r.value}`)

test('the server in the domain itself', () => {
  assert.deepEqual(lines(plannedRecords(plan)), [
    'mail.example.com A 192.0.2.25',
    'mail.example.com TXT v=spf1 a -all',
    'example.com TXT v=spf1 ip4:192.0.2.25 ~all',
    `p1._domainkey.example.com TXT ${LONG_KEY}`,
    '_dmarc.example.com TXT v=DMARC1; p=none; rua=mailto:dmarc@example.com',
    '! 25.2.0.192.in-addr.arpa PTR mail.example.com',
  ])
})

test('the server in another domain: its records are not this zone’s', () => {
  const elsewhere = { ...identity, hostname: domain('mail.provider.example') }
  assert.deepEqual(lines(plannedRecords({ ...plan, identity: elsewhere })), [
    'example.com TXT v=spf1 ip4:192.0.2.25 ~all',
    `p1._domainkey.example.com TXT ${LONG_KEY}`,
    '_dmarc.example.com TXT v=DMARC1; p=none; rua=mailto:dmarc@example.com',
    '! 25.2.0.192.in-addr.arpa PTR mail.provider.example',
  ])
})

test('a name that only ends alike is another domain', () => {
  const hostname = domain('mail.notexample.com')
  const records = plannedRecords({ ...plan, identity: { ...identity, hostname } })
  assert.equal(records[0]!.why, 'domain-spf')
})

test('the server is the domain: one SPF record', () => {
  const records = plannedRecords({ ...plan, identity: { ...identity, hostname: plan.domain } })
  const spf = records.filter((record) => record.value.startsWith('v=spf1'))
  assert.deepEqual(lines(spf), ['example.com TXT v=spf1 ip4:192.0.2.25 ~all'])
})

test('IPv6 adds to each', () => {
  const records = plannedRecords({ ...plan, identity: { ...identity, ipv6: '2001:db8::25' } })
  const of6 = lines(records).filter((line) => /db8|ip6/.test(line))
  assert.deepEqual(of6, [
    'mail.example.com AAAA 2001:db8::25',
    'example.com TXT v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 ~all',
    `! ${'5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2'}.ip6.arpa PTR mail.example.com`,
  ])
})

test('without a known address SPF names the host', () => {
  const records = plannedRecords({ ...plan, identity: { hostname: identity.hostname } })
  assert.deepEqual(lines(records)[0], 'example.com TXT v=spf1 a:mail.example.com ~all')
})

const REPORTS: readonly [string, string, boolean][] = [
  ['reports@example.com', 'rua=mailto:reports@example.com', false],
  ['reports@sub.example.com', 'rua=mailto:reports@sub.example.com', false],
  ['reports@other.example', 'rua=mailto:reports@other.example', true],
  ['a!b@example.com', 'rua=mailto:a%21b@example.com', false],
]
for (const [to, expected, consent] of REPORTS)
  test(`DMARC reports to ${to}`, () => {
    const records = plannedRecords({ ...plan, dmarcReportsTo: parseMailbox(to)! })
    const dmarc = records.find((record) => record.why === 'dmarc')
    assert.equal(dmarc?.value, `v=DMARC1; p=none; ${expected}`)
    const consents = records.filter((record) => record.why === 'dmarc-reports')
    assert.deepEqual(
      lines(consents),
      consent ? ['! example.com._report._dmarc.other.example TXT v=DMARC1'] : [],
    )
  })

test('reverse names', () => {
  assert.equal(reverseName('192.0.2.25'), '25.2.0.192.in-addr.arpa')
  assert.equal(reverseName('::1'), `1.${'0.'.repeat(31)}ip6.arpa`)
})

test('rows are relative to the domain', () => {
  const rows = plannedRows(plannedRecords(plan), { domain: 'example.com', language: 'ru' })
  assert.deepEqual(
    rows.map((row) => row.name),
    ['mail', 'mail', '@', 'p1._domainkey', '_dmarc', '25.2.0.192.in-addr.arpa'],
  )
  assert.match(rows[0]!.says, /сервера/)
})

test('the zone explains every record and comments out what belongs elsewhere', () => {
  const zone = formatZone(plannedRecords(plan), 'en')
  assert.match(
    zone,
    /^; The name and address of this server\nmail\.example\.com\. +300 IN A {4}192/,
  )
  assert.match(
    zone,
    /\n; NOT in this zone\. Reverse DNS.*\n; 25\.2\.0\.192\.in-addr\.arpa\. 300 IN PTR {2}mail\.example\.com\.\n$/,
  )
  assert.match(formatZone(plannedRecords(plan), 'ru'), /НЕ в этой зоне/)
})

const PYTHON = '/usr/bin/python3'
const READ_ZONE = `
import sys, dns.zone
zone = dns.zone.from_text(sys.stdin.read(), origin='example.com.', relativize=False, check_origin=False)
for name, ttl, data in sorted(zone.iterate_rdatas(), key=str):
    text = b''.join(data.strings).decode() if data.rdtype == 16 else data.to_text()
    print(name.to_text().rstrip('.'), dns.rdatatype.to_text(data.rdtype), text)
`
const skip = spawnSync(PYTHON, ['-c', 'import dns.zone']).status !== 0 && 'no dnspython'

test('dnspython reads the zone as it was meant', { skip }, () => {
  const odd: PlannedRecord = {
    type: 'TXT',
    name: 'odd.example.com',
    value: 'quote " backslash \\ semicolon ; ё',
    ttl: 300,
    inZone: true,
    why: 'dkim',
  }
  const records = [...plannedRecords(plan), odd]
  const { stdout, stderr } = spawnSync(PYTHON, ['-c', READ_ZONE], {
    input: formatZone(records, 'ru'),
    env: { PYTHONIOENCODING: 'utf8' },
  })
  assert.equal(stderr.toString(), '')
  const expected = lines(records.filter((record) => record.inZone)).sort()
  assert.deepEqual(stdout.toString().trim().split('\n').sort(), expected)
})
