// What the three images have in common: the world is live, mail comes in on every address of the
// container, and a host name, domains and networks must be settled somehow.

import type { Origin } from '../config/faults.ts'
import type { Text } from '../config/language.ts'
import { readKey } from '../dkim/keys.ts'
import { type Domain, parseDomain } from '../mail/domain.ts'
import type { Draft, Surroundings } from './draft.ts'
import { anyAddress } from './listener-settings.ts'
import type { Setting } from './main-cf.ts'
import { without } from './units.ts'

/** What is given to a container, besides its files. */
export type ContainerInput = {
  /** What follows the image's name. */
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Where volumes are mounted. */
  readonly mounts: readonly string[]
}

export type ImageTask = {
  readonly draft: Draft
  readonly input: ContainerInput
  readonly around: Surroundings
}

export const environmentOrigin = (name: string): Origin => ({ kind: 'environment', name })

const byImage = (name: string): Origin => ({ kind: 'flag', name })

/** The listeners of an image, and that its mail is meant for the Internet. */
export function startImage(
  { draft, around, input }: ImageTask,
  image: string,
  ports: readonly number[],
): void {
  const from = byImage(image)
  draft.set(['mode'], 'live', from)
  // Whoever reads the container's log today finds the same lines.
  draft.set(['log', 'format'], 'postfix', from)
  ports.forEach((port, index) => {
    const path = index === 0 ? ['smtp'] : ['listeners', `port-${port}`]
    draft.set([...path, 'address'], anyAddress(around), from)
    draft.set([...path, 'port'], port, from)
  })
  if (input.mounts.includes(SPOOL)) {
    draft.set(['data'], `${SPOOL}/posthorn`, from)
    draft.understood(SPOOL, `data: ${SPOOL}/posthorn`)
  }
  if (QUEUES.some((queue) => around.list(`${SPOOL}/${queue}`).length > 0)) {
    draft.changed(SPOOL, {
      en: `there may be mail in Postfix’ queue; bring it over with: posthorn import spool ${SPOOL}`,
      ru: `в очереди Postfix могут быть письма; перенести их: posthorn import spool ${SPOOL}`,
    })
  }
  if (input.mounts.includes('/var/log')) {
    draft.changed('/var/log', {
      en: 'the log goes to the standard error of the container (docker logs), no file is written',
      ru: 'журнал пишется в стандартный вывод ошибок контейнера (docker logs), файла нет',
    })
  }
}

const SPOOL = '/var/spool/postfix'
const QUEUES = ['incoming', 'active', 'deferred', 'hold', 'maildrop']

/** The further listeners offer what the first one does. */
export function alignListeners({ draft }: ImageTask, image: string): void {
  const listeners = draft.get(['listeners']) as Record<string, unknown> | undefined
  for (const name of Object.keys(listeners ?? {}))
    for (const option of ['tls', 'auth']) {
      const value = draft.get(['smtp', option])
      if (value !== undefined) draft.set(['listeners', name, option], value, byImage(image))
    }
}

/** Loopback and the given networks, without the addresses that the host and the world share. */
export function trust(
  { draft, around, input }: ImageTask,
  networks: readonly string[],
  image: string,
): void {
  const flag = input.environment.POSTHORN_TRUST_GATEWAY ?? ''
  const trusted = /^(1|true|yes|on)$/i.test(flag)
  if (!trusted && flag !== '' && !/^(0|false|no|off)$/i.test(flag)) {
    const says = {
      en: `${JSON.stringify(flag)}: expected 1 or 0`,
      ru: `${JSON.stringify(flag)}: ожидается 1 или 0`,
    }
    draft.wrong('POSTHORN_TRUST_GATEWAY', says, 'POSTHORN_TRUST_GATEWAY=1')
  }
  const open = trusted ? networks : networks.flatMap((one) => without(one, around.gateways))
  draft.set(
    ['networks'],
    ['127.0.0.0/8', '::1/128', ...open.filter((one) => one !== '127.0.0.0/8')],
    byImage(image),
  )
  if (!trusted && around.gateways.length > 0) draft.changed(around.gateways.join(', '), gatewayNote)
}

