import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Domain } from '../mail/domain.ts'
import type { Envelope } from '../mail/envelope.ts'
import { type HeaderField, splitHeader } from '../mail/header.ts'
import { formatMailbox, parseMailbox } from '../mail/mailbox.ts'
import { Refusal } from '../mail/reply.ts'
import { type Aliases, joinAliases, parseAliases } from './aliases.ts'
import { parseHeaderRules } from './header-rules.ts'
import { removalOf } from './hide.ts'
import { type Lookup, parseRegexpTable, parseTextTable } from './lookup.ts'
import { createRewriter, type RewriteTables } from './rules.ts'

const mailbox = (text: string) => parseMailbox(text) ?? assert.fail(text)
const HOST = 'mail.example.com'

function rewriter(tables: Partial<RewriteTables>) {
  return createRewriter({
    local: { names: new Set([HOST]) },
    hostname: HOST as Domain,
    keepOriginal: true,
    alwaysBcc: [],
    mostRecipients: 20,
    ...tables,
  })
}

function envelope(from: string | null, ...to: string[]): Envelope {
  return {
    reversePath: from === null ? null : mailbox(from),
    recipients: to.map((one) => ({ mailbox: mailbox(one) })),
    body: '7bit',
    smtputf8: false,
    requireTls: false,
  }
}

const text = (lines: string) => {
  const table = parseTextTable(lines)
  return 'fault' in table ? assert.fail(table.fault) : table
}
const regexp = (lines: string): Lookup => {
  const table = parseRegexpTable(lines)
  return 'fault' in table ? assert.fail(table.fault) : table
}
const aliases = (lines: string, files: Record<string, string> = {}): Aliases => {
  const parsed = parseAliases(lines, (path) => files[path])
  return 'fault' in parsed ? assert.fail(String(parsed.fault)) : (parsed as Aliases)
}

function fields(header: string): readonly HeaderField[] {
  const found = splitHeader(header)
  return Array.isArray(found) ? found : assert.fail(found.fault)
}
const header = (tables: Partial<RewriteTables>, lines: string) =>
  rewriter(tables)
    .header(fields(lines))
    .fields.map(({ raw }) => raw)
    .join('')

const LOCAL: Partial<RewriteTables> = { localDomain: 'example.com' as Domain }
const MASKED: Partial<RewriteTables> = {
  masquerade: {
    domains: [
      { domain: 'shop.example.com' as Domain, except: true },
      { domain: 'example.com' as Domain, except: false },
    ],
    users: new Set(['root']),
  },
}
const MAP = text(
  '# comment\njoe@old.example joe.smith@example.com\n@gone.example @example.org\n' +
    'Anna   anna.k@example.com\nlong@old.example\n   long.name@example.com\nbare@old.example someone\n',
)

