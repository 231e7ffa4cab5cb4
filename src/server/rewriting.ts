// The tables of rewriting, from their files into force: read at start, watched while we run. A file
// with a fault stops a start, with its name and line; later it is said so, and what was read before
// stays in force, for mail must not leave unrewritten because somebody is in the middle of a line.

import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Config } from '../config/schema.ts'
import { type Aliases, joinAliases, parseAliases } from '../rewrite/aliases.ts'
import { type HeaderRule, parseHeaderRules } from '../rewrite/header-rules.ts'
import { removalOf } from '../rewrite/hide.ts'
import {
  type Lookup,
  parseRegexpTable,
  parseTextTable,
  type TableFault,
} from '../rewrite/lookup.ts'
import { createRewriter, type Rewriter } from '../rewrite/rules.ts'
import type { Clock, Timer } from '../std/clock.ts'
import type { Log } from '../std/log.ts'

const LOOK_EVERY_MS = 5_000

/** A file that cannot be used; the message names it, with the line. */
export class FileFault extends Error {
  override readonly name = 'FileFault'
}

export type Rewriting = Disposable & {
  /** What is in force now; undefined when everything is off. */
  rewriter(): Rewriter | undefined
}

/** Reads all files and keeps looking at them. Throws a FileFault. */
export function openRewriting(
  config: Pick<Config, 'hostname' | 'rewrite' | 'limits'>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Rewriting {
  if (isOff(config.rewrite)) return { rewriter: () => undefined, [Symbol.dispose]: () => {} }
  let files = new Files()
  let rewriter = rewriterOf(config, files)
  let said = ''
  let timer: Timer | undefined
  const look = () => {
    const next = new Files()
    try {
      if (!files.changed()) return
      // What was read of a file with a fault is remembered too, so that it is said once.
      const fresh = rewriterOf(config, next)
      rewriter = fresh
      said = ''
      log.info({ files: next.names }, 'rewriting tables read again')
    } catch (error) {
      const fault = (error as Error).message
      if (fault !== said) log.error({ fault }, 'rewriting tables unusable, the last good ones stay')
      said = fault
    } finally {
      if (next.names.length > 0) files = next.with(files)
      timer = clock.after(LOOK_EVERY_MS, look)
    }
  }
  if (files.names.length > 0) timer = clock.after(LOOK_EVERY_MS, look)
  return { rewriter: () => rewriter, [Symbol.dispose]: () => timer?.cancel() }
}

function isOff(rewrite: Config['rewrite']): boolean {
  const { keepOriginal, localNames, masqueradeExceptions, ...rest } = rewrite
  return Object.values(rest).every((value) => value === null || value.length === 0)
}

function rewriterOf(
  { hostname, rewrite, limits }: Parameters<typeof openRewriting>[0],
  files: Files,
) {
  const { localDomain, masquerade, headerRules } = rewrite
  const { senderCanonical, recipientCanonical, canonical } = rewrite
  const removal = removalOf(rewrite.removeHeaders)
  return createRewriter({
    hostname,
    local: { names: new Set([hostname, ...rewrite.localNames]) },
    ...(senderCanonical && { senderCanonical: lookupOf(senderCanonical, files) }),
    ...(recipientCanonical && { recipientCanonical: lookupOf(recipientCanonical, files) }),
    ...(canonical && { canonical: lookupOf(canonical, files) }),
    ...(localDomain && { localDomain }),
    ...(masquerade.length > 0 && {
      masquerade: {
        domains: masquerade,
        users: new Set(rewrite.masqueradeExceptions.map((user) => user.toLowerCase())),
      },
    }),
    keepOriginal: rewrite.keepOriginal,
    ...(rewrite.virtualAliases && { virtualAliases: lookupOf(rewrite.virtualAliases, files) }),
    ...((rewrite.aliases.length > 0 || rewrite.aliasEntries.length > 0) && {
      aliases: aliasesOf(rewrite, files),
    }),
    alwaysBcc: rewrite.alwaysBcc,
    ...(removal && { removal }),
    ...(headerRules && { headerRules: rulesOf(headerRules, files) }),
    mostRecipients: limits.recipients,
  })
}

/** The types that Postfix would have compiled are read from their source. */
const TABLE = /^(?:(hash|btree|lmdb|dbm|cdb|texthash|regexp|pcre):)?(.+)$/

function lookupOf(name: string, files: Files): Lookup {
  const [, type = 'texthash', path = ''] = TABLE.exec(name) ?? []
  const parse = type === 'regexp' || type === 'pcre' ? parseRegexpTable : parseTextTable
  return usable(resolve(path), parse(files.read(path)))
}

function aliasesOf(
  { aliasEntries, aliases }: Pick<Config['rewrite'], 'aliasEntries' | 'aliases'>,
  files: Files,
): Aliases {
  const read = (include: string) => files.try(include)
  const entries = parseAliases(aliasEntries.join('\n'), read)
  const own = usable('rewrite.alias_entries', entries)
  const all = aliases.map((name) => {
    const path = name.replace(TABLE, '$2')
    return usable(resolve(path), parseAliases(files.read(path), read))
  })
  return joinAliases([own, ...all])
}

/** Rules meet fields, and those are octets. */
function rulesOf(name: string, files: Files): readonly HeaderRule[] {
  const path = name.replace(TABLE, '$2')
  return usable(resolve(path), parseHeaderRules(files.read(path, 'latin1')))
}

function usable<T extends object>(place: string, parsed: T | TableFault): T {
  if ('fault' in parsed && 'line' in parsed)
    throw new FileFault(`${place}:${parsed.line}: ${parsed.fault}`)
  return parsed as T
}

/** The files that were read, and what tells that one has changed. */
class Files {
  readonly #seals = new Map<string, string>()

  get names(): readonly string[] {
    return [...this.#seals.keys()]
  }

  read(path: string, encoding: 'utf8' | 'latin1' = 'utf8'): string {
    const whole = resolve(path)
    this.#seals.set(whole, seal(whole))
    try {
      return readFileSync(whole, encoding)
    } catch (error) {
      throw new FileFault(`${whole} cannot be read: ${(error as Error).message}`)
    }
  }

  try(path: string): string | undefined {
    try {
      return this.read(path)
    } catch {
      return undefined
    }
  }

  changed(): boolean {
    for (const [path, before] of this.#seals) if (seal(path) !== before) return true
    return false
  }

  /** A fault may have ended the reading early: the others are still looked at. */
  with(earlier: Files): Files {
    for (const path of earlier.names)
      if (!this.#seals.has(path)) this.#seals.set(path, earlier.#seals.get(path)!)
    return this
  }
}

function seal(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false })
  return found ? `${found.ino} ${found.size} ${found.mtimeMs}` : 'absent'
}
