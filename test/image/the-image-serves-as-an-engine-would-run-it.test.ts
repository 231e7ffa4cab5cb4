// The image is built by the Dockerfile with buildah, on a small Debian with npm's Node in the place of
// the official image, and with this checkout's modules in the place of `npm ci`. No engine is needed
// to run it: test/support/engine.ts does around it what Docker does (namespaces, capabilities, a
// read-only root, volumes), from the configuration that is in the image.

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { chownSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { debianTar, noDebian } from '../support/debian.ts'
import { Container, type Image, Network, noEngine } from '../support/engine.ts'
import { missing, PYTHON, type Ran, run, until } from '../support/tools.ts'

const checkout = join(import.meta.dirname, '../..')
const skip = noDebian() || noEngine() || missing('buildah', 'openssl', PYTHON)

/** A folder and a storage of images in it, gone when it ends. */
const place = skip ? '' : mkdtempSync(join(tmpdir(), 'posthorn-image-'))
const storage = [
  '--storage-driver',
  'vfs',
  '--root',
  join(place, 'storage'),
  '--runroot',
  join(place, 'run'),
]
const settings = {
  environment: { STORAGE_DRIVER: 'vfs', BUILDAH_ISOLATION: 'chroot', HOME: place },
  seconds: 200,
}

async function buildah(...args: readonly string[]): Promise<string> {
  const ran = await run('buildah', [...storage, ...args], settings)
  assert.equal(ran.code, 0, `buildah ${args.join(' ')}\n${ran.err}`)
  return ran.out.trim()
}

async function makeBase(): Promise<void> {
  const container = await buildah('from', 'scratch')
  await buildah('add', '-q', container, await debianTar(), '/')
  await buildah('add', '-q', container, process.execPath, '/usr/local/bin/node')
  await buildah('commit', '-q', '--rm', container, 'localhost/base')
}

/** What `npm ci` would install, without the tools that only look at the sources. */
function borrowModules(): string {
  const from = join(checkout, 'node_modules')
  const to = join(place, 'modules/source/node_modules')
  mkdirSync(to, { recursive: true })
  const idle = /^(\.bin|\.cache|@biomejs|node-linux-.*|knip|.*oxc-.*)$/
  for (const name of readdirSync(from).filter((name) => !idle.test(name)))
    cpSync(join(from, name), join(to, name), { recursive: true, dereference: true })
  return join(place, 'modules')
}

async function buildImage(): Promise<Image> {
  await makeBase()
  const how = ['--format', 'docker', '--build-context', `modules=${borrowModules()}`]
  const args = ['--build-arg', 'BASE=localhost/base', '--build-arg', 'REVISION=test']
  await buildah('bud', '-q', ...how, ...args, '-t', 'localhost/posthorn', checkout)
  const about = await buildah('inspect', '--type', 'image', 'localhost/posthorn')
  const { config } = (JSON.parse(about) as { Docker: { config: Image['config'] } }).Docker
  const root = await buildah('mount', await buildah('from', 'localhost/posthorn'))
  return { root, config }
}

function volume(name: string, owner = 0): string {
  const folder = join(place, 'volumes', name)
  mkdirSync(folder, { recursive: true })
  chownSync(folder, owner, owner)
  return folder
}

describe('the image', { skip, timeout: 400_000 }, () => {
  let image: Image
  let network: Network
  before(async () => {
    image = await buildImage()
    network = await Network.open()
  })
  after(async () => {
    await network?.[Symbol.asyncDispose]()
    await run('buildah', [...storage, 'umount', '--all'], settings)
    rmSync(place, { recursive: true, force: true })
  })

  it('says what it is, how it is asked and how it is stopped', () => {
    const { config } = image
    assert.equal(config.Labels['org.opencontainers.image.title'], 'Posthorn')
    assert.equal(config.Labels['org.opencontainers.image.revision'], 'test')
    assert.deepEqual(Object.keys(config.Volumes), ['/data'])
    assert.deepEqual(config.Healthcheck.Test, ['CMD', 'node', '/app/bin/posthorn.js', 'health'])
    assert.equal(config.StopSignal, 'SIGTERM')
    assert.ok('25/tcp' in config.ExposedPorts)
  })

  it('holds what runs and nothing else', () => {
    for (const name of ['src', 'test', 'node_modules/typescript', 'node_modules/nodemailer'])
      assert.throws(() => statSync(join(image.root, 'app', name)), { code: 'ENOENT' }, name)
  })

  it('follows the guide to a Postfix container: root’s volumes and key, and yet it serves as 10001', async () => {
    const keys = volume('dkim')
    execFileSync('openssl', ['genrsa', '-out', join(keys, 'dkim.key'), '2048'], { stdio: 'ignore' })
    const spool = volume('spool')
    await using container = await Container.start(image, {
      network,
      args: ['mydomain.ru', 'no-reply@N0replyuserP@ssw0rd'],
      environment: { POSTFIX_RAW_CONFIG_SMTPD_USE_TLS: 'no' },
      volumes: {
        '/data': volume('anonymous'),
        '/var/spool/postfix': spool,
        '/var/log': volume('log'),
        '/etc/postfix/dkim': keys,
      },
    }).ready()
    for (const status of container.threads()) {
      assert.match(status, /^Uid:\t10001\t10001\t10001\t10001$/m)
      assert.match(status, /^Groups:\s*$/m)
      assert.match(status, /^CapEff:\t0{16}$/m)
    }
    assert.equal(statSync(join(spool, 'posthorn/queue.db')).uid, 10_001)
    const health = await container.health()
    assert.equal(health.code, 0, health.out + health.err)
    const login = ['-username', 'no-reply', '-password', 'N0replyuserP@ssw0rd']
    const mail = ['-from', 'no-reply@mydomain.ru', '-to', 'you@example.invalid']
    const sent = await container.run('posthorn', 'mail-checker', ...login, ...mail)
    assert.deepEqual(sent, { code: 0, out: '', err: '' }, container.said)
    assert.equal(await container.end('SIGTERM'), 0)
    assert.match(container.said, /^Stopped\. What is queued is on disk\.$/m)
  })

  it('without any right, on a read-only root: killed, it delivers later what it had accepted', async () => {
    const relay = 2626
    const live = {
      network,
      bare: true,
      volumes: { '/data': volume('live', 10_001) },
      environment: {
        POSTHORN_MODE: 'live',
        POSTHORN_HOSTNAME: 'mail.example.com',
        POSTHORN_DOMAINS: 'example.com',
        POSTHORN_RELAYHOST: `smtp://127.0.0.1:${relay}`,
        POSTHORN_RETRY_FIRST: '1s',
      },
    }
    const subjects = ['first', 'second', 'third']
    let last: Ran | undefined
    {
      await using container = await Container.start(image, live).ready()
      for (const status of container.threads()) {
        assert.match(status, /^Uid:\t10001\t10001\t10001\t10001$/m)
        assert.match(status, /^NoNewPrivs:\t1$/m)
        assert.match(status, /^CapEff:\t0{16}$/m)
      }
      for (const subject of subjects) await submit(network, subject)
      const red = await until(
        async () => {
          last = await container.health()
          return last.code !== 0 && last
        },
        'the health check notices that nothing gets out',
        1,
      ).catch((error: Error) => {
        throw new Error(`${error.message}: ${last?.out}${last?.err}${container.said}`)
      })
      assert.equal(red.code, 1)
      assert.match(red.out, /does not get out[\s\S]*delivery: FAILS {2}nothing got through since/)
      await container.end('SIGKILL')
    }
    await using sink = openSink(network, relay)
    await using container = await Container.start(image, live).ready()
    await until(() => sink.taken().length >= subjects.length, 'the relay has all of them')
    const found = sink.taken().map(({ content }) => /^Subject: (\w+)/m.exec(content)?.[1])
    assert.deepEqual(found.toSorted(), subjects)
    await until(async () => (await container.health()).code === 0, 'the health check is green', 1)
  })

  it('says whose the volume is when it may not write there', async () => {
    await using container = Container.start(image, {
      network,
      bare: true,
      volumes: { '/data': volume('foreign') },
      environment: { POSTHORN_LANG: 'en' },
    })
    assert.equal(await container.ended(), 1)
    assert.match(
      container.said,
      /DATA_NOT_WRITABLE {2}\/data belongs to uid 0, we run as uid 10001/,
    )
    assert.match(container.said, /chown -R 10001 \/data/)
  })
})

const SUBMIT = `
import smtplib, sys
mail = 'From: a@example.com\\nTo: b@example.org\\nSubject: %s\\n\\nx' % sys.argv[1]
smtplib.SMTP('127.0.0.1', 25).sendmail('a@example.com', 'b@example.org', mail)
`

async function submit(network: Network, subject: string): Promise<void> {
  const [program, args] = network.inside(PYTHON, '-c', SUBMIT, subject)
  const ran = await run(program, args)
  assert.equal(ran.code, 0, ran.err)
}

function openSink(network: Network, port: number) {
  const script = join(dirname(import.meta.dirname), 'support/sink.ts')
  const [program, args] = network.inside(process.execPath, script, String(port))
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const lines = () => text.split('\n').slice(1, -1)
  return {
    taken: () => lines().map((line) => JSON.parse(line) as { content: string }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
    },
  }
}
