import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  describeBadMailbox,
  formatMailbox,
  type Mailbox,
  makeMailbox,
  needsSmtputf8,
  parseMailbox,
  parsePath,
  sameMailbox,
} from './mailbox.ts'

const local64 = 'a'.repeat(64)

test('mailboxes (RFC 5321 §4.1.2, RFC 6531 §3.3)', () => {
  const table: [string, string, string][] = [
    ['user@example.com', 'user', 'example.com'],
    ['USER@Example.COM', 'USER', 'example.com'],
    ['first.last+tag@example.com', 'first.last+tag', 'example.com'],
    ["!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~", 'example.com'],
    ['"quoted"@example.com', 'quoted', 'example.com'],
    ['"a b"@example.com', 'a b', 'example.com'],
    ['"a@evil x"@good.example', 'a@evil x', 'good.example'], // CVE-2025-13033
    ['"a\\"b\\\\c"@example.com', 'a"b\\c', 'example.com'],
    ['"Fred\\ Bloggs"@example.com', 'Fred Bloggs', 'example.com'],
    ['"a..b"@example.com', 'a..b', 'example.com'],
    ['user@[192.0.2.1]', 'user', '[192.0.2.1]'],
    ['user@[IPv6:2001:db8::1]', 'user', '[IPv6:2001:db8::1]'],
    ['user@localhost', 'user', 'localhost'],
    ['почта@пример.рф', 'почта', 'xn--e1afmkfd.xn--p1ai'],
    ['用户@example.com', '用户', 'example.com'],
    [`${local64}@example.com`, local64, 'example.com'],
    [`${'я'.repeat(32)}@example.com`, 'я'.repeat(32), 'example.com'],
  ]
  for (const [text, localPart, domain] of table) {
    assert.deepEqual(parseMailbox(text), { localPart, domain }, text)
  }
})

test('what is no mailbox, and why', () => {
  const table: [string, RegExp][] = [
    ['', /empty/],
    ['user', /no @/],
    ['@example.com', /before its @/],
    ['user@', /after its @/],
    ['user@exa mple.com', /not a domain name/],
    ['us er@example.com', /space/],
    ['a..b@example.com', /dot too many/],
    ['.a@example.com', /dot too many/],
    ['a.@example.com', /dot too many/],
    ['a(b)@example.com', /need quotes/],
    ['a@b@example.com', /need quotes/],
    ['"a@example.com', /never ends/],
    ['"a"b@example.com', /no @/],
    ['""@example.com', /./],
    ['user@192.0.2.1', /must stand in \[ \]/],
    ['user@[300.0.0.1]', /\[IPv4\]/],
    ['user@-a.example', /not a domain name/],
    ['user@example.com.', /ends with a dot/],
    [`${local64}a@example.com`, /64 octets/],
    [`${'я'.repeat(33)}@example.com`, /64 octets/],
    [`${local64}@${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}`, /too long/],
    ['us\u0000er@example.com', /control/],
    ['us\u0085er@example.com', /control/],
    ['"a\rb"@example.com', /control/],
    ['us\ufffder@example.com', /UTF-8/],
  ]
  for (const [text, why] of table) {
    assert.equal(parseMailbox(text), undefined, text)
    assert.match(describeBadMailbox(text), why, text)
  }
  assert.equal(parseMailbox('a\ud800@example.com'), undefined)
  assert.equal(makeMailbox('a\nb', 'example.com'), undefined)
})

test('paths (RFC 5321 §4.1.2, appendix C)', () => {
  const table: [string, string | undefined][] = [
    ['<>', 'null'],
    ['<user@example.com>', 'user@example.com'],
    ['user@example.com', 'user@example.com'],
    ['<Postmaster>', 'postmaster'],
    ['<POSTMASTER>', 'postmaster'],
    ['postmaster', 'postmaster'],
    ['<postmaster@example.com>', 'postmaster@example.com'],
    ['<@hosta.int,@jkl.org:userc@d.bar.org>', 'userc@d.bar.org'],
    ['<@hosta.int:"x:y@z"@d.bar.org>', '"x:y@z"@d.bar.org'],
    ['<"a>b"@example.com>', '"a>b"@example.com'],
    ['<@hosta.int>', undefined],
    ['<@:userc@d.bar.org>', undefined],
    ['<@a b:userc@d.bar.org>', undefined],
    ['@hosta.int:userc@d.bar.org', undefined],
    ['<<user@example.com>>', undefined],
    ['<user@example.com', undefined],
    ['user@example.com>', undefined],
    ['< user@example.com >', undefined],
    ['<user>', undefined],
    ['', undefined],
    ['<', undefined],
  ]
  for (const [text, expected] of table) {
    const path = parsePath(text)
    assert.equal(
      path?.kind === 'mailbox' ? formatMailbox(path.mailbox) : path?.kind,
      expected,
      text,
    )
  }
})

test('local parts are compared exactly, domains and Postmaster without case', () => {
  const same = (a: string, b: string) => sameMailbox(parseMailbox(a)!, parseMailbox(b)!)
  assert.ok(same('user@example.com', 'user@EXAMPLE.com'))
  assert.ok(same('"user"@example.com', 'user@example.com'))
  assert.ok(same('Postmaster@example.com', 'POSTMASTER@example.com'))
  assert.ok(!same('User@example.com', 'user@example.com'))
  assert.ok(!same('user@example.com', 'user@example.net'))
})

test('only a local part beyond ASCII needs SMTPUTF8', () => {
  assert.equal(needsSmtputf8(parseMailbox('почта@пример.рф')!), true)
  assert.equal(needsSmtputf8(parseMailbox('mail@пример.рф')!), false)
})

test('formatting refuses what would break the line', () => {
  const broken = { localPart: 'a\r\nRCPT TO:<x@y>', domain: 'example.com' } as unknown as Mailbox
  assert.throws(() => formatMailbox(broken), TypeError)
})

const anything = fc.oneof(fc.string(), fc.string({ unit: 'binary' }))

test('format and parse are inverse', () => {
  const domains = fc.oneof(fc.domain(), fc.constant('[192.0.2.1]'), fc.constant('почта.рф'))
  fc.assert(
    fc.property(fc.oneof(anything, fc.string({ maxLength: 20 })), domains, (localPart, domain) => {
      const mailbox = makeMailbox(localPart, domain)
      if (mailbox) assert.deepEqual(parseMailbox(formatMailbox(mailbox)), mailbox)
    }),
    { numRuns: 2000 },
  )
})

test('any text at all gives a value or undefined', () => {
  const pieces = fc.constantFrom('<', '>', '"', '\\', '@', ':', ',', 'a', '.', ' ', '[', ']', 'я')
  const text = fc.oneof(
    anything,
    fc.array(pieces).map((list) => list.join('')),
  )
  fc.assert(
    fc.property(text, (input) => {
      const mailbox = parseMailbox(input)
      if (mailbox) assert.deepEqual(parseMailbox(formatMailbox(mailbox)), mailbox)
      else assert.ok(describeBadMailbox(input).length > 0)
      parsePath(input)
    }),
    { numRuns: 3000 },
  )
})
