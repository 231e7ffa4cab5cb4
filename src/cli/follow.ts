// Follows a message from "queued as …" to its end: delivered, captured, bounced; or still waiting
// when the patience is over.

import type { AttemptView, QueuedMessage, SandboxMessage } from '../api/control.ts'
import { ApiFault, type Client } from './client.ts'
import type { Context } from './context.ts'
import { oneLine, paint } from './table.ts'
import { stepsOf } from './transcript.ts'

export type Followed = {
  readonly id: string
  readonly to: string
  /** A part of the subject that tells our message from others. */
  readonly subject: string
  /** The newest captured message before this one was sent. */
  readonly newestBefore: string | undefined
  readonly patienceMs: number
  /** Called once for each line worth showing; `at` in milliseconds since 1970, now when absent. */
  readonly say: (step: string, text: string, at?: number) => void
  /** Tell every step of an attempt, and not only its end. */
  readonly everyStep?: boolean
}

export type End =
  | { readonly kind: 'delivered'; readonly captured?: SandboxMessage; readonly trusted: boolean }
  | { readonly kind: 'failed' }
  | { readonly kind: 'waiting' }

const LOOK_MS = 150

/** The newest captured message's id, to tell ours from what was there. */
export async function newestCaptured(client: Client): Promise<string | undefined> {
  const path = '/api/v1/sandbox/messages?limit=1'
  const { messages } = await client.call<{ messages: SandboxMessage[] }>('GET', path)
  return messages[0]?.id
}

/** Watches attempts and captures, and says each once. */
export async function follow(context: Context, client: Client, message: Followed): Promise<End> {
  const { clock } = context.world
  const end = clock.elapsed() + message.patienceMs
  let told = 0
  let final: 'delivered' | 'failed' | undefined
  let settledAt = Number.POSITIVE_INFINITY
  for (;;) {
    const captured = await findCaptured(client, message)
    const seen = await queued(client, message.id)
    const attempts = seen?.attempts ?? []
    const nextAt = seen?.entries[0]?.nextAttemptAt ?? null
    for (const attempt of attempts.slice(told)) {
      if (message.everyStep)
        for (const { at, word, text } of stepsOf(attempt, { context, to: message.to, nextAt }))
          message.say(word, text, at)
      else sayAttempt(context, message, attempt)
    }
    told = Math.max(told, attempts.length)
    if (captured) {
      sayVerdict(context, message, captured)
      const { dkim, spf, dmarc } = captured.authentication
      return {
        kind: 'delivered',
        captured,
        trusted: [dkim, spf, dmarc].every((verdict) => verdict === 'pass'),
      }
    }
    final ??= seen && endOf(seen)
    if (final === 'failed') return { kind: 'failed' }
    // Delivered in the sandbox means captured, a moment later; live mail has nothing more to show.
    if (final === 'delivered') settledAt = Math.min(settledAt, clock.elapsed())
    if (clock.elapsed() - settledAt > 2000) return { kind: 'delivered', trusted: true }
    if (clock.elapsed() >= end) return { kind: 'waiting' }
    await clock.sleep(LOOK_MS)
  }
}

async function findCaptured(
  client: Client,
  { to, subject, newestBefore }: Followed,
): Promise<SandboxMessage | undefined> {
  const after = newestBefore === undefined ? '' : `&after=${encodeURIComponent(newestBefore)}`
  const path = `/api/v1/sandbox/messages?limit=100${after}`
  const { messages } = await client.call<{ messages: SandboxMessage[] }>('GET', path)
  return messages.find((one) => one.subject.includes(subject) && one.envelope.to.includes(to))
}

async function queued(client: Client, id: string): Promise<QueuedMessage | undefined> {
  try {
    return await client.call<QueuedMessage>('GET', `/api/v1/queue/${encodeURIComponent(id)}`)
  } catch (error) {
    if (error instanceof ApiFault && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}

/** Undefined while something waits or nothing is known yet. */
function endOf({ entries, attempts }: QueuedMessage): 'delivered' | 'failed' | undefined {
  if (entries.length > 0) return undefined
  const results = attempts.flatMap((attempt) => attempt.results.map((one) => one.result))
  if (results.some((result) => ['bounced', 'expired', 'cancelled'].includes(result)))
    return 'failed'
  return results.includes('delivered') ? 'delivered' : undefined
}

function sayAttempt({ texts, world }: Context, message: Followed, attempt: AttemptView): void {
  const where = [attempt.host, attempt.address && `[${attempt.address}]`, attempt.tls]
  for (const { result, text } of attempt.results) {
    const style = result === 'delivered' ? 'green' : result === 'deferred' ? 'yellow' : 'red'
    const word = paint(style, texts.send[result], world.stdout)
    const parts = [
      where.filter(Boolean).join(' '),
      oneLine(text),
      `${Math.round(attempt.durationMs)} ms`,
    ]
    message.say(word, parts.filter(Boolean).join('  '))
  }
}

function sayVerdict({ texts, world }: Context, message: Followed, captured: SandboxMessage): void {
  const { dkim, spf, dmarc } = captured.authentication
  const shown = Object.entries({ DKIM: dkim, SPF: spf, DMARC: dmarc }).map(([name, verdict]) =>
    paint(verdict === 'pass' ? 'green' : 'red', `${name} ${oneLine(verdict)}`, world.stdout),
  )
  message.say(texts.send.captured, shown.join(' · '))
}
