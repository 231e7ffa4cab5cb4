import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { posthorn, startHere, writeSettings } from '../support/posthorn.ts'
import { temporaryFolder } from '../support/tools.ts'

describe('what prevents a start is said in words:', { concurrency: 2 }, () => {
  it('all faults of a configuration at once, each with its place', async () => {
    using folder = temporaryFolder()
    const lines = [
      'mode: lve',
      'hostname: localhost',
      'smtp:',
      '  prot: 2525',
      'limits:',
      '  message_size: much',
      'domains:',
      '  bad domain: { mode: live }',
      '  good.example: { selctor: a }',
      'retry: { first: 5 }',
    ]
    writeFileSync(join(folder.path, 'posthorn.yaml'), `${lines.join('\n')}\n`)
    const environment = { POSTHORN_HTTP_PORT: 'eighty', POSTHORN_HTPP_ADDRESS: '::1' }
    const ran = await posthorn(['serve', '--log-level', 'loud'], {
      folder: folder.path,
      environment,
    })
    assert.equal(ran.code, 4)
    assert.equal(ran.out, '')
    const places = ran.err.split('\n').filter((line) => line.startsWith('  '))
    const expected = [
      /^ {2}posthorn\.yaml:1:7 {2}mode: .*live/,
      /^ {2}posthorn\.yaml:2:11 {2}(HELO_NOT_FQDN {2})?hostname: /,
      /^ {2}posthorn\.yaml:4:3 {2}smtp\.prot: unknown option\. Did you mean smtp\.port\?/,
      /^ {2}posthorn\.yaml:6:17 {2}limits\.message_size: /,
      /^ {2}posthorn\.yaml:8:3 {2}domains\.bad domain: /,
      /^ {2}posthorn\.yaml:9:19 {2}domains\.good\.example\.selctor: unknown option\. Did you mean .*selector/,
      /^ {2}posthorn\.yaml:10:17 {2}retry\.first: /,
      /^ {2}POSTHORN_HTTP_PORT {2}http\.port: /,
      /^ {2}POSTHORN_HTPP_ADDRESS {2}.*unknown/,
      /^ {2}--log-level {2}log\.level: /,
    ]
    for (const one of expected)
      assert.ok(
        places.some((place) => one.test(place)),
        `${one} is not in\n${ran.err}`,
      )
    assert.equal(places.length, expected.length, ran.err)
    assert.match(ran.err, /10 faults/)
    const checked = await posthorn(['config', 'check'], { folder: folder.path })
    assert.equal(checked.code, 4)
  })

  it('a port that another program has, with the way to another', async () => {
    using folder = temporaryFolder()
    await using holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    const { port } = holder.address() as { port: number }
    for (const [door, flag] of [
      ['smtp', '--smtp-port'],
      ['http', '--http-port'],
    ] as const) {
      writeSettings(folder.path, { [door]: { port } })
      const ran = await posthorn(['serve'], { folder: folder.path })
      assert.equal(ran.code, 1)
      assert.match(ran.err, new RegExp(`PORT_IN_USE  Cannot listen on 127\\.0\\.0\\.1:${port}: .+`))
      assert.match(
        ran.err,
        new RegExp(`Fix: stop that program, or take another port: ${flag} ${port + 1}`),
      )
      assert.doesNotMatch(ran.err, /\n {4}at /, 'no stack')
    }
  })

  it('a data folder that another server has', async () => {
    await using first = await startHere()
    const ran = await posthorn(['serve', '--smtp-port', '0', '--http-port', '0'], {
      folder: first.folder,
    })
    assert.equal(ran.code, 1)
    assert.match(ran.err, /DATA_IN_USE {2}.*data/)
    assert.match(ran.err, /Fix: stop the other server, or give this one its own folder: --data/)
    assert.doesNotMatch(ran.err, /\n {4}at /, 'no stack')
    assert.equal((await first.readiness()).status, 'ok')
  })

  it('a data folder that cannot be one', async () => {
    using folder = temporaryFolder()
    writeFileSync(join(folder.path, 'file'), '')
    writeSettings(folder.path, { data: 'file/data' })
    const ran = await posthorn(['serve'], { folder: folder.path })
    assert.equal(ran.code, 1)
    assert.match(ran.err, /DATA_NOT_WRITABLE {2}.*file\/data/)
  })

  it('in Russian too', async () => {
    using folder = temporaryFolder()
    writeFileSync(join(folder.path, 'posthorn.yaml'), 'mode: lve\n')
    const environment = { POSTHORN_LANG: 'ru' }
    const ran = await posthorn(['serve'], { folder: folder.path, environment })
    assert.equal(ran.code, 4)
    assert.match(ran.err, /posthorn\.yaml:1:7 {2}mode: .*[а-я]/)
  })
})
