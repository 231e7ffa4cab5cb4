// Where `posthorn dns publish` and certificates by DNS-01 may set records.

import { dnsServer, listOf, oneOf, orNothing, text } from './kinds.ts'
import { option, section } from './option.ts'

export const dnsPublish = section(
  {
    provider: option(
      orNothing(oneOf('rfc2136', 'cloudflare', 'route53', 'hetzner', 'digitalocean')),
      {
        en: 'Who keeps the zones: rfc2136 is a name server that takes dynamic updates, such as knot or BIND; null: we only print records.',
        ru: 'Где ведутся зоны: rfc2136 означает сервер с динамическими обновлениями (knot, BIND); null: записи только печатаются.',
      },
      { default: null, example: 'rfc2136' },
    ),
    server: option(
      orNothing(dnsServer),
      {
        en: 'rfc2136: the address of the primary server.',
        ru: 'rfc2136: адрес первичного сервера.',
      },
      { default: null, example: '192.0.2.53' },
    ),
    key_name: option(
      orNothing(text),
      {
        en: 'rfc2136: name of the TSIG key; null when the server lets us in by our address.',
        ru: 'rfc2136: имя ключа TSIG; null, если сервер пускает нас по адресу.',
      },
      { default: null, example: 'posthorn' },
    ),
    key_algorithm: option(
      oneOf('hmac-sha256', 'hmac-sha384', 'hmac-sha512'),
      { en: 'rfc2136: its algorithm.', ru: 'rfc2136: его алгоритм.' },
      { default: 'hmac-sha256', example: 'hmac-sha512' },
    ),
    key_secret: option(
      orNothing(text),
      { en: 'rfc2136: its secret, in base64.', ru: 'rfc2136: его секрет в base64.' },
      { default: null, secret: true, example: 'c2VjcmV0' },
    ),
    token: option(
      orNothing(text),
      {
        en: 'cloudflare, hetzner, digitalocean: API token that may edit the zones.',
        ru: 'cloudflare, hetzner, digitalocean: токен API с правом менять зоны.',
      },
      { default: null, secret: true, example: 'secret' },
    ),
    access_key_id: option(
      orNothing(text),
      { en: 'route53: access key.', ru: 'route53: ключ доступа.' },
      { default: null, example: 'AKIAIOSFODNN7EXAMPLE' },
    ),
    secret_access_key: option(
      orNothing(text),
      { en: 'route53: its secret.', ru: 'route53: его секрет.' },
      { default: null, secret: true, example: 'secret' },
    ),
    api_url: option(
      orNothing(text),
      {
        en: 'Where the provider’s API is, when not at its usual place.',
        ru: 'Где находится API, если не на обычном месте.',
      },
      { default: null, example: 'https://dns-proxy.example.com/client/v4' },
    ),
    check_at: option(
      listOf(dnsServer),
      {
        en: 'Servers that must show a change before it counts as published; empty: all name servers of the zone.',
        ru: 'Серверы, на которых изменение должно появиться; пустой список: все серверы имён зоны.',
      },
      { default: [], example: '[192.0.2.53]' },
    ),
  },
  {
    en: 'How Posthorn may set DNS records itself: `posthorn dns publish`.',
    ru: 'Как Posthorn может сам ставить записи DNS: `posthorn dns publish`.',
  },
)
