import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { temporaryFolder } from '../../test/support/tools.ts'
import {
  certificateRequest,
  issueCertificate,
  makeAuthority,
  selfSignedCertificate,
} from '../std/certificate.ts'
import { type Clock, systemClock } from '../std/clock.ts'
import { examine, type ReadFiles } from './examine.ts'
import { describeFault, type FaultCode } from './fault.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')
const DAY = 86_400_000
const at = (days: number): Clock => ({ ...systemClock, now: () => NOW + days * DAY })
const root = makeAuthority('Root', at(0), { days: 3650 })
const good = issueCertificate(root, ['mail.example.com', '*.example.net'], {
  clock: at(0),
  days: 90,
})
const other = issueCertificate(root, ['other.example'], { clock: at(0), days: 90 })
const derOf = (pem: string) => new X509Certificate(pem).raw
const encrypted = createPrivateKey(good.key).export({
  format: 'pem',
  type: 'pkcs8',
  cipher: 'aes-256-cbc',
  passphrase: 'x',
}) as string

function files(parts: {
  readonly certificate: string | Uint8Array
  readonly key?: string | Uint8Array
  readonly chain?: string
}): ReadFiles {
  const file = (path: string, content: string | Uint8Array) => ({
    path,
    content: Buffer.from(content),
  })
  return {
    certificate: file('cert.pem', parts.certificate),
    ...(parts.key !== undefined && { key: file('key.pem', parts.key) }),
    ...(parts.chain !== undefined && { chain: file('chain.pem', parts.chain) }),
  }
}

const look = (read: ReadFiles, host = 'mail.example.com', roots: readonly string[] = ['CN=Root']) =>
  examine(read, { now: NOW, host, roots: () => new Set(roots) })

const signed = (days: number, life: number) =>
  issueCertificate(root, ['mail.example.com'], { clock: at(days), days: life })

/** What the files hold; the codes, and a piece of what is said. */
const table: readonly [string, ReadFiles, readonly FaultCode[], RegExp][] = [
  ['whole', files({ certificate: good.cert, key: good.key }), [], /^$/],
  ['in one file', files({ certificate: good.key + good.cert }), [], /^$/],
  [
    'with its chain apart, as cert.pem and chain.pem',
    files({ certificate: good.cert, key: good.key, chain: root.cert }),
    [],
    /^$/,
  ],
  [
    'with text around, as openssl writes it',
    files({ certificate: `Certificate:\n ...\n${good.cert}`, key: good.key }),
    [],
    /^$/,
  ],
  [
    'expired',
    files({ certificate: signed(-100, 90).cert, key: '' }),
    ['WRONG_TYPE'],
    /key\.pem: it holds nothing that is PEM, where a private key is wanted/,
  ],
  [
    'a key of another',
    files({ certificate: good.cert, key: other.key }),
    ['KEY_MISMATCH'],
    /cert\.pem: the certificate \(CN=mail\.example\.com\) is not for the key in key\.pem/,
  ],
  [
    'an encrypted key',
    files({ certificate: good.cert, key: encrypted }),
    ['KEY_ENCRYPTED'],
    /passphrase\. Write it without one: openssl pkey/,
  ],
  ['no key', files({ certificate: good.cert }), ['KEY_MISSING'], /no private key in it/],
  [
    'swapped',
    files({ certificate: good.key, key: good.cert }),
    ['WRONG_TYPE', 'WRONG_TYPE'],
    /cert\.pem: it holds only a private key, where a certificate is wanted/,
  ],
  [
    'DER',
    files({ certificate: derOf(good.cert), key: good.key }),
    ['WRONG_TYPE'],
    /in DER.*openssl x509 -inform der/,
  ],
  [
    'a request',
    files({ certificate: certificateRequest(['a.example']).request, key: good.key }),
    ['WRONG_TYPE'],
    /a certificate request \(CSR\)/,
  ],
  [
    'cut off',
    files({ certificate: good.cert.replace(/(.{60})\n.*\n(-----END)/, '$1\n$2'), key: good.key }),
    ['MALFORMED'],
    /damaged/,
  ],
  [
    'a key that is damaged',
    files({ certificate: good.cert, key: good.key.replace(/M[^\n]{20}/, 'M') }),
    ['MALFORMED'],
    /the key in it is damaged/,
  ],
  [
    'the chain before the host’s own',
    files({ certificate: root.cert + good.cert, key: good.key }),
    ['CHAIN_ORDER'],
    /we send them in the right one/,
  ],
  [
    'a stranger in the chain',
    files({ certificate: good.cert + other.cert, key: good.key }),
    ['CHAIN_FOREIGN'],
    /CN=other\.example/,
  ],
  [
    'no alternative name for us',
    files({ certificate: other.cert, key: other.key }),
    ['NOT_FOR_HOST'],
    /does not name mail\.example\.com, only other\.example/,
  ],
]

