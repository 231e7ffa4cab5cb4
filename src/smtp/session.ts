import type { Command, CommandFault } from '../mail/command.ts'
import type { Domain } from '../mail/domain.ts'
import type { Recipient, ReversePath } from '../mail/envelope.ts'
import type { LineScan } from '../mail/line-scan.ts'
import type { Mailbox } from '../mail/mailbox.ts'
import { formatReply, type Reply, reply } from '../mail/reply.ts'
import type { Clock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'
import type { AuthThrottle, ProtocolLimits } from './limits.ts'
import type { Mechanism } from './sasl.ts'
import type { LoginResult } from './secure.ts'
import type { Client, MailRequest, SmtpService } from './service.ts'
import type { ServerCertificate } from './tls.ts'
import type { Wire } from './wire.ts'
import type { Offers } from './wishes.ts'

/** What a listener is to its sessions. */
export type Door = {
  readonly name: string
  readonly hostname: Domain
  readonly tls: 'none' | 'starttls' | 'implicit'
  /** The one of now; undefined when there is none that a client could use. */
  certificate(): ServerCertificate | undefined
  /** Nobody sends without a credential. */
  readonly requireAuth: boolean
  /** AUTH without TLS: by everybody, by clients on this machine, by nobody. */
  readonly authWithoutTls: boolean | 'loopback'
  /** DSN is announced. */
  readonly dsn: boolean
  readonly offers: Offers
  readonly limits: ProtocolLimits
  readonly service: SmtpService
  readonly throttle: AuthThrottle
  readonly events: SmtpServerEvents
  readonly clock: Clock
  readonly log: Log
  readonly scan: LineScan | undefined
  /** Most slots are taken. */
  isStressed(): boolean
  /** Proxies at this address may say for whom they speak. */
  mayXclient(address: string): boolean
  /** Counts a session under another address; false when that one has too many. */
  move(from: string, to: string): boolean
}

/** What the outside may count. */
export type SmtpServerEvents = {
  onSession?(client: Client): void
  /** No slot was left: 421 and closed. */
  onTurnedAway?(listener: string, address: string): void
  onAccepted?(client: Client): void
  onRefusal?(client: Client, refused: RefusedCommand): void
  onLogin?(client: Client, login: Login): void
  /** A session that had a slot has ended. */
  onEnd?(client: Client, session: SessionEnd): void
}

/** What was answered with "no", and in which transaction. */
export type RefusedCommand = {
  readonly verb: string
  readonly reply: Reply
  readonly from?: ReversePath
  /** RCPT: who was refused. */
  readonly to?: Mailbox
}

/** An attempt to log in; `username` as it came. */
export type Login = {
  readonly mechanism: Mechanism
  readonly username: string
  readonly result: LoginResult
}

export type SessionEnd = {
  readonly accepted: number
  readonly refused: number
  readonly durationMs: number
  /** The last thing that went wrong; undefined when nothing did. */
  readonly fault: string | undefined
}

/** MAIL was accepted; what has come since. */
export type Transaction = {
  readonly request: MailRequest
  readonly recipients: Recipient[]
  refused: number
}

/** We are going down: the reason that interrupts waiting sessions. */
export class ShuttingDown extends Error {
  override readonly name = 'ShuttingDown'
}

/** What this session logged in with is worth nothing any more. */
export class CredentialRevoked extends Error {
  override readonly name = 'CredentialRevoked'
}

const TRANSACTION_VERBS = new Set(['MAIL', 'RCPT', 'DATA', 'BDAT'])

/** One connection of a client: what is known of it and where it stands. */
export class Session {
  readonly wire: Wire
  readonly door: Door
  client: Client
  /** The address under which it is counted. */
  seat: string
  /** XCLIENT may be used: it depends on the connection alone. */
  readonly mayXclient: boolean
  /** What XCLIENT said beside the address. */
  declared: { readonly helloName?: string; readonly esmtp?: boolean } = {}
  /** EHLO or HELO was said on this layer. */
  greeted = false
  open = true
  hasQuit = false
  /** Ends when no transaction runs. */
  draining = false
  accepted = 0
  refused = 0
  errors = 0
  junk = 0
  longLines = 0
  authFailures = 0
  /** Whose secrets became worthless while AUTH runs, which may last as long as the client likes. */
  revokedMeanwhile: Set<string> | undefined
  /** The last thing that went wrong, for the log. */
  fault: string | undefined
  readonly startedAt: number
  #transaction: Transaction | undefined
  /** Of the transaction, or the last one: what is refused after its content is told with it. */
  #from: Pick<RefusedCommand, 'from'> = {}

  /** @param number counts the sessions of this server */
  constructor(wire: Wire, door: Door, number: number) {
    this.wire = wire
    this.door = door
    this.startedAt = door.clock.elapsed()
    this.seat = wire.remoteAddress
    this.mayXclient = door.mayXclient(wire.remoteAddress)
    this.client = {
      address: wire.remoteAddress,
      port: wire.remotePort,
      listener: door.name,
      helloName: '',
      esmtp: false,
      session: number,
    }
  }

  get transaction(): Transaction | undefined {
    return this.#transaction
  }

  begin(request: MailRequest): void {
    this.#transaction = { request, recipients: [], refused: 0 }
    this.#from = { from: request.reversePath }
  }

  /** The one end of every transaction, good or bad: nothing of it remains. */
  endTransaction(): void {
    this.#transaction = undefined
  }

  get idleMs(): number {
    const { limits } = this.door
    return this.door.isStressed() ? limits.stressedIdleMs : limits.idleMs
  }

  /** The next line; the errors are those of Wire.readLine. */
  readLine(maxBytes: number): string | Promise<string> {
    return this.wire.readLine({ maxBytes, timeoutMs: this.idleMs })
  }

  /**
   * Sends a reply and keeps the account of errors: after some each answer waits, after more the
   * session ends.
   */
  answer(to: Command | CommandFault | 'BDAT', said: Reply): void | Promise<void> {
    if (said.code >= 400) this.#countError(to, said)
    if (this.errors >= this.door.limits.softErrors) return this.#answerLate(said)
    this.wire.write(formatReply(said))
  }

  async #answerLate(said: Reply): Promise<void> {
    const { limits, clock, hostname } = this.door
    await clock.sleep(limits.errorDelayMs)
    if (this.errors < limits.hardErrors || said.code === 421) this.wire.write(formatReply(said))
    else this.hangUp(reply(421, '4.7.0', `${hostname} Error: too many errors`))
  }

  #countError(to: Command | CommandFault | 'BDAT', said: Reply): void {
    const verb = to === 'BDAT' ? to : to.verb
    const text = formatReply(said).trimEnd()
    this.fault = verb === 'FAULT' ? text : `${verb}: ${text}`
    if (TRANSACTION_VERBS.has(verb)) this.refused++
    if (verb !== 'RCPT' || !this.#mostAreTaken()) this.errors++
    this.door.events.onRefusal?.(this.client, { verb, reply: said, ...this.#about(to) })
  }

  /** Whose mail was refused, as far as it was said. */
  #about(to: Command | CommandFault | 'BDAT'): Pick<RefusedCommand, 'from' | 'to'> {
    if (to === 'BDAT' || to.verb === 'DATA' || to.verb === 'BDAT') return this.#from
    if (to.verb === 'MAIL') return { from: to.reversePath }
    if (to.verb !== 'RCPT') return {}
    return to.mailbox === 'postmaster' ? this.#from : { ...this.#from, to: to.mailbox }
  }

  /** A long list of recipients may have some bad ones: that is no attack. */
  #mostAreTaken(): boolean {
    const transaction = this.#transaction
    return transaction !== undefined && transaction.recipients.length > transaction.refused
  }

  /** A command that leads nowhere; very many of them count as errors. */
  countJunk(): void {
    if (++this.junk > this.door.limits.junkCommands) this.errors++
  }

  /** A message was taken: earlier mistakes are forgiven. */
  countAccepted(): void {
    this.accepted++
    this.errors = 0
    this.junk = 0
    this.door.events.onAccepted?.(this.client)
  }

  /** Says so and closes after it. */
  hangUp(said: Reply): void {
    this.fault = formatReply(said).trimEnd()
    this.wire.write(formatReply(said))
    this.open = false
  }

  /** Ends it, whatever it does, when it has logged in as this credential. */
  revoke(credential: string): void {
    this.revokedMeanwhile?.add(credential)
    if (this.client.credential !== credential) return
    this.wire.interrupt(new CredentialRevoked('the credential was revoked'))
  }

  /** Ends it at once when idle, else after its transaction. */
  drain(): void {
    this.draining = true
    if (!this.#transaction) this.wire.interrupt(new ShuttingDown('shutting down'))
  }
}
