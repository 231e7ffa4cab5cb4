import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { imageOf, translateContainer } from './choose.ts'
import type { Surroundings, Translation } from './draft.ts'

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string

type Case = {
  args?: string[]
  env?: Record<string, string>
  files?: Record<string, string>
  mounts?: string[]
  /** Options by path, in the translated tree. */
  tree?: Record<string, unknown>
  /** Names that must be among these lists, or patterns over `name: sentence`. */
  understood?: (string | RegExp)[]
  changed?: (string | RegExp)[]
  ignored?: (string | RegExp)[]
  wrong?: (string | RegExp)[]
}

function around(files: Readonly<Record<string, string>> = {}): Surroundings {
  return {
    read: (path) => files[path],
    list: (path) =>
      Object.keys(files)
        .filter((name) => name.startsWith(`${path}/`))
        .map((name) => name.slice(path.length + 1).split('/')[0]!),
    machineName: '3f2a1b0c',
    interfaces: ['172.17.0.2/16'],
    gateways: ['172.17.0.1'],
  }
}

function translate({ args = [], env = {}, files, mounts = [] }: Case): Translation {
  const input = { args, environment: env, mounts }
  const image = imageOf(input)
  assert.ok(image, 'nothing of an image is given')
  return translateContainer(image, input, around(files))
}

function at(tree: unknown, path: string): unknown {
  let node = tree
  for (const name of path.split(' ')) node = (node as Record<string, unknown> | undefined)?.[name]
  return node
}

function check(one: Case): void {
  const result = translate(one)
  for (const [path, value] of Object.entries(one.tree ?? {}))
    assert.deepEqual(at(result.tree, path), value, path)
  for (const list of ['understood', 'changed', 'ignored', 'wrong'] as const) {
    const lines = result[list].map((note) =>
      [
        note.name,
        'says' in note ? note.says.en : note.becomes,
        'example' in note ? note.example : '',
      ].join(': '),
    )
    for (const wanted of one[list] ?? [])
      assert.ok(
        lines.some((line) =>
          typeof wanted === 'string' ? line.startsWith(`${wanted}: `) : wanted.test(line),
        ),
        `${wanted} is not among ${list}: ${lines.join(' | ')}`,
      )
  }
  if (!one.wrong) assert.deepEqual(result.wrong, [])
}

const SEED = ['mydomain.ru', 'no-reply@N0replyuserP@ssw0rd']
const DKIM = '/etc/postfix/dkim/dkim.key'
const domain = ['mydomain.ru']

