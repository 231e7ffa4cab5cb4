// The verbs of the API and the command line over credentials. A change is durable before it counts,
// but a revocation counts first: whatever the disk says, its sessions end and its password is wrong.

import { ControlFault } from '../api/control.ts'
import type {
  CredentialControl,
  CredentialImport,
  CredentialTerms,
  CredentialView,
  ImportedCredentials,
  NewCredential,
} from '../api/credentials.ts'
import { networkList } from '../intake/networks.ts'
import { hashKey, hashPassword, makeKey, scramOf } from '../intake/password.ts'
import { type FileEntry, parsePasswordFile, parseUserList } from '../intake/password-file.ts'
import { seal } from '../intake/seal.ts'
import { parseDomain } from '../mail/domain.ts'
import { formatMailbox, parseMailbox } from '../mail/mailbox.ts'
import type { Clock } from '../std/clock.ts'
import type { CredentialRecord, Store } from '../store/store.ts'
import type { CredentialHouse } from './credentials.ts'

const SHORTEST_PASSWORD = 8

type Verbs = { store: Store; house: CredentialHouse; clock: Clock }

export function credentialVerbs({ store, house, clock }: Verbs): CredentialControl {
  const { credentials, allowances } = house
  const view = (record: CredentialRecord) => viewOf(record, house)
  /** The stored one of that name; throws for one of the configuration. */
  const stored = (name: string): CredentialRecord | undefined => {
    if (!credentials.isConfigured(name)) return credentials.get(name)
    throw new ControlFault('CREDENTIAL_IN_CONFIG', `${name} is set in the configuration`)
  }
  return {
    credentials: async () => [...credentials.all()].map(view),
    async credential(name) {
      const record = credentials.get(name)
      return record && view(record)
    },
    async addCredential(request) {
      if (credentials.get(request.name))
        throw new ControlFault('CREDENTIAL_EXISTS', `${request.name} is here already`)
      const terms = readTerms(request)
      const { password, ...secret } = await secretOf(request, house)
      const record = {
        name: request.name,
        createdAt: clock.now(),
        domains: [],
        ...terms,
        ...secret,
      }
      await store.saveCredential(record)
      credentials.set(record)
      return { credential: view(record), password }
    },
    async changeCredential(name, change) {
      const record = stored(name)
      if (!record) return undefined
      const changed = withTerms(record, readTerms(change))
      await store.saveCredential(changed)
      // Revoked meanwhile: the store removes it after this save, and here it must not come back.
      if (!stored(name)) return undefined
      credentials.set(changed)
      return view(changed)
    },
    async rotateCredential(name) {
      const record = stored(name)
      if (!record) return undefined
      const { scram: _, sealed, ...rest } = record
      const cramMd5 = sealed !== undefined
      const { password, ...secret } = await secretOf({ name, cramMd5 }, house)
      const rotated = { ...rest, ...secret }
      if (!stored(name)) return undefined
      await store.saveCredential(rotated)
      if (!stored(name)) return undefined
      credentials.rotate(rotated)
      return { credential: view(rotated), password }
    },
    async revokeCredential(name) {
      if (!stored(name)) return false
      credentials.revoke(name)
      allowances.forget(name)
      return store.removeCredential(name)
    },
    importCredentials: (request) => importAll(request, { store, house, clock }),
  }
}

function viewOf(record: CredentialRecord, { credentials, allowances }: CredentialHouse) {
  const { name, hash, scram, sealed, limits = {}, certificates = [] } = record
  const view: CredentialView = {
    name,
    source: credentials.isConfigured(name) ? 'config' : 'store',
    secret: hash === '' ? 'none' : hash.startsWith('sha256$') ? 'key' : 'password',
    mechanisms: [
      ...(hash === '' ? [] : ['PLAIN', 'LOGIN']),
      ...(scram ? ['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'] : []),
      ...(sealed ? ['CRAM-MD5'] : []),
      ...(certificates.length > 0 ? ['EXTERNAL'] : []),
    ],
    domains: record.domains,
    addresses: record.addresses ?? [],
    networks: record.networks ?? [],
    certificates,
    perMinute: limits.perMinute ?? null,
    perHour: limits.perHour ?? null,
    perDay: limits.perDay ?? null,
    stream: record.stream ?? null,
    priority: record.priority ?? null,
    used: allowances.used(name),
    createdAt: record.createdAt,
  }
  return view
}

/** The stored form of what is named; `without` takes limits, stream or priority away. */
type Terms = {
  -readonly [K in
    | 'domains'
    | 'addresses'
    | 'networks'
    | 'certificates'
    | 'limits'
    | 'stream'
    | 'priority']?: CredentialRecord[K]
} & { readonly without?: readonly (typeof REMOVABLE)[number][] }

