// What a big receiver checks: SPF and DMARC as the doctor does, DKIM by mailauth, all over the
// sandbox's own DNS.

import type { DKIMVerifyResult, DNSResolver } from 'mailauth'
import { checkDmarc, type DmarcVerdict } from '../auth/dmarc.ts'
import { checkSpf, type SpfOutcome } from '../auth/spf.ts'
import type { RecordType, Resolver } from '../dns/resolver.ts'
import { parseDomain } from '../mail/domain.ts'
import { formatField } from '../mail/header.ts'

export type Verdict = {
  /** `pass` when any signature is good, else the first one's result, or `none`. */
  readonly dkim: string
  readonly spf: string
  readonly dmarc: string
  /** Authentication-Results and Received-SPF, with CRLF. */
  readonly fields: string
}

/** What the receiver knows of the connection. */
export type Connection = {
  /** Where the mail seems to come from. */
  readonly address: string
  readonly helloName: string
  /** The reverse-path, empty for bounces. */
  readonly sender: string
  readonly receiver: string
}

/** Checks a message as it was received. Never rejects for what the message is. */
export async function verifyMessage(
  raw: Buffer,
  connection: Connection,
  resolver: Resolver,
): Promise<Verdict> {
  // Twenty MiB of code that a server without a sandbox never needs.
  const { dkimVerify } = await import('mailauth')
  const [dkim, spf] = await Promise.all([
    dkimVerify(raw, { resolver: asNodeResolver(resolver), strict: true }),
    checkSpf(connection, { resolver, receiver: connection.receiver }),
  ])
  const author = authorDomain(dkim)
  const passed = dkim.results.filter((signature) => signature.status.result === 'pass')
  const dmarc: DmarcVerdict | undefined =
    author === undefined
      ? undefined
      : await checkDmarc(
          {
            author,
            ...(spf.result === 'pass' ? { spf: spf.domain } : {}),
            dkim: passed.flatMap(({ signingDomain }) => signingDomain ?? []),
          },
          resolver,
        )
  const results = dkim.results.map((signature) => signature.status.result)
  return {
    dkim: passed.length > 0 ? 'pass' : (results[0] ?? 'none'),
    spf: spf.result,
    dmarc: dmarc?.result ?? 'none',
    fields: resultFields(connection, { dkim, spf, dmarc, author }),
  }
}

/** The one domain of From; with none or several DMARC cannot be evaluated (RFC 9989 §5.3.1). */
function authorDomain({ headerFrom, fromFields }: DKIMVerifyResult): string | undefined {
  const domains = new Set(
    headerFrom.map((address) => parseDomain(address.slice(address.lastIndexOf('@') + 1))),
  )
  return fromFields === 1 && domains.size === 1 ? [...domains][0] : undefined
}

type Results = {
  readonly dkim: DKIMVerifyResult
  readonly spf: SpfOutcome
  readonly dmarc: DmarcVerdict | undefined
  readonly author: string | undefined
}

/** Authentication-Results above Received-SPF (RFC 8601 §5, RFC 7208 §9.1). */
function resultFields(connection: Connection, { dkim, spf, dmarc, author }: Results): string {
  const { address, helloName, sender, receiver } = connection
  const identity = sender === '' ? `smtp.helo=${word(helloName)}` : `smtp.mailfrom=${sender}`
  const policy = dmarc && 'discovery' in dmarc ? ` (p=${dmarc.discovery.published})` : ''
  const results = [
    ...dkim.results.map(({ info }) => (info ?? '').replace(/\s+/g, ' ').trim()),
    ...(dkim.results.length === 0 ? ['dkim=none'] : []),
    `spf=${spf.result} ${identity}`,
    ...(author ? [`dmarc=${dmarc?.result}${policy} header.from=${author}`] : []),
  ]
  const received =
    `${spf.result} client-ip=${address}; envelope-from=${quoted(sender)}; ` +
    `helo=${quoted(helloName)}; identity=${sender === '' ? 'helo' : 'mailfrom'}`
  return (
    formatField('Authentication-Results', `${receiver}; ${results.join('; ')}`) +
    formatField('Received-SPF', received)
  )
}

/** A pvalue that needs no quotes stays without (RFC 8601 §2.2). */
function word(text: string): string {
  return /^[A-Za-z0-9.!#$%&'*+\-^_`{|}~]+$/.test(text) ? text : quoted(text)
}

function quoted(text: string): string {
  return `"${text.replace(/[\r\n\0]/g, ' ').replace(/["\\]/g, '\\$&')}"`
}

/** Our answers in the shape and with the error codes of node:dns. */
export function asNodeResolver(resolver: Resolver): DNSResolver {
  return async (name, type) => {
    const answer = await resolver.resolve(name, type as RecordType)
    switch (answer.kind) {
      case 'records':
        return answer.records.map((record) => nodeRecord(record, type)) as string[]
      case 'none':
        throw dnsError('ENODATA', name)
      case 'no-such-name':
        throw dnsError('ENOTFOUND', name)
      case 'cannot-tell':
        throw dnsError('ESERVFAIL', name)
    }
  }
}

function nodeRecord(record: unknown, type: string): unknown {
  if (type === 'TXT') return [record]
  if (type !== 'MX') return record
  const { preference, exchange } = record as { preference: number; exchange: string }
  return { priority: preference, exchange }
}

function dnsError(code: string, name: string): Error {
  return Object.assign(new Error(`${code} ${name}`), { code })
}
