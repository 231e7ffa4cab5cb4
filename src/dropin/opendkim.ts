// OpenDKIM's files: opendkim.conf, its KeyTable and SigningTable, or one Domain with its KeyFile; see
// opendkim.conf(5). The keys stay where they lie.

import type { Origin } from '../config/faults.ts'
import { parseDomain } from '../mail/domain.ts'
import { type Draft, nameOf, type Surroundings } from './draft.ts'
import { type ImageTask, useKey } from './image.ts'

type Line = { readonly words: readonly string[]; readonly from: Origin }

/** Reads opendkim.conf and what it names; false when there is none. */
export function translateOpenDkim(draft: Draft, around: Surroundings, file: string): boolean {
  const text = around.read(file)
  if (text === undefined) return false
  const options = new Map<string, { value: string; from: Origin }>()
  for (const { words, from } of linesOf(text, file)) {
    const [name = '', ...rest] = words
    options.set(name.toLowerCase(), { value: rest.join(' '), from })
  }
  const task = { draft, around, input: { args: [], environment: {}, mounts: [] } }
  const keys = keyTable(task, options)
  signingTable(task, options, keys)
  single(task, options)
  for (const [name, { value, from }] of options) {
    if (USED.has(name)) continue
    draft.ignored(nameOf(from, name), {
      en: `${value}: Posthorn signs itself, relaxed/relaxed, whatever it accepts for its domains`,
      ru: `${value}: Posthorn подписывает сам, relaxed/relaxed, всё, что принял для своих доменов`,
    })
  }
  return true
}

const USED = new Set(['keytable', 'signingtable', 'domain', 'keyfile', 'selector'])
type Options = ReadonlyMap<string, { readonly value: string; readonly from: Origin }>
type Key = {
  readonly domain: string
  readonly selector: string
  readonly path: string
  readonly from: Origin
}

function linesOf(text: string, file: string): Line[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const words = line.replace(/#.*$/, '').trim().split(/\s+/)
    if (words[0] === '') return []
    return [{ words, from: { kind: 'file', file, line: index + 1, column: 1 } as const }]
  })
}

/** `file:/etc/…`, `refile:/etc/…`, or a bare path. */
function tableLines({ draft, around }: ImageTask, options: Options, name: string): Line[] {
  const option = options.get(name)
  if (!option) return []
  const path = option.value.replace(/^(re)?file:/, '')
  const text = path.startsWith('/') ? around.read(path) : undefined
  if (text === undefined) {
    const says = { en: `${option.value} cannot be read`, ru: `${option.value} не читается` }
    draft.wrong(
      nameOf(option.from, name),
      says,
      `${name === 'keytable' ? 'KeyTable' : 'SigningTable'} file:/etc/opendkim/${name}`,
    )
    return []
  }
  return linesOf(text, path)
}

/** `mail._domainkey.example.com example.com:mail:/etc/opendkim/mail.private` */
function keyTable(task: ImageTask, options: Options): Map<string, Key> {
  const keys = new Map<string, Key>()
  for (const { words, from } of tableLines(task, options, 'keytable')) {
    const [name = '', entry = ''] = words
    const [, domain = '', selector = '', path = ''] = /^([^:]+):([^:]+):(.+)$/.exec(entry) ?? []
    if (path.startsWith('/')) keys.set(name, { domain, selector, path, from })
    else {
      const says = {
        en: 'needs domain:selector:/path/of/the/key',
        ru: 'нужно домен:селектор:/путь/к/ключу',
      }
      task.draft.wrong(nameOf(from), says, `${name} example.com:mail:/etc/opendkim/mail.private`)
    }
  }
  return keys
}

/** `example.com mail._domainkey.example.com`, `*@example.com …` */
function signingTable(task: ImageTask, options: Options, keys: ReadonlyMap<string, Key>): void {
  const { draft } = task
  for (const { words, from } of tableLines(task, options, 'signingtable')) {
    const [pattern = '', name = ''] = words
    const key = keys.get(name)
    if (!key) {
      const says = {
        en: `${name || '(nothing)'} is not in the KeyTable`,
        ru: `${name || '(ничего)'} нет в KeyTable`,
      }
      draft.wrong(nameOf(from), says, 'example.com mail._domainkey.example.com')
      continue
    }
    const wanted = pattern.replace(/^\*?@/, '').replace(/^\*\./, '').replace(/^\./, '')
    const domain = parseDomain(key.domain === '%' ? wanted : key.domain)
    if (
      domain === undefined ||
      (wanted !== domain && wanted !== '*' && !wanted.endsWith(`.${domain}`))
    ) {
      draft.changed(nameOf(from), {
        en: `${pattern} would be signed for ${key.domain}: a signature is made for the domain of From or one above it`,
        ru: `${pattern} подписывалось бы за ${key.domain}: подпись ставится за домен из From или вышестоящий`,
      })
    }
    if (domain === undefined || draft.get(['domains', domain, 'key']) === key.path) continue
    use(task, { ...key, domain })
  }
}

/** Domain, Selector and KeyFile without tables. */
function single(task: ImageTask, options: Options): void {
  const path = options.get('keyfile')
  const domain = parseDomain(options.get('domain')?.value.split(/[\s,]+/)[0] ?? '')
  const selector = options.get('selector')
  if (path && domain && selector && !options.has('keytable'))
    use(task, { domain, selector: selector.value, path: path.value, from: path.from })
}

function use(task: ImageTask, { domain, selector, path, from }: Key): void {
  const name = parseDomain(domain)
  if (name === undefined) return
  const { draft } = task
  if (draft.get(['domains', name]) === undefined) draft.set(['domains', name], {}, from)
  if (useKey(task, name, [{ path, selector, from }])) return
  const says = { en: `the key ${path} is not there`, ru: `ключа ${path} нет` }
  draft.wrong(nameOf(from), says, `opendkim-genkey -d ${name} -s ${selector}`)
}
