// The certificates of the SMTP listeners: files, ACME, or our own authority.

import { parseDomain } from '../mail/domain.ts'
import { ipAddress, type Kind, listOf, oneOf, orNothing, port, text, yesNo } from './kinds.ts'
import { named, option, section } from './option.ts'

/** A host's name, or every name one label below a domain. */
const certificateName: Kind<string> = {
  expects: {
    en: 'a name such as mail.example.com or *.example.com',
    ru: 'имя, например mail.example.com или *.example.com',
  },
  json: { type: 'string' },
  parse(value) {
    if (typeof value !== 'string') return undefined
    const [, wildcard = '', name = ''] = /^(\*\.)?(.*)$/.exec(value.trim()) ?? []
    const domain = parseDomain(name)
    return domain === undefined ? undefined : wildcard + domain
  },
}

const nameOrAddress: Kind<string> = {
  expects: {
    en: 'a name or an IP address',
    ru: 'имя или IP-адрес',
  },
  json: { type: 'string' },
  parse: (value) => ipAddress.parse(value) ?? certificateName.parse(value),
}

const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory'

const files = {
  key: option(
    orNothing(text),
    {
      en: 'PEM file with its private key; null when the certificate’s own file or folder holds it.',
      ru: 'Файл PEM с его закрытым ключом; null, если ключ в том же файле или в папке сертификата.',
    },
    { default: null, example: '/etc/letsencrypt/live/mail.example.com/privkey.pem' },
  ),
  chain: option(
    orNothing(text),
    {
      en: 'PEM file with the certificates between it and the root, where they have a file of their own (chain.pem).',
      ru: 'Файл PEM с сертификатами между ним и корнем, если они лежат отдельно (chain.pem).',
    },
    { default: null, example: '/etc/ssl/mail/chain.pem' },
  ),
}

const acme = {
  domains: option(
    listOf(certificateName),
    {
      en: 'Names that the certificate is for; none means no ACME.',
      ru: 'Имена, на которые нужен сертификат; пустой список: без ACME.',
    },
    { default: [], example: '[mail.example.com]' },
  ),
  terms_agreed: option(
    yesNo,
    {
      en: 'You agree to the authority’s terms of service; nothing is asked for without that.',
      ru: 'Вы согласны с условиями удостоверяющего центра; без этого запросов не будет.',
    },
    { default: false, example: 'true' },
  ),
  email: option(
    orNothing(text),
    {
      en: 'Where the authority may write about the account.',
      ru: 'Куда удостоверяющий центр может писать об учётной записи.',
    },
    { default: null, example: 'postmaster@example.com' },
  ),
  directory: option(
    text,
    {
      en: 'The authority’s ACME directory; Let’s Encrypt unless you say otherwise.',
      ru: 'Каталог ACME удостоверяющего центра; если не указан, Let’s Encrypt.',
    },
    { default: LETS_ENCRYPT, example: 'https://acme-staging-v02.api.letsencrypt.org/directory' },
  ),
  challenge: option(
    oneOf('http-01', 'dns-01'),
    {
      en: 'How we show that a name is ours: http-01 answers on port 80, dns-01 publishes a record.',
      ru: 'Как доказать, что имя наше: http-01 отвечает на порту 80, dns-01 публикует запись.',
    },
    { default: 'http-01', example: 'dns-01' },
  ),
  http_address: option(
    ipAddress,
    {
      en: 'Address on which http-01 is answered.',
      ru: 'Адрес, на котором отвечаем на http-01.',
    },
    { default: '0.0.0.0', example: '203.0.113.10' },
  ),
  http_port: option(
    orNothing(port),
    {
      en: 'Port for it, open only while it is asked; null: a proxy passes /.well-known/acme-challenge/ to our HTTP door.',
      ru: 'Порт для этого, открыт на время проверки; null: прокси передаёт /.well-known/acme-challenge/ нашему HTTP.',
    },
    { default: 80, example: 'null' },
  ),
  authority: option(
    orNothing(text),
    {
      en: 'PEM file with the root of the ACME server’s own certificate, for one inside your network.',
      ru: 'Файл PEM с корнем сертификата самого сервера ACME, если он внутри вашей сети.',
    },
    { default: null, example: '/etc/ssl/step-ca.pem' },
  ),
  key_id: option(
    orNothing(text),
    {
      en: 'Key identifier of an external account, where the authority wants one.',
      ru: 'Идентификатор ключа внешней учётной записи, если центр его требует.',
    },
    { default: null, example: 'kid-1' },
  ),
  key_secret: option(
    orNothing(text),
    {
      en: 'Its secret (HMAC key, base64url).',
      ru: 'Его секрет (ключ HMAC, base64url).',
    },
    { default: null, example: 'zWND…', secret: true },
  ),
}

export const tls = section(
  {
    certificate: option(
      orNothing(text),
      {
        en: 'PEM file with the certificate and its chain, or a folder with certificates; read again when it changes.',
        ru: 'Файл PEM с сертификатом и цепочкой или папка с сертификатами; перечитывается при изменении.',
      },
      { default: null, example: '/etc/letsencrypt/live/mail.example.com/fullchain.pem' },
    ),
    ...files,
    acme: section(acme, {
      en: 'Get and renew certificates by ACME (RFC 8555).',
      ru: 'Получать и обновлять сертификаты по ACME (RFC 8555).',
    }),
    names: option(
      listOf(nameOrAddress),
      {
        en: 'Further names and addresses for the certificate that our own authority makes when none is given.',
        ru: 'Другие имена и адреса для сертификата, который выпустит наш собственный центр, если других нет.',
      },
      { default: [], example: '[posthorn, 10.0.0.25]' },
    ),
    announce: option(
      oneOf('auto', 'always'),
      {
        en: 'auto offers no STARTTLS on loopback with a certificate that clients do not trust by themselves; always does.',
        ru: 'auto не предлагает STARTTLS на локальном адресе с сертификатом, которому клиенты сами не верят; always предлагает.',
      },
      { default: 'auto', example: 'always' },
    ),
  },
  { en: 'The certificates of the SMTP listeners.', ru: 'Сертификаты входов SMTP.' },
)

export const certificates = named(
  section(
    {
      certificate: option(
        text,
        {
          en: 'PEM file with the certificate and its chain.',
          ru: 'Файл PEM с сертификатом и цепочкой.',
        },
        { example: '/etc/ssl/shop/fullchain.pem' },
      ),
      ...files,
    },
    { en: 'One certificate.', ru: 'Один сертификат.' },
  ),
  {
    en: 'Further certificates, by a name of your choice; a client gets the one for the name that it asks for (SNI).',
    ru: 'Другие сертификаты, под любыми именами; клиент получает тот, чьё имя он запросил (SNI).',
  },
  { example: 'shop: { certificate: /etc/ssl/shop/fullchain.pem, key: /etc/ssl/shop/key.pem }' },
)
