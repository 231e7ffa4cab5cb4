// Addresses that provoke what the real world does. A developer writes to `greylisted@example.test`
// and sees the retry; the table below is what the receiver obeys and what the documentation prints.

import { LRUCache } from 'lru-cache'
import { type AddressLiteral, type Domain, isAddressLiteral, parseDomain } from '../mail/domain.ts'
import type { Recipient, ReversePath } from '../mail/envelope.ts'
import { formatMailbox, type Mailbox } from '../mail/mailbox.ts'
import { refuse } from '../mail/reply.ts'
import { WireClosed } from '../smtp/wire.ts'
import { assert } from '../std/assert.ts'
import type { Clock } from '../std/clock.ts'
import { READY_DOMAIN } from './world.ts'

/** A refusal as the receiver words it. */
type Answer = readonly [code: number, status: string, text: string]

/** What the receiver does, and at which step. `once` is accepted at the next attempt. */
type Act =
  | { readonly kind: 'accept' }
  | {
      readonly kind: 'refuse'
      readonly at: 'recipient' | 'content'
      readonly often: 'once' | 'always'
      readonly answer: Answer
    }
  | { readonly kind: 'hang-up' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'broken-tls' }

type Row = {
  /** The local part, alone or followed by `+…`. */
  readonly name: string
  readonly aliases: readonly string[]
  readonly act: Act
  readonly en: string
  readonly ru: string
}

/** An address to try, and what it shows. */
export type SpeakingAddress = {
  readonly address: string
  /** Other local parts that do the same. */
  readonly aliases: readonly string[]
  readonly says: { readonly en: string; readonly ru: string }
}

const SLOW_MS = 10_000
const BROKEN_TLS = 'broken-tls'

const TABLE: readonly Row[] = [
  {
    name: 'accept',
    aliases: ['ok'],
    act: { kind: 'accept' },
    en: 'Takes the message, as every address does that is not in this table.',
    ru: 'Принимает письмо, как и любой адрес не из этой таблицы.',
  },
  {
    name: 'no-such-user',
    aliases: ['unknown', 'nobody'],
    act: refusing('recipient', 'always', [550, '5.1.1', 'No such user here']),
    en: 'Refused for good, 550 5.1.1: the sender gets a bounce.',
    ru: 'Отказ навсегда, 550 5.1.1: отправитель получит уведомление о недоставке.',
  },
  {
    name: 'greylisted',
    aliases: ['greylist', 'try-again'],
    act: refusing('recipient', 'once', [451, '4.7.1', 'Greylisted, please try again later']),
    en: 'Refused with 451 4.7.1 at the first attempt, taken at the next.',
    ru: 'При первой попытке 451 4.7.1, при следующей письмо принимается.',
  },
  {
    name: 'rate-limited',
    aliases: ['too-fast', 'busy'],
    act: refusing('recipient', 'once', [421, '4.7.0', 'Too many messages, try again later']),
    en: 'Ends the connection with 421 4.7.0 at the first attempt, takes the message at the next.',
    ru: 'При первой попытке соединение закрывается с 421 4.7.0, при следующей письмо принимается.',
  },
  {
    name: 'mailbox-full',
    aliases: ['full'],
    act: refusing('recipient', 'always', [452, '4.2.2', 'The mailbox is full, try again later']),
    en: 'Refused with 452 4.2.2 every time: the message waits, and comes back when it expires.',
    ru: 'Каждый раз 452 4.2.2: письмо ждёт в очереди и вернётся, когда выйдет его срок.',
  },
  {
    name: 'over-quota',
    aliases: ['quota'],
    act: refusing('recipient', 'always', [552, '5.2.2', 'The mailbox is over its quota']),
    en: 'Refused for good, 552 5.2.2: the sender gets a bounce.',
    ru: 'Отказ навсегда, 552 5.2.2: отправитель получит уведомление о недоставке.',
  },
  {
    name: 'spam',
    aliases: ['rejected'],
    act: refusing('content', 'always', [550, '5.7.1', 'The message looks like spam']),
    en: 'Refused for good after its content, 550 5.7.1, as spam filters do.',
    ru: 'Отказ навсегда после передачи текста, 550 5.7.1, как делают антиспам-фильтры.',
  },
  {
    name: 'drops-connection',
    aliases: ['drops', 'disconnects'],
    act: { kind: 'hang-up' },
    en: 'Drops the connection without a word at the first attempt, takes the message at the next.',
    ru: 'При первой попытке молча рвёт соединение, при следующей принимает письмо.',
  },
  {
    name: 'slow',
    aliases: [],
    act: { kind: 'wait', ms: SLOW_MS },
    en: 'Takes the message, but thinks for ten seconds first.',
    ru: 'Принимает письмо, но сначала думает десять секунд.',
  },
  {
    name: BROKEN_TLS,
    aliases: [],
    act: { kind: 'broken-tls' },
    en: 'Lives on a server whose TLS is broken: the retry goes without TLS.',
    ru: 'Живёт на сервере с неисправным TLS: повторная попытка идёт без шифрования.',
  },
]

