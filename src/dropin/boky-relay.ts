// The relay of boky/postfix: RELAYHOST with a password, or with XOAUTH2 tokens.

import type { Origin } from '../config/faults.ts'
import { environmentOrigin, type ImageTask } from './image.ts'
import type { Setting } from './main-cf.ts'

/** What that image asks for tokens when nobody says otherwise. */
const TOKEN_ENDPOINT = 'https://accounts.google.com/o/oauth2/token'

/** Lays the relay's variables into the settings and the draft. */
export function relayVariables(task: ImageTask, settings: Map<string, Setting>): void {
  const { draft, input } = task
  const { RELAYHOST, SASL_RELAYHOST, RELAYHOST_USERNAME } = input.environment
  const password = secret(task, 'RELAYHOST_PASSWORD')
  if (!RELAYHOST) {
    for (const name of [
      'SASL_RELAYHOST',
      'RELAYHOST_USERNAME',
      'RELAYHOST_PASSWORD',
      'RELAYHOST_PASSWORD_FILE',
    ])
      if (input.environment[name])
        draft.ignored(name, { en: 'RELAYHOST is not given', ru: 'не задано RELAYHOST' })
  } else {
    settings.set('relayhost', { value: RELAYHOST, from: environmentOrigin('RELAYHOST') })
    if (!settings.has('smtp_tls_security_level'))
      settings.set('smtp_tls_security_level', {
        value: 'may',
        from: { kind: 'flag', name: 'boky/postfix' },
      })
  }
  const oauth = tokens(task)
  if (SASL_RELAYHOST && RELAYHOST)
    draft.ignored('SASL_RELAYHOST', {
      en: 'the password goes with RELAYHOST itself',
      ru: 'пароль относится к самому RELAYHOST',
    })
  if (!RELAYHOST) return
  if (RELAYHOST_USERNAME) {
    draft.set(
      ['relayhost', 'username'],
      RELAYHOST_USERNAME,
      environmentOrigin('RELAYHOST_USERNAME'),
    )
    draft.understood('RELAYHOST_USERNAME', 'relayhost.username')
  }
  if (password && !oauth) {
    draft.set(['relayhost', 'password'], password.value, password.from)
    draft.understood(nameOf(password.from), 'relayhost.password')
  } else if (password) {
    draft.ignored(nameOf(password.from), { en: 'XOAUTH2 is used', ru: 'используется XOAUTH2' })
  }
  if (Boolean(RELAYHOST_USERNAME) !== (password !== undefined || oauth)) {
    const name = RELAYHOST_USERNAME ? 'RELAYHOST_PASSWORD' : 'RELAYHOST_USERNAME'
    const says = { en: 'is missing: logging in needs both', ru: 'не хватает: для входа нужны оба' }
    draft.wrong(name, says, `${name}=…`)
  }
}

