// The drop folder against a server's store and door that are made up, on a real disk.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { ManualClock } from '../../test/support/clock.ts'
import { until } from '../../test/support/tools.ts'
import type { Origin } from '../intake/door.ts'
import type { Envelope } from '../mail/envelope.ts'
import { formatMailbox } from '../mail/mailbox.ts'
import { formatMessageId, type MessageId, messageIds, type Sender } from '../mail/message.ts'
import { refuse } from '../mail/reply.ts'
import { silentLog } from '../std/log.ts'
import { leave } from './drop.ts'
import { type Folders, makeFolders } from './folders.ts'
import { Pickup } from './pickup.ts'

type Taken = { envelope: Envelope; content: string; origin: Origin }

let folder: string
let folders: Folders
let clock: ManualClock
let taken: Taken[]
let committed: Set<MessageId>
/** What the door says to the next messages. */
let answer: (() => void) | undefined
let nextId: () => MessageId
let pickup: Pickup | undefined

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'posthorn-drop-'))
  folders = await makeFolders(join(folder, 'spool'))
  clock = new ManualClock()
  taken = []
  committed = new Set()
  answer = undefined
  nextId = messageIds(() => clock.now(), 0)
})
afterEach(async () => {
  await pickup?.[Symbol.asyncDispose]()
  pickup = undefined
  rmSync(folder, { recursive: true, force: true })
})

function start(senderOf = async (_uid: number): Promise<Sender | undefined> => NETWORK): void {
  pickup = new Pickup({
    folders,
    store: {
      nextMessageId: () => nextId(),
      queued: async (id) => (committed.has(id) ? ({} as never) : undefined),
      attempts: async () => [],
    },
    async accept(envelope, content, origin) {
      const chunks: Uint8Array[] = []
      await content((chunk) => void chunks.push(chunk))
      answer?.()
      committed.add(origin.id!)
      taken.push({ envelope, content: Buffer.concat(chunks).toString('latin1'), origin })
      return { id: origin.id!, size: 0, recipients: 1 }
    },
    clock,
    log: silentLog,
    hostname: 'mail.example.com',
    messageOctets: 1_000_000,
    senderOf,
  })
  pickup.start()
}

const NETWORK: Sender = { kind: 'network', address: '127.0.0.1' }
const LETTER = 'Subject: hi\n\nhello\n'
const HEAD = 'MAIL FROM:<a@x.example>\nRCPT TO:<b@y.example>\n'
const FILE = `${HEAD}DATA ${LETTER.length}\n${LETTER}`

const drop = (name: string, text = FILE) => writeFileSync(join(folders.drop, name), text)
const inDrop = () => readdirSync(folders.drop)
const inClaimed = () => readdirSync(folders.claimed)
const inFaulty = () => readdirSync(folders.faulty)
const all = () => [...inDrop(), ...inClaimed()]
const settled = (what: string) => until(() => all().length === 0, what)

describe('what is left', () => {
  it('before the start and afterwards is taken, then removed', async () => {
    drop('first')
    start()
    await settled('the first is taken')
    const commands = { mail: 'MAIL FROM:<>', recipients: ['RCPT TO:<c@y.example> NOTIFY=NEVER'] }
    leave(folders.drop, commands, Buffer.from('A: 1\r\n\r\nhi\r\n'), clock.now())
    await settled('the second is taken')
    assert.deepEqual(
      taken.map(({ envelope, content }) => [envelope.reversePath, content]),
      [
        [{ localPart: 'a', domain: 'x.example' }, 'Subject: hi\r\n\r\nhello\r\n'],
        [null, 'A: 1\r\n\r\nhi\r\n'],
      ],
    )
    assert.equal(taken[1]!.envelope.recipients[0]!.notify, 'never')
    assert.equal(taken[0]!.origin.door, 'sendmail')
  })

  it('in thousands is taken to the last', async () => {
    for (let i = 0; i < 1500; i++) drop(`f${i}`)
    start()
    await until(() => {
      void clock.advance(0)
      return taken.length === 1500
    }, 'all are taken')
    assert.equal(new Set(taken.map(({ origin }) => origin.id)).size, 1500)
  })

  it('is readable by the server alone for others know no name', () => {
    assert.equal(statSync(folders.drop).mode & 0o7777, 0o1733)
    assert.equal(statSync(folders.claimed).mode & 0o777, 0o700)
    leave(folders.drop, { mail: 'MAIL FROM:<>', recipients: [] }, Buffer.from(''), 0)
    assert.match(inDrop()[0]!, /^0-[0-9a-f]{32}$/)
  })
})