describe('a sender', () => {
  const table: [string, Partial<RewriteTables>, string, string][] = [
    ['of a container', LOCAL, 'root@a1b2c3d4', 'root@example.com'],
    ['of localhost', LOCAL, 'www-data@localhost.localdomain', 'www-data@example.com'],
    ['of our own host name', LOCAL, `cron@${HOST}`, 'cron@example.com'],
    ['of a loopback literal', LOCAL, 'cron@[127.0.0.1]', 'cron@example.com'],
    ['of a real domain stays', LOCAL, 'a@some.example', 'a@some.example'],
    ['of a host below', MASKED, 'app@web1.example.com', 'app@example.com'],
    ['of the domain itself stays', MASKED, 'app@example.com', 'app@example.com'],
    ['below an exception stays', MASKED, 'a@x.shop.example.com', 'a@x.shop.example.com'],
    ['who is an exception stays', MASKED, 'root@web1.example.com', 'root@web1.example.com'],
    ['with such an end only stays', MASKED, 'a@notexample.com', 'a@notexample.com'],
    ['mapped whole', { canonical: MAP }, 'Joe@old.example', 'joe.smith@example.com'],
    ['mapped by domain', { senderCanonical: MAP }, 'x@gone.example', 'x@example.org'],
    ['mapped by a local name', { canonical: MAP }, 'anna@localhost', 'anna.k@example.com'],
    ['not mapped by a name elsewhere', { canonical: MAP }, 'anna@x.example', 'anna@x.example'],
    ['over a continued line', { canonical: MAP }, 'long@old.example', 'long.name@example.com'],
    ['to a bare name', { canonical: MAP }, 'bare@old.example', `someone@${HOST}`],
    [
      'by the map of recipients: no',
      { recipientCanonical: MAP },
      'x@gone.example',
      'x@gone.example',
    ],
    [
      'by a pattern',
      { canonical: regexp('/^(.+)@(\\w+)\\.internal$/ $1+$2@example.com') },
      'app@web1.internal',
      'app+web1@example.com',
    ],
    [
      'by a pattern inside if',
      {
        canonical: regexp(
          'if /@old\\.example$/\n!/^root@/ users@example.com\nendif\n/./ @new.example',
        ),
      },
      'a@old.example',
      'users@example.com',
    ],
    [
      'by every step in turn',
      { ...LOCAL, ...MASKED, canonical: text('a@one.example b@localhost') },
      'a@one.example',
      'b@example.com',
    ],
  ]
  for (const [what, tables, from, to] of table)
    it(`${what}: ${from} → ${to}`, () => {
      const { reversePath } = rewriter(tables).envelope(envelope(from, 'x@y.example'))
      assert.equal(formatMailbox(reversePath!), to)
      assert.match(
        header(tables, `From: N <${from}>\r\n`),
        new RegExp(`^From: .*${to.replace(/[+[]/g, '\\$&')}>`, 'i'),
      )
    })
  it('that is empty stays so', () => {
    assert.equal(rewriter(LOCAL).envelope(envelope(null, 'x@y.example')).reversePath, null)
  })
})

describe('a recipient', () => {
  const ALIASES = aliases(
    'root: admin@example.com, "Ops Team"@example.com\npostmaster: root\nwww-data: Postmaster\n' +
      'list: :include:/lists/all\nnobody: /dev/null\nself: \\self, other@example.com\n' +
      'a: b\nb: c, x@example.com\nc: a\n"big name": two@example.com\n',
    {
      '/lists/all': '# who\none@example.com\nroot, :include:/lists/more\n',
      '/lists/more': 'three@example.com',
    },
  )
  const table: [string, string, string[]][] = [
    ['an alias', 'root@localhost', ['admin@example.com', '"Ops Team"@example.com']],
    ['in any case', 'ROOT@a1b2c3', ['admin@example.com', '"Ops Team"@example.com']],
    ['through others', 'www-data@localhost', ['admin@example.com', '"Ops Team"@example.com']],
    [
      'of files',
      'list@localhost',
      ['one@example.com', 'admin@example.com', '"Ops Team"@example.com', 'three@example.com'],
    ],
    ['nowhere', 'nobody@localhost', []],
    ['itself and another', 'self@localhost', ['self@localhost', 'other@example.com']],
    ['a quoted name', '"big name"@localhost', ['two@example.com']],
    ['without an entry', 'who@localhost', ['who@localhost']],
    ['of a real domain', 'root@some.example', ['root@some.example']],
  ]
  for (const [what, from, to] of table)
    it(`${what}: ${from} → ${to.join(' ') || 'thrown away'}`, () => {
      const { recipients } = rewriter({ aliases: ALIASES }).envelope(envelope('a@b.example', from))
      assert.deepEqual(
        recipients.map((one) => formatMailbox(one.mailbox)),
        to,
      )
    })
  it('keeps its wishes, and its first name for notices', () => {
    const before = {
      ...envelope(null),
      recipients: [{ mailbox: mailbox('root@x'), notify: 'never' as const }],
    }
    const [first] = rewriter({ aliases: ALIASES }).envelope(before).recipients
    assert.equal(first!.notify, 'never')
    assert.equal(first!.originalRecipient, 'rfc822;root@x')
  })
  it('in a circle is refused, with the name', () => {
    const run = () => rewriter({ aliases: ALIASES }).envelope(envelope(null, 'a@localhost'))
    assert.throws(
      run,
      (error) => error instanceof Refusal && /5\.4\.6 .*circles at a\b/.test(error.message),
    )
  })
  it('that leads to too many is refused', () => {
    const many = Array.from({ length: 21 }, (_, i) => `u${i}@example.com`).join(',')
    const run = () =>
      rewriter({ aliases: aliases(`all: ${many}`) }).envelope(envelope(null, 'all@x'))
    assert.throws(run, /5\.5\.3 Aliases lead to more than 20/)
  })
  it('that doubles at each of forty steps is refused at once', () => {
    const lines = Array.from({ length: 40 }, (_, i) => `n${i}: n${i + 1}, "n${i + 1}"`).join('\n')
    const run = () => rewriter({ aliases: aliases(lines) }).envelope(envelope(null, 'n0@x'))
    assert.throws(run, /5\.5\.3/)
  })
  it('is not masqueraded in the envelope, but in To', () => {
    const one = rewriter({ ...LOCAL, ...MASKED })
    const [to] = one.envelope(envelope(null, 'a@web1.example.com')).recipients
    assert.equal(formatMailbox(to!.mailbox), 'a@web1.example.com')
    assert.equal(header(MASKED, 'To: a@web1.example.com\r\n'), 'To: a@example.com\r\n')
  })
  it('always_bcc comes with the others, once and silently', () => {
    const bcc = { alwaysBcc: [mailbox('archive@example.com')] }
    const { recipients } = rewriter(bcc).envelope(envelope(null, 'b@c.example'))
    assert.deepEqual(recipients[1], { mailbox: mailbox('archive@example.com'), notify: 'never' })
    const again = rewriter(bcc).envelope(envelope(null, 'archive@example.com'))
    assert.equal(again.recipients.length, 1)
  })
  it('of two alias files the first counts', () => {
    const joined = joinAliases([
      aliases('a: one@example.com'),
      aliases('a: two@example.com\nb: c@d.example'),
    ])
    const { recipients } = rewriter({ aliases: joined }).envelope(envelope(null, 'a@x', 'b@x'))
    assert.deepEqual(
      recipients.map((one) => formatMailbox(one.mailbox)),
      ['one@example.com', 'c@d.example'],
    )
  })
})

