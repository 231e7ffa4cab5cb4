// The sections about the mail itself: limits, domains, relays, delivery, retries and what is behind.

import {
  dnsServer,
  domainName,
  duration,
  host,
  ipv4Address,
  ipv6Address,
  listOf,
  oneOf,
  orNothing,
  remotePort,
  size,
  text,
  wholeNumber,
  yesNo,
} from './kinds.ts'
import { oauth } from './oauth.ts'
import { option, section } from './option.ts'
import { signing } from './signing.ts'

export const relay = {
  host: option(
    host,
    {
      en: 'Server that takes the mail; no MX lookup is made.',
      ru: 'Сервер, который принимает почту; MX не запрашивается.',
    },
    { example: 'smtp.example.net' },
  ),
  port: option(
    remotePort,
    { en: 'Its TCP port.', ru: 'Его порт TCP.' },
    { default: 587, example: '25' },
  ),
  tls: option(
    oneOf('none', 'opportunistic', 'required', 'implicit'),
    {
      en: 'opportunistic uses STARTTLS where offered; required and implicit also check the certificate.',
      ru: 'opportunistic включает STARTTLS, если его предлагают; required и implicit ещё и проверяют сертификат.',
    },
    { default: 'opportunistic', example: 'required' },
  ),
  username: option(
    orNothing(text),
    { en: 'Name for AUTH.', ru: 'Имя для AUTH.' },
    { default: null, example: 'apikey' },
  ),
  password: option(
    orNothing(text),
    { en: 'Password for AUTH.', ru: 'Пароль для AUTH.' },
    { default: null, secret: true, example: 'secret' },
  ),
  oauth,
  connections: option(
    wholeNumber(1, 10_000),
    { en: 'Connections at the same time.', ru: 'Сколько соединений держать одновременно.' },
    { default: 100, example: '20' },
  ),
}

export const domain = {
  mode: option(
    orNothing(oneOf('sandbox', 'live')),
    {
      en: 'live delivers mail from this domain to the Internet; null follows the top-level mode.',
      ru: 'live доставляет почту этого домена в Интернет; null повторяет общий mode.',
    },
    { default: null, example: 'live' },
  ),
  selector: option(
    orNothing(domainName),
    {
      en: 'DKIM selector; null makes one up when the key is made.',
      ru: 'Селектор DKIM; null: придумать при создании ключа.',
    },
    { default: null, example: 'mail' },
  ),
  sign: option(
    yesNo,
    {
      en: 'false sends its mail without a DKIM signature; big receivers then refuse it or call it spam.',
      ru: 'false отправляет его почту без подписи DKIM; крупные службы тогда откажут или сочтут её спамом.',
    },
    { default: true, example: 'false' },
  ),
  key: option(
    orNothing(text),
    {
      en: 'PEM file of an existing private key to sign with; null makes an RSA-2048 key on the first start.',
      ru: 'Файл PEM с имеющимся закрытым ключом для подписи; null: создать ключ RSA-2048 при первом запуске.',
    },
    { default: null, example: '/etc/posthorn/example.com.pem' },
  ),
  ed25519: option(
    yesNo,
    {
      en: 'Also make an Ed25519 key and sign twice (RFC 8463).',
      ru: 'Создать ещё и ключ Ed25519 и подписывать дважды (RFC 8463).',
    },
    { default: false, example: 'true' },
  ),
  ...signing,
}

export const limits = section(
  {
    message_size: option(
      size,
      { en: 'Largest message; announced as SIZE.', ru: 'Наибольшее письмо; объявляется в SIZE.' },
      { default: '25MiB', example: '50MiB' },
    ),
    header_size: option(
      size,
      { en: 'Largest header block of a message.', ru: 'Наибольший размер заголовков письма.' },
      { default: '256KiB', example: '512KiB' },
    ),
    recipients: option(
      wholeNumber(1, 100_000),
      { en: 'Recipients of one message.', ru: 'Получателей у одного письма.' },
      { default: 1000, example: '100' },
    ),
    sessions: option(
      wholeNumber(1, 100_000),
      { en: 'Incoming connections at the same time.', ru: 'Входящих соединений одновременно.' },
      { default: 1000, example: '5000' },
    ),
    sessions_per_address: option(
      wholeNumber(1, 100_000),
      { en: 'The same from one client address.', ru: 'То же с одного адреса клиента.' },
      { default: 500, example: '50' },
    ),
  },
  { en: 'What a client may ask of us.', ru: 'Сколько клиент может от нас требовать.' },
)

