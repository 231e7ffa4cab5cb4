import type { SignatureState } from '../../doctor/headers.ts'
import { plurals } from '../plural.ts'

const english = plurals('en', { attempt: { one: 'attempt', other: 'attempts' } })
const russian = plurals('ru', {
  attempt: { one: 'попытка', few: 'попытки', other: 'попыток' },
})

const en = {
  about:
    'Say in plain words what something means: a code of the doctor, an id in the queue, ' +
    'a reply or bounce, pasted headers; without anything, list the codes.',
  headers: 'read headers, a message or a bounce from standard input',
  file: 'read them from this file',
  paste: 'Paste the headers, then press Ctrl-D on an empty line.',
  unreadable: (file: string, why: string) => `${file} cannot be read (${why}).`,
  nothing: 'There is neither a header nor a reply in that text.',
  happened: 'What happened:',
  next: 'What happens next:',
  helps: 'What would change it:',
  more: (command: string) => `More: ${command}`,
  wait: 'Nothing is lost: it is tried again by itself, until retry.expire is over.',
  over: 'It is not tried again; the sender gets a notice.',
  done: 'Nothing more; it left this server.',
  from: (domain: string) => `A message From ${domain}.`,
  way: 'The way it came:',
  encrypted: 'TLS',
  clear: 'no TLS',
  slow: (text: string) => `waited ${text}`,
  found: (by: string) => `${by} found:`,
  failed: {
    spf: [
      'The address that it came from is not in the SPF record of the reverse-path’s domain.',
      'Put it there: posthorn dns DOMAIN --only spf. When somebody forwarded the mail, this is as it must be.',
    ],
    dkim: [
      'The signature did not pass there: its key was not found, or something on the way changed the message.',
      'See below what is so now; posthorn doctor asks every name server for the key.',
    ],
    dmarc: [
      'Neither a signature nor SPF that passed belongs to the domain in From.',
      'One of the two has to: mend the one above it.',
    ],
  } as Readonly<Record<string, readonly [string, string]>>,
  notJudged: 'No receiver has written down what it found (no Authentication-Results).',
  signatures: 'Its signatures, looked at now:',
  unsigned: 'It bears no DKIM signature.',
  state: {
    good: 'fits what it signs',
    'header-changed':
      'does not fit the header: something on the way changed it, or it was not pasted whole',
    'body-changed':
      'fits the header and not the body: something changed the text, such as a footer of a list',
    'no-key': 'there is no usable key in DNS',
    unreadable: 'is of a kind that receivers of today do not read',
    'cannot-tell': 'DNS gave no answer about its key',
  } satisfies Record<SignatureState, string>,
  foreign: (domain: string) => `not counted for ${domain} by DMARC`,
  noBody: 'Only the header was looked at; paste the whole source to have the text checked too.',
  believed:
    'The receiver believed it. If it lay in the junk folder all the same, it is for its content or for our reputation.',
  look: (command: string) => `Next: ${command}`,
  message: (id: string, from: string) => `Message ${id} from ${from === '' ? '<>' : from}`,
  to: (address: string) => `To ${address}:`,
  waits: (tries: number, when: string) =>
    `waits after ${english.attempt(tries)}; the next one is at ${when}`,
  held: 'is on hold, until somebody says so: posthorn queue retry',
  fresh: 'was not tried yet',
  ended: {
    delivered: 'delivered',
    bounced: 'refused for good',
    expired: 'given up, it waited too long',
    cancelled: 'cancelled by an operator',
    deferred: 'put off',
  },
  noMessage: (id: string) => `No message ${id} is in the queue or remembered here.`,
}

const ru: typeof en = {
  about:
    'Сказать простыми словами, что это значит: код проверки, номер в очереди, ' +
    'ответ сервера или отказ, вставленные заголовки; без аргументов перечислить коды.',
  headers: 'прочитать заголовки, письмо или отказ из стандартного ввода',
  file: 'прочитать их из этого файла',
  paste: 'Вставьте заголовки и нажмите Ctrl-D на пустой строке.',
  unreadable: (file, why) => `${file} не читается (${why}).`,
  nothing: 'В этом тексте нет ни заголовков, ни ответа сервера.',
  happened: 'Что случилось:',
  next: 'Что будет дальше:',
  helps: 'Что это изменит:',
  more: (command) => `Подробнее: ${command}`,
  wait: 'Ничего не потеряно: попытки повторяются сами, пока не истечёт retry.expire.',
  over: 'Новых попыток не будет; отправитель получает уведомление.',
  done: 'Ничего; с этого сервера письмо ушло.',
  from: (domain) => `Письмо от ${domain}.`,
  way: 'Как оно шло:',
  encrypted: 'TLS',
  clear: 'без TLS',
  slow: (text) => `ждало ${text}`,
  found: (by) => `${by} установил:`,
  failed: {
    spf: [
      'Адреса, с которого письмо пришло, нет в записи SPF домена обратного адреса.',
      'Внесите его туда: posthorn dns ДОМЕН --only spf. Если письмо переслали, так и должно быть.',
    ],
    dkim: [
      'Подпись там не прошла: не нашёлся её ключ или письмо в пути изменили.',
      'Ниже видно, как обстоит дело сейчас; posthorn doctor спросит о ключе каждый сервер имён.',
    ],
    dmarc: [
      'Ни прошедшая подпись, ни прошедший SPF не принадлежат домену из From.',
      'Нужно, чтобы принадлежало хоть одно: исправьте то, что выше.',
    ],
  },
  notJudged: 'Ни один получатель не записал, что он установил (нет Authentication-Results).',
  signatures: 'Подписи, проверенные сейчас:',
  unsigned: 'Подписи DKIM на нём нет.',
  state: {
    good: 'подходит к подписанному',
    'header-changed': 'не подходит к заголовку: его изменили в пути или вставили не целиком',
    'body-changed':
      'подходит к заголовку, но не к тексту: текст изменили, например подписью рассылки',
    'no-key': 'пригодного ключа в DNS нет',
    unreadable: 'такого вида, который нынешние получатели не читают',
    'cannot-tell': 'DNS не ответил о ключе',
  },
  foreign: (domain) => `для ${domain} DMARC её не засчитывает`,
  noBody: 'Проверен только заголовок; вставьте исходный текст целиком, и текст тоже проверится.',
  believed:
    'Получатель письму поверил. Если оно всё же в спаме, дело в содержании или в нашей репутации.',
  look: (command) => `Дальше: ${command}`,
  message: (id, from) => `Письмо ${id} от ${from === '' ? '<>' : from}`,
  to: (address) => `Для ${address}:`,
  waits: (tries, when) => `ждёт (${russian.attempt(tries)} позади), следующая в ${when}`,
  held: 'удержано, пока кто-нибудь не отпустит: posthorn queue retry',
  fresh: 'попыток ещё не было',
  ended: {
    delivered: 'доставлено',
    bounced: 'отказано окончательно',
    expired: 'ждало слишком долго, дальше не пытаемся',
    cancelled: 'отменено оператором',
    deferred: 'отложено',
  },
  noMessage: (id) => `Письма ${id} нет ни в очереди, ни среди запомненных.`,
}

export const explainTexts = { en, ru }
