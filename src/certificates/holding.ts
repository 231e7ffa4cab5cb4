// One certificate over time: what is in force of it, and what is wrong with what lies there now.

import { createHash } from 'node:crypto'
import { serverContext } from '../smtp/tls.ts'
import type { Usable } from './choose.ts'
import { type Examined, type ExamineOptions, examine } from './examine.ts'
import { type CertificateFault, fault } from './fault.ts'
import type { ReadCertificate } from './read.ts'
import {
  type CertificateSource,
  type CertificateState,
  type CertificateView,
  type RenewalView,
  viewOf,
} from './state.ts'

export type Good = {
  readonly usable: Usable
  readonly view: CertificateView
  /** Of the certificate and its chain. */
  readonly print: string
}

export type Holding = {
  /** Where the configuration says that it lies: the file, or the folder that holds it. */
  readonly place: string
  readonly path: string
  readonly source: CertificateSource
  /** The last one without an error. */
  readonly good?: Good
  readonly faults: readonly CertificateFault[]
  /** Of what was last seen there, good or not. */
  readonly seen: string
}

/** What was read, over what was held before. */
export function hold(
  read: ReadCertificate,
  before: Holding | undefined,
  options: ExamineOptions & { readonly place: string; readonly source: CertificateSource },
): Holding {
  const { place, source } = options
  const { path } = read
  const { found, faults } = judged(read, options)
  const seen = digest([...faults.map(({ code }) => code), ...octetsOf(read)])
  const usable = found && !faults.some(({ level }) => level === 'error')
  const good = usable ? goodOf(found, source) : before?.good
  return { place, path, source, ...(good && { good }), faults, seen }
}

export function isFaulty({ faults }: Holding): boolean {
  return faults.some(({ level }) => level === 'error')
}

/** Clients that ask for no name get the first: it should be for us when no other is. */
export function withHost(holdings: readonly Holding[], host: string): readonly Holding[] {
  const good = holdings.flatMap((one) => (one.good ? [one.good] : []))
  const wanted = [host.toLowerCase(), host.toLowerCase().replace(/^[^.]+/, '*')]
  const named = good.some(({ view }) => view.names.some((name) => wanted.includes(name)))
  const first = holdings.findIndex((one) => one.good)
  if (named || first < 0) return holdings
  return holdings.map((one, index) => {
    if (index !== first) return one
    const { names } = one.good!.view
    return { ...one, faults: [...one.faults, fault('NOT_FOR_HOST', one.path, { host, names })] }
  })
}

export function stateOf(
  { path, source, good, faults }: Holding,
  options: { readonly now: number; readonly renewal: RenewalView | null },
): CertificateState {
  return {
    name: good?.view.names[0] ?? path,
    source,
    file: path,
    inUse: good !== undefined && good.view.expiresAt > options.now,
    certificate: good?.view ?? null,
    faults,
    renewal: options.renewal,
  }
}

function judged(read: ReadCertificate, options: ExamineOptions) {
  if (!read.files) return { faults: read.faults, found: undefined }
  const { found, faults } = examine(read.files, options)
  // What could not be found is not exposed either.
  const all = [...(found ? read.faults : []), ...faults]
  if (!found || all.some(({ level }) => level === 'error')) return { found, faults: all }
  try {
    serverContext([found.pair], { listener: 'examined' })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    all.push(fault('REFUSED', read.path, { why }))
  }
  return { found, faults: all }
}

function goodOf(found: Examined, source: CertificateSource): Good {
  const untrusted = found.selfSigned || source === 'authority'
  const view = viewOf(found, { untrusted })
  const { names, keyType, pair } = found
  const { beginsAt: notBefore, expiresAt: notAfter } = view
  return {
    usable: { names, keyType, pair, untrusted, notBefore, notAfter },
    view,
    print: digest([pair.chain, pair.key]),
  }
}

function octetsOf({ files }: ReadCertificate): Uint8Array[] {
  const all = [files?.certificate, files?.chain, files?.key]
  return all.flatMap((file) => (file ? [file.content] : []))
}

function digest(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('base64url')
}
