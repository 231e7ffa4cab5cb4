// `posthorn dns DOMAIN`: the records that should exist, beside those that do, in the form that the
// zone's keeper takes.

import type { Command } from 'commander'
import { type DnsPlan, RECORD_GROUPS } from '../../api/dns.ts'
import type { ComparedRecord } from '../../doctor/compare.ts'
import {
  formatCloudflare,
  formatRoute53,
  formatTerraform,
  pendingRecords,
} from '../../doctor/formats.ts'
import { formFields } from '../../doctor/forms.ts'
import { describeNote, describeState } from '../../doctor/notes.ts'
import { describeRecord, formatZone } from '../../doctor/zone.ts'
import { providerNamed } from '../../doctor/zone-keepers.ts'
import { displayDomain, parseDomain } from '../../mail/domain.ts'
import { ApiFault, connect } from '../client.ts'
import { type Builder, type Flags, leaf, printJson, textFlag, usageFault } from '../command.ts'
import type { Context } from '../context.ts'
import { formatTable, oneLine } from '../table.ts'
import { CliFault } from '../world.ts'
import { dnsTexts } from './dns.texts.ts'
import { publishDns } from './dns-publish.ts'

const FORMATS = ['table', 'bind', 'form', 'cloudflare', 'route53', 'terraform', 'json']
const EXTRAS = ['return-path', 'mta-sts', 'tls-rpt']

export function dnsCommand(builder: Builder, parent: Command): void {
  const { texts, language } = builder
  const words = dnsTexts[language]
  const chosen = (command: Command) =>
    command
      .option('--only <groups>', words.options.only)
      .option('--with <groups>', words.options.with)
      .option('--flatten', words.options.flatten)
      .option('--prune', words.options.prune)
      .option('--bimi-logo <url>', words.options.bimiLogo)
      .option('--bimi-evidence <url>', words.options.bimiEvidence)
      .option('--json', texts.options.json)
  const command = parent.command('dns <domain>').description(words.dns)
  chosen(command.option('--format <form>', words.options.format))
  leaf(command.option('--offline', words.options.offline), builder, {
    examples: [
      'dns example.com',
      'dns example.com --format bind > example.com.zone',
      'dns example.com --only dkim --format form',
      'dns example.com --with return-path --only changes',
    ],
    run: dns,
  })
  const publish = command.command('publish <domain>').description(words.publish)
  publish
    .option('--yes', words.options.yes)
    .option('--dry-run', words.options.dryRun)
    .option('--wait <duration>', words.options.wait)
  leaf(chosen(publish), builder, {
    examples: ['dns publish example.com --dry-run', 'dns publish example.com --yes --only dkim'],
    run: (context, [domain = ''], flags) =>
      publishDns(context, { domain, flags, query: bodyOf(context, flags) }),
  })
}

async function dns(context: Context, [operand = '']: readonly string[], flags: Flags) {
  const format = flags.json ? 'json' : (textFlag(flags, 'format') ?? 'table')
  if (!FORMATS.includes(format))
    throw usageFault(context.texts.usage.badWord('--format', FORMATS.join(', ')))
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(bodyOf(context, flags))) query.set(name, String(value))
  if (flags.offline) query.set('offline', 'true')
  await using client = await connect(context)
  const path = `/api/v1/domains/${encodeURIComponent(operand)}/dns?${query}`
  try {
    if (format === 'json') return printJson(context, await client.raw('GET', path))
    print(context, await client.call<DnsPlan>('GET', path), { format, flags })
  } catch (error) {
    if (!(error instanceof ApiFault) || error.code !== 'NOT_FOUND') throw error
    throw new CliFault(dnsTexts[context.language].unknown(operand, context.world.program))
  }
  return undefined
}

/** The flags as the API takes them. */
function bodyOf({ texts }: Context, flags: Flags): Record<string, string | boolean | string[]> {
  const only = words(flags, 'only')
  for (const word of only)
    if (!(RECORD_GROUPS as readonly string[]).includes(word))
      throw usageFault(texts.usage.badWord('--only', RECORD_GROUPS.join(', ')))
  const extras = words(flags, 'with')
  for (const word of extras)
    if (!EXTRAS.includes(word)) throw usageFault(texts.usage.badWord('--with', EXTRAS.join(', ')))
  const logo = textFlag(flags, 'bimiLogo')
  const evidence = textFlag(flags, 'bimiEvidence')
  return {
    ...Object.fromEntries(extras.map((word) => [word.replace('-', '_'), true])),
    ...(only.length > 0 && { only }),
    ...(flags.flatten === true && { flatten: true }),
    ...(flags.prune === true && { prune: true }),
    ...(logo !== undefined && { bimi_logo: logo }),
    ...(evidence !== undefined && { bimi_evidence: evidence }),
  }
}

function words(flags: Flags, name: string): string[] {
  return (textFlag(flags, name) ?? '').split(/[\s,]+/).filter(Boolean)
}

type How = { readonly format: string; readonly flags: Flags }

