// Configuration, said once. This room reads the YAML file, the environment and the flags (load.ts),
// lists every fault with its place (faults.ts) and prints the reference, the example and the JSON
// Schema (describe.ts); all of it from the options below. Rooms never see it: they take plain
// records. What can go wrong is a typo, and then nothing starts until all of them are repaired.

import { z } from 'zod'
import { auth } from './auth.ts'
import { credentials, senders } from './clients.ts'
import { dnsPublish } from './dns-publish.ts'
import { doctor } from './doctor.ts'
import {
  type Bytes,
  domainName,
  ipAddress,
  ipv4Address,
  ipv6Address,
  listOf,
  type Milliseconds,
  network,
  oneOf,
  orNothing,
  port,
  text,
  yesNo,
} from './kinds.ts'
import { milters } from './milters.ts'
import { named, option, optionalSection, section } from './option.ts'
import { proxies } from './proxies.ts'
import { rewrite } from './rewrite.ts'
import { behind, delivery, domain, limits, relay, retry } from './sections.ts'
import { sendmail } from './sendmail.ts'
import { domainList, logFormat, relayUrl } from './short.ts'
import { certificates, tls } from './tls.ts'
import { trust } from './trust.ts'
import { wishes } from './wishes.ts'

/** RFC 6409 and RFC 8314: who calls a listener so gets what is usual there. */
const LISTENER_PRESETS = {
  submission: { address: '0.0.0.0', port: 587, tls: 'starttls', auth: 'required' },
  submissions: { address: '0.0.0.0', port: 465, tls: 'implicit', auth: 'required' },
}

const listener = (defaults: { port?: number }) => ({
  address: option(
    ipAddress,
    {
      en: 'Address to listen on; 0.0.0.0 or :: for every one of this machine.',
      ru: 'Адрес, на котором слушать; 0.0.0.0 или :: означает все адреса машины.',
    },
    { default: '127.0.0.1', example: '0.0.0.0' },
  ),
  port: option(
    port,
    {
      en: 'TCP port to take mail on; 0 is any free one.',
      ru: 'Порт TCP, на котором принимать почту; 0 означает любой свободный.',
    },
    defaults.port === undefined ? { example: '587' } : { default: defaults.port, example: '587' },
  ),
  tls: option(
    oneOf('none', 'starttls', 'implicit'),
    {
      en: 'none, starttls (as on port 587) or implicit (as on port 465); without tls.certificate an authority of our own signs.',
      ru: 'none, starttls (как на порту 587) или implicit (как на порту 465); без tls.certificate подпишет наш собственный центр.',
    },
    { default: 'none', example: 'starttls' },
  ),
  auth: option(
    oneOf('optional', 'required'),
    {
      en: 'optional lets `networks` send without a password; required asks everybody for one.',
      ru: 'optional разрешает сетям из `networks` отправлять без пароля; required требует пароль от всех.',
    },
    { default: 'optional', example: 'required' },
  ),
  auth_without_tls: option(
    orNothing(yesNo),
    {
      en: 'Take passwords without TLS; null only from this machine, and in the sandbox where tls is none.',
      ru: 'Принимать пароли без TLS; null: только с этой машины, а в песочнице и там, где tls: none.',
    },
    { default: null, example: 'true' },
  ),
  ...proxies,
})

const identity = {
  mode: option(
    oneOf('sandbox', 'live'),
    {
      en: 'What happens to mail from domains that do not say: sandbox captures it, live delivers it.',
      ru: 'Что делать с почтой доменов, для которых не сказано иное: sandbox задерживает её у себя, live доставляет.',
    },
    { default: 'sandbox', example: 'live' },
  ),
  hostname: option(
    orNothing(domainName),
    {
      en: 'Our name in HELO and in the reverse DNS; null takes the machine’s full name, or mail.example.test in the sandbox.',
      ru: 'Наше имя в HELO и в обратной зоне DNS; null: полное имя машины, а в песочнице mail.example.test.',
    },
    { default: null, example: 'mail.example.com' },
  ),
  public_ipv4: option(
    orNothing(ipv4Address),
    {
      en: 'The IPv4 address that the world sees our mail come from; printed in SPF records.',
      ru: 'Адрес IPv4, с которого мир видит нашу почту; попадает в записи SPF.',
    },
    { default: null, example: '203.0.113.10' },
  ),
  public_ipv6: option(
    orNothing(ipv6Address),
    {
      en: 'The same for IPv6.',
      ru: 'То же для IPv6.',
    },
    { default: null, example: '2001:db8::10' },
  ),
  data: option(
    text,
    {
      en: 'Folder for the queue, keys and passwords; back it up. Relative to the working directory, like every path here.',
      ru: 'Папка для очереди, ключей и паролей; делайте её копии. Путь, как и все здесь, считается от текущей папки.',
    },
    { default: './data', example: '/var/lib/posthorn' },
  ),
  language: option(
    oneOf('auto', 'en', 'ru'),
    {
      en: 'Language of the command line; auto follows LC_ALL and LANG.',
      ru: 'Язык командной строки; auto следует LC_ALL и LANG.',
    },
    { default: 'auto', example: 'ru', alias: 'POSTHORN_LANG' },
  ),
}

