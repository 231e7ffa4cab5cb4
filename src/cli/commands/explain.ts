import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import type { Command } from 'commander'
import { suggest } from '../../config/suggest.ts'
import { catalogue } from '../../doctor/catalogue.ts'
import type { Severity } from '../../doctor/check.ts'
import type { CodeTexts } from '../../doctor/text.ts'
import { parseMessageId } from '../../mail/message.ts'
import { type Builder, type Flags, leaf, textFlag } from '../command.ts'
import type { Context } from '../context.ts'
import { queuedInWords } from '../explain-queued.ts'
import { replyInWords, textInWords } from '../explain-text.ts'
import { wrap } from '../report.ts'
import { paint } from '../table.ts'
import { CliFault } from '../world.ts'
import { doctorTexts } from './doctor.texts.ts'
import { explainTexts } from './explain.texts.ts'

const ORDER: readonly Severity[] = ['error', 'warning', 'note', 'unknown']
const WIDEST = 90

export function explainCommand(builder: Builder, parent: Command): void {
  const words = explainTexts[builder.language]
  leaf(
    parent
      .command('explain [what...]')
      .description(words.about)
      .option('--headers', words.headers)
      .option('--file <file>', words.file),
    builder,
    {
      examples: [
        'explain PTR_MISSING',
        'explain 0SA4G7BNM00',
        'explain "550 5.7.26 the sender is unauthenticated"',
        'explain --headers < message.eml',
        'explain',
      ],
      run: explain,
    },
  )
}

/** Codes and replies need neither server nor configuration. */
async function explain(context: Context, operands: readonly string[], flags: Flags) {
  const file = textFlag(flags, 'file') ?? (flags.headers === true ? '-' : undefined)
  if (file !== undefined) {
    const told = await textInWords(context, await readText(context, file))
    if (told === undefined) throw new CliFault(explainTexts[context.language].nothing)
    return context.out(told)
  }
  const what = operands.join(' ').trim()
  if (what === '') return context.out(listCodes(context))
  const code = what.toUpperCase().replaceAll('-', '_')
  const texts = catalogue.get(code)
  if (texts) return context.out(formatCode(context, code, texts))
  // A code in capitals may be as long as an id; an id has a digit.
  if (parseMessageId(what) !== undefined && /\d/.test(what))
    return context.out(await queuedInWords(context, what.toUpperCase()))
  // One word is a code that somebody misspelt; receivers say more.
  const told = /^[\w-]+$/.test(what) ? undefined : replyInWords(context, what)
  if (told === undefined) throw unknownCode(context, code)
  return context.out(told)
}

async function readText({ language, world }: Context, file: string): Promise<string> {
  const words = explainTexts[language]
  if (file === '-' && world.ask) world.stderr.write(`${words.paste}\n`)
  const reading =
    file === '-' ? readAll(process.stdin) : readFile(resolve(world.workingDirectory, file), 'utf8')
  return await reading.catch((error: NodeJS.ErrnoException) => {
    throw new CliFault(words.unreadable(file, error.code ?? error.message))
  })
}

function unknownCode({ language, world }: Context, code: string): CliFault {
  const near = suggest(code, catalogue.keys())
  const texts = doctorTexts[language]
  return new CliFault(`${texts.noCode(code, near)}\n${texts.allCodes(`${world.program} explain`)}`)
}

function formatCode({ language, world }: Context, code: string, texts: CodeTexts): string {
  const { stdout } = world
  const width = Math.min(stdout.columns || WIDEST, WIDEST)
  const words = doctorTexts[language]
  const say = (text: string) => wrap(named(text), width)
  const head = [paint('bold', code, stdout), ...wrap(words.severity[texts.severity], width)]
  if (texts.severity === 'ok') return [...head, '', ...say(texts[language].saw)].join('\n')
  const { saw, why, fix, more } = texts[language]
  const paste = (texts.paste ?? '')
    .split('\n')
    .filter(Boolean)
    .map((line) => `  ${named(line)}`)
  return [
    ...head,
    '',
    ...say(saw),
    ...say(why),
    '',
    ...more.split('\n\n').flatMap((paragraph) => [...say(paragraph), '']),
    ...say(`${words.fix} ${fix}`),
    ...paste,
  ].join('\n')
}

/** Without a finding there are no facts: `{address}` becomes `<address>`. */
function named(text: string): string {
  return text.replace(/\{(\w+)\}/g, '<$1>')
}

function listCodes({ language, world }: Context): string {
  const words = doctorTexts[language]
  const codes = [...catalogue].filter(([, { severity }]) => severity !== 'ok')
  const widest = Math.max(...codes.map(([code]) => code.length))
  const width = Math.max(40, Math.min(world.stdout.columns || 100, 110) - widest - 4)
  return [
    words.codes,
    ...ORDER.filter((severity) => codes.some(([, texts]) => texts.severity === severity)).flatMap(
      (severity) => [
        '',
        paint('bold', words.severity[severity], world.stdout),
        ...codes
          .filter(([, texts]) => texts.severity === severity)
          .flatMap(([code, texts]) =>
            wrap(named(texts[language].saw), width).map(
              (line, i) => `  ${(i === 0 ? code : '').padEnd(widest)}  ${line}`,
            ),
          ),
      ],
    ),
  ].join('\n')
}