const LIMITS = ['perMinute', 'perHour', 'perDay'] as const
const REMOVABLE = [...LIMITS, 'stream', 'priority'] as const

function readTerms(terms: Partial<CredentialTerms>): Omit<Terms, 'without'> {
  const read: Terms = {}
  if (terms.domains)
    read.domains = terms.domains.map((name) => {
      const domain = parseDomain(name)
      if (!domain) throw new ControlFault('NOT_A_DOMAIN', `${name} is not a domain name`)
      return domain
    })
  if (terms.addresses)
    read.addresses = terms.addresses.map((text) => {
      const mailbox = parseMailbox(text)
      if (!mailbox) throw new ControlFault('BAD_TERMS', `${text} is not an address`)
      return formatMailbox(mailbox).toLowerCase()
    })
  if (terms.networks) {
    read.networks = terms.networks
    try {
      networkList(terms.networks)
    } catch (error) {
      throw new ControlFault('BAD_TERMS', (error as Error).message)
    }
  }
  if (terms.certificates) read.certificates = terms.certificates.map(certificateName)
  const limits = LIMITS.flatMap((name) => {
    const limit = terms[name]
    return limit === undefined || limit === null ? [] : [[name, limit] as const]
  })
  if (limits.length > 0) read.limits = Object.fromEntries(limits)
  if (terms.stream) read.stream = terms.stream
  if (terms.priority) read.priority = terms.priority
  const without = REMOVABLE.filter((name) => terms[name] === null)
  return without.length > 0 ? Object.assign(read, { without }) : read
}

/** A fingerprint with or without its colons. */
function certificateName(text: string): string {
  const name = text.toLowerCase()
  return name.startsWith('sha256:') ? `sha256:${name.slice(7).replaceAll(':', '')}` : name
}

function withTerms(record: CredentialRecord, terms: Terms): CredentialRecord {
  const { without = [], ...named } = terms
  const limits = { ...record.limits, ...named.limits }
  for (const name of LIMITS) if (without.includes(name)) delete limits[name]
  const { stream, priority, limits: _, ...rest } = { ...record, ...named }
  return {
    ...rest,
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(stream && !without.includes('stream') && { stream }),
    ...(priority && !without.includes('priority') && { priority }),
  }
}

/** The password that is shown once, and what is kept of it. */
async function secretOf(request: NewCredential, { credentials, secret }: CredentialHouse) {
  if (request.certificateOnly) return { password: null, hash: '' }
  const chosen = request.password
  if (chosen !== undefined && chosen.length < SHORTEST_PASSWORD)
    throw new ControlFault('WEAK_PASSWORD', `use at least ${SHORTEST_PASSWORD} characters`)
  const password = chosen ?? makeKey()
  const kept = await credentials.hashing(async () => ({
    hash: chosen === undefined ? hashKey(password) : await hashPassword(password),
    scram: await scramOf(password),
  }))
  return { password, ...kept, ...(request.cramMd5 && { sealed: seal(password, secret) }) }
}

async function importAll(
  { text, format, replace, terms }: CredentialImport,
  { store, house, clock }: Verbs,
): Promise<ImportedCredentials> {
  const { credentials } = house
  const { entries, faults } = format === 'list' ? parseUserList(text) : parsePasswordFile(text)
  const here = entries.flatMap(({ line, name }) => {
    if (credentials.isConfigured(name)) return [{ line, reason: 'in-config', about: name }]
    return credentials.get(name) && !replace ? [{ line, reason: 'exists', about: name }] : []
  })
  const all = [...faults, ...here].sort((a, b) => a.line - b.line)
  if (all.length > 0) return { imported: [], faults: all }
  const common = readTerms(terms)
  for (const entry of entries) {
    const { name, networks } = entry
    const before = credentials.get(name)
    const { scram: _, sealed: __, ...kept } = before ?? { domains: [], createdAt: clock.now() }
    const own = networks.length > 0 ? { networks } : {}
    const terms = { ...common, ...own }
    const record = withTerms({ hash: '', ...kept, name }, terms)
    const made = { ...record, ...(await credentials.hashing(() => keptOf(entry))) }
    if (before && !credentials.get(name)) continue // revoked meanwhile
    await store.saveCredential(made)
    if (before && !credentials.get(name)) continue
    credentials.rotate(made)
  }
  return { imported: entries.map(({ name }) => name), faults: [] }
}

async function keptOf({ password, hash = '', scram }: FileEntry) {
  if (password === undefined) return { hash, ...(scram && { scram }) }
  return { hash: await hashPassword(password), scram: await scramOf(password) }
}
