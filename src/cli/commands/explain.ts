import type { Command } from 'commander'
import { suggest } from '../../config/suggest.ts'
import { catalogue } from '../../doctor/catalogue.ts'
import type { Severity } from '../../doctor/check.ts'
import type { CodeTexts } from '../../doctor/text.ts'
import { type Builder, leaf } from '../command.ts'
import type { Context } from '../context.ts'
import { wrap } from '../report.ts'
import { paint } from '../table.ts'
import { CliFault } from '../world.ts'
import { doctorTexts } from './doctor.texts.ts'

const ORDER: readonly Severity[] = ['error', 'warning', 'note', 'unknown']
const WIDEST = 90

export function explainCommand(builder: Builder, parent: Command): void {
  const { language } = builder
  leaf(parent.command('explain [code]').description(doctorTexts[language].explain), builder, {
    examples: ['explain PTR_MISSING', 'explain'],
    run: explain,
  })
}

/** What was given is a code of the doctor; it needs neither server nor configuration. */
async function explain(context: Context, [what]: readonly string[]) {
  if (what === undefined) return context.out(listCodes(context))
  const code = what.toUpperCase().replaceAll('-', '_')
  const texts = catalogue.get(code)
  if (texts === undefined) throw unknownCode(context, code)
  return context.out(formatCode(context, code, texts))
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
