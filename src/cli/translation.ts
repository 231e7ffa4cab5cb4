// How a translation is shown, and what stops a start.

import { printGiven } from '../config/describe.ts'
import { formatFault } from '../config/faults.ts'
import type { Loaded } from '../config/load.ts'
import type { Note, Translation } from '../dropin/draft.ts'
import type { Log } from '../std/log.ts'
import type { Context } from './context.ts'
import { paint } from './table.ts'
import { translationTexts } from './translation.texts.ts'
import { CliFault, EXIT } from './world.ts'

/** What follows from what was given, as a page. */
export function translationPage(
  context: Context,
  translation: Translation,
  { loaded, title }: { readonly loaded: Loaded; readonly title: string },
): string {
  const { language, world } = context
  const texts = translationTexts[language]
  const heading = (text: string) => paint('bold', text, world.stdout)
  const notes = (list: readonly Note[]) =>
    list.map(({ name, says }) => `  ${name}: ${says[language]}`)
  const sections: [string, readonly string[]][] = [
    [texts.wrong, faultLines(context, translation, loaded)],
    [texts.understood, translation.understood.map(({ name, becomes }) => `  ${name} → ${becomes}`)],
    [texts.changed, notes(translation.changed)],
    [texts.ignored, notes(translation.ignored)],
  ]
  const yaml = printGiven(loaded, language, { secrets: 'masked' }).trimEnd().split('\n')
  sections.push([texts.configuration, yaml.map((line) => `  ${line}`)])
  return [
    heading(title),
    ...sections
      .filter(([, lines]) => lines.length > 0)
      .flatMap(([name, lines]) => ['', heading(name), ...lines.map(texts.named)]),
    '',
  ].join('\n')
}

/** The same for programs. */
export function translationJson(
  context: Context,
  translation: Translation,
  loaded: Loaded,
): Record<string, unknown> {
  const { language } = context
  const plain = (list: readonly Note[]) =>
    list.map(({ name, says }) => ({ name, says: says[language] }))
  return {
    configuration: printGiven(loaded, 'en', { secrets: 'masked' }),
    understood: translation.understood,
    changed: plain(translation.changed),
    ignored: plain(translation.ignored),
    wrong: [
      ...translation.wrong.map(({ name, says, example }) => ({
        name,
        says: says[language],
        example,
      })),
      ...loaded.faults.map((fault) => ({ name: fault.path, says: formatFault(fault, language) })),
    ],
  }
}

/** Throws a CliFault that names everything wrong, each with the right form. */
export function demandRight(context: Context, translation: Translation, loaded: Loaded): void {
  const lines = faultLines(context, translation, loaded)
  if (lines.length === 0) return
  const { wrong, named } = translationTexts[context.language]
  throw new CliFault([wrong, ...lines.map(named)].join('\n'), EXIT.config)
}

function faultLines(context: Context, { wrong }: Translation, loaded: Loaded): string[] {
  const { language } = context
  const texts = translationTexts[language]
  return [
    ...wrong.map(
      ({ name, says, example }) => `  ${name}: ${says[language]}. ${texts.rightForm} ${example}`,
    ),
    ...loaded.faults.map((fault) => `  ${formatFault(fault, language)}`),
  ]
}

/** One line of the log for everything that is not as it was there. */
export function logNotes(log: Log, translation: Translation): void {
  for (const { name, says } of translation.changed)
    log.warn({ setting: name }, `done otherwise: ${says.en}`)
  for (const { name, says } of translation.ignored)
    log.warn({ setting: name }, `not applicable: ${says.en}`)
}
