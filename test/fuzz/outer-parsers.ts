// What stands further out: encoded words, trace fields, submitted headers, reports, logins, networks,
// configuration.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../src/config/load.ts'
import { domainList, relayUrl } from '../../src/config/short.ts'
import { formatDuration, formatSize, parseDuration, parseSize } from '../../src/config/units.ts'
import { readYaml } from '../../src/config/yaml.ts'
import { complete } from '../../src/intake/complete.ts'
import { readHeaderBlock } from '../../src/intake/header-block.ts'
import { isIn, networkList } from '../../src/intake/networks.ts'
import type { Domain } from '../../src/mail/domain.ts'
import { decodeWords, encodeWords } from '../../src/mail/encoded-word.ts'
import { formatField, splitHeader, unfold } from '../../src/mail/header.ts'
import { type Mailbox, parseMailbox } from '../../src/mail/mailbox.ts'
import type { MessageId } from '../../src/mail/message.ts'
import { Refusal } from '../../src/mail/reply.ts'
import { buildReport, type Report } from '../../src/mail/report.ts'
import { formatReceivedValue } from '../../src/mail/trace.ts'
import { type Claim, exchange, MECHANISMS, type SaslService } from '../../src/smtp/sasl.ts'
import type { Dice } from './dice.ts'
import { assertLines, type Target, textOf, throwsOnly } from './target.ts'

const US = 'mail.posthorn.example' as Domain
const NOW = Date.UTC(2026, 10, 21, 12)

const encodedWords: Target = {
  name: 'encoded words',
  samples: [
    '=?utf-8?b?0J/RgNC40LLQtdGC?= =?utf-8?q?a=20b_c?=',
    'plain =?iso-8859-1*de?q?=E4?= text',
    '=?koi8-r?B?8NLJ18XU?=',
    'Привет, мир',
    '=?x?q?=ZZ?==?utf-8?b??=',
  ],
  tokens: ['=?', '?=', '?', 'utf-8', 'b', 'q', 'UTF-7', '_', '=E4', ' ', '\r\n ', 'я', '0J8=', '*'],
  check(octets, dice) {
    const text = textOf(octets, dice)
    decodeWords(text)
    const shown = text.replace(/[\r\n\0]/g, ' ').toWellFormed()
    const encoded = encodeWords(shown)
    assert.equal(decodeWords(encoded), shown)
    assert.doesNotMatch(encoded, /[\r\n\0]/)
    const field = formatField('Subject', encoded)
    assertLines(Buffer.from(field))
    assert.equal(decodeWords(unfold(field).slice('Subject: '.length)), shown)
  },
}

const trace: Target = {
  name: 'Received',
  samples: ['client.example', '[192.0.2.1]', 'a(b)\\c', 'x; Mon, 1 Jan', 'почта.рф'],
  tokens: ['(', ')', '\\', ';', '\r\n', '\0', ' ', 'я', '\xff', '<', '>'],
  check(octets, dice) {
    const helloName = textOf(octets, dice)
    const value = formatReceivedValue({
      helloName,
      address: dice.oneIn(2) ? '192.0.2.7' : helloName,
      by: US,
      protocol: 'ESMTPSA',
      tls: helloName,
      id: '000001ABCDZ',
      at: NOW,
    })
    assert.match(value, /^[ -~]+$/)
    const field = formatField('Received', value)
    assertLines(Buffer.from(field))
    // With quoted pairs gone, brackets match and the only semicolon outside of them is ours.
    const outside = value.replace(/\\./g, '').replace(/\([^()]*\)/g, '')
    assert.doesNotMatch(outside, /[()]/)
    assert.equal(outside.split(';').length, 2)
  },
}

const SUBMITTED =
  'From: A <a@example.com>\r\nTo: b@example.org\r\nSubject: x\r\nBcc: c@example.net\r\n' +
  'Received: one\r\nMessage-ID: <x@y>\r\nContent-Type: text/plain\r\n\r\n'

const submitted: Target = {
  name: 'submitted header',
  samples: [SUBMITTED, 'From a@b Mon Jan 1\r\nFrom: a@b.example\r\n\r\n', 'no header\r\n', '\r\n'],
  tokens: [
    'From:',
    'Bcc:',
    'To:',
    'Date:',
    '\r\n',
    '\r\n ',
    ' ',
    'a@b.example',
    '\xd0\xbf',
    ':',
    ',',
  ],
  check(octets, dice) {
    const text = octets.toString('latin1')
    throwsOnly(Refusal, () => {
      const block = readHeaderBlock(text)
      assert.ok(block.octets >= 0 && block.octets <= text.length)
      const { author, added, kept } = complete(block.fields, {
        envelope: {
          reversePath: dice.oneIn(2) ? null : parseMailbox('a@example.com')!,
          recipients: [{ mailbox: parseMailbox('b@example.org')! }],
          body: '8bitmime',
          smtputf8: dice.oneIn(2),
          requireTls: false,
        },
        origin: {
          door: 'smtp',
          sender: { kind: 'network', address: '127.0.0.1' },
          helloName: text.slice(0, 300),
          address: '192.0.2.7',
          protocol: 'ESMTP',
        },
        id: 4096 as MessageId,
        hostname: US,
        nonce: 'n0nce',
        now: NOW,
        mostReceived: 50,
      })
      assertMailbox(author)
      const whole = [...added, ...kept].map((field) => field.raw).join('')
      const again = splitHeader(whole)
      assert.ok(Array.isArray(again), JSON.stringify(again))
      const names = again.map((field) => field.lowerName)
      for (const name of ['from', 'date', 'message-id'])
        assert.equal(names.filter((other) => other === name).length, 1, name)
      assert.ok(!names.includes('bcc'))
      assertLines(Buffer.from(added.map((field) => field.raw).join(''), 'latin1'))
    })
  },
}

