import type { Command } from 'commander'
import type { DomainView } from '../../api/control.ts'
import type { KeyView } from '../../api/keys.ts'
import { type FoundKey, type Recognition, type Remark, recognise } from '../../dkim/recognise.ts'
import { parseSelector } from '../../dkim/selector.ts'
import { parseDomain } from '../../mail/domain.ts'
import { ApiFault, type Client, connect } from '../client.ts'
import { type Builder, type Flags, leaf, printJson, textFlag, usageFault } from '../command.ts'
import type { Context } from '../context.ts'
import { userFiles } from '../key-files.ts'
import { formatTable } from '../table.ts'
import { CliFault } from '../world.ts'
import { dkimTexts } from './dkim.texts.ts'
import { importTexts } from './dkim-import.texts.ts'
import { keysPath, nextOf } from './dkim-words.ts'

/** After these remarks there is a key less than the user thinks. */
const GRAVE: ReadonlySet<Remark['code']> = new Set([
  'unreadable',
  'bad-key',
  'nothing',
  'no-such-name',
])

export function importCommand(builder: Builder, parent: Command): void {
  const { texts, language } = builder
  const { options } = importTexts[language]
  leaf(
    parent
      .command('import <path>')
      .description(importTexts[language].import)
      .option('--domain <domain>', options.domain)
      .option('--selector <name>', options.selector)
      .option('--dry-run', options.dryRun)
      .option('--live', texts.options.live)
      .option('--sandbox', texts.options.sandbox)
      .option('--json', texts.options.json),
    builder,
    {
      examples: [
        'dkim import /etc/opendkim',
        'dkim import /etc/postfix/dkim --domain example.com --selector mail',
        'dkim import example.com.pem --domain example.com --selector p2511 --dry-run',
      ],
      run: importKeys,
    },
  )
}

async function importKeys(context: Context, [path = '']: readonly string[], flags: Flags) {
  const { texts, world } = context
  if (flags.live && flags.sandbox) throw usageFault(texts.usage.oneOf('--live, --sandbox'))
  const found = completed(await recognise(path, userFiles(world.workingDirectory)), context, flags)
  if (!flags.json) sayUnderstood(context, path, found)
  const own = importTexts[context.language]
  const nameless = found.keys.find(({ domain }) => domain === undefined)
  if (nameless) throw usageFault(own.whoseFix(nameless.file))
  const grave = found.remarks.filter(({ code }) => GRAVE.has(code))
  if (found.keys.length === 0)
    throw new CliFault(
      flags.json ? grave.map((one) => say(context, one)).join('\n') : own.unchanged,
    )
  if (flags.dryRun) {
    if (flags.json) printJson(context, { keys: found.keys.map(plain), remarks: found.remarks })
    else context.out(own.unchanged)
  } else await takeOver(context, found, flags)
  return grave.length > 0 ? 1 : 0
}

/** What the user says wins over what the files say, for the keys that it can mean. */
function completed(found: Recognition, { texts }: Context, flags: Flags): Recognition {
  const told = textFlag(flags, 'domain')
  const domain = told === undefined ? undefined : parseDomain(told)
  if (told !== undefined && !domain) throw new CliFault(texts.faults.codes.NOT_A_DOMAIN!)
  const name = textFlag(flags, 'selector')
  const selector = name === undefined ? undefined : parseSelector(name)
  if (name !== undefined && !selector) throw new CliFault(texts.faults.codes.BAD_SELECTOR!)
  const one = found.keys.length === 1
  const guessed = (file: string) =>
    found.remarks.some((remark) => remark.code === 'selector-assumed' && remark.file === file)
  const keys = found.keys.map((key) => ({
    ...key,
    ...(domain && (one || !key.domain) && { domain }),
    ...(selector && (one || guessed(key.file)) && { selector }),
  }))
  const remarks = found.remarks.filter(({ code }) => !(selector && code === 'selector-assumed'))
  return { ...found, keys, remarks }
}

function sayUnderstood(context: Context, path: string, { keys, remarks }: Recognition): void {
  const own = importTexts[context.language]
  if (keys.length > 0) {
    context.out(own.understood(path))
    const rows = keys.map((key) => [
      key.domain ?? own.whose,
      key.selector ?? '',
      kindOf(key),
      key.file,
    ])
    context.out(formatTable(own.columns, rows, context.world.stdout))
  }
  for (const remark of remarks)
    context.out(`  ${GRAVE.has(remark.code) ? '!' : '·'} ${say(context, remark)}`)
}

const kindOf = ({ algorithm, bits }: FoundKey): string =>
  algorithm === 'ed25519-sha256' ? 'Ed25519' : `RSA ${bits}`

function say({ language }: Context, remark: Remark): string {
  const octal = (remark.mode ?? 0).toString(8).padStart(4, '0')
  return importTexts[language].remarks[remark.code]({
    ...remark,
    octal,
    us: process.getuid?.() ?? 0,
  })
}

const plain = ({ file, domain, selector, algorithm, bits, flags }: FoundKey) => ({
  file,
  domain,
  selector,
  algorithm,
  bits,
  flags,
})

async function takeOver(context: Context, found: Recognition, flags: Flags): Promise<void> {
  await using client = await connect(context, { create: true })
  const taken: KeyView[] = []
  for (const key of found.keys) taken.push(await takeOne(context, client, { key, flags }))
  if (flags.json) return printJson(context, { keys: taken, remarks: found.remarks })
  const own = importTexts[context.language]
  const texts = dkimTexts[context.language]
  for (const key of taken) {
    if (key.state === 'active') {
      context.out(own.active(key.name))
      continue
    }
    const all = await client.call<{ keys: KeyView[] }>('GET', keysPath(key.domain, 'keys'))
    const signing = all.keys.filter(({ state }) => state === 'active')
    const meanwhile = signing.map(({ selector }) => selector).join(', ')
    context.out(own.coming(key.name, meanwhile, nextOf(key, texts)))
  }
  const waits = taken.find(({ state }) => state === 'coming')
  const domain = (waits ?? taken[0])?.domain ?? ''
  const command = waits ? `dkim rotate ${domain} --watch` : `dns ${domain}`
  context.out(own.next(`${context.world.program} ${command}`))
}

/** Adds the domain when it is not here yet; its first key signs at once. */
async function takeOne(
  context: Context,
  client: Client,
  { key, flags }: { key: FoundKey; flags: Flags },
): Promise<KeyView> {
  const domain = key.domain!
  const pem = String(key.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const body = { import_pem: pem, selector: key.selector, flags: key.flags }
  try {
    return await client.call<KeyView>('POST', keysPath(domain, 'keys'), body)
  } catch (error) {
    if (!(error instanceof ApiFault) || error.code !== 'NOT_FOUND') throw error
  }
  const world = flags.live ? 'live' : flags.sandbox ? 'sandbox' : context.config().mode
  await client.call<DomainView>('POST', '/api/v1/domains', { ...body, domain, world })
  if (!flags.json) context.out(importTexts[context.language].added(domain, world === 'live'))
  const { keys } = await client.call<{ keys: KeyView[] }>('GET', keysPath(domain, 'keys'))
  return keys.find(({ selector }) => selector === key.selector) ?? keys[0]!
}