const gatewayNote: Text = {
  en: [
    'programs on the host come from this address, and so does the whole Internet when the port is',
    'published for it: they need a password, or POSTHORN_TRUST_GATEWAY=1 when it is published on',
    '127.0.0.1 only',
  ].join(' '),
  ru: [
    'с этого адреса приходят программы хоста, а если порт открыт наружу, то и весь Интернет: нужен пароль',
    'либо POSTHORN_TRUST_GATEWAY=1, если порт открыт только на 127.0.0.1',
  ].join(' '),
}

/** A domain name with a dot; else it is wrong and undefined. */
export function domainOf(
  word: string,
  name: string,
  { draft, example }: { readonly draft: Draft; readonly example: string },
): Domain | undefined {
  const domain = parseDomain(word)
  if (domain?.includes('.')) return domain
  const quoted = JSON.stringify(word)
  draft.wrong(name, { en: `${quoted} is not a domain`, ru: `${quoted} не домен` }, example)
  return undefined
}

/** When nobody said who we are: the machine, or else the first domain. */
export function settleHostname(
  { draft, around }: ImageTask,
  domain: Domain | undefined,
  example: string,
) {
  if (draft.get(['hostname']) !== undefined) return
  const own = parseDomain(around.machineName)
  if (own?.includes('.')) return draft.set(['hostname'], own, byImage('hostname'))
  if (domain === undefined) {
    draft.wrong(
      'hostname',
      {
        en: `this container calls itself ${JSON.stringify(around.machineName)}, which receivers do not accept as our name`,
        ru: `контейнер называет себя ${JSON.stringify(around.machineName)}, получатели такое имя не принимают`,
      },
      example,
    )
    return
  }
  draft.set(['hostname'], domain, byImage('hostname'))
  draft.changed('hostname', {
    en: [
      `this container calls itself ${JSON.stringify(around.machineName)}, which receivers do not accept: it`,
      `says ${domain} instead. Better: ${example}`,
    ].join(' '),
    ru: [
      `контейнер называет себя ${JSON.stringify(around.machineName)}, получатели такого не принимают:`,
      `вместо этого он представляется ${domain}. Лучше: ${example}`,
    ].join(' '),
  })
}

export type KeyPlace = {
  readonly path: string
  readonly selector: string
  readonly from: Origin
}

/** A domain with its key, when there is one at one of the places; false when there is none. */
export function useKey(
  { draft, around }: ImageTask,
  domain: Domain,
  places: readonly KeyPlace[],
): boolean {
  for (const { path, selector, from } of places) {
    const folder = path.slice(0, path.lastIndexOf('/'))
    const pem = around.read(path)
    if (pem === undefined && !around.list(folder).includes(path.slice(folder.length + 1))) continue
    const reading = pem === undefined ? undefined : readKey(pem)
    if (reading?.kind !== 'key') {
      const why = reading?.fault ?? 'it cannot be read; chown it to the user of this container'
      draft.wrong(path, { en: why, ru: why }, `openssl genrsa -out ${path} 2048`)
      return true
    }
    draft.set(['domains', domain, 'selector'], selector, from)
    draft.set(['domains', domain, 'key'], path, from)
    draft.understood(path, `domains.${domain}.key (${selector}._domainkey.${domain})`)
    if (reading.warning !== undefined)
      draft.changed(path, { en: reading.warning, ru: `${reading.warning}: слабый ключ RSA` })
    return true
  }
  return false
}

/** Variables that begin with a prefix, as settings of main.cf: `POSTFIX_myhostname` is `myhostname`. */
export function prefixed(
  environment: ContainerInput['environment'],
  prefix: string,
): Map<string, Setting> {
  const settings = new Map<string, Setting>()
  for (const [name, value] of Object.entries(environment)) {
    if (!name.toUpperCase().startsWith(prefix) || value === undefined) continue
    const parameter = name.slice(prefix.length).toLowerCase()
    if (parameter !== '') settings.set(parameter, { value, from: environmentOrigin(name) })
  }
  return settings
}
