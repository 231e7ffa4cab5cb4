// A message of the queue in plain words: what happened to each of its recipients, what happens next,
// and what would change it.

import type { AttemptView, QueuedMessage, QueueEntryView } from '../api/control.ts'
import { ApiFault, connect } from './client.ts'
import { explainTexts } from './commands/explain.texts.ts'
import type { Context } from './context.ts'
import { replyInWords } from './explain-text.ts'
import { oneLine } from './table.ts'
import { timeOf } from './transcript.ts'
import { CliFault } from './world.ts'

/** Throws a CliFault for an id that nobody remembers. */
export async function queuedInWords(context: Context, id: string): Promise<string> {
  const words = explainTexts[context.language]
  await using client = await connect(context)
  const message = await client
    .call<QueuedMessage>('GET', `/api/v1/queue/${encodeURIComponent(id)}`)
    .catch((error: unknown) => {
      if (!(error instanceof ApiFault) || error.code !== 'NOT_FOUND') throw error
      throw new CliFault(words.noMessage(id))
    })
  const { entries, attempts } = message
  const from = entries[0]?.from
  const waiting = new Set(entries.map(({ to }) => to))
  const head = from === undefined ? id : words.message(id, oneLine(from))
  return [
    head,
    ...entries.flatMap((entry) => ['', ...waitingInWords(context, entry, attempts)]),
    ...lastOf(attempts)
      .filter(({ recipient }) => !waiting.has(recipient))
      .flatMap((result) => ['', ...endInWords(context, result)]),
  ].join('\n')
}

type Result = AttemptView['results'][number]

/** The last that is known of each recipient. */
function lastOf(attempts: readonly AttemptView[]): readonly Result[] {
  return [
    ...new Map(attempts.flatMap(({ results }) => results).map((r) => [r.recipient, r])).values(),
  ]
}

function waitingInWords(
  context: Context,
  entry: QueueEntryView,
  attempts: readonly AttemptView[],
): string[] {
  const words = explainTexts[context.language]
  const { state, nextAttemptAt, lastFailure } = entry
  const when = nextAttemptAt === null ? '' : timeOf(nextAttemptAt)
  const outlook =
    state === 'held'
      ? words.held
      : entry.attempts === 0 && attempts.length === 0
        ? words.fresh
        : words.waits(entry.attempts, when)
  const said = lastFailure === null ? [] : [`  ${oneLine(lastFailure)}`]
  return [
    words.to(oneLine(entry.to)),
    ...said,
    ...inWords(context, lastFailure),
    `  ${words.next} ${outlook}`,
  ]
}

function endInWords(context: Context, { recipient, result, text }: Result): string[] {
  const words = explainTexts[context.language]
  const head = `${words.to(oneLine(recipient))} ${words.ended[result]}`
  return [head, `  ${oneLine(text)}`, ...inWords(context, text)]
}

function inWords(context: Context, text: string | null): string[] {
  const told = text === null ? undefined : replyInWords(context, text, { outlook: false })
  return (told ?? '')
    .split('\n')
    .filter(Boolean)
    .map((line) => `  ${line}`)
}
