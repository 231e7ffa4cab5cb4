// The server's side of the API and the command line: each verb of Control over the rooms.

import type { CertificateControl } from '../api/certificates.ts'
import {
  type AttemptView,
  type Control,
  ControlFault,
  type QueueEntryView,
  type SandboxMessage,
} from '../api/control.ts'
import type { DnsControl } from '../api/dns.ts'
import type { GoLiveControl } from '../api/go-live.ts'
import type { PolicyControl } from '../api/policy.ts'
import type { Domain } from '../mail/domain.ts'
import type { EntryKey, QueueEntry } from '../mail/entry.ts'
import { describeCause } from '../mail/failure.ts'
import { formatMailbox } from '../mail/mailbox.ts'
import { formatMessageId, parseMessageId } from '../mail/message.ts'
import type { Operations } from '../queue/operate.ts'
import type { Clock } from '../std/clock.ts'
import type {
  AttemptRecord,
  CapturedMessage,
  QueueFilter,
  QueueRow,
  Store,
} from '../store/store.ts'
import { credentialVerbs } from './credential-verbs.ts'
import type { CredentialHouse } from './credentials.ts'
import type { Domains } from './domains.ts'
import { keyVerbs } from './key-verbs.ts'
import type { Rotations } from './rotation.ts'
import type { SandboxHouse } from './sandbox.ts'

export type ControlDependencies = {
  readonly clock: Clock
  readonly store: Store
  readonly domains: Domains
  readonly rotations: Rotations
  readonly credentials: CredentialHouse
  readonly sandbox: SandboxHouse
  readonly operations: Operations
  readonly dns: DnsControl
  readonly doctor: Control['doctor']
  readonly goLive: GoLiveControl
  /** Called when a domain was added whose mail goes out into the world. */
  onLive(domain: Domain): void
  readonly certificates: CertificateControl
  readonly policy: PolicyControl
  about(): ReturnType<Control['about']>
  checks(): ReturnType<Control['checks']>
  metrics(): Promise<string>
}

/** Puts the verbs together; each is a few lines over the store. */
export function makeControl(deps: ControlDependencies): Control {
  return {
    about: deps.about,
    checks: deps.checks,
    doctor: deps.doctor,
    metrics: deps.metrics,
    ...deps.certificates,
    ...deps.policy,
    ...domainVerbs(deps),
    ...deps.dns,
    ...deps.goLive,
    ...keyVerbs(deps),
    ...credentialVerbs({ store: deps.store, clock: deps.clock, house: deps.credentials }),
    ...queueVerbs(deps),
    ...sandboxVerbs(deps),
  }
}

function domainVerbs({
  domains,
  sandbox,
  onLive,
}: ControlDependencies): Pick<Control, 'domains' | 'addDomain' | 'removeDomain'> {
  return {
    domains: async () => domains.list(),
    async addDomain(request) {
      if (request.world === 'sandbox') await sandbox.open()
      const added = await domains.add(request)
      if (added.world === 'live') onLive(added.domain as Domain)
      return added
    },
    removeDomain: (domain) => domains.remove(domain),
  }
}

function queueVerbs({
  store,
  operations,
}: ControlDependencies): Pick<Control, 'queue' | 'queueCounts' | 'queued' | 'retry' | 'cancel'> {
  return {
    async queue(options: Parameters<Control['queue']>[0]) {
      const { limit, site, state } = options
      const after = options.after === undefined ? undefined : parseCursor(options.after)
      const rows = await store.queuePage({
        filter: { ...(site !== undefined && { site }), ...(state && { state }) },
        limit,
        ...(after && { after }),
      })
      const last = rows.at(-1)
      const next = last && rows.length === limit ? formatCursor(last.entry) : null
      return { entries: rows.map(entryView), next }
    },
    async queueCounts() {
      const { ready, held, oldestAcceptedAt } = await store.queueCounts()
      return { ready, held, oldestAcceptedAt: oldestAcceptedAt ?? null }
    },
    async queued(text: string) {
      const message = parseMessageId(text)
      if (message === undefined) return undefined
      const rows = await store.queuePage({ filter: { message }, limit: 1000 })
      const attempts = await store.attempts(message)
      if (rows.length === 0 && attempts.length === 0) return undefined
      return {
        id: formatMessageId(message),
        entries: rows.map(entryView),
        attempts: attempts.map(attemptView),
      }
    },
    retry: (selection) => operations.retry(filterOf(selection)),
    async cancel(selection) {
      const { cancelled } = await operations.cancel(filterOf(selection), { notify: false })
      return cancelled
    },
  }
}

/** A selection that names an unknown id matches nothing. */
function filterOf(selection: Parameters<Control['retry']>[0]): QueueFilter {
  if (!('id' in selection)) {
    const site = 'site' in selection ? { site: selection.site } : {}
    return selection.held ? site : { ...site, state: 'ready' }
  }
  return { message: parseMessageId(selection.id) ?? (0 as NonNullable<QueueFilter['message']>) }
}

const formatCursor = ({ message, index }: EntryKey): string =>
  `${formatMessageId(message)}.${index}`

function parseCursor(text: string): EntryKey {
  const [id = '', index = ''] = text.split('.')
  const message = parseMessageId(id)
  if (message === undefined || !/^\d{1,6}$/.test(index))
    throw new ControlFault('BAD_CURSOR', `${text} is no place in the queue`)
  return { message, index: Number(index) }
}

function entryView({ entry, from, size, world, stream }: QueueRow): QueueEntryView {
  return {
    id: formatMessageId(entry.message),
    index: entry.index,
    from,
    to: formatMailbox(entry.recipient.mailbox),
    site: entry.site,
    state: entry.state.kind,
    nextAttemptAt: dueAt(entry),
    attempts: entry.attempts,
    acceptedAt: entry.acceptedAt,
    size,
    world,
    stream: stream ?? null,
    lastFailure: entry.lastFailure ? describeCause(entry.lastFailure.cause) : null,
  }
}

const dueAt = ({ state }: QueueEntry): number | null => (state.kind === 'ready' ? state.at : null)

function attemptView(record: AttemptRecord): AttemptView {
  return {
    at: record.at,
    durationMs: record.durationMs,
    host: record.host ?? null,
    address: record.address ?? null,
    tls: record.tls ?? null,
    results: record.results,
  }
}

function sandboxVerbs({
  store,
  sandbox,
}: ControlDependencies): Pick<
  Control,
  'sandboxMessages' | 'sandboxMessage' | 'sandboxRaw' | 'clearSandbox' | 'onCaptured'
> {
  const view = (message: CapturedMessage): SandboxMessage => message
  return {
    async sandboxMessages(options: { limit: number; before?: string }) {
      return (await store.captured(options)).map(view)
    },
    async sandboxMessage(id) {
      // Ids sort as text, and the next text after an id is the id with anything behind it.
      const [found] = await store.captured({ limit: 1, before: `${id} ` })
      return found?.id === id ? view(found) : undefined
    },
    sandboxRaw: store.capturedRaw.bind(store),
    clearSandbox: store.clearCaptured.bind(store),
    onCaptured: (then) => sandbox.onCaptured(then),
  }
}
