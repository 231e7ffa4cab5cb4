import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import type { About, DomainView, ListenerView } from '../../api/control.ts'
import { formatDuration } from '../../config/units.ts'
import { formatMailbox, parseMailbox } from '../../mail/mailbox.ts'
import { type Client, connect } from '../client.ts'
import { type Builder, durationFlag, type Flags, leaf, textFlag, usageFault } from '../command.ts'
import { composeTest } from '../compose.ts'
import type { Context } from '../context.ts'
import { DialogueFault, submit } from '../dialogue.ts'
import { follow, newestCaptured } from '../follow.ts'
import { reachable } from '../running.ts'
import { oneLine, paint } from '../table.ts'
import { timeOf } from '../transcript.ts'
import { CliFault, EXIT } from '../world.ts'
import { sendTestTexts } from './send-test.texts.ts'

export function sendTestCommand(builder: Builder, parent: Command): void {
  const { texts, language } = builder
  const words = sendTestTexts[language]
  leaf(
    parent
      .command('send-test [address]')
      .description(texts.help.sendTest)
      .option('--from <address>', texts.options.from)
      .option('--username <name>', texts.options.username)
      .option('--password <password>', texts.options.password)
      .option('--live', words.live)
      .option('--watch', words.watch)
      .option('--timeout <duration>', texts.options.timeout),
    builder,
    {
      examples: [
        'send-test',
        'send-test you@example.com',
        'send-test you@gmail.com --live --watch',
        'send-test you@example.com --from shop@example.org --timeout 10m',
      ],
      run: sendTest,
    },
  )
}

const SANDBOX_RECIPIENT = 'you@example.com'
const SMTP_TIMEOUT_MS = 30_000
const PATIENCE_MS = 60_000
/** Long enough for a greylist's first pause. */
const WATCH_MS = 15 * 60_000

async function sendTest(context: Context, [address]: readonly string[], flags: Flags) {
  const { texts, world } = context
  const words = sendTestTexts[context.language]
  const watch = flags.watch === true
  const fallback = watch ? WATCH_MS : PATIENCE_MS
  const patienceMs = durationFlag(flags, 'timeout', { fallback, texts })
  await using client = await connect(context, { server: true })
  const about = await client.call<About>('GET', '/api/v1/about')
  const isLive = flags.live === true
  if (address === undefined && (isLive || about.mode === 'live'))
    throw usageFault(texts.send.needsAddress)
  const to = mailAddress(context, address ?? SANDBOX_RECIPIENT)
  const from = mailAddress(
    context,
    textFlag(flags, 'from') ?? (await defaultSender(context, client, { about, isLive })),
  )
  if (isLive) await demandLive(context, client, from)
  const credential = credentialOf(flags)
  const listener = chooseListener(about.listeners, credential !== undefined)
  if (!listener) throw new CliFault(texts.send.noListener)

  const token = randomBytes(4).toString('hex')
  const subject = texts.send.subject(token)
  const message = composeTest({ from, to, subject, body: texts.send.body, now: world.clock.now() })
  const newestBefore = await newestCaptured(client)
  const began = world.clock.elapsed()
  const say = (step: string, text: string, at?: number): void => {
    if (watch) {
      const when = timeOf(at ?? world.clock.now())
      context.out(`  ${paint('dim', when, world.stdout)} ${pad(step, 11)}${text}`)
      return
    }
    const time = `${Math.round(world.clock.elapsed() - began)} ms`
    context.out(`  ${pad(step, 11)}${text}  ${paint('dim', time, world.stdout)}`)
  }
  const reply = await submit({
    host: reachable(listener.address),
    port: listener.port,
    helloName: 'localhost',
    tls:
      listener.tls === 'implicit' ? 'implicit' : listener.tls === 'starttls' ? 'offered' : 'none',
    insecure: true, // our own server, on this machine
    ...(credential ? { credential } : {}),
    from,
    to,
    message,
    timeoutMs: SMTP_TIMEOUT_MS,
    clock: world.clock,
  }).catch((error: unknown) => {
    throw describeDialogue(context, error, `${reachable(listener.address)}:${listener.port}`)
  })
  const id = queuedAs(reply)
  const size = `${(message.length / 1024).toFixed(1)} KB`
  say(
    watch ? words.queued : texts.send.accepted,
    `${id ?? oneLine(reply)}  ${size}  ${texts.send.fromTo(from, to)}`,
  )
  if (id === undefined) return EXIT.ok
  const end = await follow(context, client, {
    id,
    to,
    subject: token,
    newestBefore,
    patienceMs,
    say,
    everyStep: watch,
  })
  return conclude(context, { end, id, from, base: client.base!, patienceMs })
}