const versatile: Record<string, Case> = {
  'the guide’s own line': {
    args: SEED,
    env: { POSTFIX_RAW_CONFIG_SMTPD_USE_TLS: 'no' },
    files: { [DKIM]: pem },
    mounts: ['/var/spool/postfix', '/var/log', '/etc/postfix/dkim'],
    tree: {
      mode: 'live',
      hostname: 'mydomain.ru',
      'smtp port': 25,
      'smtp tls': 'none',
      'credentials no-reply password': 'N0replyuserP@ssw0rd',
      'domains mydomain.ru': { selector: 'mail', key: DKIM },
      data: '/var/spool/postfix/posthorn',
    },
    changed: [/argument 2: .*the image itself never made such users/, '/var/log', '172.17.0.1'],
  },
  'user:password, the password with @ and :': {
    args: ['mydomain.ru', 'app:p@ss:word', 'shop:x'],
    tree: { 'credentials app password': 'p@ss:word', 'credentials shop password': 'x' },
  },
  'a name with @ before the colon': {
    args: ['mydomain.ru', 'app@mydomain.ru:secret'],
    tree: { 'credentials app@mydomain.ru password': 'secret' },
  },
  'an argument that is neither': {
    args: ['mydomain.ru', 'nobody'],
    wrong: [/argument 2: .*no-reply:PASSWORD/],
  },
  'an empty password': { args: ['mydomain.ru', 'app:'], wrong: ['argument 2'] },
  'a name given twice': {
    args: ['mydomain.ru', 'app:one', 'app:two'],
    tree: { 'credentials app password': 'two' },
    changed: [/argument 3: app is given twice/],
  },
  'no domain': {
    env: { ALIASES: '', DISABLE_DKIM: '1' },
    wrong: [/arguments: .*mydomain\.ru no-reply:PASSWORD/],
  },
  'a domain that is none': { args: ['serve'], wrong: [/argument 1: "serve" is not a domain/] },
  ALIASES: {
    args: domain,
    env: { ALIASES: 'postmaster:root;root:me@example.org,app' },
    tree: { 'rewrite alias_entries': ['postmaster: root', 'root: me@example.org,app'] },
    changed: [/ALIASES: .* app goes to/],
  },
  'ALIASES that are none': {
    args: domain,
    env: { ALIASES: 'a=b' },
    wrong: [/ALIASES: "a=b".*ALIASES=/],
  },
  DISABLE_DKIM: {
    args: domain,
    env: { DISABLE_DKIM: '' },
    files: { [DKIM]: pem },
    tree: { 'domains mydomain.ru': { sign: false } },
  },
  'DKIM_CANONICALIZATION simple': {
    args: domain,
    env: { DKIM_CANONICALIZATION: 'simple' },
    changed: ['DKIM_CANONICALIZATION'],
  },
  'DKIM_CANONICALIZATION relaxed': {
    args: domain,
    env: { DKIM_CANONICALIZATION: 'relaxed' },
    understood: ['DKIM_CANONICALIZATION'],
  },
  'DKIM_CANONICALIZATION else': {
    args: domain,
    env: { DKIM_CANONICALIZATION: 'nice' },
    wrong: [/DKIM_CANONICALIZATION=relaxed/],
  },
  DKIM_SELECTOR: {
    args: domain,
    env: { DKIM_SELECTOR: 'myselector' },
    tree: { 'domains mydomain.ru selector': 'myselector' },
  },
  'DKIM_SELECTOR that is none': {
    args: domain,
    env: { DKIM_SELECTOR: 'a b' },
    wrong: [/DKIM_SELECTOR=mail/],
  },
  'a key file that is none': {
    args: domain,
    files: { [DKIM]: 'nonsense' },
    wrong: [/dkim\.key: not a private key/],
  },
  'no key file': { args: domain, changed: [DKIM] },
  'names in any case, the last setting wins': {
    args: domain,
    env: {
      POSTFIX_RAW_CONFIG_MyHostname: 'mx.mydomain.ru',
      POSTFIX_RAW_CONFIG_MESSAGE_SIZE_LIMIT: '5000000',
    },
    tree: { hostname: 'mx.mydomain.ru', 'limits message_size': 5000000 },
  },
  'a setting without a meaning': {
    args: domain,
    env: { POSTFIX_RAW_CONFIG_mydestination: 'localhost' },
    ignored: ['POSTFIX_RAW_CONFIG_mydestination'],
  },
  'mail in the spool': {
    args: domain,
    files: { '/var/spool/postfix/deferred/A/A1': '' },
    changed: [/import spool/],
  },
  'the gateway trusted': {
    args: domain,
    env: { POSTHORN_TRUST_GATEWAY: '1' },
    tree: { networks: ['127.0.0.0/8', '::1/128', '172.17.0.2/16'] },
  },
  'the gateway trusted perhaps': {
    args: domain,
    env: { POSTHORN_TRUST_GATEWAY: 'maybe' },
    wrong: ['POSTHORN_TRUST_GATEWAY'],
  },
}

const allowed = {
  ALLOWED_SENDER_DOMAINS: 'example.com example.org',
  POSTFIX_myhostname: 'mail.example.com',
}
const relay = {
  ...allowed,
  RELAYHOST: '[smtp.gmail.com]:587',
  RELAYHOST_USERNAME: 'me@example.com',
}
const token = {
  ...relay,
  XOAUTH2_CLIENT_ID: 'id',
  XOAUTH2_SECRET: 'secret',
  XOAUTH2_INITIAL_ACCESS_TOKEN: 'access',
  XOAUTH2_INITIAL_REFRESH_TOKEN: 'refresh',
}

