// boky/postfix: its table of variables, key folders, relay with a password or XOAUTH2, POSTFIX_<name>.

import type { Text } from '../config/language.ts'
import { type Domain, parseDomain } from '../mail/domain.ts'
import { relayVariables } from './boky-relay.ts'
import {
  alignListeners,
  domainOf,
  environmentOrigin,
  type ImageTask,
  prefixed,
  settleHostname,
  startImage,
  trust,
  useKey,
} from './image.ts'
import { type Setting, words } from './main-cf.ts'
import { isServiceLink } from './service-link.ts'
import { translateSettings } from './settings.ts'

const IMAGE = 'boky/postfix'
export const PRIVATE_NETWORKS = ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']

export function translateBoky(task: ImageTask): void {
  const { draft, input, around } = task
  startImage(task, IMAGE, [587, 25])
  const domains = senders(task)
  const settings = settingsOf(task)
  if (!settings.has('mynetworks')) trust(task, PRIVATE_NETWORKS, IMAGE)
  relayVariables(task, settings)
  translateSettings({
    draft,
    settings,
    around,
    example: (name, value) =>
      `${name === 'relayhost' && input.environment.RELAYHOST ? 'RELAYHOST' : `POSTFIX_${name}`}=${value}`,
  })
  checkSelectors(task)
  for (const domain of domains) sign(task, domain)
  logins(task, domains)
  for (const [name, handle] of Object.entries(VARIABLES)) {
    const value = input.environment[name]
    if (value !== undefined) handle(task, value, name)
  }
  backends(task)
  settleHostname(task, domains[0], 'POSTFIX_myhostname=mail.example.com')
  alignListeners(task, IMAGE)
}

function senders(task: ImageTask): Domain[] {
  const { draft, input } = task
  const name = 'ALLOWED_SENDER_DOMAINS'
  const { ALLOW_EMPTY_SENDER_DOMAINS: empty } = input.environment
  const from = environmentOrigin(name)
  const example = `${name}=example.com example.org`
  const domains = words(input.environment[name] ?? '')
    .map((word) => domainOf(word, name, { draft, example }))
    .filter((domain) => domain !== undefined)
  for (const domain of domains) draft.set(['domains', domain], {}, from)
  if (domains.length > 0) draft.understood(name, `domains: ${domains.join(', ')}`)
  if (empty) {
    if (domains.length === 0) {
      draft.set(['senders'], 'any', environmentOrigin('ALLOW_EMPTY_SENDER_DOMAINS'))
      draft.understood('ALLOW_EMPTY_SENDER_DOMAINS', 'senders: any')
    } else
      draft.ignored('ALLOW_EMPTY_SENDER_DOMAINS', { en: `${name} is given`, ru: `задано ${name}` })
  } else if ((input.environment[name] ?? '').trim() === '') {
    draft.wrong(
      name,
      {
        en: 'must be given, or ALLOW_EMPTY_SENDER_DOMAINS',
        ru: 'нужно указать, либо ALLOW_EMPTY_SENDER_DOMAINS',
      },
      example,
    )
  }
  return domains
}

/** What the image's own table of header checks takes out. */
const BUNDLED = ['Received', 'X-Originating-IP', 'X-Mailer', 'User-Agent']

const from = (name: string, value: string): Setting => ({ value, from: environmentOrigin(name) })

/** POSTFIX_<name>, with the old names of three of them, and what else becomes a setting. */
function settingsOf({ draft, input }: ImageTask): Map<string, Setting> {
  const settings = new Map<string, Setting>()
  for (const [parameter, setting] of prefixed(input.environment, 'POSTFIX_')) {
    const name = setting.from.kind === 'environment' ? setting.from.name : ''
    if (isServiceLink(name, setting.value)) {
      draft.ignored(name, {
        en: 'set by Kubernetes or Docker for a service of that name, not by a person',
        ru: 'задано Kubernetes или Docker для одноимённого сервиса, а не человеком',
      })
    } else if (setting.value === '') {
      draft.understood(name, `${parameter}: –`)
    } else settings.set(parameter, setting)
  }
  const { MASQUERADED_DOMAINS, SMTP_HEADER_CHECKS } = input.environment
  if (MASQUERADED_DOMAINS)
    settings.set('masquerade_domains', from('MASQUERADED_DOMAINS', MASQUERADED_DOMAINS))
  if (SMTP_HEADER_CHECKS === '1') {
    draft.set(['rewrite', 'remove_headers'], BUNDLED, environmentOrigin('SMTP_HEADER_CHECKS'))
    draft.understood('SMTP_HEADER_CHECKS', `rewrite.remove_headers: ${BUNDLED.join(', ')}`)
  } else if (SMTP_HEADER_CHECKS) {
    const table = SMTP_HEADER_CHECKS.includes(':')
      ? SMTP_HEADER_CHECKS
      : `regexp:${SMTP_HEADER_CHECKS}`
    settings.set('smtp_header_checks', from('SMTP_HEADER_CHECKS', table))
  }
  const old = {
    MYNETWORKS: 'mynetworks',
    MESSAGE_SIZE_LIMIT: 'message_size_limit',
    RELAYHOST_TLS_LEVEL: 'smtp_tls_security_level',
  }
  for (const [name, parameter] of Object.entries(old)) {
    const value = input.environment[name]
    if (!value) continue
    settings.set(parameter, { value, from: environmentOrigin(name) })
    draft.changed(name, {
      en: `the old name of POSTFIX_${parameter}`,
      ru: `старое имя для POSTFIX_${parameter}`,
    })
  }
  return settings
}