describe('after a crash', () => {
  it('what was committed is not sent again', async () => {
    const id = nextId()
    committed.add(id)
    writeFileSync(join(folders.claimed, `${formatMessageId(id)}-x`), FILE)
    start()
    await settled('the file is removed')
    assert.deepEqual(taken, [])
  })
  it('what was not is sent, under a new number', async () => {
    const id = nextId()
    writeFileSync(join(folders.claimed, `${formatMessageId(id)}-x`), FILE)
    start()
    await settled('the file is taken')
    assert.equal(taken.length, 1)
    assert.notEqual(taken[0]!.origin.id, id)
  })
})

describe('what the door refuses', () => {
  it('for good is set aside with the reason', async () => {
    answer = () => {
      throw refuse(550, '5.7.1', 'You may not send as a@x.example')
    }
    drop('no')
    start()
    await until(() => inFaulty().length === 2, 'it is set aside')
    const [file, reason] = inFaulty()
    assert.equal(readFileSync(join(folders.faulty, file!), 'utf8'), FILE)
    const text = readFileSync(join(folders.faulty, reason!), 'utf8')
    assert.equal(text, '550 5.7.1 You may not send as a@x.example\n')
  })
  it('for now waits, and is tried again', async () => {
    let tries = 0
    answer = () => {
      if (++tries === 1) throw refuse(452, '4.3.1', 'no room')
    }
    drop('later')
    start()
    await until(() => tries === 1, 'it was tried')
    await until(async () => {
      await clock.advance(10_000)
      return taken.length === 1
    }, 'it is taken')
    await settled('nothing is left')
  })
})

const hostile: readonly (readonly [what: string, make: (path: string) => void, why: RegExp])[] = [
  ['a symbolic link', (path) => symlinkSync('/etc/passwd', path), /symbolic link/],
  ['a FIFO', (path) => void execFileSync('mkfifo', [path]), /not a file/],
  [
    'a hard link',
    (path) => {
      writeFileSync(join(folder, 'other'), FILE)
      linkSync(join(folder, 'other'), path)
    },
    /hard link/,
  ],
  [
    'a huge file',
    (path) => {
      writeFileSync(path, FILE)
      truncateSync(path, 2 ** 40)
    },
    /too big/,
  ],
  ['an empty file', (path) => writeFileSync(path, ''), /no DATA line/],
  [
    'half a file',
    (path) => writeFileSync(path, FILE.slice(0, -3)),
    /DATA promises 19 octets, 16 follow/,
  ],
  ['noise', (path) => writeFileSync(path, Buffer.alloc(5000, 0xff)), /no DATA line/],
  ['another command', (path) => writeFileSync(path, `EHLO x\n${FILE}`), /unexpected line: EHLO x/],
  ['two senders', (path) => writeFileSync(path, `MAIL FROM:<>\n${FILE}`), /unexpected line: MAIL/],
  ['a bad address', (path) => writeFileSync(path, FILE.replace('b@y', 'b@@y')), /501 5\.1\.3/],
  ['no recipients', (path) => writeFileSync(path, 'MAIL FROM:<>\nDATA 0\n'), /no RCPT line/],
  ['no sender', (path) => writeFileSync(path, 'RCPT TO:<a@x.example>\nDATA 0\n'), /no MAIL line/],
  ['an endless head', (path) => writeFileSync(path, HEAD.repeat(20_000)), /unexpected line/],
]

describe('does no harm:', () => {
  for (const [what, make, why] of hostile)
    it(what, async () => {
      make(join(folders.drop, 'evil'))
      drop('good')
      start()
      await settled('the folder is empty')
      assert.equal(taken.length, 1)
      const reason = inFaulty().find((name) => name.endsWith('.reason'))!
      assert.match(readFileSync(join(folders.faulty, reason), 'utf8'), why)
      assert.equal(inFaulty().length, 2)
    })

  it('a folder stays where it is', async () => {
    mkdirSync(join(folders.drop, 'evil'))
    drop('good')
    start()
    await until(() => taken.length === 1, 'the other is taken')
    assert.deepEqual(inDrop(), ['evil'])
  })

  it('a file that is being written is left alone, for a day', async () => {
    drop('young.new')
    drop('old.new')
    const old = (clock.now() - 25 * 3_600_000) / 1000
    utimesSync(join(folders.drop, 'old.new'), old, old)
    utimesSync(join(folders.drop, 'young.new'), clock.now() / 1000, clock.now() / 1000)
    start()
    await until(() => inDrop().length === 1, 'the old one is removed')
    assert.deepEqual(inDrop(), ['young.new'])
  })

  it('a user who may not send', async () => {
    drop('no')
    start(async () => undefined)
    await until(() => inFaulty().length === 2, 'it is set aside')
    assert.deepEqual(taken, [])
  })

  it('a name that is none', async () => {
    drop('-x\n?')
    start()
    await settled('it is taken')
    assert.equal(formatMailbox(taken[0]!.envelope.recipients[0]!.mailbox), 'b@y.example')
  })
})
