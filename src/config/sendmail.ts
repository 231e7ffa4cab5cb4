// Mail of programs on this machine that call sendmail.

import { domainName, listOf, mailAddress, orNothing, text, yesNo } from './kinds.ts'
import { named, option, section } from './option.ts'

export const sendmail = section(
  {
    folder: option(
      orNothing(text),
      {
        en: 'Where sendmail leaves mail while we are down; null is sendmail in the data folder, which only our own user and root reach.',
        ru: 'Куда sendmail кладёт письма, пока сервер не работает; null: sendmail в папке данных, доступной лишь нам и root.',
      },
      { default: null, example: '/var/spool/posthorn' },
    ),
    server: option(
      orNothing(text),
      {
        en: 'Server that sendmail hands mail to, as host:port; null is this one, found by itself.',
        ru: 'Сервер, которому sendmail отдаёт почту, в виде host:port; null: этот, найдётся сам.',
      },
      { default: null, example: 'posthorn:2525' },
    ),
    users: named(
      section(
        {
          domains: option(
            listOf(domainName),
            {
              en: 'From domains that this user may use.',
              ru: 'Разрешённые этому пользователю домены в From.',
            },
            { default: [], example: '[shop.example.com]' },
          ),
          addresses: option(
            listOf(mailAddress),
            { en: 'Single addresses.', ru: 'Отдельные адреса.' },
            { default: [], example: '[orders@example.com]' },
          ),
        },
        { en: 'One user, by name or number.', ru: 'Один пользователь, по имени или номеру.' },
      ),
      {
        en: 'What users of this machine may send as through the folder; to hold them to it, take loopback out of `networks`.',
        ru: 'От чьего имени пользователи машины отправляют через папку; чтобы это их связывало, уберите loopback из `networks`.',
      },
      { example: 'www-data: { domains: [shop.example.com] }' },
    ),
    others: option(
      yesNo,
      {
        en: 'Take mail of users that are not named in users, from every domain of this server.',
        ru: 'Принимать почту пользователей, не названных в users, от любого домена этого сервера.',
      },
      { default: true, example: 'false' },
    ),
  },
  {
    en: 'Mail of programs here that call sendmail.',
    ru: 'Почта здешних программ, которые вызывают sendmail.',
  },
)
