import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Refusal } from '../mail/reply.ts'
import { Credentials, checkPassword, hashPassword, makePassword } from './credentials.ts'

const record = async (name: string, password: string) => ({
  name,
  hash: await hashPassword(password),
  domains: [],
  createdAt: 0,
})

describe('password hashes', () => {
  it('fit their password only, and differ each time', async () => {
    const [one, two] = await Promise.all([hashPassword('secret'), hashPassword('secret')])
    assert.match(one, /^scrypt\$32768\$8\$1\$[A-Za-z0-9+/=]{24}\$[A-Za-z0-9+/=]{44}$/)
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
    'scrypt$99999999999$8$1$YQ==$YQ==',
    'scrypt$x$8$1$YQ==$YQ==',
  ]) {
    it(`that are none fit nothing: ${JSON.stringify(bad)}`, async () => {
      assert.equal(await checkPassword(bad, 'x'), false)
    })
  }
})

it('makePassword gives 160 bits in groups that can be read aloud', () => {
  const passwords = new Set(Array.from({ length: 50 }, makePassword))
  assert.equal(passwords.size, 50)
  for (const password of passwords)
    assert.match(password, /^([0-9a-hjkmnp-tv-z]{4}-){7}[0-9a-hjkmnp-tv-z]{4}$/)
})

describe('Credentials', () => {
  it('knows right from wrong, and remembers', async () => {
    const credentials = new Credentials([await record('app', 'right')])
    assert.equal(await credentials.verify('app', 'wrong'), false)
    assert.equal(await credentials.verify('nobody', 'right'), false)
    assert.equal(await credentials.verify('app', 'right'), true)
    assert.equal(await credentials.verify('app', 'right'), true)
    assert.equal(await credentials.verify('ap', 'pright'), false)
  })

  it('asks the slow hash once for many logins at a time', async () => {
    const credentials = new Credentials([await record('app', 'right')])
    const logins = Array.from({ length: 500 }, () => credentials.verify('app', 'right'))
    assert.ok((await Promise.all(logins)).every((one) => one))
  })

  it('forgets the password of who is revoked or got a new one', async () => {
    const credentials = new Credentials([await record('app', 'old'), await record('b', 'b')])
    assert.equal(await credentials.verify('app', 'old'), true)
    credentials.set(await record('app', 'new'))
    assert.equal(await credentials.verify('app', 'old'), false)
    assert.equal(await credentials.verify('app', 'new'), true)
    assert.equal(credentials.revoke('app'), true)
    assert.equal(await credentials.verify('app', 'new'), false)
    assert.equal(credentials.domainsOf('app'), undefined)
    assert.equal(await credentials.verify('b', 'b'), true)
  })

  it('does not let in who is revoked while the hash is computed', async () => {
    const credentials = new Credentials([await record('app', 'right')])
    const login = credentials.verify('app', 'right')
    credentials.revoke('app')
    assert.equal(await login, false)
  })

  it('turns a flood of guesses away', async () => {
    const credentials = new Credentials([])
    const tries = Array.from({ length: 80 }, (_, i) => credentials.verify('app', `guess ${i}`))
    const results = await Promise.allSettled(tries)
    const refused = results.filter((one) => one.status === 'rejected')
    assert.equal(refused.length, 28)
    for (const one of refused) {
      assert.ok(one.reason instanceof Refusal)
      assert.match(one.reason.message, /^454 4\.7\.0/)
    }
  })
})
