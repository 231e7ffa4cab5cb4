// Settings of the SMTP client: relays, their passwords, and how much TLS.

import type { Text } from '../config/language.ts'
import { parseDomain } from '../mail/domain.ts'
import { isYes } from './main-cf.ts'
import { readTables } from './maps.ts'
import type { Given, SettingsReader } from './settings.ts'
import { nextHop } from './units.ts'

type Hop = NonNullable<ReturnType<typeof nextHop>>

export function translateRelay(reader: SettingsReader): void {
  const passwords = readPasswords(reader)
  const tls = relayTls(reader)
  const relayhost = reader.take('relayhost') ?? reader.take('default_transport')
  if (relayhost && relayhost.value !== '' && relayhost.value !== 'smtp')
    relay(relayhost, relayhost.value, { reader, path: ['relayhost'], passwords, tls })
  transports(reader, passwords, tls)
  for (const [key, { from, used }] of passwords.entries)
    if (!used && key !== '*') {
      reader.task.draft.changed(from.name, {
        en: `the password for ${key} belongs to no relay; a password for your own clients is made by: posthorn credential add NAME`,
        ru: `пароль для ${key} не относится ни к одному релею; пароль для своих клиентов создаёт: posthorn credential add ИМЯ`,
      })
    }
}

type Entry = { readonly login: string; readonly from: Given; used: boolean }
type Passwords = { readonly entries: Map<string, Entry>; readonly enabled: boolean }

function readPasswords(reader: SettingsReader): Passwords {
  const { around, draft } = reader.task
  const enable = reader.take('smtp_sasl_auth_enable')
  const maps = reader.take('smtp_sasl_password_maps')
  const entries = new Map<string, Entry>()
  if (enable) draft.understood(enable.name, 'relayhost.username, relayhost.password')
  for (const parameter of [
    'smtp_sasl_security_options',
    'smtp_sasl_tls_security_options',
    'smtp_sasl_mechanism_filter',
    'smtp_sasl_type',
    'smtp_sasl_path',
  ]) {
    const given = reader.take(parameter)
    if (given)
      draft.changed(given.name, {
        en: 'a relay is offered PLAIN or LOGIN (XOAUTH2 with a token), and only over TLS or loopback',
        ru: 'релею предлагается PLAIN или LOGIN (XOAUTH2 при токене), и только по TLS или локально',
      })
  }
  if (!maps) return { entries, enabled: false }
  const table = readTables(maps.value, around, (says) =>
    draft.wrong(
      maps.name,
      says,
      reader.task.example(maps.parameter, 'texthash:/etc/postfix/sasl_passwd'),
    ),
  )
  for (const [key, login] of table) entries.set(key, { login, from: maps, used: false })
  if (table.length > 0) draft.understood(maps.name, 'relayhost.username, relayhost.password')
  return { entries, enabled: enable === undefined || isYes(enable.value) }
}

/** The level for relays; direct mail takes TLS wherever it is offered. */
function relayTls(reader: SettingsReader): string | undefined {
  const level = reader.take('smtp_tls_security_level')
  const wrapper = reader.take('smtp_tls_wrappermode')
  const use = reader.take('smtp_use_tls')
  const enforce = reader.take('smtp_enforce_tls')
  const { draft } = reader.task
  const decisive = level?.value ? level : enforce && isYes(enforce.value) ? enforce : use
  for (const one of [level, use, enforce])
    if (one && one !== decisive)
      draft.ignored(one.name, { en: 'another setting decides', ru: 'решает другая настройка' })
  const implicit = wrapper && isYes(wrapper.value)
  if (wrapper) draft.understood(wrapper.name, implicit ? 'relayhost.tls: implicit' : 'STARTTLS')
  if (!decisive) return implicit ? 'implicit' : undefined
  const wanted =
    decisive === level
      ? level.value.toLowerCase()
      : isYes(decisive.value)
        ? decisive === enforce
          ? 'encrypt'
          : 'may'
        : 'none'
  const tls = LEVELS[wanted]
  if (tls === undefined) {
    reader.wrong(
      decisive,
      { en: Object.keys(LEVELS).join(', '), ru: Object.keys(LEVELS).join(', ') },
      'may',
    )
    return undefined
  }
  draft.understood(decisive.name, `TLS: ${tls}`)
  if (wanted !== 'may') draft.changed(decisive.name, strictness)
  return implicit ? 'implicit' : tls
}