const doors = {
  log: section(
    {
      format: option(
        oneOf('auto', 'plain', 'json', 'postfix'),
        {
          en: 'plain for people, json for machines, postfix for what reads the log of Postfix; auto: plain on a terminal, else json.',
          ru: 'plain для людей, json для программ, postfix для тех, что читают журнал Postfix; auto: plain на терминале, иначе json.',
        },
        { default: 'auto', example: 'json' },
      ),
      level: option(
        oneOf('debug', 'info', 'warn', 'error'),
        {
          en: 'The least important line that is written.',
          ru: 'Наименее важные строки, которые ещё пишутся.',
        },
        { default: 'info', example: 'debug' },
      ),
      addresses: option(
        oneOf('full', 'masked', 'hidden'),
        {
          en: 'Mail addresses in the log: as they are, as b***b@e***.net, or not at all.',
          ru: 'Почтовые адреса в журнале: как есть, в виде b***b@e***.net или никак.',
        },
        { default: 'full', example: 'masked' },
      ),
    },
    { en: 'The log, on standard error.', ru: 'Журнал, пишется в стандартный поток ошибок.' },
    { short: logFormat },
  ),
  auth,
  http: section(
    {
      address: option(
        ipAddress,
        { en: 'Address of the HTTP API.', ru: 'Адрес HTTP API.' },
        { default: '127.0.0.1', example: '0.0.0.0' },
      ),
      port: option(
        port,
        {
          en: 'TCP port of the HTTP door; 0 is any free one.',
          ru: 'Порт TCP для HTTP; 0 означает любой свободный.',
        },
        { default: 8025, example: '80' },
      ),
      hosts: option(
        listOf(domainName),
        {
          en: 'Further names under which it may be called; localhost, IP addresses and hostname are always allowed.',
          ru: 'Другие имена, по которым к нему можно обращаться; localhost, IP-адреса и hostname разрешены всегда.',
        },
        { default: [], example: '[posthorn.internal]' },
      ),
    },
    { en: 'The HTTP door: API, health and metrics.', ru: 'Вход HTTP: API, состояние и метрики.' },
  ),
  smtp: section(listener({ port: 2525 }), {
    en: 'The main SMTP listener, for applications.',
    ru: 'Главный вход SMTP, для приложений.',
  }),
  listeners: named(
    section(listener({}), { en: 'One listener.', ru: 'Один вход.' }),
    {
      en: [
        'Further SMTP listeners, by a name of your choice; submission (port 587, STARTTLS) and',
        'submissions (port 465, TLS at once) need nothing but their name.',
      ].join(' '),
      ru: [
        'Другие входы SMTP, под любыми именами; submission (порт 587, STARTTLS) и',
        'submissions (порт 465, TLS с первого байта) требуют только имени.',
      ].join(' '),
    },
    { example: 'submissions: {}', presets: LISTENER_PRESETS },
  ),
  networks: option(
    listOf(network),
    {
      en: 'Clients in these networks may send without a password.',
      ru: 'Клиенты из этих сетей могут отправлять без пароля.',
    },
    { default: ['127.0.0.0/8', '::1/128'], example: '[127.0.0.0/8, ::1/128, 10.0.0.0/8]' },
  ),
  tls,
  certificates,
}

export const configSchema = z.strictObject({
  ...identity,
  ...doors,
  ...trust,
  limits,
  senders,
  credentials,
  domains: named(
    section(domain, { en: 'One domain.', ru: 'Один домен.' }),
    {
      en: 'Domains that we send for; more can be added with `posthorn domain add`. Short form: a list of names.',
      ru: 'Домены, от имени которых отправляем; другие добавит `posthorn domain add`. Кратко: список имён.',
    },
    { short: domainList, example: 'example.com: { mode: live }' },
  ),
  relayhost: optionalSection(
    relay,
    {
      en: 'Hand all mail to this server instead of the receivers’. Short form: smtp://user:password@host:587',
      ru: 'Отдавать всю почту этому серверу, а не серверам получателей. Кратко: smtp://user:password@host:587',
    },
    { short: relayUrl, secret: true, example: 'smtp://user:password@smtp.example.net:587' },
  ),
  routes: named(
    section(relay, { en: 'One relay.', ru: 'Один сервер.' }, { short: relayUrl, secret: true }),
    {
      en: 'Hand the mail for some recipients’ domains to their own server; written like relayhost.',
      ru: 'Отдавать почту для некоторых доменов получателей отдельному серверу; пишется как relayhost.',
    },
    { example: 'example.org: smtp://10.0.0.25:25' },
  ),
  delivery,
  retry,
  wishes,
  rewrite,
  sendmail,
  doctor,
  milters,
  ...behind,
  dns_publish: dnsPublish,
})

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S

type Unit<V> = V extends Milliseconds ? 'Ms' : V extends Bytes ? 'Bytes' : ''

type Shaped<T> = T extends Milliseconds | Bytes
  ? number
  : T extends string | number | boolean | null | readonly unknown[]
    ? T
    : string extends keyof T
      ? { readonly [K in keyof T]: Shaped<T[K]> }
      : { readonly [K in keyof T & string as `${Camel<K>}${Unit<T[K]>}`]: Shaped<T[K]> }

/** The options as the schema gives them: names in camel case, ending in their unit. */
type RawConfig = Shaped<z.output<typeof configSchema>>

export type DomainConfig = Omit<RawConfig['domains'][string], 'mode'> & {
  readonly mode: 'sandbox' | 'live'
  /** Nothing was said of this domain: it has the top-level mode. */
  readonly followsMode: boolean
}

export type ListenerConfig = RawConfig['smtp']
export type RelayConfig = RawConfig['routes'][string]

/** What the server runs with: `hostname` and every domain's mode are settled, paths are absolute. */
export type Config = Omit<RawConfig, 'hostname' | 'domains' | 'sendmail'> & {
  readonly hostname: NonNullable<RawConfig['hostname']>
  readonly sendmail: RawConfig['sendmail'] & { readonly folder: string }
  readonly domains: Readonly<Record<string, DomainConfig>>
}

export type { RawConfig }
