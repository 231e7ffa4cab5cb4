// The texts of findings as values: what a code says in both languages, and how facts fill it.

import type { Finding, Severity } from './check.ts'

export type DoctorLanguage = 'en' | 'ru'

/** A fact that is itself a sentence stands in both languages. */
export type Fact = string | number | Readonly<Record<DoctorLanguage, string>>

/** Sentences with `{name}` where a fact goes. */
type Sentences = {
  /** What we saw, one sentence. */
  readonly saw: string
  /** Why it matters, one sentence. */
  readonly why: string
  /** What to do. */
  readonly fix: string
  /** The longer text of `posthorn explain CODE`, in paragraphs; it takes no facts. */
  readonly more: string
}

/** What is well needs no more than to be said. */
export type CodeTexts =
  | {
      readonly severity: 'ok'
      readonly en: Pick<Sentences, 'saw'>
      readonly ru: Pick<Sentences, 'saw'>
      readonly paste?: undefined
    }
  | {
      readonly severity: Exclude<Severity, 'ok'>
      readonly en: Sentences
      readonly ru: Sentences
      /** A record or command to copy as it is, the same in every language; filled from facts. */
      readonly paste?: string
    }

/** A name in braces; braces around other text, as YAML has them, are text. */
type Placeholder<S extends string> = S extends `${string}{${infer Name}}${infer Rest}`
  ? (Name extends `${string} ${string}` ? never : Name) | Placeholder<Rest>
  : never

type FilledText<S> = S extends { readonly saw: infer A extends string }
  ?
      | A
      | (S extends { readonly why: infer B extends string; readonly fix: infer C extends string }
          ? B | C
          : never)
  : never

type PasteOf<T> = T extends { readonly paste: infer P extends string } ? P : never

/** The facts that the texts of one code need. */
export type CodeFacts<T extends CodeTexts> = Readonly<
  Record<Placeholder<FilledText<T['en']> | FilledText<T['ru']> | PasteOf<T>>, Fact>
>

/** A finding in words. `why`, `fix` and `paste` are absent where nothing needs to be done. */
export type Said = {
  readonly saw: string
  readonly why?: string
  readonly fix?: string
  readonly paste?: string
}

/** Fills the texts of a finding. A fact that is missing stays visible as its placeholder. */
export function sayFinding(
  { facts }: Pick<Finding, 'facts'>,
  texts: CodeTexts,
  language: DoctorLanguage,
): Said {
  const filled = (text: string) =>
    text.replace(/\{(\w+)\}/g, (placeholder, name: string) => {
      const fact = facts[name]
      return typeof fact === 'object' ? fact[language] : String(fact ?? placeholder)
    })
  if (texts.severity === 'ok') return { saw: filled(texts[language].saw) }
  const { saw, why, fix } = texts[language]
  return {
    saw: filled(saw),
    why: filled(why),
    fix: filled(fix),
    ...(texts.paste === undefined ? {} : { paste: filled(texts.paste) }),
  }
}
