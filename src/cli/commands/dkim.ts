import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { KeyView } from '../../api/keys.ts'
import { formatZone } from '../../doctor/zone.ts'
import { ApiFault, type Client, connect, type Method } from '../client.ts'
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
import { dkimTexts } from './dkim.texts.ts'
import { importCommand } from './dkim-import.ts'
import { date, keysPath, nextOf } from './dkim-words.ts'

const WATCH_EVERY_MS = 10_000
const BITS = ['1024', '2048', '3072', '4096']
const TTL_SECONDS = 300

export function dkimCommand(builder: Builder): Command {
  const texts = dkimTexts[builder.language]
  const { options } = texts
  const { json } = builder.texts.options
  const parent = group('dkim', texts.dkim)
  leaf(
    parent
      .command('list [domain]')
      .description(texts.list)
      .option('--all', options.all)
      .option('--json', json),
    builder,
    { examples: ['dkim list', 'dkim list example.com --all'], run: list },
  )
  const collect = (value: string, before: string[] | undefined) => [...(before ?? []), value]
  leaf(
    parent
      .command('create <domain>')
      .description(texts.create)
      .option('--algorithm <name>', options.algorithm)
      .option('--bits <number>', options.bits)
      .option('--selector <name>', builder.texts.options.selector)
      .option('--flag <letter>', options.flag, collect)
      .option('--json', json),
    builder,
    {
      examples: [
        'dkim create example.com --algorithm ed25519',
        'dkim create example.com --bits 4096',
      ],
      run: create,
    },
  )
  leaf(
    parent
      .command('rotate <domain>')
      .description(texts.rotate)
      .option('--watch', options.watch)
      .option('--abort', options.abort)
      .option('--bits <number>', options.bits)
      .option('--json', json),
    builder,
    {
      examples: ['dkim rotate example.com --watch', 'dkim rotate example.com --abort'],
      run: rotate,
    },
  )
  importCommand(builder, parent)
  leaf(
    parent
      .command('export <domain> [selector]')
      .description(texts.export)
      .option('--format <form>', options.format)
      .option('--pem <file>', options.pem),
    builder,
    {
      examples: ['dkim export example.com', 'dkim export example.com p2611 --pem example.com.pem'],
      run: exportKey,
    },
  )
  leaf(
    parent
      .command('retire <domain> <selector>')
      .description(texts.retire)
      .option('--now', options.now)
      .option('--json', json),
    builder,
    {
      examples: ['dkim retire example.com p2511', 'dkim retire example.com p2511 --now'],
      run: retire,
    },
  )
  return parent
}

type Keys = { readonly keys: readonly KeyView[] }

/** A call about one domain; an unknown one is said with what to do. */
async function ask<T>(
  { world, language }: Context,
  client: Client,
  question: { method: Method; path: string; domain: string; selector?: string; body?: unknown },
): Promise<T> {
  const { method, path, domain, selector, body } = question
  try {
    return await client.call<T>(method, path, body)
  } catch (error) {
    if (!(error instanceof ApiFault) || error.code !== 'NOT_FOUND') throw error
    const texts = dkimTexts[language]
    throw new CliFault(
      selector === undefined
        ? texts.noDomain(domain, world.program)
        : texts.noKey(domain, selector, world.program),
    )
  }
}

async function list(context: Context, [domain]: readonly string[], flags: Flags) {
  const texts = dkimTexts[context.language]
  await using client = await connect(context)
  const path = domain === undefined ? '/api/v1/keys' : keysPath(domain, 'keys')
  const { keys } = await ask<Keys>(context, client, { method: 'GET', path, domain: domain ?? '' })
  if (flags.json) return printJson(context, await client.raw('GET', path))
  const shown = keys.filter(({ state }) => flags.all === true || state !== 'retired')
  if (shown.length === 0) return context.out(texts.none)
  const rows = shown.map((key) => [
    key.domain,
    key.selector,
    key.algorithm === 'ed25519-sha256' ? 'Ed25519' : `RSA ${key.bits ?? ''}`,
    texts.states[key.state],
    date(key.retiredAt ?? key.retiringAt ?? key.activeAt ?? key.createdAt),
    nextOf(key, texts),
  ])
  return context.out(formatTable(texts.columns, rows, context.world.stdout))
}

