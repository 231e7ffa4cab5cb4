// A small Internet of other people's software, in a network of its own where port 25 and 53 are free
// and every address is ours to give: knot holds the root and a signed zone, nsd its second server,
// unbound resolves and validates with our trust anchor, Postfix receives and lets OpenDKIM and
// OpenDMARC judge.

import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mailboxes, noPostfix, type Postfix, startPostfix } from './postfix.ts'
import { PRIMARY_KEY } from './primary.ts'
import { missing, opened, run, temporaryFolder, until } from './tools.ts'

/** Who is where. None is private, so nothing needs to be allowed. */
export const AT = {
  sender: '5.9.0.10',
  stranger: '5.9.0.99',
  primary: '5.9.0.53',
  secondary: '5.9.0.54',
  receiver: '5.9.0.25',
  resolver: '127.0.0.1',
} as const

const PROGRAMS = ['unshare', 'ip', 'mount', 'knotd', 'knsupdate', 'kdig', 'nsd', 'unbound']

/** The reason to skip, or false. */
export const noInternet =
  missing(...PROGRAMS, 'swaks', 'opendkim', 'opendmarc') ||
  noPostfix ||
  (process.getuid?.() !== 0 && 'only root may make a network')

/** Runs a test file by itself, in a network and with mounts that end with it. Gives what it said. */
export async function inOwnNetwork(file: string): Promise<{ code: number; said: string }> {
  const args = ['--net', '--mount', '--', process.execPath, file]
  const options = { environment: { OWN_NETWORK: 'yes', NODE_TEST_CONTEXT: '' }, seconds: 150 }
  const { code, out, err } = await run('unshare', args, options)
  return { code, said: out + err }
}

export const isInOwnNetwork = process.env.OWN_NETWORK === 'yes'

export type Internet = AsyncDisposable & {
  readonly receiver: Postfix
  /** Changes a zone as its keeper does: lines of knsupdate. */
  update(zone: string, ...lines: readonly string[]): Promise<void>
}