describe('a header field', () => {
  const table: [string, Partial<RewriteTables>, string, string][] = [
    [
      'From keeps its old value',
      LOCAL,
      'From: Cron <root@h1>\r\n',
      'From: Cron <root@example.com>\r\nX-Original-From: Cron <root@h1>\r\n',
    ],
    [
      'without that when it is off',
      { ...LOCAL, keepOriginal: false },
      'From: root@h1\r\n',
      'From: root@example.com\r\n',
    ],
    [
      'a name in an encoded word',
      { ...LOCAL, keepOriginal: false },
      'From: =?utf-8?b?0J/RgNC4?= <r@h1>\r\n',
      'From: =?utf-8?b?0J/RgNC4?= <r@example.com>\r\n',
    ],
    [
      'one of several',
      { canonical: MAP },
      'To: x@y.example, "J, S" <joe@old.example>\r\n',
      'To: x@y.example, "J, S" <joe.smith@example.com>\r\n',
    ],
    [
      'untouched to the octet',
      LOCAL,
      'To:  a@b.example ,\r\n\t(c) d@e.example\r\n',
      'To:  a@b.example ,\r\n\t(c) d@e.example\r\n',
    ],
    ['that nobody can read', LOCAL, 'From: root@h1 root@h2\r\n', 'From: root@h1 root@h2\r\n'],
    ['Subject with an address', LOCAL, 'Subject: root@h1\r\n', 'Subject: root@h1\r\n'],
  ]
  for (const [what, tables, before, after] of table)
    it(what, () => assert.equal(header(tables, before), after))

  const removal = removalOf(['Received', 'X-Mailer', 'X-PHP-*'])!
  const gone: [string, string, string][] = [
    ['X-Mailer', 'x-mailer: PHPMailer\r\n', ''],
    ['by its beginning', 'X-PHP-Script: /var/www\r\n', ''],
    [
      'Received loses its client',
      'Received: from laptop.home ([10.0.0.7]) (by evil)\r\n by mail.a.example with ESMTPSA\r\n id 1 for <b@c.example>; Sat, 21 Nov 2026 12:00:00 +0000 (UTC)\r\n',
      'Received: by mail.a.example with ESMTPSA; Sat, 21 Nov 2026 12:00:00 +0000\r\n',
    ],
    [
      'Received of any form stays one',
      'Received: (qmail 1 invoked by uid 0); never\r\n',
      'Received: by localhost\r\n',
    ],
  ]
  for (const [what, before, after] of gone)
    it(`is removed: ${what}`, () => assert.equal(header({ removal }, before), after))

  const rules = parseHeaderRules(
    '/^X-Secret:/ IGNORE\n/^Subject: *\\[(\\w+)\\] (.*)/ REPLACE Subject: $2 ($1)\n/^X-Id: (.*)/ PREPEND X-Was: $1\n' +
      '/^X-Bad[[:digit:]]:/ REJECT 5.7.1 not here\n/^X-Wait:/ HOLD look at it\n/^X-Note:/ WARN noted\n/./ DUNNO\n',
  )
  const ruled = (lines: string) => {
    assert.ok(Array.isArray(rules))
    return rewriter({ headerRules: rules }).header(fields(lines))
  }
  const raws = (lines: string) =>
    ruled(lines)
      .fields.map(({ raw }) => raw)
      .join('')
  it('is ruled: ignored, replaced, preceded', () => {
    assert.equal(raws('X-Secret: 1\r\nX-A: b\r\n'), 'X-A: b\r\n')
    assert.equal(raws('Subject: [list] Hello\r\n there\r\n'), 'Subject: Hello there (list)\r\n')
    assert.equal(raws('X-Id: 7\r\n'), 'X-Was: 7\r\nX-Id: 7\r\n')
  })
  it('is ruled: refused, held, noted', () => {
    assert.throws(() => ruled('X-Bad7: 1\r\n'), /^Refusal: 550 5\.7\.1 .*not here/)
    assert.equal(ruled('X-Wait: 1\r\n').hold, 'look at it')
    assert.deepEqual(ruled('X-Note: 1\r\n').remarks, ['noted'])
  })
})

