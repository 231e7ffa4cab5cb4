import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { formatFault } from './faults.ts'
import { type Loaded, loadConfig } from './load.ts'

const folder = mkdtempSync(join(tmpdir(), 'posthorn-config-'))
after(() => rmSync(folder, { recursive: true }))

type Given = {
  yaml?: string
  environment?: Record<string, string>
  flags?: Record<string, string>
  machineName?: string
}

function load(given: Given): Loaded {
  const file = join(folder, 'posthorn.yaml')
  if (given.yaml === undefined) rmSync(file, { force: true })
  else writeFileSync(file, given.yaml)
  return loadConfig({
    environment: given.environment ?? {},
    ...(given.flags ? { flags: given.flags } : {}),
    workingDirectory: folder,
    machineName: given.machineName ?? 'web-1',
  })
}

function faults(given: Given): string[] {
  return load(given).faults.map((fault) => formatFault(fault, 'en'))
}

function good(given: Given) {
  const loaded = load(given)
  assert.deepEqual(loaded.faults, [])
  return loaded.config!
}

test('without any configuration it is a sandbox on loopback', () => {
  const config = good({})
  assert.equal(config.mode, 'sandbox')
  assert.equal(config.hostname, 'mail.example.test')
  assert.equal(config.data, join(folder, 'data'))
  assert.deepEqual(config.smtp, {
    address: '127.0.0.1',
    port: 2525,
    tls: 'none',
    auth: 'optional',
    authWithoutTls: null,
    proxyProtocol: [],
    xclientNetworks: [],
  })
  assert.equal(config.http.port, 8025)
  assert.equal(config.limits.messageSizeBytes, 25 * 1024 * 1024)
  assert.equal(config.retry.firstMs, 60_000)
  assert.equal(config.relayhost, null)
})

test('flags win over the environment, and the environment over the file', () => {
  const yaml = 'http: { port: 1 }\nsmtp: { port: 1, address: 0.0.0.0 }\nretry: { first: 1m }'
  const environment = { POSTHORN_HTTP_PORT: '2', POSTHORN_SMTP_PORT: '2' }
  const config = good({ yaml, environment, flags: { 'smtp.port': '3' } })
  assert.deepEqual(
    [config.http.port, config.smtp.port, config.smtp.address, config.retry.firstMs],
    [2, 3, '0.0.0.0', 60_000],
  )
})

