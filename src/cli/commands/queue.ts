import type { Command } from 'commander'
import type {
  AttemptView,
  QueueCountsView,
  QueuedMessage,
  QueueEntryView,
  QueuePage,
} from '../../api/control.ts'
import { formatDuration } from '../../config/units.ts'
import { connect } from '../client.ts'
import {
  type Builder,
  type Flags,
  group,
  leaf,
  numberFlag,
  printJson,
  textFlag,
  usageFault,
} from '../command.ts'
import type { Context } from '../context.ts'
import { formatTable, oneLine } from '../table.ts'
import { CliFault } from '../world.ts'
import { queueTexts } from './queue.texts.ts'

export function queueCommand(builder: Builder): Command {
  const { texts } = builder
  const parent = group('queue', texts.help.queue)
  leaf(
    parent
      .command('list')
      .description(texts.help.queueList)
      .option('--limit <number>', texts.options.limit)
      .option('--after <place>', texts.options.after)
      .option('--site <site>', texts.options.site)
      .option('--state <state>', texts.options.state)
      .option('--json', texts.options.json),
    builder,
    {
      examples: ['queue list', 'queue list --site gmail.com --limit 20', 'queue list --json'],
      run: list,
    },
  )
  leaf(
    parent
      .command('show <id>')
      .description(texts.help.queueShow)
      .option('--json', texts.options.json),
    builder,
    { examples: ['queue show 0D3KP9ZT4M0'], run: show },
  )
  leaf(
    parent
      .command('retry [id]')
      .description(texts.help.queueRetry)
      .option('--site <site>', texts.options.site)
      .option('--all', texts.options.all)
      .option('--held', queueTexts(builder.language).held),
    builder,
    {
      examples: [
        'queue retry 0D3KP9ZT4M0',
        'queue retry --site gmail.com',
        'queue retry --all',
        'queue retry --all --held',
      ],
      run: retry,
    },
  )
  leaf(parent.command('cancel <id>').description(texts.help.queueCancel), builder, {
    examples: ['queue cancel 0D3KP9ZT4M0'],
    run: cancel,
  })
  return parent
}

async function list(context: Context, _operands: readonly string[], flags: Flags) {
  const { texts, world } = context
  const state = textFlag(flags, 'state')
  if (state !== undefined && !['ready', 'held'].includes(state)) {
    throw usageFault(texts.usage.badWord('--state', 'ready, held'))
  }
  const query = new URLSearchParams({
    limit: String(numberFlag(flags, 'limit', { fallback: 50, texts })),
  })
  for (const name of ['after', 'site', 'state']) {
    const value = textFlag(flags, name)
    if (value !== undefined) query.set(name, value)
  }
  await using client = await connect(context)
  const path = `/api/v1/queue?${query}`
  if (flags.json) return printJson(context, await client.raw('GET', path))
  type Answer = QueuePage & { counts: QueueCountsView }
  const { entries, next, counts } = await client.call<Answer>('GET', path)
  if (entries.length === 0) return context.out(texts.queue.empty)
  const now = world.clock.now()
  context.out(
    formatTable(
      texts.queue.columns,
      entries.map((entry) => row(context, entry, now)),
      world.stdout,
    ),
  )
  context.out(texts.queue.summary(counts.ready, counts.held))
  if (next !== null) {
    query.set('after', next)
    const again = [...query].map(([name, value]) => `--${name} ${value}`).join(' ')
    context.out(texts.queue.next(`${world.program} queue list ${again}`))
  }
  return undefined
}

function row({ texts }: Context, entry: QueueEntryView, now: number): string[] {
  return [
    entry.id,
    entry.to,
    texts.queue[entry.state],
    String(entry.attempts),
    dueIn(texts, entry.nextAttemptAt, now),
    formatDuration(coarse(now - entry.acceptedAt)),
    entry.lastFailure ?? '',
  ]
}