/** True when the relay is to be logged in to with a token. */
function tokens(task: ImageTask): boolean {
  const { draft, input } = task
  const id = secret(task, 'XOAUTH2_CLIENT_ID')
  const clientSecret = secret(task, 'XOAUTH2_SECRET')
  const access = secret(task, 'XOAUTH2_INITIAL_ACCESS_TOKEN')
  const refresh = secret(task, 'XOAUTH2_INITIAL_REFRESH_TOKEN')
  if (!id && !clientSecret) {
    for (const one of [access, refresh])
      if (one)
        draft.ignored(nameOf(one.from), {
          en: 'XOAUTH2_CLIENT_ID is not given',
          ru: 'не задано XOAUTH2_CLIENT_ID',
        })
    return false
  }
  if (!input.environment.RELAYHOST || !input.environment.RELAYHOST_USERNAME) {
    const says = { en: 'XOAUTH2 needs it', ru: 'нужно для XOAUTH2' }
    const name = input.environment.RELAYHOST ? 'RELAYHOST_USERNAME' : 'RELAYHOST'
    draft.wrong(
      name,
      says,
      name === 'RELAYHOST' ? 'RELAYHOST=[smtp.gmail.com]:587' : `${name}=me@example.com`,
    )
    return false
  }
  const stored = storedTokens(task)
  const parts: [string, Secret | undefined][] = [
    ['client_id', id],
    ['client_secret', clientSecret],
    ['access_token', stored?.access ?? access],
    ['refresh_token', stored?.refresh ?? refresh],
  ]
  for (const [option, value] of parts) {
    if (!value) continue
    draft.set(['relayhost', 'oauth', option], value.value, value.from)
    draft.understood(nameOf(value.from), `relayhost.oauth.${option}`)
  }
  if (!stored?.refresh && !refresh) {
    const says = {
      en: 'is missing: tokens are renewed with it',
      ru: 'не хватает: им обновляются токены',
    }
    draft.wrong('XOAUTH2_INITIAL_REFRESH_TOKEN', says, 'XOAUTH2_INITIAL_REFRESH_TOKEN=…')
  }
  const { XOAUTH2_TOKEN_ENDPOINT: given } = input.environment
  const endpoint = given || TOKEN_ENDPOINT
  const from: Origin = given
    ? environmentOrigin('XOAUTH2_TOKEN_ENDPOINT')
    : { kind: 'flag', name: 'boky/postfix' }
  if (!URL.canParse(endpoint) || !/^https?:/.test(endpoint)) {
    const quoted = JSON.stringify(endpoint)
    const says = { en: `${quoted} is no address`, ru: `${quoted} не адрес` }
    draft.wrong('XOAUTH2_TOKEN_ENDPOINT', says, `XOAUTH2_TOKEN_ENDPOINT=${TOKEN_ENDPOINT}`)
  } else draft.set(['relayhost', 'oauth', 'endpoint'], endpoint, from)
  if (given) draft.understood('XOAUTH2_TOKEN_ENDPOINT', 'relayhost.oauth.endpoint')
  return true
}

type Secret = { readonly value: string; readonly from: Origin }

/** The variable, or the file that NAME_FILE names; both at once are wrong. */
function secret({ draft, input, around }: ImageTask, name: string): Secret | undefined {
  const value = input.environment[name]
  const path = input.environment[`${name}_FILE`]
  if (value && path) {
    const says = { en: 'both are given, keep one', ru: 'заданы оба, оставьте одно' }
    draft.wrong(`${name}, ${name}_FILE`, says, `${name}_FILE=${path}`)
    return undefined
  }
  if (value) return { value, from: environmentOrigin(name) }
  if (!path) return undefined
  const text = around.read(path)?.replace(/\r?\n$/, '')
  if (text) return { value: text, from: environmentOrigin(`${name}_FILE`) }
  const says = {
    en: `the file ${path} cannot be read, or is empty`,
    ru: `файл ${path} не читается или пуст`,
  }
  draft.wrong(`${name}_FILE`, says, `${name}_FILE=/run/secrets/relay`)
  return undefined
}

/** Tokens that the image kept in the spool. */
function storedTokens({
  input,
  around,
}: ImageTask): { access?: Secret; refresh?: Secret } | undefined {
  const path = `/var/spool/postfix/xoauth2-tokens/${input.environment.RELAYHOST_USERNAME}`
  const text = around.read(path)
  if (text === undefined) return undefined
  try {
    const { access_token: access, refresh_token: refresh } = JSON.parse(text) as Record<
      string,
      unknown
    >
    const from: Origin = { kind: 'file', file: path, line: 1, column: 1 }
    return {
      ...(typeof access === 'string' && access !== '' && { access: { value: access, from } }),
      ...(typeof refresh === 'string' && refresh !== '' && { refresh: { value: refresh, from } }),
    }
  } catch {
    return undefined
  }
}

function nameOf(origin: Origin): string {
  return origin.kind === 'file' ? origin.file : origin.kind === 'default' ? '' : origin.name
}
