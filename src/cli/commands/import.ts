import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { printGiven } from '../../config/describe.ts'
import { translatePostfix } from '../../dropin/postfix.ts'
import { replaceFile } from '../../std/durable.ts'
import { type Builder, type Flags, group, leaf, printJson, textFlag } from '../command.ts'
import { type Context, makeContext } from '../context.ts'
import { prepareData } from '../data-folder.ts'
import { openLog } from '../log.ts'
import { belowRoot, surroundingsOf } from '../surroundings.ts'
import { demandRight, translationJson, translationPage } from '../translation.ts'
import { CliFault, EXIT } from '../world.ts'
import { importTexts } from './import.texts.ts'

export function importCommand(builder: Builder): Command {
  const texts = importTexts[builder.language]
  const parent = group('import', texts.help)
  leaf(
    parent
      .command('postfix <folder>')
      .description(texts.postfix)
      .option('--write <file>', texts.write)
      .option('--dry-run', texts.dryRun)
      .option('--root <folder>', texts.root)
      .option('--json', builder.texts.options.json),
    builder,
    {
      examples: [
        'import postfix /etc/postfix --dry-run',
        'import postfix /etc/postfix --write posthorn.yaml',
      ],
      run: importPostfix,
    },
  )
  leaf(
    parent
      .command('spool <folder>')
      .description(texts.spool)
      .option('--json', builder.texts.options.json),
    builder,
    {
      examples: [
        'import spool /var/spool/postfix',
        'import spool /var/spool/postfix --config posthorn.yaml',
      ],
      run: importSpool,
    },
  )
  return parent
}

async function importSpool(context: Context, [folder = '']: readonly string[], flags: Flags) {
  const { world, language } = context
  const texts = importTexts[language]
  const config = context.config()
  await prepareData(context, config)
  await using log = openLog(world, { format: 'plain', level: 'error' })
  const engine = await world.engine()
  const spool = resolve(world.workingDirectory, folder)
  const report = await engine
    .importSpool(config, { log, clock: world.clock }, spool)
    .catch((error: Error & { code?: string }) => {
      if (error.name === 'FolderLocked') throw new CliFault(texts.locked(config.data))
      if (error.name !== 'SpoolFault') throw error
      throw new CliFault(
        error.code === 'running' ? texts.running(error.message) : texts.noSpool(spool),
      )
    })
  if (flags.json) printJson(context, report)
  else {
    context.out(texts.brought(report.messages, report.recipients, report.held))
    for (const { file, why } of report.left) context.out(`  ${file}: ${why}`)
    if (report.left.length > 0) context.out(texts.left(report.left.length))
  }
  return report.left.length > 0 ? EXIT.failed : EXIT.ok
}

async function importPostfix(context: Context, [folder = '']: readonly string[], flags: Flags) {
  const { world, language } = context
  const texts = importTexts[language]
  const root = resolve(world.workingDirectory, textFlag(flags, 'root') ?? '/')
  const place = root === '/' ? resolve(world.workingDirectory, folder) : resolve('/', folder)
  const translation = translatePostfix(place, surroundingsOf(world, root))
  const base = { tree: belowRoot(translation.tree, root), given: translation.given }
  const loaded = makeContext(world, { ...context.flags, base }).load()
  if (flags.json) printJson(context, translationJson(context, translation, loaded))
  else context.out(translationPage(context, translation, { loaded, title: texts.title(place) }))
  const file = textFlag(flags, 'write')
  if (file === undefined || flags.dryRun) {
    if (!flags.json) context.out(texts.notWritten)
    return translation.wrong.length + loaded.faults.length > 0 ? EXIT.config : EXIT.ok
  }
  demandRight(context, translation, loaded)
  const path = resolve(world.workingDirectory, file)
  const before = readOrNothing(path)
  if (before !== undefined) throw new CliFault(texts.exists(file))
  await replaceFile(path, printGiven(loaded, language, { secrets: 'shown' }), { mode: 0o600 })
  world.stderr.write(`${context.texts.written(file)}\n${texts.next(world.program, file)}\n`)
  return EXIT.ok
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
