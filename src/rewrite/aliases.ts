import { formatMailbox, type Mailbox, parseMailbox } from '../mail/mailbox.ts'
import { isLocalName, type LocalNames } from './local.ts'
import { logicalLines, shown, type TableFault } from './lookup.ts'

/** Where an alias leads: an address, another local name, a list in a file, or nowhere. */
type Target =
  | { readonly kind: 'address'; readonly mailbox: Mailbox }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'nowhere' }

export type Aliases = ReadonlyMap<string, readonly Target[]>

/** Reads an included file; undefined when it cannot be read. */
export type ReadInclude = (path: string) => string | undefined

/** Includes within includes, as in Postfix; deeper is a circle. */
const DEEPEST = 20

/**
 * Reads `name: target, target` as Postfix does (aliases(5)). Only mail goes out from here, so a
 * program or a file as a target is a fault; `/dev/null` throws the recipient's copy away.
 */
export function parseAliases(text: string, read: ReadInclude): Aliases | TableFault {
  const lines = logicalLines(text)
  if (!Array.isArray(lines)) return lines
  const aliases = new Map<string, readonly Target[]>()
  for (const { line, text: one } of lines) {
    const match = /^\s*(?:"((?:[^"\\]|\\.)*)"|([^\s:"]+))\s*:(.*)$/s.exec(one)
    if (!match) return { line, fault: `not "name: target": ${shown(one)}` }
    const [, quoted, bare, right = ''] = match
    const name = (quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '').toLowerCase()
    const targets = targetsOf(right, { read, depth: 0 })
    if (typeof targets === 'string') return { line, fault: targets }
    if (targets.length === 0) return { line, fault: `${shown(name)} has no target` }
    if (aliases.has(name)) return { line, fault: `${shown(name)} stands here twice` }
    aliases.set(name, targets)
  }
  return aliases
}

/** Several files as one; of two entries with one name that of the earlier file counts. */
export function joinAliases(all: readonly Aliases[]): Aliases {
  return new Map(all.toReversed().flatMap((one) => [...one]))
}

type Reading = { readonly read: ReadInclude; readonly depth: number }

/** Targets stand between commas; quotes protect commas and blanks. */
function targetsOf(text: string, reading: Reading): Target[] | string {
  const targets: Target[] = []
  for (const piece of splitTargets(text)) {
    const found = targetOf(piece, reading)
    if (typeof found === 'string') return found
    for (const one of found) targets.push(one)
  }
  return targets
}

function splitTargets(text: string): string[] {
  const pieces = text.match(/(?:"(?:[^"\\]|\\.)*"|[^",])+/g) ?? []
  return pieces.map((piece) => piece.trim()).filter((piece) => piece !== '')
}

function targetOf(piece: string, reading: Reading): readonly Target[] | string {
  const include = /^"?:include:\s*(.+?)"?$/i.exec(piece)
  if (include) return included(include[1]!, reading)
  const bare = piece.replace(/^"(.*)"$/s, '$1')
  if (bare === '/dev/null') return [{ kind: 'nowhere' }]
  if (bare.startsWith('|')) return `a program cannot be a target here: ${shown(piece)}`
  if (bare.startsWith('/')) return `a file cannot be a target here: ${shown(piece)}`
  // A leading backslash means "and no further alias"; quotes may be around the local part only.
  const address = piece.replace(/^\\/, '').replace(/^<(.*)>$/, '$1')
  const mailbox = parseMailbox(address) ?? parseMailbox(bare)
  if (mailbox) return [{ kind: 'address', mailbox }]
  if (/^[\w.+-]+$/.test(bare.replace(/^\\/, '')))
    return [{ kind: 'name', name: bare.replace(/^\\/, '').toLowerCase() }]
  return `neither an address nor a name: ${shown(piece)}`
}

function included(path: string, { read, depth }: Reading): Target[] | string {
  if (!path.startsWith('/')) return `:include: needs a whole path: ${shown(path)}`
  if (depth >= DEEPEST) return `:include: in :include:, ${DEEPEST} deep: ${shown(path)}`
  const text = read(path)
  if (text === undefined) return `${shown(path)} cannot be read`
  const lines = logicalLines(text)
  if (!Array.isArray(lines)) return `${shown(path)}:${lines.line}: ${lines.fault}`
  const targets: Target[] = []
  for (const { line, text: one } of lines) {
    const found = targetsOf(one, { read, depth: depth + 1 })
    if (typeof found === 'string') return `${shown(path)}:${line}: ${found}`
    for (const target of found) targets.push(target)
  }
  return targets
}

export type Expanded =
  | { readonly mailboxes: readonly Mailbox[]; readonly found: boolean }
  | { readonly fault: 'a circle'; readonly at: string }
  | { readonly fault: 'too many' }

/**
 * Follows a recipient to the end of its aliases: each address once, in order. Names of this machine
 * only; a name that has no entry stays as it is. An entry that names itself means itself.
 */
export function expand(
  mailbox: Mailbox,
  aliases: Aliases,
  options: { readonly local: LocalNames; readonly mostRecipients: number },
): Expanded {
  const walk: Walk = { aliases, ...options, origin: mailbox, found: new Map(), steps: 0 }
  const fault = follow(mailbox, walk, [])
  if (fault) return fault
  return { mailboxes: [...walk.found.values()], found: aliases.has(keyOf(mailbox, walk)) }
}

type Walk = {
  readonly aliases: Aliases
  readonly local: LocalNames
  readonly mostRecipients: number
  readonly origin: Mailbox
  readonly found: Map<string, Mailbox>
  steps: number
}

type Fault = Exclude<Expanded, { mailboxes: unknown }>

/** A name that no alias can have, for what is not local. */
const keyOf = (mailbox: Mailbox, { local }: Pick<Walk, 'local'>): string =>
  isLocalName(mailbox.domain, local) ? mailbox.localPart.toLowerCase() : ''

function follow(mailbox: Mailbox, walk: Walk, way: readonly string[]): Fault | undefined {
  const key = keyOf(mailbox, walk)
  const targets = walk.aliases.get(key)
  if (!targets || way.at(-1) === key) {
    walk.found.set(formatMailbox(mailbox), mailbox)
    return walk.found.size > walk.mostRecipients ? { fault: 'too many' } : undefined
  }
  if (way.includes(key)) return { fault: 'a circle', at: shown(key) }
  // Aliases that meet again and again would take for ever without being a circle.
  walk.steps += targets.length
  if (walk.steps > walk.mostRecipients * 10) return { fault: 'too many' }
  for (const target of targets) {
    if (target.kind === 'nowhere') continue
    const next =
      target.kind === 'address'
        ? target.mailbox
        : { localPart: target.name, domain: walk.origin.domain }
    const fault = follow(next, walk, [...way, key])
    if (fault) return fault
  }
  return undefined
}
