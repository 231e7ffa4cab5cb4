import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkPassword, hashKey, hashPassword, isQuick, makeKey } from './password.ts'

describe('password hashes', () => {
  it('fit their password only, and differ each time', async () => {
    const [one, two] = await Promise.all([hashPassword('secret'), hashPassword('secret')])
    assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    assert.notEqual(one, two)
    assert.equal(await checkPassword(one, 'secret'), true)
    assert.equal(await checkPassword(one, 'Secret'), false)
    assert.equal(await checkPassword(one, ''), false)
  })

  it('are read with their own cost (RFC 7914 §12)', async () => {
    const hash = Buffer.from(
      'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162' +
        '2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640',
      'hex',
    )
    const salt = Buffer.from('NaCl').toString('base64')
    const stored = `scrypt$1024$8$16$${salt}$${hash.toString('base64')}`
    assert.equal(await checkPassword(stored, 'password'), true)
    assert.equal(await checkPassword(stored, 'passwort'), false)
  })

  for (const bad of [
    '',
    'plain',
    'scrypt$1$2',
    'argon2$1$1$1$a$b',
    '$argon2id$v=19$m=99999999,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA',
    '$argon2id$nonsense',
    `$6$rounds=99999999$salt$${'a'.repeat(86)}`,
    'SCRAM-SHA-256$0:YQ==$YQ==:YQ==',
    '{SSHA256}YQ==',
    '{MD5}YQ==',
    'scrypt$99999999999$8$1$YQ==$YQ==',
    'scrypt$x$8$1$YQ==$YQ==',
  ]) {
    it(`that are none fit nothing: ${JSON.stringify(bad)}`, async () => {
      assert.equal(await checkPassword(bad, 'x'), false)
    })
  }
})

const others: [string, string, string][] = [
  [
    'SHA-512-crypt of glibc',
    '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
    'Hello world!',
  ],
  [
    'SHA-256-crypt of glibc',
    '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5',
    'Hello world!',
  ],
  [
    'with rounds of their own',
    '$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.',
    'Hello world!',
  ],
  ['SHA-256', '{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=', 'secret'],
  [
    'SHA-256 in hexadecimal',
    '{SHA256}2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b',
    'secret',
  ],
  [
    'salted SHA-512',
    '{SSHA512}E491yrR9AdCoE7rbOPYS3EZgSuZpVE65AD9xko08s6floNesY/Zpe9zMVvLix4S2FiQSJ99RIkNvhHomNO9uL3NhbHQ=',
    'secret',
  ],
  [
    'what SCRAM keeps',
    'SCRAM-SHA-256$4096:c2FsdHNhbHQ=$v9cxy4WCDtc8UMxTg6KXCtlxIku1bUKTGuWEXFC1L54=:rwGpSn6lR97mSEImO0RA7JCZ4WnpCnnKddTt3G/t6II=',
    'secret',
  ],
]
for (const [what, stored, password] of others)
  it(`are read: ${what}`, async () => {
    assert.equal(await checkPassword(stored, password), true)
    assert.equal(await checkPassword(stored, `${password}x`), false)
  })
it('a key has 260 bits and says what it is; its hash is quick', async () => {
  const keys = new Set(Array.from({ length: 50 }, makeKey))
  assert.equal(keys.size, 50)
  for (const key of keys) assert.match(key, /^phk_[0-9a-hjkmnp-tv-z]{52}$/)
  const stored = hashKey('phk_1')
  assert.equal(isQuick(stored), true)
  assert.equal(await checkPassword(stored, 'phk_1'), true)
  assert.equal(await checkPassword(stored, 'phk_2'), false)
})

it('passwords that look the same are the same (RFC 4013 §3)', async () => {
  const stored = await hashPassword('\u2168\u00ad pass')
  assert.equal(await checkPassword(stored, 'IX pass'), true)
  assert.equal(await checkPassword(stored, 'ix pass'), false)
})

it('a password longer than crypt(3) takes costs nothing and fits nothing', async () => {
  const of512 = '$5$salt$LXRkULvauhpdDZLlfMTsYd4V2rZgOn14aOXlBoFok77'
  const of513 = '$5$salt$sufqzi1QoRDmYgSkowCADNWGhmgzTDbxzJR.RdLN9dD'
  assert.equal(await checkPassword(of512, 'a'.repeat(512)), true)
  assert.equal(await checkPassword(of513, 'a'.repeat(513)), false)
})
