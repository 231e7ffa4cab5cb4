// Programs of a machine that call /usr/sbin/sendmail: with the server up, and with it down, when the
// mail waits in the drop folder for the next start.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createTransport } from 'nodemailer'
import { type PosthornHere, startHere } from '../support/posthorn.ts'
import { installSendmail } from '../support/sendmail.ts'
import { missing, run, temporaryFolder } from '../support/tools.ts'

const folder = temporaryFolder()
const data = join(folder.path, 'data')
let sendmail: string
let posthorn: PosthornHere | undefined
before(() => {
  sendmail = installSendmail(join(folder.path, 'sbin'), data)
})
after(async () => {
  await posthorn?.[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

const SETTINGS = { rewrite: { aliases: [join(folder.path, 'aliases')] } }
const startUp = () => startHere(SETTINGS, { folder: folder.path })

/** git asks for both, and guesses neither where the machine has no full name. */
const COMMITTER = {
  GIT_AUTHOR_NAME: 'Ann',
  GIT_AUTHOR_EMAIL: 'ann@example.com',
  GIT_COMMITTER_NAME: 'Ann',
  GIT_COMMITTER_EMAIL: 'ann@example.com',
}

type Expected = { readonly from?: RegExp; readonly to: readonly string[]; readonly text?: RegExp }

type Caller = {
  readonly name: string
  readonly skip?: string | false
  /** Sends one message with this subject. */
  readonly call: (subject: string) => Promise<unknown>
  readonly expected: Expected
}

async function good(ran: ReturnType<typeof run>): Promise<void> {
  const { code, out, err } = await ran
  assert.equal(code, 0, out + err)
  assert.equal(err, '')
}

/** Through a shell, as popen(3) does. */
const shell = (command: string, input: string) => good(run('sh', ['-c', command], { input }))

const callers: readonly Caller[] = [
  {
    name: 'cron',
    call: (subject) =>
      shell(
        `${sendmail} -FCronDaemon -i -B8BITMIME -oem root`,
        `From: root (Cron Daemon)\nTo: root\nSubject: ${subject}\nMIME-Version: 1.0\n` +
          'Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n' +
          'X-Cron-Env: <SHELL=/bin/sh>\n\nготово\n.\nмного\n',
      ),
    expected: {
      from: /^From: root@mail\.sender\.example \(Cron Daemon\)\r$/m,
      to: ['admin@example.com'],
      text: /\r\n\.\r\n/,
    },
  },
  {
    name: 'PHP’s mail()',
    skip: missing('php'),
    call: async (subject) => {
      const code = `exit(mail('Аня <anna@example.com>, b@example.net', '${subject}', "text\\n.\\nmore",
        "From: shop@example.com\\r\\nBcc: hidden@example.org") ? 0 : 1);`
      await good(run('php', ['-d', `sendmail_path=${sendmail} -t -i`, '-r', code]))
    },
    expected: {
      from: /^From: shop@example\.com\r$/m,
      to: ['anna@example.com', 'b@example.net', 'hidden@example.org'],
      text: /text\r\n\.\r\nmore/,
    },
  },
  {
    name: 'PHP’s mail() with a sender',
    skip: missing('php'),
    call: async (subject) => {
      const code = `exit(mail('a@example.com', '${subject}', 'text', ['From' => 'x@example.com'],
        '-fbounces@example.com') ? 0 : 1);`
      await good(run('php', ['-d', `sendmail_path=${sendmail} -t -i`, '-r', code]))
    },
    expected: { from: /^From: x@example\.com\r$/m, to: ['a@example.com'] },
  },
  {
    name: 'Rails',
    call: (subject) =>
      shell(
        `${sendmail} -i -f "rails@example.com" -- "a@example.com" "b@example.com"`,
        `From: rails@example.com\r\nTo: a@example.com\r\nSubject: ${subject}\r\n\r\ntext\r\n`,
      ),
    expected: { to: ['a@example.com', 'b@example.com'] },
  },
  {
    name: 'Rails of old',
    call: (subject) =>
      shell(
        `${sendmail} -i -t`,
        `From: rails@example.com\r\nTo: a@example.com\r\nBcc: c@example.com\r\nSubject: ${subject}\r\n\r\ntext\r\n`,
      ),
    expected: { to: ['a@example.com', 'c@example.com'] },
  },
  {
    name: 'Nodemailer',
    call: async (subject) => {
      const transport = createTransport({ sendmail: true, path: sendmail, newline: 'unix' })
      await transport.sendMail({
        from: 'Ann <ann@example.com>',
        to: 'a@example.com',
        bcc: 'b@example.com',
        subject,
        text: 'hello\n.\nworld',
      })
    },
    expected: { from: /^From: Ann <ann@example\.com>\r$/m, to: ['a@example.com', 'b@example.com'] },
  },
  {
    name: 'git send-email',
    skip: missing('git', '/usr/lib/git-core/git-send-email'),
    call: async (subject) => {
      const patch = join(folder.path, `${subject.replaceAll(' ', '-')}.patch`)
      writeFileSync(
        patch,
        `From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n` +
          `From: Ann <ann@example.com>\nDate: Sat, 21 Nov 2026 12:00:00 +0000\nSubject: ${subject}\n\ntext\n---\n`,
      )
      const options = ['--confirm=never', '--suppress-cc=all', '--quiet', '--no-validate']
      const people = ['--from=ann@example.com', '--to=list@example.com', '--cc=c@example.com']
      const ran = await run(
        'git',
        ['send-email', `--smtp-server=${sendmail}`, ...options, ...people, patch],
        { folder: folder.path, environment: { HOME: folder.path, ...COMMITTER } },
      )
      assert.equal(ran.code, 0, ran.out + ran.err)
    },
    expected: { to: ['list@example.com', 'c@example.com'] },
  },
  {
    name: 'mailx',
    skip: missing('bsd-mailx'),
    call: async (subject) => {
      const rc = join(folder.path, 'mailrc')
      writeFileSync(rc, `set sendmail=${sendmail}\n`)
      const environment = { MAILRC: rc, HOME: folder.path, LC_ALL: 'C.UTF-8' }
      const words = ['-s', subject, 'a@example.com']
      const ran = await run('bsd-mailx', words, { input: 'text\n', environment })
      assert.equal(ran.code, 0, ran.out + ran.err)
    },
    expected: { to: ['a@example.com'] },
  },
  {
    name: 'a framework over -bs',
    call: (subject) =>
      converse([
        'EHLO [127.0.0.1]',
        'MAIL FROM:<symfony@example.com>',
        'RCPT TO:<a@example.com>',
        'DATA',
        `From: symfony@example.com\r\nTo: a@example.com\r\nSubject: ${subject}\r\n\r\n..\r\ntext\r\n.`,
        'QUIT',
      ]),
    expected: { to: ['a@example.com'], text: /\r\n\.\r\ntext/ },
  },
  {
    name: 'a script',
    call: (subject) => shell(`${sendmail} webmaster`, `Subject: ${subject}\n\ntext\n.\nnot this\n`),
    expected: { to: ['admin@example.com'], text: /text\r\n$/ },
  },
]

/** Speaks SMTP over standard input, a reply for every line. */
async function converse(lines: readonly string[]): Promise<void> {
  const child = spawn(sendmail, ['-bs', '-i'], { stdio: ['pipe', 'pipe', 'inherit'] })
  let said = ''
  let next = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    const replies = said.match(/^\d{3} .*$/gm)?.length ?? 0
    while (next < Math.min(replies, lines.length)) child.stdin.write(`${lines[next++]}\r\n`)
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  assert.equal(code, 0)
  assert.deepEqual(said.match(/^\d{3} /gm)?.map(Number), [220, 250, 250, 250, 354, 250, 221], said)
}

async function arrived(subject: string, { from, to, text }: Expected): Promise<void> {
  const people = new Set<string>()
  let raw = ''
  while (to.some((one) => !people.has(one))) {
    const one = await posthorn!.capture(
      (mail) => mail.subject === subject && mail.envelope.to.some((it) => !people.has(it)),
    )
    for (const it of one.envelope.to) people.add(it)
    raw = await posthorn!.raw(one.id)
  }
  assert.deepEqual([...people].sort(), [...to].sort())
  assert.doesNotMatch(raw, /^bcc:/im)
  assert.match(raw, /^Message-ID: |^Message-Id: /m)
  assert.match(raw, /^Date: /m)
  if (from) assert.match(raw, from)
  if (text) assert.match(raw, text)
}

describe('with the server up', () => {
  before(async () => {
    writeFileSync(join(folder.path, 'aliases'), 'root: admin@example.com\nwebmaster: root\n')
    posthorn = await startUp()
  })
  for (const { name, skip, call, expected } of callers)
    it(name, { skip: skip ?? false }, async () => {
      await call(`${name} up`)
      await arrived(`${name} up`, expected)
    })
})

describe('with the server down', () => {
  const called: Caller[] = []
  before(async () => {
    await posthorn?.[Symbol.asyncDispose]()
    posthorn = undefined
    mkdirSync(data, { recursive: true })
  })
  for (const caller of callers)
    it(caller.name, { skip: caller.skip ?? false }, async () => {
      await caller.call(`${caller.name} down`)
      called.push(caller)
    })
  it('all of it is sent after the next start', async () => {
    posthorn = await startUp()
    for (const { name, expected } of called) await arrived(`${name} down`, expected)
  })
})
