// A Control in memory, for tests of the API and the command line.

import {
  type Check,
  type Control,
  ControlFault,
  type DoctorReport,
  type DomainView,
  type QueueEntryView,
  type SandboxMessage,
} from '../../src/api/control.ts'
import type { CredentialView } from '../../src/api/credentials.ts'
import type { DnsPlan } from '../../src/api/dns.ts'
import type { KeyControl } from '../../src/api/keys.ts'
import type { PolicyAnswer } from '../../src/api/policy.ts'
import type { CertificateState } from '../../src/certificates/state.ts'
import type { Finding } from '../../src/doctor/check.ts'
import { demandsOf } from '../../src/doctor/demands.ts'
import { countsOf } from '../../src/doctor/doctor.ts'
import type { PlannedRecord } from '../../src/doctor/plan.ts'

const NO_TERMS: Omit<CredentialView, 'name'> = {
  source: 'store',
  secret: 'key',
  mechanisms: ['PLAIN', 'LOGIN'],
  domains: [],
  addresses: [],
  networks: [],
  certificates: [],
  perMinute: null,
  perHour: null,
  perDay: null,
  stream: null,
  priority: null,
  used: { perMinute: 0, perHour: 0, perDay: 0 },
  createdAt: Date.UTC(2026, 0, 1),
}

export type FakeControl = Control & {
  /** Puts a message into the sandbox, as a capture would. */
  capture(message: Partial<SandboxMessage> & { id: string }): void
  readonly entries: QueueEntryView[]
  readonly problems: Check[]
  /** What the doctor finds of the host. */
  readonly doctorFindings: Finding[]
  readonly certificateStates: CertificateState[]
  /** Every call that changes something, for assertions. */
  readonly calls: string[]
}

const POLICY: PolicyAnswer = {
  client: '127.0.0.1',
  networks: [],
  distrusted: false,
  listeners: [],
  sender: { given: '', changes: [], result: '' },
  rights: { may: false, reply: '550 no' },
  credentials: [],
  recipients: [],
  copies: [],
}

