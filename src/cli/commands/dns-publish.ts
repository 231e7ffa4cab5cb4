// `posthorn dns publish DOMAIN`: shows every change first, asks, and says of each how it ended.

import type { DnsChange, DnsPublication } from '../../api/dns.ts'
import { ApiFault, type Client, connect } from '../client.ts'
import { durationFlag, type Flags, printJson } from '../command.ts'
import type { Context } from '../context.ts'
import { oneLine } from '../table.ts'
import { CliFault, EXIT } from '../world.ts'
import { dnsTexts } from './dns.texts.ts'

type Order = {
  readonly domain: string
  readonly flags: Flags
  /** As the API takes it. */
  readonly query: Readonly<Record<string, unknown>>
}

const WAIT_MS = 30_000
const LONGEST_WAIT_MS = 80_000

/** Exit code 1 when not all of it was done. */
export async function publishDns(context: Context, order: Order): Promise<number> {
  const { texts, language } = context
  const words = dnsTexts[language]
  const waited = durationFlag(order.flags, 'wait', { fallback: WAIT_MS, texts })
  await using client = await connect(context)
  const planned = await ask(context, client, order, {})
  const { changes } = planned
  const json = order.flags.json === true
  if (!json) show(context, planned)
  if (changes.length === 0 || order.flags.dryRun) {
    if (json) printJson(context, planned)
    else if (changes.length > 0) context.out(words.dryRun)
    return EXIT.ok
  }
  if (order.flags.yes !== true && !(await agreed(context, json))) {
    context.out(words.kept)
    return EXIT.failed
  }
  const wait_ms = Math.min(waited, LONGEST_WAIT_MS)
  const made = await ask(context, client, order, { digest: planned.digest, wait_ms })
  if (json) printJson(context, made)
  else report(context, made)
  return made.results.every(({ done }) => done) ? EXIT.ok : EXIT.failed
}

async function ask(
  { language, world }: Context,
  client: Client,
  { domain, query }: Order,
  more: Readonly<Record<string, unknown>>,
): Promise<DnsPublication> {
  const words = dnsTexts[language]
  const path = `/api/v1/domains/${encodeURIComponent(domain)}/dns`
  try {
    return await client.call<DnsPublication>('POST', path, { ...query, ...more })
  } catch (error) {
    if (!(error instanceof ApiFault)) throw error
    if (error.code === 'NOT_FOUND') throw new CliFault(words.unknown(domain, world.program))
    if (error.code === 'NO_PUBLISHER') throw new CliFault(words.noPublisher, EXIT.config)
    if (error.code === 'CHANGES_DIFFER') throw new CliFault(words.differ)
    throw error
  }
}

function show({ out, language }: Context, { changes, zones, provider }: DnsPublication): void {
  const words = dnsTexts[language]
  if (changes.length === 0) {
    out(words.nothing)
    return
  }
  out(words.willChange(zones.join(', '), provider, changes.length))
  for (const change of changes) out(lines(change, language))
  if (changes.some(({ kind }) => kind === 'remove')) out(words.removes)
}

function lines(change: DnsChange, language: 'en' | 'ru'): string {
  const words = dnsTexts[language]
  const { name, type, value } = change.record
  const place = `${type} ${name}`
  switch (change.kind) {
    case 'add':
      return `  + ${words.add} ${place}\n      + ${oneLine(value)}`
    case 'remove':
      return `  - ${words.removing} ${place}\n      - ${oneLine(value)}`
    case 'replace':
      return `  ~ ${words.replace} ${place}\n      - ${oneLine(change.before.value)}\n      + ${oneLine(value)}`
  }
}

async function agreed({ world, language }: Context, json: boolean): Promise<boolean> {
  const words = dnsTexts[language]
  if (json || !world.ask) throw new CliFault(words.needsYes, EXIT.usage)
  return words.confirmed.test((await world.ask(words.confirm)).trim())
}

function report({ out, language }: Context, { results, waitingFor }: DnsPublication): void {
  const words = dnsTexts[language]
  for (const result of results) {
    const { type, name } = result.change.record
    const end = result.done ? words.done : `${words.failed}: ${oneLine(result.why)}`
    out(`  ${result.done ? '✓' : '✗'} ${type} ${name}: ${end}`)
  }
  const done = results.filter((result) => result.done).length
  if (done < results.length) out(words.partly(done, results.length))
  else if (waitingFor?.length === 0) out(words.visible)
  else if (waitingFor) out(words.notVisible(waitingFor.join(', ')))
}
