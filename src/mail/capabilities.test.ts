import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Capabilities,
  formatCapabilities,
  noCapabilities,
  parseCapabilities,
} from './capabilities.ts'

function parse(...lines: string[]): Capabilities {
  return parseCapabilities({ code: 250, text: ['mx.example.com greets you', ...lines] })
}

test('what servers announce', () => {
  const table: [string[], Partial<Capabilities>][] = [
    [[], {}],
    [
      ['PIPELINING', '8bitmime', 'SmtpUtf8'],
      { pipelining: true, eightBitMime: true, smtputf8: true },
    ],
    [['STARTTLS', 'DSN', 'CHUNKING'], { starttls: true, dsn: true, chunking: true }],
    [['ENHANCEDSTATUSCODES', 'REQUIRETLS'], { enhancedStatusCodes: true, requireTls: true }],
    [['SIZE 35882577'], { size: 35882577 }],
    [['SIZE'], { size: 0 }],
    [['SIZE 0'], { size: 0 }],
    [['SIZE many'], {}],
    [['SIZE 99999999999999999999'], { size: Number.MAX_SAFE_INTEGER }],
    [['AUTH PLAIN login  XOAUTH2'], { auth: new Set(['PLAIN', 'LOGIN', 'XOAUTH2']) }],
    [['AUTH=PLAIN LOGIN', 'AUTH PLAIN'], { auth: new Set(['PLAIN', 'LOGIN']) }],
    [['AUTH'], {}],
    [
      ['LIMITS RCPTMAX=20 MAILMAX=5 RCPTDOMAINMAX=1 OTHER=7'], // RFC 9422 §4
      { limits: { rcptMax: 20, mailMax: 5, rcptDomainMax: 1 } },
    ],
    [['LIMITS RCPTMAX=0 MAILMAX=x RCPTMAX'], {}],
    [['', ' ', 'X-ANONYMOUSTLS', 'BINARYMIME', 'HELP', '__proto__', '250-PIPELINING'], {}],
  ]
  for (const [lines, expected] of table) {
    assert.deepEqual(parse(...lines), { ...noCapabilities, ...expected }, lines.join('|'))
  }
  // The first line is the server's name, whatever it is.
  assert.deepEqual(parseCapabilities({ code: 250, text: ['PIPELINING'] }), noCapabilities)
  assert.deepEqual(parseCapabilities({ code: 250, text: [] }), noCapabilities)
  assert.equal(noCapabilities.auth.size, 0)
})

test('our announcement', () => {
  const lines = formatCapabilities({
    ...noCapabilities,
    pipelining: true,
    size: 26214400,
    eightBitMime: true,
    starttls: true,
    auth: new Set(['PLAIN', 'LOGIN']),
    limits: { rcptMax: 1000 },
  })
  assert.deepEqual(lines, [
    'PIPELINING',
    'SIZE 26214400',
    'STARTTLS',
    'AUTH PLAIN LOGIN',
    '8BITMIME',
    'LIMITS RCPTMAX=1000',
  ])
  assert.deepEqual(formatCapabilities(noCapabilities), [])
})

test('announce and parse are inverse', () => {
  const positive = fc.integer({ min: 1, max: 1_000_000 })
  const options = { requiredKeys: [] as [], noNullPrototype: true }
  const capabilities = fc.record(
    {
      pipelining: fc.boolean(),
      size: fc.nat(),
      eightBitMime: fc.boolean(),
      smtputf8: fc.boolean(),
      starttls: fc.boolean(),
      enhancedStatusCodes: fc.boolean(),
      chunking: fc.boolean(),
      dsn: fc.boolean(),
      requireTls: fc.boolean(),
      auth: fc.array(fc.constantFrom('PLAIN', 'LOGIN', 'SCRAM-SHA-256')).map((a) => new Set(a)),
      limits: fc.record({ rcptMax: positive, mailMax: positive, rcptDomainMax: positive }, options),
    },
    options,
  )
  fc.assert(
    fc.property(capabilities, (part) => {
      const whole: Capabilities = { ...noCapabilities, ...part }
      assert.deepEqual(parse(...formatCapabilities(whole)), whole)
    }),
  )
})
