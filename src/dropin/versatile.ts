// docker-versatile-postfix: `<domain> [user:password …]`, ALIASES, DISABLE_DKIM, DKIM_*, and
// POSTFIX_RAW_CONFIG_*. Its guides write `user@password`, which that image never understood.

import type { Domain } from '../mail/domain.ts'
import {
  domainOf,
  environmentOrigin,
  type ImageTask,
  prefixed,
  startImage,
  trust,
  useKey,
} from './image.ts'
import { translateSettings } from './settings.ts'

const IMAGE = 'versatile-postfix'
const PREFIX = 'POSTFIX_RAW_CONFIG_'
const USAGE = 'mydomain.ru no-reply:PASSWORD'
const KEY = '/etc/postfix/dkim/dkim.key'

export function translateVersatile(task: ImageTask): void {
  const { draft, input, around } = task
  startImage(task, IMAGE, [25])
  trust(task, around.interfaces, IMAGE)
  const [first, ...logins] = input.args
  const domain = readDomain(task, first)
  for (const [index, login] of logins.entries()) readLogin(task, login, index + 2)
  if (domain !== undefined) signing(task, domain)
  aliases(task)
  const settings = prefixed(input.environment, PREFIX)
  const example = (parameter: string, value: string) =>
    `${PREFIX}${parameter.toUpperCase()}=${value}`
  translateSettings({ draft, settings, around, example })
  if (!settings.has('smtpd_use_tls') && !settings.has('smtpd_tls_security_level')) {
    draft.set(['smtp', 'tls'], 'starttls', { kind: 'flag', name: IMAGE })
    draft.changed('smtpd_use_tls', {
      en: 'on, as in that image; its certificate signed by itself is one of an authority of our own here',
      ru: 'включено, как в том образе; вместо самоподписанного сертификата свой, от собственного центра',
    })
  }
}

function readDomain({ draft }: ImageTask, word: string | undefined): Domain | undefined {
  if (word === undefined) {
    draft.wrong(
      'arguments',
      { en: 'the first one is the domain, and there is none', ru: 'первым идёт домен, а его нет' },
      USAGE,
    )
    return undefined
  }
  const domain = domainOf(word, 'argument 1', { draft, example: USAGE })
  if (domain === undefined) return undefined
  const from = { kind: 'flag', name: 'argument 1' } as const
  draft.set(['hostname'], domain, from)
  draft.set(['domains', domain], {}, from)
  draft.understood('argument 1', `hostname: ${domain}, domains: ${domain}`)
  return domain
}

/** At the first colon; where there is none, at the first @, as the guides write it. */
function readLogin({ draft }: ImageTask, word: string, position: number): void {
  const name = `argument ${position}`
  const colon = word.indexOf(':')
  const at = colon >= 0 ? colon : word.indexOf('@')
  const user = at < 0 ? '' : word.slice(0, at)
  const password = at < 0 ? '' : word.slice(at + 1)
  if (user === '' || password === '' || /[\s\0]/.test(user)) {
    const says = {
      en: 'a user and a password with a colon between them are expected',
      ru: 'ожидаются имя и пароль с двоеточием между ними',
    }
    draft.wrong(name, says, 'no-reply:PASSWORD')
    return
  }
  if (draft.get(['credentials', user]) !== undefined) {
    draft.changed(name, {
      en: `${user} is given twice; this password counts`,
      ru: `${user} указан дважды; действует этот пароль`,
    })
  }
  draft.set(['credentials', user, 'password'], password, { kind: 'flag', name })
  draft.understood(name, `credentials.${user}`)
  if (colon < 0)
    draft.changed(name, {
      en: [
        `${user}@… is read as user and password, as the guides mean it; the image itself never made such`,
        `users. Plainer: ${user}:PASSWORD`,
      ].join(' '),
      ru: [
        `${user}@… понято как имя и пароль, как и задумано в руководствах; сам образ таких пользователей не`,
        `создавал. Яснее: ${user}:ПАРОЛЬ`,
      ].join(' '),
    })
}

