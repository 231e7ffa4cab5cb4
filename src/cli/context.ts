// What every command gets: the world, the language, and the configuration when it asks for it.

import { formatFault } from '../config/faults.ts'
import { chooseLanguage, type Language } from '../config/language.ts'
import { type Loaded, type LoadInput, loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { en, type Texts } from './texts-en.ts'
import { ru } from './texts-ru.ts'
import { CliFault, EXIT, type World } from './world.ts'

export type Context = {
  readonly world: World
  /** Grows more certain when the configuration is read. */
  readonly language: Language
  readonly texts: Texts
  readonly flags: ConfigFlags
  /** Reads file, environment and flags; what is wrong with them stays inside. */
  load(): Loaded
  /** The configuration, or a CliFault that lists every fault. */
  config(): Config
  out(text: string): void
}

/** The flags of the command line that choose the configuration. */
export type ConfigFlags = {
  readonly file?: string
  /** By the option's path. */
  readonly options: Readonly<Record<string, string>>
  /** What stands in place of a configuration file. */
  readonly base?: LoadInput['base']
}

export function textsIn(language: Language): Texts {
  return language === 'ru' ? ru : en
}

export function makeContext(world: World, flags: ConfigFlags): Context {
  let language = guessLanguage(world, flags)
  let loaded: Loaded | undefined
  const context: Context = {
    world,
    flags,
    get language() {
      return language
    },
    get texts() {
      return textsIn(language)
    },
    load() {
      loaded ??= loadConfig({
        flags: flags.options,
        ...(flags.file === undefined ? {} : { file: flags.file }),
        ...(flags.base && { base: flags.base }),
        environment: world.environment,
        workingDirectory: world.workingDirectory,
        machineName: world.machineName,
      })
      if (loaded.config) language = chooseLanguage(loaded.config.language, world.environment)
      return loaded
    },
    config() {
      const { config, faults } = context.load()
      if (config) return config
      const lines = faults.map((fault) => `  ${formatFault(fault, language)}`)
      throw new CliFault(
        `${textsIn(language).faults.configuration(faults.length)}\n${lines.join('\n')}`,
        EXIT.config,
      )
    },
    out: (text) => world.stdout.write(text.endsWith('\n') ? text : `${text}\n`),
  }
  return context
}

/** Before the configuration is read: the flag, the variable, the locale. */
export function guessLanguage(world: World, flags: Pick<ConfigFlags, 'options'>): Language {
  const { environment } = world
  const wanted =
    flags.options.language ?? environment.POSTHORN_LANG ?? environment.POSTHORN_LANGUAGE
  return chooseLanguage(wanted, environment)
}
