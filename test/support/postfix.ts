// A Postfix of our own beside any that the machine has: everything in one folder, as root only.

import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testCertificate, testKey } from './certificate.ts'
import { missing, opened, run, temporaryFolder, until } from './tools.ts'

/** The reason to skip, or false. */
export const noPostfix =
  missing('postfix', 'postconf') || (process.getuid?.() !== 0 && 'Postfix starts as root only')

export type PostfixOptions = {
  readonly address?: string
  readonly port: number
  /** Lines of main.cf beyond the least. */
  readonly settings: Readonly<Record<string, string>>
}

export type Postfix = AsyncDisposable & {
  /** The folder of all its files; the queue is in `spool`. */
  readonly folder: string
  stop(): Promise<void>
  readonly port: number
  log(): string
  /** What lies in the mailbox of `user` at `domain`, in the order of arrival. */
  mailbox(domain: string, user: string): string[]
}

const SERVICES = [
  'cleanup unix n - n - 0 cleanup',
  'qmgr unix n - n 300 1 qmgr',
  'tlsmgr unix - - n 1000? 1 tlsmgr',
  'rewrite unix - - n - - trivial-rewrite',
  'bounce unix - - n - 0 bounce',
  'defer unix - - n - 0 bounce',
  'trace unix - - n - 0 bounce',
  'proxymap unix - - n - - proxymap',
  'smtp unix - - n - - smtp',
  'relay unix - - n - - smtp',
  'virtual unix - n n - - virtual',
  'error unix - - n - - error',
  'retry unix - - n - - error',
  'discard unix - - n - - discard',
  'anvil unix - - n - 1 anvil',
  'scache unix - - n - 1 scache',
  'postlog unix-dgram n - n - 1 postlogd',
]

/** Settings that keep mail for these addresses in mailboxes; others at their domains are unknown. */
export function mailboxes(...addresses: readonly string[]): Record<string, string> {
  const { uid, gid } = idsOf('nobody')
  const places = addresses.map((address) => {
    const [user, domain] = address.split('@')
    return { address, domain, place: `${domain}/${user}/` }
  })
  const table = places.map(({ address, place }) => `{ ${address} = ${place} }`)
  return {
    virtual_mailbox_domains: [...new Set(places.map(({ domain }) => domain))].join(' '),
    virtual_mailbox_maps: `inline:{ ${table.join(', ')} }`,
    virtual_minimum_uid: '1',
    virtual_uid_maps: `static:${uid}`,
    virtual_gid_maps: `static:${gid}`,
  }
}

export async function startPostfix(options: PostfixOptions): Promise<Postfix> {
  await using parts = new AsyncDisposableStack()
  const folder = parts.use(temporaryFolder()).path
  const { address = '127.0.0.1', port } = options
  chmodSync(folder, 0o755)
  for (const below of ['etc', 'spool', 'lib', 'mail']) mkdirSync(join(folder, below))
  own(join(folder, 'lib'), 'postfix')
  own(join(folder, 'mail'), 'nobody')
  writeFileSync(join(folder, 'certificate.pem'), testKey + testCertificate, { mode: 0o600 })
  const settings = { ...leastSettings(folder), ...options.settings }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`)
  writeFileSync(join(folder, 'etc/main.cf'), lines.join(''))
  const listener = `${address}:${port} inet n - n - - smtpd`
  writeFileSync(join(folder, 'etc/master.cf'), `${[listener, ...SERVICES].join('\n')}\n`)
  const control = (word: string) => run('postfix', ['-c', join(folder, 'etc'), word])
  const started = await control('start')
  if (started.code !== 0) throw new Error(started.out + started.err)
  parts.defer(async () => void (await control('stop')))
  await opened(port, 30, address)
  const all = parts.move()
  return {
    port,
    folder,
    stop: async () => void (await control('stop')),
    log: () => readFileSync(join(folder, 'mail.log'), 'utf8'),
    mailbox: (domain, user) => readMailbox(join(folder, 'mail', domain, user, 'new')),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/** Waits until the log says something, and gives the match. */
export async function logged(postfix: Postfix, what: RegExp): Promise<RegExpExecArray> {
  const look = () => what.exec(postfix.log()) ?? undefined
  return until(look, `Postfix logs ${what}`, 20).catch((error: Error) => {
    throw new Error(`${error.message}:\n${postfix.log()}`)
  })
}

function leastSettings(folder: string): Record<string, string> {
  return {
    compatibility_level: '3.6',
    queue_directory: `${folder}/spool`,
    data_directory: `${folder}/lib`,
    command_directory: '/usr/sbin',
    daemon_directory: '/usr/lib/postfix/sbin',
    mail_owner: 'postfix',
    setgid_group: 'postdrop',
    myhostname: 'postfix.test',
    mydestination: '',
    local_transport: 'error:no local mail',
    alias_maps: '',
    mynetworks: '127.0.0.0/8',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    maillog_file_prefixes: '/var,/dev/stdout,/tmp,/',
    maillog_file: `${folder}/mail.log`,
    smtpd_peername_lookup: 'no',
    virtual_mailbox_base: `${folder}/mail`,
    smtpd_tls_security_level: 'may',
    smtpd_tls_chain_files: `${folder}/certificate.pem`,
    smtpd_tls_loglevel: '1',
    smtp_tls_loglevel: '1',
    minimal_backoff_time: '1s',
    maximal_backoff_time: '2s',
    queue_run_delay: '1s',
  }
}

function readMailbox(folder: string): string[] {
  try {
    const names = readdirSync(folder).sort()
    return names.map((name) => readFileSync(join(folder, name), 'latin1'))
  } catch {
    return []
  }
}

function idsOf(user: string): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

function own(path: string, user: string): void {
  const { uid, gid } = idsOf(user)
  chownSync(path, uid, gid)
}
