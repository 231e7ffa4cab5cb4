import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readFlags } from './flags.ts'
import { readLetter } from './letter.ts'

const AUTHOR = { user: 'www-data', domain: 'web1' }

function letter(line: string, input: string | Buffer) {
  const words = line.split(' ').filter((word) => word !== '')
  const read = readLetter(Buffer.from(input), readFlags('sendmail', words), AUTHOR)
  return { ...read, text: read.content.toString('latin1') }
}

const texts: readonly (readonly [what: string, line: string, input: string, text: string])[] = [
  ['line ends become CRLF', '-i a', 'Subject: x\n\nhi\nho\n', 'Subject: x\r\n\r\nhi\r\nho\r\n'],
  ['those of PHP too', '-i a', 'A: 1\r\r\n\r\nhi', 'A: 1\r\n\r\nhi\r\n'],
  ['a dot is text with -i', '-i a', 'A: 1\n\n.\nmore\n', 'A: 1\r\n\r\n.\r\nmore\r\n'],
  ['a dot is the end without', 'a', 'A: 1\n\nhi\n.\nmore\n', 'A: 1\r\n\r\nhi\r\n'],
  ['a dot is the end at the end', 'a', 'A: 1\n\nhi\n.', 'A: 1\r\n\r\nhi\r\n'],
  ['a dot before a word is not', 'a', 'A: 1\n\n.hi\n', 'A: 1\r\n\r\n.hi\r\n'],
  ['text without a header', 'a', 'hello\nworld\n', '\r\nhello\r\nworld\r\n'],
  ['nothing', 'a', '', '\r\n'],
  ['a header alone', '-i a', 'Subject: x\n', 'Subject: x\r\n\r\n'],
  ['the line of a mailbox file', '-i a', 'From ann Sat Nov 21\nA: 1\n\nhi\n', 'A: 1\r\n\r\nhi\r\n'],
  ['Bcc is taken out', '-i a', 'Bcc: b@x\nA: 1\nBCC: c@x\n\nhi\n', 'A: 1\r\n\r\nhi\r\n'],
  [
    'bare names get a domain',
    '-i a',
    'From: root (Cron Daemon)\nTo: root, b@x.example\nCc: <ann>\n\nhi\n',
    'From: root@web1 (Cron Daemon)\r\nTo: root@web1, b@x.example\r\nCc: <ann@web1>\r\n\r\nhi\r\n',
  ],
  [
    '-F makes an author',
    '-i -FApp a',
    'A: 1\n\nhi\n',
    'From: App <www-data@web1>\r\nA: 1\r\n\r\nhi\r\n',
  ],
  [
    '-F beside -f',
    '-i -FA.B -f x@y.example a',
    '\nhi\n',
    'From: "A.B" <x@y.example>\r\n\r\nhi\r\n',
  ],
  ['-F changes no author', '-i -FApp a', 'From: b@x\n\nhi\n', 'From: b@x\r\n\r\nhi\r\n'],
  [
    'raw UTF-8 is encoded',
    '-i a',
    'Subject: Привет\nTo: Аня Б <anna@x.example>, "Ёж, А" <e@x.example>\n\nhi\n',
    'Subject: =?utf-8?b?0J/RgNC40LLQtdGC?=\r\n' +
      'To: =?utf-8?b?0JDQvdGPINCR?= <anna@x.example>, =?utf-8?b?0IHQtiwg0JA=?=\r\n' +
      ' <e@x.example>\r\n\r\nhi\r\n',
  ],
]

describe('what is read', () => {
  for (const [what, line, input, text] of texts)
    it(what, () => assert.equal(letter(line, input).text, text))
  it('octets of no known charset stay as they are', () => {
    const raw = Buffer.from('Subject: \xcf\xf0\n\nhi\n', 'latin1')
    assert.match(letter('-i a', raw).text, /^Subject: \xcf\xf0\r\n/)
  })
})

const recipients: readonly (readonly [what: string, line: string, header: string, to: string[]])[] =
  [
    ['of the command line', 'a@x b,c@y', 'To: z@x', ['a@x', 'b@web1', 'c@y']],
    [
      'of the header',
      '-t',
      'To: a@x\nCc: B <b@x>\nBcc: c@x, root',
      ['a@x', 'b@x', 'c@x', 'root@web1'],
    ],
    ['of both', '-t d@x', 'To: a@x, d@x', ['d@x', 'a@x']],
    ['with a folded field', '-t', 'To: a@x,\n b@x', ['a@x', 'b@x']],
    ['of Resent- fields alone', '-t', 'To: a@x\nResent-To: r@x\nResent-Bcc: s@x', ['r@x', 's@x']],
    ['hidden ones are none', '-t', 'To: undisclosed-recipients:;', []],
  ]

describe('recipients', () => {
  for (const [what, line, header, to] of recipients)
    it(what, () => assert.deepEqual(letter(line, `${header}\n\nhi\n`).recipients, to))
})

const senders: readonly (readonly [line: string, from: string])[] = [
  ['a', 'www-data@web1'],
  ['-f ann a', 'ann@web1'],
  ['-f ann@x.example a', 'ann@x.example'],
  ['-f <ann@x.example> a', 'ann@x.example'],
  ['-f <> a', ''],
]

describe('the sender of', () => {
  for (const [line, from] of senders)
    it(line, () => assert.equal(letter(line, '\nhi\n').from, from))
  it('an empty -f is the null reverse-path', () => {
    const wish = { ...readFlags('sendmail', ['-f', '', 'a']) }
    assert.equal(readLetter(Buffer.from('A: 1\n\n'), wish, AUTHOR).from, '')
  })
})

it('says what the server must be asked for', () => {
  const plain = letter('-i a', 'A: 1\n\nhi\n')
  assert.deepEqual([plain.eightBit, plain.international], [false, false])
  const body = letter('-i a', 'A: 1\n\nпривет\n')
  assert.deepEqual([body.eightBit, body.international], [true, false])
  const address = letter('-i почта@x.example', 'A: 1\n\nhi\n')
  assert.deepEqual([address.eightBit, address.international], [false, true])
})
