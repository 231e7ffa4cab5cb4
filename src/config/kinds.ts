// The kinds of values that options take. A kind reads what YAML, an environment variable or a flag
// gave (so text is welcome for numbers, switches and lists), and says in words what it wants.

import { isIP } from 'node:net'
import { type Domain, parseDomain } from '../mail/domain.ts'
import { formatMailbox, type Mailbox, parseMailbox } from '../mail/mailbox.ts'
import type { Brand } from '../std/brand.ts'
import type { Text } from './language.ts'
import { parseDuration, parseSize } from './units.ts'

export type Milliseconds = Brand<number, 'ms'>
export type Bytes = Brand<number, 'bytes'>

export type Kind<T> = {
  /** What is expected, as the end of "expected …". */
  readonly expects: Text
  /** JSON Schema of the YAML form, for editors. */
  readonly json: Readonly<Record<string, unknown>>
  /** Words that a typo may have meant. */
  readonly words?: readonly string[]
  /** Appended to the option's name in the Config type. */
  readonly unit?: 'ms' | 'bytes'
  /** Undefined: not of this kind. */
  parse(value: unknown): T | undefined
  /** Back to what the file would hold; absent: it is the same. */
  format?(value: T): unknown
}

export function oneOf<const W extends string>(...words: W[]): Kind<W> {
  const list = words.join(' | ')
  return {
    expects: { en: `one of ${list}`, ru: `одно из ${list}` },
    json: { enum: words },
    words,
    parse: (value) => words.find((word) => word === value),
  }
}

export function wholeNumber(least: number, most: number): Kind<number> {
  return {
    expects: {
      en: `a whole number from ${least} to ${most}`,
      ru: `целое число от ${least} до ${most}`,
    },
    json: { type: 'integer', minimum: least, maximum: most },
    parse(value) {
      const number =
        typeof value === 'string' && /^-?\d{1,15}$/.test(value.trim()) ? Number(value) : value
      if (typeof number !== 'number' || !Number.isInteger(number)) return undefined
      return number >= least && number <= most ? number : undefined
    },
  }
}

/** 0 lets the system choose, for tests and for many servers on one machine. */
export const port: Kind<number> = wholeNumber(0, 65535)

/** A port to connect to. */
export const remotePort: Kind<number> = wholeNumber(1, 65535)

export const yesNo: Kind<boolean> = {
  expects: { en: 'true or false', ru: 'true или false' },
  json: { type: 'boolean' },
  words: ['true', 'false'],
  parse(value) {
    if (typeof value === 'boolean') return value
    const word = typeof value === 'string' ? value.trim().toLowerCase() : ''
    if (['true', 'yes', 'on', '1'].includes(word)) return true
    return ['false', 'no', 'off', '0'].includes(word) ? false : undefined
  },
}

export const duration: Kind<Milliseconds> = {
  expects: { en: 'a duration such as 30s, 5m or 3d', ru: 'длительность: 30s, 5m или 3d' },
  json: { type: 'string', pattern: '^(\\s*[\\d.]+\\s*(ms|s|m|h|d|w))+$' },
  unit: 'ms',
  parse: (value) =>
    typeof value === 'string' ? (parseDuration(value) as Milliseconds | undefined) : undefined,
}

export const size: Kind<Bytes> = {
  expects: {
    en: 'a size such as 25MiB, 512KiB or 10MB',
    ru: 'размер: 25MiB, 512KiB или 10MB',
  },
  json: { type: ['string', 'integer'] },
  unit: 'bytes',
  parse(value) {
    const text = typeof value === 'number' ? String(value) : value
    return typeof text === 'string' ? (parseSize(text) as Bytes | undefined) : undefined
  },
}

export const text: Kind<string> = {
  expects: { en: 'text', ru: 'текст' },
  json: { type: 'string' },
  parse(value) {
    const asText = typeof value === 'number' ? String(value) : value
    if (typeof asText !== 'string' || asText === '') return undefined
    return /[\0\r\n]/.test(asText) ? undefined : asText
  },
}

export const domainName: Kind<Domain> = {
  expects: {
    en: 'a domain name such as mail.example.com',
    ru: 'доменное имя, например mail.example.com',
  },
  json: { type: 'string' },
  parse: (value) => (typeof value === 'string' ? parseDomain(value.trim()) : undefined),
}

/** `user@example.com` */
export const mailAddress: Kind<Mailbox> = {
  expects: { en: 'a mail address', ru: 'почтовый адрес' },
  json: { type: 'string' },
  parse: (value) => (typeof value === 'string' ? parseMailbox(value.trim()) : undefined),
  format: formatMailbox,
}

/** A domain, or `!` and a domain. */
export const masked: Kind<{ readonly domain: Domain; readonly except: boolean }> = {
  expects: { en: 'a domain, with or without ! before it', ru: 'домен, возможно с «!» перед ним' },
  json: { type: 'string' },
  parse(value) {
    if (typeof value !== 'string') return undefined
    const text = value.trim()
    const domain = parseDomain(text.replace(/^!/, ''))
    return domain && { domain, except: text.startsWith('!') }
  },
  format: ({ domain, except }) => `${except ? '!' : ''}${domain}`,
}

