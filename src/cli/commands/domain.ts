import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { DnsPlan, DomainView } from '../../api/control.ts'
import { formatZone, plannedRows } from '../../doctor/zone.ts'
import { ApiFault, type Client, connect } from '../client.ts'
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

export function dnsCommand(builder: Builder, parent: Command): void {
  const { texts } = builder
  leaf(
    parent
      .command('dns <domain>')
      .description(texts.help.dns)
      .option('--format <form>', texts.options.format)
      .option('--json', texts.options.json),
    builder,
    {
      examples: ['dns example.com', 'dns example.com --format bind > example.com.zone'],
      run: dns,
    },
  )
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

async function dns(context: Context, [domain = '']: readonly string[], flags: Flags) {
  const { texts, language } = context
  const format = textFlag(flags, 'format') ?? 'table'
  if (!['bind', 'table'].includes(format)) {
    throw usageFault(texts.usage.badWord('--format', 'bind, table'))
  }
  await using client = await connect(context)
  const path = `/api/v1/domains/${encodeURIComponent(domain)}/dns`
  if (flags.json) return printJson(context, await client.raw('GET', path))
  const plan = await readPlan(context, client, { path, domain })
  if (format === 'bind') {
    context.out(formatZone(plan.records, language))
    for (const option of plan.missing) context.out(`; ${texts.dns.missing(option)}`)
    return undefined
  }
  printPlan(context, plan)
  return undefined
}

async function readPlan(
  { texts }: Context,
  client: Client,
  { path, domain }: { path: string; domain: string },
): Promise<DnsPlan> {
  try {
    return await client.call<DnsPlan>('GET', path)
  } catch (error) {
    if (!(error instanceof ApiFault) || error.code !== 'NOT_FOUND') throw error
    throw new CliFault(texts.dns.unknown(domain))
  }
}

function printPlan(context: Context, plan: DnsPlan): void {
  const { texts, language, world } = context
  const rows = plannedRows(plan.records, { domain: plan.domain, language })
  const table = (inZone: boolean) =>
    formatTable(
      [texts.dns.columns[0]!, texts.dns.columns[1]!, texts.dns.columns[3]!, texts.dns.columns[2]!],
      rows
        .filter((row) => row.inZone === inZone)
        .map((row) => [row.type, row.name, String(row.ttl), row.value]),
      { ...world.stdout, write: world.stdout.write, isTTY: false, columns: 0 },
    )
  context.out(texts.dns.inZone(plan.domain))
  context.out(table(true))
  context.out(texts.dns.oneLine)
  for (const row of rows.filter((one) => one.inZone))
    context.out(`  ${row.type} ${row.name}: ${row.says}`)
  if (rows.some((row) => !row.inZone)) {
    context.out('')
    context.out(texts.dns.outside)
    context.out(table(false))
  }
  for (const option of plan.missing) context.out(texts.dns.missing(option))
}
