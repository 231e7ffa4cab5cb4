// How a domain's mail is signed, where it is not as usual: a part of the section `domains`.

import { type Kind, listOf, oneOf, yesNo } from './kinds.ts'
import { option } from './option.ts'

/** A field's name (RFC 5322 §3.6.8), or a beginning of names and `*`. */
const fieldPattern: Kind<string> = {
  expects: {
    en: 'names of header fields such as X-Campaign, or X-* for all that begin so',
    ru: 'имена полей заголовка, например X-Campaign, или X-* для всех с таким началом',
  },
  json: { type: 'string' },
  parse: (value) =>
    typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9_-]{0,70}\*?$/.test(value)
      ? value
      : undefined,
}

export const signing = {
  canonicalization: option(
    oneOf('relaxed/relaxed', 'relaxed/simple', 'simple/relaxed', 'simple/simple'),
    {
      en: 'How DKIM sees header and body; relaxed survives what relays do to white space, simple does not.',
      ru: 'Как DKIM видит заголовок и тело; relaxed переживает правку пробелов в пути, simple нет.',
    },
    { default: 'relaxed/relaxed', example: 'relaxed/simple' },
  ),
  sign_fields: option(
    listOf(fieldPattern),
    {
      en: 'Header fields to sign besides the usual ones; who changes them on the way breaks the signature.',
      ru: 'Какие поля подписывать сверх обычных; кто изменит их в пути, испортит подпись.',
    },
    { default: [], example: '[X-Campaign, X-Shop-*]' },
  ),
  subdomains: option(
    yesNo,
    {
      en: 'Also sign mail from below this domain (a.example.com) with its keys, unless the subdomain has its own.',
      ru: 'Подписывать ключами домена и почту с имён под ним (a.example.com), если у них нет своих ключей.',
    },
    { default: true, example: 'false' },
  ),
}
