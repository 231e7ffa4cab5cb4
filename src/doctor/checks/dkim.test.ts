import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { type FakeAnswer, mapResolver } from '../../../test/support/dns.ts'
import { makeKey, publicText } from '../../dkim/keys.ts'
import type { AuthoritativeAnswer } from '../../dns/authoritative.ts'
import { describeFinding } from '../catalogue.ts'
import { checkDkim, type DkimCheckOptions } from './dkim.ts'

const signal = new AbortController().signal
const txt = publicText(await makeKey('rsa-sha256'))
const other = publicText(await makeKey('rsa-sha256'))
const edwards = publicText(await makeKey('ed25519-sha256'))
const small = publicText(
  createPrivateKey(
    generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    }) as string,
  ),
)
const name = 'p1._domainkey.example.com'
const key = /p=(.*)$/.exec(txt)![1]!

async function look(
  published: FakeAnswer | undefined,
  rest: Partial<DkimCheckOptions> & { zone?: Record<string, FakeAnswer> } = {},
) {
  const zone: Record<string, FakeAnswer> = { 'example.com A': ['192.0.2.1'], ...rest.zone }
  if (published !== undefined) zone[`${name} TXT`] = published
  const check = checkDkim({
    resolver: mapResolver(zone),
    domain: 'example.com',
    keys: [{ selector: 'p1', txt }],
    ...rest,
  })
  const findings = await check.run(signal)
  for (const finding of findings)
    for (const language of ['en', 'ru'] as const)
      assert.doesNotMatch(JSON.stringify(describeFinding(finding, language)), /\{\w+\}/)
  return findings.map(({ code }) => code).join(' ')
}

const PUBLISHED: readonly [string, FakeAnswer | undefined, string][] = [
  ['our key', [txt], 'DKIM_OK'],
  [
    'our key with spaces in it',
    [txt.replace(key, `${key.slice(0, 99)} ${key.slice(99)}`)],
    'DKIM_OK',
  ],
  ['our key with other tags', [`v=DKIM1; h=sha1:sha256; s=email; t=s; p=${key}; n=x`], 'DKIM_OK'],
  ['our key without a version', [`k=rsa;p=${key}`], 'DKIM_OK'],
  ['nothing', undefined, 'DKIM_MISSING'],
  ['no text', 'none', 'DKIM_MISSING'],
  ['another key', [other], 'DKIM_MISMATCH'],
  ['the first 255 characters', [txt.slice(0, 255)], 'DKIM_TRUNCATED'],
  ['the second part alone, with its p=', [`v=DKIM1; p=${key.slice(200)}`], 'DKIM_TRUNCATED'],
  ['two records', [txt, other], 'DKIM_TWO_RECORDS'],
  ['a key in two records', [txt.slice(0, 255), txt.slice(255)], 'DKIM_TWO_RECORDS'],
  ['a revoked key', ['v=DKIM1; k=rsa; p='], 'DKIM_REVOKED'],
  ['a test', [txt.replace('v=DKIM1;', 'v=DKIM1; t=y:s;')], 'DKIM_OK DKIM_TESTING'],
  ['quotes inside', [`"${txt}"`], 'DKIM_INVALID'],
  ['backslashes inside', [txt.replaceAll(';', '\\;')], 'DKIM_INVALID'],
  ['another version', [txt.replace('DKIM1', 'DKIM2')], 'DKIM_INVALID'],
  ['the version at the end', [`k=rsa; p=${key}; v=DKIM1`], 'DKIM_INVALID'],
  ['only for sha1', [`${txt}; h=sha1`], 'DKIM_INVALID'],
  ['only for another service', [`${txt}; s=tlsrpt`], 'DKIM_INVALID'],
  ['no key at all', ['v=spf1 -all'], 'DKIM_INVALID'],
  ['SERVFAIL', 'cannot-tell', 'COULD_NOT_CHECK'],
]
for (const [what, published, codes] of PUBLISHED)
  test(`DKIM: ${what}`, async () => {
    assert.equal(await look(published), codes)
  })

test('the domain was appended twice', async () => {
  assert.equal(
    await look(undefined, { zone: { [`${name}.example.com TXT`]: [txt] } }),
    'DKIM_NAME_DOUBLED',
  )
})

test('a key that signs no more stands in nobody’s way', async () => {
  const keys = [{ selector: 'p1', txt, state: 'retiring' }]
  assert.equal(await look([txt], { keys }), 'DKIM_OK')
  assert.equal(await look(undefined, { keys }), 'DKIM_RETIRED_EARLY')
  assert.equal(await look([other], { keys }), 'DKIM_RETIRED_EARLY')
  assert.equal(await look('cannot-tell', { keys }), 'COULD_NOT_CHECK')
  assert.equal(await look(undefined, { keys: [{ ...keys[0]!, state: 'active' }] }), 'DKIM_MISSING')
})

test('no key here, an Ed25519 key, a short key', async () => {
  assert.equal(await look([txt], { keys: [] }), 'DKIM_NO_KEY')
  assert.equal(await look([edwards], { keys: [{ selector: 'p1', txt: edwards }] }), 'DKIM_OK')
  assert.equal(
    await look([small], { keys: [{ selector: 'p1', txt: small }] }),
    'DKIM_OK DKIM_SHORT_KEY',
  )
})

test('every name server is asked', async () => {
  const says =
    (...texts: (string | undefined)[]) =>
    async (): Promise<AuthoritativeAnswer<'TXT'>> => ({
      kind: 'answers',
      zone: 'example.com',
      name,
      servers: texts.map((text, i) => ({
        host: `ns${i + 1}.example.com`,
        answer:
          text === undefined
            ? { kind: 'cannot-tell', why: 'no answer in time' }
            : text === ''
              ? { kind: 'no-such-name', ttlSeconds: 0, authentic: false }
              : { kind: 'records', records: [text], ttlSeconds: 60, authentic: false, name },
      })),
    })
  assert.equal(await look(undefined, { askAll: says(txt, txt, txt) }), 'DKIM_OK')
  assert.equal(await look([txt], { askAll: says(txt, '', other) }), 'DKIM_NOT_EVERYWHERE')
  assert.equal(await look([txt], { askAll: says('', '') }), 'DKIM_MISSING')
  assert.equal(await look([txt], { askAll: says(other, other) }), 'DKIM_MISMATCH')
  assert.equal(await look([txt], { askAll: says(txt, undefined) }), 'DKIM_OK COULD_NOT_CHECK')
  assert.equal(await look([txt], { askAll: says(undefined) }), 'DKIM_OK', 'the resolver has to do')
  const lost = async () => ({ kind: 'cannot-tell', why: 'x' }) as const
  assert.equal(await look([txt], { askAll: lost }), 'DKIM_OK')
})

test('signing that was switched off is a fault, unless a relay signs', async () => {
  const codes = async (rest: Partial<DkimCheckOptions>) =>
    (
      await checkDkim({ resolver: mapResolver({}), domain: 'example.com', keys: [], ...rest }).run(
        signal,
      )
    ).map(({ code }) => code)
  assert.deepEqual(await codes({ isOff: true }), ['DKIM_OFF'])
  assert.deepEqual(await codes({ isOff: true, byRelay: true }), [])
  assert.deepEqual(await codes({}), ['DKIM_NO_KEY'])
})
