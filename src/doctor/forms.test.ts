import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formFields } from './forms.ts'
import type { PlannedRecord } from './plan.ts'
import { providerNamed, providerOf } from './zone-keepers.ts'

const SERVERS: readonly [server: string, id: string][] = [
  ['ada.ns.cloudflare.com', 'cloudflare'],
  ['ns-1234.awsdns-26.co.uk', 'route53'],
  ['hydrogen.ns.hetzner.com', 'hetzner'],
  ['ns1.digitalocean.com', 'digitalocean'],
  ['ns-cloud-a1.googledomains.com', 'google'],
  ['ns1-03.azure-dns.com', 'azure'],
  ['ns37.domaincontrol.com', 'godaddy'],
  ['dns1.registrar-servers.com', 'namecheap'],
  ['ns-12-a.gandi.net', 'gandi'],
  ['dns104.ovh.net', 'ovh'],
  ['curitiba.ns.porkbun.com', 'porkbun'],
  ['ns1045.ui-dns.org', 'ionos'],
  ['ns1.reg.ru', 'reg.ru'],
  ['ns2.hosting.reg.ru', 'reg.ru'],
  ['ns4-l2.nic.ru', 'nic.ru'],
  ['ns1.yandexcloud.net', 'yandex-cloud'],
  ['dns2.yandex.net', 'yandex-360'],
  ['ns1.beget.com', 'beget'],
  ['ns2.timeweb.ru', 'timeweb'],
  ['a.ns.selectel.ru', 'selectel'],
  ['ns1.example.com', 'other'],
  ['ns.cloudflare.com.example.net', 'other'],
]
for (const [server, id] of SERVERS)
  test(`${server} is ${id}`, () => {
    assert.equal(providerOf([server]).id, id)
    assert.equal(providerNamed(id).id, id)
  })

const record = (type: PlannedRecord['type'], name: string, value: string): PlannedRecord => ({
  type,
  name,
  value,
  ttl: 300,
  inZone: true,
  why: 'dkim',
})
const DKIM = record('TXT', 'p1._domainkey.example.com', 'v=DKIM1; p=AA')
const LONG = record('TXT', 'p1._domainkey.example.com', 'A'.repeat(300))
const SPF = record('TXT', 'example.com', 'v=spf1 ~all')
const MX = record('MX', 'bounce.example.com', '10 mail.example.com')

type Row = [
  provider: string,
  PlannedRecord,
  name: string,
  value: string,
  ttl?: string,
  prio?: string,
]
const FORMS: readonly Row[] = [
  ['cloudflare', DKIM, 'p1._domainkey', 'v=DKIM1; p=AA', 'Auto'],
  ['cloudflare', MX, 'bounce', 'mail.example.com', 'Auto', '10'],
  ['cloudflare', LONG, 'p1._domainkey', 'A'.repeat(300), 'Auto'],
  ['route53', SPF, '', '"v=spf1 ~all"', '300'],
  ['route53', MX, 'bounce', '10 mail.example.com', '300'],
  ['route53', LONG, 'p1._domainkey', `"${'A'.repeat(255)}" "${'A'.repeat(45)}"`, '300'],
  ['digitalocean', MX, 'bounce', 'mail.example.com.', '300', '10'],
  ['godaddy', SPF, '@', 'v=spf1 ~all', '600'],
  ['ovh', SPF, '', 'v=spf1 ~all', '300'],
  ['reg.ru', SPF, '@', 'v=spf1 ~all'],
  ['yandex-cloud', SPF, 'example.com.', '"v=spf1 ~all"', '300'],
  ['selectel', MX, 'bounce.example.com.', '10 mail.example.com.', '300'],
  ['other', MX, 'bounce', 'mail.example.com', '300', '10'],
]
for (const [id, planned, name, value, ttl, priority] of FORMS)
  test(`${id}: ${planned.type} ${planned.name} in its form`, () => {
    assert.deepEqual(formFields(planned, 'example.com', providerNamed(id)), {
      type: planned.type,
      name,
      value,
      ttl,
      priority,
    })
  })

test('names of a domain below its zone are relative to the zone', () => {
  const below = record('TXT', 'p1._domainkey.news.example.com', 'x')
  const fields = formFields(below, 'example.com', providerNamed('other'))
  assert.equal(fields.name, 'p1._domainkey.news')
})
