// The command table: every command with its help, and how wrong usage and failures end.

import { Command, CommanderError } from 'commander'
import type { Builder } from './command.ts'
import { aliasesCommand } from './commands/aliases.ts'
import { certificateCommand } from './commands/certificate.ts'
import { configCommand } from './commands/config.ts'
import { containerCommand } from './commands/container.ts'
import { credentialCommand } from './commands/credential.ts'
import { dkimCommand } from './commands/dkim.ts'
import { dnsCommand } from './commands/dns.ts'
import { doctorCommand } from './commands/doctor.ts'
import { domainCommand } from './commands/domain.ts'
import { explainCommand } from './commands/explain.ts'
import { healthCommand } from './commands/health.ts'
import { importCommand } from './commands/import.ts'
import { liveCommands } from './commands/live.ts'
import { mailCheckerCommand } from './commands/mail-checker.ts'
import { policyCommand } from './commands/policy.ts'
import { queueCommand } from './commands/queue.ts'
import { sendTestCommand } from './commands/send-test.ts'
import { serveCommand } from './commands/serve.ts'
import { guessLanguage, textsIn } from './context.ts'
import { paint } from './table.ts'
import type { Texts } from './texts-en.ts'
import { CliFault, EXIT, type World } from './world.ts'

/**
 * Runs one command line.
 * @param args without the interpreter and the script
 * @returns the exit code; nothing is thrown
 */
export async function runCli(args: readonly string[], world: World): Promise<number> {
  const language = guessLanguage(world, { options: languageFlag(args) })
  const texts = textsIn(language)
  let code: number = EXIT.ok
  const program = makeProgram({ world, texts, language, finish: (result) => (code = result) })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    return failed(error, { world, texts })
  }
}

/** `--lang ru` must be known before there is help to translate. */
function languageFlag(args: readonly string[]): Record<string, string> {
  for (const [index, arg] of args.entries()) {
    const [, inline] = /^--lang(?:uage)?=(.+)$/.exec(arg) ?? []
    const value = inline ?? (/^--lang(uage)?$/.test(arg) ? args[index + 1] : undefined)
    if (value !== undefined) return { language: value }
  }
  return {}
}

function makeProgram(builder: Builder): Command {
  const { world, texts } = builder
  const program = new Command('posthorn')
    .description(texts.about)
    .version(world.version, '-V, --version', texts.options.version)
    .option('--lang <language>', texts.options.lang)
    .enablePositionalOptions()
  serveCommand(builder, program)
  containerCommand(builder, program)
  sendTestCommand(builder, program)
  mailCheckerCommand(builder, program)
  program.addCommand(domainCommand(builder))
  dnsCommand(builder, program)
  doctorCommand(builder, program)
  liveCommands(builder, program)
  explainCommand(builder, program)
  program.addCommand(dkimCommand(builder))
  program.addCommand(credentialCommand(builder))
  program.addCommand(certificateCommand(builder))
  program.addCommand(queueCommand(builder))
  program.addCommand(aliasesCommand(builder))
  program.addCommand(policyCommand(builder))
  program.addCommand(configCommand(builder))
  program.addCommand(importCommand(builder))
  healthCommand(builder, program)
  program.addHelpText('after', `\n${texts.more(world.program)}\n${texts.exitCodes}`)
  visit(program, (command) => prepare(command, builder))
  return program
}

function visit(command: Command, prepare: (command: Command) => void): void {
  prepare(command)
  for (const child of command.commands) visit(child, prepare)
}

function prepare(command: Command, { world, texts }: Builder): void {
  const headings: Readonly<Record<string, string>> = {
    'Usage:': texts.usage.Usage,
    'Options:': texts.usage.Options,
    'Commands:': texts.usage.Commands,
    'Arguments:': texts.usage.Arguments,
  }
  const term = (text: string): string =>
    text.replace(/(?<=[<[])[a-z]+(?=[\]>.])/g, (word) => texts.terms[word] ?? word)
  command
    .exitOverride()
    .helpCommand(false)
    .configureHelp({
      styleTitle: (title) => paint('bold', headings[title] ?? title, world.stdout),
      styleUsage: term,
      styleSubcommandTerm: term,
      styleOptionTerm: term,
      styleArgumentTerm: term,
    })
    .configureOutput({
      writeOut: (text) => world.stdout.write(text),
      writeErr: (text) => world.stderr.write(text),
      outputError: () => {}, // failed() says it, in the user's language
      getOutHelpWidth: () => world.stdout.columns,
      getErrHelpWidth: () => world.stderr.columns,
    })
  if (command.name() !== 'mail-checker') command.helpOption('-h, --help', texts.options.help)
}

function failed(error: unknown, { world, texts }: Pick<Builder, 'world' | 'texts'>): number {
  if (error instanceof CommanderError) return wrongUsage(error, { world, texts })
  if (error instanceof CliFault) {
    world.stderr.write(`${error.message}\n`)
    return error.exitCode
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  world.stderr.write(`${texts.faults.unexpected(message)}\n`)
  if (world.environment.DEBUG) world.stderr.write(`${stack}\n`)
  return EXIT.failed
}

function wrongUsage(
  error: CommanderError,
  { world, texts }: Pick<Builder, 'world' | 'texts'>,
): number {
  if (error.code === 'commander.helpDisplayed' || error.code === 'commander.version') return EXIT.ok
  if (error.code === 'commander.help') return EXIT.usage // no command given: help was printed
  world.stderr.write(`${sayWrongUsage(error, texts)}\n${texts.more(world.program)}\n`)
  return EXIT.usage
}

function sayWrongUsage({ code, message }: CommanderError, texts: Texts): string {
  const { usage } = texts
  const [, name = ''] = /'([^']*)'/.exec(message) ?? []
  const [, near] = /\(Did you mean (?:one of )?([^?]*)\?\)/.exec(message) ?? []
  const hint = near === undefined ? '' : ` ${usage.didYouMean(near)}`
  switch (code) {
    case 'commander.unknownCommand':
      return usage.unknownCommand(name) + hint
    case 'commander.unknownOption':
      return usage.unknownOption(name) + hint
    case 'commander.missingArgument':
      return usage.missingArgument((texts.terms[name] ?? name).toUpperCase())
    case 'commander.optionMissingArgument':
      return usage.missingValue(name)
    case 'commander.excessArguments':
      return usage.tooMany
    default:
      return message
  }
}