export function fakeControl(): FakeControl {
  const captured: SandboxMessage[] = []
  const domains = new Map<string, DomainView>()
  const credentials = new Map<string, CredentialView>()
  const listeners = new Set<() => void>()
  const entries: QueueEntryView[] = []
  const calls: string[] = []
  const problems: Check[] = []
  const doctorFindings: Finding[] = []
  const certificates: CertificateState[] = []
  return {
    certificateStates: certificates,
    entries,
    problems,
    doctorFindings,
    calls,
    capture(message) {
      captured.unshift({
        envelope: { from: 'a@example.com', to: ['b@example.org'] },
        subject: 'Hello',
        authentication: { dkim: 'pass', spf: 'pass', dmarc: 'pass' },
        size: 1000,
        receivedAt: Date.UTC(2026, 0, 1),
        ...message,
      })
      for (const listener of listeners) listener()
    },
    about: () => ({
      version: '0.1.0',
      mode: 'sandbox',
      hostname: 'mail.example.test',
      listeners: [
        { name: 'smtp', address: '127.0.0.1', port: 2525, tls: 'none', auth: 'optional' },
      ],
      speakingAddresses: [
        {
          address: 'full@example.com',
          says: { en: '552, mailbox full', ru: '552, ящик переполнен' },
        },
      ],
    }),
    domains: async () => [...domains.values()],
    async addDomain({ domain, world, ed25519, importPem, selector }) {
      calls.push(`addDomain ${domain} ${importPem ? 'imported' : 'new key'}`)
      if (!/^[a-z0-9.-]+\.[a-z]+$/.test(domain))
        throw new ControlFault('NOT_A_DOMAIN', `no domain: ${domain}`)
      if (domains.has(domain)) throw new ControlFault('DOMAIN_EXISTS', `${domain} exists`)
      const state = 'active' as const
      const keys = [{ selector: selector ?? 'p2601', algorithm: 'rsa-sha256', state }]
      if (ed25519)
        keys.push({ selector: `${selector ?? 'p2601'}e`, algorithm: 'ed25519-sha256', state })
      const made: DomainView = {
        domain,
        world,
        source: 'store',
        keys,
        createdAt: Date.UTC(2026, 0, 1),
      }
      domains.set(domain, made)
      return made
    },
    async goLive(name, { force }) {
      const domain = domains.get(name)
      if (!domain) return undefined
      calls.push(`goLive ${name}${force ? ' by force' : ''}`)
      const demands = demandsOf([{ check: 'dkim', group: 'dkim', findings: doctorFindings }])
      const ready = demands.every(({ state }) => state === 'met')
      const changed = domain.world !== 'live' && (ready || force)
      const now: DomainView = changed ? { ...domain, world: 'live' } : domain
      domains.set(name, now)
      return { domain: now, ready, changed, demands }
    },
    async goSandbox(name) {
      const domain = domains.get(name)
      if (!domain) return undefined
      const now: DomainView = { ...domain, world: 'sandbox' }
      domains.set(name, now)
      return { domain: now, changed: domain.world !== 'sandbox' }
    },
    async removeDomain(domain) {
      calls.push(`removeDomain ${domain}`)
      return domains.delete(domain)
    },
    ...fakeKeys(calls),
    dnsPlan: async (domain) => (domains.has(domain) ? plan(domain) : undefined),
    async publishDns() {
      throw new ControlFault('NO_PUBLISHER', 'no dns_publish')
    },
    credentials: async () => [...credentials.values()],
    credential: async (name) => credentials.get(name),
    async addCredential({ name, password = 'N0replyuserP@ssw0rd', certificateOnly, ...terms }) {
      if (credentials.has(name)) throw new ControlFault('CREDENTIAL_EXISTS', `${name} exists`)
      const credential = { ...NO_TERMS, ...terms, name }
      credentials.set(name, credential)
      return { credential, password: certificateOnly ? null : password }
    },
    async changeCredential(name, change) {
      const before = credentials.get(name)
      if (!before) return undefined
      credentials.set(name, { ...before, ...change })
      return credentials.get(name)
    },
    async rotateCredential(name) {
      const credential = credentials.get(name)
      return credential && { credential, password: 'N0replyuserP@ssw0rd2' }
    },
    revokeCredential: async (name) => credentials.delete(name),
    async importCredentials({ text }) {
      calls.push(`importCredentials ${text.length}`)
      if (!text.includes(':'))
        return { imported: [], faults: [{ line: 1, reason: 'no-colon', about: '' }] }
      return { imported: ['app'], faults: [] }
    },
    async queue({ limit, after, site, state }) {
      if (after !== undefined && !/^\d+$/.test(after))
        throw new ControlFault('BAD_CURSOR', 'no cursor')
      const from = Number(after ?? 0)
      const matching = entries.filter(
        (entry) => (!site || entry.site === site) && (!state || entry.state === state),
      )
      const page = matching.slice(from, from + limit)
      const next = from + limit < matching.length ? String(from + limit) : null
      return { entries: page, next }
    },
    queueCounts: async () => ({
      ready: entries.filter((entry) => entry.state === 'ready').length,
      held: entries.filter((entry) => entry.state === 'held').length,
      oldestAcceptedAt: entries[0]?.acceptedAt ?? null,
    }),
    async queued(id) {
      const own = entries.filter((entry) => entry.id === id)
      return own.length === 0 ? undefined : { id, entries: own, attempts: [] }
    },
    async retry(selection) {
      calls.push(`retry ${JSON.stringify(selection)}`)
      return entries.filter(
        (entry) =>
          ('id' in selection || selection.held || entry.state === 'ready') &&
          ('all' in selection ||
            ('id' in selection ? entry.id === selection.id : entry.site === selection.site)),
      ).length
    },
    async testPolicy(question) {
      calls.push(`testPolicy ${JSON.stringify(question)}`)
      return POLICY
    },
    async cancel({ id }) {
      calls.push(`cancel ${id}`)
      const own = entries.filter((entry) => entry.id === id)
      for (const entry of own) entries.splice(entries.indexOf(entry), 1)
      return own.length
    },
    async sandboxMessages({ limit, before }) {
      const from = before === undefined ? 0 : captured.findIndex((one) => one.id === before) + 1
      return captured.slice(from, from + limit)
    },
    sandboxMessage: async (id) => captured.find((one) => one.id === id),
    sandboxRaw: async (id) =>
      captured.some((one) => one.id === id)
        ? Buffer.from('Subject: Hello\r\n\r\nHi\r\n')
        : undefined,
    async clearSandbox() {
      captured.length = 0
    },
    async doctor(domain) {
      if (domain !== undefined && !domains.has(domain)) return undefined
      const checked = [...domains.values()].filter((one) => (domain ?? one.domain) === one.domain)
      return fakeReport(checked, doctorFindings)
    },
    onCaptured(then) {
      listeners.add(then)
      return () => listeners.delete(then)
    },
    certificates: async () => certificates,
    async renewCertificates() {
      calls.push('renewCertificates')
      return certificates
    },
    rootCertificate: async (options) => (options?.make ? 'made root\n' : undefined),
    acmeAnswer: (token) => (token === 'known' ? 'known.proof' : undefined),
    checks: async () => [{ name: 'store', ok: true, text: 'writes in 1 ms' }, ...problems],
    metrics: async () => '# TYPE posthorn_up gauge\nposthorn_up 1\n',
  }
}

