// contrib/sendmail.sh, with the shell and tools of Debian and with those of BusyBox alone.

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type PosthornHere, startHere } from '../support/posthorn.ts'
import { missing, run, temporaryFolder } from '../support/tools.ts'

const script = join(import.meta.dirname, '../../contrib/sendmail.sh')
const folder = temporaryFolder()
const spool = join(folder.path, 'spool')
const applets = join(folder.path, 'applets')
const DOWN = '127.0.0.1:1'

const SETTINGS = {
  mode: 'sandbox',
  domains: { 'sender.example': { mode: 'live' } },
  sendmail: { folder: spool },
}
let posthorn: PosthornHere | undefined
const startUp = async () => {
  posthorn = await startHere(SETTINGS, { folder: folder.path })
}
after(async () => {
  await posthorn?.[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

type Shell = {
  readonly name: string
  readonly skip: string | false
  readonly program: string
  readonly words: readonly string[]
  readonly path?: string
}
const shells: readonly Shell[] = [
  { name: 'Debian', skip: missing('dash', 'nc', 'awk'), program: 'dash', words: [] },
  {
    name: 'BusyBox',
    skip: missing('/bin/busybox'),
    program: '/bin/busybox',
    words: ['sh'],
    path: applets,
  },
]

function call(
  { program, words, path }: Shell,
  args: readonly string[],
  server: string,
  input = '',
) {
  return run(program, [...words, script, ...args], {
    input,
    seconds: 20,
    environment: {
      POSTHORN_SENDMAIL_SERVER: server,
      POSTHORN_SENDMAIL_FOLDER: spool,
      TMPDIR: folder.path,
      ...(path !== undefined && { PATH: path }),
    },
  })
}

before(async () => {
  mkdirSync(applets)
  if (missing('/bin/busybox') !== false) return
  const { out } = await run('/bin/busybox', ['--list'])
  for (const name of out.trim().split('\n')) symlinkSync('/bin/busybox', join(applets, name))
})

const letters: readonly {
  readonly name: string
  readonly args: readonly string[]
  readonly input: (subject: string) => string
  readonly to: readonly string[]
  readonly holds: readonly RegExp[]
}[] = [
  {
    name: 'cron',
    args: ['-FCronDaemon', '-i', '-B8BITMIME', '-oem', 'admin@example.com'],
    input: (subject) =>
      `From: root (Cron Daemon)\nTo: root\nSubject: ${subject}\n\nготово\n.\nмного\n..\n`,
    to: ['admin@example.com'],
    holds: [/^From: root@\S+ \(Cron Daemon\)\r$/m, /\r\n\.\r\nмного\r\n\.\.\r\n$/],
  },
  {
    name: 'PHP',
    args: ['-t', '-i'],
    input: (subject) =>
      `To: "B, C" <b@example.com>,\n Team: d@example.com;\nSubject: ${subject}\r\nFrom: x@example.com\r\nBcc: e@example.com\n\ntext`,
    to: ['b@example.com', 'd@example.com', 'e@example.com'],
    holds: [/^To: "B, C" <b@example\.com>,\r\n Team: d@example\.com;\r$/m, /\r\n\r\ntext\r\n$/],
  },
  {
    name: 'a script',
    args: ['-F', 'My "App"', '-f', 'app@example.com', 'a@example.com,b@example.com'],
    input: (subject) => `Subject: ${subject}\n\nhi\n.\nno\n`,
    to: ['a@example.com', 'b@example.com'],
    holds: [/^From: "My \\"App\\"" <app@example\.com>\r$/m, /\r\n\r\nhi\r\n$/],
  },
]

async function arrived(subject: string, { to, holds }: (typeof letters)[number]): Promise<void> {
  const people = new Set<string>()
  let raw = ''
  while (people.size < to.length) {
    const one = await posthorn!.capture(
      (mail) => mail.subject === subject && mail.envelope.to.some((it) => !people.has(it)),
    )
    for (const it of one.envelope.to) people.add(it)
    raw = Buffer.from(await posthorn!.raw(one.id), 'latin1').toString('utf8')
  }
  assert.deepEqual([...people].sort(), to)
  assert.doesNotMatch(raw, /^bcc:/im)
  for (const pattern of holds) assert.match(raw, pattern)
}

for (const shell of shells)
  describe(`with the tools of ${shell.name}`, { skip: shell.skip }, () => {
    before(startUp)
    const up = () => `127.0.0.1:${posthorn!.port}`

    for (const letter of letters)
      it(`${letter.name}: sent, and left when the server is down`, async () => {
        const subject = `${letter.name} ${shell.name}`
        for (const [server, state] of [
          [up(), 'up'],
          [DOWN, 'down'],
        ] as const) {
          const ran = await call(shell, letter.args, server, letter.input(`${subject} ${state}`))
          assert.deepEqual(ran, { code: 0, out: '', err: '' })
          await arrived(`${subject} ${state}`, letter)
        }
      })

    const wrong: readonly (readonly [number, readonly string[], string, RegExp])[] = [
      [64, [], 'Subject: x\n\n', /^sendmail\.sh: no recipients/],
      [64, ['-z'], '', /unknown option -z/],
      [64, ['-bd'], '', /unsupported option -bd/],
      [65, ['-t'], 'Subject: x\n\n', /no recipients in To/],
      [
        65,
        ['-f', 'a@b.example', 'a@example.com'],
        'From: a@x.test\nFrom: b@x.test\n\n',
        /550 5\.6\.0/,
      ],
      [67, ['-f', 'a@b.example', 'a@@example.com'], '\n', /501 5\.1\.3/],
      [77, ['-f', 'a@[127.0.0.1]', 'a@example.com'], '\nhi\n', /550 5\.7\.1/],
    ]
    for (const [code, args, input, says] of wrong)
      it(`${code}: ${args.join(' ')}`, async () => {
        const ran = await call(shell, args, up(), input)
        assert.match(ran.err, says)
        assert.equal(ran.code, code)
      })

    it('69: neither server nor folder', async () => {
      await posthorn?.[Symbol.asyncDispose]()
      posthorn = undefined
      const environment = {
        POSTHORN_SENDMAIL_SERVER: DOWN,
        POSTHORN_SENDMAIL_FOLDER: join(folder.path, 'none'),
        ...(shell.path !== undefined && { PATH: shell.path }),
      }
      const words = [...shell.words, script, 'a@example.com']
      const ran = await run(shell.program, words, { input: '\nhi\n', environment })
      assert.equal(ran.code, 69)
      assert.match(ran.err, /not sent: .*no drop folder/)
    })

    it('what it leaves is what sendmail leaves', async () => {
      const ran = await call(shell, ['-N', 'never', '-R', 'HDRS', 'a@example.com'], DOWN, '\nhi\n')
      assert.deepEqual(ran, { code: 0, out: '', err: '' })
      const [name = ''] = readdirSync(join(spool, 'drop'))
      assert.match(name, /^\d+-[0-9a-f]{32}$/)
      const text = readFileSync(join(spool, 'drop', name), 'utf8')
      const pattern =
        /^MAIL FROM:<\S+@\S+> RET=HDRS\nRCPT TO:<a@example\.com> NOTIFY=NEVER\nDATA 6\n\r\nhi\r\n$/
      assert.match(text, pattern)
    })

    after(async () => {
      await posthorn?.[Symbol.asyncDispose]()
      posthorn = undefined
    })
  })