function assertMailbox(mailbox: Mailbox): void {
  assert.ok(mailbox.localPart !== '' && mailbox.domain.length > 0)
}

const report: Target = {
  name: 'report',
  samples: ['550 5.1.1 No such user', 'smtp; <b@c.example>', 'a\r\n\r\n--x\r\nFrom: evil', 'Сбой'],
  tokens: ['\r\n', '\n', '\r', '\0', '--=_report_', ':', ' ', 'я', '\u2028', 'x'.repeat(300), ';'],
  check(octets, dice) {
    const text = textOf(octets, dice)
    const built = buildReport(hostileReport(text, dice))
    const { content } = built
    const head = content.subarray(0, content.indexOf('\r\n\r\n') + 2).toString('latin1')
    const fields = splitHeader(head)
    assert.ok(Array.isArray(fields))
    assert.equal(fields.filter((field) => field.lowerName === 'subject').length, 1)
    const boundary = /boundary="([^"]+)"/.exec(unfold(head))![1]!
    const parts = content.toString('latin1').split(`--${boundary}`)
    assert.equal(parts.length, 5, 'three parts, a preamble and an end')
    const status = parts[2]!
    assert.doesNotMatch(status, /\r(?!\n)|(?<!\r)\n|\0/)
    assert.equal(status.split('\r\n\r\n').length, 4, 'fields of the part, the message, a recipient')
    if (built.body === '7bit') assert.ok(content.every((octet) => octet < 0x80))
  },
}