describe('a fault has its line', () => {
  const table: [string, (lines: string) => unknown, string, number, RegExp][] = [
    ['a key without a value', parseTextTable, '# x\na b\nlonely\n', 3, /without a value: lonely/],
    ['a continued line first', parseTextTable, ' a b\n', 1, /nothing before it/],
    ['a pattern without end', parseRegexpTable, '\n/abc x\n', 2, /never ends/],
    ['a pattern that is none', parseRegexpTable, '/(/ x\n', 1, /cannot be read/],
    ['an if without endif', parseRegexpTable, '/a/ b\nif /x/\n', 2, /without endif/],
    [
      'a program as target',
      (lines) => parseAliases(lines, () => undefined),
      'a: b\nc: "|/bin/sh -c x"\n',
      2,
      /program/,
    ],
    [
      'a file as target',
      (lines) => parseAliases(lines, () => undefined),
      'a: /var/mail/a\n',
      1,
      /file/,
    ],
    [
      'no include',
      (lines) => parseAliases(lines, () => undefined),
      'a: :include:/x\n',
      1,
      /\/x cannot be read/,
    ],
    [
      'an include of itself',
      (lines) => parseAliases(lines, () => ':include:/x'),
      'a: :include:/x\n',
      1,
      /20 deep/,
    ],
    [
      'a fault in an include',
      (lines) => parseAliases(lines, () => 'a@b.example\n|x'),
      'a: :include:/x\n',
      1,
      /\/x:2: a program/,
    ],
    ['an entry twice', (lines) => parseAliases(lines, () => undefined), 'a: b\nA: c\n', 2, /twice/],
    ['no colon', (lines) => parseAliases(lines, () => undefined), 'a b\n', 1, /not "name: target"/],
    ['an unknown action', parseHeaderRules, '/a/ OK\n/b/ EXPLODE\n', 2, /unknown action EXPLODE/],
    ['REPLACE with no field', parseHeaderRules, '/a/ REPLACE nothing\n', 1, /whole field/],
  ]
  for (const [what, parse, lines, line, fault] of table)
    it(what, () => {
      const found = parse(lines) as { line: number; fault: string }
      assert.equal(found.line, line)
      assert.match(found.fault, fault)
    })
})

