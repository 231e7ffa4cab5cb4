import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import {
  effectiveTree,
  exampleFile,
  jsonSchema,
  printConfig,
  referencePage,
} from '../../config/describe.ts'
import { formatFault } from '../../config/faults.ts'
import { type Builder, group, leaf, printJson, textFlag } from '../command.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../world.ts'

export function configCommand(builder: Builder): Command {
  const { texts } = builder
  const parent = group('config', texts.help.config)
  leaf(
    parent
      .command('check')
      .description(texts.help.configCheck)
      .option('--json', texts.options.json),
    builder,
    { examples: ['config check', 'config check --config posthorn.yaml --json'], run: check },
  )
  leaf(
    parent
      .command('print')
      .description(texts.help.configPrint)
      .option('--json', texts.options.json),
    builder,
    { examples: ['config print', 'config print --http-port 80'], run: print },
  )
  leaf(page(parent, 'reference', texts.help.configReference, builder), builder, {
    examples: ['config reference', 'config reference --lang ru --write configuration.ru.md'],
    run: async (context, _operands, flags) =>
      deliver(context, textFlag(flags, 'write'), referencePage(context.language)),
  })
  leaf(page(parent, 'example', texts.help.configExample, builder), builder, {
    examples: ['config example --write posthorn.yaml'],
    run: async (context, _operands, flags) =>
      deliver(context, textFlag(flags, 'write'), exampleFile(context.language)),
  })
  leaf(page(parent, 'schema', texts.help.configSchema, builder), builder, {
    examples: ['config schema --write posthorn.schema.json'],
    run: async (context, _operands, flags) =>
      deliver(context, textFlag(flags, 'write'), `${JSON.stringify(jsonSchema(), null, 2)}\n`),
  })
  return parent
}

function page(parent: Command, name: string, says: string, { texts }: Builder): Command {
  return parent.command(name).description(says).option('--write <file>', texts.options.write)
}

async function check(
  context: Context,
  _operands: readonly string[],
  flags: Readonly<Record<string, unknown>>,
): Promise<number> {
  const { faults, file } = context.load()
  const { language, texts } = context
  if (flags.json) {
    printJson(context, {
      faults: faults.map((fault) => ({
        code: fault.code,
        path: fault.path,
        origin: fault.origin,
        text: formatFault(fault, language),
      })),
    })
  } else if (faults.length === 0) context.out(texts.faults.configOk(file))
  else {
    context.out(texts.faults.configuration(faults.length))
    for (const fault of faults) context.out(`  ${formatFault(fault, language)}`)
  }
  return faults.length === 0 ? EXIT.ok : EXIT.config
}

async function print(
  context: Context,
  _operands: readonly string[],
  flags: Readonly<Record<string, unknown>>,
): Promise<undefined> {
  context.config()
  const loaded = context.load()
  if (flags.json) printJson(context, effectiveTree(loaded))
  else context.out(printConfig(loaded, context.language))
}

/** Prints a page, or replaces a file when it differs (so that a build does not touch what is fresh). */
async function deliver(
  context: Context,
  file: string | undefined,
  text: string,
): Promise<undefined> {
  if (file === undefined) {
    context.out(text)
    return
  }
  const path = resolve(context.world.workingDirectory, file)
  if (readOrEmpty(path) !== text) writeFileSync(path, text)
  context.world.stderr.write(`${context.texts.written(file)}\n`)
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
