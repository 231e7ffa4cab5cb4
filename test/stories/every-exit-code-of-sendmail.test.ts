// What programs see of sendmail when it does not work out: a code of sysexits.h and one line. Never
// 75, which PHP takes for success.

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type PosthornHere, startHere } from '../support/posthorn.ts'
import { type CommandName, callSendmail } from '../support/sendmail.ts'
import { run, temporaryFolder } from '../support/tools.ts'

const folder = temporaryFolder()
after(() => folder[Symbol.dispose]())
const LETTER = 'From: a@sender.example\nTo: b@example.com\nSubject: x\n\nhi\n'

type Call = readonly [
  what: string,
  code: number,
  words: readonly string[],
  says: RegExp,
  more?: {
    readonly name?: CommandName
    readonly input?: string
    readonly environment?: Readonly<Record<string, string>>
  },
]

function table(calls: readonly Call[], data: () => string): void {
  for (const [what, code, words, says, more = {}] of calls)
    it(`${code}: ${what}`, async () => {
      const { name = 'sendmail', input = LETTER, environment = {} } = more
      const ran = await callSendmail(name, words, { data: data(), input, environment })
      assert.match(ran.err, says)
      assert.equal(ran.code, code, ran.err)
      if (code !== 0) assert.match(ran.err, /^[^\n]+\n$/)
    })
}

describe('with a server', () => {
  let posthorn: PosthornHere
  before(async () => {
    writeFileSync(join(folder.path, 'good'), 'root: a@sender.example\n')
    const own = { mode: 'live', hostname: 'mail.sender.example', domains: { 'sender.example': {} } }
    posthorn = await startHere(
      {
        ...own,
        limits: { message_size: '10KB' },
        rewrite: { aliases: [join(folder.path, 'good')] },
      },
      { folder: folder.path },
    )
  })
  after(() => posthorn?.[Symbol.asyncDispose]())
  const big = `${LETTER}${'x'.repeat(70)}\n`.replace(/$/, 'y'.repeat(90).concat('\n').repeat(120))
  const own = ['-f', 'a@sender.example']
  table(
    [
      ['taken', 0, [...own, 'b@example.com'], /^$/],
      ['taken, with recipients of the header', 0, [...own, '-t'], /^$/],
      ['nothing to do', 0, ['-q'], /^$/],
      ['addresses are verified', 0, ['-bv', ...own, 'b@example.com'], /^$/],
      ['the queue is shown', 0, [], /^$/, { name: 'mailq' }],
      ['no recipients', 64, [], /^sendmail: no recipients/],
      ['an unknown option', 64, ['-z'], /^sendmail: unknown option -z/],
      ['a daemon is wanted', 64, ['-bd'], /posthorn serve/],
      ['nobody to verify', 64, ['-bv'], /no addresses to verify/],
      ['no recipients in the header', 65, ['-t'], /no recipients in To/, { input: '\nhi\n' }],
      [
        'no From field can be made',
        65,
        ['-f', '<>', 'b@example.com'],
        /550 5\.6\.0/,
        { input: '\nhi\n' },
      ],
      [
        'two authors',
        65,
        [...own, 'b@example.com'],
        /550 5\.6\.0/,
        { input: 'From: a@x.example\nFrom: b@x.example\n\nhi\n' },
      ],
      ['a message too big', 65, [...own, 'b@example.com'], /too big/, { input: big }],
      ['no address', 67, [...own, 'b@@example.com'], /^sendmail: <b@@example\.com>: 501 5\.1\.3/],
      [
        'not our domain',
        77,
        ['-f', 'a@other.example', 'b@example.com'],
        /550 5\.7\.1 .*posthorn domain add/,
        { input: 'From: a@other.example\n\nhi\n' },
      ],
      [
        'no configuration',
        78,
        ['-C', '/nowhere/posthorn.yaml', 'b@x.example'],
        /cannot read \/nowhere/,
      ],
      [
        'no server',
        78,
        ['b@x.example'],
        /not a server/,
        { environment: { POSTHORN_SENDMAIL_SERVER: 'a b' } },
      ],
    ],
    () => posthorn.data,
  )

  it('70: standard input cannot be read', async () => {
    const bin = join(import.meta.dirname, '../../bin/sendmail.js')
    const words = ['-c', 'exec "$@" 0> written', 'sh', process.execPath, bin, 'b@example.com']
    const ran = await run('sh', words, {
      folder: folder.path,
      environment: { POSTHORN_DATA: posthorn.data },
    })
    assert.equal(ran.code, 70)
    assert.match(ran.err, /^sendmail: EBADF/)
  })

  const asNobody = process.getuid!() === 0 ? false : 'needs root'
  it('77: the queue is not for everybody', { skip: asNobody }, async () => {
    const spool = join(folder.path, 'seen')
    mkdirSync(spool)
    const notice = { hostname: 'h', smtp: null, http: 'http://127.0.0.1:1', data: '/root', size: 1 }
    writeFileSync(join(spool, 'server.json'), JSON.stringify(notice))
    const bin = join(import.meta.dirname, '../../bin/mailq.js')
    const program = `process.setuid(65534); process.argv = ['', '${bin}']; import('${bin}')`
    await run('chmod', ['-R', 'a+rX', folder.path])
    const ran = await run(process.execPath, ['-e', program], {
      environment: { POSTHORN_SENDMAIL_FOLDER: spool },
    })
    assert.match(ran.err, /^mailq: the queue is shown to who may read \/root\/admin-token/)
    assert.equal(ran.code, 77)
  })

  it('newaliases: 0, and 65 with file and line', async () => {
    const config = join(folder.path, 'posthorn.yaml')
    const environment = { POSTHORN_CONFIG: config, POSTHORN_LANG: 'en' }
    const good = await callSendmail('newaliases', [], { environment })
    assert.deepEqual([good.code, good.err], [0, ''])
    assert.match(good.out, /good: 1 alias\n$/)
    const file = join(folder.path, 'good')
    for (const [text, says] of [
      ['root: "|/bin/program"\n', /good:1: a program cannot be a target/],
      ['a: b\nb: a\n', /good: a leads to itself in a circle/],
    ] as const) {
      writeFileSync(file, text)
      const bad = await callSendmail('sendmail', ['-bi'], { environment })
      assert.equal(bad.code, 65)
      assert.match(bad.err, says)
    }
    const none = await callSendmail('newaliases', ['-C', '/nowhere.yaml'], {})
    assert.equal(none.code, 78)
  })
})