/** `mail`, or `foo,example.org=bar,example.com=baz`. */
function selectorOf({ input }: ImageTask, domain: Domain): string {
  const parts = (input.environment.DKIM_SELECTOR ?? '').split(',').map((part) => part.trim())
  const own = parts.find((part) => part.startsWith(`${domain}=`))
  return (
    own?.slice(domain.length + 1) ||
    parts.find((part) => part !== '' && !part.includes('=')) ||
    'mail'
  )
}

const SELECTOR = /^[a-z0-9]([a-z0-9_.-]{0,61}[a-z0-9])?$/i

/** Every part, also of domains that are not sent for: what is dropped would sign with another key. */
function checkSelectors({ draft, input }: ImageTask): void {
  for (const part of (input.environment.DKIM_SELECTOR ?? '').split(',')) {
    const [name = '', selector] = part.trim().split('=')
    if (part.trim() === '' || (selector === undefined && SELECTOR.test(name))) continue
    if (selector !== undefined && parseDomain(name) && SELECTOR.test(selector)) continue
    const quoted = JSON.stringify(part.trim())
    const says = { en: `${quoted} is not a selector`, ru: `${quoted} не селектор` }
    draft.wrong('DKIM_SELECTOR', says, 'DKIM_SELECTOR=mail,example.com=news')
  }
}

function sign(task: ImageTask, domain: Domain): void {
  const { draft, input, around } = task
  const selector = selectorOf(task, domain)
  const { DKIM_SELECTOR, DKIM_AUTOGENERATE } = input.environment
  const given = DKIM_SELECTOR ? 'DKIM_SELECTOR' : 'ALLOWED_SENDER_DOMAINS'
  const from = environmentOrigin(given)
  if (!SELECTOR.test(selector)) return
  draft.set(['domains', domain, 'selector'], selector, from)
  if (DKIM_SELECTOR) draft.understood('DKIM_SELECTOR', `domains.${domain}.selector: ${selector}`)
  const rspamd = around
    .list('/var/lib/rspamd/dkim')
    .map((name) =>
      name.startsWith(`${domain}.`) && name.endsWith('.key')
        ? name.slice(domain.length + 1, -4)
        : '',
    )
    .filter((name) => name !== '' && !name.includes('/'))
  const other = rspamd.includes(selector) ? selector : rspamd[0]
  const places = [
    { path: `/etc/opendkim/keys/${domain}.private`, selector, from },
    ...(other === undefined
      ? []
      : [{ path: `/var/lib/rspamd/dkim/${domain}.${other}.key`, selector: other, from }]),
  ]
  if (useKey(task, domain, places)) return
  draft.changed(DKIM_AUTOGENERATE ? 'DKIM_AUTOGENERATE' : domain, {
    en: `a key is made and kept in the data folder, and its mail is signed; the record: posthorn dns ${domain}`,
    ru: `ключ создаётся и хранится в папке данных, письма подписываются; запись: posthorn dns ${domain}`,
  })
}

/** `user:pass,user2:pass2`; logging in works with the domain and without. */
function logins({ draft, input }: ImageTask, domains: readonly Domain[]): void {
  const name = 'SMTPD_SASL_USERS'
  const from = environmentOrigin(name)
  for (const pair of (input.environment[name] ?? '')
    .split(',')
    .filter((one) => one.trim() !== '')) {
    const colon = pair.indexOf(':')
    const user = pair.slice(0, Math.max(colon, 0)).trim()
    const password = pair.slice(colon + 1)
    if (user === '' || password === '') {
      const says = {
        en: `a user and a password are needed, found only ${JSON.stringify(user || '…')}`,
        ru: `нужны имя и пароль, а есть только ${JSON.stringify(user || '…')}`,
      }
      draft.wrong(name, says, `${name}=user:PASSWORD,user2:PASSWORD2`)
      continue
    }
    const names = user.includes('@')
      ? [user]
      : [user, ...domains.slice(0, 1).map((one) => `${user}@${one}`)]
    for (const one of names) draft.set(['credentials', one, 'password'], password, from)
    draft.understood(name, `credentials: ${names.join(', ')}`)
  }
}

