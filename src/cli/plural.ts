import type { Language } from '../config/language.ts'

/** The forms of a noun that a language tells apart; `other` where the rest are the same. */
export type Forms = { readonly [category in Intl.LDMLPluralRule]?: string } & {
  readonly other: string
}

/** `plurals('ru', { entry: { one: 'запись', few: 'записи', other: 'записей' } }).entry(2)` → `2 записи` */
export function plurals<Nouns extends Readonly<Record<string, Forms>>>(
  language: Language,
  nouns: Nouns,
): { readonly [Noun in keyof Nouns]: (n: number) => string } {
  const rules = new Intl.PluralRules(language)
  const make = (forms: Forms) => (n: number) => `${n} ${forms[rules.select(n)] ?? forms.other}`
  return Object.fromEntries(
    Object.entries(nouns).map(([noun, forms]) => [noun, make(forms)]),
  ) as never
}