for (const [title, read, codes, says] of table)
  test(`a certificate: ${title}`, () => {
    const { faults } = look(read)
    assert.deepEqual(
      faults.map(({ code }) => code),
      codes,
    )
    const [first] = faults
    assert.match(first ? describeFault(first) : '', says)
    for (const { says, mend } of faults) assert.match(says.ru + mend.ru, /[а-я]/)
  })

test('dates are those of our clock', () => {
  const codesOf = (days: number, life: number) => {
    const { cert, key } = signed(days, life)
    return look(files({ certificate: cert, key })).faults.map(describeFault)
  }
  assert.match(codesOf(-100, 90)[0] ?? '', /it expired on 2026-11-11 12:00 UTC/)
  assert.match(codesOf(-80, 90)[0] ?? '', /it expires on 2026-12-01 12:00 UTC, in 10 days/)
  assert.match(
    codesOf(5, 90)[0] ?? '',
    /valid only from 2026-11-25 12:00 UTC; the clock here says 2026-11-21 12:00 UTC/,
  )
  assert.deepEqual(codesOf(-50, 90), [])
})

test('a wildcard is for one label, and a lone leaf of an unknown authority is incomplete', () => {
  const read = files({ certificate: good.cert, key: good.key })
  assert.deepEqual(look(read, 'a.example.net').faults, [])
  assert.equal(look(read, 'a.b.example.net').faults[0]?.code, 'NOT_FOR_HOST')
  assert.equal(look(read, 'mail.example.com', []).faults[0]?.code, 'CHAIN_INCOMPLETE')
  const self = selfSignedCertificate(['mail.example.com'], at(0))
  const { found, faults } = look(
    files({ certificate: self.cert, key: self.key }),
    'mail.example.com',
    [],
  )
  assert.deepEqual([found?.selfSigned, faults], [true, []])
})

test('the leaf is found by its key, and the chain is sent in order', () => {
  const { found } = look(files({ certificate: root.cert + other.cert + good.cert, key: good.key }))
  assert.equal(found?.pair.chain, `${good.cert}${root.cert}`)
  assert.deepEqual(found?.names, ['mail.example.com', '*.example.net'])
  assert.equal(found?.keyType, 'ECDSA P-256')
})

const skip = spawnSync('openssl', ['version']).status !== 0 && 'needs openssl'
test('weak keys and old signatures are named', { skip }, () => {
  using folder = temporaryFolder()
  const [key, cert] = [join(folder.path, 'k.pem'), join(folder.path, 'c.pem')]
  const made = (...more: string[]) => {
    const { status, stderr } = spawnSync('openssl', [
      ...['req', '-x509', '-nodes', '-keyout', key, '-out', cert, '-days', '300', '-subj', '/CN=a'],
      ...['-addext', 'subjectAltName=DNS:mail.example.com', ...more],
    ])
    assert.equal(status, 0, String(stderr))
    const read = files({ certificate: readFileSync(cert), key: readFileSync(key) })
    return look(read).faults.map(describeFault)
  }
  assert.match(made('-newkey', 'rsa:1024').join(), /too weak: RSA 1024/)
  assert.match(made('-newkey', 'ed25519').join(), /few mail clients know keys of the type ed25519/)
  assert.match(
    made('-newkey', 'rsa:2048', '-addext', 'extendedKeyUsage=clientAuth').join(),
    /does not allow servers/,
  )
})

test('whatever lies in the files, there is an answer', () => {
  const piece = fc.constantFrom(
    good.cert,
    good.key,
    encrypted,
    root.cert,
    other.key,
    '-----BEGIN CERTIFICATE-----\n',
    '\0',
  )
  const text = fc.array(fc.oneof(piece, fc.string())).map((parts) => parts.join(''))
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    text.map((one) => Buffer.from(one)),
  )
  fc.assert(
    fc.property(octets, octets, (certificate, key) => {
      const { found, faults } = look(files({ certificate, key }))
      return found !== undefined || faults.length > 0
    }),
    { numRuns: 200 },
  )
})
