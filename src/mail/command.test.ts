import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type CommandFault, formatMail, formatRcpt, parseCommand } from './command.ts'
import type { Recipient } from './envelope.ts'
import { type Mailbox, makeMailbox, parseMailbox } from './mailbox.ts'
import type { MailParameters } from './parameters.ts'
import { formatReply } from './reply.ts'

const plain = { body: '7bit', smtputf8: false, requireTls: false }
const user = parseMailbox('user@example.com')

test('commands', () => {
  const table: [string, object][] = [
    ['EHLO client.example.com', { verb: 'EHLO', name: 'client.example.com' }],
    ['ehlo localhost', { verb: 'EHLO', name: 'localhost' }],
    ['HELO [192.0.2.1]', { verb: 'HELO', name: '[192.0.2.1]' }],
    ['EHLO [IPv6:::1] ', { verb: 'EHLO', name: '[IPv6:::1]' }],
    ['EHLO my_host', { verb: 'EHLO', name: 'my_host' }],
    ['DATA', { verb: 'DATA' }],
    ['data \t ', { verb: 'DATA' }],
    ['RSET', { verb: 'RSET' }],
    ['QUIT', { verb: 'QUIT' }],
    ['StartTLS', { verb: 'STARTTLS' }],
    ['NOOP', { verb: 'NOOP' }],
    ['NOOP anything goes', { verb: 'NOOP' }],
    ['VRFY user', { verb: 'VRFY', text: 'user' }],
    ['HELP', { verb: 'HELP', topic: '' }],
    ['HELP MAIL', { verb: 'HELP', topic: 'MAIL' }],
    ['BDAT 86 LAST', { verb: 'BDAT', size: 86, last: true }], // RFC 3030 §4.2
    ['bdat 100000', { verb: 'BDAT', size: 100000, last: false }],
    ['BDAT 0 last', { verb: 'BDAT', size: 0, last: true }],
    ['AUTH LOGIN', { verb: 'AUTH', mechanism: 'LOGIN' }],
    [
      'auth plain dGVzdAB0ZXN0ADEyMzQ=', // RFC 4954 §4.3
      { verb: 'AUTH', mechanism: 'PLAIN', initialResponse: 'dGVzdAB0ZXN0ADEyMzQ=' },
    ],
    ['AUTH EXTERNAL =', { verb: 'AUTH', mechanism: 'EXTERNAL', initialResponse: '' }],
    ['MAIL FROM:<>', { verb: 'MAIL', reversePath: null, parameters: plain }],
    ['MAIL FROM:<user@example.com>', { verb: 'MAIL', reversePath: user, parameters: plain }],
    ['mail from:<user@example.com>', { verb: 'MAIL', reversePath: user, parameters: plain }],
    ['MAIL FROM: <user@example.com> ', { verb: 'MAIL', reversePath: user, parameters: plain }],
    ['mail from: user@example.com', { verb: 'MAIL', reversePath: user, parameters: plain }],
    [
      'MAIL FROM:<@a.example:user@example.com>',
      { verb: 'MAIL', reversePath: user, parameters: plain },
    ],
    [
      'mail from: user@example.com size=5',
      { verb: 'MAIL', reversePath: user, parameters: { ...plain, declaredSize: 5 } },
    ],
    [
      'MAIL FROM:<user@example.com>  SIZE=500000   BODY=8bitmime SMTPUTF8',
      {
        verb: 'MAIL',
        reversePath: user,
        parameters: { body: '8bitmime', smtputf8: true, requireTls: false, declaredSize: 500000 },
      },
    ],
    [
      'MAIL FROM:<"a> b"@example.com> REQUIRETLS',
      {
        verb: 'MAIL',
        reversePath: { localPart: 'a> b', domain: 'example.com' },
        parameters: { ...plain, requireTls: true },
      },
    ],
    [
      'MAIL FROM:<> RET=HDRS ENVID=QQ314159', // RFC 3461 §10.1 has it so
      {
        verb: 'MAIL',
        reversePath: null,
        parameters: { ...plain, ret: 'headers', envelopeId: 'QQ314159' },
      },
    ],
    ['RCPT TO:<user@example.com>', { verb: 'RCPT', mailbox: user, parameters: {} }],
    ['rcpt to: user@example.com', { verb: 'RCPT', mailbox: user, parameters: {} }],
    ['RCPT TO:<Postmaster>', { verb: 'RCPT', mailbox: 'postmaster', parameters: {} }],
    [
      'RCPT TO:<user@example.com> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Carol@Ivory.EDU',
      {
        verb: 'RCPT',
        mailbox: user,
        parameters: {
          notify: { success: true, failure: true, delay: false },
          originalRecipient: 'rfc822;Carol@Ivory.EDU',
        },
      },
    ],
    [
      'RCPT TO:<user@example.com> ORCPT=rfc822;"q"@example.com NOTIFY=never',
      {
        verb: 'RCPT',
        mailbox: user,
        parameters: { notify: 'never', originalRecipient: 'rfc822;"q"@example.com' },
      },
    ],
  ]
  for (const [line, expected] of table) assert.deepEqual(parseCommand(line), expected, line)
})