function signing(task: ImageTask, domain: Domain): void {
  const { draft, input } = task
  const { DISABLE_DKIM, DKIM_SELECTOR, DKIM_CANONICALIZATION } = input.environment
  const at = (name: string) => environmentOrigin(name)
  if (DKIM_CANONICALIZATION) canonicalization(task, domain, DKIM_CANONICALIZATION)
  const selector = DKIM_SELECTOR || 'mail'
  if (!/^[a-z0-9]([a-z0-9_.-]{0,61}[a-z0-9])?$/i.test(selector)) {
    const quoted = JSON.stringify(selector)
    const says = { en: `${quoted} is not a selector`, ru: `${quoted} не селектор` }
    draft.wrong('DKIM_SELECTOR', says, 'DKIM_SELECTOR=mail')
    return
  }
  if (DISABLE_DKIM !== undefined) {
    draft.set(['domains', domain, 'sign'], false, at('DISABLE_DKIM'))
    draft.understood('DISABLE_DKIM', `domains.${domain}.sign: false`)
    if (DKIM_SELECTOR)
      draft.ignored('DKIM_SELECTOR', { en: 'DISABLE_DKIM is set', ru: 'задано DISABLE_DKIM' })
    return
  }
  const from = DKIM_SELECTOR ? at('DKIM_SELECTOR') : ({ kind: 'flag', name: IMAGE } as const)
  draft.set(['domains', domain, 'selector'], selector, from)
  if (DKIM_SELECTOR) draft.understood('DKIM_SELECTOR', `domains.${domain}.selector: ${selector}`)
  if (useKey(task, domain, [{ path: KEY, selector, from }])) return
  draft.changed(KEY, {
    en: `there is none, so a key is made and kept in the data folder; its record: posthorn dns ${domain}`,
    ru: `файла нет, поэтому ключ создаётся и хранится в папке данных; его запись: posthorn dns ${domain}`,
  })
}

function canonicalization({ draft }: ImageTask, domain: Domain, value: string): void {
  const name = 'DKIM_CANONICALIZATION'
  if (!/^(simple|relaxed)(\/(simple|relaxed))?$/i.test(value)) {
    const quoted = JSON.stringify(value)
    const says = {
      en: `${quoted}: expected relaxed or simple`,
      ru: `${quoted}: ожидается relaxed или simple`,
    }
    draft.wrong(name, says, `${name}=relaxed`)
    return
  }
  const [header = '', body = header] = value.toLowerCase().split('/')
  const path = ['domains', domain, 'canonicalization']
  draft.set(path, `${header}/${body}`, environmentOrigin(name))
  draft.understood(name, `domains.${domain}.canonicalization: ${header}/${body}`)
  if (!/simple/i.test(value)) return
  draft.changed(name, {
    en: 'simple signatures break on the way when a relay touches white space; better: relaxed',
    ru: 'подпись simple ломается, если релей тронет пробелы; лучше relaxed',
  })
}

function aliases({ draft, input }: ImageTask): void {
  const { ALIASES } = input.environment
  if (ALIASES === undefined || ALIASES === '') return
  const odd = ALIASES.split(';').find((pair) => pair.trim() !== '' && !/^[^:;]+:[^:;]+$/.test(pair))
  if (odd !== undefined) {
    const quoted = JSON.stringify(odd)
    const says = { en: `${quoted} is no pair`, ru: `${quoted} не пара` }
    draft.wrong('ALIASES', says, 'ALIASES=postmaster:root;root:me@example.com')
    return
  }
  const entries = new Map<string, string>()
  for (const pair of ALIASES.split(';').filter((one) => one.trim() !== '')) {
    const colon = pair.indexOf(':')
    const name = pair.slice(0, colon).trim().toLowerCase()
    if (!entries.has(name)) entries.set(name, pair.slice(colon + 1).trim())
  }
  const list = [...entries].map(([name, target]) => `${name}: ${target}`)
  draft.set(['rewrite', 'alias_entries'], list, environmentOrigin('ALIASES'))
  draft.understood('ALIASES', `rewrite.alias_entries: ${list.join('; ')}`)
  const people = [...entries.values()]
    .flatMap((target) => target.split(','))
    .map((target) => target.trim())
    .filter((target) => !target.includes('@') && !entries.has(target.toLowerCase()))
  if (people.length === 0) return
  const users = [...new Set(people)].join(', ')
  draft.changed('ALIASES', {
    en: `there are no mailboxes here: mail for ${users} goes to the mail hosts of the domain`,
    ru: `ящиков здесь нет: почта для ${users} идёт на почтовые серверы домена`,
  })
}
