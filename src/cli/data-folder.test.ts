import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { test } from 'node:test'
import { posthorn } from '../../test/support/posthorn.ts'

const TMPFS = 0x01021994
const memory = '/dev/shm'
const isMemory = () => {
  try {
    return statfsSync(memory).type === TMPFS
  } catch {
    return false
  }
}

test('live mail does not wait in memory', { skip: !isMemory() && 'no tmpfs here' }, async () => {
  const folder = mkdtempSync(`${memory}/posthorn-`)
  try {
    const line = [
      'serve',
      '--mode',
      'live',
      '--hostname',
      'mail.example.com',
      '--data',
      `${folder}/data`,
    ]
    const ran = await posthorn(line, { folder })
    assert.equal(ran.code, 1)
    assert.match(ran.err, /^DATA_IN_MEMORY .*tmpfs.*\n {2}Fix: /)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
