import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { replaceFile } from './durable.ts'

async function inFolder(story: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-durable-'))
  try {
    await story(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe('replaceFile', () => {
  it('makes a file that only its owner may read', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'key.pem')
      await replaceFile(path, 'secret')
      assert.equal(await readFile(path, 'utf8'), 'secret')
      assert.equal((await stat(path)).mode & 0o777, 0o600)
    }))

  it('replaces the old content and leaves no draft', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'page')
      await writeFile(path, 'old and longer')
      await replaceFile(path, Buffer.from('new'), { mode: 0o644 })
      assert.equal(await readFile(path, 'utf8'), 'new')
      assert.deepEqual(await readdir(folder), ['page'])
    }))

  it('keeps what is there when the new file cannot take its place', () =>
    inFolder(async (folder) => {
      await mkdir(join(folder, 'taken', 'inner'), { recursive: true })
      await assert.rejects(replaceFile(join(folder, 'taken'), 'x'), { code: /EISDIR|ENOTEMPTY/ })
      assert.deepEqual(await readdir(folder), ['taken'])
    }))
})