const boky: Record<string, Case> = {
  ALLOWED_SENDER_DOMAINS: {
    env: allowed,
    tree: {
      mode: 'live',
      'smtp port': 587,
      'listeners port-25 port': 25,
      'domains example.org selector': 'mail',
    },
    changed: [/example\.com: a key is made/],
  },
  'ALLOWED_SENDER_DOMAINS that are none': {
    env: { ALLOWED_SENDER_DOMAINS: 'nonsense' },
    wrong: [/"nonsense" is not a domain/],
  },
  'nobody may send': { env: { RELAYHOST: 'mx.example.net' }, wrong: ['ALLOWED_SENDER_DOMAINS'] },
  ALLOW_EMPTY_SENDER_DOMAINS: {
    env: { ALLOW_EMPTY_SENDER_DOMAINS: 'true', POSTFIX_myhostname: 'mail.example.com' },
    tree: { senders: 'any' },
  },
  'no host name': {
    env: { ALLOWED_SENDER_DOMAINS: 'example.com' },
    tree: { hostname: 'example.com' },
    changed: ['hostname'],
  },
  TZ: { env: { ...allowed, TZ: 'Europe/Moscow' }, ignored: ['TZ'] },
  FORCE_COLOR: { env: { ...allowed, FORCE_COLOR: '1' }, ignored: ['FORCE_COLOR'] },
  INBOUND_DEBUGGING: {
    env: { ...allowed, INBOUND_DEBUGGING: '1' },
    tree: { 'log level': 'debug' },
  },
  AUTOSET_HOSTNAME: { env: { ...allowed, AUTOSET_HOSTNAME: '1' }, ignored: ['AUTOSET_HOSTNAME'] },
  AUTOSET_HOSTNAME_SERVICES: {
    env: { ...allowed, AUTOSET_HOSTNAME_SERVICES: 'https://ifconfig.co' },
    ignored: ['AUTOSET_HOSTNAME_SERVICES'],
  },
  'LOG_FORMAT json': { env: { ...allowed, LOG_FORMAT: 'json' }, tree: { 'log format': 'json' } },
  'LOG_FORMAT plain': {
    env: { ...allowed, LOG_FORMAT: 'plain' },
    tree: { 'log format': 'postfix' },
  },
  'LOG_FORMAT else': { env: { ...allowed, LOG_FORMAT: 'xml' }, wrong: [/LOG_FORMAT=json/] },
  ANONYMIZE_EMAILS: {
    env: { ...allowed, ANONYMIZE_EMAILS: 'smart' },
    tree: { 'log addresses': 'masked' },
  },
  'ANONYMIZE_EMAILS hash': {
    env: { ...allowed, ANONYMIZE_EMAILS: 'hash?salt=x' },
    tree: { 'log addresses': 'hidden' },
    changed: [/ANONYMIZE_EMAILS: no hashes/],
  },
  'ANONYMIZE_EMAILS else': {
    env: { ...allowed, ANONYMIZE_EMAILS: 'blur' },
    wrong: [/ANONYMIZE_EMAILS: "blur".*ANONYMIZE_EMAILS=smart/],
  },
  RELAYHOST: {
    env: { ...relay, RELAYHOST_PASSWORD: 'p@ss' },
    tree: {
      'relayhost host': 'smtp.gmail.com',
      'relayhost port': 587,
      'relayhost tls': 'opportunistic',
      'relayhost username': 'me@example.com',
      'relayhost password': 'p@ss',
    },
  },
  'RELAYHOST as host:port': {
    env: { ...allowed, RELAYHOST: 'mx.example.net:2525' },
    tree: { 'relayhost host': 'mx.example.net', 'relayhost port': 2525 },
    changed: [/its MX records are not asked/],
  },
  'RELAYHOST as [v6]:port': {
    env: { ...allowed, RELAYHOST: '[2001:db8::1]:25' },
    tree: { 'relayhost host': '2001:db8::1' },
  },
  'RELAYHOST that is none': {
    env: { ...allowed, RELAYHOST: 'smtp://mx' },
    wrong: [/RELAYHOST: .*\[smtp\.example\.net\]:587/],
  },
  SASL_RELAYHOST: {
    env: { ...relay, RELAYHOST_PASSWORD: 'x', SASL_RELAYHOST: 'smtp.gmail.com' },
    ignored: ['SASL_RELAYHOST'],
  },
  RELAYHOST_PASSWORD_FILE: {
    env: { ...relay, RELAYHOST_PASSWORD_FILE: '/run/secrets/relay' },
    files: { '/run/secrets/relay': 'from-file\n' },
    tree: { 'relayhost password': 'from-file' },
  },
  'RELAYHOST_PASSWORD_FILE that is not there': {
    env: { ...relay, RELAYHOST_PASSWORD_FILE: '/nowhere' },
    wrong: ['RELAYHOST_PASSWORD_FILE'],
  },
  'a password twice': {
    env: { ...relay, RELAYHOST_PASSWORD: 'a', RELAYHOST_PASSWORD_FILE: '/f' },
    wrong: [/both are given/],
  },
  'a name without a password': { env: relay, wrong: [/RELAYHOST_PASSWORD: is missing/] },
  RELAYHOST_TLS_LEVEL: {
    env: { ...allowed, RELAYHOST: '[a.example]', RELAYHOST_TLS_LEVEL: 'encrypt' },
    tree: { 'relayhost tls': 'required' },
    changed: ['RELAYHOST_TLS_LEVEL'],
  },
  'XOAUTH2_*': {
    env: { ...token, XOAUTH2_TOKEN_ENDPOINT: 'https://login.example/token' },
    tree: {
      'relayhost oauth': {
        client_id: 'id',
        client_secret: 'secret',
        access_token: 'access',
        refresh_token: 'refresh',
        endpoint: 'https://login.example/token',
      },
    },
  },
  'XOAUTH2_*_FILE': {
    env: {
      ...relay,
      XOAUTH2_CLIENT_ID_FILE: '/id',
      XOAUTH2_SECRET_FILE: '/secret',
      XOAUTH2_INITIAL_ACCESS_TOKEN_FILE: '/access',
      XOAUTH2_INITIAL_REFRESH_TOKEN_FILE: '/refresh',
    },
    files: { '/id': 'i', '/secret': 's', '/access': 'a', '/refresh': 'r' },
    tree: {
      'relayhost oauth client_id': 'i',
      'relayhost oauth client_secret': 's',
      'relayhost oauth access_token': 'a',
      'relayhost oauth refresh_token': 'r',
    },
  },
  'tokens that the image kept': {
    env: token,
    files: {
      '/var/spool/postfix/xoauth2-tokens/me@example.com':
        '{"access_token":"new","refresh_token":"newer","expiry":"0"}',
    },
    tree: { 'relayhost oauth access_token': 'new', 'relayhost oauth refresh_token': 'newer' },
  },
  XOAUTH2_SYSLOG_ON_FAILURE: {
    env: { ...token, XOAUTH2_SYSLOG_ON_FAILURE: 'yes' },
    ignored: ['XOAUTH2_SYSLOG_ON_FAILURE'],
  },
  XOAUTH2_FULL_TRACE: {
    env: { ...token, XOAUTH2_FULL_TRACE: 'yes' },
    ignored: ['XOAUTH2_FULL_TRACE'],
  },
  'XOAUTH2 without a refresh token': {
    env: { ...token, XOAUTH2_INITIAL_REFRESH_TOKEN: '' },
    wrong: ['XOAUTH2_INITIAL_REFRESH_TOKEN'],
  },
  'XOAUTH2 without a relay': { env: { ...allowed, XOAUTH2_CLIENT_ID: 'id' }, wrong: ['RELAYHOST'] },
  SMTPD_SASL_USERS: {
    env: { ...allowed, SMTPD_SASL_USERS: 'app:pa:ss,web@example.org:x' },
    tree: {
      credentials: {
        app: { password: 'pa:ss' },
        'app@example.com': { password: 'pa:ss' },
        'web@example.org': { password: 'x' },
      },
    },
  },
  'SMTPD_SASL_USERS that are none': {
    env: { ...allowed, SMTPD_SASL_USERS: 'app' },
    wrong: [/SMTPD_SASL_USERS=user:PASSWORD/],
  },
  'SMTP_HEADER_CHECKS=1': {
    env: { ...allowed, SMTP_HEADER_CHECKS: '1' },
    understood: ['SMTP_HEADER_CHECKS'],
    tree: { 'rewrite remove_headers': ['Received', 'X-Originating-IP', 'X-Mailer', 'User-Agent'] },
  },
  'SMTP_HEADER_CHECKS as a table': {
    env: { ...allowed, SMTP_HEADER_CHECKS: 'regexp:/checks' },
    files: { '/checks': '/^X-Mailer:/ IGNORE' },
    tree: { 'rewrite header_rules': '/checks' },
  },
  'SMTP_HEADER_CHECKS that is not there': {
    env: { ...allowed, SMTP_HEADER_CHECKS: 'regexp:/checks' },
    wrong: ['SMTP_HEADER_CHECKS'],
  },
  MASQUERADED_DOMAINS: {
    env: { ...allowed, MASQUERADED_DOMAINS: 'example.com' },
    tree: { 'rewrite masquerade': ['example.com'] },
  },
  POSTFIX_myhostname: {
    env: { ...allowed, POSTFIX_myhostname: 'mx.example.com' },
    tree: { hostname: 'mx.example.com' },
  },
  'POSTFIX_myhostname that is none': {
    env: { ...allowed, POSTFIX_myhostname: 'web-1' },
    wrong: [/POSTFIX_myhostname=mail\.example\.com/],
  },
  POSTFIX_mynetworks: {
    env: { ...allowed, POSTFIX_mynetworks: '127.0.0.0/8 [::1]/128,10.1.2.0/24' },
    tree: { networks: ['127.0.0.0/8', '::1/128', '10.1.2.0/24'] },
  },
  'POSTFIX_mynetworks that are none': {
    env: { ...allowed, POSTFIX_mynetworks: 'lan' },
    wrong: [/POSTFIX_mynetworks: .*POSTFIX_mynetworks=/],
  },
  MYNETWORKS: {
    env: { ...allowed, MYNETWORKS: '10.0.0.0/8' },
    tree: { networks: ['10.0.0.0/8'] },
    changed: ['MYNETWORKS'],
  },
  POSTFIX_message_size_limit: {
    env: { ...allowed, POSTFIX_message_size_limit: '0' },
    tree: { 'limits message_size': '1GiB' },
    changed: [/0 is unlimited/],
  },
  MESSAGE_SIZE_LIMIT: {
    env: { ...allowed, MESSAGE_SIZE_LIMIT: '1000000' },
    tree: { 'limits message_size': 1000000 },
  },
  POSTFIX_smtp_tls_security_level: {
    env: { ...allowed, RELAYHOST: '[a.example]', POSTFIX_smtp_tls_security_level: 'encrypt' },
    tree: { 'relayhost tls': 'required' },
    changed: ['POSTFIX_smtp_tls_security_level'],
  },
  'an empty POSTFIX_ value': {
    env: { ...allowed, POSTFIX_smtp_tls_security_level: '' },
    understood: ['POSTFIX_smtp_tls_security_level'],
  },
  'POSTFIX_MAIL_*': {
    env: { ...allowed, POSTFIX_MAIL_SERVICE_HOST: '10.0.0.1' },
    ignored: ['POSTFIX_MAIL_SERVICE_HOST'],
  },
  'any other POSTFIX_': {
    env: { ...allowed, POSTFIX_smtpd_junk_command_limit: '100' },
    ignored: ['POSTFIX_smtpd_junk_command_limit'],
  },
  DKIM_BACKEND: { env: { ...allowed, DKIM_BACKEND: 'opendkim' }, ignored: ['DKIM_BACKEND'] },
  DKIM_SELECTOR: {
    env: { ...allowed, DKIM_SELECTOR: 'foo,example.org=bar' },
    tree: { 'domains example.com selector': 'foo', 'domains example.org selector': 'bar' },
  },
  'DKIM_SELECTOR with a part that is none': {
    env: { ...allowed, DKIM_SELECTOR: 'foo,example.org=,=x' },
    wrong: [/DKIM_SELECTOR: "example.org=" /, /DKIM_SELECTOR: "=x" /],
  },
  DKIM_AUTOGENERATE: {
    env: { ...allowed, DKIM_AUTOGENERATE: '1' },
    changed: ['DKIM_AUTOGENERATE'],
  },
  'OPENDKIM_<opt>': {
    env: { ...allowed, OPENDKIM_Canonicalization: 'simple' },
    ignored: ['OPENDKIM_Canonicalization'],
  },
  'RSPAMD_<file>__<key>': {
    env: { ...allowed, RSPAMD_dkim_signing__use_esld: 'true' },
    ignored: ['RSPAMD_dkim_signing__use_esld'],
  },
  SKIP_ROOT_SPOOL_CHOWN: {
    env: { ...allowed, SKIP_ROOT_SPOOL_CHOWN: '1' },
    ignored: ['SKIP_ROOT_SPOOL_CHOWN'],
  },
  '/docker-init.d': {
    env: allowed,
    files: { '/docker-init.d/x.sh': '', '/docker-init.db/y.sh': '' },
    ignored: ['/docker-init.d/x.sh', '/docker-init.db/y.sh'],
  },
  'OpenDKIM’s key folder': {
    env: allowed,
    files: { '/etc/opendkim/keys/example.com.private': pem },
    tree: {
      'domains example.com': { selector: 'mail', key: '/etc/opendkim/keys/example.com.private' },
    },
  },
  'Rspamd’s key folder': {
    env: allowed,
    files: { '/var/lib/rspamd/dkim/example.com.s1.key': pem },
    tree: {
      'domains example.com': { selector: 's1', key: '/var/lib/rspamd/dkim/example.com.s1.key' },
    },
  },
}