function print(context: Context, plan: DnsPlan, { format, flags }: How): void {
  const { language } = context
  const { records, zone } = plan
  switch (format) {
    case 'bind':
      context.out(formatZone(records, language))
      remarks(context, plan, { prefix: '; ', flags })
      break
    case 'cloudflare':
      context.out(formatCloudflare(records, language))
      remarks(context, plan, { prefix: '; ', flags })
      break
    case 'route53':
      context.out(formatRoute53(records))
      break
    case 'terraform':
      context.out(formatTerraform(records, { zone, provider: plan.provider, language }))
      remarks(context, plan, { prefix: '# ', flags })
      break
    case 'form':
      printForms(context, plan, flags)
      break
    default:
      printTable(context, plan, flags)
  }
}

function printTable(context: Context, plan: DnsPlan, flags: Flags): void {
  const { language, world } = context
  const texts = dnsTexts[language]
  const provider = providerNamed(plan.provider)
  const plain = { ...world.stdout, write: world.stdout.write, isTTY: false, columns: 0 }
  const table = (records: readonly ComparedRecord[]) =>
    formatTable(
      texts.columns,
      records.map((record) => {
        const { name, ttl } = formFields(record, plan.zone, provider)
        const state = describeState(record.state, language)
        return [state, record.type, name || '-', ttl ?? '-', record.value]
      }),
      plain,
    )
  const inside = plan.records.filter(({ inZone }) => inZone)
  const outside = plan.records.filter(({ inZone }) => !inZone)
  context.out(texts.inZone(people(plan.zone), provider.name))
  if (provider.panel !== undefined) context.out(texts.panel(provider.panel))
  context.out(table(inside))
  for (const record of inside) say(context, record, plan)
  if (inside.some(({ why }) => why === 'dkim')) context.out(texts.oneLine)
  if (plan.provider === 'cloudflare') context.out(texts.proxy)
  if (outside.length > 0) {
    context.out('')
    context.out(texts.outside)
    context.out(table(outside))
    for (const record of outside) say(context, record, plan)
  }
  remarks(context, plan, { prefix: '', flags })
  next(context, plan)
}

/** What a record is for, what to know of it, and what stands there now. */
function say({ out, language }: Context, record: ComparedRecord, plan: DnsPlan): void {
  const texts = dnsTexts[language]
  const { name } = formFields(record, plan.zone, providerNamed('other'))
  out(`  ${record.type} ${name}: ${describeRecord(record.why, language)}`)
  for (const note of record.notes) out(`    ${oneLine(describeNote(note, language))}`)
  if (record.state === 'present') return
  for (const value of record.published) out(`    ${texts.instead} ${oneLine(value)}`)
  for (const { type, value } of record.extra) out(`    ${texts.remove(type, oneLine(value))}`)
}

function printForms(context: Context, plan: DnsPlan, flags: Flags): void {
  const { language } = context
  const { fields: words, ...texts } = dnsTexts[language]
  const provider = providerNamed(plan.provider)
  context.out(texts.inZone(people(plan.zone), provider.name))
  if (provider.panel !== undefined) context.out(texts.panel(provider.panel))
  for (const record of plan.records) {
    const fields = formFields(record, plan.zone, provider)
    context.out('')
    context.out(record.inZone ? describeState(record.state, language) : texts.outside)
    say(context, record, plan)
    const rows: readonly (readonly [string, string | undefined])[] = [
      [words.type, fields.type],
      [words.name, fields.name || words.empty],
      [words.value, fields.value],
      [words.ttl, fields.ttl],
      [words.priority, fields.priority],
    ]
    const width = Math.max(...rows.map(([word]) => word.length)) + 2
    for (const [word, value] of rows)
      if (value !== undefined) context.out(`    ${`${word}:`.padEnd(width)} ${value}`)
  }
  remarks(context, plan, { prefix: '', flags })
  next(context, plan)
}

/** What concerns the plan as a whole. */
function remarks(
  { out, language }: Context,
  plan: DnsPlan,
  { prefix, flags }: { readonly prefix: string; readonly flags: Flags },
): void {
  const texts = dnsTexts[language]
  const lines = plan.missing.map((option) => texts.missing(option))
  const wantsHosts = words(flags, 'with').some((word) => word !== 'return-path')
  if (wantsHosts && plan.mailHosts?.length === 0) lines.push(texts.noMail(people(plan.domain)))
  if (plan.records.some(({ why }) => why === 'mta-sts')) {
    const hosts = (plan.mailHosts ?? ['…']).map((host) => `mx: ${host}`)
    const policy = ['version: STSv1', 'mode: testing', ...hosts, 'max_age: 604800']
    lines.push(texts.policy(plan.domain, policy.map((line) => `  ${line}`).join('\n')))
  }
  for (const line of lines) out(`${prefix}${line}`.replaceAll('\n', `\n${prefix}`))
}

function next({ out, language, world }: Context, plan: DnsPlan): void {
  const texts = dnsTexts[language]
  const count = pendingRecords(plan.records).length
  out('')
  out(count === 0 ? texts.nothing : texts.counts(count))
  const publish = `${world.program} dns publish ${plan.domain}`
  if (count > 0 && plan.publisher !== null) out(texts.nextPublish(publish))
  else if (count > 0) out(texts.next(`${world.program} dns ${plan.domain} --format bind`))
  out(texts.nextDoctor(`${world.program} doctor ${plan.domain}`))
}

/** A name as people read it. */
function people(name: string): string {
  const domain = parseDomain(name)
  return domain ? displayDomain(domain) : name
}