const places: [title: string, given: Given, expected: string[]][] = [
  [
    'an unknown option, with its line and a suggestion',
    { yaml: 'http:\n  prot: 8025' },
    ['posthorn.yaml:2:3  http.prot: unknown option. Did you mean http.port?'],
  ],
  [
    'an option of another section',
    { yaml: 'port: 25' },
    ['posthorn.yaml:1:1  port: unknown option. Did you mean http.port?'],
  ],
  [
    'a misspelt word',
    { yaml: 'mode: lve' },
    ['posthorn.yaml:1:7  mode: expected one of sandbox | live, found "lve". Did you mean live?'],
  ],
  [
    'a number without a unit',
    { yaml: 'retry:\n  first: 300' },
    ['posthorn.yaml:2:10  retry.first: expected a duration such as 30s, 5m or 3d, found "300"'],
  ],
  [
    'a required option',
    { yaml: 'listeners:\n  extra: { address: 0.0.0.0 }' },
    ['posthorn.yaml:2:3  listeners.extra.port: must be given'],
  ],
  [
    'what is not a group',
    { yaml: 'delivery: fast' },
    ['posthorn.yaml:1:11  delivery: expected a group of options, found "fast"'],
  ],
  [
    'a duplicate key',
    { yaml: 'mode: live\nmode: live' },
    ['posthorn.yaml:2:1  not YAML: Map keys must be unique'],
  ],
  [
    'a map for a key',
    { yaml: `${'? '.repeat(300)}x` },
    ['posthorn.yaml:1:1  a configuration file is a list of "option: value" lines, at most 1 MiB'],
  ],
  [
    'octets where options should be',
    { yaml: 'limits: !!binary ul' },
    ['posthorn.yaml:1:18  limits: expected a group of options, found "ul"'],
  ],
  [
    'octets, as YAML 1.1 knows them',
    { yaml: '%YAML 1.1\n---\n!!binary ul' },
    ['posthorn.yaml:1:1  a configuration file is a list of "option: value" lines, at most 1 MiB'],
  ],
  [
    'a domain that is none',
    { yaml: 'domains:\n  bad..name: {}' },
    ['posthorn.yaml:2:3  domains.bad..name: "bad..name" is not a domain name'],
  ],
  [
    'a variable',
    { environment: { POSTHORN_SMTP_PORT: 'high' } },
    ['POSTHORN_SMTP_PORT  smtp.port: expected a whole number from 0 to 65535, found "high"'],
  ],
  [
    'an unknown variable',
    { environment: { POSTHORN_HTTP_PROT: '80' } },
    ['POSTHORN_HTTP_PROT  unknown variable. Did you mean POSTHORN_HTTP_PORT?'],
  ],
  [
    'a flag',
    { flags: { 'delivery.protocol': 'ipv5' } },
    [
      '--delivery-protocol  delivery.protocol: expected one of ipv4 | ipv6 | both, found "ipv5". Did you mean ipv4?',
    ],
  ],
  [
    'a secret given twice',
    {
      environment: {
        POSTHORN_RELAYHOST: 'smtp.example.net',
        POSTHORN_RELAYHOST_USERNAME: 'me',
        POSTHORN_RELAYHOST_PASSWORD: 'a',
        POSTHORN_RELAYHOST_PASSWORD_FILE: '/nowhere',
      },
    },
    [
      'POSTHORN_RELAYHOST_PASSWORD, POSTHORN_RELAYHOST_PASSWORD_FILE  relayhost.password: both are set. Keep one of them',
    ],
  ],
  [
    'a file that is not there',
    { environment: { POSTHORN_CONFIG: 'other.yaml' } },
    ['POSTHORN_CONFIG  cannot read "other.yaml" (ENOENT)'],
  ],
  [
    'a key without its certificate',
    { yaml: 'tls:\n  key: key.pem' },
    ['posthorn.yaml:2:8  tls.key: tls.certificate is missing beside it'],
  ],
  [
    'ACME without consent, over HTTP, and a wildcard that HTTP cannot prove',
    { yaml: 'tls:\n  acme:\n    directory: http://a.example\n    domains: ["*.a.example"]' },
    [
      'posthorn.yaml:2:3  tls.acme.terms_agreed: read the authority’s terms of service, and set it to true',
      'posthorn.yaml:2:3  tls.acme.challenge: *.a.example can be proved only by dns-01',
      'posthorn.yaml:3:16  tls.acme.directory: expected an https:// address',
    ],
  ],
  [
    'two listeners on one port',
    { yaml: 'http: { port: 2525 }' },
    ['posthorn.yaml:1:1  smtp.port: http listens on 127.0.0.1 port 2525 already'],
  ],
  [
    'a user without a password',
    { yaml: 'relayhost: { host: a.example, username: me }' },
    ['posthorn.yaml:1:1  relayhost: password is missing: AUTH needs both'],
  ],
]

for (const [title, given, expected] of places) {
  test(`faults name their place: ${title}`, () => assert.deepEqual(faults(given), expected))
}

test('all faults come at once, the file’s from top to bottom', () => {
  const yaml = 'mode: lve\nhttp: { port: 99999 }\ndomains:\n  "a b": {}\nretry: { first: 2h }'
  const environment = { POSTHORN_DATTA: 'x' }
  assert.deepEqual(
    load({ yaml, environment }).faults.map((fault) => [
      fault.code,
      fault.origin.kind === 'file' ? fault.origin.line : fault.origin.kind,
    ]),
    [
      ['BAD_VALUE', 1],
      ['BAD_VALUE', 2],
      ['BAD_VALUE', 4],
      ['BAD_VALUE', 5],
      ['UNKNOWN_VARIABLE', 'environment'],
    ],
  )
})

test('live needs a full host name, from the option or the machine', () => {
  const live = { yaml: 'domains: { example.com: { mode: live } }' }
  for (const machineName of ['web-1', 'a1b2c3d4e5f6', 'localhost.localdomain', 'printer.local']) {
    assert.deepEqual(
      load({ ...live, machineName }).faults.map((fault) => fault.code),
      ['HELO_NOT_FQDN'],
      machineName,
    )
  }
  assert.equal(good({ ...live, machineName: 'mx.example.com' }).hostname, 'mx.example.com')
  const named = { ...live, environment: { POSTHORN_HOSTNAME: 'mail.example.com' } }
  assert.equal(good(named).hostname, 'mail.example.com')
  assert.equal(load({ yaml: 'hostname: web-1' }).faults[0]?.code, 'HELO_NOT_FQDN')
})