function hostileReport(text: string, dice: Dice): Report {
  const recipient = { mailbox: parseMailbox('почта@пример.рф')!, originalRecipient: text }
  return {
    from: parseMailbox('MAILER-DAEMON@mail.posthorn.example')!,
    to: parseMailbox('a@example.com')!,
    subject: text,
    text,
    at: NOW,
    messageId: '<1@mail.posthorn.example>',
    about: text,
    reportingMta: US,
    envelopeId: text,
    arrivedAt: NOW,
    recipients: [
      {
        recipient,
        action: 'failed',
        status: { class: 5, subject: 1, detail: 1 },
        remoteMta: text,
        diagnostic: { type: 'smtp', text },
        lastAttemptAt: NOW,
      },
    ],
    returned: { what: 'header', octets: Buffer.from('From: a@example.com\r\n') },
    utf8: dice.oneIn(2),
  }
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

const sasl: Target = {
  name: 'SASL',
  samples: [
    base64('\0app\0secret'),
    `${base64('app')}\n${base64('secret')}`,
    base64('me\0me\0pass word'),
    '*',
    '=\n=',
  ],
  tokens: [
    '\n',
    '=',
    '==',
    '*',
    'AAAA',
    base64('\0'),
    base64('n,,n=a,r=b'),
    base64('p=tls-exporter,,n=a=2Cb,r=b'),
    base64('c=biws,r=b,p='),
    base64(`app ${'0'.repeat(32)}`),
    base64('я'),
    base64('\ufeffx'),
    ' ',
    '/',
    '+',
  ],
  async check(octets, dice) {
    const lines = textOf(octets, dice).split('\n')
    const mechanism = MECHANISMS[dice.below(MECHANISMS.length)]!
    const initial = dice.oneIn(2) ? lines.shift() : undefined
    let asked = 0
    let claim: Claim | undefined
    try {
      claim = await exchange(mechanism, initial, {
        challenge: (text) => {
          asked++
          assert.match(text, /^[A-Za-z0-9+/=]*$/)
          return lines.shift() ?? '*'
        },
        password: async () => false,
        sasl: NOBODY,
        bindings: new Map([['tls-exporter', Buffer.alloc(32)]]),
        certificate: [],
        hostname: US,
      })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
    }
    assert.ok(asked <= 2)
    if (!claim) return
    assert.equal(await claim.prove(), false)
    if (mechanism !== 'LOGIN' && mechanism !== 'EXTERNAL')
      assert.ok(claim.username !== '' && !claim.username.includes('\0'))
  },
}

const NOBODY: SaslService = {
  mechanisms: () => new Set(MECHANISMS),
  scram: () => ({
    iterations: 4096,
    salt: Buffer.from('salt'),
    storedKey: Buffer.alloc(32, 1),
    serverKey: Buffer.alloc(32, 2),
  }),
  cram: () => undefined,
  certificate: () => undefined,
}

const networks: Target = {
  name: 'networks',
  samples: ['10.0.0.0/8', '::1/128', '192.0.2.1', 'fd00::/8', '::ffff:10.0.0.0/104', '[::1]/64'],
  tokens: [...'0123456789./:[]%', '/128', '/96', '::', '::ffff:', 'fe80', '%eth0', '256'],
  check(octets, dice) {
    const text = textOf(octets, dice)
    let list: ReturnType<typeof networkList> | undefined
    throwsOnly(TypeError, () => {
      list = networkList([text])
    })
    isIn(networkList(['10.0.0.0/8', 'fd00::/8']), text)
    if (!list) return
    const [address = ''] = text.split('/')
    assert.ok(isIn(list, address), 'a network has its own address')
  },
}

const units: Target = {
  name: 'durations, sizes, short forms',
  samples: [
    '1h30m',
    '250ms',
    '25MiB',
    '1.5 GiB',
    'smtps://u:p%40@host:465',
    'a.example, b.example',
  ],
  tokens: [...'0123456789. smhdwkKMGTiB:@/%[]', '://', 'smtp', '999999999999', '%zz', '__proto__'],
  check(octets, dice) {
    const text = textOf(octets, dice)
    const ms = parseDuration(text)
    if (ms !== undefined) assert.equal(parseDuration(formatDuration(ms)), ms)
    const bytes = parseSize(text)
    if (bytes !== undefined) assert.equal(parseSize(formatSize(bytes)), bytes)
    relayUrl(text)
    assert.equal(Object.getPrototypeOf(domainList(text) ?? {}), Object.prototype)
  },
}

const CONFIG = `hostname: mail.example.com
mode: live
data: ./data
http: { port: 8025 }
smtp: { port: 2525, trusted_networks: [127.0.0.0/8, "::1"] }
domains:
  example.com: { mode: live }
relayhost: smtp://user:pass@relay.example:587
retry: { first: 5m, longest: 1h }
limits: { message_size: 25MiB }
`
const CONFIG_TOKENS = [
  ...':-{}[],&*!|>"\'#%@?~\n \t',
  '\n  ',
  '- ',
  '&a [*a,*a]',
  '<<: *a',
  '__proto__: x\n',
  'constructor:',
  '!!binary ',
  '---\n',
  'null',
  '1e999',
  'domains:',
  '\ufeff',
]

const yaml: Target = {
  name: 'YAML',
  samples: [CONFIG, 'a: &a [x, x]\nb: *a\n', '- 1\n- 2\n', '? {a: b}\n: c\n'],
  tokens: CONFIG_TOKENS,
  share: 0.2,
  operator: true,
  check(octets, dice) {
    const file = readYaml('posthorn.yaml', textOf(octets, dice))
    assert.ok(typeof file.tree === 'object' && !Array.isArray(file.tree))
    for (const fault of file.faults) assert.equal(fault.origin.kind, 'file')
    for (const name of Object.keys(file.tree)) {
      const origin = file.origin([name, 'x'], 'value')
      assert.ok(origin.kind === 'file' && origin.line >= 1 && origin.column >= 1)
    }
  },
}

/** A folder for the configuration's file; made when the first one is loaded. */
let folder: string | undefined

function configFolder(): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'posthorn-fuzz-'))
    process.once('exit', () => rmSync(made, { recursive: true, force: true }))
    folder = made
  }
  return folder
}

const config: Target = {
  name: 'configuration',
  samples: [CONFIG, 'domains: [a.example, b.example]\n', 'relayhost: ""\nsmtp:\n', 'hostname: 1\n'],
  tokens: CONFIG_TOKENS,
  share: 0.05,
  operator: true,
  check(octets, dice) {
    const where = configFolder()
    const text = textOf(octets, dice)
    writeFileSync(join(where, 'posthorn.yaml'), octets)
    const loaded = loadConfig({
      environment: dice.oneIn(3) ? { POSTHORN_RELAYHOST: text, POSTHORN_DOMAINS: text } : {},
      workingDirectory: where,
      machineName: dice.oneIn(3) ? text.slice(0, 64) : 'mail.example.com',
    })
    assert.equal(loaded.config === undefined, loaded.faults.length > 0)
    for (const fault of loaded.faults) {
      assert.ok(fault.says.en.length > 0 && fault.says.ru.length > 0)
      assert.ok(fault.says.en.length < 2_000, 'a fault is a sentence')
    }
    assert.equal(({} as Record<string, unknown>)['x'], undefined, 'no prototype was polluted')
  },
}

export const outerParsers: readonly Target[] = [
  encodedWords,
  trace,
  submitted,
  report,
  sasl,
  networks,
  units,
  yaml,
  config,
]
