// What a notice says to a person. English comes first, since the sender's language cannot be known;
// Russian follows where the operator wants it. The remote server's own words stand in it verbatim.

import { type Domain, displayDomain, isAddressLiteral } from '../mail/domain.ts'
import { decodeWords } from '../mail/encoded-word.ts'
import { describeCause } from '../mail/failure.ts'
import { formatLocalPart, type Mailbox } from '../mail/mailbox.ts'
import type { Message } from '../mail/message.ts'
import { tame } from '../mail/report.ts'
import { formatStatus } from '../mail/status.ts'
import { formatDate } from '../mail/trace.ts'
import { unreachable } from '../std/assert.ts'
import type { Owed } from './bounce.ts'

export type Language = 'en' | 'ru'

type Words = {
  readonly server: (hostname: string) => string
  readonly about: (date: string, subject: string) => string
  readonly failed: string
  readonly delayed: string
  readonly relayed: string
  readonly noRetry: string
  readonly expired: string
  readonly tooLate: (date: string) => string
  readonly retryUntil: (date: string) => string
  readonly noReports: string
  readonly noAnswer: string
}

const WORDS: { readonly [language in Language]: Words } = {
  en: {
    server: (hostname) => `This is the mail server ${hostname}.`,
    about: (date, subject) => `It is about your message of ${date}${subject && `, "${subject}"`}.`,
    failed: 'It could not be delivered to:',
    delayed: 'It is late, but not lost. You need not send it again. It still waits for:',
    relayed: 'It was handed on; the next server will not report what becomes of it there:',
    noRetry: 'It will not be tried again.',
    expired: 'It was tried for as long as this server keeps mail, and is given up.',
    tooLate: (date) => `You wanted it delivered by ${date} or not at all. It is given up.`,
    retryUntil: (date) => `It is tried again until ${date}.`,
    noReports: 'accepted',
    noAnswer: 'No reason is known.',
  },
  ru: {
    server: (hostname) => `Пишет почтовый сервер ${hostname}.`,
    about: (date, subject) => `Речь о вашем письме от ${date}${subject && `, «${subject}»`}.`,
    failed: 'Его не удалось доставить:',
    delayed: 'Оно задерживается, но не потеряно; отправлять его снова не нужно. Ещё не доставлено:',
    relayed: 'Оно передано дальше; следующий сервер о доставке не сообщает:',
    noRetry: 'Новых попыток не будет.',
    expired: 'Срок хранения на сервере истёк, новых попыток не будет.',
    tooLate: (date) =>
      `Вы просили доставить его не позже ${date} или не доставлять вовсе. Новых попыток не будет.`,
    retryUntil: (date) => `Попытки продолжатся до ${date}.`,
    noReports: 'принято',
    noAnswer: 'Причина неизвестна.',
  },
}

/** One line; the worst news decides. */
export function noticeSubject(owed: readonly Owed[]): string {
  const has = (action: Owed['action']) => owed.some((one) => one.action === action)
  const word = has('failed') ? 'Not delivered' : has('delayed') ? 'Delayed' : 'Handed on'
  const [first] = owed
  return owed.length === 1 && first
    ? `${word}: your message to ${display(first.entry.recipient.mailbox)}`
    : `${word}: your message to ${owed.length} recipients`
}

export function noticeText(
  owed: readonly Owed[],
  options: {
    readonly message: Message
    readonly hostname: Domain
    readonly languages: readonly Language[]
    readonly subject: string | undefined
  },
): string {
  const languages = new Set<Language>(['en', ...options.languages])
  return [...languages].map((language) => paragraph(owed, WORDS[language], options)).join('\n')
}

function paragraph(
  owed: readonly Owed[],
  words: Words,
  options: { message: Message; hostname: Domain; subject: string | undefined },
): string {
  const { message, hostname, subject } = options
  const title = subject === undefined ? '' : tame(decodeWords(subject)).slice(0, 200)
  let text = `${words.server(hostname)}\n${words.about(formatDate(message.acceptedAt), title)}\n`
  for (const action of ['failed', 'delayed', 'relayed'] as const) {
    const these = owed.filter((one) => one.action === action)
    if (these.length === 0) continue
    text += `\n${words[action]}\n`
    for (const one of these)
      text += `\n  ${display(one.entry.recipient.mailbox)}\n${why(one, words)}`
  }
  return text
}

function why(owed: Owed, words: Words): string {
  const indent = (line: string) => (line ? `    ${line}\n` : '')
  switch (owed.action) {
    case 'relayed':
      return indent(owed.reply ? tame(owed.reply.text.join(' ')) : words.noReports)
    case 'delayed':
      return indent(reason(owed, words)) + indent(until(owed, words))
    case 'failed':
      return indent(reason(owed, words)) + indent(ending(owed, words))
    default:
      return unreachable(owed.action)
  }
}

function ending({ expired, by }: Owed, words: Words): string {
  if (by !== undefined) return words.tooLate(formatDate(by))
  return expired ? words.expired : words.noRetry
}

function until({ willRetryUntil }: Owed, words: Words): string {
  return willRetryUntil === undefined ? '' : words.retryUntil(formatDate(willRetryUntil))
}

function reason({ failure }: Owed, words: Words): string {
  if (!failure) return words.noAnswer
  const { cause } = failure
  if (cause.kind !== 'reply') return tame(describeCause(cause))
  const { code, status, text } = cause.reply
  return tame(`${cause.host}: ${code} ${status ? `${formatStatus(status)} ` : ''}${text.join(' ')}`)
}

/** As people write it: the domain in its own script. */
function display({ localPart, domain }: Mailbox): string {
  const name = isAddressLiteral(domain) ? domain : displayDomain(domain)
  return tame(`${formatLocalPart(localPart)}@${name}`)
}
