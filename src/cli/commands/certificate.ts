import { X509Certificate } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { rootCertificates } from 'node:tls'
import type { Command } from 'commander'
import type { CertificateFault } from '../../certificates/fault.ts'
import { hold, stateOf } from '../../certificates/holding.ts'
import { readPlace } from '../../certificates/read.ts'
import type { CertificateState } from '../../certificates/state.ts'
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
import { formatTable, oneLine, paint } from '../table.ts'
import { CliFault, EXIT } from '../world.ts'
import { certificateTexts } from './certificate.texts.ts'

const PATH = '/api/v1/certificates'
const DAY_MS = 86_400_000

type States = { readonly certificates: readonly CertificateState[] }

export function certificateCommand(builder: Builder): Command {
  const { help } = certificateTexts(builder.language)
  const { json } = builder.texts.options
  const parent = group('certificate', help.group)
  leaf(parent.command('list').description(help.list).option('--json', json), builder, {
    examples: ['certificate list'],
    run: list,
  })
  leaf(parent.command('show [name]').description(help.show).option('--json', json), builder, {
    examples: ['certificate show', 'certificate show mail.example.com'],
    run: show,
  })
  leaf(
    parent
      .command('check [files...]')
      .description(help.check)
      .option('--host <name>', help.host)
      .option('--json', json),
    builder,
    {
      examples: [
        'certificate check fullchain.pem privkey.pem --host mail.example.com',
        'certificate check cert.pem key.pem chain.pem',
        'certificate check /etc/letsencrypt/live',
      ],
      run: check,
    },
  )
  leaf(parent.command('renew').description(help.renew).option('--json', json), builder, {
    examples: ['certificate renew'],
    run: renew,
  })
  leaf(
    parent
      .command('root')
      .description(help.root)
      .option('--write <file>', help.write)
      .option('--json', json),
    builder,
    { examples: ['certificate root > posthorn-ca.pem'], run: root },
  )
  return parent
}

async function list(context: Context, _operands: readonly string[], flags: Flags) {
  await using client = await connect(context)
  if (flags.json) return printJson(context, await client.raw('GET', PATH))
  return printList(context, (await client.call<States>('GET', PATH)).certificates)
}

function printList(context: Context, states: readonly CertificateState[]): void {
  const texts = certificateTexts(context.language)
  if (states.length === 0) context.out(texts.none)
  if (states.length === 0) return
  const rows = states.map((one) => [
    one.name,
    texts.sources[one.source],
    one.certificate ? day(one.certificate.expiresAt) : '-',
    stateText(context, one),
  ])
  context.out(formatTable(texts.columns, rows, context.world.stdout))
  for (const { renewal } of states)
    if (renewal?.lastFailure) context.out(`${texts.labels.failed}: ${oneLine(renewal.lastFailure)}`)
  printFaults(
    context,
    states.flatMap(({ faults }) => faults),
  )
}

async function show(context: Context, [name]: readonly string[], flags: Flags) {
  await using client = await connect(context)
  const { certificates } = await client.call<States>('GET', PATH)
  const texts = certificateTexts(context.language)
  const chosen = certificates.filter(
    (one) => name === undefined || one.name === name || one.certificate?.names.includes(name),
  )
  if (name !== undefined && chosen.length === 0) throw new CliFault(texts.unknown(name))
  if (flags.json) return printJson(context, chosen)
  if (chosen.length === 0) return context.out(texts.none)
  for (const one of chosen) printState(context, one)
  return undefined
}

/** Without files: those that the configuration names. Exit code 1 when something cannot be used. */
async function check(context: Context, files: readonly string[], flags: Flags) {
  const texts = certificateTexts(context.language)
  if (files.length > 3) throw usageFault(texts.wrongFiles)
  const place = files.length > 0 ? placeOf(context, files) : configured(context)
  const host = textFlag(flags, 'host')
  const now = context.world.clock.now()
  const roots = () => new Set(rootCertificates.map((one) => new X509Certificate(one).subject))
  const options = { place: place.certificate, source: 'files' as const, now, roots }
  const states = (await readPlace(place)).map((read) =>
    stateOf(hold(read, undefined, { ...options, ...(host !== undefined && { host }) }), {
      now,
      renewal: null,
    }),
  )
  if (flags.json) printJson(context, states)
  else for (const one of states) printState(context, one, usability(context, one))
  const unusable = states.some(({ faults }) => faults.some(({ level }) => level === 'error'))
  return unusable ? EXIT.failed : EXIT.ok
}

