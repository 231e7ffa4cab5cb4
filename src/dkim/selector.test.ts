import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freeSelector, parseSelector } from './selector.ts'

test('a selector is one or more labels, in lower case', () => {
  for (const good of ['mail', '20261121', 'p2611-2e', 'mail.example.com', 's_1', 'Brisbane'])
    assert.equal(parseSelector(good), good.toLowerCase())
  const bad = ['', '.', 'a..b', '-a', 'a-', '../key', 'a/b', 'ключ', 'a b', 'x'.repeat(64), 'a;b']
  for (const one of bad) assert.equal(parseSelector(one), undefined, one)
})

test('a name that was in use is not used again', () => {
  const taken = new Set(['p2611', 'p2611-2', 'p2611e'])
  const isTaken = (name: string) => taken.has(name)
  assert.equal(freeSelector('p2611', 'rsa-sha256', isTaken), 'p2611-3')
  assert.equal(freeSelector('p2611', 'ed25519-sha256', isTaken), 'p2611-2e')
  assert.equal(freeSelector('p2612', 'rsa-sha256', isTaken), 'p2612')
})
