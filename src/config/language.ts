// The two languages of everything that a person reads. Logs and SMTP replies stay English.

export type Language = 'en' | 'ru'

/** One sentence in every language. */
export type Text = { readonly en: string; readonly ru: string }

/**
 * The language that a person's environment asks for.
 * @param wanted `auto` or a language's name, as in --lang, POSTHORN_LANG and the option `language`
 * @param environment looked at for LC_ALL, LC_MESSAGES and LANG, in the order of POSIX
 */
export function chooseLanguage(
  wanted: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Language {
  if (wanted === 'en' || wanted === 'ru') return wanted
  const locale = environment.LC_ALL || environment.LC_MESSAGES || environment.LANG || ''
  return /^ru/i.test(locale) ? 'ru' : 'en'
}
