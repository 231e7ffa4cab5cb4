import assert from 'node:assert/strict'
import { globSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { PosthornProcess } from '../support/posthorn.ts'
import { run, temporaryFolder } from '../support/tools.ts'

const root = join(import.meta.dirname, '../..')
const folder = temporaryFolder()
const published = join(folder.path, 'node_modules/posthorn')
const launcher = join(published, 'bin/posthorn.js')
after(() => folder[Symbol.dispose]())

before(async () => {
  mkdirSync(published, { recursive: true })
  const stage = join(root, 'packaging/stage.ts')
  const ran = await run(process.execPath, [stage, published])
  assert.equal(ran.code, 0, ran.err)
  symlinkSync(join(root, 'node_modules'), join(published, 'node_modules'))
})

test('below node_modules there is nothing that Node would have to strip', async () => {
  assert.deepEqual(globSync('{bin,dist}/**/*.ts', { cwd: published }), [])
  assert.deepEqual(globSync('dist/**/*.{test,contract,samples}.js', { cwd: published }), [])
  const { version } = await import('../../package.json', { with: { type: 'json' } }).then(
    (module) => module.default,
  )
  const ran = await run(process.execPath, [launcher, '--version'])
  assert.deepEqual(ran, { code: 0, out: `${version}\n`, err: '' })
})

test('it serves, takes a message and delivers it', async () => {
  await using server = await PosthornProcess.start({ program: launcher })
  const ran = await run(process.execPath, [launcher, 'send-test', 'accept@example.test'], {
    folder: server.folder,
    environment: { POSTHORN_LANG: 'en' },
  })
  assert.equal(ran.code, 0, ran.out + ran.err)
  assert.equal((await server.captured()).length, 1)
})
