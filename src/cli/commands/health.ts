import type { Command } from 'commander'
import type { Check } from '../../api/control.ts'
import { type Builder, type Flags, leaf, printJson } from '../command.ts'
import type { Context } from '../context.ts'
import { baseUrl, readRunning } from '../running.ts'
import { paint } from '../table.ts'
import { CliFault, EXIT } from '../world.ts'

const PATIENCE_MS = 5000

export function healthCommand(builder: Builder, parent: Command): void {
  const { texts } = builder
  leaf(
    parent.command('health').description(texts.help.health).option('--json', texts.options.json),
    builder,
    { examples: ['health', 'health --json'], run: health },
  )
}

/** Needs no token: it must also work where only the port is reachable. */
async function health(context: Context, _operands: readonly string[], flags: Flags) {
  const config = context.config()
  const { texts, world } = context
  const configured = baseUrl(config.http.address, config.http.port)
  const base = (await readRunning(config.data)) ?? configured
  const answer = await ask(base)
  if (!answer) throw new CliFault(texts.health.unreachable(base), EXIT.unreachable)
  const ready = answer.status === 'ok' && answer.checks.every(({ ok }) => ok)
  if (flags.json) printJson(context, answer)
  else {
    const word = ready
      ? paint('green', texts.health.ready, world.stdout)
      : paint(
          'red',
          answer.status === 'ok' ? texts.health.stuck : texts.health.notReady,
          world.stdout,
        )
    context.out(word)
    for (const { name, ok, text } of answer.checks) {
      context.out(`  ${name}: ${ok ? texts.health.ok : texts.health.bad}  ${text}`)
    }
  }
  return ready ? EXIT.ok : EXIT.failed
}

type Health = { readonly status: string; readonly checks: readonly Check[] }

async function ask(base: string): Promise<Health | undefined> {
  try {
    const response = await fetch(`${base}/readyz`, { signal: AbortSignal.timeout(PATIENCE_MS) })
    const answer = (await response.json()) as Partial<Health>
    return typeof answer.status === 'string' && Array.isArray(answer.checks)
      ? { status: answer.status, checks: answer.checks }
      : undefined
  } catch {
    return undefined
  }
}
