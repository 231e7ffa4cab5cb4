// What Postfix settings mean here: one table of handlers by name, and a few that only make sense
// together (listener-settings.ts, relay-settings.ts). What is left over is ignored by name.

import type { Origin } from '../config/faults.ts'
import type { Text } from '../config/language.ts'
import { parseDomain } from '../mail/domain.ts'
import { type Draft, nameOf, type Surroundings } from './draft.ts'
import { translateListener } from './listener-settings.ts'
import { expander, type Settings, words } from './main-cf.ts'
import { reasonFor } from './reasons.ts'
import { translateRelay } from './relay-settings.ts'
import { translateRewrite } from './rewrite-settings.ts'
import { postfixNetwork, postfixNumber, postfixTime, without } from './units.ts'

export type SettingsTask = {
  readonly draft: Draft
  readonly settings: Settings
  readonly around: Surroundings
  /** How a person gives a setting where this one came from: `POSTFIX_myhostname=mail.example.com`. */
  example(parameter: string, value: string): string
}

/** One setting, expanded. */
export type Given = {
  readonly parameter: string
  readonly value: string
  readonly from: Origin
  readonly name: string
}

/** Gives settings out and remembers which were asked for. */
export class SettingsReader {
  readonly task: SettingsTask
  readonly #left: Set<string>
  readonly #expand: (text: string) => string

  constructor(task: SettingsTask) {
    this.task = task
    this.#left = new Set(task.settings.keys())
    this.#expand = expander(task.settings, task.around.machineName)
  }

  /** The setting with references resolved; undefined when it was not given. */
  take(parameter: string): Given | undefined {
    const setting = this.task.settings.get(parameter)
    if (!setting) return undefined
    this.#left.delete(parameter)
    const value = this.#expand(setting.value).trim()
    return { parameter, value, from: setting.from, name: nameOf(setting.from, parameter) }
  }

  /** Sets an option and says so. */
  become(given: Given, path: readonly string[], value: unknown): void {
    const { draft } = this.task
    draft.set(path, value, given.from)
    const shown = Array.isArray(value) ? `[${value.join(', ')}]` : String(value)
    draft.understood(given.name, `${path.join('.')}: ${shown}`)
  }

  wrong(given: Given, expected: Text, example: string): void {
    const quoted = JSON.stringify(given.value)
    const says = {
      en: `${quoted}: expected ${expected.en}`,
      ru: `${quoted}: ожидается ${expected.ru}`,
    }
    this.task.draft.wrong(given.name, says, this.task.example(given.parameter, example))
  }

