// What people bring when they move: the files of both well-known tutorials, of the images that many
// run, and the slips that happen on the way. Files are in memory, keys are real.

import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseKeyTable, parseSigningTable } from './opendkim.ts'
import { type FileSource, recognise } from './recognise.ts'
import { parseRecordFile } from './record-file.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
const ed25519 = generateKeyPairSync('ed25519').privateKey
const pem = (key: KeyObject, type: 'pkcs1' | 'pkcs8' = 'pkcs8') =>
  String(key.export({ type, format: 'pem' }))
const p = (key: KeyObject) =>
  createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64')

/** As opendkim-genkey prints it. */
const genkey = (selector: string, domain: string, key: KeyObject) =>
  `${selector}._domainkey\tIN\tTXT\t( "v=DKIM1; h=sha256; k=rsa; "\n` +
  `\t  "p=${p(key).slice(0, 240)}"\n\t  "${p(key).slice(240)}" )  ; ----- DKIM key ${selector} for ${domain}\n`

type Entry = string | { readonly text: string; readonly mode: number }

function filesOf(entries: Readonly<Record<string, Entry>>): FileSource {
  const names = Object.keys(entries)
  return {
    kind: async (path) =>
      path in entries
        ? 'file'
        : names.some((name) => name.startsWith(`${path}/`))
          ? 'folder'
          : 'none',
    list: async (folder) => [
      ...new Set(
        names
          .filter((name) => name.startsWith(`${folder}/`))
          .map((name) => name.slice(folder.length + 1).split('/')[0]!),
      ),
    ],
    async read(path) {
      const entry = entries[path]
      if (entry === undefined) return { kind: 'fault', code: 'ENOENT' }
      return typeof entry === 'string'
        ? { kind: 'text', text: entry, mode: 0o600 }
        : { kind: 'text', ...entry }
    },
  }
}

async function look(path: string, entries: Readonly<Record<string, Entry>>) {
  const { form, keys, remarks } = await recognise(path, filesOf(entries))
  return {
    form,
    keys: keys.map(({ domain, selector, bits, flags }) =>
      [selector, domain ?? '?', bits, ...flags].join(' '),
    ),
    remarks: remarks.map(({ code, found }) => (found ? `${code} ${found}` : code)),
  }
}

test('the tutorial with the image: dkim.key, and the record as it is printed there', async () => {
  const files = {
    '/dkim/dkim.key': pem(weak, 'pkcs1'),
    '/dkim/dkim.public': `myselector._domainkey.mydomain.ru. TXT "v=DKIM1\\; k=rsa\\; t=s\\; p=${p(weak)}"\n`,
  }
  const expected = {
    form: 'folder',
    keys: ['myselector mydomain.ru 1024 s'],
    remarks: ['weak 1024'],
  }
  assert.deepEqual(await look('/dkim', files), expected)
  const form = 'key'
  assert.deepEqual(await look('/dkim/dkim.key', files), { ...expected, form })
  assert.deepEqual(await look('/dkim/dkim.public', files), { ...expected, form })
})

test('the same image, when it made the key itself', async () => {
  const files = {
    '/dkim/dkim.key': pem(rsa),
    '/dkim/dkim.public': genkey('mail', 'mydomain.ru', rsa),
  }
  assert.deepEqual((await look('/dkim', files)).keys, ['mail mydomain.ru 2048'])
})

test('only dkim.key, or dkim.public as the PEM that the tutorial makes: the domain is not known', async () => {
  const publicPem = String(createPublicKey(rsa).export({ type: 'spki', format: 'pem' }))
  for (const files of [
    { '/dkim/dkim.key': pem(rsa) },
    { '/dkim/dkim.key': pem(rsa), '/dkim/dkim.public': publicPem },
  ]) {
    const found = await look('/dkim', files)
    assert.deepEqual(found.keys, ['mail ? 2048'])
    assert.deepEqual(found.remarks, ['selector-assumed mail'])
  }
})

const SECOND = {
  '/etc/opendkim/mail.private': { text: pem(rsa), mode: 0o640 },
  '/etc/opendkim/mail.txt': genkey('mail', 'example.com', rsa),
  '/etc/opendkim/keytable':
    '# ключ домен:селектор:/путь/до/ключа\nmail._domainkey.example.com example.com:mail:/etc/opendkim/mail.private\n',
  '/etc/opendkim/signingtable': '# домен ключ\nexample.com    mail._domainkey.example.com\n',
  '/etc/opendkim.conf':
    'Canonicalization relaxed/relaxed\nSyslogSuccess yes\nRequireSafeKeys false\n' +
    'KeyTable file:/etc/opendkim/keytable\nSigningTable file:/etc/opendkim/signingtable\nX-Header yes\n',
}

test('the tutorial with OpenDKIM, from whichever of its files one begins', async () => {
  const expected = { form: 'opendkim', keys: ['mail example.com 2048'], remarks: [] }
  for (const path of [
    '/etc/opendkim.conf',
    '/etc/opendkim',
    '/etc/opendkim/keytable',
    '/etc/opendkim/signingtable',
  ])
    assert.deepEqual(await look(path, SECOND), expected, path)
  for (const path of ['/etc/opendkim/mail.private', '/etc/opendkim/mail.txt'])
    assert.deepEqual(await look(path, SECOND), { ...expected, form: 'key' }, path)
})

test('the same folder in a container, where its absolute paths lead nowhere', async () => {
  const moved = Object.fromEntries(
    Object.entries(SECOND).map(([path, entry]) => [
      path.replace('/etc/opendkim/', '/mnt/old/'),
      entry,
    ]),
  )
  assert.deepEqual((await look('/mnt/old', moved)).keys, ['mail example.com 2048'])
})