function dueIn({ queue }: Context['texts'], at: number | null, now: number): string {
  if (at === null) return '-'
  return at - now < 1000 ? queue.now : queue.in(coarse(at - now))
}

/** Two units at most: nobody needs the seconds of a day. */
function coarse(ms: number): number {
  const unit = ms > 86_400_000 ? 3_600_000 : ms > 3_600_000 ? 60_000 : 1000
  return Math.max(0, Math.round(ms / unit) * unit)
}

async function show(context: Context, [id = '']: readonly string[], flags: Flags) {
  await using client = await connect(context)
  const path = `/api/v1/queue/${encodeURIComponent(id)}`
  if (flags.json) return printJson(context, await client.raw('GET', path))
  const message = await client.call<QueuedMessage>('GET', path)
  const { show: texts } = context.texts.queue
  const [first] = message.entries
  if (!first) context.out(texts.gone)
  else {
    const width = Math.max(texts.from.length, texts.size.length, texts.accepted.length) + 2
    context.out(`${texts.from.padEnd(width)}<${oneLine(first.from)}>`)
    context.out(`${texts.size.padEnd(width)}${first.size}`)
    context.out(`${texts.accepted.padEnd(width)}${new Date(first.acceptedAt).toISOString()}`)
    const now = context.world.clock.now()
    for (const entry of message.entries) {
      const when = dueIn(context.texts, entry.nextAttemptAt, now)
      const state = context.texts.queue[entry.state]
      context.out(`${texts.to.padEnd(width)}<${oneLine(entry.to)}>  ${state}  ${when}`)
    }
  }
  context.out(message.attempts.length === 0 ? texts.noAttempts : texts.attempts)
  for (const attempt of message.attempts) printAttempt(context, attempt)
  return undefined
}

function printAttempt(context: Context, attempt: AttemptView): void {
  const where = [attempt.host, attempt.address && `[${attempt.address}]`, attempt.tls]
    .filter(Boolean)
    .join(' ')
  context.out(
    `  ${new Date(attempt.at).toISOString()}  ${where}  ${Math.round(attempt.durationMs)} ms`,
  )
  for (const { recipient, result, text } of attempt.results) {
    context.out(`    ${context.texts.send[result]}  <${oneLine(recipient)}>  ${oneLine(text)}`)
  }
}

async function retry(context: Context, [id]: readonly string[], flags: Flags) {
  const { texts, world } = context
  const own = queueTexts(context.language)
  const site = textFlag(flags, 'site')
  const held = flags.held ? { held: true } : {}
  const chosen = [id, site, flags.all].filter((one) => one !== undefined)
  if (chosen.length !== 1) throw usageFault(texts.usage.oneOf('ID, --site, --all'))
  if (id !== undefined && flags.held) throw usageFault(own.heldNeeds)
  await using client = await connect(context)
  const path = id === undefined ? '/api/v1/queue/retry' : one(id, 'retry')
  const body =
    id === undefined ? { ...(site === undefined ? { all: true } : { site }), ...held } : undefined
  const { changed } = await client.call<{ changed: number }>('POST', path, body)
  const { counts } = await client.call<{ counts: QueueCountsView }>('GET', '/api/v1/queue?limit=1')
  if (changed > 0) context.out(texts.queue.retried(changed))
  if (flags.all && !flags.held && counts.held > 0)
    context.out(own.stay(counts.held, `${world.program} queue retry --all --held`))
  else if (changed === 0) throw new CliFault(texts.queue.nothing)
  return undefined
}

async function cancel(context: Context, [id = '']: readonly string[]) {
  await using client = await connect(context)
  const { changed } = await client.call<{ changed: number }>('POST', one(id, 'cancel'))
  if (changed === 0) throw new CliFault(context.texts.queue.nothing)
  context.out(context.texts.queue.cancelled(changed))
  return undefined
}

function one(id: string, verb: string): string {
  return `/api/v1/queue/${encodeURIComponent(id)}/${verb}`
}
