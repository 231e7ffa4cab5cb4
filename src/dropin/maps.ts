// Lookup tables of Postfix, read from their sources: `key value` lines of hash:, texthash:, lmdb: and
// the like (the compiled file is not read, its source beside it is), inline: and static:.

import type { Text } from '../config/language.ts'
import type { Surroundings } from './draft.ts'
import { logicalLines, words } from './main-cf.ts'

export type TableReading =
  | { readonly kind: 'pairs'; readonly pairs: readonly (readonly [string, string])[] }
  | { readonly kind: 'fault'; readonly says: Text }

const SOURCED = new Set(['hash', 'btree', 'texthash', 'lmdb', 'cdb', 'dbm', 'sdbm'])

/** One table such as `hash:/etc/postfix/sasl_passwd`. */
export function readTable(reference: string, { read }: Pick<Surroundings, 'read'>): TableReading {
  const [, type = '', rest = ''] = /^(?:proxy:)?([a-z]+):(.*)$/s.exec(reference.trim()) ?? []
  if (type === 'static') return { kind: 'pairs', pairs: [['*', rest.trim()]] }
  if (type === 'inline') return inline(rest)
  if (!SOURCED.has(type)) {
    return fault(
      `tables of the type ${type || reference} are not read; write a text file and texthash:`,
      `таблицы типа ${type || reference} не читаются; сделайте текстовый файл и texthash:`,
    )
  }
  const text = read(rest)
  if (text === undefined || text.includes('\0')) {
    return fault(
      `the source ${rest} cannot be read (a compiled .db or .lmdb file alone will not do)`,
      `исходный файл ${rest} не читается (одного .db или .lmdb недостаточно)`,
    )
  }
  return { kind: 'pairs', pairs: logicalLines(text).map(({ text: line }) => pair(line)) }
}

/** All tables of a list, first to last; what cannot be read is told by `onFault`. */
export function readTables(
  list: string,
  around: Pick<Surroundings, 'read'>,
  onFault: (says: Text) => void,
): (readonly [string, string])[] {
  const references = /^\s*(inline|static):/.test(list) ? [list] : words(list)
  return references.flatMap((reference) => {
    const reading = readTable(reference, around)
    if (reading.kind === 'pairs') return reading.pairs
    onFault(reading.says)
    return []
  })
}

function pair(line: string): [string, string] {
  const [, key = '', value = ''] = /^(\S+)\s*(.*)$/s.exec(line) ?? []
  return [key, value.trim()]
}

function inline(text: string): TableReading {
  const [, body] = /^\s*\{(.*)\}\s*$/s.exec(text) ?? []
  if (body === undefined)
    return fault('inline: needs { name=value, … }', 'для inline: нужно { имя=значение, … }')
  const items = body.match(/\{[^{}]*\}|[^\s,{}]+/g) ?? []
  const pairs = items.map((item): [string, string] => {
    const plain = item.replace(/^\{|\}$/g, '').trim()
    const at = plain.indexOf('=')
    return [
      plain.slice(0, at < 0 ? undefined : at).trim(),
      at < 0 ? '' : plain.slice(at + 1).trim(),
    ]
  })
  return { kind: 'pairs', pairs }
}

const fault = (en: string, ru: string): TableReading => ({ kind: 'fault', says: { en, ru } })
