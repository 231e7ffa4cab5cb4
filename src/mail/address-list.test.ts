import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Address, formatAddress, parseAddressList } from './address-list.ts'
import { decodeWords } from './encoded-word.ts'
import { formatField, unfold } from './header.ts'
import { formatMailbox, makeMailbox, parseMailbox } from './mailbox.ts'

/** `[name, address]` of each; a fault's text. */
function read(text: string): (string | undefined)[][] | string {
  const list = parseAddressList(text)
  if (!Array.isArray(list)) return list.fault
  return list.map(({ displayName, mailbox }) => [displayName, formatMailbox(mailbox)])
}

test('one address', () => {
  const table: [string, string | undefined, string][] = [
    ['a@b.example', undefined, 'a@b.example'],
    [' a@b.example ', undefined, 'a@b.example'],
    ['<a@b.example>', undefined, 'a@b.example'],
    ['John Doe <jdoe@machine.example>', 'John Doe', 'jdoe@machine.example'],
    ['"Joe Q. Public" <john.q.public@example.com>', 'Joe Q. Public', 'john.q.public@example.com'],
    ['Joe Q. Public <john.q.public@example.com>', 'Joe Q. Public', 'john.q.public@example.com'],
    ['"Doe, John" <a@b.example>', 'Doe, John', 'a@b.example'],
    [
      '"Giant; \\"Big\\" Box" <sysservices@example.net>',
      'Giant; "Big" Box',
      'sysservices@example.net',
    ],
    ['Who? <one@y.test>', 'Who?', 'one@y.test'],
    ['Почта России <почта@пример.рф>', 'Почта России', 'почта@xn--e1afmkfd.xn--p1ai'],
    ['=?utf-8?b?0J8=?= <a@b.example>', '=?utf-8?b?0J8=?=', 'a@b.example'],
    ['a@[192.0.2.1]', undefined, 'a@[192.0.2.1]'],
    ['Name <a@[IPv6:2001:db8::1]>', 'Name', 'a@[IPv6:2001:db8::1]'],
    ['"a b"@c.example', undefined, '"a b"@c.example'],
    ['""<a@b.example>', undefined, 'a@b.example'],
    ['A\r\n B\r\n\t<a@b.example>', 'A B', 'a@b.example'],
    ['"A\r\n B" <a@b.example>', 'A B', 'a@b.example'],
    ['a@b.example (comment)', undefined, 'a@b.example'],
    // A dot in a name stays where it is, in the quick reading as in the careful one
    ['.a Q.Public . b <a@b.example>', '.a Q.Public . b', 'a@b.example'],
    ['(c).a Q.Public . b <a@b.example>', '.a Q.Public . b', 'a@b.example'],
    ['"J". "Doe" <a@b.example>', 'J. Doe', 'a@b.example'],
    // No white space: part of a word, in the quick reading as in the careful one
    ['\ufeffa@b.example', undefined, '\ufeffa@b.example'],
    ['\u00a0Name\u00a0\u2003 <a@b.example>', '\u00a0Name\u00a0\u2003', 'a@b.example'],
    ['Name (c (nested \\) c)) <a@b.example> (end)', 'Name', 'a@b.example'],
    ['(c)a(c)@(c)b(c).(c)example(c)', undefined, 'a@b.example'],
    ["O'Brien <o'brien@b.example>", "O'Brien", "o'brien@b.example"],
    // RFC 5322 appendix A.6.1 and A.6.3: obsolete, but readable
    ['Mary Smith <@node.test:mary@example.net>', 'Mary Smith', 'mary@example.net'],
    ['Mary Smith <@node.test,@x.test:mary@example.net>', 'Mary Smith', 'mary@example.net'],
    ['John Doe <jdoe@machine(comment).  example>', 'John Doe', 'jdoe@machine.example'],
    ['"a" . b @ c . example', undefined, 'a.b@c.example'],
    ['info@b.example <info@b.example>', 'info@b.example', 'info@b.example'],
    ['Info@B.example <info@b.example>', 'info@b.example', 'info@b.example'],
    // One quoted word, whatever it looks like (CVE-2025-13033)
    ['"a@evil.example x"@good.example', undefined, '"a@evil.example x"@good.example'],
    ['"a@evil.example" <b@good.example>', 'a@evil.example', 'b@good.example'],
    ['(a@evil.example) b@good.example', undefined, 'b@good.example'],
  ]
  for (const [text, name, address] of table) assert.deepEqual(read(text), [[name, address]], text)
})

test('lists and groups (RFC 5322 appendix A.1.2, A.1.3, A.5, A.6.1)', () => {
  const table: [string, (string | undefined)[]][] = [
    ['', []],
    [' \r\n ', []],
    [
      'Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>',
      ['mary@x.test', 'jdoe@example.org', 'one@y.test'],
    ],
    [
      '<boss@nil.test>, "Giant; \\"Big\\" Box" <sysservices@example.net>',
      ['boss@nil.test', 'sysservices@example.net'],
    ],
    [
      'A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;',
      ['c@a.test', 'joe@where.test', 'jdoe@one.test'],
    ],
    ['Undisclosed recipients:;', []],
    ['undisclosed-recipients: ;', []],
    ['(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;', []],
    [
      'A: a@x.test;, b@x.test, "C, D": c@x.test, ,d@x.test ;',
      ['a@x.test', 'b@x.test', 'c@x.test', 'd@x.test'],
    ],
    [
      'Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example',
      ['mary@example.net', 'jdoe@test.example'],
    ],
    [', a@x.test,', ['a@x.test']],
  ]
  for (const [text, addresses] of table) {
    const list = read(text)
    assert.ok(Array.isArray(list), `${text}: ${list}`)
    assert.deepEqual(
      list.map(([, address]) => address),
      addresses,
      text,
    )
  }
})

