import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Surroundings } from './draft.ts'
import { expander, parseMainCf } from './main-cf.ts'
import { translatePostfix } from './postfix.ts'
import { parseQueueFile } from './queue-file.ts'

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string

const around = (files: Readonly<Record<string, string>>): Surroundings => ({
  read: (path) => files[path] ?? files[path.replace('/etc/postfix/../', '/etc/')],
  list: () => [],
  machineName: 'mail.example.com',
  interfaces: [],
  gateways: [],
})

function translate(main: string, more: Readonly<Record<string, string>> = {}) {
  return translatePostfix('/etc/postfix', around({ '/etc/postfix/main.cf': main, ...more }))
}

test('references, continuations and comments of main.cf', () => {
  const text = `
myhostname = mx.$mydomain
mydomain = example.com
# a comment
list = one,
  # inside
  two
mode = \${flag?yes}
other = \${flag?{yes}:{no}}
set = \${mydomain?{have $mydomain}:{none}}
unset = \${nothing:fallback}
money = $$5
loop = $loop
`
  const { settings, odd } = parseMainCf(text, 'main.cf')
  const expand = expander(settings, 'web-1')
  const value = (name: string) => expand(settings.get(name)!.value)
  assert.deepEqual(odd, [])
  assert.equal(value('myhostname'), 'mx.example.com')
  assert.equal(value('list'), 'one, two')
  assert.equal(value('mode'), '')
  assert.equal(value('other'), 'no')
  assert.equal(value('set'), 'have example.com')
  assert.equal(value('unset'), 'fallback')
  assert.equal(value('money'), '$5')
  assert.ok(value('loop').length < 100)
  assert.equal(expand('$myorigin'), 'mx.example.com')
})

test('nothing that main.cf may hold breaks or hangs the translation', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom('${', '}', '$', 'relayhost = ', '\n', ' ', '[', ':', 'a = $b', 'b = $a$a$a$a'),
  )
  fc.assert(
    fc.property(fc.array(piece), (parts) => void translate(parts.join(''))),
    { numRuns: 300 },
  )
  fc.assert(fc.property(fc.uint8Array(), (octets) => void parseQueueFile(Buffer.from(octets))))
})

describe('a folder of Postfix', () => {
  test('a relay with its password from the source of the map', () => {
    const { tree, wrong } = translate(
      `relayhost = [smtp.example.net]:587
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd
smtp_tls_security_level = encrypt
transport_maps = texthash:/etc/postfix/transport`,
      {
        '/etc/postfix/sasl_passwd': '# ours\n[smtp.example.net]:587 me:pa:ss\n',
        '/etc/postfix/transport': 'example.org smtp:[10.0.0.25]:26\nodd lmtp:unix:x\n',
      },
    )
    assert.deepEqual(wrong, [])
    const relay = {
      host: 'smtp.example.net',
      port: 587,
      tls: 'required',
      username: 'me',
      password: 'pa:ss',
    }
    assert.deepEqual(tree.relayhost, relay)
    assert.deepEqual(tree.routes, {
      'example.org': { host: '10.0.0.25', port: 26, tls: 'required' },
    })
  })

  test('a compiled map alone will not do, and the sentence says what will', () => {
    const { wrong } = translate(
      'relayhost = a.example\nsmtp_sasl_password_maps = lmdb:/etc/postfix/sasl_passwd',
    )
    assert.match(
      `${wrong[0]!.name} ${wrong[0]!.says.en}`,
      /main\.cf:2 .*source \/etc\/postfix\/sasl_passwd/,
    )
  })

  test('listeners of master.cf with their overrides', () => {
    const { tree, ignored } = translate('smtpd_tls_cert_file = /c.pem', {
      '/etc/postfix/master.cf': `smtp inet n - y - - smtpd
submission inet n - y - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o { smtpd_relay_restrictions = permit_sasl_authenticated, reject }
  -o smtpd_delay_open_until_valid_rcpt=no
smtps inet n - y - - smtpd -o smtpd_tls_wrappermode=yes
pickup unix n - y 60 1 pickup
`,
    })
    assert.deepEqual(tree.smtp, { address: '0.0.0.0', port: 25 })
    assert.deepEqual(tree.listeners, {
      'port-587': { address: '0.0.0.0', port: 587, tls: 'starttls', auth: 'required' },
      'port-465': { address: '0.0.0.0', port: 465, tls: 'implicit' },
    })
    assert.ok(ignored.some(({ says }) => says.en.includes('smtpd_delay_open_until_valid_rcpt')))
  })

  test('who may send, and how addresses change', () => {
    const { tree, ignored } = translate(
      `smtpd_relay_restrictions = permit_sasl_authenticated, reject_rbl_client zen.example, reject
canonical_maps = regexp:/etc/postfix/canonical
always_bcc = archive@example.com
alias_maps = hash:/etc/aliases
virtual_alias_maps = hash:/etc/postfix/virtual
myorigin = /etc/mailname`,
      {
        '/etc/postfix/canonical': '/x/ y',
        '/etc/aliases': 'root: me@example.com',
        '/etc/mailname': 'example.com\n',
        '/etc/postfix/virtual': 'info@example.com me@example.com',
      },
    )
    assert.equal((tree.smtp as { auth: string }).auth, 'required')
    assert.deepEqual(tree.rewrite, {
      canonical: 'regexp:/etc/postfix/canonical',
      always_bcc: ['archive@example.com'],
      aliases: ['/etc/aliases'],
      local_domain: 'example.com',
      virtual_aliases: '/etc/postfix/virtual',
    })
    assert.ok(ignored.some(({ says }) => says.en.includes('reject_rbl_client')))
  })

  test('OpenDKIM’s tables, and what is wrong in them', () => {
    const conf =
      'KeyTable refile:/etc/opendkim/KeyTable\nSigningTable refile:/etc/opendkim/SigningTable\n'
    const good = translate('', {
      '/etc/opendkim.conf': conf,
      '/etc/opendkim/KeyTable': 's1 example.com:s1:/keys/a.private\n',
      '/etc/opendkim/SigningTable': '*@example.com s1\n*@shop.example.com s1\n',
      '/keys/a.private': pem,
    })
    assert.deepEqual(good.wrong, [])
    assert.deepEqual(good.tree.domains, {
      'example.com': { selector: 's1', key: '/keys/a.private' },
    })
    const bad = translate('', {
      '/etc/opendkim.conf': conf,
      '/etc/opendkim/KeyTable': 's1 example.com:s1\n',
      '/etc/opendkim/SigningTable': 'example.com nobody\n',
    })
    assert.deepEqual(
      bad.wrong.map(({ name }) => name),
      ['/etc/opendkim/KeyTable:1', '/etc/opendkim/SigningTable:1'],
    )
  })

  test('lines that are no settings, values that are none', () => {
    const { wrong } = translate('nonsense\nmessage_size_limit = big\ninet_protocols = ipv5\n')
    assert.deepEqual(
      wrong.map(({ name }) => name),
      ['main.cf:1', 'main.cf:2 message_size_limit', 'main.cf:3 inet_protocols'],
    )
  })
})