test('lines that are no command, and what they earn', () => {
  const table: [string, CommandFault['fault'], RegExp][] = [
    ['', 'unknown', /^500 5\.5\.2 /],
    ['XYZZY', 'unknown', /^500 5\.5\.2 .*XYZZY/],
    ['EHLOX host', 'unknown', /^500 5\.5\.2 /],
    ['Subject: hello', 'unknown', /^500 5\.5\.2 /],
    ['EXPN list', 'refused', /^502 5\.5\.1 EXPN/],
    ['ETRN example.com', 'refused', /^502 5\.5\.1 /],
    ['GET / HTTP/1.1', 'foreign', /^500 5\.5\.2 /],
    ['POST /send HTTP/1.1', 'foreign', /^500 5\.5\.2 /],
    ['CONNECT mx.example:25 HTTP/1.1', 'foreign', /^500 5\.5\.2 /],
    ['\u0016\u0003\u0001\u0002', 'foreign', /^500 5\.5\.2 /],
    // Letters that String.toUpperCase would make ASCII, and a byte order mark
    ['RſET', 'unknown', /^500 5\.5\.2 Unknown command;/],
    ['QUıT', 'unknown', /^500 5\.5\.2 Unknown command;/],
    ['MAıL FROM:<a@b.example>', 'unknown', /^500 5\.5\.2 Unknown command;/],
    ['MAIL FROM:<a@b.example> ſIZE=1', 'syntax', /^501 5\.5\.4 /],
    ['MAIL FROM:<a@b.example> BODY=8BıTMIME', 'syntax', /^501 5\.5\.4 /],
    ['AUTH PLAıN', 'syntax', /^501 5\.5\.4 /],
    ['\ufeffQUIT', 'foreign', /^500 5\.5\.2 /],
    [' EHLO host', 'unknown', /^500 5\.5\.2 /],
    ['EHLO', 'syntax', /^501 5\.5\.4 .*EHLO host\.example\.com/],
    ['HELO  ', 'syntax', /^501 5\.5\.4 /],
    ['EHLO two names', 'syntax', /^501 5\.5\.4 /],
    ['EHLO bad\u0001name', 'syntax', /^501 5\.5\.4 /],
    [`EHLO ${'a'.repeat(300)}`, 'syntax', /^501 5\.5\.4 /],
    ['DATA now', 'syntax', /^501 5\.5\.4 /],
    ['STARTTLS now', 'syntax', /^501 5\.5\.4 /],
    ['QUIT now', 'syntax', /^501 5\.5\.4 /],
    ['VRFY', 'syntax', /^501 5\.5\.4 /],
    ['BDAT', 'syntax', /^501 5\.5\.4 /],
    ['BDAT -1', 'syntax', /^501 5\.5\.4 /],
    ['BDAT 1e9', 'syntax', /^501 5\.5\.4 /],
    ['BDAT 9999999999999999', 'syntax', /^501 5\.5\.4 /],
    ['BDAT 5 FIRST', 'syntax', /^501 5\.5\.4 /],
    ['AUTH', 'syntax', /^501 5\.5\.4 /],
    ['AUTH PLAIN not*base64', 'syntax', /^501 5\.5\.2 /],
    ['AUTH PLAIN AA== BB==', 'syntax', /^501 5\.5\.4 /],
    ['MAIL', 'syntax', /^501 5\.5\.4 .*MAIL FROM:<sender@example\.com>/],
    ['MAIL <user@example.com>', 'syntax', /^501 5\.5\.4 FROM: is missing/],
    ['MAIL FROM:', 'syntax', /^501 5\.5\.4 the sender is missing/],
    ['MAIL FROM:<user>', 'syntax', /^501 5\.1\.7 Bad sender address: it has no @/],
    ['MAIL FROM:<Postmaster>', 'syntax', /^501 5\.1\.7 /],
    ['MAIL FROM:<user@example.com', 'syntax', /^501 5\.1\.7 .*never closed/],
    ['MAIL FROM:<user@example.com>SIZE=1', 'syntax', /^501 5\.1\.7 .*without a space/],
    ['MAIL FROM:<a b@example.com>', 'syntax', /^501 5\.1\.7 .*space/],
    ['MAIL FROM:<"user@example.com>', 'syntax', /^501 5\.1\.7 .*never ends/],
    ['RCPT TO:', 'syntax', /^501 5\.5\.4 the recipient is missing/],
    ['RCPT FROM:<user@example.com>', 'syntax', /^501 5\.5\.4 TO: is missing/],
    ['RCPT TO:<>', 'syntax', /^501 5\.1\.3 Bad recipient address: it is empty/],
    ['RCPT TO:<a@b@c>', 'syntax', /^501 5\.1\.3 /],
    ['RCPT TO:<a@b>,<c@d>', 'syntax', /^501 5\.1\.3 /],
    ['RCPT TO:<us\ufffder@example.com>', 'syntax', /^501 5\.1\.3 .*UTF-8/],
    ['RCPT TO:<user@example.com> SIZE=5', 'syntax', /^555 5\.5\.4 SIZE/],
    ['MAIL FROM:<user@example.com> FOO=1', 'syntax', /^555 5\.5\.4 FOO/],
    ['MAIL FROM:<user@example.com> SIZE=x', 'syntax', /^501 5\.5\.4 .*SIZE/],
  ]
  for (const [line, kind, expected] of table) {
    const fault = parseCommand(line)
    assert.ok(fault.verb === 'FAULT', line)
    assert.equal(fault.fault, kind, line)
    assert.match(formatReply(fault.reply), expected, line)
  }
})