/** The domains of world.ts that are broken, in words. */
const BROKEN_DOMAINS: readonly { domain: string; en: string; ru: string }[] = [
  {
    domain: 'anything.invalid',
    en: 'The domain does not exist: the sender gets a bounce.',
    ru: 'Домена не существует: отправитель получит уведомление о недоставке.',
  },
  {
    domain: 'null-mx.test',
    en: 'The domain says that it takes no mail (null MX): the sender gets a bounce.',
    ru: 'Домен объявил, что не принимает почту (null MX): отправитель получит уведомление о недоставке.',
  },
  {
    domain: 'no-address.test',
    en: 'The host of the domain has no address: the sender gets a bounce.',
    ru: 'У сервера этого домена нет адреса: отправитель получит уведомление о недоставке.',
  },
  {
    domain: 'dns-failure.test',
    en: 'DNS fails for the domain: the message waits.',
    ru: 'DNS не отвечает за этот домен: письмо ждёт в очереди.',
  },
  {
    domain: 'unreachable.test',
    en: 'Nobody answers at the address of the host: the message waits.',
    ru: 'По адресу сервера никто не отвечает: письмо ждёт в очереди.',
  },
]

/** All of it, for documentation, the page and the API; local parts work at every domain. */
export function speakingAddresses(): readonly SpeakingAddress[] {
  return [
    ...TABLE.map(({ name, aliases, en, ru }) => ({
      address: `${name}@${READY_DOMAIN}`,
      aliases,
      says: { en, ru },
    })),
    ...BROKEN_DOMAINS.map(({ domain, en, ru }) => ({
      address: `you@${domain}`,
      aliases: [],
      says: { en, ru },
    })),
  ]
}

/**
 * Where a recipient's mail goes in the sandbox. Addresses with broken TLS live on a host of their
 * own, and address literals must not lead out of the sandbox.
 */
export function sandboxDestination(mailbox: Mailbox): Domain {
  const domain = domainOf(mailbox.domain)
  return findRow(mailbox)?.act.kind === 'broken-tls'
    ? certainDomain(`${BROKEN_TLS}.${domain}`, domain)
    : domain
}

function domainOf(domain: Domain | AddressLiteral): Domain {
  return isAddressLiteral(domain) ? certainDomain('address-literal.test') : domain
}

function certainDomain(text: string, otherwise?: Domain): Domain {
  const domain = parseDomain(text) ?? otherwise
  assert(domain !== undefined, 'a domain written in the source is one')
  return domain
}

const MOST_REMEMBERED = 1000

/** Applies the table; remembers whom it turned away once. */
export class Behaviours {
  readonly #clock: Clock
  readonly #turnedAway = new LRUCache<string, true>({ max: MOST_REMEMBERED })

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** At RCPT. Throws a Refusal, or WireClosed to vanish. */
  atRecipient(from: ReversePath, { mailbox }: Recipient): void {
    const act = findRow(mailbox)?.act
    if (act?.kind === 'hang-up' && this.#isFirst(from, mailbox))
      throw new WireClosed('dropped on purpose')
    if (act?.kind !== 'refuse' || act.at !== 'recipient') return
    if (act.often === 'once' && !this.#isFirst(from, mailbox)) return
    throw refuse(...act.answer)
  }

  /** After the content, before it is kept. Throws a Refusal. */
  async atContent(recipients: readonly Recipient[]): Promise<void> {
    for (const { mailbox } of recipients) {
      const act = findRow(mailbox)?.act
      if (act?.kind === 'refuse' && act.at === 'content') throw refuse(...act.answer)
      if (act?.kind === 'wait') await this.#clock.sleep(act.ms)
    }
  }

  /** The message was taken: the next one to this recipient begins anew. */
  taken(from: ReversePath, recipients: readonly Recipient[]): void {
    for (const { mailbox } of recipients) this.#turnedAway.delete(pairOf(from, mailbox))
  }

  #isFirst(from: ReversePath, mailbox: Mailbox): boolean {
    const pair = pairOf(from, mailbox)
    if (this.#turnedAway.has(pair)) return false
    this.#turnedAway.set(pair, true)
    return true
  }
}

function pairOf(from: ReversePath, to: Mailbox): string {
  return `${from ? formatMailbox(from) : ''} ${formatMailbox(to)}`
}

function findRow({ localPart }: Mailbox): Row | undefined {
  const name = localPart.toLowerCase().replace(/\+.*$/s, '')
  return TABLE.find((row) => row.name === name || row.aliases.includes(name))
}

function refusing(at: 'recipient' | 'content', often: 'once' | 'always', answer: Answer): Act {
  return { kind: 'refuse', at, often, answer }
}