test('a relayhost in its short form, corrected by variables', () => {
  const config = good({
    yaml: 'relayhost: smtp://me%40here:p%3Aw@relay.example:26',
    environment: { POSTHORN_RELAYHOST_PORT: '27', POSTHORN_RELAYHOST_TLS: 'required' },
  })
  assert.deepEqual(config.relayhost, {
    host: 'relay.example',
    port: 27,
    tls: 'required',
    username: 'me@here',
    password: 'p:w',
    oauth: null,
    connections: 100,
  })
  assert.equal(good({ yaml: 'relayhost: smtps://a.example' }).relayhost?.port, 465)
  assert.equal(good({ yaml: 'relayhost: "[2001:db8::1]:25"' }).relayhost?.host, '2001:db8::1')
  assert.equal(good({ yaml: 'relayhost:' }).relayhost, null)
})

test('secrets come from files', () => {
  writeFileSync(join(folder, 'secret'), 's3cret\n')
  const config = good({
    environment: {
      POSTHORN_RELAYHOST: 'me@relay.example:26',
      POSTHORN_RELAYHOST_PASSWORD_FILE: 'secret',
    },
  })
  assert.equal(config.relayhost?.password, 's3cret')
})

test('domains as a map, a list or a variable; their mode follows the top level', () => {
  const modes = (given: Given) =>
    Object.entries(good({ ...given, machineName: 'mx.example.com' }).domains).map(
      ([name, { mode }]) => `${name} ${mode}`,
    )
  assert.deepEqual(
    modes({ yaml: 'mode: live\ndomains:\n  Example.com:\n  b.example: { mode: sandbox }' }),
    ['example.com live', 'b.example sandbox'],
  )
  assert.deepEqual(modes({ yaml: 'domains: [a.example, b.example]' }), [
    'a.example sandbox',
    'b.example sandbox',
  ])
  const environment = { POSTHORN_DOMAINS: 'a.example b.example', POSTHORN_MODE: 'live' }
  assert.deepEqual(modes({ environment }), ['a.example live', 'b.example live'])
})

test('an empty variable is unset, or nothing where nothing is a value', () => {
  const yaml = 'public_ipv4: 192.0.2.1'
  const environment = { POSTHORN_MODE: '', POSTHORN_RELAYHOST: '', POSTHORN_PUBLIC_IPV4: '' }
  const config = good({ yaml, environment })
  assert.deepEqual([config.mode, config.relayhost, config.publicIpv4], ['sandbox', null, null])
})

test('what Kubernetes sets for a service called posthorn is ignored', () => {
  const config = good({
    environment: {
      POSTHORN_PORT: 'tcp://10.0.0.1:25',
      POSTHORN_PORT_25_TCP: 'tcp://10.0.0.1:25',
      POSTHORN_PORT_25_TCP_ADDR: '10.0.0.1',
      POSTHORN_SERVICE_HOST: '10.0.0.1',
      POSTHORN_SERVICE_PORT_SMTP: '25',
      POSTHORN_SMTP_PORT: 'tcp://10.0.0.1:25',
      POSTHORN_SMTP_SERVICE_PORT: '25',
    },
  })
  assert.equal(config.smtp.port, 2525)
})

test('hostile YAML costs nothing and leaks nothing', () => {
  const bomb = `a: &a [${'x,'.repeat(9)}]\n${Array.from({ length: 9 }, (_, i) => {
    const name = String.fromCharCode(98 + i)
    return `${name}: &${name} [${`*${String.fromCharCode(97 + i)},`.repeat(9)}]`
  }).join('\n')}`
  assert.equal(load({ yaml: bomb }).faults[0]?.code, 'BAD_YAML')
  assert.equal(load({ yaml: '__proto__: { mode: live }' }).faults[0]?.code, 'UNKNOWN_OPTION')
  assert.equal(load({ yaml: `mode: "${'x'.repeat(2_000_000)}"` }).faults[0]?.code, 'BAD_YAML')
  assert.match(faults({ yaml: 'mode: "a\\u001b[31mb"' })[0]!, /found "a\?\[31mb"/)
  assert.equal(load({ yaml: '- a\n- b' }).faults[0]?.code, 'BAD_YAML')
})

test('listeners that are called submission and submissions need nothing but their name', () => {
  const tls = 'tls: { certificate: chain.pem, key: key.pem }\n'
  const { config, faults } = load({
    yaml: `${tls}listeners: { submission: {}, submissions: { port: 4465 } }`,
  })
  assert.deepEqual(faults, [])
  const trust = { proxyProtocol: [], xclientNetworks: [] }
  const common = { address: '0.0.0.0', auth: 'required', authWithoutTls: null, ...trust }
  assert.deepEqual(config?.listeners, {
    submission: { ...common, port: 587, tls: 'starttls' },
    submissions: { ...common, port: 4465, tls: 'implicit' },
  })
})
