// Postfix with OpenDKIM, tuned as an expert would for many short deliveries to one relay: an own
// instance beside any that the machine has, milter over a socket, nothing may pass unsigned.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { end, greeted, sleep } from '../wait.ts'
import { type Peer, type PeerKind, type PeerOptions, slowSyncs } from './peer.ts'

const INSTALL = 'apt-get install --no-install-recommends postfix opendkim'

function idOf(user: string, flag: '-u' | '-g'): number {
  return Number(execFileSync('id', [flag, user], { encoding: 'utf8' }))
}

function mainCf(options: PeerOptions, milter: string | undefined): string {
  const { folder, sinkPort, certificate, key } = options
  const lines = [
    'compatibility_level = 3.6',
    `queue_directory = ${folder}/spool`,
    `data_directory = ${folder}/lib`,
    'command_directory = /usr/sbin',
    'daemon_directory = /usr/lib/postfix/sbin',
    'mail_owner = postfix',
    'setgid_group = postdrop',
    'myhostname = mail.sender.example',
    'mydestination =',
    'local_transport = error:no local mail',
    'alias_maps =',
    'mynetworks = 127.0.0.0/8',
    'inet_interfaces = 127.0.0.1',
    'inet_protocols = ipv4',
    `relayhost = [127.0.0.1]:${sinkPort}`,
    'maillog_file_prefixes = /var,/dev/stdout,/tmp,/',
    `maillog_file = ${folder}/mail.log`,
    'default_process_limit = 250',
    'in_flow_delay = 0',
    'max_use = 5000',
    'enable_long_queue_ids = yes',
    'smtpd_peername_lookup = no',
    'smtpd_client_connection_count_limit = 0',
    'smtp_destination_concurrency_limit = 100',
    'default_destination_concurrency_limit = 100',
    'initial_destination_concurrency = 50',
    'qmgr_message_active_limit = 150000',
    'qmgr_message_recipient_limit = 150000',
    'disable_dns_lookups = yes',
    'smtp_connection_cache_destinations = 127.0.0.1',
    'smtp_tls_security_level = may',
    'smtpd_tls_security_level = may',
    `smtpd_tls_cert_file = ${certificate}`,
    `smtpd_tls_key_file = ${key}`,
  ]
  const slow = Object.entries(slowSyncs(options)).map(([name, value]) => `${name}=${value}`)
  if (slow.length > 0) lines.push(`export_environment = TZ MAIL_CONFIG LANG ${slow.join(' ')}`)
  if (milter)
    lines.push(
      `smtpd_milters = ${milter}`,
      'milter_default_action = tempfail',
      'milter_protocol = 6',
    )
  return `${lines.join('\n')}\n`
}

function masterCf(port: number): string {
  const services = [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    'pickup unix n - n 60 1 pickup',
    'cleanup unix n - n - 0 cleanup',
    'qmgr unix n - n 300 1 qmgr',
    'tlsmgr unix - - n 1000? 1 tlsmgr',
    'rewrite unix - - n - - trivial-rewrite',
    'bounce unix - - n - 0 bounce',
    'defer unix - - n - 0 bounce',
    'trace unix - - n - 0 bounce',
    'verify unix - - n - 1 verify',
    'flush unix n - n 1000? 0 flush',
    'proxymap unix - - n - - proxymap',
    'smtp unix - - n - - smtp',
    'relay unix - - n - - smtp',
    'showq unix n - n - - showq',
    'error unix - - n - - error',
    'retry unix - - n - - error',
    'discard unix - - n - - discard',
    'anvil unix - - n - 1 anvil',
    'scache unix - - n - 1 scache',
    'postlog unix-dgram n - n - 1 postlogd',
  ]
  return `${services.join('\n')}\n`
}

async function startOpendkim(options: PeerOptions, key: string): Promise<ChildProcess> {
  const { folder } = options
  const socket = `${folder}/opendkim.sock`
  const config = `${folder}/opendkim.conf`
  const copy = `${folder}/dkim.pem`
  writeFileSync(copy, readFileSync(key), { mode: 0o600 })
  writeFileSync(
    config,
    `Mode s\nDomain sender.example\nSelector bench\nKeyFile ${copy}\n` +
      `Canonicalization relaxed/relaxed\nSocket local:${socket}\nInternalHosts 127.0.0.0/8\n` +
      'RequireSafeKeys no\nSyslog no\nUMask 000\nBackground no\nAutoRestart no\n',
  )
  const child = spawn('opendkim', ['-f', '-x', config], { stdio: 'ignore' })
  for (let tries = 100; tries > 0 && !existsSync(socket); tries--) await sleep(50)
  if (!existsSync(socket)) throw new Error('opendkim did not open its socket')
  chmodSync(socket, 0o777)
  return child
}

async function start(options: PeerOptions, name: string): Promise<Peer> {
  const { folder } = options
  for (const below of ['', '/etc', '/spool', '/lib'])
    mkdirSync(folder + below, { recursive: true, mode: 0o755 })
  chownSync(`${folder}/lib`, idOf('postfix', '-u'), idOf('postfix', '-g'))
  const opendkim = options.dkimKey ? await startOpendkim(options, options.dkimKey) : undefined
  writeFileSync(
    `${folder}/etc/main.cf`,
    mainCf(options, opendkim ? `unix:${folder}/opendkim.sock` : undefined),
  )
  writeFileSync(`${folder}/etc/master.cf`, masterCf(options.port))
  execFileSync('postfix', ['-c', `${folder}/etc`, 'start'], { stdio: 'ignore' })
  await greeted(options.port)
  const master = Number(readFileSync(`${folder}/spool/pid/master.pid`, 'utf8'))
  return {
    name,
    pids: opendkim?.pid ? [master, opendkim.pid] : [master],
    async stop() {
      execFileSync('postfix', ['-c', `${folder}/etc`, 'stop'], { stdio: 'ignore' })
      if (opendkim) await end(opendkim)
    },
  }
}

const has = (command: string) =>
  ['/usr/sbin', '/usr/bin', '/sbin', '/bin'].some((folder) => existsSync(join(folder, command)))

function missing(commands: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return 'Postfix starts as root only'
  const absent = commands.filter((command) => !has(command))
  return absent.length > 0 ? `${absent.join(' and ')} not found: ${INSTALL}` : undefined
}

export const postfixOpendkim: PeerKind = {
  name: 'Postfix + OpenDKIM',
  warmUp: 300,
  missing: () => missing(['postfix', 'opendkim']),
  start: (options) => start(options, 'Postfix + OpenDKIM'),
}

export const postfixUnsigned: PeerKind = {
  name: 'Postfix, unsigned',
  warmUp: 300,
  missing: () => missing(['postfix']),
  start: ({ dkimKey: _, ...options }) => start(options, 'Postfix, unsigned'),
}
