// The classic tricks by which strangers make a server relay, through a door that trusts nobody.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type PosthornHere, startHere } from '../support/posthorn.ts'
import { converse } from '../support/transcript.ts'

let posthorn: PosthornHere
before(async () => {
  posthorn = await startHere({
    mode: 'live',
    hostname: 'mail.sender.example',
    domains: { 'sender.example': {} },
    networks: ['192.0.2.1'],
  })
})
after(() => posthorn?.[Symbol.asyncDispose]())

const HELLO = ['S: 220 *', 'C: EHLO x', 'S: ...', 'S: 250 *']

describe('a stranger may not relay', () => {
  const senders: [string, string][] = [
    ['from nobody', '<>'],
    ['from one of our domains', '<a@sender.example>'],
    ['from us', '<postmaster@mail.sender.example>'],
    ['from loopback', '<a@[127.0.0.1]>'],
    ['from localhost', '<root@localhost>'],
    ['with a source route', '<@mail.sender.example:a@sender.example>'],
    ['without brackets', 'a@sender.example'],
    ['with somebody in AUTH=', '<a@sender.example> AUTH=a@sender.example'],
    ['in quotes', '<"a@sender.example"@sender.example>'],
  ]
  for (const [what, path] of senders)
    it(`${what}: MAIL FROM:${path}`, async () => {
      const dialogue = [
        ...HELLO,
        `C: MAIL FROM:${path}`,
        'S: ...',
        'S: 530 *',
        'C: RCPT TO:<b@kunde.test>',
        'S: 503 *',
      ]
      await converse(posthorn.port, dialogue.join('\n'))
    })
  const ways: [string, string[]][] = [
    [
      'to our own postmaster',
      ['C: MAIL FROM:<>', 'S: ...', 'S: 530 *', 'C: RCPT TO:<postmaster>', 'S: 503 *'],
    ],
    [
      'with a percent',
      [
        'C: MAIL FROM:<>',
        'S: ...',
        'S: 530 *',
        'C: RCPT TO:<b%kunde.test@mail.sender.example>',
        'S: 503 *',
      ],
    ],
    ['with DATA alone', ['C: DATA', 'S: 503 *']],
    ['with BDAT alone', ['C: BDAT 0 LAST', 'S: 503 *']],
    ['after RSET', ['C: RSET', 'S: 250 *', 'C: MAIL FROM:<>', 'S: ...', 'S: 530 *']],
    [
      'with XCLIENT',
      ['C: XCLIENT ADDR=192.0.2.1 LOGIN=app', 'S: 5*', 'C: MAIL FROM:<>', 'S: ...', 'S: 530 *'],
    ],
    [
      'with XFORWARD',
      ['C: XFORWARD ADDR=192.0.2.1', 'S: 5*', 'C: MAIL FROM:<>', 'S: ...', 'S: 530 *'],
    ],
    [
      'with a second hello',
      [
        'C: EHLO mail.sender.example',
        'S: ...',
        'S: 250 *',
        'C: MAIL FROM:<>',
        'S: ...',
        'S: 530 *',
      ],
    ],
    [
      'with a hello of a trusted address',
      ['C: EHLO [192.0.2.1]', 'S: ...', 'S: 250 *', 'C: MAIL FROM:<>', 'S: ...', 'S: 530 *'],
    ],
  ]
  for (const [what, dialogue] of ways)
    it(what, async () => void (await converse(posthorn.port, [...HELLO, ...dialogue].join('\n'))))

  it('and nothing of all that is queued', async () => assert.deepEqual(await posthorn.queue(), []))
})