const anything = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ maxLength: 2000 }),
)
const words = fc.constantFrom(
  'MAIL FROM:',
  'RCPT TO:',
  '<',
  '>',
  '"',
  '\\',
  ' ',
  '@',
  'a',
  '.',
  '=',
)
const nearly = fc
  .array(fc.oneof(words, fc.constantFrom('SIZE', 'я', 'EHLO ', 'AUTH ')))
  .map((list) => list.join(''))

test('any line gives a command or a fault whose reply is one line', () => {
  fc.assert(
    fc.property(fc.oneof(anything, nearly), (line) => {
      const command = parseCommand(line)
      if (command.verb !== 'FAULT') return
      assert.match(formatReply(command.reply), /^5\d\d 5\.\d\.\d [^\r\n]{1,500}\r\n$/)
    }),
    { numRuns: 5000 },
  )
})

const mailboxes = fc
  .tuple(fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }), fc.domain())
  .map(([localPart, domain]) => makeMailbox(localPart, domain))
  .filter((mailbox) => mailbox !== undefined)

const parameters: fc.Arbitrary<MailParameters> = fc.record(
  {
    body: fc.constantFrom('7bit', '8bitmime'),
    smtputf8: fc.boolean(),
    requireTls: fc.boolean(),
    declaredSize: fc.nat(),
    ret: fc.constantFrom('full', 'headers'),
    envelopeId: fc.stringMatching(/^[ -~]{1,100}$/),
  },
  { requiredKeys: ['body', 'smtputf8', 'requireTls'], noNullPrototype: true },
)

const recipients: fc.Arbitrary<Recipient> = fc.record(
  {
    mailbox: mailboxes,
    notify: fc.oneof(
      fc.constant('never' as const),
      fc
        .record(
          { success: fc.boolean(), failure: fc.boolean(), delay: fc.boolean() },
          { noNullPrototype: true },
        )
        .filter((notify) => notify.success || notify.failure || notify.delay),
    ),
    originalRecipient: fc.oneof(
      fc.stringMatching(/^rfc822;[ -~]{1,80}$/),
      fc.stringMatching(/^utf-8;[ -~а-я]{1,80}$/),
    ),
  },
  { requiredKeys: ['mailbox'], noNullPrototype: true },
)

test('what the client writes, the server reads', () => {
  fc.assert(
    fc.property(fc.option(mailboxes), parameters, recipients, (reversePath, mail, recipient) => {
      const { mailbox, ...rest } = recipient
      assert.deepEqual(parseCommand(formatMail(reversePath, mail)), {
        verb: 'MAIL',
        reversePath,
        parameters: mail,
      })
      assert.deepEqual(parseCommand(formatRcpt(recipient)), {
        verb: 'RCPT',
        mailbox,
        parameters: rest,
      })
    }),
    { numRuns: 1000 },
  )
})

test('a command line cannot hold two', () => {
  const broken = { localPart: 'user', domain: 'a.example>\r\nRSET' } as unknown as Mailbox
  assert.throws(() => formatMail(broken, plain as MailParameters), TypeError)
  assert.throws(() => formatRcpt({ mailbox: broken }), TypeError)
})

test('the time is linear in the size', () => {
  const size = 1 << 20
  const heads = [
    '',
    'MAIL FROM:',
    'MAIL FROM:<',
    'RCPT TO:<@a:',
    'RCPT TO:<a@b.example> ',
    'AUTH ',
    'BDAT ',
  ]
  for (const head of heads) {
    for (const piece of [
      ' ',
      '\t',
      '"',
      '\\',
      '"a"',
      '@',
      '.',
      'a.',
      '<',
      '>',
      ',',
      ':',
      '=',
      'a=',
      'я',
    ]) {
      parseCommand(`${head}${piece.repeat(size)}x `)
    }
  }
})
