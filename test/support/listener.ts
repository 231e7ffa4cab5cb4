import type { Domain } from '../../src/mail/domain.ts'
import type { Envelope } from '../../src/mail/envelope.ts'
import { createLineScan } from '../../src/mail/line-scan.ts'
import { refuse } from '../../src/mail/reply.ts'
import {
  AuthThrottle,
  type ProtocolLimits,
  SessionLimits,
  type SlotLimits,
} from '../../src/smtp/limits.ts'
import { type Listener, type ListenerOptions, listen } from '../../src/smtp/server.ts'
import type { Client, SmtpService } from '../../src/smtp/service.ts'
import type { SessionEnd, SmtpServerEvents } from '../../src/smtp/session.ts'
import { serverCertificate } from '../../src/smtp/tls.ts'
import { type Clock, systemClock } from '../../src/std/clock.ts'
import { silentLog } from '../../src/std/log.ts'
import { testCertificate, testKey } from './certificate.ts'

export type Received = {
  readonly client: Client
  readonly envelope: Envelope
  readonly content: string
}

/** A real SMTP listener over a service that keeps what it gets; it knows `nobody@*` not, and one password. */
export type TestListener = {
  readonly listener: Listener
  readonly port: number
  /** What was accepted, as binary text. */
  readonly received: Received[]
  /** One for each session that ended. */
  readonly log: Record<string, unknown>[]
}

export type TestOptions = Partial<ListenerOptions> & {
  readonly service?: Partial<SmtpService>
  readonly slots?: SlotLimits
  readonly clock?: Clock
  readonly limits?: Partial<ProtocolLimits>
  readonly events?: SmtpServerEvents
}

export const PASSWORD = 'correct horse'

export async function openListener(options: TestOptions = {}): Promise<TestListener> {
  const received: Received[] = []
  const log: Record<string, unknown>[] = []
  const {
    service,
    slots = { perAddress: 100, total: 1_000 },
    clock = systemClock,
    events,
    ...own
  } = options
  const listener = await listen(
    {
      name: 'test',
      hostname: 'mx.example.com' as Domain,
      address: '127.0.0.1',
      port: 0,
      tls: 'none',
      certificate: serverCertificate(testKey, testCertificate, 'test'),
      requireAuth: false,
      ...own,
      limits: { errorDelayMs: 0, ...own.limits },
    },
    {
      service: { ...keeper(received), ...service },
      slots: new SessionLimits(slots),
      throttle: new AuthThrottle(clock),
      clock,
      log: silentLog,
      scan: createLineScan(),
      events: { ...events, onEnd: (client, end) => log.push(told(client, end)) },
    },
  )
  return { listener, port: listener.port, received, log }
}

function told(client: Client, { fault, ...end }: SessionEnd): Record<string, unknown> {
  const { listener, address, helloName, tls, credential } = client
  return {
    listener,
    client: address,
    hello: helloName,
    tls: tls?.version,
    credential,
    ...end,
    fault,
  }
}

function keeper(received: Received[]): SmtpService {
  return {
    authenticate: async (_, username, password) => username === 'app' && password === PASSWORD,
    mail() {},
    recipient(_, __, recipient) {
      if (recipient.mailbox.localPart === 'nobody') throw refuse(550, '5.1.1', 'No such user')
      return recipient
    },
    async accept(client, envelope, content) {
      const chunks: Uint8Array[] = []
      await content((chunk) => {
        chunks.push(chunk)
        return undefined
      })
      received.push({ client, envelope, content: Buffer.concat(chunks).toString('latin1') })
      return `Ok: queued as ${received.length}`
    },
  }
}
