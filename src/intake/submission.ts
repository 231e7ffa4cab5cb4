import type { BlockList } from 'node:net'
import { isAddressLiteral } from '../mail/domain.ts'
import type { Envelope, Recipient } from '../mail/envelope.ts'
import { formatMailbox, needsSmtputf8 } from '../mail/mailbox.ts'
import { formatMessageId, type Sender } from '../mail/message.ts'
import { refuse } from '../mail/reply.ts'
import type { Mechanism, SaslService } from '../smtp/sasl.ts'
import type { Client, MailRequest, SmtpService } from '../smtp/service.ts'
import type { Allowances } from './allowance.ts'
import type { Credentials } from './credentials.ts'
import type { Accept, Origin } from './door.ts'
import { isIn, networkList } from './networks.ts'
import { refuseOver } from './quota.ts'

/** Who may send without a password over one listener. */
export type ListenerPolicy = {
  /** Networks as `127.0.0.0/8`, `::1/128` or single addresses. */
  readonly trustedNetworks: readonly string[]
}

export type SubmissionOptions = {
  readonly accept: Accept
  readonly credentials: Credentials
  /** Absent: everybody may send as much as he likes. */
  readonly allowances?: Allowances
  /** What AUTH may offer; absent: PLAIN and LOGIN. */
  readonly mechanisms?: ReadonlySet<Mechanism>
  /** By the listener's name; a listener that is not named trusts nobody. */
  readonly listeners: ReadonlyMap<string, ListenerPolicy>
  /** `user@[192.0.2.1]` may be a recipient. */
  readonly addressLiterals: boolean
  /** The mailbox that a name without a domain stands for; undefined: it stands for none. */
  completes?: SmtpService['completes']
  /** Addresses that are not to be believed although their network is trusted. */
  distrusts?(address: string): boolean
}

/** The SMTP door for clients: who may send, to whom, and what they hear (RFC 6409). */
export function submissionService(options: SubmissionOptions): SmtpService {
  const { accept, credentials } = options
  const trusted = new Map<string, BlockList>()
  for (const [name, policy] of options.listeners) {
    trusted.set(name, networkList(policy.trustedNetworks))
  }
  /** Recipients so far of transactions that are open. */
  const counted = new WeakMap<MailRequest, number>()
  const senderOf = (client: Client): Sender => {
    if (client.credential !== undefined) return credentialSender(client.credential, credentials)
    const networks = trusted.get(client.listener)
    const believed = !options.distrusts?.(client.address)
    if (believed && networks && isIn(networks, client.address))
      return { kind: 'network', address: client.address }
    throw refuse(
      530,
      '5.7.0',
      `Authentication required: ${client.address} is not in a trusted network.`,
      'Log in with AUTH (posthorn credential add NAME makes a password),',
      "or add the network to the listener's trusted ones",
    )
  }
  return {
    authenticate: ({ address }, username, password) =>
      credentials.verify(username, password, address),
    ...(options.mechanisms && { sasl: saslOf(credentials, options.mechanisms) }),
    highestPriority: ({ credential }) =>
      (credential !== undefined && credentials.grantOf(credential)?.priority) || 0,
    admits: ({ address }, username) => credentials.admits(username, address),
    ...(options.completes && { completes: options.completes }),
    mail(client) {
      checkQuota(client, { recipients: 1, code: 450 }, options)
      senderOf(client)
    },
    recipient(client, request, recipient) {
      const checked = checkRecipient(request, recipient, options)
      const recipients = (counted.get(request) ?? 0) + 1
      checkQuota(client, { recipients, code: 452 }, options)
      counted.set(request, recipients)
      return checked
    },
    async accept(client, envelope, content) {
      const { id } = await accept(envelope, content, originOf(client, senderOf(client), envelope))
      return `Ok: queued as ${formatMessageId(id)}`
    },
  }
}

/** The credential of an open session may have been revoked since. */
function credentialSender(name: string, credentials: Credentials): Sender {
  const grant = credentials.grantOf(name)
  if (!grant) throw refuse(535, '5.7.8', `The credential ${name} has been revoked`)
  const { stream } = grant
  return { kind: 'credential', name, ...(stream && { stream }) }
}

/** Early, so that a client learns it before it sends the message; what counts is counted by accept. */
function checkQuota(
  { credential }: Client,
  { recipients, code }: { readonly recipients: number; readonly code: 450 | 452 },
  { allowances, credentials }: SubmissionOptions,
): void {
  const limits = credential === undefined ? undefined : credentials.grantOf(credential)?.limits
  if (!allowances || !limits) return
  const over = allowances.check(credential!, limits, recipients)
  if (over) throw refuseOver(credential!, over, { code })
}

/**
 * SCRAM is offered only when every credential that has a password knows it, since many clients take it
 * where they see it; or when the operator wants nothing else.
 */
function saslOf(credentials: Credentials, wanted: ReadonlySet<Mechanism>): SaslService {
  const without = new Set([...wanted].filter((name) => !name.startsWith('SCRAM')))
  const passwords = wanted.has('PLAIN') || wanted.has('LOGIN')
  return {
    mechanisms: () => (credentials.allKnowScram || !passwords ? wanted : without),
    scram: (username) => credentials.scram(username),
    cram: (username) => credentials.cram(username),
    certificate: (names, username) => credentials.certificate(names, username),
  }
}

function checkRecipient(
  request: MailRequest,
  recipient: Recipient,
  options: Pick<SubmissionOptions, 'addressLiterals'>,
): Recipient {
  const { mailbox } = recipient
  if (isAddressLiteral(mailbox.domain)) {
    if (options.addressLiterals) return recipient
    throw refuse(
      550,
      '5.1.2',
      `${formatMailbox(mailbox)}: mail to an address instead of a domain is switched off here`,
    )
  }
  if (needsSmtputf8(mailbox) && !request.smtputf8) {
    throw refuse(
      553,
      '5.6.7',
      `${formatMailbox(mailbox)} needs SMTPUTF8: say it at MAIL (the domain alone could be written as ${mailbox.domain})`,
    )
  }
  return recipient
}

function originOf(client: Client, sender: Sender, envelope: Envelope): Origin {
  const { helloName, address, tls, session, mechanism } = client
  return {
    door: client.listener,
    sender,
    helloName,
    address,
    protocol: protocolOf(client, envelope),
    ...(tls && { tls: `${tls.version} ${tls.cipher}` }),
    ...(session !== undefined && { session }),
    ...(mechanism !== undefined && { mechanism }),
  }
}

/** RFC 3848 and RFC 6531 §4.3; without EHLO there is neither TLS nor AUTH. */
function protocolOf(client: Client, envelope: Envelope): string {
  if (!client.esmtp) return 'SMTP'
  const secure = client.tls ? 'S' : ''
  const authenticated = client.credential === undefined ? '' : 'A'
  return `${envelope.smtputf8 ? 'UTF8SMTP' : 'ESMTP'}${secure}${authenticated}`
}
