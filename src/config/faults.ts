// What is wrong with a configuration, as values: every fault has its place and a sentence in each
// language, so that all of them can be shown at once and repaired in one go.

import type { Language, Text } from './language.ts'

/** Where a value came from: what a person must open to change it. */
export type Origin =
  | { readonly kind: 'file'; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: 'environment'; readonly name: string }
  | { readonly kind: 'flag'; readonly name: string }
  | { readonly kind: 'default' }

export type ConfigFault = {
  /** Stable, for scripts and search: UNKNOWN_OPTION, BAD_VALUE, HELO_NOT_FQDN … */
  readonly code: string
  /** The option's path as in the reference: `http.port`. */
  readonly path: string
  readonly origin: Origin
  /** What we saw. */
  readonly says: Text
  /** What to do. */
  readonly fix?: Text
}

/** `posthorn.yaml:3:5  http.prot: unknown option. Did you mean http.port?` */
export function formatFault(fault: ConfigFault, language: Language): string {
  const place = fault.origin.kind === 'default' ? '' : formatOrigin(fault.origin, language)
  const sentences = [fault.says[language], fault.fix?.[language]].filter(Boolean).join('. ')
  const code = fault.code === 'HELO_NOT_FQDN' ? `${fault.code}  ` : ''
  return `${place ? `${place}  ` : ''}${code}${fault.path ? `${fault.path}: ` : ''}${sentences}`
}

export function formatOrigin(origin: Origin, language: Language): string {
  switch (origin.kind) {
    case 'file':
      return `${origin.file}:${origin.line}:${origin.column}`
    case 'environment':
      return origin.name
    case 'flag':
      return origin.name
    case 'default':
      return language === 'ru' ? 'по умолчанию' : 'default'
  }
}

export function didYouMean(word: string | undefined): Text | undefined {
  return word === undefined
    ? undefined
    : { en: `Did you mean ${word}?`, ru: `Возможно, имелось в виду ${word}?` }
}

/** Foreign values in a message: one line, no control characters, not endless. */
export function quote(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?')
  return `"${clean.length > 60 ? `${clean.slice(0, 60)}…` : clean}"`
}

export const unknownOption: Text = { en: 'unknown option', ru: 'неизвестная опция' }
export const missing: Text = { en: 'must be given', ru: 'нужно указать' }