function placeOf({ world }: Context, files: readonly string[]) {
  const [certificate = '', key, chain] = files.map((file) => resolve(world.workingDirectory, file))
  return { certificate, ...(key !== undefined && { key }), ...(chain !== undefined && { chain }) }
}

function configured(context: Context) {
  const { certificate, key, chain } = context.config().tls
  if (certificate === null) throw usageFault(certificateTexts(context.language).wrongFiles)
  return { certificate, ...(key !== null && { key }), ...(chain !== null && { chain }) }
}

async function renew(context: Context, _operands: readonly string[], flags: Flags) {
  await using client = await connect(context, { server: true })
  const answer = await client.raw('POST', `${PATH}/renew`)
  if (flags.json) return printJson(context, answer)
  return printList(context, (await client.call<States>('GET', PATH)).certificates)
}

async function root(context: Context, _operands: readonly string[], flags: Flags) {
  await using client = await connect(context, { create: true })
  const { pem } = await client.call<{ pem: string }>('POST', `${PATH}/root`)
  const file = textFlag(flags, 'write')
  if (file !== undefined) {
    await writeFile(resolve(context.world.workingDirectory, file), pem, { mode: 0o644 })
    context.world.stderr.write(`${certificateTexts(context.language).written(file)}\n`)
  } else if (flags.json) printJson(context, { pem })
  else context.out(pem)
  return undefined
}

function printState(
  context: Context,
  one: CertificateState,
  state = stateText(context, one),
): void {
  const texts = certificateTexts(context.language)
  const { labels } = texts
  const rows: [string, string][] = [
    [labels.file, one.file],
    [labels.state, state],
  ]
  if (one.certificate) {
    const { beginsAt, expiresAt, ...view } = one.certificate
    const days = Math.floor((expiresAt - context.world.clock.now()) / DAY_MS)
    rows.push(
      [labels.names, view.names.join(', ')],
      [labels.issuer, view.issuer],
      [labels.key, view.keyType],
      [labels.serial, view.serial],
      [labels.fingerprint, view.fingerprint],
      [labels.valid, texts.valid(day(beginsAt), day(expiresAt), days)],
    )
  }
  const { nextAt, lastFailure } = one.renewal ?? { nextAt: null, lastFailure: null }
  if (nextAt !== null) rows.push([labels.renewal, texts.from(day(nextAt))])
  if (lastFailure !== null) rows.push([labels.failed, lastFailure])
  const width = Math.max(...rows.map(([label]) => label.length)) + 2
  context.out(paint('bold', oneLine(one.name), context.world.stdout))
  for (const [label, value] of rows) context.out(`  ${label.padEnd(width)}${oneLine(value)}`)
  printFaults(context, one.faults)
}

function printFaults(context: Context, faults: readonly CertificateFault[]): void {
  const { language, world } = context
  const texts = certificateTexts(language)
  for (const { level, code, file, says, mend } of faults) {
    const word = paint(level === 'error' ? 'red' : 'yellow', texts[level], world.stdout)
    context.out(`${word} ${code}: ${oneLine(`${file}: ${says[language]}.`)}`)
    context.out(`  ${oneLine(mend[language])}.`)
  }
}

function stateText(
  { language }: Context,
  { inUse, certificate, faults }: CertificateState,
): string {
  const texts = certificateTexts(language)
  const use = inUse
    ? texts.inUse
    : certificate || faults.length > 0
      ? texts.notInUse
      : texts.awaited
  const notes = [use]
  if (faults.length > 0) notes.push(texts.withFaults(faults.length))
  if (inUse && certificate?.untrusted) notes.push(texts.untrusted)
  return notes.join('; ')
}

/** Of files that nobody uses yet. */
function usability({ language }: Context, { inUse }: CertificateState): string {
  const texts = certificateTexts(language)
  return inUse ? texts.usable : texts.unusable
}

const day = (at: number): string => new Date(at).toISOString().slice(0, 10)
