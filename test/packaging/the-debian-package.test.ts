// Built by its script, judged by lintian, and installed, upgraded, removed and purged with dpkg in a
// small Debian of its own. No service manager runs there: what the package does with one is Debian's
// usual snippet, and is not proven here.

import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { debianTar, noDebian } from '../support/debian.ts'
import { missing, run, temporaryFolder } from '../support/tools.ts'

const skip = noDebian() || missing('dpkg-deb', 'chroot', 'tar')
const script = join(import.meta.dirname, '../../packaging/debian/build.sh')

describe('the Debian package', { skip, timeout: 280_000 }, () => {
  const folder = temporaryFolder()
  const root = join(folder.path, 'root')
  const inside = (path: string) => join(root, path)
  let first: string
  let second: string

  async function chroot(...line: readonly string[]) {
    const plain = [
      'env',
      '-i',
      'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
      'LC_ALL=C.UTF-8',
      'DEBIAN_FRONTEND=noninteractive',
    ]
    return await run('chroot', [root, ...plain, ...line], { seconds: 120 })
  }
  async function dpkg(...words: readonly string[]): Promise<string> {
    const ran = await chroot('dpkg', '--force-confdef', '--force-confold', ...words)
    assert.equal(ran.code, 0, ran.out + ran.err)
    const odd = ran.err.split('\n').filter((line) => !/^(Creating (user|group) .*|)$/.test(line))
    assert.deepEqual(odd, [])
    return ran.out
  }

  before(async () => {
    const environment = {
      COMPRESSION: 'gzip',
      PATH: `${join(process.execPath, '..')}:${process.env.PATH}`,
    }
    const ran = await run('bash', [script, folder.path], { environment, seconds: 200 })
    assert.equal(ran.code, 0, ran.err)
    first = ran.out.trim()
    mkdirSync(root)
    const unpacked = await run('tar', ['-xf', await debianTar(), '-C', root], { seconds: 120 })
    assert.equal(unpacked.code, 0, unpacked.err)
    second = await renumber(first, folder.path)
    await run('cp', [first, second, inside('/')])
  })
  after(() => folder[Symbol.dispose]())

  it('has nothing to say to lintian', { skip: missing('lintian') }, async () => {
    const ran = await run('lintian', ['--allow-root', '--fail-on', 'error,warning', first], {
      seconds: 200,
    })
    assert.equal(ran.code, 0, ran.out + ran.err)
  })

  it('installs: a user, a closed configuration, a data folder, commands', async () => {
    await dpkg('--install', `/${first.split('/').at(-1)}`)
    const passwd = readFileSync(inside('/etc/passwd'), 'utf8')
    const [, uid] =
      /^posthorn:[^:]*:(\d+):.*:\/var\/lib\/posthorn:\/usr\/sbin\/nologin$/m.exec(passwd) ?? []
    assert.ok(Number(uid) > 0, passwd)
    const data = statSync(inside('/var/lib/posthorn'))
    assert.deepEqual([data.uid, data.mode & 0o777], [Number(uid), 0o700])
    assert.equal(statSync(inside('/etc/posthorn/posthorn.yaml')).mode & 0o777, 0o640)
    const checked = await chroot('posthorn', 'config', 'check')
    assert.equal(checked.code, 0, checked.out + checked.err)
    const { version } = JSON.parse(readFileSync(join(script, '../../../package.json'), 'utf8'))
    assert.equal((await chroot('posthorn', '--version')).out.trim(), version)
    const lines = ['To: you@example.test', 'Subject: x', '', 'x'].join('\n')
    const mail = await run('chroot', [root, '/usr/sbin/sendmail', '-t'], { input: lines })
    assert.notEqual(mail.code, 127, 'sendmail is there')
    assert.match(mail.err, /^sendmail: |^$/)
  })

  it('upgrades: configuration and data stay', async () => {
    appendFileSync(inside('/etc/posthorn/posthorn.yaml'), '# mine\n')
    writeFileSync(inside('/var/lib/posthorn/queue.db'), 'mail')
    await dpkg('--install', `/${second.split('/').at(-1)}`)
    assert.match(readFileSync(inside('/etc/posthorn/posthorn.yaml'), 'utf8'), /# mine\n$/)
    assert.equal(readFileSync(inside('/var/lib/posthorn/queue.db'), 'utf8'), 'mail')
    assert.match(await dpkg('--status', 'posthorn'), /^Version: 99\.0\.0$/m)
  })

  it('goes without a trace but what is the user’s, and purged without that', async () => {
    await dpkg('--remove', 'posthorn')
    for (const gone of ['/usr/bin/posthorn', '/usr/sbin/sendmail', '/usr/lib/posthorn'])
      assert.equal(existsSync(inside(gone)), false, gone)
    assert.equal(readFileSync(inside('/var/lib/posthorn/queue.db'), 'utf8'), 'mail')
    assert.ok(existsSync(inside('/etc/posthorn/posthorn.yaml')))
    await dpkg('--purge', 'posthorn')
    for (const gone of ['/var/lib/posthorn', '/var/spool/posthorn', '/etc/posthorn'])
      assert.equal(existsSync(inside(gone)), false, gone)
    const left = await chroot(
      'find',
      '/etc',
      '/usr',
      '/var',
      '-name',
      '*posthorn*',
      '-not',
      '-path',
      '/var/lib/dpkg/*',
    )
    assert.equal(left.out, '')
  })
})

/** The same package with a higher number. */
async function renumber(deb: string, folder: string): Promise<string> {
  const tree = join(folder, 'again')
  const to = deb.replace(/_[^_]+_/, '_99.0.0_')
  await run('dpkg-deb', ['-R', deb, tree], { seconds: 120 })
  const control = join(tree, 'DEBIAN/control')
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, 'Version: 99.0.0'))
  const ran = await run('dpkg-deb', ['-Znone', '--build', tree, to], { seconds: 120 })
  assert.equal(ran.code, 0, ran.err)
  return to
}
