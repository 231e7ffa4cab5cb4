import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { systemClock } from '../std/clock.ts'
import { silentLog } from '../std/log.ts'
import { setForeignAside } from './folder.ts'

it('what is in the place of a file or folder of ours moves aside, and what is ours stays', async () => {
  const data = mkdtempSync(join(tmpdir(), 'posthorn-folder-'))
  try {
    for (const name of ['routing', 'keys', 'keys/login.secret', 'keys/a.example.s.pem', 'mine'])
      mkdirSync(join(data, name))
    for (const name of ['admin-token', 'damaged', 'keys/b.example.s.pem'])
      writeFileSync(join(data, name), 'x')
    await setForeignAside(data, { clock: { ...systemClock, now: () => 7 }, log: silentLog })
    assert.deepEqual(readdirSync(data).sort(), [
      'admin-token',
      'damaged.7',
      'keys',
      'mine',
      'routing.7',
    ])
    assert.deepEqual(readdirSync(join(data, 'keys')).sort(), [
      'a.example.s.pem.7',
      'b.example.s.pem',
      'login.secret.7',
    ])
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
})
