import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { PosthornProcess, posthorn, writeSettings } from '../support/posthorn.ts'
import { missing, temporaryFolder } from '../support/tools.ts'

const USER = { POSTHORN_USER: '10001:10001' }
const skip = process.getuid?.() === 0 ? missing('openssl') : 'needs root'

/** As a seed of Postfix leaves it: everything root's, and the key closed. */
function house() {
  const folder = temporaryFolder()
  chmodSync(folder.path, 0o755)
  const key = join(folder.path, 'etc/dkim.key')
  mkdirSync(join(folder.path, 'etc'), { mode: 0o700 })
  execFileSync('openssl', ['genrsa', '-out', key, '2048'], { stdio: 'ignore' })
  chmodSync(key, 0o600)
  writeSettings(folder.path, {
    log: { format: 'json' },
    domains: { 'example.com': { key, selector: 'mail' } },
  })
  return { ...folder, key, data: join(folder.path, 'data') }
}

const ownerOf = (path: string) => {
  const { uid, gid, mode } = statSync(path)
  return [uid, gid, (mode & 0o777).toString(8)]
}

describe('started as root with POSTHORN_USER', { skip }, () => {
  it('every thread is that user, without groups and capabilities', async () => {
    using place = house()
    await using server = await PosthornProcess.start({
      folder: place.path,
      environment: () => USER,
    })
    const tasks = `/proc/${server.child.pid}/task`
    for (const thread of readdirSync(tasks)) {
      const status = readFileSync(`${tasks}/${thread}/status`, 'utf8')
      assert.match(status, /^Uid:\t10001\t10001\t10001\t10001$/m)
      assert.match(status, /^Gid:\t10001\t10001\t10001\t10001$/m)
      assert.match(status, /^Groups:\s*$/m)
      for (const set of ['CapPrm', 'CapEff', 'CapInh', 'CapAmb'])
        assert.match(status, new RegExp(`^${set}:\\t0{16}$`, 'm'))
    }
  })

  it('the data of an earlier, privileged run is taken over; links out of it are left alone', async () => {
    using place = house()
    mkdirSync(join(place.data, 'keys'), { recursive: true })
    writeFileSync(join(place.data, 'keys/old.pem'), '')
    const foreign = join(place.path, 'foreign')
    writeFileSync(foreign, '')
    symlinkSync(foreign, join(place.data, 'link'))
    lchownSync(join(place.data, 'link'), 0, 0)
    await using server = await PosthornProcess.start({
      folder: place.path,
      environment: () => USER,
    })
    assert.equal(server.log('root no more').length, 1)
    assert.equal(ownerOf(join(place.data, 'keys/old.pem'))[0], 10_001)
    assert.equal(ownerOf(foreign)[0], 0)
  })

  it('a closed key stays its owner’s and is read through its group, which the log says', async () => {
    using place = house()
    await using server = await PosthornProcess.start({
      folder: place.path,
      environment: () => USER,
    })
    assert.deepEqual(ownerOf(place.key), [0, 10_001, '640'])
    assert.deepEqual(ownerOf(join(place.path, 'etc')), [0, 10_001, '710'])
    const told = server.log().filter(({ message }) => /its group is ours now/.test(message))
    assert.deepEqual(
      told.map(({ path }) => path),
      [join(place.path, 'etc'), place.key],
    )
    const ran = await server.command(['send-test', 'accept@example.test'])
    assert.equal(ran.code, 0, ran.out + ran.err)
  })

  it('a word that is no user, and root itself, are refused', async () => {
    using place = house()
    for (const POSTHORN_USER of ['posthorn', '0', '10001:']) {
      const ran = await posthorn(['serve'], { folder: place.path, environment: { POSTHORN_USER } })
      assert.equal(ran.code, 4)
      assert.match(ran.err, /^POSTHORN_USER: ".*" is no user .*POSTHORN_USER=10001:10001$/m)
    }
  })
})
