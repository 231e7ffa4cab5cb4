import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeFileFault, parsePasswordFile, parseUserList } from './password-file.ts'

const SSHA512 =
  '{SSHA512}E491yrR9AdCoE7rbOPYS3EZgSuZpVE65AD9xko08s6floNesY/Zpe9zMVvLix4S2FiQSJ99RIkNvhHomNO9uL3NhbHQ='
const CRYPT = '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'
const SCRAM =
  '4096,c2FsdHNhbHQ=,v9cxy4WCDtc8UMxTg6KXCtlxIku1bUKTGuWEXFC1L54=,rwGpSn6lR97mSEImO0RA7JCZ4WnpCnnKddTt3G/t6II='

test('lines as Dovecot has them', () => {
  const { entries, faults } = parsePasswordFile(
    [
      '# users of the old server',
      '',
      'app:{PLAIN}se:cret',
      `shop@example.com:${SSHA512}:1000:1000::/home/shop:/bin/false:allow_nets=10.0.0.0/8,::1 x=y`,
      `crypt:${CRYPT}:::::`,
      `named:{SHA256-CRYPT}${CRYPT}`,
      `scram:{SCRAM-SHA-256}${SCRAM}`,
    ].join('\r\n'),
  )
  assert.deepEqual(faults, [])
  const secret = entries.map(({ password, hash }) => password ?? hash)
  const scram = entries[4]!.scram!
  assert.deepEqual(secret, ['se:cret', SSHA512, CRYPT, CRYPT, scram])
  assert.match(scram, /^SCRAM-SHA-256\$4096:c2FsdHNhbHQ=\$/)
  assert.deepEqual(entries[1]!.networks, ['10.0.0.0/8', '::1'])
  assert.deepEqual(
    entries.map(({ line }) => line),
    [3, 4, 5, 6, 7],
  )
})

test('each fault names its line and never a password', () => {
  const { entries, faults } = parsePasswordFile(
    [
      'no colon here',
      'two words:{PLAIN}secret1',
      'app:',
      'app:secret2',
      'app:{MD5}c2VjcmV0Mw==',
      'app:$2y$10$abcdefghijklmnopqrstuv',
      'app:{SSHA256}secret4',
      'good:{PLAIN}secret5',
      'good:{PLAIN}secret6',
      'net:{PLAIN}secret7:1:1::/:/bin/sh:allow_nets=everywhere',
    ].join('\n'),
  )
  assert.deepEqual(
    faults.map(({ line, reason, about }) => [line, reason, about]),
    [
      [1, 'no-colon', ''],
      [2, 'bad-name', 'two words'],
      [3, 'no-password', 'app'],
      [4, 'no-scheme', 'app'],
      [5, 'unknown-scheme', 'MD5'],
      [6, 'unknown-scheme', 'BLF-CRYPT'],
      [7, 'bad-hash', 'app'],
      [9, 'given-twice', 'good'],
      [10, 'bad-network', 'everywhere'],
    ],
  )
  assert.equal(entries.length, 1)
  for (const fault of faults) assert.doesNotMatch(describeFileFault(fault), /secret/)
})

test('a list in one text, as containers take it', () => {
  const { entries, faults } = parseUserList('app:one, user@example.com:t:wo,\nc:{PLAIN}three')
  assert.deepEqual(faults, [])
  assert.deepEqual(
    entries.map(({ name, password }) => [name, password]),
    [
      ['app', 'one'],
      ['user@example.com', 't:wo'],
      ['c', 'three'],
    ],
  )
  assert.deepEqual(
    parseUserList('app,b:').faults.map(({ line, reason }) => [line, reason]),
    [
      [1, 'no-colon'],
      [2, 'no-password'],
    ],
  )
})
