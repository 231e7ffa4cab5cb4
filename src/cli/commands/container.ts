import { resolve } from 'node:path'
import type { Command } from 'commander'
import { imageOf, translateContainer } from '../../dropin/choose.ts'
import type { Translation } from '../../dropin/draft.ts'
import { type Builder, leaf, printJson } from '../command.ts'
import { type Context, makeContext } from '../context.ts'
import { belowRoot, mountsIn, surroundingsOf } from '../surroundings.ts'
import { demandRight, logNotes, translationJson, translationPage } from '../translation.ts'
import { CliFault, EXIT } from '../world.ts'
import { containerTexts } from './container.texts.ts'
import { serve } from './serve.ts'

export function containerCommand(builder: Builder, parent: Command): void {
  const texts = containerTexts[builder.language]
  const command = parent
    .command('container')
    .description(texts.help)
    .argument('[args...]')
    .option('--explain', texts.explain)
    .option('--root <folder>', texts.root)
    .option('--json', builder.texts.options.json)
    .passThroughOptions()
  leaf(command, builder, {
    examples: [
      'container mydomain.ru no-reply:PASSWORD',
      'container --explain mydomain.ru no-reply:PASSWORD',
    ],
    async run(context, operands, flags) {
      const root = resolve(
        builder.world.workingDirectory,
        typeof flags.root === 'string' ? flags.root : '/',
      )
      const args = operands.filter((word) => word !== '--explain')
      const explain = flags.explain === true || args.length < operands.length
      return run(context, args, { root, explain, json: flags.json === true })
    },
  })
  command.addHelpText('after', `\n${texts.images}`)
}

type Options = { readonly root: string; readonly explain: boolean; readonly json: boolean }

async function run(context: Context, args: readonly string[], options: Options): Promise<number> {
  const { world, language } = context
  const texts = containerTexts[language]
  const around = surroundingsOf(world, options.root)
  const mounts = mountsIn(around.read('/proc/self/mounts') ?? '')
  const input = { args, environment: world.environment, mounts }
  const image = imageOf(input)
  if (image === undefined) {
    if (!options.explain) return serve(context)
    context.out(texts.none)
    return EXIT.ok
  }
  if (world.environment.POSTHORN_CONFIG) throw new CliFault(texts.bothGiven(image), EXIT.config)
  const translation = translateContainer(image, input, around)
  const inner = contextOf(context, translation, options.root)
  const loaded = inner.load()
  if (options.json) printJson(context, { image, ...translationJson(context, translation, loaded) })
  else if (options.explain) {
    const title = texts.title(image)
    context.out(translationPage(context, translation, { loaded, title }))
  }
  const wrong = translation.wrong.length + loaded.faults.length > 0
  if (options.explain || options.json) return wrong ? EXIT.config : EXIT.ok
  demandRight(context, translation, loaded)
  return serve(inner, (log) => logNotes(log, translation))
}

/** The same command with the translation in place of a configuration file. */
function contextOf(context: Context, translation: Translation, root: string): Context {
  const base = { tree: belowRoot(translation.tree, root), given: translation.given }
  return makeContext(context.world, { ...context.flags, base })
}
