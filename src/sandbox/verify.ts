// What a big receiver checks: SPF, DKIM and DMARC, by mailauth over the sandbox's own DNS.

import type { DNSResolver } from 'mailauth'
import type { RecordType, Resolver } from '../dns/resolver.ts'

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
  const { authenticate } = await import('mailauth')
  const result = await authenticate(raw, {
    ip: connection.address,
    helo: connection.helloName,
    sender: connection.sender,
    mta: connection.receiver,
    resolver: asNodeResolver(resolver),
    trustReceived: false,
    disableArc: true,
    disableBimi: true,
    strict: true,
  })
  const signatures = result.dkim.results.map((signature) => signature.status.result)
  const fields = result.headers.replace(/\r?\n/g, '\r\n').replace(/(\r\n)*$/, '\r\n')
  return {
    dkim: signatures.includes('pass') ? 'pass' : (signatures[0] ?? 'none'),
    spf: result.spf ? result.spf.status.result : 'none',
    dmarc: result.dmarc ? result.dmarc.status.result : 'none',
    fields,
  }
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
