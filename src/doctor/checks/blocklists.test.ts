import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FakeAnswer, mapResolver } from '../../../test/support/dns.ts'
import { checkBlocklists } from './blocklists.ts'

const address = '203.0.113.10'
const OURS = '10.113.0.203'
const LIST = 'bl.example.net'
const signal = new AbortController().signal

const works = (list: string) => ({ [`2.0.0.127.${list} A`]: ['127.0.0.2'] })

async function look(records: Readonly<Record<string, FakeAnswer>>, list = LIST) {
  const resolver = mapResolver(records)
  return checkBlocklists({ resolver, addresses: [address], lists: [list] }).run(signal)
}
const codes = async (...args: Parameters<typeof look>) => (await look(...args)).map((f) => f.code)

test('not listed', async () => {
  assert.deepEqual(await codes(works(LIST)), ['DNSBL_OK'])
})

test('listed, with the list’s own reason and where to go', async () => {
  const [finding] = await look({
    ...works(LIST),
    [`${OURS}.${LIST} A`]: ['127.0.0.4'],
    [`${OURS}.${LIST} TXT`]: ['seen sending spam'],
  })
  assert.equal(finding?.code, 'DNSBL_LISTED')
  assert.equal(finding?.facts.reason, '127.0.0.4: seen sending spam')
})

test('Spamhaus’ codes are named', async () => {
  const zen = 'zen.spamhaus.org'
  const records = { ...works(zen), [`${OURS}.${zen} A`]: ['127.0.0.3', '127.0.0.10'] }
  const [finding] = await look(records, zen)
  assert.equal(finding?.facts.reason, 'CSS, PBL')
  assert.match(String(finding?.facts.link), /check\.spamhaus\.org.*203\.0\.113\.10/)
})

test('a refusal of a public resolver is not a listing', async () => {
  for (const code of ['127.255.255.252', '127.255.255.254', '127.255.255.255'])
    assert.deepEqual(await codes({ ...works(LIST), [`${OURS}.${LIST} A`]: [code] }), [
      'DNSBL_REFUSED',
    ])
  assert.deepEqual(await codes({ [`2.0.0.127.${LIST} A`]: ['127.255.255.254'] }), ['DNSBL_REFUSED'])
})

test('a list that is gone, that a registrar parked, or that lists the world says nothing', async () => {
  assert.deepEqual(await codes({}), ['DNSBL_REFUSED'])
  assert.deepEqual(await codes({ [`${OURS}.${LIST} A`]: ['192.0.2.80'] }), ['DNSBL_REFUSED'])
  const all = { [`${OURS}.${LIST} A`]: ['127.0.0.2'], [`1.0.0.127.${LIST} A`]: ['127.0.0.2'] }
  assert.deepEqual(await codes({ ...works(LIST), ...all }), ['DNSBL_REFUSED'])
})

test('a list that fails could not be asked', async () => {
  assert.deepEqual(await codes({ [`${OURS}.${LIST} A`]: 'cannot-tell' }), ['COULD_NOT_CHECK'])
  assert.deepEqual(await codes({ [`2.0.0.127.${LIST} A`]: 'cannot-tell' }), ['COULD_NOT_CHECK'])
})

test('IPv6 addresses are asked by nibbles', async () => {
  const nibbles = '0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2'
  const resolver = mapResolver({ ...works(LIST), [`${nibbles}.${LIST} A`]: ['127.0.0.2'] })
  const check = checkBlocklists({ resolver, addresses: ['2001:db8::10'], lists: [LIST] })
  assert.deepEqual(
    (await check.run(signal)).map(({ code }) => code),
    ['DNSBL_LISTED'],
  )
})
