// A drop-in for the small Go program of the same name: its flags, its silence, its exit codes.

import type { Command } from 'commander'
import { type Client, connect } from '../client.ts'
import type { Builder } from '../command.ts'
import { composeTest } from '../compose.ts'
import { type Context, makeContext } from '../context.ts'
import { submit } from '../dialogue.ts'
import { follow, newestCaptured } from '../follow.ts'
import type { Texts } from '../texts-en.ts'
import { CliFault, EXIT } from '../world.ts'
import { describeDialogue, queuedAs } from './send-test.ts'

const DEFAULTS = {
  mailHost: '127.0.0.1',
  mailPort: '25',
  username: 'noreply',
  password: 'password',
  from: 'noreply@mydomain.ru',
  to: 'mymail@yandex.ru',
  subject: 'Test message',
  body: 'This is a test. Ignore this message',
  tls: false,
  insecure: false,
  verbose: false,
  wait: false,
}

export type CheckerFlags = typeof DEFAULTS
type Name = keyof CheckerFlags

const TIMEOUT_MS = 60_000
const PATIENCE_MS = 60_000

export function mailCheckerCommand(builder: Builder, parent: Command): void {
  const { world, texts } = builder
  parent
    .command('mail-checker')
    .description(texts.help.mailChecker)
    .helpOption(false)
    .argument('[flags...]')
    .usage('[-flag value] …')
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (args: string[]) => {
      const context = makeContext(world, { options: {} })
      if (args.some((arg) => /^--?(h|help)$/.test(arg))) {
        context.out(checkerHelp(texts, world.program))
        builder.finish(EXIT.ok)
        return
      }
      const flags = parseCheckerFlags(args, texts)
      builder.finish(await check(context, flags))
    })
}

/** Go's flag syntax: `-name value`, `--name=value`; switches stand alone or take `=true`. Throws a CliFault. */
export function parseCheckerFlags(args: readonly string[], texts: Texts): CheckerFlags {
  const flags: Record<string, string | boolean> = { ...DEFAULTS }
  const { checker } = texts
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (arg === '--') break
    const [, name = '', , inline] = /^--?([^-=][^=]*)(=([\s\S]*))?$/.exec(arg) ?? []
    if (name === '') throw new CliFault(checker.unexpected(arg), EXIT.usage)
    if (!Object.hasOwn(DEFAULTS, name)) throw new CliFault(checker.undefinedFlag(name), EXIT.usage)
    if (typeof DEFAULTS[name as Name] === 'boolean') {
      if (inline !== undefined && !/^(true|false|1|0|t|f)$/i.test(inline)) {
        throw new CliFault(checker.badBoolean(name, inline), EXIT.usage)
      }
      flags[name] = inline === undefined || /^(true|1|t)$/i.test(inline)
      continue
    }
    const value = inline ?? args[++i]
    if (value === undefined) throw new CliFault(checker.needsValue(name), EXIT.usage)
    flags[name] = value
  }
  return flags as CheckerFlags
}

async function check(context: Context, flags: CheckerFlags): Promise<number> {
  const { world, texts } = context
  await using client = flags.wait ? await connect(context, { server: true }) : undefined
  const newestBefore = client && (await newestCaptured(client))
  const port = Number(flags.mailPort)
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new CliFault(texts.usage.badNumber('-mailPort', flags.mailPort), EXIT.usage)
  }
  const reply = await submit({
    host: flags.mailHost,
    port,
    helloName: 'localhost',
    tls: flags.tls ? 'implicit' : 'offered',
    insecure: flags.insecure,
    credential: { username: flags.username, password: flags.password },
    from: flags.from,
    to: flags.to,
    message: composeTest({ ...flags, now: world.clock.now() }),
    timeoutMs: TIMEOUT_MS,
    clock: world.clock,
    ...(flags.verbose
      ? { transcript: (direction, line) => context.out(`${direction}: ${line}`) }
      : {}),
  }).catch((error: unknown) => {
    const fault = describeDialogue(context, error, `${flags.mailHost}:${flags.mailPort}`)
    throw fault instanceof CliFault ? new CliFault(fault.message) : fault
  })
  if (!client) return EXIT.ok
  return waitFor(context, client, { reply, newestBefore, flags })
}

async function waitFor(
  context: Context,
  client: Client,
  sent: { reply: string; newestBefore: string | undefined; flags: CheckerFlags },
): Promise<number> {
  const id = queuedAs(sent.reply)
  if (id === undefined) throw new CliFault(context.texts.checker.noId)
  const { to, subject } = sent.flags
  const end = await follow(context, client, {
    id,
    to,
    subject,
    newestBefore: sent.newestBefore,
    patienceMs: PATIENCE_MS,
    say: (step, text) => context.out(`${step}  ${text}`),
  })
  return end.kind === 'delivered' && end.trusted ? EXIT.ok : EXIT.failed
}

function checkerHelp(texts: Texts, program: string): string {
  const rows = Object.entries(DEFAULTS).map(([name, fallback]) => {
    const shown = typeof fallback === 'boolean' ? '' : ` (${JSON.stringify(fallback)})`
    return `  -${name.padEnd(10)} ${texts.checker.flags[name as Name]}${shown}`
  })
  return [
    `${texts.usage.Usage} ${program} mail-checker [-flag value] …`,
    '',
    texts.help.mailChecker,
    texts.checker.intro,
    '',
    ...rows,
    '',
    texts.examples,
    `  ${program} mail-checker -mailHost 127.0.0.1 -mailPort 2525 -username app -password SECRET -to you@example.com -from app@example.com`,
  ].join('\n')
}