type Handle = (task: ImageTask, value: string, name: string) => void

const ignore =
  (says: Text): Handle =>
  ({ draft }, _value, name) =>
    draft.ignored(name, says)

const noLookUp: Text = {
  en: 'nobody is asked for our name; say it: POSTFIX_myhostname=mail.example.com (posthorn doctor checks it)',
  ru: 'имя ни у кого не спрашивается; укажите его: POSTFIX_myhostname=mail.example.com (posthorn doctor проверит)',
}
const PLAIN = /^(|0|off|false|no|noop)$/i
const SMART = /^(1|on|true|yes|default|smart)$/i

/** `smart?mask_symbol=…`, `paranoid`, `hash?salt=…`. */
const anonymize: Handle = ({ draft }, value, name) => {
  const [filter = '', parameters] = value.trim().split('?')
  if (PLAIN.test(filter)) return draft.understood(name, '–')
  if (!SMART.test(filter) && !/^(paranoid|hash)$/i.test(filter)) {
    const quoted = JSON.stringify(value)
    const says = {
      en: `${quoted}: expected smart, paranoid, hash or noop`,
      ru: `${quoted}: ожидается smart, paranoid, hash или noop`,
    }
    return draft.wrong(name, says, `${name}=smart`)
  }
  const addresses = SMART.test(filter) ? 'masked' : 'hidden'
  draft.set(['log', 'addresses'], addresses, environmentOrigin(name))
  draft.understood(name, `log.addresses: ${addresses}`)
  if (/^hash$/i.test(filter))
    draft.changed(name, {
      en: 'no hashes: addresses are hidden; lines of one message share its id',
      ru: 'хешей нет: адреса скрыты; строки одного письма связывает его номер',
    })
  else if (parameters !== undefined)
    draft.changed(name, { en: 'the sign is always *', ru: 'знак всегда *' })
}

const noScripts: Text = {
  en: 'runs no scripts at the start',
  ru: 'скрипты при запуске не выполняются',
}
const ownLog: Text = {
  en: 'the log tells it always (queue show, log.level: debug)',
  ru: 'это всегда есть в журнале (queue show, log.level: debug)',
}

const VARIABLES: Readonly<Record<string, Handle>> = {
  TZ: ignore({ en: 'times are UTC in the log', ru: 'время в журнале: UTC' }),
  FORCE_COLOR: ignore({
    en: 'lines in the form of Postfix have no colours (log.format: plain has)',
    ru: 'строки в виде Postfix без цвета (цвет есть у log.format: plain)',
  }),
  INBOUND_DEBUGGING({ draft }, value, name) {
    if (value === '') return
    draft.set(['log', 'level'], 'debug', environmentOrigin(name))
    draft.understood(name, 'log.level: debug')
  },
  LOG_FORMAT({ draft }, value, name) {
    if (value === '') return
    if (value === 'plain' || value === 'json') {
      const format = value === 'plain' ? 'postfix' : value
      draft.set(['log', 'format'], format, environmentOrigin(name))
      return draft.understood(name, `log.format: ${format}`)
    }
    const quoted = JSON.stringify(value)
    const says = {
      en: `${quoted}: expected plain or json`,
      ru: `${quoted}: ожидается plain или json`,
    }
    draft.wrong(name, says, `${name}=json`)
  },
  AUTOSET_HOSTNAME: ignore(noLookUp),
  AUTOSET_HOSTNAME_SERVICES: ignore(noLookUp),
  ANONYMIZE_EMAILS: anonymize,
  DKIM_BACKEND: ignore({ en: 'Posthorn signs itself', ru: 'Posthorn подписывает сам' }),
  SKIP_ROOT_SPOOL_CHOWN: ignore({
    en: 'nothing is chowned here',
    ru: 'владелец файлов не меняется',
  }),
}

/** Overrides of what signs there, and scripts. */
function backends({ draft, input, around }: ImageTask): void {
  for (const [name, value] of Object.entries(input.environment)) {
    if (value === undefined || !/^(OPENDKIM_.|RSPAMD_.+__.)/.test(name)) continue
    draft.ignored(name, {
      en: 'an override of OpenDKIM or Rspamd; Posthorn signs itself',
      ru: 'настройка OpenDKIM или Rspamd; Posthorn подписывает сам',
    })
  }
  for (const folder of ['/docker-init.db', '/docker-init.d'])
    for (const script of around.list(folder)) draft.ignored(`${folder}/${script}`, noScripts)
  for (const name of ['XOAUTH2_SYSLOG_ON_FAILURE', 'XOAUTH2_FULL_TRACE'])
    if (input.environment[name] !== undefined) draft.ignored(name, ownLog)
}
