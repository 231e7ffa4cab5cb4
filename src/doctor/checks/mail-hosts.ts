// Whether replies and bounces have somewhere to go: the MX of the From domain, and MX and SPF of the
// return path where that is another domain of ours.

import { checkSpf } from '../../auth/spf.ts'
import { isSpf } from '../../auth/spf-record.ts'
import { hostsOf } from '../../dns/hosts.ts'
import type { Resolver } from '../../dns/resolver.ts'
import { type Domain, parseDomain } from '../../mail/domain.ts'
import { type Check, couldNotCheck, type Finding, findingsOf } from '../check.ts'
import { withOurs } from '../spf.ts'
import { mailHostTexts } from '../texts/mail-hosts.ts'

const found = findingsOf(mailHostTexts)

export type MailHostOptions = {
  readonly resolver: Resolver
  readonly domain: Domain
  /** Where bounces come back to, when not to the domain itself. */
  readonly returnPath?: Domain
  /** Domains of others that bounces were asked to go to. */
  readonly foreignPaths?: readonly Domain[]
  readonly hostname: string
  readonly addresses: readonly string[]
}

/** The hosts that take mail for the domain and for its return path. */
export function checkMailHosts(options: MailHostOptions): Check {
  return {
    name: 'mail-hosts',
    group: 'return-path',
    async run() {
      const { returnPath, foreignPaths = [] } = options
      const findings = await Promise.all([
        replyFindings(options),
        returnPath ? returnPathFindings(options, returnPath) : [],
        ...foreignPaths.map((path) => foreignFindings(options, path)),
      ])
      return findings.flat()
    },
  }
}

/** What we may not publish, we can only advise against. */
async function foreignFindings(
  { resolver, hostname, addresses, domain }: MailHostOptions,
  path: Domain,
): Promise<Finding[]> {
  for (const address of addresses) {
    const sender = `postmaster@${path}`
    const connection = { address, sender, helloName: hostname }
    const { result, problem } = await checkSpf(connection, { resolver })
    if (problem?.kind === 'dns') return [couldNotCheck(path, problem.why)]
    if (result !== 'pass')
      return [found('RETURN_PATH_FOREIGN', path, { domain, returnPath: path, result, address })]
  }
  return []
}

const LOOK = { protocol: 'both', allowPrivate: true, random: () => 0 } as const

async function replyFindings({ resolver, domain }: MailHostOptions): Promise<Finding[]> {
  const hosts = await hostsOf(domain, resolver, LOOK)
  switch (hosts.kind) {
    case 'hosts': {
      if (hosts.implicit) return [found('MX_IMPLICIT', domain, { domain })]
      const names = hosts.hosts.map(({ name }) => name).join(', ')
      return [found('MX_OK', domain, { domain, hosts: names })]
    }
    case 'null-mx':
      return [found('MX_NULL', domain, { domain })]
    case 'no-such-domain':
      return [] // told by the check of the domain
    case 'cannot-tell':
      return [couldNotCheck(domain, hosts.why)]
    default: {
      const answer = await resolver.resolve(domain, 'MX')
      const named = answer.kind === 'records' ? answer.records.map((one) => one.exchange) : []
      if (named.length === 0) return [found('MX_MISSING', domain, { domain })]
      return [found('MX_BROKEN', domain, { domain, hosts: named.join(', ') })]
    }
  }
}

async function returnPathFindings(
  { resolver, hostname, addresses, domain }: MailHostOptions,
  returnPath: Domain,
): Promise<Finding[]> {
  const [hosts, published] = await Promise.all([
    hostsOf(returnPath, resolver, LOOK),
    resolver.resolve(returnPath, 'TXT'),
  ])
  if (hosts.kind === 'cannot-tell') return [couldNotCheck(returnPath, hosts.why)]
  const findings: Finding[] = []
  const ours = parseDomain(hostname)
  if (hosts.kind !== 'hosts')
    findings.push(found('RETURN_PATH_NO_MX', returnPath, { returnPath, hostname }))
  else if (returnPath === `bounce.${domain}` && !hosts.hosts.some(({ name }) => name === ours)) {
    const names = hosts.hosts.map(({ name }) => name).join(', ')
    const facts = { returnPath, hosts: names, hostname }
    findings.push(found('RETURN_PATH_MX_ELSEWHERE', returnPath, facts))
  }
  const records = published.kind === 'records' ? published.records : []
  const record = withOurs(records.filter(isSpf), { hostname, addresses })
  for (const address of addresses) {
    const sender = `bounce@${returnPath}`
    const { result, problem } = await checkSpf(
      { address, sender, helloName: hostname },
      { resolver },
    )
    if (problem?.kind === 'dns') findings.push(couldNotCheck(returnPath, problem.why))
    else if (result !== 'pass')
      findings.push(found('RETURN_PATH_SPF', returnPath, { returnPath, address, result, record }))
  }
  return findings.length > 0 ? findings : [found('RETURN_PATH_OK', returnPath, { returnPath })]
}
