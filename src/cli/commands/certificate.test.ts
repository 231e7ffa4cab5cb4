import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { posthorn, startHere } from '../../../test/support/posthorn.ts'
import { temporaryFolder } from '../../../test/support/tools.ts'
import { issueCertificate, makeAuthority } from '../../std/certificate.ts'
import { systemClock } from '../../std/clock.ts'

const root = makeAuthority('Root', systemClock, { days: 30 })
const made = () => issueCertificate(root, ['mail.example.com'], { clock: systemClock, days: 20 })

test('files are checked before they are used: what is wrong, what to do, and an exit code', async () => {
  using folder = temporaryFolder()
  const { cert, key } = made()
  writeFileSync(join(folder.path, 'cert.pem'), cert + root.cert)
  writeFileSync(join(folder.path, 'key.pem'), key, { mode: 0o600 })
  writeFileSync(join(folder.path, 'other.pem'), made().key, { mode: 0o600 })
  const check = (args: readonly string[], language = 'en') =>
    posthorn(['certificate', 'check', ...args], {
      folder: folder.path,
      environment: { POSTHORN_LANG: language },
    })
  const good = await check(['cert.pem', 'key.pem', '--host', 'mail.example.com'])
  assert.deepEqual([good.code, good.err], [0, ''])
  assert.match(good.out, /State +can be used\n +Names +mail\.example\.com\n/)
  const other = await check(['cert.pem', 'other.pem'])
  assert.equal(other.code, 1)
  assert.match(other.out, /^ERROR KEY_MISMATCH: .*is not for the key in .*other\.pem\.$/m)
  const russian = await check(['cert.pem', 'nowhere.pem'], 'ru')
  assert.equal(russian.code, 1)
  assert.match(russian.out, /^ОШИБКА FILE_MISSING: .*nowhere\.pem: такого файла нет\.$/m)
  const json = JSON.parse((await check(['cert.pem', 'key.pem', '--json'])).out)
  assert.deepEqual([json[0].inUse, json[0].faults], [true, []])
  assert.equal((await check([])).code, 2)
})

test('the running server’s own: list, show, renew, root', async () => {
  await using server = await startHere({
    hostname: 'mail.example.com',
    listeners: { submissions: { port: 0, tls: 'implicit' } },
  })
  const list = await server.command(['certificate', 'list'])
  assert.match(
    list.out,
    /mail\.example\.com +own authority +\d{4}-\d\d-\d\d +in use; clients trust it only/,
  )
  const serialOf = async () =>
    JSON.parse((await server.command(['certificate', 'show', '--json'])).out)[0].certificate.serial
  const before = await serialOf()
  assert.equal((await server.command(['certificate', 'renew'])).code, 0)
  assert.notEqual(await serialOf(), before)
  const pem = (await server.command(['certificate', 'root'])).out
  assert.equal(pem, await (await fetch(`${server.http}/ca.pem`)).text())
  const unknown = await server.command(['certificate', 'show', 'x.example'])
  assert.deepEqual([unknown.code, unknown.err], [1, 'There is no certificate for x.example.\n'])
  const asked = await fetch(`${server.http}/.well-known/acme-challenge/unknown`)
  assert.equal(asked.status, 404)
  assert.equal((await fetch(`${server.http}/api/v1/certificates`)).status, 401)
})