export function queueEntry(id: string, more: Partial<QueueEntryView> = {}): QueueEntryView {
  return {
    id,
    index: 0,
    from: 'a@example.com',
    to: 'b@example.org',
    site: 'example.org',
    state: 'ready',
    nextAttemptAt: Date.UTC(2026, 0, 1, 12),
    attempts: 1,
    acceptedAt: Date.UTC(2026, 0, 1),
    size: 5120,
    world: 'live',
    stream: null,
    lastFailure: 'mx.example.org said at rcpt: 450 4.2.0 Try again later',
    ...more,
  }
}

function plan(domain: string): DnsPlan {
  const records: PlannedRecord[] = [
    {
      type: 'A',
      name: `mail.${domain}`,
      value: '203.0.113.10',
      ttl: 300,
      why: 'hostname',
      inZone: true,
    },
    {
      type: 'TXT',
      name: domain,
      value: 'v=spf1 ip4:203.0.113.10 ~all',
      ttl: 300,
      why: 'domain-spf',
      inZone: true,
    },
    {
      type: 'TXT',
      name: `p2601._domainkey.${domain}`,
      value: `v=DKIM1; k=rsa; p=${'A'.repeat(392)}`,
      ttl: 300,
      why: 'dkim',
      inZone: true,
    },
    {
      type: 'TXT',
      name: `_dmarc.${domain}`,
      value: 'v=DMARC1; p=none',
      ttl: 300,
      why: 'dmarc',
      inZone: true,
    },
    {
      type: 'PTR',
      name: '10.113.0.203.in-addr.arpa',
      value: `mail.${domain}`,
      ttl: 300,
      why: 'reverse-dns',
      inZone: false,
    },
  ]
  const compared = { state: 'missing', published: [], extra: [], beside: [], notes: [] } as const
  return {
    domain,
    hostname: `mail.${domain}`,
    zone: domain,
    servers: [],
    provider: 'other',
    records: records.map((record) => ({ ...record, ...compared })),
    missing: [],
    mailHosts: [],
    publisher: null,
  }
}

function fakeReport(domains: readonly DomainView[], findings: readonly Finding[]): DoctorReport {
  const host = [{ check: 'reverse-dns', group: 'identity' as const, findings }]
  const counts = countsOf(host)
  return {
    at: Date.UTC(2026, 0, 1),
    durationMs: 12,
    hostname: 'mail.example.test',
    counts,
    healthy: counts.error === 0,
    host,
    leftOut: 0,
    domains: domains.map(({ domain, world }) => ({ domain, world, checks: [] })),
  }
}

/** Without keys: what they do is tested with a whole server. */
function fakeKeys(calls: string[]): KeyControl {
  const none = (call: string) => async () => {
    calls.push(call)
    return undefined
  }
  return {
    keys: async (domain) => (domain === undefined ? [] : undefined),
    addKey: none('addKey'),
    rotateKeys: none('rotateKeys'),
    abortRotation: none('abortRotation'),
    checkKeys: none('checkKeys'),
    retireKey: none('retireKey'),
    exportKey: none('exportKey'),
  }
}
