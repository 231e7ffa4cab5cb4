// What the API and the command line need of a server, as verbs over plain values. server.ts
// implements it over the rooms; tests have one in memory. Everything in here survives JSON.
//
// The room: app.ts makes the HTTP application from a Control, routes/ holds a file per noun,
// guard.ts decides who may call, problem.ts how "no" looks. What can go wrong comes back as a
// ControlFault, which the API turns into problem+json and the command line into a sentence.

import type { Text } from '../config/language.ts'
import type { Config } from '../config/schema.ts'
import type { KeyFlag, KeyState } from '../dkim/lifecycle.ts'
import type { CheckResult, Report } from '../doctor/doctor.ts'
import type { Clock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'
import type { CertificateControl } from './certificates.ts'
import type { CredentialControl } from './credentials.ts'
import type { DnsControl } from './dns.ts'
import type { GoLiveControl } from './go-live.ts'
import type { KeyControl } from './keys.ts'
import type { PolicyControl } from './policy.ts'

export type World = 'live' | 'sandbox'

export type DomainView = {
  readonly domain: string
  readonly world: World
  /** `config` domains come from the configuration and can be removed only there. */
  readonly source: 'config' | 'store'
  /** Those whose records DNS should hold. */
  readonly keys: readonly {
    readonly selector: string
    readonly algorithm: string
    readonly state: KeyState
  }[]
  readonly createdAt: number
}

export type NewDomain = {
  readonly domain: string
  readonly world: World
  /** Also make an Ed25519 key (RFC 8463). */
  readonly ed25519?: boolean
  /** An existing private key instead of a new RSA-2048 one. */
  readonly importPem?: string
  readonly selector?: string
  /** `t=` of the first key's record. */
  readonly flags?: readonly KeyFlag[]
}

export type QueueEntryView = {
  /** The message's id, as in "queued as …". */
  readonly id: string
  readonly index: number
  /** Empty for the empty reverse-path of bounces. */
  readonly from: string
  readonly to: string
  readonly site: string
  readonly state: 'ready' | 'held'
  /** Ready entries: when the next attempt is due. */
  readonly nextAttemptAt: number | null
  readonly attempts: number
  readonly acceptedAt: number
  readonly size: number
  readonly world: World
  /** What the credential that sent it is for. */
  readonly stream: 'transactional' | 'broadcast' | null
  readonly lastFailure: string | null
}

export type QueuePage = {
  readonly entries: readonly QueueEntryView[]
  /** Give it as `after` for the next page; null at the end. */
  readonly next: string | null
}

export type QueueCountsView = {
  readonly ready: number
  readonly held: number
  readonly oldestAcceptedAt: number | null
}

export type AttemptView = {
  readonly at: number
  readonly durationMs: number
  readonly host: string | null
  readonly address: string | null
  readonly tls: string | null
  readonly results: readonly {
    readonly recipient: string
    readonly result: 'delivered' | 'deferred' | 'bounced' | 'expired' | 'cancelled'
    readonly text: string
  }[]
}

/** A message: what still waits, and what was tried. Without entries it has left the queue. */
export type QueuedMessage = {
  readonly id: string
  readonly entries: readonly QueueEntryView[]
  readonly attempts: readonly AttemptView[]
}

/**
 * Which entries a retry means: exactly one of id, site and all. Held ones are let go by their id, or
 * when `held` says so.
 */
export type QueueSelection =
  | { readonly id: string }
  | { readonly site: string; readonly held?: true }
  | { readonly all: true; readonly held?: true }

export type SandboxMessage = {
  readonly id: string
  readonly envelope: { readonly from: string; readonly to: readonly string[] }
  readonly subject: string
  readonly authentication: { readonly dkim: string; readonly spf: string; readonly dmarc: string }
  readonly size: number
  readonly receivedAt: number
}

/** One named check of health; `text` is English and for operators. */
export type Check = {
  readonly name: string
  readonly ok: boolean
  readonly text: string
  /** Red here does not keep clients away: mail is taken, and waits. */
  readonly about?: 'delivery'
}

/** What the doctor found; `host` is what all domains share. */
export type DoctorReport = Pick<Report, 'at' | 'durationMs' | 'counts'> & {
  readonly hostname: string
  /** Nothing that receivers refuse mail for was found. */
  readonly healthy: boolean
  readonly host: readonly CheckResult[]
  readonly domains: readonly DomainReport[]
  /** Further domains of this server, too many to look at in one round. */
  readonly leftOut: number
}

export type DomainReport = {
  readonly domain: string
  readonly world: World
  readonly checks: readonly CheckResult[]
}

export type ListenerView = {
  readonly name: string
  readonly address: string
  readonly port: number
  readonly tls: 'none' | 'starttls' | 'implicit'
  readonly auth: 'optional' | 'required'
}

export type About = {
  readonly version: string
  readonly mode: World
  readonly hostname: string
  readonly listeners: readonly ListenerView[]
  /** Sandbox recipients that provoke what the world does, such as `full@example.com`. */
  readonly speakingAddresses: readonly { readonly address: string; readonly says: Text }[]
}

export type Control = CertificateControl &
  CredentialControl &
  DnsControl &
  GoLiveControl &
  KeyControl &
  PolicyControl & {
    about(): About

    domains(): Promise<readonly DomainView[]>
    /** Throws ControlFault NOT_A_DOMAIN, DOMAIN_EXISTS, BAD_KEY, BAD_SELECTOR. */
    addDomain(request: NewDomain): Promise<DomainView>
    /** False: there is none. Throws ControlFault DOMAIN_IN_CONFIG. */
    removeDomain(domain: string): Promise<boolean>

    /** Entries in a stable order. Throws ControlFault BAD_CURSOR for an `after` that is none. */
    queue(options: {
      readonly limit: number
      readonly after?: string
      readonly site?: string
      readonly state?: 'ready' | 'held'
    }): Promise<QueuePage>
    queueCounts(): Promise<QueueCountsView>
    /** Undefined: neither in the queue nor remembered. */
    queued(id: string): Promise<QueuedMessage | undefined>
    /** Makes entries due now; resolves to how many. */
    retry(selection: QueueSelection): Promise<number>
    /** Ends entries without a bounce; resolves to how many. */
    cancel(selection: { readonly id: string }): Promise<number>

    /** Newest first; `before` is an id. */
    sandboxMessages(options: {
      readonly limit: number
      readonly before?: string
    }): Promise<readonly SandboxMessage[]>
    sandboxMessage(id: string): Promise<SandboxMessage | undefined>
    sandboxRaw(id: string): Promise<Uint8Array | undefined>
    clearSandbox(): Promise<void>
    /** Calls `then` after each capture, until the returned function is called. */
    onCaptured(then: () => void): () => void

    /**
     * Looks at the host and at one domain, or at all; takes seconds, asks the network.
     * Undefined: this server has no such domain.
     */
    doctor(domain?: string): Promise<DoctorReport | undefined>

    /** Ready when all are ok. */
    checks(): Promise<readonly Check[]>
    /** The text of GET /metrics, in Prometheus' format. */
    metrics(): Promise<string>
  }

export type ControlFaultCode =
  | 'NO_PUBLISHER'
  | 'PUBLISH_FAILED'
  | 'CHANGES_DIFFER'
  | 'NOT_A_DOMAIN'
  | 'DOMAIN_EXISTS'
  | 'DOMAIN_IN_CONFIG'
  | 'MODE_IN_CONFIG'
  | 'KEYS_CHANGED'
  | 'BAD_KEY'
  | 'BAD_SELECTOR'
  | 'SELECTOR_EXISTS'
  | 'KEY_IN_CONFIG'
  | 'LAST_KEY'
  | 'CREDENTIAL_EXISTS'
  | 'CREDENTIAL_IN_CONFIG'
  | 'BAD_TERMS'
  | 'WEAK_PASSWORD'
  | 'BAD_CURSOR'
  | 'NOT_AN_ADDRESS'
  | 'NO_CREDENTIAL'

/** A request that makes no sense as things are; the message is English, for the API. */
export class ControlFault extends Error {
  override readonly name = 'ControlFault'
  readonly code: ControlFaultCode

  constructor(code: ControlFaultCode, text: string) {
    super(text)
    this.code = code
  }
}

export type Dependencies = {
  readonly log: Log
  readonly clock: Clock
  /** Open sockets for SMTP listeners, by their names: file descriptors. They take the place of address and port. */
  readonly sockets?: ReadonlyMap<string, readonly number[]>
}

/** A running server. Disposing of it drains: no new sessions, what is open may finish. */
export type Server = AsyncDisposable & {
  readonly control: Control
  /** Where HTTP listens, with the real port. */
  readonly http: { readonly address: string; readonly port: number }
  /** Rejects when the server cannot go on, such as after a failed disk; never resolves otherwise. */
  readonly failed: Promise<never>
}

/** The two ways to start: with listeners, or only the control over a data folder that nobody serves. */
export type Engine = {
  /** Rejects with the socket's error (EADDRINUSE …, with `address` and `port`) or the store's FolderLocked. */
  startServer(config: Config, dependencies: Dependencies): Promise<Server>
  openControl(config: Config, dependencies: Dependencies): Promise<Control & AsyncDisposable>
  /** Brings a stopped Postfix' waiting mail over. Rejects with SpoolFault and with FolderLocked. */
  importSpool(config: Config, dependencies: Dependencies, spool: string): Promise<SpoolReport>
}

export type SpoolReport = {
  readonly messages: number
  readonly recipients: number
  /** Of the messages, those that were on hold and still are. */
  readonly held: number
  /** Files that stay where they are, and why. */
  readonly left: readonly { readonly file: string; readonly why: string }[]
}