const strictness: Text = {
  en: 'holds for relays, whose certificate is then checked; direct mail takes TLS wherever it is offered',
  ru: 'действует для релеев, их сертификат при этом проверяется; прямая доставка включает TLS везде, где его предлагают',
}

const LEVELS: Readonly<Record<string, string>> = {
  none: 'none',
  may: 'opportunistic',
  dane: 'opportunistic',
  'dane-only': 'required',
  encrypt: 'required',
  fingerprint: 'required',
  verify: 'required',
  secure: 'required',
}

type RelayTask = {
  readonly reader: SettingsReader
  readonly path: readonly string[]
  readonly passwords: Passwords
  readonly tls: string | undefined
}

function relay(given: Given, value: string, { reader, path, passwords, tls }: RelayTask) {
  const hop = nextHop(value)
  if (!hop) {
    const expected = { en: 'host, host:port or [host]:port', ru: 'host, host:port или [host]:port' }
    return reader.wrong(given, expected, '[smtp.example.net]:587')
  }
  const { draft } = reader.task
  reader.become(given, [...path, 'host'], hop.host)
  draft.set([...path, 'port'], hop.port, given.from)
  if (tls !== undefined) draft.set([...path, 'tls'], tls, given.from)
  else if (hop.port === 465) draft.set([...path, 'tls'], 'implicit', given.from)
  if (!hop.bracketed && parseDomain(hop.host)) {
    draft.changed(given.name, {
      en: `${hop.host} itself is meant: its MX records are not asked`,
      ru: `имеется в виду сам ${hop.host}: его записи MX не запрашиваются`,
    })
  }
  const entry = passwords.enabled ? passwordOf(value, hop, passwords.entries) : undefined
  if (!entry) return
  entry.used = true
  const [, username = '', password] = /^([^:]*):(.*)$/s.exec(entry.login) ?? []
  if (password === undefined) {
    const form = 'user:password'
    draft.wrong(
      entry.from.name,
      {
        en: `the line for ${hop.host} needs ${form}`,
        ru: `в строке для ${hop.host} нужно ${form}`,
      },
      `[${hop.host}]:${hop.port} ${form}`,
    )
    return
  }
  draft.set([...path, 'username'], username, entry.from.from)
  draft.set([...path, 'password'], password, entry.from.from)
}

function passwordOf(value: string, hop: Hop, entries: Passwords['entries']): Entry | undefined {
  const { host, port } = hop
  const spellings = [
    value.replace(/^smtp:/, ''),
    `[${host}]:${port}`,
    `${host}:${port}`,
    `[${host}]`,
    host,
    '*',
  ]
  return spellings.map((key) => entries.get(key)).find((one) => one !== undefined)
}

function transports(reader: SettingsReader, passwords: Passwords, tls: string | undefined) {
  const given = reader.take('transport_maps')
  if (!given || given.value === '') return
  const { draft, around } = reader.task
  const table = readTables(given.value, around, (says) =>
    draft.wrong(
      given.name,
      says,
      reader.task.example(given.parameter, 'texthash:/etc/postfix/transport'),
    ),
  )
  for (const [pattern, target] of table) {
    const domain = parseDomain(pattern)
    const hop = /^(smtp|relay)?:(.+)$/.exec(target)
    if (domain && hop)
      relay(given, target.replace(/^:/, ''), { reader, path: ['routes', domain], passwords, tls })
    else if (pattern === '*' && hop)
      relay(given, target.replace(/^:/, ''), { reader, path: ['relayhost'], passwords, tls })
    else
      draft.changed(given.name, {
        en: `${pattern} ${target}: only "domain smtp:[host]:port" means something here`,
        ru: `${pattern} ${target}: здесь имеет смысл только «домен smtp:[хост]:порт»`,
      })
  }
}
