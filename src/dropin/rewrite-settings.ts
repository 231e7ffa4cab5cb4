// Settings that change addresses and headers: tables of one text file each become files of `rewrite`.

import { parseDomain } from '../mail/domain.ts'
import { words } from './main-cf.ts'
import type { Given, SettingsReader } from './settings.ts'

const TABLES: readonly (readonly [parameter: string, option: string])[] = [
  ['sender_canonical_maps', 'sender_canonical'],
  ['recipient_canonical_maps', 'recipient_canonical'],
  ['canonical_maps', 'canonical'],
  ['virtual_alias_maps', 'virtual_aliases'],
]

export function translateRewrite(reader: SettingsReader): void {
  for (const [parameter, option] of TABLES) {
    const given = reader.take(parameter)
    if (given && given.value !== '') table(given, option, reader)
  }
  for (const parameter of ['header_checks', 'smtp_header_checks']) {
    const given = reader.take(parameter)
    if (given && given.value !== '') headerRules(given, reader)
  }
  list(reader, 'masquerade_domains', 'masquerade')
  list(reader, 'masquerade_exceptions', 'masquerade_exceptions')
  list(reader, 'always_bcc', 'always_bcc')
  aliases(reader)
  origin(reader)
}

function list(reader: SettingsReader, parameter: string, option: string) {
  const given = reader.take(parameter)
  if (given && given.value !== '') reader.become(given, ['rewrite', option], words(given.value))
}

const READ = /^(?:proxy:)?(hash|btree|texthash|lmdb|cdb|dbm):(\/\S+)$/
const PATTERNS = /^(?:proxy:)?(regexp|pcre):(\/\S+)$/

/** Undefined, and said so, when it is not one file that can be read here. */
function fileOf(
  given: Given,
  reader: SettingsReader,
): { path: string; patterns: boolean } | undefined {
  const { around, draft, example } = reader.task
  const [first = '', ...more] = words(given.value)
  const plain = READ.exec(first)
  const path = (plain ?? PATTERNS.exec(first))?.[2]
  if (path === undefined || around.read(path) === undefined) {
    const says = {
      en: `${first} cannot be read: the source of a text table is needed`,
      ru: `${first} не читается: нужен исходный текст таблицы`,
    }
    draft.wrong(
      given.name,
      says,
      example(given.parameter, `${plain ? 'texthash' : 'regexp'}:/etc/postfix/${given.parameter}`),
    )
    return undefined
  }
  if (more.length > 0) {
    draft.changed(given.name, {
      en: `one file only: ${more.join(' ')} is left out`,
      ru: `только один файл: ${more.join(' ')} не учтено`,
    })
  }
  return { path, patterns: plain === null }
}

function table(given: Given, option: string, reader: SettingsReader): void {
  const file = fileOf(given, reader)
  if (file) reader.become(given, ['rewrite', option], (file.patterns ? 'regexp:' : '') + file.path)
}

function headerRules(given: Given, reader: SettingsReader): void {
  const file = fileOf(given, reader)
  if (file) reader.become(given, ['rewrite', 'header_rules'], file.path)
}

/** Only files that are there: Debian names /etc/aliases whether it has one or not. */
function aliases(reader: SettingsReader): void {
  const given = reader.take('alias_maps')
  if (!given || given.value === '') return
  const { around, draft } = reader.task
  const paths = words(given.value).flatMap((word) => READ.exec(word)?.[2] ?? [])
  const there = paths.filter((path) => around.read(path) !== undefined)
  if (there.length > 0) reader.become(given, ['rewrite', 'aliases'], there)
  else
    draft.ignored(given.name, {
      en: `no text file of aliases is there: ${given.value}`,
      ru: `текстового файла с псевдонимами нет: ${given.value}`,
    })
}

/** A domain, or the file that holds it: what stands behind names of this machine. */
function origin(reader: SettingsReader): void {
  const given = reader.take('myorigin')
  if (!given) return
  const { around, draft } = reader.task
  const text = given.value.startsWith('/') ? around.read(given.value) : given.value
  const domain = parseDomain((text ?? '').trim())
  if (domain?.includes('.')) reader.become(given, ['rewrite', 'local_domain'], domain)
  else
    draft.ignored(given.name, {
      en: `${JSON.stringify(text ?? given.value)} is no full domain name`,
      ru: `${JSON.stringify(text ?? given.value)} не полное доменное имя`,
    })
}
