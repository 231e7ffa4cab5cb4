// Every code with its texts: a line for each check.

import type { Finding } from './check.ts'
import { type CodeTexts, type DoctorLanguage, type Said, sayFinding } from './text.ts'
import { blocklistTexts } from './texts/blocklists.ts'
import { generalTexts } from './texts/general.ts'
import { helloNameTexts } from './texts/hello-name.ts'
import { outboundPortTexts } from './texts/outbound-port.ts'
import { reverseDnsTexts } from './texts/reverse-dns.ts'

export const catalogue: ReadonlyMap<string, CodeTexts> = new Map<string, CodeTexts>(
  [generalTexts, blocklistTexts, helloNameTexts, outboundPortTexts, reverseDnsTexts].flatMap(
    (texts) => Object.entries(texts),
  ),
)

/** A finding in words. */
export function describeFinding(finding: Finding, language: DoctorLanguage): Said {
  const texts = catalogue.get(finding.code)
  return texts ? sayFinding(finding, texts, language) : { saw: finding.code }
}
