// How clients prove who they are.

import { listOf, oneOf, orNothing, text } from './kinds.ts'
import { option, section } from './option.ts'

export const auth = section(
  {
    mechanisms: option(
      listOf(
        oneOf('plain', 'login', 'scram-sha-256', 'scram-sha-256-plus', 'external', 'cram-md5'),
      ),
      {
        en: 'Mechanisms of AUTH; cram-md5 is for old clients and needs passwords that are kept readable.',
        ru: 'Механизмы AUTH; cram-md5 нужен только старым клиентам и требует хранить пароли так, что их можно прочесть.',
      },
      {
        default: ['plain', 'login', 'scram-sha-256', 'scram-sha-256-plus', 'external'],
        example: '[plain, login, cram-md5]',
      },
    ),
    file: option(
      orNothing(text),
      {
        en: 'Password file with a line a user, user:{SCHEME}hash; read again when it changes.',
        ru: 'Файл паролей, по строке на пользователя, user:{SCHEME}hash; перечитывается при изменении.',
      },
      { default: null, example: '/etc/posthorn/users' },
    ),
    client_authorities: option(
      orNothing(text),
      {
        en: 'PEM file with the authorities whose client certificates count for AUTH EXTERNAL.',
        ru: 'Файл PEM с центрами, чьи клиентские сертификаты годятся для AUTH EXTERNAL.',
      },
      { default: null, example: '/etc/posthorn/clients-ca.pem' },
    ),
  },
  { en: 'How clients log in.', ru: 'Как клиенты входят.' },
)
