// How a token for a relay is got and renewed (RFC 6749 §6), instead of a password.

import { orNothing, text } from './kinds.ts'
import { option, optionalSection } from './option.ts'

export const oauth = optionalSection(
  {
    client_id: option(
      orNothing(text),
      { en: 'Name of our application at the provider.', ru: 'Имя нашего приложения у провайдера.' },
      { default: null, example: '1234.apps.googleusercontent.com' },
    ),
    client_secret: option(
      orNothing(text),
      { en: 'Its secret.', ru: 'Его секрет.' },
      { default: null, secret: true, example: 'secret' },
    ),
    refresh_token: option(
      text,
      {
        en: 'Token that new access tokens are asked with.',
        ru: 'Токен, по которому выдаются новые токены доступа.',
      },
      { secret: true, example: '1//0abc' },
    ),
    access_token: option(
      orNothing(text),
      { en: 'Token to begin with; tried once.', ru: 'Токен для начала; пробуется один раз.' },
      { default: null, secret: true, example: 'ya29.abc' },
    ),
    endpoint: option(
      text,
      { en: 'Address that gives out tokens.', ru: 'Адрес, где выдаются токены.' },
      {
        default: 'https://oauth2.googleapis.com/token',
        example: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
      },
    ),
  },
  {
    en: 'Log in to the relay with XOAUTH2 and a token instead of a password.',
    ru: 'Входить на сервер по XOAUTH2 с токеном вместо пароля.',
  },
)