/** `name: target, target`, as in an alias file. */
export const aliasEntry: Kind<string> = {
  expects: {
    en: 'an entry such as "root: admin@example.com"',
    ru: 'запись вида "root: admin@example.com"',
  },
  json: { type: 'string' },
  parse: (value) =>
    typeof value === 'string' && /^[^\s:"#]+\s*:\s*[^\s\0][^\r\n\0]*$/.test(value.trim())
      ? value.trim()
      : undefined,
}

/** Without these a message is none, or nobody knows how to read it. */
const NEEDED = /^(?:from|date|message-id|to|cc|subject|mime-version|content-.*|dkim-signature)$/i

/** A header field's name, or the beginning of names with `*`. */
export const fieldName: Kind<string> = {
  expects: {
    en: 'a header field such as X-Mailer or X-PHP-* that a message can do without',
    ru: 'поле заголовка, без которого письмо обойдётся, например X-Mailer или X-PHP-*',
  },
  json: { type: 'string' },
  parse: (value) =>
    typeof value === 'string' && /^[!-)+-9;-~]{2,76}\*?$/.test(value) && !NEEDED.test(value)
      ? value
      : undefined,
}

export type MilterPlace =
  | { readonly path: string }
  | { readonly host: string; readonly port: number }

/** `unix:/path`, `local:/path`, `inet:host:port` as Postfix writes it, `inet:port@host` as Sendmail does. */
export const milterAddress: Kind<MilterPlace> = {
  expects: {
    en: 'unix:/path or inet:host:port',
    ru: 'unix:/путь или inet:хост:порт',
  },
  json: { type: 'string' },
  parse(value) {
    if (typeof value !== 'string') return undefined
    const [, path] = /^(?:unix|local):(\/[^\0]+)$/.exec(value.trim()) ?? []
    if (path !== undefined) return { path }
    const [, first, second, third, fourth] =
      /^inet6?:(?:(\d{1,5})@(.+)|(.+):(\d{1,5}))$/.exec(value.trim()) ?? []
    const found = host.parse(second ?? third ?? '')
    const number = remotePort.parse(first ?? fourth ?? '')
    return found !== undefined && number !== undefined ? { host: found, port: number } : undefined
  },
  format(place) {
    if ('path' in place) return `unix:${place.path}`
    return `inet:${isIP(place.host) === 6 ? `[${place.host}]` : place.host}:${place.port}`
  },
}

/** A host to connect to: a name or an IP address, the latter without brackets. */
export const host: Kind<string> = {
  expects: { en: 'a host name or an IP address', ru: 'имя хоста или IP-адрес' },
  json: { type: 'string' },
  parse(value) {
    if (typeof value !== 'string') return undefined
    const bare = value.trim().replace(/^\[(.*)\]$/, '$1')
    return isIP(bare) ? bare : parseDomain(bare)
  },
}

export const ipAddress: Kind<string> = address(0)
export const ipv4Address: Kind<string> = address(4)
export const ipv6Address: Kind<string> = address(6)

function address(version: 0 | 4 | 6): Kind<string> {
  const name = version === 0 ? 'IP' : `IPv${version}`
  return {
    expects: { en: `an ${name} address`, ru: `адрес ${name}` },
    json: { type: 'string' },
    parse(value) {
      const found = typeof value === 'string' ? isIP(value.trim()) : 0
      return found !== 0 && (version === 0 || found === version)
        ? (value as string).trim()
        : undefined
    },
  }
}

/** `192.0.2.0/24`, `2001:db8::/32`, or one address. */
export const network: Kind<string> = {
  expects: {
    en: 'a network such as 192.0.2.0/24 or 2001:db8::/32',
    ru: 'сеть, например 192.0.2.0/24 или 2001:db8::/32',
  },
  json: { type: 'string' },
  parse(value) {
    if (typeof value !== 'string') return undefined
    const [, base = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(value.trim()) ?? []
    const version = isIP(base)
    if (version === 0) return undefined
    const most = version === 4 ? 32 : 128
    return Number(bits ?? most) <= most ? `${base}/${bits ?? most}` : undefined
  },
}

/** `192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::53]:53`; port 53 when none is given. */
export const dnsServer: Kind<string> = {
  expects: {
    en: 'an IP address with or without a port, such as 192.0.2.53 or [2001:db8::53]:5353',
    ru: 'IP-адрес с портом или без, например 192.0.2.53 или [2001:db8::53]:5353',
  },
  json: { type: 'string' },
  parse(value) {
    if (typeof value !== 'string') return undefined
    const trimmed = value.trim()
    if (isIP(trimmed)) return trimmed
    const [, six, four, number] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(trimmed) ?? []
    const good = six ? isIP(six) === 6 : isIP(four ?? '') === 4
    return good && Number(number ?? 53) <= 65535 ? trimmed : undefined
  },
}

/** A list; text is cut at commas and blanks, so that an environment variable can hold one. */
export function listOf<T>(kind: Kind<T>): Kind<readonly T[]> {
  return {
    expects: {
      en: `a list, each ${kind.expects.en}`,
      ru: `список, каждый элемент: ${kind.expects.ru}`,
    },
    json: { type: 'array', items: kind.json },
    parse(value) {
      const items = typeof value === 'string' ? value.split(/[\s,]+/).filter(Boolean) : value
      if (!Array.isArray(items)) return undefined
      const parsed = items.map((item) => kind.parse(item))
      return parsed.every((item) => item !== undefined) ? (parsed as T[]) : undefined
    },
    format: (items) => items.map((item) => (kind.format ? kind.format(item) : item)),
  }
}

/** The kind, or nothing: null in YAML, an empty environment variable. */
export function orNothing<T>(kind: Kind<T>): Kind<T | null> {
  return {
    ...kind,
    json: { anyOf: [kind.json, { type: 'null' }] },
    parse: (value) => (value === null || value === '' ? null : kind.parse(value)),
    format: (value) => (value !== null && kind.format ? kind.format(value) : value),
  }
}