async function create(context: Context, [domain = '']: readonly string[], flags: Flags) {
  const { texts } = context
  const algorithm = textFlag(flags, 'algorithm') ?? 'rsa'
  if (!['rsa', 'ed25519'].includes(algorithm))
    throw usageFault(texts.usage.badWord('--algorithm', 'rsa, ed25519'))
  const letters = Array.isArray(flags.flag) ? flags.flag : []
  if (letters.some((letter) => !['y', 's'].includes(letter)))
    throw usageFault(texts.usage.badWord('--flag', 'y, s'))
  const selector = textFlag(flags, 'selector')
  const body = {
    algorithm: `${algorithm}-sha256`,
    flags: letters,
    ...bitsFlag(context, flags),
    ...(selector === undefined ? {} : { selector }),
  }
  await using client = await connect(context)
  const path = keysPath(domain, 'keys')
  const key = await ask<KeyView>(context, client, { method: 'POST', path, domain, body })
  if (flags.json) return printJson(context, key)
  const { keys } = await client.call<Keys>('GET', path)
  sayComing(context, [key], keys)
  return undefined
}

function bitsFlag({ texts }: Context, flags: Flags): { bits?: number } {
  const bits = textFlag(flags, 'bits')
  if (bits === undefined) return {}
  if (!BITS.includes(bits)) throw usageFault(texts.usage.badWord('--bits', BITS.join(', ')))
  return { bits: Number(bits) }
}

/** The records to publish, and who signs meanwhile; or that a key signs already. */
function sayComing(context: Context, fresh: readonly KeyView[], all: readonly KeyView[]): void {
  const { world, language } = context
  const texts = dkimTexts[language]
  for (const key of fresh) {
    if (key.state === 'active') {
      context.out(texts.activeNow(key.selector))
      continue
    }
    context.out(texts.made(key.selector))
    context.out(`  ${key.name}\n  ${key.txt}`)
  }
  const domain = fresh[0]?.domain ?? ''
  for (const key of all)
    if (key.state === 'retiring' && key.retiresAt !== null)
      context.out(texts.keepOld(key.selector, date(key.retiresAt)))
  if (!fresh.some(({ state }) => state === 'coming')) return
  const active = all.filter(({ state }) => state === 'active').map(({ selector }) => selector)
  context.out(texts.stays(active.join(', ')))
  context.out(texts.watchNext(`${world.program} dkim rotate ${domain} --watch`))
}

async function rotate(context: Context, [domain = '']: readonly string[], flags: Flags) {
  if (flags.abort) return abort(context, domain, flags)
  const body = bitsFlag(context, flags)
  const before = await rotation(context, domain, { body })
  if (flags.json && !flags.watch) return printJson(context, before)
  const fresh = before.filter(({ state }) => state === 'coming')
  const done = before.filter(({ state }) => state === 'active')
  sayComing(context, fresh.length > 0 ? fresh : done, before)
  if (flags.watch && fresh.length > 0) await watch(context, domain)
  return undefined
}

async function rotation(
  context: Context,
  domain: string,
  { check = false, body }: { check?: boolean; body?: unknown },
): Promise<readonly KeyView[]> {
  await using client = await connect(context)
  const path = keysPath(domain, check ? 'rotation/check' : 'rotation')
  return (await ask<Keys>(context, client, { method: 'POST', path, domain, body: body ?? {} })).keys
}

