import assert from 'node:assert/strict'
import { test } from 'node:test'
import { comparePublication } from './publication.ts'

const KEY = 'MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDQmO9A'
const OURS = `v=DKIM1; k=rsa; p=${KEY}`

test('a record is compared with the key as a verifier reads it', () => {
  const table: [string, readonly string[], string][] = [
    ['as we write it', [OURS], 'published'],
    ['in pieces, without v and k', [`p=${KEY.slice(0, 20)} ${KEY.slice(20)};`], 'published'],
    ['of opendkim-genkey', [`v=DKIM1; h=sha256; k=rsa; s=email; p=${KEY}`], 'published'],
    ['none', [], 'missing'],
    ['two', [OURS, 'v=DKIM1; p=AAAA'], 'several'],
    ['another key', ['v=DKIM1; p=AAAA'], 'other-key'],
    ['something else', ['v=spf1 -all'], 'other-key'],
    ['nonsense', ['== p'], 'other-key'],
    ['revoked', ['v=DKIM1; p='], 'revoked'],
    ['cut by a form', [`v=DKIM1; k=rsa; p=${KEY.slice(0, 30)}`], 'cut'],
    ['of another kind', [`v=DKIM1; k=ed25519; p=${KEY}`], 'not-usable'],
    ['of another version', [`v=DKIM2; p=${KEY}`], 'not-usable'],
    ['for SHA-1 only', [`v=DKIM1; h=sha1; p=${KEY}`], 'not-usable'],
    ['not for mail', [`v=DKIM1; s=tlsrpt; p=${KEY}`], 'not-usable'],
  ]
  for (const [name, records, expected] of table)
    assert.equal(comparePublication(records, OURS).kind, expected, name)
})

test('t=y is told: receivers do not act on what such a key signs', () => {
  const found = comparePublication([`v=DKIM1; t=s:y; p=${KEY}`], OURS)
  assert.deepEqual(found, { kind: 'published', testing: true })
})