describe('names without a domain', () => {
  const completed = (tables: Partial<RewriteTables>, role: 'sender' | 'recipient') => {
    const found = rewriter(tables).completes('root', role)
    return found && formatMailbox(found)
  }

  it('are completed where something says what they stand for', () => {
    const toAdmin = { aliases: aliases('root: admin@example.org') }
    assert.equal(completed({}, 'sender'), undefined)
    assert.equal(completed(LOCAL, 'sender'), `root@${HOST}`)
    assert.equal(completed(LOCAL, 'recipient'), 'root@example.com')
    assert.equal(completed(MASKED, 'recipient'), `root@${HOST}`)
    assert.equal(completed({ ...LOCAL, ...toAdmin }, 'recipient'), `root@${HOST}`)
    assert.equal(
      completed({ ...LOCAL, aliases: aliases('other: a@b.example') }, 'recipient'),
      'root@example.com',
    )
  })

  it('also in fields, where they are plain to see', () => {
    const table: readonly (readonly [string, string])[] = [
      ['Reply-To: root', 'Reply-To: root@example.com'],
      ['Reply-To: Cron Daemon <root>', 'Reply-To: Cron Daemon <root@example.com>'],
      ['To: root, bob@example.org', 'To: root@example.com, bob@example.org'],
      ['To: "root" <a@example.org>, b', 'To: "root" <a@example.org>, b'],
      ['To: two words', 'To: two words'],
      ['To: group: root;', 'To: group: root;'],
      ['To: <root', 'To: <root'],
    ]
    for (const [before, after] of table)
      assert.equal(header(LOCAL, `${before}\r\n`), `${after}\r\n`, before)
    assert.equal(header({}, 'To: root\r\n'), 'To: root\r\n')
  })
})

describe('virtual aliases', () => {
  const table = text(
    [
      'sales@example.com ann@a.example, bob@b.example',
      'info@example.com sales@example.com',
      '@old.example @new.example',
      'keep@example.com keep@example.com, copy@example.org',
      'root admin',
      'admin admin@example.com',
      'x@example.com y@example.com',
      'y@example.com x@example.com',
    ].join('\n'),
  )
  const sent = (to: string, more: Partial<RewriteTables> = {}) =>
    rewriter({ virtualAliases: table, ...more })
      .envelope(envelope('a@b.example', to))
      .recipients.map(({ mailbox: one, originalRecipient }) => [
        formatMailbox(one),
        originalRecipient,
      ])

  it('send mail elsewhere, to as many as they name', () => {
    const was = (address: string) => `rfc822;${address}`
    assert.deepEqual(sent('info@example.com'), [
      ['ann@a.example', was('info@example.com')],
      ['bob@b.example', was('info@example.com')],
    ])
    assert.deepEqual(sent('Eve@old.example'), [['Eve@new.example', was('Eve@old.example')]])
    assert.deepEqual(
      sent('keep@example.com').map(([to]) => to),
      ['keep@example.com', 'copy@example.org'],
    )
    assert.deepEqual(sent(`root@${HOST}`), [['admin@example.com', was(`root@${HOST}`)]])
    assert.deepEqual(sent('else@example.com'), [['else@example.com', undefined]])
    const both = { aliases: aliases('ops: eve@c.example') }
    const first = text(`who@example.com ops@${HOST} z@z.example`)
    assert.deepEqual(
      sent('who@example.com', { ...both, virtualAliases: first }).map(([to]) => to),
      ['eve@c.example', 'z@z.example'],
    )
  })

  it('are told step by step, and refused where they never end', () => {
    const { changes } = rewriter({ virtualAliases: table }).explain(
      mailbox('info@example.com'),
      'recipient',
    )
    assert.deepEqual(changes, [{ step: 'virtual_aliases', to: 'ann@a.example, bob@b.example' }])
    assert.throws(() => sent('x@example.com'), Refusal)
    const many = text(`a@b.example ${Array.from({ length: 30 }, (_, i) => `p${i}@c.example`)}`)
    assert.throws(() => sent('a@b.example', { virtualAliases: many }), Refusal)
    const pattern = regexp('/^(.*)@shop\\.example$/ $1@example.net')
    assert.deepEqual(
      sent('ann@shop.example', { virtualAliases: pattern }).map(([to]) => to),
      ['ann@example.net'],
    )
  })
})
