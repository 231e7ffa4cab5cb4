// Filters that other people run, asked about each message.

import { duration, milterAddress, oneOf } from './kinds.ts'
import { named, option, section } from './option.ts'

const milter = {
  address: option(
    milterAddress,
    {
      en: 'Where it listens: unix:/path or inet:host:port (also inet:port@host).',
      ru: 'Где он слушает: unix:/путь или inet:хост:порт (также inet:порт@хост).',
    },
    { example: 'inet:127.0.0.1:8891' },
  ),
  on_failure: option(
    oneOf('accept', 'tempfail', 'reject'),
    {
      en: 'When it is away, hangs or errs: accept goes on without it, tempfail answers 451, reject 550.',
      ru: 'Если он недоступен, завис или ошибся: accept продолжает без него, tempfail отвечает 451, reject 550.',
    },
    { default: 'tempfail', example: 'accept' },
  ),
  on_quarantine: option(
    oneOf('hold', 'reject'),
    {
      en: 'When it wants a message in quarantine: hold it in the queue, or refuse it.',
      ru: 'Если он отправляет письмо в карантин: hold задерживает его в очереди, reject отказывает.',
    },
    { default: 'hold', example: 'reject' },
  ),
  connect_timeout: option(
    duration,
    { en: 'For a connection.', ru: 'На соединение.' },
    { default: '30s', example: '5s' },
  ),
  command_timeout: option(
    duration,
    { en: 'For the answer to each step.', ru: 'На ответ на каждый шаг.' },
    { default: '30s', example: '10s' },
  ),
  message_timeout: option(
    duration,
    { en: 'For the answer to a whole message.', ru: 'На ответ о письме целиком.' },
    { default: '5m', example: '1m' },
  ),
}

/** `unix:/run/opendkim.sock` for a filter with everything else as it is. */
function bareAddress(text: string): Record<string, unknown> | undefined {
  return { address: text }
}

export const milters = named(
  section(milter, { en: 'One filter.', ru: 'Один фильтр.' }, { short: bareAddress }),
  {
    en: 'Filters (milters) such as OpenDKIM or rspamd, asked about each message in this order; our own signature comes after them.',
    ru: 'Фильтры (milter), например OpenDKIM или rspamd: их спрашивают о каждом письме в этом порядке; наша подпись ставится после них.',
  },
  { example: 'opendkim: inet:127.0.0.1:8891' },
)