  /** Names of settings that nobody asked for. */
  left(): readonly string[] {
    return [...this.#left]
  }
}

/** Translates all of them; the draft says what became of each. */
export function translateSettings(task: SettingsTask): void {
  const reader = new SettingsReader(task)
  for (const [parameter, handle] of Object.entries(HANDLERS)) {
    const given = reader.take(parameter)
    if (given) handle(given, reader)
  }
  translateListener(reader)
  translateRelay(reader)
  translateRewrite(reader)
  for (const parameter of reader.left()) {
    const { from } = task.settings.get(parameter)!
    task.draft.ignored(nameOf(from, parameter), reasonFor(parameter))
  }
}

type Handler = (given: Given, reader: SettingsReader) => void

const octets: Text = { en: 'a number of octets', ru: 'число октетов' }
const count: Text = { en: 'a number from 1', ru: 'число от 1' }
const time: Text = { en: 'a time such as 300s, 4h or 5d', ru: 'время: 300s, 4h или 5d' }

/** Unlimited is a word that no server can keep. */
const LARGEST_MESSAGE = '1GiB'

const HANDLERS: Readonly<Record<string, Handler>> = {
  myhostname: hostname,
  smtp_helo_name: hostname,
  mynetworks: networks,
  mynetworks_style: networksStyle,
  message_size_limit(given, reader) {
    const value = postfixNumber(given.value)
    if (value === undefined) return reader.wrong(given, octets, '26214400')
    if (value > 0) return reader.become(given, ['limits', 'message_size'], value)
    reader.become(given, ['limits', 'message_size'], LARGEST_MESSAGE)
    reader.task.draft.changed(given.name, {
      en: `0 is unlimited in Postfix; here the limit is ${LARGEST_MESSAGE}`,
      ru: `0 в Postfix означает «без предела»; здесь предел ${LARGEST_MESSAGE}`,
    })
  },
  header_size_limit: amount(['limits', 'header_size'], octets, '262144'),
  queue_minfree: amount(['storage', 'reserve'], octets, '104857600'),
  smtpd_recipient_limit: amount(['limits', 'recipients'], count, '1000'),
  smtpd_client_connection_count_limit: amount(['limits', 'sessions_per_address'], count, '50'),
  smtp_destination_concurrency_limit: amount(['delivery', 'connections_per_site'], count, '20'),
  default_destination_concurrency_limit: amount(['delivery', 'connections_per_site'], count, '20'),
  maximal_queue_lifetime: pause(['retry', 'expire'], 'd', '5d'),
  minimal_backoff_time: pause(['retry', 'first'], 's', '300s'),
  maximal_backoff_time: pause(['retry', 'longest'], 's', '4000s'),
  delay_warning_time: pause(['retry', 'delay_notice'], 'h', '4h'),
  smtp_bind_address: bind('source_ipv4', '203.0.113.10'),
  smtp_bind_address6: bind('source_ipv6', '2001:db8::10'),
  inet_protocols(given, reader) {
    const found = [...new Set(words(given.value.toLowerCase()))].sort().join(',')
    const protocol = PROTOCOLS[found]
    if (protocol) return reader.become(given, ['delivery', 'protocol'], protocol)
    reader.wrong(given, { en: 'all, ipv4 or ipv6', ru: 'all, ipv4 или ipv6' }, 'ipv4')
  },
  smtp_address_preference(given, { task }) {
    task.draft.changed(given.name, {
      en: 'addresses are tried in turn; delivery.protocol says which kinds',
      ru: 'адреса пробуются по очереди; какие именно, задаёт delivery.protocol',
    })
  },
}

const PROTOCOLS: Readonly<Record<string, string>> = {
  ipv4: 'ipv4',
  ipv6: 'ipv6',
  all: 'both',
  'ipv4,ipv6': 'both',
}

function hostname(given: Given, reader: SettingsReader) {
  const domain = parseDomain(given.value)
  if (domain?.includes('.')) return reader.become(given, ['hostname'], domain)
  reader.wrong(
    given,
    { en: 'a full name such as mail.example.com', ru: 'полное имя, например mail.example.com' },
    'mail.example.com',
  )
}

function amount(path: readonly string[], expected: Text, example: string): Handler {
  return (given, reader) => {
    const value = postfixNumber(given.value)
    if (value === undefined) return reader.wrong(given, expected, example)
    if (value > 0) return reader.become(given, path, value)
    reader.task.draft.changed(given.name, {
      en: `0 takes the limit away in Postfix; ${path.join('.')} stays as it is here`,
      ru: `0 в Postfix снимает предел; здесь ${path.join('.')} остаётся как есть`,
    })
  }
}

function pause(path: readonly string[], unit: string, example: string): Handler {
  return (given, reader) => {
    const value = postfixTime(given.value, unit)
    if (value === undefined) return reader.wrong(given, time, example)
    reader.become(given, path, value)
  }
}

function bind(option: string, example: string): Handler {
  return (given, reader) => {
    const address = given.value === '' ? '' : postfixNetwork(given.value)
    if (address === '' || /^(0\.0\.0\.0|::)$/.test(address ?? '')) return
    if (address && !address.includes('/'))
      return reader.become(given, ['delivery', option], address)
    reader.wrong(given, { en: 'one address', ru: 'один адрес' }, example)
  }
}

function networks(given: Given, reader: SettingsReader) {
  const trusted: string[] = []
  const excluded: string[] = []
  for (const word of listed(given.value, reader.task.around)) {
    const network = postfixNetwork(word.replace(/^!/, ''))
    if (network === undefined) {
      const says = {
        en: `networks; ${JSON.stringify(word)} is none`,
        ru: `сети; ${JSON.stringify(word)} не сеть`,
      }
      return reader.wrong(given, says, '127.0.0.0/8,172.16.0.0/12')
    }
    ;(word.startsWith('!') ? excluded : trusted).push(network)
  }
  const list = trusted
    .flatMap((network) => (excluded.length === 0 ? [network] : without(network, excluded)))
    .filter((network) => !network.startsWith('::ffff:'))
  reader.become(given, ['networks'], list)
  if (list.includes('0.0.0.0/0') || list.includes('::/0')) {
    reader.task.draft.changed(given.name, {
      en: 'everybody may send without a password: an open relay, should the port be reachable from outside',
      ru: 'отправлять без пароля может кто угодно: если порт доступен снаружи, это открытый релей',
    })
  }
}

/** Words, with files (`/path`) replaced by the words in them. */
function listed(value: string, { read }: Pick<Surroundings, 'read'>): string[] {
  return words(value).flatMap((word) => {
    const path = /^(?:cidr:)?(\/\S+)$/.exec(word)?.[1]
    const text = path === undefined ? undefined : read(path)
    if (text === undefined) return [word]
    const lines = text.split(/\r?\n/).filter((line) => !/^\s*(#|$)/.test(line))
    return lines.map((line) => line.trim().split(/\s+/)[0]!)
  })
}

function networksStyle(given: Given, reader: SettingsReader) {
  if (reader.task.settings.has('mynetworks')) {
    reader.task.draft.ignored(given.name, {
      en: 'mynetworks is given and decides',
      ru: 'задано mynetworks, решает оно',
    })
    return
  }
  const loopback = ['127.0.0.0/8', '::1/128']
  if (given.value === 'host') return reader.become(given, ['networks'], loopback)
  if (given.value !== 'subnet') {
    const expected = { en: 'host or subnet, or mynetworks', ru: 'host, subnet либо mynetworks' }
    return reader.wrong(given, expected, 'subnet')
  }
  reader.become(given, ['networks'], [...loopback, ...reader.task.around.interfaces])
}