function conclude(
  context: Context,
  {
    end,
    id,
    from,
    base,
    patienceMs,
  }: {
    end: Awaited<ReturnType<typeof follow>>
    id: string
    from: string
    base: string
    patienceMs: number
  },
): number {
  const { texts, world } = context
  if (end.kind === 'waiting') {
    context.out(texts.send.waiting(formatDuration(patienceMs), `${world.program} queue show ${id}`))
    return EXIT.failed
  }
  if (end.kind === 'failed') return EXIT.failed
  if (end.captured) {
    context.out(`  ${pad('', 11)}${base}/api/v1/sandbox/messages/${end.captured.id}/raw`)
    if (end.trusted) context.out(texts.send.next(`${world.program} domain add YOUR-DOMAIN`))
    else context.out(texts.send.verdictBad)
  }
  if (end.kind === 'delivered' && !end.captured) {
    const words = sendTestTexts[context.language]
    context.out(words.lookFor(from.slice(from.lastIndexOf('@') + 1)))
    context.out(words.paste(`${world.program} explain --headers`))
  }
  return end.trusted ? EXIT.ok : EXIT.failed
}

/** Sentences for what went wrong in an SMTP conversation. */
export function describeDialogue({ texts }: Context, error: unknown, place: string): unknown {
  if (!(error instanceof DialogueFault)) return error
  const { smtp } = texts
  const text = oneLine(error.message)
  switch (error.kind) {
    case 'unreachable':
      return new CliFault(smtp.unreachable(place, text), EXIT.unreachable)
    case 'refused':
      return new CliFault(texts.send.refused(text))
    case 'notSmtp':
      return new CliFault(smtp.notSmtp(text))
    case 'certificate':
      return new CliFault(smtp.certificate(text))
    case 'badAddress':
      return new CliFault(smtp.badAddress(text), EXIT.usage)
    case 'authFailed':
      return new CliFault(smtp.authFailed(text))
    case 'closed':
    case 'timeout':
    case 'noAuth':
    case 'noTlsForPassword':
      return new CliFault(smtp[error.kind])
  }
}

/** The id in "250 2.0.0 Ok: queued as …". */
export function queuedAs(reply: string): string | undefined {
  return /queued as ([\w-]{1,40})/.exec(reply)?.[1]
}

function mailAddress({ texts }: Context, text: string): string {
  const mailbox = parseMailbox(text)
  if (!mailbox) throw usageFault(texts.usage.badAddress(text))
  return formatMailbox(mailbox)
}

/** Nobody waits for a message at a mailbox while it lies in the sandbox. */
async function demandLive(context: Context, client: Client, from: string): Promise<void> {
  const { domains } = await client.call<{ domains: DomainView[] }>('GET', '/api/v1/domains')
  const domain = from.slice(from.lastIndexOf('@') + 1)
  const [nearest] = domains
    .filter((one) => domain === one.domain || domain.endsWith(`.${one.domain}`))
    .toSorted((a, b) => b.domain.length - a.domain.length)
  if (nearest && nearest.world === 'live') return
  const { language, world } = context
  throw new CliFault(
    sendTestTexts[language].notLive(nearest ? nearest.domain : domain, world.program),
  )
}

type Chosen = { readonly about: About; readonly isLive: boolean }

async function defaultSender(
  context: Context,
  client: Client,
  { about, isLive }: Chosen,
): Promise<string> {
  if (about.mode === 'sandbox' && !isLive) return 'posthorn@example.test'
  const { domains } = await client.call<{ domains: DomainView[] }>('GET', '/api/v1/domains')
  const live = domains.find((one) => one.world === 'live')
  const { texts, language, world } = context
  if (!live && isLive) throw new CliFault(sendTestTexts[language].noLiveDomain(world.program))
  if (!live) throw new CliFault(texts.send.noSender)
  return `posthorn@${live.domain}`
}

function credentialOf(flags: Flags): { username: string; password: string } | undefined {
  const username = textFlag(flags, 'username')
  const password = textFlag(flags, 'password')
  return username === undefined || password === undefined ? undefined : { username, password }
}

/** One that lets us in, the plainest first. */
function chooseListener(
  listeners: readonly ListenerView[],
  withPassword: boolean,
): ListenerView | undefined {
  const plainness = { none: 0, starttls: 1, implicit: 2 }
  return listeners
    .filter((one) => withPassword || one.auth === 'optional')
    .toSorted((a, b) => plainness[a.tls] - plainness[b.tls])[0]
}

/** Pads by what is seen: colours have no width. */
function pad(text: string, width: number): string {
  const seen = text.replace(/\u001b\[\d+m/g, '').length
  return text + ' '.repeat(Math.max(1, width - seen))
}
