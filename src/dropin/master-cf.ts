// master.cf: the services that listen on the network become listeners, with their `-o` overrides; see
// master(5). The rest are Postfix' own processes.

import { isIP } from 'node:net'
import type { Origin } from '../config/faults.ts'
import type { Draft, Surroundings } from './draft.ts'
import { anyAddress, ownAuthority } from './listener-settings.ts'
import { isYes, words } from './main-cf.ts'
import { portOf } from './units.ts'

export type MasterLine = { readonly text: string; readonly from: Origin; readonly name: string }

type MasterTask = {
  readonly draft: Draft
  readonly around: Pick<Surroundings, 'read'>
  /** Ports that listeners have already. */
  readonly taken: readonly number[]
}

type Service = { address: string | undefined; port: number; overrides: Map<string, string> }

/** The first network service becomes `smtp` unless its port is taken; the others further listeners. */
export function translateMaster(lines: readonly MasterLine[], task: MasterTask) {
  const { draft } = task
  const ports = new Set(task.taken)
  for (const line of lines) {
    const [, type, , , , , , command = ''] = line.text.split(/\s+/)
    if (type !== 'inet') {
      if (/^(unix|fifo|pass|unix-dgram)$/.test(type ?? '')) continue
      const says = {
        en: `${JSON.stringify(line.text.slice(0, 60))} is no service`,
        ru: `${JSON.stringify(line.text.slice(0, 60))} не служба`,
      }
      draft.wrong(line.name, says, 'submission inet n - n - - smtpd')
      continue
    }
    if (!/^(smtpd|postscreen)$/.test(command)) {
      draft.ignored(line.name, { en: `${command} is not smtpd`, ru: `${command} не smtpd` })
      continue
    }
    const service = readService(line.text)
    if (!service) {
      const [where] = line.text.split(/\s+/)
      const says = {
        en: `${JSON.stringify(where)} is no port`,
        ru: `${JSON.stringify(where)} не порт`,
      }
      draft.wrong(line.name, says, '127.0.0.1:smtp inet n - n - - smtpd')
      continue
    }
    place(line, service, { ...task, ports })
  }
}

function readService(text: string): Service | undefined {
  const [where = '', , , , , , , , ...args] = text.split(/\s+/)
  const [, six, four, name = ''] = /^(?:(?:\[([^\]]+)\]|([^:]+)):)?([^:]+)$/.exec(where) ?? []
  const port = portOf(name)
  const host = six ?? four
  const address = host === 'localhost' ? '127.0.0.1' : host
  if (port === undefined || (address !== undefined && isIP(address) === 0)) return undefined
  const overrides = new Map<string, string>()
  const rest = args.join(' ')
  for (const [, braced, plain] of rest.matchAll(/-o\s+(?:\{([^}]*)\}|(\S+))/g)) {
    const [parameter = '', ...value] = (braced ?? plain ?? '').split('=')
    overrides.set(parameter.trim(), value.join('=').trim())
  }
  return { address, port, overrides }
}

function place(line: MasterLine, service: Service, task: MasterTask & { ports: Set<number> }) {
  const { draft, around, ports } = task
  const { address, port, overrides } = service
  if (ports.has(port)) return draft.understood(line.name, `port ${port}`)
  const path = ports.size === 0 ? ['smtp'] : ['listeners', `port-${port}`]
  ports.add(port)
  const set = (option: string, value: unknown) => draft.set([...path, option], value, line.from)
  const inherited = draft.get(['smtp', 'address'])
  set('address', address ?? inherited ?? anyAddress(around))
  set('port', port)
  const tls = tlsOf(overrides, draft)
  if (tls !== undefined) set('tls', tls)
  if (tls !== undefined && tls !== 'none' && draft.get(['tls', 'certificate']) === undefined)
    draft.changed(line.name, ownAuthority)
  if (needsLogin(overrides)) set('auth', 'required')
  else if (path[0] === 'listeners') {
    const auth = draft.get(['smtp', 'auth'])
    if (auth !== undefined) set('auth', auth)
  }
  draft.understood(line.name, `${path.join('.')}: port ${port}`)
  const other = [...overrides.keys()].filter((name) => !READ.test(name))
  if (other.length > 0) {
    draft.ignored(line.name, {
      en: `options that have no counterpart: ${other.join(', ')}`,
      ru: `опции, которых здесь нет: ${other.join(', ')}`,
    })
  }
}

const READ = new RegExp(
  `^(${[
    'smtpd_tls_wrappermode|smtpd_tls_security_level|smtpd_enforce_tls|smtpd_use_tls',
    'smtpd_sasl_auth_enable|smtpd_(client|relay|recipient|sender)_restrictions|syslog_name',
  ].join('|')})$`,
)

function tlsOf(overrides: ReadonlyMap<string, string>, draft: Draft): string | undefined {
  const level = overrides.get('smtpd_tls_security_level')
  const implicit = isYes(overrides.get('smtpd_tls_wrappermode') ?? '')
  const wanted = implicit
    ? 'implicit'
    : level === 'none'
      ? 'none'
      : level !== undefined || isYes(overrides.get('smtpd_use_tls') ?? '')
        ? 'starttls'
        : (draft.get(['smtp', 'tls']) as string | undefined)
  return wanted
}

/** Who logs in, and nobody else. */
function needsLogin(overrides: ReadonlyMap<string, string>): boolean {
  return [
    'smtpd_client_restrictions',
    'smtpd_relay_restrictions',
    'smtpd_recipient_restrictions',
  ].some((name) => {
    const list = words(overrides.get(name) ?? '')
    return (
      list.includes('permit_sasl_authenticated') &&
      !list.includes('permit_mynetworks') &&
      list.includes('reject')
    )
  })
}
