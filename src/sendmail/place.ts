// Where the server is, by the rules of the other commands: variables, the configuration file, what
// the server says of itself, defaults. The server leaves that in the folder of its drop folder, so
// that a call reads one small file of JSON and not the configuration, which it may not even be
// allowed to read. A posthorn.yaml in the working directory is not looked at: programs call sendmail
// in folders of strangers.

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ServerPlace } from './dialogue.ts'
import { EXIT, SendmailFault } from './exit.ts'

/** What the server tells those who call sendmail: server.json. */
export type Notice = {
  readonly hostname: string
  readonly smtp: ServerPlace | null
  readonly http: string
  /** The data folder, where the token for mailq is. */
  readonly data: string
  /** Octets of the largest message. */
  readonly size: number
}

export const NOTICE_NAME = 'server.json'
export const DROP_FOLDER = 'drop'

export type Place = {
  /** Undefined: no listener takes mail from here without a password, so all goes through the folder. */
  readonly server?: ServerPlace
  /** Where messages are left; undefined: nowhere. */
  readonly drop?: string
  /** Absent as long as no server has started. */
  readonly notice?: Notice
}

type Environment = Readonly<Record<string, string | undefined>>
/** The part of a configuration file that matters here, unchecked. */
type Tree = Readonly<Record<string, unknown>>

const CONFIG_FILE = '/etc/posthorn/posthorn.yaml'
const SPOOL_FOLDER = '/var/spool/posthorn'
const DEFAULT_PORT = 2525

/** @param config the file that -C names. Throws a SendmailFault with 78. */
export async function findPlace(
  environment: Environment,
  options: { readonly config?: string | undefined; readonly workingDirectory: string },
): Promise<Place> {
  const base = options.workingDirectory
  const asked = options.config ?? (environment.POSTHORN_CONFIG || undefined)
  const known = environment.POSTHORN_SENDMAIL_FOLDER || environment.POSTHORN_DATA
  const tree = asked === undefined && known ? {} : await readTree(asked && resolve(base, asked))
  const folder = folderOf(environment, tree, base)
  const notice = folder === undefined ? undefined : readNotice(folder)
  const drop = folder && join(folder, DROP_FOLDER)
  const server = serverOf(environment, tree, notice)
  return {
    ...(server && { server }),
    ...(drop !== undefined && existsSync(drop) && { drop }),
    ...(notice && { notice }),
  }
}

async function readTree(asked: string | undefined): Promise<Tree> {
  try {
    const text = readFileSync(asked ?? CONFIG_FILE, 'utf8')
    // The usual case, without the cost of reading YAML: the notice there says the rest.
    if (asked === undefined && text.includes(SPOOL_FOLDER) && existsSync(SPOOL_FOLDER)) return {}
    const { parse } = await import('yaml')
    const tree: unknown = parse(text)
    return typeof tree === 'object' && tree !== null ? (tree as Tree) : {}
  } catch (error) {
    if (asked === undefined) return {}
    throw new SendmailFault(EXIT.config, `cannot read ${asked}: ${(error as Error).message}`)
  }
}

function folderOf(environment: Environment, tree: Tree, base: string): string | undefined {
  const given = environment.POSTHORN_SENDMAIL_FOLDER || at(tree, 'sendmail', 'folder')
  if (typeof given === 'string') return resolve(base, given)
  const data = environment.POSTHORN_DATA || at(tree, 'data')
  if (typeof data === 'string') return resolve(base, data, 'sendmail')
  return existsSync(SPOOL_FOLDER) ? SPOOL_FOLDER : undefined
}

function serverOf(
  environment: Environment,
  tree: Tree,
  notice: Notice | undefined,
): ServerPlace | undefined {
  const elsewhere = environment.POSTHORN_SENDMAIL_SERVER || at(tree, 'sendmail', 'server')
  if (typeof elsewhere === 'string') return parseServer(elsewhere)
  const { POSTHORN_SMTP_ADDRESS: address, POSTHORN_SMTP_PORT: port } = environment
  if (port) return parseServer(`${bracketed(reachable(address || '127.0.0.1'))}:${port}`)
  if (notice) return notice.smtp ?? undefined
  const host = at(tree, 'smtp', 'address')
  const number = at(tree, 'smtp', 'port')
  return {
    host: typeof host === 'string' ? reachable(host) : '127.0.0.1',
    port: typeof number === 'number' && number > 0 ? number : DEFAULT_PORT,
  }
}

/** `host`, `host:port`, `[::1]:port` */
function parseServer(text: string): ServerPlace {
  const [, six, name, port] = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i.exec(text) ?? []
  const host = six ?? name
  const number = Number(port ?? DEFAULT_PORT)
  if (host !== undefined && number > 0 && number < 65_536) return { host, port: number }
  throw new SendmailFault(EXIT.config, `not a server, as host:port: ${text.slice(0, 100)}`)
}

function readNotice(folder: string): Notice | undefined {
  try {
    const { hostname, smtp, http, data, size } = JSON.parse(
      readFileSync(join(folder, NOTICE_NAME), 'utf8'),
    ) as Notice
    return { hostname: String(hostname), smtp, http: String(http), data: String(data), size }
  } catch {
    return undefined
  }
}

function at(tree: Tree, ...path: readonly string[]): unknown {
  let node: unknown = tree
  for (const name of path)
    node = typeof node === 'object' && node !== null ? (node as Tree)[name] : undefined
  return node === '' || node === null ? undefined : node
}

/** "Every address" is reached by loopback. */
export function reachable(address: string): string {
  return address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address
}

const bracketed = (address: string) => (address.includes(':') ? `[${address}]` : address)
