import type { Command } from 'commander'
import type { DomainView } from '../../api/control.ts'
import type { GoLive } from '../../api/go-live.ts'
import type { Demand } from '../../doctor/demands.ts'
import { ApiFault, type Client, connect } from '../client.ts'
import { type Builder, type Flags, leaf, printJson } from '../command.ts'
import type { Context } from '../context.ts'
import { formatDemands, wrap } from '../report.ts'
import { CliFault, EXIT } from '../world.ts'
import { doctorTexts } from './doctor.texts.ts'
import { liveTexts } from './live.texts.ts'

const WIDEST = 100

/** `posthorn live DOMAIN` and `posthorn sandbox DOMAIN`. */
export function liveCommands(builder: Builder, parent: Command): void {
  const { texts, language } = builder
  const words = liveTexts[language]
  leaf(
    parent
      .command('live <domain>')
      .description(words.live)
      .option('--force', words.force)
      .option('--json', texts.options.json),
    builder,
    { examples: ['live example.com', 'live example.com --force'], run: live },
  )
  leaf(
    parent
      .command('sandbox <domain>')
      .description(words.sandbox)
      .option('--json', texts.options.json),
    builder,
    { examples: ['sandbox example.com'], run: sandbox },
  )
}

async function live(context: Context, [domain = '']: readonly string[], flags: Flags) {
  const body = { force: flags.force === true }
  await using client = await connect(context)
  const path = `/api/v1/domains/${encodeURIComponent(domain)}/live`
  if (flags.json) {
    const raw = (await post(context, client, { path, domain, body, how: 'raw' })) as RawGoLive
    printJson(context, raw)
    return raw.domain.world === 'live' ? EXIT.ok : EXIT.failed
  }
  const gone = (await post(context, client, { path, domain, body, how: 'call' })) as GoLive
  context.out(formatGoLive(context, gone))
  return gone.domain.world === 'live' && (gone.ready || gone.changed) ? EXIT.ok : EXIT.failed
}

type RawGoLive = { readonly domain: { readonly world: string } }

async function post(
  { language, world }: Context,
  client: Client,
  asked: { path: string; domain: string; body: unknown; how: 'raw' | 'call' },
): Promise<unknown> {
  try {
    return await client[asked.how]('POST', asked.path, asked.body)
  } catch (error) {
    if (!(error instanceof ApiFault) || error.code !== 'NOT_FOUND') throw error
    throw new CliFault(doctorTexts[language].unknownDomain(asked.domain, world.program))
  }
}

function formatGoLive(context: Context, { domain: view, ready, changed, demands }: GoLive): string {
  const words = liveTexts[context.language]
  const { program, stdout } = context.world
  const { domain } = view
  const isLive = view.world === 'live'
  const say = (text: string) => wrap(text, Math.min(stdout.columns || WIDEST, WIDEST)).join('\n')
  const { met, unmet } = formatDemands(demands, { context })
  const test = words.next(`${program} send-test YOU@gmail.com --from test@${domain} --live --watch`)
  const undo = words.undo(`${program} sandbox ${domain}`)
  if (ready)
    return [
      met,
      words.allMet,
      say(changed ? words.goesOut(domain) : words.isOut(domain)),
      ...(changed ? [undo, test] : []),
    ].join('\n')
  const head = changed ? words.forced : isLive ? words.outUnready : words.notReady
  const next = words.next(nextCommand(demands, `${program} `, domain))
  const rest = [...(met === '' ? [] : [`${words.met} ${met}`]), next, ...(changed ? [undo] : [])]
  return [say(head(domain)), '', unmet, '', ...rest].join('\n')
}

const RECORDS = new Set(['spf', 'dkim', 'dmarc'])

/** What brings most: records are published before the rest is looked after. */
function nextCommand(demands: readonly Demand[], program: string, domain: string): string {
  const missing = demands.some(({ check, state }) => RECORDS.has(check) && state === 'missing')
  return program + (missing ? `dns ${domain} --only changes` : `doctor ${domain} --watch`)
}

async function sandbox(context: Context, [domain = '']: readonly string[], flags: Flags) {
  const words = liveTexts[context.language]
  await using client = await connect(context)
  const path = `/api/v1/domains/${encodeURIComponent(domain)}/sandbox`
  const asked = { path, domain, body: {} }
  if (flags.json) return printJson(context, await post(context, client, { ...asked, how: 'raw' }))
  const gone = (await post(context, client, { ...asked, how: 'call' })) as {
    domain: DomainView
    changed: boolean
  }
  const name = gone.domain.domain
  context.out(gone.changed ? `${words.captured(name)}\n${words.onItsWay}` : words.stays(name))
  return undefined
}
