import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import type { Command } from 'commander'
import type { CredentialView, ImportedCredentials, MadeCredential } from '../../api/credentials.ts'
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
import { CliFault, EXIT } from '../world.ts'
import { type CredentialTexts, credentialTexts } from './credential.texts.ts'

const PATH = '/api/v1/credentials'

export function credentialCommand(builder: Builder): Command {
  const { help } = credentialTexts(builder.language)
  const json = builder.texts.options.json
  const parent = group('credential', help.credential)
  const add = withTerms(parent.command('add <name>').alias('create'), help)
    .description(help.add)
    .option('--password-file <file>', help.passwordFile)
    .option('--certificate-only', help.certificateOnly)
    .option('--cram-md5', help.cramMd5)
    .option('--json', json)
  leaf(add, builder, {
    examples: [
      'credential add app',
      'credential add shop --domain shop.example.com --per-day 10000',
      'credential add news --address news@example.com --stream broadcast --network 10.0.0.0/8',
    ],
    run: make,
  })
  const simple = (usage: string, says: string) => parent.command(usage).description(says)
  leaf(simple('list', help.list).option('--json', json), builder, {
    examples: ['credential list'],
    run: list,
  })
  leaf(simple('show <name>', help.show).option('--json', json), builder, {
    examples: ['credential show app'],
    run: show,
  })
  const set = withTerms(simple('set <name>', help.set).alias('limit'), help)
  leaf(set.option('--any', help.any).option('--json', json), builder, {
    examples: ['credential set app --per-hour 500', 'credential set app --any --stream none'],
    run: change,
  })
  leaf(simple('rotate <name>', help.rotate).option('--json', json), builder, {
    examples: ['credential rotate app'],
    run: rotate,
  })
  leaf(simple('revoke <name>', help.revoke), builder, {
    examples: ['credential revoke app'],
    run: revoke,
  })
  const load = withTerms(simple('import <file>', help.import), help)
    .option('--users', help.users)
    .option('--replace', help.replace)
    .option('--json', json)
  leaf(load, builder, {
    examples: ['credential import /etc/dovecot/users', 'credential import --users users.txt'],
    run: importFile,
  })
  return parent
}

function withTerms(command: Command, help: CredentialTexts['help']): Command {
  const collect = (value: string, before: string[] | undefined) => [...(before ?? []), value]
  return command
    .option('--domain <domain>', help.domain, collect)
    .option('--address <address>', help.address, collect)
    .option('--network <network>', help.network, collect)
    .option('--certificate <name>', help.certificate, collect)
    .option('--per-minute <count>', help.perMinute)
    .option('--per-hour <count>', help.perHour)
    .option('--per-day <count>', help.perDay)
    .option('--stream <stream>', help.stream)
    .option('--priority <number>', help.priority)
}

const LISTS = {
  domain: 'domains',
  address: 'addresses',
  network: 'networks',
  certificate: 'certificates',
} as const
const LIMITS = { perMinute: 'per_minute', perHour: 'per_hour', perDay: 'per_day' } as const

/** What the flags say, as the API wants it; what they do not name is left out. */
function termsOf(flags: Flags, texts: CredentialTexts): Record<string, unknown> {
  const terms: Record<string, unknown> = {}
  for (const [flag, name] of Object.entries(LISTS))
    if (Array.isArray(flags[flag])) terms[name] = flags[flag]
    else if (flags.any) terms[name] = []
  for (const [flag, name] of Object.entries(LIMITS)) {
    const value = textFlag(flags, flag)
    if (value === undefined) continue
    if (value !== 'none' && !/^[1-9]\d{0,8}$/.test(value))
      throw usageFault(texts.badLimit(`--${name.replace('_', '-')}`, value))
    terms[name] = value === 'none' ? null : Number(value)
  }
  const stream = textFlag(flags, 'stream')
  if (stream !== undefined) {
    if (!['transactional', 'broadcast', 'none'].includes(stream))
      throw usageFault(texts.badStream(stream))
    terms.stream = stream === 'none' ? null : stream
  }
  const priority = textFlag(flags, 'priority')
  if (priority !== undefined) {
    if (priority !== 'none' && !/^[1-9]$/.test(priority))
      throw usageFault(texts.badPriority(priority))
    terms.priority = priority === 'none' ? null : Number(priority)
  }
  return terms
}

async function make(context: Context, [name = '']: readonly string[], flags: Flags) {
  const texts = credentialTexts(context.language)
  const file = textFlag(flags, 'passwordFile')
  const password = file === undefined ? undefined : await readText(context, file)
  const body = {
    name,
    ...termsOf(flags, texts),
    ...(password !== undefined && { password: password.replace(/\r?\n$/, '') }),
    ...(flags.certificateOnly && { certificate_only: true }),
    ...(flags.cramMd5 && { cram_md5: true }),
  }
  await using client = await connect(context, { create: true })
  const made = await client.call<MadeCredential>('POST', PATH, body)
  if (!flags.json && (password !== undefined || made.password === null))
    context.out(texts.madeSilently(name))
  else showSecret(context, { name, made, says: texts.made(name), json: flags.json === true })
  if (flags.cramMd5 && !flags.json) context.out(texts.cramNote)
}

function showSecret(
  context: Context,
  so: { name: string; made: MadeCredential; says: string; json: boolean },
): void {
  const texts = credentialTexts(context.language)
  const { name, says } = so
  const password = so.made.password
  const plain = password === null ? null : authPlain(name, password)
  if (so.json) {
    printJson(context, { username: name, password, auth_plain: plain })
    return
  }
  const width = Math.max(texts.username.length, texts.password.length, texts.plain.length) + 2
  context.out(says)
  context.out(`  ${texts.username.padEnd(width)}${name}`)
  context.out(`  ${texts.password.padEnd(width)}${password}`)
  context.out(`  ${texts.plain.padEnd(width)}${plain}`)
  context.out(texts.plainNote)
}

