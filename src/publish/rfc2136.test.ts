import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  missingPrimary,
  PRIMARY_KEY,
  type Primary,
  type PrimarySoftware,
  startPrimary,
} from '../../test/support/primary.ts'
import { systemClock } from '../std/clock.ts'
import type { Driver, ZoneRecord } from './publisher.ts'
import { rfc2136Driver } from './rfc2136.ts'

const key = {
  name: PRIMARY_KEY.name,
  algorithm: PRIMARY_KEY.algorithm,
  secret: Buffer.from(PRIMARY_KEY.secret, 'base64'),
}
const LONG = `v=DKIM1; k=rsa; p=${'A'.repeat(700)}`
const txt = (name: string, value: string): ZoneRecord => ({
  name,
  type: 'TXT',
  value,
  ttlSeconds: 120,
})
const OLD = txt('example.com', 'v=spf1 include:_spf.other.example ~all')

const zone = {
  zone: 'example.com',
  records: `@ TXT "v=spf1 include:_spf" ".other.example ~all"
@ TXT "site-verification=1"
@ MX 10 MX.other.example.
proxy CNAME elsewhere.example.
`,
}

const apply = async (driver: Driver, ...changes: Parameters<Driver['apply']>[1]) =>
  driver.apply(await driver.zoneOf('example.com'), changes)

for (const software of ['knot', 'bind'] as const satisfies PrimarySoftware[]) {
  const skip = missingPrimary(software)
  const served = async (then: (primary: Primary, driver: Driver) => Promise<void>) => {
    await using primary = await startPrimary(software, zone)
    await then(primary, rfc2136Driver({ ...primary, key }, systemClock))
  }

  test(`${software}: the zone of a name, and what is there`, { skip }, () =>
    served(async (_, driver) => {
      const found = await driver.zoneOf('p1._domainkey.example.com')
      assert.equal(found.name, 'example.com')
      assert.equal((await driver.zoneOf('proxy.example.com')).name, 'example.com')
      assert.deepEqual(
        (await driver.read(found, 'example.com'))
          .map(({ type, value }) => `${type} ${value}`)
          .sort(),
        ['MX 10 mx.other.example', 'TXT site-verification=1', `TXT ${OLD.value}`],
      )
      await assert.rejects(driver.zoneOf('example.org'), { name: 'PublishFault' })
    }),
  )

  test(`${software}: adds, replaces and removes, and leaves the rest`, { skip }, () =>
    served(async (primary, driver) => {
      const results = await apply(
        driver,
        { kind: 'add', record: txt('p1._domainkey.example.com', LONG) },
        {
          kind: 'replace',
          before: OLD,
          record: txt('example.com', 'v=spf1 ip4:192.0.2.25 include:_spf.other.example ~all'),
        },
        {
          kind: 'add',
          record: {
            name: 'bounce.example.com',
            type: 'MX',
            value: '10 mail.example.com',
            ttlSeconds: 300,
          },
        },
        {
          kind: 'remove',
          record: {
            name: 'proxy.example.com',
            type: 'CNAME',
            value: 'elsewhere.example',
            ttlSeconds: 300,
          },
        },
        {
          kind: 'add',
          record: { name: 'proxy.example.com', type: 'A', value: '192.0.2.25', ttlSeconds: 60 },
        },
      )
      assert.deepEqual(
        results.filter((result) => !result.done),
        [],
      )
      assert.deepEqual((await primary.dig('example.com', 'TXT')).sort(), [
        '"site-verification=1"',
        '"v=spf1 ip4:192.0.2.25 include:_spf.other.example ~all"',
      ])
      const dkim = (await primary.dig('p1._domainkey.example.com', 'TXT')).join('')
      assert.equal(dkim.replaceAll(/" "|"|\\(?=;)/g, ''), LONG)
      assert.deepEqual(await primary.dig('bounce.example.com', 'MX'), ['10 mail.example.com.'])
      assert.deepEqual(await primary.dig('proxy.example.com', 'A'), ['192.0.2.25'])
      assert.deepEqual(await primary.dig('proxy.example.com', 'CNAME'), [])
    }),
  )

  test(`${software}: the same again changes nothing`, { skip }, () =>
    served(async (primary, driver) => {
      const change = { kind: 'add', record: txt('_acme-challenge.example.com', 'token') } as const
      assert.equal((await apply(driver, change))[0]!.done, true)
      const serial = await primary.dig('example.com', 'SOA')
      assert.equal((await apply(driver, change))[0]!.done, true)
      assert.deepEqual(await primary.dig('example.com', 'SOA'), serial)
      const remove = { ...change, kind: 'remove' } as const
      assert.equal((await apply(driver, remove, remove))[0]!.done, true)
      assert.equal((await apply(driver, remove))[0]!.done, true)
      assert.deepEqual(await primary.dig('_acme-challenge.example.com', 'TXT'), [])
    }),
  )

  test(`${software}: a wrong secret changes nothing and is said`, { skip }, () =>
    served(async (primary) => {
      const stranger = { ...key, secret: Buffer.from('another secret of the right length') }
      const driver = rfc2136Driver({ ...primary, key: stranger }, systemClock)
      const record = txt('x.example.com', 'x')
      const found = { name: 'example.com', id: 'example.com' }
      const [result] = await driver.apply(found, [{ kind: 'add', record }])
      assert.match(result!.done ? '' : result!.why, /BADSIG|signature/)
      const nobody = rfc2136Driver({ ...primary, key: { ...key, name: 'nobody' } }, systemClock)
      const [other] = await nobody.apply(found, [{ kind: 'add', record }])
      assert.match(other!.done ? '' : other!.why, /BADKEY|NOTAUTH/)
      const unsigned = rfc2136Driver(primary, systemClock)
      const [third] = await unsigned.apply(found, [{ kind: 'add', record }])
      assert.match(third!.done ? '' : third!.why, /REFUSED|NOTAUTH/)
      assert.deepEqual(await primary.dig('x.example.com', 'TXT'), [])
    }),
  )

  test(`${software}: a clock that is off is named`, { skip }, () =>
    served(async (primary) => {
      const clock = { ...systemClock, now: () => systemClock.now() + 3_600_000 }
      const driver = rfc2136Driver({ ...primary, key }, clock)
      await assert.rejects(driver.zoneOf('example.com'), /BADTIME|signature|clocks/)
    }),
  )
}

test('nobody there is said at once', async () => {
  const driver = rfc2136Driver({ address: '127.0.0.1', port: 1, key }, systemClock)
  await assert.rejects(driver.zoneOf('example.com'), {
    code: 'UNREACHABLE',
    message: '127.0.0.1:1: ECONNREFUSED',
  })
})