describe('by what a server says', () => {
  let server: Server
  const spool = join(folder.path, 'scripted')
  /** The reply to the first command that begins so; everything else is well. */
  let script: readonly [command: string, reply: string] = ['', '']
  before(async () => {
    mkdirSync(join(spool, 'drop'), { recursive: true })
    server = createServer((socket) => {
      let content = false
      const say = (command: string, usual: string) =>
        socket.write(`${command.startsWith(script[0]) ? script[1] : usual}\r\n`)
      socket.on('error', () => {})
      say('greeting', '220 hi')
      socket.on('data', (chunk) => {
        for (const line of chunk.toString().trimEnd().split('\r\n')) {
          if (content && line !== '.') continue
          if (line === 'DATA') content = !script[0].startsWith('DATA')
          else content = false
          say(line, line === 'DATA' ? '354 go' : '250 ok')
        }
      })
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
  })
  after(() => server.close())
  const ask = (environment: Readonly<Record<string, string>> = {}) => {
    const { port } = server.address() as { port: number }
    return callSendmail('sendmail', ['-i', 'b@example.com'], {
      input: LETTER,
      environment: {
        POSTHORN_SENDMAIL_FOLDER: spool,
        POSTHORN_SENDMAIL_SERVER: `127.0.0.1:${port}`,
        ...environment,
      },
    })
  }

  const refusals: readonly (readonly [at: string, reply: string, code: number])[] = [
    ['greeting', '421 4.3.2 busy', 0],
    ['greeting', '554 5.3.2 not here', 0],
    ['EHLO', '421 4.3.2 busy', 0],
    ['MAIL', '450 4.7.1 too many', 0],
    ['MAIL', '530 5.7.0 log in', 0],
    ['MAIL', '501 5.1.7 bad sender', 65],
    ['MAIL', '550 5.7.1 not you', 77],
    ['RCPT', '452 4.5.3 too many', 0],
    ['RCPT', '550 5.1.1 no such user', 67],
    ['RCPT', '553 5.1.3 bad address', 67],
    ['RCPT', '550 unknown', 67],
    ['RCPT', '550 5.7.1 no relaying', 77],
    ['DATA', '451 4.3.0 disk', 0],
    ['DATA', '554 5.3.0 no', 69],
    ['.', '451 4.3.0 disk', 0],
    ['.', '552 5.3.4 too big', 65],
    ['.', '550 5.6.0 odd', 65],
    ['.', '550 5.7.1 not you', 77],
    ['.', '554 no', 69],
  ]
  for (const [at, reply, code] of refusals)
    it(`${code}: ${reply} after ${at}`, async () => {
      script = [at, reply]
      const ran = await ask()
      assert.equal(ran.code, code, ran.err)
      if (code === 0) assert.equal(ran.err, '')
      else assert.ok(ran.err.includes(reply), ran.err)
    })

  it('69: what is only late has no place to wait', async () => {
    script = ['MAIL', '450 4.7.1 too many']
    const ran = await ask({ POSTHORN_SENDMAIL_FOLDER: join(folder.path, 'none') })
    assert.equal(ran.code, 69)
    assert.match(ran.err, /^sendmail: not sent: .*450 4\.7\.1 too many.*no drop folder\n$/)
  })
})

describe('without a server', () => {
  const data = join(folder.path, 'empty')
  table(
    [
      ['neither server nor folder', 69, ['b@example.com'], /^sendmail: not sent: .*ECONNREFUSED/],
      ['the queue is unknown', 69, [], /mail system is down/, { name: 'mailq' }],
      ['nobody can be verified', 69, ['-bv', 'b@example.com'], /ECONNREFUSED/],
    ].map(([what, code, words, says, more]) => [
      what,
      code,
      words,
      says,
      { ...(more as object), environment: { POSTHORN_SMTP_PORT: '1' } },
    ]) as readonly Call[],
    () => data,
  )
})