/** NUL, name, NUL, password, in base64 (RFC 4616 §2). */
export function authPlain(username: string, password: string): string {
  return Buffer.from(`\0${username}\0${password}`).toString('base64')
}

async function readText(context: Context, file: string): Promise<string> {
  const texts = credentialTexts(context.language)
  const { workingDirectory } = context.world
  const content = await (file === '-'
    ? readAll(process.stdin)
    : readFile(resolve(workingDirectory, file), 'utf8')
  ).catch((error: Error) => {
    throw new CliFault(texts.unreadable(file, error.message), EXIT.failed)
  })
  if (content.trim() === '') throw new CliFault(texts.empty(file), EXIT.failed)
  return content
}

async function list(context: Context, _operands: readonly string[], flags: Flags) {
  const texts = credentialTexts(context.language)
  await using client = await connect(context)
  if (flags.json) return printJson(context, await client.raw('GET', PATH))
  const { credentials } = await client.call<{ credentials: CredentialView[] }>('GET', PATH)
  if (credentials.length === 0) return context.out(texts.none)
  const rows = credentials.map((one) => [
    one.name,
    senders(one, texts),
    limits(one, texts),
    one.stream ?? '-',
    new Date(one.createdAt).toISOString().slice(0, 10),
  ])
  return context.out(formatTable(texts.columns, rows, context.world.stdout))
}

function senders({ domains, addresses }: CredentialView, texts: CredentialTexts): string {
  return [...domains, ...addresses].join(', ') || texts.every
}

function limits(
  one: CredentialView,
  texts: CredentialTexts,
  of: 'limit' | 'used' = 'limit',
): string {
  const named = (['perMinute', 'perHour', 'perDay'] as const).filter((name) => one[name] !== null)
  const words = named.map(
    (name) => `${of === 'used' ? one.used[name] : one[name]} ${texts.limit[name]}`,
  )
  return words.join(', ') || texts.unlimited
}

const pathOf = (name: string) => `${PATH}/${encodeURIComponent(name)}`

async function show(context: Context, [name = '']: readonly string[], flags: Flags) {
  await using client = await connect(context)
  if (flags.json) return printJson(context, await client.raw('GET', pathOf(name)))
  return describe(context, await client.call<CredentialView>('GET', pathOf(name)))
}

function describe(context: Context, one: CredentialView): void {
  const texts = credentialTexts(context.language)
  const { fields } = texts
  const lines: [string, string][] = [
    [fields.name, one.name],
    [fields.source, texts.sources[one.source]],
    [fields.secret, texts.secrets[one.secret]],
    [fields.mechanisms, one.mechanisms.join(' ') || '-'],
    [fields.senders, senders(one, texts)],
    [fields.networks, one.networks.join(', ') || texts.every],
    ...(one.certificates.length > 0
      ? [[fields.certificates, one.certificates.join(', ')] as [string, string]]
      : []),
    [fields.limits, limits(one, texts)],
    ...((one.perMinute ?? one.perHour ?? one.perDay)
      ? [[fields.used, limits(one, texts, 'used')] as [string, string]]
      : []),
    [fields.stream, one.stream ?? '-'],
    ...(one.priority === null ? [] : [[fields.priority, String(one.priority)] as [string, string]]),
    [fields.since, new Date(one.createdAt).toISOString().slice(0, 10)],
  ]
  const width = Math.max(...lines.map(([field]) => field.length)) + 2
  for (const [field, value] of lines) context.out(`${field.padEnd(width)}${value}`)
}

async function change(context: Context, [name = '']: readonly string[], flags: Flags) {
  const texts = credentialTexts(context.language)
  const terms = termsOf(flags, texts)
  if (Object.keys(terms).length === 0) throw usageFault(texts.nothingToChange)
  await using client = await connect(context)
  if (flags.json) return printJson(context, await client.raw('POST', pathOf(name), terms))
  const changed = await client.call<CredentialView>('POST', pathOf(name), terms)
  context.out(texts.changed(name))
  return describe(context, changed)
}

async function rotate(context: Context, [name = '']: readonly string[], flags: Flags) {
  const texts = credentialTexts(context.language)
  await using client = await connect(context)
  const made = await client.call<MadeCredential>('POST', `${pathOf(name)}/rotate`)
  showSecret(context, { name, made, says: texts.rotated(name), json: flags.json === true })
}

async function revoke(context: Context, [name = '']: readonly string[]) {
  await using client = await connect(context)
  await client.call('DELETE', pathOf(name))
  context.out(credentialTexts(context.language).revoked(name))
}

async function importFile(context: Context, [file = '']: readonly string[], flags: Flags) {
  const texts = credentialTexts(context.language)
  const text = await readText(context, file)
  const terms = termsOf(flags, texts)
  const format = flags.users ? 'list' : 'passwd'
  await using client = await connect(context, { create: true })
  const body = { text, format, replace: flags.replace === true, terms }
  const answer = await client.call<ImportedCredentials>('POST', `${PATH}/import`, body)
  const { imported, faults } = answer
  if (flags.json) printJson(context, answer)
  else if (faults.length === 0) context.out(texts.imported(imported.length))
  if (faults.length === 0) return undefined
  const lines = faults.map(
    ({ line, reason, about }) =>
      `  ${texts.line(line)}: ${texts.faults[reason]?.(about) ?? reason}`,
  )
  throw new CliFault(`${texts.importFaults(file)}\n${lines.join('\n')}`, EXIT.failed)
}
