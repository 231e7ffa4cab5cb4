// Faults that no single option has: what must hold between them.

import { type Domain, parseDomain } from '../mail/domain.ts'
import { checkDnsPublish } from './check-publish.ts'
import { type ConfigFault, type Origin, quote } from './faults.ts'
import type { Text } from './language.ts'
import type { ListenerConfig, RawConfig } from './schema.ts'

type Surroundings = {
  readonly machineName: string
  /** Where an option was given. */
  readonly where: (path: string) => Origin
}

/** Checks options against each other. */
export function crossCheck(raw: RawConfig, around: Surroundings): ConfigFault[] {
  const faults: ConfigFault[] = []
  const add = (code: string, path: string, says: Text, fix?: Text): void => {
    faults.push({ code, path, origin: around.where(path), says, ...(fix ? { fix } : {}) })
  }
  checkHostname(raw, around.machineName, add)
  checkListeners(raw, add)
  checkCertificates(raw, add)
  checkNames(raw, add)
  checkRelays(raw, add)
  checkRetry(raw, add)
  checkDnsPublish(raw, add)
  return faults
}

type Add = (code: string, path: string, says: Text, fix?: Text) => void

/** RFC 5321 §4.1.1.1: the client's name is a fully qualified domain name. */
function checkHostname(raw: RawConfig, machineName: string, add: Add): void {
  const fix = {
    en: 'Give the name that your address has in reverse DNS: hostname: mail.example.com, --hostname or POSTHORN_HOSTNAME',
    ru: 'Укажите имя, которое ваш адрес имеет в обратной зоне DNS: hostname: mail.example.com, --hostname или POSTHORN_HOSTNAME',
  }
  if (raw.hostname !== null) {
    if (raw.hostname.includes('.')) return
    const says = {
      en: `${quote(raw.hostname)} is not a full domain name`,
      ru: `${quote(raw.hostname)} не полное доменное имя`,
    }
    add('HELO_NOT_FQDN', 'hostname', says, fix)
    return
  }
  const live = raw.mode === 'live' || Object.values(raw.domains).some((one) => one.mode === 'live')
  if (!live || machineHostname(machineName) !== undefined) return
  const says = {
    en: `this machine calls itself ${quote(machineName)}, which receivers do not accept as our name`,
    ru: `эта машина называет себя ${quote(machineName)}, такое имя получатели не принимают`,
  }
  add('HELO_NOT_FQDN', 'hostname', says, fix)
}

function checkListeners(raw: RawConfig, add: Add): void {
  const all: [string, Pick<ListenerConfig, 'address' | 'port'>][] = [
    ['http', raw.http],
    ['smtp', raw.smtp],
    ...Object.entries(raw.listeners).map(
      ([name, one]) => [`listeners.${name}`, one] as [string, ListenerConfig],
    ),
  ]
  const taken = new Map<string, string>()
  for (const [path, { address, port }] of all) {
    const place = `${address} ${port}`
    const other = port === 0 ? undefined : taken.get(place)
    if (other !== undefined) {
      add('SAME_PORT', `${path}.port`, {
        en: `${other} listens on ${address} port ${port} already`,
        ru: `на ${address}, порт ${port}, уже слушает ${other}`,
      })
    }
    taken.set(place, path)
  }
}

function checkCertificates({ tls }: RawConfig, add: Add): void {
  for (const name of ['key', 'chain'] as const)
    if (tls[name] !== null && tls.certificate === null)
      add('NO_CERTIFICATE', `tls.${name}`, {
        en: 'tls.certificate is missing beside it',
        ru: 'рядом нет tls.certificate',
      })
  if (tls.acme.domains.length > 0) checkAcme(tls.acme, add)
}

