// A pasted text in plain words: headers as a receiver shows them, the reply of a server, a bounce.

import { readFile } from 'node:fs/promises'
import { formatDuration } from '../config/units.ts'
import { createResolver } from '../dns/stub.ts'
import { type HeaderStory, type Hop, type MethodResult, readHeaders } from '../doctor/headers.ts'
import { explainReply, wordsOf } from '../doctor/replies.ts'
import { dnsOf } from '../server/policy.ts'
import { explainTexts } from './commands/explain.texts.ts'
import type { Context } from './context.ts'
import { wrap } from './report.ts'
import { oneLine, paint } from './table.ts'
import { timeOf } from './transcript.ts'

const WIDEST = 90
const SLOW_MS = 60_000
const TIMEOUT_MS = 3_000

/** A reply in words; undefined when the text is none. `outlook` is said unless somebody knows better. */
export function replyInWords(
  context: Context,
  text: string,
  { outlook = true }: { readonly outlook?: boolean } = {},
): string | undefined {
  const explained = explainReply(text)
  if (!explained) return undefined
  const words = explainTexts[context.language]
  const { program } = context.world
  const { means, change } = wordsOf(explained, context.language)
  return [
    ...say(context, `${words.happened} ${means}`),
    ...(outlook ? say(context, `${words.next} ${words[explained.outlook]}`) : []),
    ...say(context, `${words.helps} ${change}`),
    ...explained.codes.map((code) => words.more(`${program} explain ${code}`)),
  ].join('\n')
}

/** Headers, a whole message or a bounce; undefined when it is nothing of that kind. */
export async function textInWords(context: Context, text: string): Promise<string | undefined> {
  const diagnosis = diagnosisIn(text)
  if (diagnosis !== undefined) return replyInWords(context, diagnosis)
  const resolvConf = await readFile('/etc/resolv.conf', 'utf8').catch(() => '')
  const { clock } = context.world
  const asking = { clock, timeoutMs: TIMEOUT_MS, attempts: 1, cacheEntries: 100 }
  using resolver = createResolver({ ...dnsOf(context.config(), resolvConf), ...asking })
  const story = await readHeaders(text, resolver)
  return story ? formatStory(context, story) : replyInWords(context, text)
}

/** What a bounce says of the receiver's reply (RFC 3464 §2.3.6), its folds undone. */
function diagnosisIn(text: string): string | undefined {
  const [, value] = /^Diagnostic-Code:\s*(?:smtp;)?((?:.*)(?:\r?\n[ \t]+.*)*)/im.exec(text) ?? []
  return value?.replace(/\s+/g, ' ').trim()
}

function say({ world }: Context, text: string): string[] {
  return wrap(oneLine(text), Math.min(world.stdout.columns || WIDEST, WIDEST))
}

function formatStory(context: Context, story: HeaderStory): string {
  const words = explainTexts[context.language]
  const { author, hops, judged, hasBody, signatures } = story
  const indent = (lines: readonly string[]) => lines.map((line) => `  ${line}`)
  const verdict = judged
    ? [
        words.found(oneLine(judged.by)),
        ...indent(judged.results.flatMap((one) => found(context, one))),
      ]
    : [words.notJudged]
  const seals = signatures.map((one) => sealLine(context, story, one))
  return [
    ...(author === undefined ? [] : [words.from(oneLine(author))]),
    ...(hops.length === 0 ? [] : [words.way, ...indent(wayOf(context, hops))]),
    ...verdict,
    ...(seals.length === 0 ? [words.unsigned] : [words.signatures, ...indent(seals)]),
    ...(seals.length > 0 && !hasBody ? say(context, words.noBody) : []),
    ...ending(context, story),
  ].join('\n')
}

function wayOf({ language }: Context, hops: readonly Hop[]): string[] {
  const words = explainTexts[language]
  return hops.map(({ from, by, at, isEncrypted }, i) => {
    const before = hops[i - 1]?.at
    const waited = at !== undefined && before !== undefined ? at - before : 0
    const parts = [
      at === undefined ? '--:--:--' : timeOf(at),
      `${oneLine(from) || '?'} → ${oneLine(by) || '?'}`,
      isEncrypted ? words.encrypted : words.clear,
      waited >= SLOW_MS ? words.slow(formatDuration(waited)) : '',
    ]
    return parts.filter(Boolean).join('  ')
  })
}

function found(context: Context, { method, result, domain }: MethodResult): string[] {
  const { stdout } = context.world
  const isGood = result === 'pass'
  const name = domain === '' ? '' : ` (${oneLine(domain)})`
  const line = `${isGood ? '✓' : '✗'} ${method.toUpperCase()} ${result}${name}`
  const failed = explainTexts[context.language].failed[method]
  if (isGood || failed === undefined) return [paint(isGood ? 'green' : 'red', line, stdout)]
  return [
    paint('red', line, stdout),
    ...failed.flatMap((text) => say(context, text)).map((one) => `  ${one}`),
  ]
}

function sealLine(
  { language, world }: Context,
  { author }: HeaderStory,
  { domain, selector, state, isAligned }: HeaderStory['signatures'][number],
): string {
  const words = explainTexts[language]
  const sign = state === 'good' ? '✓' : state === 'cannot-tell' ? '?' : '✗'
  const name = oneLine(`${selector}._domainkey.${domain}`)
  const foreign = isAligned === false && author ? `; ${words.foreign(oneLine(author))}` : ''
  const line = `${sign} ${name}: ${words.state[state]}${foreign}`
  return paint(state === 'good' && foreign === '' ? 'green' : 'yellow', line, world.stdout)
}

function ending(context: Context, { author, judged, signatures }: HeaderStory): string[] {
  const words = explainTexts[context.language]
  const results = judged?.results ?? []
  const dmarc = results.find(({ method }) => method === 'dmarc')
  const isBelieved = dmarc ? dmarc.result === 'pass' : false
  if (isBelieved) return say(context, words.believed)
  const bad = results.some(({ result }) => result !== 'pass') || signatures.some(isBad)
  if (!bad || author === undefined) return []
  return [words.look(`${context.world.program} doctor ${oneLine(author)}`)]
}

const isBad = ({ state }: HeaderStory['signatures'][number]) =>
  state !== 'good' && state !== 'cannot-tell'