test('opendkim-genkey as the tutorial calls it: the selector is the host name, dots and all', async () => {
  const files = {
    '/k/mail.example.com.private': pem(rsa),
    '/k/mail.example.com.txt': genkey('mail.example.com', 'example.com', rsa),
  }
  assert.deepEqual((await look('/k', files)).keys, ['mail.example.com example.com 2048'])
})

test('refile tables: patterns, subdomains, several keys, and what cannot be had here', async () => {
  const files = {
    '/o/KeyTable':
      'a example.com:mail:/o/keys/example.com/mail.private\n' +
      'b example.net:s2:/o/keys/example.net/s2.private\n' +
      'pct %:all:/o/keys/%/all.private\n' +
      'unused example.org:x:/o/keys/x.private\n' +
      'garbage\n',
    '/o/SigningTable':
      '*@example.com a\n*@*.example.com a\nnews@example.net b\n*@shop.example pct\n' +
      '*@other.example a\n*@example.com lost\n',
    '/o/keys/example.com/mail.private': pem(rsa),
    '/o/keys/example.net/s2.private': pem(weak),
    '/o/keys/shop.example/all.private': pem(ed25519),
  }
  const found = await look('/o', files)
  assert.deepEqual(found.keys, [
    'mail example.com 2048',
    's2 example.net 1024',
    'all shop.example 256',
  ])
  assert.deepEqual(found.remarks, [
    'odd-line garbage',
    'some-addresses news@example.net b',
    'other-domain other.example → d=example.com',
    'no-such-name lost',
    'weak 1024',
    'not-used unused',
  ])
})

test('keys inside the table, and databases that are not read', async () => {
  const der = rsa.export({ type: 'pkcs1', format: 'der' }).toString('base64')
  const table = { '/o/KeyTable': `a example.com:mail:${der}\n` }
  assert.deepEqual((await look('/o/KeyTable', table)).keys, ['mail example.com 2048'])
  const conf = 'KeyTable dsn:mysql://u:p@h/db\nCanonicalization simple\n'
  const found = await look('/c/opendkim.conf', { '/c/opendkim.conf': conf })
  assert.deepEqual(found.remarks, ['canonicalization simple', 'database dsn:mysql://u:p@h/db'])
})

test('opendkim.conf for one domain', async () => {
  const files = {
    '/etc/opendkim.conf':
      'Domain example.com\nSelector 2026 # this year\nKeyFile /etc/dkimkeys/k\nCanonicalization relaxed/simple\n',
    '/etc/dkimkeys/k': pem(rsa),
  }
  const found = await look('/etc/opendkim.conf', files)
  assert.deepEqual(found.keys, ['2026 example.com 2048'])
  assert.deepEqual(found.remarks, ['canonicalization relaxed/simple'])
})

test('folders of images: a file a domain, a folder a domain, Rspamd, our own', async () => {
  const secret = ed25519.export({ format: 'jwk' })
  const octets = ['d', 'x'].map((part) => Buffer.from(secret[part as 'd']!, 'base64url'))
  const files = {
    '/keys/a.example.private': pem(rsa),
    '/keys/a.example.txt': genkey('mail', 'a.example', rsa),
    '/keys/b.example/s1.private': pem(rsa),
    '/keys/c.example.mail.key': Buffer.concat(octets).toString('base64'),
    '/keys/d.example.p2511.pem': pem(rsa),
    '/keys/cert.pem': '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
  }
  const found = await look('/keys', files)
  assert.deepEqual(found.keys.toSorted(), [
    'mail a.example 2048',
    'mail c.example 256',
    'p2511 d.example 2048',
    's1 b.example 2048',
  ])
  assert.deepEqual(found.remarks, [])
})

test('slips are named', async () => {
  const locked = rsa.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-128-cbc',
    passphrase: 'x',
  })
  const long = generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey
  const table: [string, Readonly<Record<string, Entry>>, string][] = [
    ['a passphrase', { '/k': String(locked) }, 'bad-key'],
    ['too short', { '/k': pem(long) }, 'bad-key 512'],
    ['cut', { '/k': pem(rsa).slice(0, 300) }, 'bad-key'],
    ['of OpenSSH', { '/k': '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n' }, 'bad-key'],
    ['open to others', { '/k': { text: pem(rsa), mode: 0o644 } }, 'open-to-others'],
    ['not there', {}, 'unreadable ENOENT'],
    ['an empty folder', { '/k/readme': 'hello' }, 'nothing'],
  ]
  for (const [name, files, expected] of table)
    assert.equal((await look('/k', files)).remarks[0], expected, name)
  const other = { '/k/mail.private': pem(rsa), '/k/mail.txt': genkey('old', 'example.com', weak) }
  assert.deepEqual(await look('/k/mail.private', other), {
    form: 'key',
    keys: ['mail ? 2048'],
    remarks: ['record-of-another-key mail.private'],
  })
})

test('any text is looked at without a throw', async () => {
  const piece = fc.constantFrom(
    'a:b:c',
    ' ',
    '\n',
    '"',
    'p=',
    '%',
    '*@',
    '\\',
    '(',
    'x._domainkey ',
    '#',
  )
  const text = fc.array(fc.oneof(piece, fc.string({ maxLength: 8 })), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(text, async (parts) => {
      const whole = parts.join('')
      parseKeyTable(whole)
      parseSigningTable(whole)
      parseRecordFile(whole)
      await look('/f/KeyTable', { '/f/KeyTable': whole, '/f/SigningTable': whole })
      await look('/f/x.private', { '/f/x.private': whole, '/f/x.txt': whole })
    }),
    { numRuns: 300 },
  )
})
