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

const quick = (name: string) => ({ name, domains: [], createdAt: 0 })

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

  it('leaves a thread of the pool to signatures, also while it learns', async () => {
    const names = ['a', 'b', 'c', 'd']
    const imported = names.map((name) => ({ ...quick(name), hash: `{PLAIN}${name}` }))
    const learned: string[] = []
    const credentials = new Credentials(imported, { onLearned: ({ name }) => learned.push(name) })
    let inside = 0
    let most = 0
    const hold = () =>
      credentials.hashing(async () => {
        most = Math.max(most, ++inside)
        assert.equal(learned.length, 0, 'whoever learns waits its turn')
        await new Promise((then) => setTimeout(then, 20))
        inside--
      })
    const held = [hold(), hold(), hold()]
    const logins = names.flatMap((name) =>
      Array.from({ length: 50 }, () => credentials.verify(name, name)),
    )
    await Promise.all(held)
    assert.equal(most, 1)
    assert.ok((await Promise.all(logins)).every((one) => one))
    assert.deepEqual(learned, names, 'each is learned once, whoever logs in at the same time')
  })

  it('does not let in with the old password who got a new one while it was learned', async () => {
    const credentials = new Credentials([{ ...quick('app'), hash: '{PLAIN}old' }], {
      onLearned: () => {},
    })
    const login = credentials.hashing(async () => {
      const trying = credentials.verify('app', 'old')
      for (let turn = 0; turn < 10; turn++) await Promise.resolve()
      credentials.rotate({ ...quick('app'), hash: '{PLAIN}new' })
      return { trying }
    })
    assert.equal(await (await login).trying, false)
  })

  it('turns a flood of guesses away', async () => {
    const credentials = new Credentials([])
    const tries = Array.from({ length: 80 }, (_, i) => credentials.verify('app', `guess ${i}`))
    const results = await Promise.allSettled(tries)
    const refused = results.filter((one) => one.status === 'rejected')
    assert.equal(refused.length, 29)
    for (const one of refused) {
      assert.ok(one.reason instanceof Refusal)
      assert.match(one.reason.message, /^454 4\.7\.0/)
    }
  })
})
