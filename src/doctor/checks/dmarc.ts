// The DMARC policy that receivers find for a From domain, by the tree walk, and whether what we send
// is aligned with it.

import { type DmarcDiscovery, type DmarcStep, discoverDmarc, isAligned } from '../../auth/dmarc.ts'
import { type DmarcRecord, isDmarc, looksLikeDmarc, parseDmarc } from '../../auth/dmarc-record.ts'
import { type ReportDestination, reportDestinations } from '../../auth/dmarc-reports.ts'
import type { Resolver } from '../../dns/resolver.ts'
import { type Check, couldNotCheck, type Finding, findingsOf } from '../check.ts'
import { dmarcTexts } from '../texts/dmarc.ts'

const found = findingsOf(dmarcTexts)

export type DmarcCheckOptions = {
  readonly resolver: Resolver
  /** The domain of From. */
  readonly domain: string
  /** `d=` of our signatures; the domain itself when absent. */
  readonly signer?: string
  /** The domain of our reverse-paths; the domain itself when absent. */
  readonly returnPath?: string
}

/** A policy applies, can be read whole, its reports arrive, and our mail passes it. */
export function checkDmarcPolicy(options: DmarcCheckOptions): Check {
  return { name: 'dmarc', group: 'dmarc', run: () => examineDmarc(options) }
}

async function examineDmarc(options: DmarcCheckOptions): Promise<readonly Finding[]> {
  const { domain, resolver } = options
  const discovery = await discoverDmarc(domain, resolver)
  if (discovery.kind === 'cannot-tell') return [couldNotCheck(discovery.domain, discovery.why)]
  const own = discovery.steps.find((step) => step.domain === domain)
  const shadowed = own && !own.record ? brokenStep(own, domain) : undefined
  if (discovery.kind === 'none') {
    const why = shadowed ?? brokenAbove(discovery.steps, domain)
    return [why ?? (await missing(domain, resolver))]
  }
  const { record, at } = discovery
  const [reports, alignment] = await Promise.all([
    reportFindings(record, at, resolver),
    alignmentFindings(discovery, options),
  ])
  const findings = [
    ...(shadowed ? [shadowed] : []),
    ...policyFindings(discovery, domain),
    ...recordFindings(record, at),
    ...reports,
    ...alignment,
  ]
  if (findings.some(({ severity }) => severity === 'error')) return findings
  return [found('DMARC_OK', domain, { domain, policy: discovery.policy, at }), ...findings]
}

function recordFor(domain: string): string {
  return `v=DMARC1; p=none; rua=mailto:dmarc@${domain}`
}

/** Why what stands at a name does not count; undefined when nothing there looks like DMARC. */
function brokenStep(step: DmarcStep, domain: string): Finding | undefined {
  const { texts, others } = step
  const name = `_dmarc.${step.domain}`
  if (texts.length > 1)
    return found('DMARC_TWO_RECORDS', domain, { name, count: texts.length, record: texts[0]! })
  const fault = (what: string) =>
    found('DMARC_INVALID', domain, { name, what, record: recordFor(step.domain) })
  const [text] = texts
  if (text !== undefined) {
    const { faults } = parseDmarc(text)
    const worst =
      faults.find((one) => one.fault === 'twice') ??
      faults.find(({ tag }) => /^(p|sp|np)$/i.test(tag)) ??
      faults[0]
    return fault(worst ? written(worst) : text)
  }
  const similar = others.find(looksLikeDmarc)
  return similar === undefined ? undefined : fault(similar)
}

function brokenAbove(steps: readonly DmarcStep[], domain: string): Finding | undefined {
  for (const step of steps) {
    const broken = brokenStep(step, domain)
    if (broken) return broken
  }
  return undefined
}

function written({ tag, value }: { readonly tag: string; readonly value: string }): string {
  return value.includes('=') || value === '' ? value || tag : `${tag}=${value}`
}

/** Nowhere on the walk; perhaps where a slip puts it. */
async function missing(domain: string, resolver: Resolver): Promise<Finding> {
  const name = `_dmarc.${domain}`
  for (const place of [`${name}.${domain}`, domain]) {
    const answer = await resolver.resolve(place, 'TXT')
    if (answer.kind === 'records' && answer.records.some(isDmarc))
      return found('DMARC_MISPLACED', domain, { domain, place, name })
  }
  return found('DMARC_MISSING', domain, { domain, name, record: recordFor(domain) })
}

type Policy = Extract<DmarcDiscovery, { kind: 'policy' }>

function policyFindings({ record, at, published }: Policy, domain: string): Finding[] {
  const findings: Finding[] = []
  if (at !== domain)
    findings.push(found('DMARC_INHERITED', domain, { domain, at, policy: published }))
  if (published === 'none') findings.push(found('DMARC_WATCHING', domain, { domain }))
  else if (record.testing)
    findings.push(found('DMARC_TESTING', domain, { domain, policy: published }))
  return findings
}

/** Tags that receivers pass over. */
function recordFindings(record: DmarcRecord, at: string): Finding[] {
  const name = `_dmarc.${at}`
  const findings: Finding[] = []
  if (record.removed.length > 0)
    findings.push(found('DMARC_REMOVED_TAGS', at, { name, tags: record.removed.join(', ') }))
  const ignored = record.faults.filter(({ fault }) => fault !== 'twice')
  for (const one of ignored.slice(0, 5))
    findings.push(found('DMARC_ODD_TAG', at, { name, what: written(one) }))
  return findings
}

const MOST_URIS = 10

async function reportFindings(
  record: DmarcRecord,
  at: string,
  resolver: Resolver,
): Promise<Finding[]> {
  if (record.rua.length === 0)
    return [found('DMARC_NO_REPORTS', at, { name: `_dmarc.${at}`, address: `dmarc@${at}` })]
  const uris = [...new Set([...record.rua, ...record.ruf])].slice(0, MOST_URIS)
  const destinations = await reportDestinations(uris, at, resolver)
  return destinations.flatMap((one) => destinationFindings(one, at))
}

function destinationFindings(one: ReportDestination, at: string): Finding[] {
  switch (one.kind) {
    case 'own':
    case 'authorised':
      return []
    case 'not-authorised':
      return [found('DMARC_REPORTS_NOT_AUTHORISED', at, { at, domain: one.domain, name: one.name })]
    case 'unusable':
      return [found('DMARC_REPORTS_UNUSABLE', at, { at, uri: one.uri })]
    case 'cannot-tell':
      return [couldNotCheck(one.uri, one.why)]
  }
}

/** As receivers compare what we sign and where bounces go with From (RFC 9989 §4.4). */
async function alignmentFindings(
  discovery: Policy,
  { domain, resolver, signer = domain, returnPath = domain }: DmarcCheckOptions,
): Promise<Finding[]> {
  const { record, organizational } = discovery
  const to = { author: domain, organizational }
  const [byDkim, bySpf] = await Promise.all([
    isAligned(signer, to, { mode: record.adkim, resolver }),
    isAligned(returnPath, to, { mode: record.aspf, resolver }),
  ])
  const findings: Finding[] = []
  if (byDkim === false) {
    const facts = { domain, signer, mode: record.adkim }
    findings.push(found('DMARC_DKIM_NOT_ALIGNED', domain, facts))
  }
  if (bySpf === false)
    findings.push(found('DMARC_SPF_NOT_ALIGNED', domain, { domain, returnPath, mode: record.aspf }))
  for (const aligned of [byDkim, bySpf])
    if (typeof aligned === 'object') findings.push(couldNotCheck(aligned.domain, aligned.why))
  return findings
}
