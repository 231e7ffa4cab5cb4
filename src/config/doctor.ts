// What the doctor asks the world, and how often by itself.

import { domainName, duration, host, listOf, orNothing, text } from './kinds.ts'
import { option, section } from './option.ts'

export const doctor = section(
  {
    every: option(
      duration,
      {
        en: 'How often a server with live domains looks at itself and tells the log what changed; 0s never.',
        ru: 'Как часто сервер с боевыми доменами проверяет себя и пишет в журнал о переменах; 0s: никогда.',
      },
      { default: '6h', example: '1h' },
    ),
    port25_domains: option(
      listOf(domainName),
      {
        en: 'Domains whose mail servers are dialled to see whether outgoing mail is blocked; empty: none.',
        ru: 'Домены, с чьими почтовыми серверами соединяться, чтобы узнать, не закрыта ли исходящая почта; пустой список: ни с кем.',
      },
      { default: ['gmail.com', 'outlook.com', 'mail.ru'], example: '[gmail.com, yandex.ru]' },
    ),
    blocklists: option(
      listOf(domainName),
      {
        en: 'DNS blocklists on which our addresses are looked up.',
        ru: 'Чёрные списки в DNS, в которых искать наши адреса.',
      },
      {
        default: [
          'zen.spamhaus.org',
          'bl.spamcop.net',
          'b.barracudacentral.org',
          'psbl.surriel.com',
        ],
        example: '[zen.spamhaus.org]',
      },
    ),
    clock_hosts: option(
      listOf(host),
      {
        en: 'Web servers (HTTPS) whose Date our clock is compared with; empty: the clock is not checked.',
        ru: 'Веб-серверы (HTTPS), с чьим временем сверять часы; пустой список: часы не проверять.',
      },
      {
        default: ['mta-sts.gmail.com', 'mta-sts.outlook.com', 'mail.ru'],
        example: '[www.example.com]',
      },
    ),
    signed_name: option(
      domainName,
      {
        en: 'A domain signed with DNSSEC: a resolver that validates proves its answer.',
        ru: 'Домен, подписанный DNSSEC: проверяющий резолвер доказывает ответ о нём.',
      },
      { default: 'ietf.org', example: 'example.com' },
    ),
    broken_name: option(
      domainName,
      {
        en: 'A domain whose signatures are wrong: a resolver that validates refuses it.',
        ru: 'Домен с неверными подписями: проверяющий резолвер отказывается о нём отвечать.',
      },
      { default: 'dnssec-failed.org', example: 'broken.example.com' },
    ),
    rdap: option(
      orNothing(text),
      {
        en: 'RDAP server that is asked how old a domain is, for the doctor’s advice on new ones; null asks nobody.',
        ru: 'Сервер RDAP, у которого узнавать возраст домена ради совета о новых доменах; null: не спрашивать.',
      },
      { default: null, example: 'https://rdap.org/domain/' },
    ),
  },
  {
    en: '`posthorn doctor`: what it asks the world, and how often by itself.',
    ru: '`posthorn doctor`: что он спрашивает у мира и как часто сам.',
  },
)