function checkAcme(acme: RawConfig['tls']['acme'], add: Add): void {
  if (!acme.termsAgreed)
    add('TERMS_NOT_AGREED', 'tls.acme.terms_agreed', {
      en: 'read the authority’s terms of service, and set it to true',
      ru: 'прочтите условия удостоверяющего центра и поставьте true',
    })
  if (!URL.canParse(acme.directory) || !acme.directory.startsWith('https://'))
    add('BAD_VALUE', 'tls.acme.directory', {
      en: 'expected an https:// address',
      ru: 'ожидается адрес https://',
    })
  const wildcard = acme.domains.find((name) => name.startsWith('*'))
  if (wildcard !== undefined && acme.challenge === 'http-01')
    add('BAD_VALUE', 'tls.acme.challenge', {
      en: `${wildcard} can be proved only by dns-01`,
      ru: `${wildcard} можно подтвердить только через dns-01`,
    })
  if ((acme.keyId === null) !== (acme.keySecret === null))
    add('BAD_VALUE', `tls.acme.${acme.keyId === null ? 'key_secret' : 'key_id'}`, {
      en: 'key_id and key_secret belong together',
      ru: 'key_id и key_secret задаются вместе',
    })
}

function checkNames(raw: RawConfig, add: Add): void {
  for (const group of ['domains', 'routes'] as const) {
    const seen = new Set<string>()
    for (const name of Object.keys(raw[group])) {
      const domain = parseDomain(name)
      if (domain === undefined) {
        add('BAD_VALUE', `${group}.${name}`, {
          en: `${quote(name)} is not a domain name`,
          ru: `${quote(name)} не доменное имя`,
        })
      } else if (seen.has(domain)) {
        add('GIVEN_TWICE', `${group}.${name}`, {
          en: `${domain} is given twice`,
          ru: `${domain} указан дважды`,
        })
      } else seen.add(domain)
    }
  }
  for (const name of Object.keys(raw.listeners)) {
    if (/^[a-z][a-z0-9_-]{0,30}$/.test(name) && name !== 'smtp') continue
    add('BAD_VALUE', `listeners.${name}`, {
      en: 'a listener’s name is made of small letters, digits and dashes, and is not "smtp"',
      ru: 'имя входа состоит из строчных латинских букв, цифр и дефисов и отлично от "smtp"',
    })
  }
}

function checkRelays(raw: RawConfig, add: Add): void {
  const relays = [
    ...(raw.relayhost ? [['relayhost', raw.relayhost] as const] : []),
    ...Object.entries(raw.routes).map(([name, relay]) => [`routes.${name}`, relay] as const),
  ]
  for (const [path, relay] of relays) {
    if (relay.oauth !== null) {
      if (relay.username === null)
        add('INCOMPLETE', path, {
          en: 'username is missing: XOAUTH2 needs it',
          ru: 'не хватает username: он нужен для XOAUTH2',
        })
    } else if ((relay.username === null) !== (relay.password === null)) {
      const absent = relay.username === null ? 'username' : 'password'
      add('INCOMPLETE', path, {
        en: `${absent} is missing: AUTH needs both`,
        ru: `не хватает ${absent}: для AUTH нужны оба`,
      })
    }
  }
}

function checkRetry(raw: RawConfig, add: Add): void {
  const { firstMs, longestMs, expireMs } = raw.retry
  if (firstMs === 0) {
    add('BAD_VALUE', 'retry.first', { en: 'must be longer than 0s', ru: 'должно быть больше 0s' })
  }
  if (firstMs > longestMs) {
    add('BAD_VALUE', 'retry.first', {
      en: 'is longer than retry.longest',
      ru: 'больше, чем retry.longest',
    })
  }
  if (longestMs > expireMs) {
    add('BAD_VALUE', 'retry.longest', {
      en: 'is longer than retry.expire',
      ru: 'больше, чем retry.expire',
    })
  }
}

/** The machine's name when the world could know it; undefined for `web-1`, container ids and the like. */
export function machineHostname(name: string): Domain | undefined {
  const domain = parseDomain(name)
  if (domain === undefined || !domain.includes('.')) return undefined
  return /\.(localdomain|local|localhost|lan|home|internal|invalid)$/.test(domain)
    ? undefined
    : domain
}