export const delivery = section(
  {
    protocol: option(
      oneOf('ipv4', 'ipv6', 'both'),
      {
        en: 'Internet protocols to deliver over; ipv6 needs reverse DNS, or big receivers refuse the mail.',
        ru: 'По каким протоколам доставлять; для ipv6 нужна обратная запись DNS, иначе крупные почтовые службы откажут.',
      },
      { default: 'ipv4', example: 'both' },
    ),
    port: option(
      remotePort,
      { en: 'Port of receiving servers.', ru: 'Порт принимающих серверов.' },
      { default: 25, example: '2526' },
    ),
    allow_private_addresses: option(
      yesNo,
      {
        en: 'Deliver also to loopback and private addresses found in DNS.',
        ru: 'Доставлять и на локальные и частные адреса, найденные в DNS.',
      },
      { default: false, example: 'true' },
    ),
    connections_per_site: option(
      wholeNumber(1, 10_000),
      {
        en: 'Connections to one receiver at the same time.',
        ru: 'Соединений с одним получателем одновременно.',
      },
      { default: 20, example: '5' },
    ),
    messages_per_session: option(
      wholeNumber(1, 100_000),
      {
        en: 'Messages before a connection is closed.',
        ru: 'Писем, после которых соединение закрывается.',
      },
      { default: 100, example: '20' },
    ),
    in_flight: option(
      wholeNumber(1, 100_000),
      {
        en: 'Messages being delivered at the same time, in all.',
        ru: 'Сколько всего писем доставляется одновременно.',
      },
      { default: 500, example: '100' },
    ),
    source_ipv4: option(
      orNothing(ipv4Address),
      {
        en: 'Local address to connect from; null lets the system choose.',
        ru: 'Свой адрес, с которого соединяться; null: выбирает система.',
      },
      { default: null, example: '203.0.113.10' },
    ),
    source_ipv6: option(
      orNothing(ipv6Address),
      { en: 'The same for IPv6.', ru: 'То же для IPv6.' },
      { default: null, example: '2001:db8::10' },
    ),
  },
  { en: 'How mail leaves.', ru: 'Как почта уходит.' },
)

export const retry = section(
  {
    first: option(
      duration,
      {
        en: 'Pause after the first failure; doubled after each.',
        ru: 'Пауза после первой неудачи; после каждой удваивается.',
      },
      { default: '1m', example: '5m' },
    ),
    longest: option(
      duration,
      { en: 'Longest pause.', ru: 'Самая длинная пауза.' },
      { default: '1h', example: '4h' },
    ),
    expire: option(
      duration,
      {
        en: 'The sender gets the message back after this time.',
        ru: 'Спустя это время письмо возвращается отправителю.',
      },
      { default: '3d', example: '5d' },
    ),
    delay_notice: option(
      duration,
      {
        en: 'The sender is told of the delay after this time; 0s never.',
        ru: 'Спустя это время отправителю сообщают о задержке; 0s: никогда.',
      },
      { default: '4h', example: '0s' },
    ),
  },
  { en: 'When delivery is tried again.', ru: 'Когда доставка повторяется.' },
)

export const behind = {
  dns: section(
    {
      servers: option(
        listOf(dnsServer),
        {
          en: 'Resolvers to ask; empty takes those of the system.',
          ru: 'Каких резолверов спрашивать; пустой список: системных.',
        },
        { default: [], example: '[127.0.0.1]' },
      ),
      trust_ad: option(
        yesNo,
        {
          en: 'Believe the resolver’s word that DNSSEC proved an answer; resolvers on loopback are believed anyway.',
          ru: 'Верить резолверу, что ответ доказан DNSSEC; локальному верим и так.',
        },
        { default: false, example: 'true' },
      ),
    },
    { en: 'Where we ask for names.', ru: 'Где мы узнаём имена.' },
  ),
  sandbox: section(
    {
      keep: option(
        wholeNumber(1, 1_000_000),
        {
          en: 'Captured messages to keep; the oldest are forgotten.',
          ru: 'Сколько задержанных писем хранить; старые забываются.',
        },
        { default: 1000, example: '100' },
      ),
    },
    { en: 'The small Internet inside.', ru: 'Маленький Интернет внутри.' },
  ),
  storage: section(
    {
      reserve: option(
        size,
        {
          en: 'Free disk space below which new mail is answered 452.',
          ru: 'Свободное место на диске, ниже которого новой почте отвечают 452.',
        },
        { default: '100MiB', example: '1GiB' },
      ),
      allow_memory: option(
        yesNo,
        {
          en: 'Run also where the data folder is in memory (tmpfs), and live mail is lost with the power.',
          ru: 'Работать и там, где папка данных в памяти (tmpfs) и почта пропадёт вместе с питанием.',
        },
        { default: false, example: 'true' },
      ),
    },
    { en: 'The data folder’s disk.', ru: 'Диск с папкой данных.' },
  ),
}
