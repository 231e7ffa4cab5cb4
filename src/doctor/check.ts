// What a check is and what it finds.
//
// A check is a small file in checks/ with a maker: it takes what it needs (resolver, identity,
// a dialler…) and gives a Check, which looks at the world once and says what it saw as Findings: a
// stable code and the facts behind it, never a sentence. The sentences stand in texts/, in both
// languages; catalogue.ts knows them all. doctor.ts runs checks side by side. What can go wrong in a
// check (DNS that says nothing, a peer that hangs, a mistake of ours) ends in "could not check".

import type { CodeFacts, CodeTexts, Fact } from './text.ts'
import { generalTexts } from './texts/general.ts'

/**
 * `error`: receivers refuse or junk such mail, and going live is refused. `warning`: it works, and
 * should be better. `note`: worth knowing, a grey line. `unknown`: we could not check.
 */
export type Severity = 'ok' | 'note' | 'warning' | 'error' | 'unknown'

/** Under which heading people read it, in this order. */
export const GROUPS = [
  'network',
  'identity',
  'spf',
  'dkim',
  'dmarc',
  'return-path',
  'lists',
  'domain',
  'transport',
  'server',
] as const
export type Group = (typeof GROUPS)[number]

export type Finding = {
  /** Stable, in capitals: PTR_MISSING. */
  readonly code: string
  readonly severity: Severity
  /** What it is about: a domain, a host name, an address, a selector's name. */
  readonly subject: string
  /** Fills the texts of the code. */
  readonly facts: Readonly<Record<string, Fact>>
}

export type Check = {
  /** As its file is called: `reverse-dns`. */
  readonly name: string
  readonly group: Group
  /**
   * Looks once. May throw; may be given up after the doctor's patience, and the signal says so.
   * An empty answer means that there was nothing to check.
   */
  run(signal: AbortSignal): Promise<readonly Finding[]>
}

/**
 * Makes the maker of a check's findings: the compiler demands a known code and a fact for every
 * placeholder in its texts.
 *
 *     const found = findingsOf(reverseDnsTexts)
 *     found('PTR_MISSING', address, { address, hostname })
 */
export function findingsOf<T extends Readonly<Record<string, CodeTexts>>>(texts: T) {
  return <C extends keyof T & string>(
    code: C,
    subject: string,
    facts: CodeFacts<T[C]>,
  ): Finding => ({ code, severity: texts[code]!.severity, subject, facts })
}

const general = findingsOf(generalTexts)

/**
 * "Could not check", with the reason as the world gave it, such as a DNS answer's `why`, or in our
 * own words in both languages.
 */
export function couldNotCheck(subject: Fact, reason: Fact): Finding {
  const name = typeof subject === 'object' ? subject.en : String(subject)
  return general('COULD_NOT_CHECK', name, { subject, reason })
}
