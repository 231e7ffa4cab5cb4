import type { Command } from 'commander'
import type { CredentialView, MadeCredential } from '../../api/control.ts'
import { connect } from '../client.ts'
import { type Builder, type Flags, group, leaf, printJson } from '../command.ts'
import type { Context } from '../context.ts'
import { formatTable } from '../table.ts'

export function credentialCommand(builder: Builder): Command {
  const { texts } = builder
  const parent = group('credential', texts.help.credential)
  const collect = (value: string, before: string[] | undefined) => [...(before ?? []), value]
  leaf(
    parent
      .command('add <name>')
      .description(texts.help.credentialAdd)
      .option('--domain <domain>', texts.options.credentialDomain, collect)
      .option('--json', texts.options.json),
    builder,
    {
      examples: ['credential add app', 'credential add shop --domain shop.example.com'],
      run: add,
    },
  )
  leaf(
    parent
      .command('list')
      .description(texts.help.credentialList)
      .option('--json', texts.options.json),
    builder,
    { examples: ['credential list'], run: list },
  )
  leaf(parent.command('revoke <name>').description(texts.help.credentialRevoke), builder, {
    examples: ['credential revoke app'],
    run: revoke,
  })
  return parent
}

async function add(context: Context, [name = '']: readonly string[], flags: Flags) {
  await using client = await connect(context, { create: true })
  const body = { name, domains: Array.isArray(flags.domain) ? flags.domain : [] }
  const made = await client.call<MadeCredential>('POST', '/api/v1/credentials', body)
  const plain = authPlain(name, made.password)
  if (flags.json) {
    return printJson(context, { username: name, password: made.password, auth_plain: plain })
  }
  const { credential: texts } = context.texts
  const width = Math.max(texts.username.length, texts.password.length, texts.plain.length) + 2
  context.out(texts.made(name))
  context.out(`  ${texts.username.padEnd(width)}${name}`)
  context.out(`  ${texts.password.padEnd(width)}${made.password}`)
  context.out(`  ${texts.plain.padEnd(width)}${plain}`)
  context.out(texts.plainNote)
  return undefined
}

/** NUL, name, NUL, password, in base64 (RFC 4616 §2). */
export function authPlain(username: string, password: string): string {
  return Buffer.from(`\0${username}\0${password}`).toString('base64')
}

async function list(context: Context, _operands: readonly string[], flags: Flags) {
  await using client = await connect(context)
  if (flags.json) return printJson(context, await client.raw('GET', '/api/v1/credentials'))
  type Page = { credentials: CredentialView[] }
  const { credentials } = await client.call<Page>('GET', '/api/v1/credentials')
  const { credential: texts } = context.texts
  if (credentials.length === 0) return context.out(texts.none)
  const rows = credentials.map(({ name, domains, createdAt }) => [
    name,
    domains.join(', ') || texts.every,
    new Date(createdAt).toISOString().slice(0, 10),
  ])
  context.out(formatTable(texts.columns, rows, context.world.stdout))
  return undefined
}

async function revoke(context: Context, [name = '']: readonly string[]) {
  await using client = await connect(context)
  await client.call('DELETE', `/api/v1/credentials/${encodeURIComponent(name)}`)
  context.out(context.texts.credential.revoked(name))
  return undefined
}