/** Prints what changes until no key waits any more. The data folder is not held between the looks. */
async function watch(context: Context, domain: string): Promise<void> {
  const texts = dkimTexts[context.language]
  const said = new Map<string, string>()
  for (;;) {
    const keys = await rotation(context, domain, { check: true })
    for (const key of keys.filter(({ state }) => state === 'coming' || state === 'active')) {
      const line = nextOf(key, texts)
      const waited = said.has(key.selector) || key.state === 'coming'
      if (waited && said.get(key.selector) !== line) context.out(`${key.selector}: ${line}`)
      if (waited) said.set(key.selector, line)
    }
    if (keys.every(({ state }) => state !== 'coming')) {
      for (const key of keys)
        if (key.state === 'retiring') context.out(texts.keepOld(key.selector, date(key.retiresAt)))
      return
    }
    await context.world.clock.sleep(WATCH_EVERY_MS)
  }
}

async function abort(context: Context, domain: string, flags: Flags) {
  const texts = dkimTexts[context.language]
  await using client = await connect(context)
  const path = keysPath(domain, 'keys')
  const before = await ask<Keys>(context, client, { method: 'GET', path, domain })
  const coming = before.keys.filter(({ state }) => state === 'coming')
  const { keys } = await client.call<Keys>('DELETE', keysPath(domain, 'rotation'))
  if (flags.json) return printJson(context, keys)
  if (coming.length === 0) return context.out(texts.nothingToAbort)
  return context.out(texts.aborted(coming.map(({ selector }) => selector).join(', ')))
}

async function retire(context: Context, operands: readonly string[], flags: Flags) {
  const [domain = '', selector = ''] = operands
  await using client = await connect(context)
  const path = keysPath(domain, `keys/${encodeURIComponent(selector)}/retire`)
  const body = { at_once: flags.now === true }
  const key = await ask<KeyView>(context, client, { method: 'POST', path, domain, selector, body })
  if (flags.json) return printJson(context, key)
  return context.out(dkimTexts[context.language].retired[key.state](selector, date(key.retiresAt)))
}

async function exportKey(context: Context, operands: readonly string[], flags: Flags) {
  const { texts, language } = context
  const [domain = '', selector] = operands
  const format = textFlag(flags, 'format') ?? 'text'
  if (!['text', 'bind'].includes(format))
    throw usageFault(texts.usage.badWord('--format', 'text, bind'))
  await using client = await connect(context)
  const path = keysPath(domain, 'keys')
  const { keys } = await ask<Keys>(context, client, { method: 'GET', path, domain })
  const chosen = keys.filter((key) =>
    selector === undefined ? key.state !== 'retired' : key.selector === selector,
  )
  if (chosen.length === 0)
    throw new CliFault(dkimTexts[language].noKey(domain, selector ?? '', context.world.program))
  const file = textFlag(flags, 'pem')
  if (file !== undefined) return writePem(context, client, { chosen, file })
  for (const { name, txt } of chosen) {
    if (txt === null) continue
    const record = { type: 'TXT', name, value: txt, ttl: TTL_SECONDS, inZone: true } as const
    if (format === 'bind') context.out(formatZone([{ ...record, why: 'dkim' }], language))
    else context.out(`${name}\n  ${txt}`)
  }
  return undefined
}

/** A new file only: somebody's key is never lost to a slip. */
async function writePem(
  context: Context,
  client: Client,
  { chosen, file }: { chosen: readonly KeyView[]; file: string },
): Promise<undefined> {
  const texts = dkimTexts[context.language]
  const [key] = chosen
  if (!key || chosen.length > 1)
    throw usageFault(texts.whichKey(chosen.map(({ selector }) => selector).join(', ')))
  const { domain, selector } = key
  const path = keysPath(domain, `keys/${encodeURIComponent(selector)}/export`)
  const question = { method: 'POST', path, domain, selector, body: {} } as const
  const { pem } = await ask<{ pem: string }>(context, client, question)
  try {
    await using out = await open(resolve(context.world.workingDirectory, file), 'wx', 0o600)
    await out.writeFile(pem)
    await out.sync()
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw new CliFault(texts.exists(file))
    throw new CliFault(context.texts.faults.fileUnwritable(file, code))
  }
  context.out(texts.written(file))
}