/** All of it, with `zone` signed and empty; the receiver has one mailbox. */
export async function startInternet(zone: string, mailbox: string): Promise<Internet> {
  await using parts = new AsyncDisposableStack()
  const folder = parts.use(temporaryFolder()).path
  chmodSync(folder, 0o755)
  await giveAddresses(folder)
  const start = (program: string, args: readonly string[]) => {
    const child = spawn(program, args, { stdio: 'ignore' })
    parts.defer(() => ended(child))
  }
  writeFileSync(join(folder, 'knot.conf'), knotConfig(folder, zone))
  writeFileSync(join(folder, 'root.zone'), rootZone(zone))
  writeFileSync(join(folder, 'broken.zone'), zoneFile('broken.test'))
  writeFileSync(join(folder, `${zone}.zone`), zoneFile(zone))
  start('knotd', ['-c', join(folder, 'knot.conf')])
  const anchor = await until(async () => {
    const { out } = await run('kdig', [`@${AT.primary}`, '+short', '+timeout=1', zone, 'DNSKEY'])
    return /^257 .*/m.exec(out)?.[0]
  }, 'the zone is signed')
  writeFileSync(join(folder, 'nsd.conf'), nsdConfig(folder, zone))
  start('nsd', ['-d', '-c', join(folder, 'nsd.conf')])
  await until(async () => {
    const { out } = await run('kdig', [`@${AT.secondary}`, '+short', '+timeout=1', zone, 'SOA'])
    return out.startsWith(`ns1.${zone}.`)
  }, 'the second server has the zone')
  writeFileSync(join(folder, 'unbound.conf'), unboundConfig(folder, `${zone}. IN DNSKEY ${anchor}`))
  writeFileSync(join(folder, 'root.hints'), `. 3600 NS a.root.\na.root. 3600 A ${AT.primary}\n`)
  start('unbound', ['-d', '-c', join(folder, 'unbound.conf')])
  await until(async () => {
    const { out } = await run('kdig', [`@${AT.resolver}`, '+dnssec', '+timeout=1', zone, 'SOA'])
    return / ad[ ;]/.test(out)
  }, 'the resolver proves the zone')
  writeFileSync(join(folder, 'opendkim.conf'), OPENDKIM)
  writeFileSync(join(folder, 'opendmarc.conf'), OPENDMARC)
  start('opendkim', ['-f', '-x', join(folder, 'opendkim.conf')])
  start('opendmarc', ['-f', '-c', join(folder, 'opendmarc.conf')])
  await Promise.all([opened(8891), opened(8893)])
  const settings = { ...mailboxes(mailbox), ...RECEIVER }
  const receiver = parts.use(await startPostfix({ address: AT.receiver, port: 25, settings }))
  const all = parts.move()
  return {
    receiver,
    async update(at, ...lines) {
      const { algorithm, name, secret } = PRIMARY_KEY
      const key = `key ${algorithm}:${name} ${secret}`
      const input = [`server ${AT.primary}`, `zone ${at}`, key, ...lines, 'send', 'quit', '']
      const { code, out, err } = await run('knsupdate', [], { input: input.join('\n') })
      if (code !== 0) throw new Error(out + err)
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

async function giveAddresses(folder: string): Promise<void> {
  const steps = [
    ['ip', 'link', 'set', 'lo', 'up'],
    ...Object.values(AT)
      .filter((address) => address !== AT.resolver)
      .map((address) => ['ip', 'address', 'add', `${address}/32`, 'dev', 'lo']),
    ['mount', '--bind', join(folder, 'resolv.conf'), '/etc/resolv.conf'],
  ]
  writeFileSync(join(folder, 'resolv.conf'), `nameserver ${AT.resolver}\n`)
  for (const [program = '', ...args] of steps) {
    const { code, err } = await run(program, args)
    if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${err}`)
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const end = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await end
}

/** Nothing but what makes it a zone; its second server looks every second, notified or not. */
const zoneFile = (zone: string) => `$ORIGIN ${zone}.
$TTL 1
@ SOA ns1 hostmaster 1 1 1 86400 1
@ NS ns1
@ NS ns2
ns1 A ${AT.primary}
ns2 A ${AT.secondary}
`

/** The names that are not the sender's: delegations, the receiver, who has which address. */
const rootZone = (zone: string) => `$ORIGIN .
$TTL 1
@ SOA a.root. hostmaster.root. 1 3600 600 86400 1
@ NS a.root.
a.root. A ${AT.primary}
${zone}. NS ns1.${zone}.
${zone}. NS ns2.${zone}.
ns1.${zone}. A ${AT.primary}
ns2.${zone}. A ${AT.secondary}
broken.test. NS ns1.broken.test.
ns1.broken.test. A ${AT.primary}
receiver.net. MX 10 mx.receiver.net.
mx.receiver.net. A ${AT.receiver}
25.0.9.5.in-addr.arpa. PTR mx.receiver.net.
10.0.9.5.in-addr.arpa. PTR static-10-0-9-5.provider.net.
static-10-0-9-5.provider.net. A ${AT.sender}
99.0.9.5.in-addr.arpa. PTR mail.stranger.net.
mail.stranger.net. A ${AT.stranger}
`

const knotConfig = (folder: string, zone: string) => `server:
  listen: ${AT.primary}@53
  rundir: "${folder}"
database:
  storage: "${folder}"
log:
  - target: ${folder}/knot.log
    any: info
key:
  - id: ${PRIMARY_KEY.name}
    algorithm: ${PRIMARY_KEY.algorithm}
    secret: ${PRIMARY_KEY.secret}
remote:
  - id: second
    address: ${AT.secondary}@53
    via: ${AT.primary}
acl:
  - id: ours
    key: ${PRIMARY_KEY.name}
    action: update
  - id: second
    address: ${AT.secondary}
    action: transfer
policy:
  - id: one-key
    single-type-signing: on
zone:
  - domain: .
    file: "${folder}/root.zone"
    acl: ours
  - domain: broken.test.
    file: "${folder}/broken.zone"
  - domain: ${zone}.
    file: "${folder}/${zone}.zone"
    acl: [ours, second]
    notify: second
    dnssec-signing: on
    dnssec-policy: one-key
    zonefile-load: difference
    journal-content: changes
`

const nsdConfig = (folder: string, zone: string) => `server:
  ip-address: ${AT.secondary}
  username: ""
  zonesdir: "${folder}"
  pidfile: "${folder}/nsd.pid"
  database: ""
  xfrdfile: "${folder}/nsd.xfrd"
  zonelistfile: "${folder}/nsd.zones"
  logfile: "${folder}/nsd.log"
  xfrd-reload-timeout: 0
  server-count: 1
remote-control:
  control-enable: no
zone:
  name: ${zone}
  zonefile: second.zone
  allow-notify: ${AT.primary} NOKEY
  request-xfr: AXFR ${AT.primary} NOKEY
  outgoing-interface: ${AT.secondary}
`

/** One anchor is the zone's own, the other fits nothing. */
const unboundConfig = (folder: string, anchor: string) => `server:
  interface: ${AT.resolver}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: ""
  use-syslog: no
  logfile: "${folder}/unbound.log"
  root-hints: "${folder}/root.hints"
  do-not-query-localhost: no
  outgoing-interface: ${AT.sender}
  cache-max-ttl: 1
  cache-max-negative-ttl: 1
  trust-anchor: "${anchor}"
  trust-anchor: "broken.test. IN DS 12345 13 2 ${'ab'.repeat(32)}"
remote-control:
  control-enable: no
`

const OPENDKIM = `Mode v
Socket inet:8891@127.0.0.1
Nameservers ${AT.resolver}
AuthservID mx.receiver.net
AlwaysAddARHeader yes
Syslog no
`

const OPENDMARC = `Socket inet:8893@127.0.0.1
AuthservID mx.receiver.net
TrustedAuthservIDs mx.receiver.net
SPFSelfValidate true
SPFIgnoreResults true
RejectFailures true
Syslog false
`

/** As strict as the big ones: names that lead back, domains that exist, signatures that hold. */
const RECEIVER = {
  myhostname: 'mx.receiver.net',
  mynetworks: '127.0.0.0/8',
  smtpd_client_restrictions: 'reject_unknown_client_hostname',
  smtpd_peername_lookup: 'yes',
  smtpd_helo_required: 'yes',
  smtpd_helo_restrictions: 'reject_unknown_helo_hostname',
  smtpd_sender_restrictions: 'reject_unknown_sender_domain',
  smtpd_milters: 'inet:127.0.0.1:8891 inet:127.0.0.1:8893',
  milter_default_action: 'tempfail',
}