test('what is no list of addresses', () => {
  const table: [string, RegExp][] = [
    ['nobody', /without @/],
    ['@b.example', /nothing or a dot/],
    ['a@', /cannot exist/],
    ['a b@c.example', /no address/],
    ['a@b@c.example', /none/],
    ['a..b@c.example', /no address/],
    ['.a@c.example', /no address/],
    ['a.@c.example', /dot before/],
    ['Name a@b.example', /no address/],
    ['a@b.example c@d.example', /none/],
    ['a@b.example; c@d.example', /; outside/],
    ['<a@b.example', /never closed/],
    ['a@b.example>', /none/],
    ['<<a@b.example>>', /no address|after/],
    ['<a@b.example> Name', /after an address/],
    ['<a@b.example> <c@d.example>', /no address|none|after/],
    ['a@evil.example <b@good.example>', /need quotes/],
    ['<a@evil.example> b@good.example', /after an address/],
    ['A: B: a@x.test;;', /group inside a group/],
    [': a@x.test;', /without a name/],
    ['A: a@x.test', /never ends/],
    ['a@x.test:;', /need quotes/],
    ['"a', /never ends/],
    ['(a', /never ends/],
    ['a@[192.0.2.1', /never ends/],
    ['a@[300.0.0.1]', /cannot exist/],
    ['a@-b.example', /cannot exist/],
    ['a\\b@c.example', /needs quotes/],
    ['a\u0000@c.example', /needs quotes/],
    ['"a\u0000" <a@c.example>', /control/],
    ['"a\r\nBcc: x" <a@c.example>', /control/],
    ['\ufffd <a@c.example>', /needs quotes/],
    ['a)@c.example', /needs quotes/],
    [`${'a'.repeat(65)}@c.example`, /cannot exist/],
  ]
  for (const [text, fault] of table) {
    const result = read(text)
    assert.match(String(result), fault, text)
    assert.equal(typeof result, 'string', text)
  }
})

const mailbox = fc
  .tuple(fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }), fc.domain())
  .map(([localPart, domain]) => makeMailbox(localPart, domain))
  .filter((mailbox) => mailbox !== undefined)
const address = fc
  .tuple(mailbox, fc.string({ unit: 'grapheme', maxLength: 60 }))
  .map(([mailbox, displayName]): Address => (displayName ? { displayName, mailbox } : { mailbox }))

test('what we write we read, through a folded field', () => {
  fc.assert(
    fc.property(fc.array(address, { maxLength: 10 }), (addresses) => {
      const field = unfold(formatField('To', addresses.map(formatAddress).join(', ')))
      const list = parseAddressList(field.slice('To:'.length))
      assert.ok(Array.isArray(list), JSON.stringify(list))
      assert.deepEqual(
        list.map(({ displayName, mailbox }) => ({
          mailbox,
          ...(displayName && { displayName: decodeWords(displayName) }),
        })),
        addresses.map(({ displayName, mailbox }) => ({
          mailbox,
          ...(displayName && { displayName }),
        })),
      )
    }),
    { numRuns: 1000 },
  )
})

test('a name with a line break cannot be written', () => {
  const mailbox = parseMailbox('a@b.example')!
  assert.throws(() => formatAddress({ displayName: 'a\r\nBcc: x@y.z', mailbox }), TypeError)
})

const pieces = fc.constantFrom(
  ...[
    '<',
    '>',
    '"',
    '\\',
    '@',
    ':',
    ';',
    ',',
    '(',
    ')',
    '[',
    ']',
    '.',
    ' ',
    '\r\n ',
    'a',
    'b.c',
    'я',
  ],
)

test('any text gives addresses or a fault, and quick reading agrees with careful reading', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((list) => list.join('')),
      ),
      (text) => {
        const list = parseAddressList(text)
        if (!Array.isArray(list)) {
          assert.ok(list.position >= 0 && list.position <= text.length)
          return
        }
        // A comment in front only keeps the quick way from being taken.
        assert.deepEqual(parseAddressList(`(c)${text}`), list)
        for (const { mailbox } of list) assert.ok(parseMailbox(formatMailbox(mailbox)))
      },
    ),
    { numRuns: 10_000 },
  )
})

test('the time is linear in the size', () => {
  const size = 50_000
  const table = [
    '(',
    ')',
    '((',
    '"',
    '\\',
    'a:',
    'a:b;',
    '<',
    '>',
    '@',
    ',',
    '.',
    'a',
    'a ',
    'a@',
    '[',
    '\r\n ',
  ]
  for (const piece of [...table, 'a@b.example,', '"a" ', '<a@b.example> ', '(a)', '<@a:', ' ']) {
    parseAddressList(piece.repeat(size))
    parseAddressList(`"x" ${piece.repeat(size)}`)
    parseAddressList(`a@b.example ${piece.repeat(size)}`)
    parseAddressList(`a${piece.repeat(size)},`)
  }
})
