// Who may send, as far as a file or a container says it: passwords, and under which domains.

import { domainName, listOf, oneOf, text } from './kinds.ts'
import { named, option, section } from './option.ts'

export const senders = option(
  oneOf('domains', 'any'),
  {
    en: [
      'Whose live mail we take: domains only that of our domains; any also that of all others, unsigned,',
      'for a relay that signs itself.',
    ].join(' '),
    ru: [
      'Чью почту для доставки мы берём: domains только наших доменов, any и всех остальных, без подписи:',
      'для релея, который подписывает сам.',
    ].join(' '),
  },
  { default: 'domains', example: 'any' },
)

export const credentials = named(
  section(
    {
      password: option(
        text,
        { en: 'What the client logs in with.', ru: 'Пароль, с которым входит клиент.' },
        { secret: true, example: 'secret' },
      ),
      domains: option(
        listOf(domainName),
        {
          en: 'Only for these From domains; none means all of this server.',
          ru: 'Только для этих доменов в From; пустой список: для всех доменов сервера.',
        },
        { default: [], example: '[shop.example.com]' },
      ),
    },
    { en: 'One name.', ru: 'Одно имя.' },
  ),
  {
    en: 'Passwords that are kept in this file; `posthorn credential add` makes better ones, of which only a hash is kept.',
    ru: 'Пароли, записанные в этом файле; `posthorn credential add` создаёт лучшие и хранит только хэш.',
  },
  { example: 'app: { password: secret, domains: [example.com] }' },
)
