import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Refusal } from '../mail/reply.ts'
import { Credentials } from './credentials.ts'
import { hashPassword } from './password.ts'

const record = async (name: string, password: string) => ({
  name,
  hash: await hashPassword(password),
  domains: [],
  createdAt: 0,
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
    assert.equal(credentials.grantOf('app'), undefined)
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