const wader: Record<string, Case> = {
  'POSTFIX_ alone': {
    env: { POSTFIX_myhostname: 'smtp.example.com' },
    tree: { hostname: 'smtp.example.com', 'smtp port': 25, senders: 'any' },
  },
  OPENDKIM_DOMAINS: {
    env: { POSTFIX_myhostname: 'smtp.example.com', OPENDKIM_DOMAINS: 'example.com=s1 example.org' },
    files: { '/etc/opendkim/keys/example.com/s1.private': pem },
    tree: {
      'domains example.com': { selector: 's1', key: '/etc/opendkim/keys/example.com/s1.private' },
      'domains example.org selector': 'mail',
    },
  },
  'OPENDKIM_DOMAINS that are none': {
    env: { OPENDKIM_DOMAINS: 'x' },
    wrong: [/OPENDKIM_DOMAINS=example\.com=mail/],
  },
  'OPENDKIM_<opt>': {
    env: { OPENDKIM_DOMAINS: 'example.com', OPENDKIM_Mode: 's' },
    ignored: ['OPENDKIM_Mode'],
  },
  POSTFIXMASTER: {
    env: {
      OPENDKIM_DOMAINS: 'example.com',
      POSTFIXMASTER_submission__inet:
        'submission inet n - n - - smtpd -o smtpd_client_restrictions=permit_sasl_authenticated,reject',
    },
    tree: { 'listeners port-587 port': 587, 'listeners port-587 auth': 'required' },
  },
  'POSTFIXMASTER without a type': {
    env: { POSTFIXMASTER_submission: 'x', POSTFIX_myhostname: 'a.example' },
    wrong: ['POSTFIXMASTER_submission'],
  },
  POSTSRSD_SRS_DOMAIN: {
    env: { OPENDKIM_DOMAINS: 'example.com', POSTSRSD_SRS_DOMAIN: 'example.com' },
    ignored: ['POSTSRSD_SRS_DOMAIN'],
  },
  RSYSLOG: {
    env: { OPENDKIM_DOMAINS: 'example.com', RSYSLOG_LOG_TO_FILE: 'yes', RSYSLOG_TIMESTAMP: 'no' },
    ignored: ['RSYSLOG_LOG_TO_FILE', 'RSYSLOG_TIMESTAMP'],
  },
  POSTMASTER_ADDRESS: {
    env: { OPENDKIM_DOMAINS: 'example.com', POSTMASTER_ADDRESS: 'me@example.com' },
    ignored: ['POSTMASTER_ADDRESS'],
  },
}

for (const [image, cases] of Object.entries({
  'versatile-postfix': versatile,
  'boky/postfix': boky,
  'wader/postfix-relay': wader,
}))
  describe(image, () => {
    for (const [name, one] of Object.entries(cases))
      test(name, () => {
        assert.equal(
          imageOf({ args: one.args ?? [], environment: one.env ?? {}, mounts: [] }),
          image,
        )
        check(one)
      })
  })

test('nothing of an image’s is given', () => {
  const environment = {
    PATH: '/bin',
    POSTHORN_MODE: 'live',
    POSTFIX_PORT_25_TCP: 'tcp://10.0.0.1:25',
  }
  assert.equal(imageOf({ args: [], environment, mounts: [] }), undefined)
})

test('a gateway is cut out of its network, and nothing else is', () => {
  const { tree } = translate({ args: ['mydomain.ru'] })
  const networks = tree.networks as string[]
  const size = networks
    .filter((one) => one.startsWith('172.'))
    .reduce((sum, one) => sum + 2 ** (32 - Number(one.split('/')[1])), 0)
  assert.equal(size, 65_535)
  assert.ok(!networks.some((one) => one.startsWith('172.17.0.1/')))
})
