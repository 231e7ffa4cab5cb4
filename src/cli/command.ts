// How a command is described to commander: translated, with examples, and with the configuration's
// flags, which every command takes because every command must find the data folder.

import { Command, Option } from 'commander'
import { configFlags } from '../config/describe.ts'
import type { Language } from '../config/language.ts'
import { parseDuration } from '../config/units.ts'
import { type ConfigFlags, type Context, makeContext } from './context.ts'
import type { Texts } from './texts-en.ts'
import { CliFault, EXIT, type World } from './world.ts'

export type Builder = {
  readonly world: World
  readonly texts: Texts
  readonly language: Language
  /** Hands the exit code of the command that ran to the caller of runCli. */
  readonly finish: (code: number) => void
}

export type Flags = Readonly<Record<string, string | boolean | string[] | undefined>>

/** What a command does; resolves to the exit code, anything else means 0. */
export type Run = (context: Context, operands: readonly string[], flags: Flags) => Promise<unknown>

/**
 * Completes a leaf command: flags of the configuration, examples, and what it runs.
 * @param examples command lines without the program's name
 */
export function leaf(
  command: Command,
  builder: Builder,
  options: { readonly examples: readonly string[]; readonly run: Run },
): Command {
  const { world, texts } = builder
  command
    .option('--config <file>', texts.options.config)
    .option('--data <folder>', texts.options.data)
    .option('--lang <language>', texts.options.lang)
  for (const { flag, says } of configFlags(builder.language)) {
    const shown = command.name() === 'serve' && SHOWN.includes(flag)
    if (flag === '--data') continue
    command.addOption(new Option(`${flag} <value>`, says).hideHelp(!shown))
  }
  const lines = options.examples.map((example) => `  ${world.program} ${example}`)
  command.addHelpText('after', `\n${texts.examples}\n${lines.join('\n')}`)
  return command.action(async () => {
    // What stands before a command's name (`--lang ru dns …`) counts as well.
    const flags: Flags = { ...command.optsWithGlobals<Flags>(), ...command.opts<Flags>() }
    const context = makeContext(world, readConfigFlags(flags))
    const code = await options.run(context, command.args, flags)
    builder.finish(typeof code === 'number' ? code : EXIT.ok)
  })
}

const SHOWN = ['--mode', '--hostname', '--smtp-port', '--http-port', '--relayhost']

/** Out of commander's names (`httpPort`) those that are options, by path. */
function readConfigFlags(flags: Flags): ConfigFlags {
  const options: Record<string, string> = {}
  for (const { flag, path } of configFlags('en')) {
    const name = flag.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
    if (typeof flags[name] === 'string') options[path] = flags[name]
  }
  if (typeof flags.lang === 'string') options.language = flags.lang
  const file = flags.config
  return typeof file === 'string' ? { file, options } : { options }
}

/** A group such as `queue`, whose commands are added to it. */
export function group(name: string, description: string): Command {
  return new Command(name).description(description)
}

export function usageFault(text: string): CliFault {
  return new CliFault(text, EXIT.usage)
}

export function textFlag(flags: Flags, name: string): string | undefined {
  const value = flags[name]
  return typeof value === 'string' ? value : undefined
}

export function numberFlag(
  flags: Flags,
  name: string,
  { fallback, texts }: { fallback: number; texts: Texts },
): number {
  const value = textFlag(flags, name)
  if (value === undefined) return fallback
  if (/^[1-9]\d{0,5}$/.test(value)) return Number(value)
  throw usageFault(texts.usage.badNumber(`--${name}`, value))
}

export function durationFlag(
  flags: Flags,
  name: string,
  { fallback, texts }: { fallback: number; texts: Texts },
): number {
  const value = textFlag(flags, name)
  if (value === undefined) return fallback
  const ms = parseDuration(value)
  if (ms === undefined) throw usageFault(texts.usage.badDuration(`--${name}`, value))
  return ms
}

/** Prints a value for scripts. */
export function printJson(context: Context, value: unknown): void {
  context.out(JSON.stringify(value, null, 2))
}
