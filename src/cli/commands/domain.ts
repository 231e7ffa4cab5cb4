import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { DomainView } from '../../api/control.ts'
import { connect } from '../client.ts'
import {
  type Builder,
  type Flags,
  group,
  leaf,
  printJson,
  textFlag,
  usageFault,
} from '../command.ts'
import type { Context } from '../context.ts'
import { formatTable } from '../table.ts'
import { CliFault } from '../world.ts'
import { liveTexts } from './live.texts.ts'

export function domainCommand(builder: Builder): Command {
  const { texts } = builder
  const parent = group('domain', texts.help.domain)
  leaf(
    parent
      .command('add <domain>')
      .description(texts.help.domainAdd)
      .option('--live', texts.options.live)
      .option('--sandbox', texts.options.sandbox)
      .option('--ed25519', texts.options.ed25519)
      .option('--key <file>', texts.options.key)
      .option('--selector <name>', texts.options.selector)
      .option('--json', texts.options.json),
    builder,
    {
      examples: [
        'domain add example.com',
        'domain add example.com --live --ed25519',
        'domain add example.com --live --key dkim.pem --selector mail',
      ],
      run: add,
    },
  )
  leaf(
    parent.command('list').description(texts.help.domainList).option('--json', texts.options.json),
    builder,
    { examples: ['domain list', 'domain list --json'], run: list },
  )
  leaf(parent.command('remove <domain>').description(texts.help.domainRemove), builder, {
    examples: ['domain remove example.com'],
    run: remove,
  })
  return parent
}

async function add(context: Context, [domain = '']: readonly string[], flags: Flags) {
  const { texts, world } = context
  if (flags.live && flags.sandbox) throw usageFault(texts.usage.oneOf('--live, --sandbox'))
  const key = textFlag(flags, 'key')
  const selector = textFlag(flags, 'selector')
  const body = {
    domain,
    world: flags.live ? 'live' : flags.sandbox ? 'sandbox' : context.config().mode,
    ed25519: flags.ed25519 === true,
    ...(key === undefined ? {} : { import_pem: await readText(context, key) }),
    ...(selector === undefined ? {} : { selector }),
  }
  await using client = await connect(context, { create: true })
  if (flags.json) return printJson(context, await client.raw('POST', '/api/v1/domains', body))
  const made = await client.call<DomainView>('POST', '/api/v1/domains', body)
  context.out(texts.domain.added(made.domain))
  for (const one of made.keys) context.out(texts.domain.key(one.selector, one.algorithm))
  if (made.world === 'live') context.out(liveTexts[context.language].unseen(made.domain))
  context.out(texts.domain.next(`${world.program} dns ${made.domain}`))
  return undefined
}

async function readText({ world, texts }: Context, file: string): Promise<string> {
  try {
    return await readFile(resolve(world.workingDirectory, file), 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error'
    throw new CliFault(texts.faults.fileUnreadable(file, code))
  }
}

async function list(context: Context, _operands: readonly string[], flags: Flags) {
  await using client = await connect(context)
  if (flags.json) return printJson(context, await client.raw('GET', '/api/v1/domains'))
  const { domains } = await client.call<{ domains: DomainView[] }>('GET', '/api/v1/domains')
  const { domain: texts } = context.texts
  if (domains.length === 0) return context.out(texts.none)
  const rows = domains.map((one) => [
    one.domain,
    texts[one.world],
    one.keys.map((key) => key.selector).join(', '),
    texts[one.source],
  ])
  context.out(formatTable(texts.columns, rows, context.world.stdout))
  return undefined
}

async function remove(context: Context, [domain = '']: readonly string[]) {
  await using client = await connect(context)
  await client.call('DELETE', `/api/v1/domains/${encodeURIComponent(domain)}`)
  context.out(context.texts.domain.removed(domain))
  return undefined
}
