// The local authority: made in the data folder when a listener speaks TLS and nobody gave it a
// certificate. Its root lasts ten years and is what clients are given; the hosts' certificate below
// it is short and renewed by us. Root and key are one file, so that they cannot come apart.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Certificate, issueCertificate, makeAuthority } from '../std/certificate.ts'
import type { Clock } from '../std/clock.ts'
import { replaceFile } from '../std/durable.ts'
import { readPem } from './pem.ts'

const ROOT_FILE = 'authority.pem'
const LEAF_FILE = 'local.pem'
const ROOT_DAYS = 3650
const LEAF_DAYS = 90
const DAY_MS = 86_400_000

export type AuthorityOptions = {
  /** Where certificates are kept; made when it is missing. */
  readonly folder: string
  /** Names and addresses under which clients reach us; the first is the host's name. */
  readonly names: readonly string[]
  readonly clock: Clock
}

/** The root's certificate, PEM; undefined when there is no authority yet. Throws what the disk says. */
export async function readRoot(folder: string): Promise<string | undefined> {
  return (await readPair(join(folder, ROOT_FILE)))?.cert
}

/** The authority; made and made durable when there is none, or when what is there is broken. */
export async function ensureRoot({ folder, names, clock }: AuthorityOptions): Promise<Certificate> {
  const path = join(folder, ROOT_FILE)
  const kept = await readPair(path)
  if (kept && endOf(kept.cert) > clock.now()) return kept
  const year = new Date(clock.now()).getUTCFullYear()
  const host = (names[0] ?? 'localhost').slice(0, 36)
  const made = makeAuthority(`Posthorn ${host} ${year}`, clock, { days: ROOT_DAYS })
  await writePair(path, made, [])
  return made
}

/**
 * The hosts' certificate below it: kept while it is for these names and more than a third of its
 * life is left, else made anew.
 * @returns the path of a PEM file with key, certificate and root
 */
export async function ensureLeaf(
  options: AuthorityOptions & { readonly anew?: boolean },
): Promise<{ readonly path: string; readonly renewAt: number }> {
  const { folder, names, clock } = options
  const path = join(folder, LEAF_FILE)
  const root = await ensureRoot(options)
  const kept = options.anew ? undefined : await readPair(path)
  if (kept && isFit(kept.cert, root.cert, options)) return { path, renewAt: renewAt(kept.cert) }
  const days = Math.min(LEAF_DAYS, Math.floor((endOf(root.cert) - clock.now()) / DAY_MS))
  const made = issueCertificate(root, names, { clock, days: Math.max(1, days) })
  await writePair(path, made, [root.cert])
  return { path, renewAt: renewAt(made.cert) }
}

function isFit(leaf: string, root: string, { names, clock }: AuthorityOptions): boolean {
  const read = new X509Certificate(leaf)
  const named = names.every((name) => read.checkHost(name) ?? read.checkIP(name))
  return named && read.verify(new X509Certificate(root).publicKey) && renewAt(leaf) > clock.now()
}

const endOf = (cert: string): number => new X509Certificate(cert).validToDate.getTime()

function renewAt(cert: string): number {
  const { validFromDate, validToDate } = new X509Certificate(cert)
  return validToDate.getTime() - (validToDate.getTime() - validFromDate.getTime()) / 3
}

async function readPair(path: string): Promise<Certificate | undefined> {
  const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!content) return undefined
  const { certificates, keys } = readPem(content)
  const [cert] = certificates
  const [key] = keys
  if (cert === undefined || !key) return undefined
  try {
    const matches = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key.text))
    return matches ? { cert: `${cert}\n`, key: `${key.text}\n` } : undefined
  } catch {
    return undefined
  }
}

async function writePair(path: string, pair: Certificate, chain: readonly string[]): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 })
  await replaceFile(path, [pair.key, pair.cert, ...chain].join(''), { mode: 0o600 })
}
