// Every code with its texts: a line for each check.

import type { Finding } from './check.ts'
import { type CodeTexts, type DoctorLanguage, type Said, sayFinding } from './text.ts'
import { blocklistTexts } from './texts/blocklists.ts'
import { certificateTexts } from './texts/certificate.ts'
import { clockTexts } from './texts/clock.ts'
import { diskTexts } from './texts/disk.ts'
import { dkimTexts } from './texts/dkim.ts'
import { dmarcTexts } from './texts/dmarc.ts'
import { domainTexts } from './texts/domain.ts'
import { elsewhereTexts } from './texts/elsewhere.ts'
import { generalTexts } from './texts/general.ts'
import { helloNameTexts } from './texts/hello-name.ts'
import { mailHostTexts } from './texts/mail-hosts.ts'
import { openRelayTexts } from './texts/open-relay.ts'
import { outboundPortTexts } from './texts/outbound-port.ts'
import { relayTexts } from './texts/relay.ts'
import { resolverTexts } from './texts/resolver.ts'
import { reverseDnsTexts } from './texts/reverse-dns.ts'
import { spfTexts } from './texts/spf.ts'

const files: readonly Readonly<Record<string, CodeTexts>>[] = [
  mailHostTexts,
  domainTexts,
  dmarcTexts,
  dkimTexts,
  spfTexts,
  blocklistTexts,
  certificateTexts,
  clockTexts,
  diskTexts,
  elsewhereTexts,
  generalTexts,
  helloNameTexts,
  openRelayTexts,
  outboundPortTexts,
  relayTexts,
  resolverTexts,
  reverseDnsTexts,
]

export const catalogue: ReadonlyMap<string, CodeTexts> = new Map(
  files.flatMap((texts) => Object.entries(texts)),
)

/** A finding in words. */
export function describeFinding(finding: Finding, language: DoctorLanguage): Said {
  const texts = catalogue.get(finding.code)
  return texts ? sayFinding(finding, texts, language) : { saw: finding.code }
}
