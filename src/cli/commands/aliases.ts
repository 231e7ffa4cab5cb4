import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { makeMailbox } from '../../mail/mailbox.ts'
import { type Aliases, expand, joinAliases, parseAliases } from '../../rewrite/aliases.ts'
import { type Builder, group, leaf } from '../command.ts'
import type { Context } from '../context.ts'
import { CliFault, EXIT } from '../world.ts'
import { aliasesTexts } from './aliases.texts.ts'

export function aliasesCommand(builder: Builder): Command {
  const { help } = aliasesTexts[builder.language]
  const parent = group('aliases', help.group)
  leaf(parent.command('check [files...]').description(help.check), builder, {
    examples: ['aliases check', 'aliases check /etc/aliases'],
    run: check,
  })
  return parent
}

/** Fails with every file's fault; what stands in circles is found by following every name. */
async function check(context: Context, given: readonly string[]): Promise<number> {
  const texts = aliasesTexts[context.language]
  const { rewrite, limits, hostname } = context.config()
  const files = given.length > 0 ? given : rewrite.aliases
  if (files.length === 0) {
    context.out(texts.none)
    return EXIT.ok
  }
  const faults: string[] = []
  const read = new Map<string, Aliases>()
  for (const name of files) {
    const file = name.replace(/^(?:hash|btree|lmdb|dbm|cdb|texthash):/, '')
    const aliases = readFile(file, context)
    if (typeof aliases === 'string') faults.push(aliases)
    else read.set(file, aliases)
  }
  const all = joinAliases([...read.values()])
  const options = { local: { names: new Set([hostname]) }, mostRecipients: limits.recipients }
  for (const [file, aliases] of read) {
    const wrong = [...aliases.keys()].flatMap((name) => {
      const mailbox = makeMailbox(name, 'localhost')
      const found = mailbox && expand(mailbox, all, options)
      if (!found || !('fault' in found)) return []
      if (found.fault === 'a circle') return [texts.circle(file, name)]
      return [texts.tooMany(file, name, limits.recipients)]
    })
    faults.push(...wrong)
    if (wrong.length === 0) context.out(texts.good(file, aliases.size))
  }
  if (faults.length > 0) throw new CliFault([...faults, texts.stays].join('\n'))
  return EXIT.ok
}

/** A text says what is wrong, with file and line. */
function readFile(file: string, { language }: Context): Aliases | string {
  try {
    const parsed = parseAliases(readFileSync(file, 'utf8'), readInclude)
    return parsed instanceof Map ? parsed : faultOf(file, parsed as { line: number; fault: string })
  } catch (error) {
    return aliasesTexts[language].unreadable(file, (error as Error).message)
  }
}

const faultOf = (file: string, { line, fault }: { line: number; fault: string }) =>
  `${file}:${line}: ${fault}`

function readInclude(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
