import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config } from '../config/schema.ts'
import type { Domain } from '../mail/domain.ts'
import { unsignedOf } from './given.ts'

const config = {
  domains: { 'example.com': { sign: false }, 'shop.example.com': { sign: true } },
} as unknown as Config

test('the nearest domain says whether mail is signed', () => {
  const unsigned = (name: string) => unsignedOf(config, name as Domain)?.domain
  assert.equal(unsigned('example.com'), 'example.com')
  assert.equal(unsigned('deep.down.example.com'), 'example.com')
  assert.equal(unsigned('a.shop.example.com'), undefined)
  assert.equal(unsigned('example.org'), undefined)
  assert.equal(unsigned('constructor'), undefined)
})
