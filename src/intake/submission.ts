import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { isAddressLiteral } from '../mail/domain.ts'
import type { Envelope, Recipient } from '../mail/envelope.ts'
import { formatMailbox, needsSmtputf8 } from '../mail/mailbox.ts'
import { formatMessageId, type Sender } from '../mail/message.ts'
import { refuse } from '../mail/reply.ts'
import type { Client, MailRequest, SmtpService } from '../smtp/service.ts'
import type { Credentials } from './credentials.ts'
import type { Accept, Origin } from './door.ts'

/** Who may send without a password over one listener. */
export type ListenerPolicy = {
  /** Networks as `127.0.0.0/8`, `::1/128` or single addresses. */
  readonly trustedNetworks: readonly string[]
}

export type SubmissionOptions = {
  readonly accept: Accept
  readonly credentials: Credentials
  /** By the listener's name; a listener that is not named trusts nobody. */
  readonly listeners: ReadonlyMap<string, ListenerPolicy>
  /** `user@[192.0.2.1]` may be a recipient. */
  readonly addressLiterals: boolean
}

/** The SMTP door for clients: who may send, to whom, and what they hear (RFC 6409). */
export function submissionService(options: SubmissionOptions): SmtpService {
  const { accept, credentials } = options
  const trusted = new Map<string, BlockList>()
  for (const [name, policy] of options.listeners) {
    trusted.set(name, networkList(policy.trustedNetworks))
  }
  const senderOf = (client: Client): Sender => {
    if (client.credential !== undefined) return { kind: 'credential', name: client.credential }
    const networks = trusted.get(client.listener)
    if (networks && isIn(networks, client.address))
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
    authenticate: (_client, username, password) => credentials.verify(username, password),
    mail(client) {
      senderOf(client)
    },
    recipient: (_client, request, recipient) => checkRecipient(request, recipient, options),
    async accept(client, envelope, content) {
      const { id } = await accept(envelope, content, originOf(client, senderOf(client), envelope))
      return `Ok: queued as ${formatMessageId(id)}`
    },
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
  const { helloName, address, tls } = client
  const protocol = protocolOf(client, envelope)
  const origin = { door: client.listener, sender, helloName, address, protocol }
  return tls ? { ...origin, tls: `${tls.version} ${tls.cipher}` } : origin
}

/** RFC 3848 and RFC 6531 §4.3; without EHLO there is neither TLS nor AUTH. */
function protocolOf(client: Client, envelope: Envelope): string {
  if (!client.esmtp) return 'SMTP'
  const secure = client.tls ? 'S' : ''
  const authenticated = client.credential === undefined ? '' : 'A'
  return `${envelope.smtputf8 ? 'UTF8SMTP' : 'ESMTP'}${secure}${authenticated}`
}

/** Reads networks into a list that is asked for each client; throws a TypeError for what is none. */
export function networkList(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [text = '', lengthText, more] = network.split('/')
    const { address, mapped } = plainAddress(text)
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    const widest = family === 'ipv4' ? 32 : 128
    const length =
      lengthText === undefined ? widest : Number(lengthText) - (mapped && lengthText ? 96 : 0)
    const valid = /^\d{1,3}$/.test(lengthText ?? '0') && length >= 0 && length <= widest
    if (more !== undefined || !valid || !(isIPv4(address) || isIPv6(address))) {
      throw new TypeError(`not a network: ${network} (write 10.0.0.0/8, fd00::/8 or an address)`)
    }
    list.addSubnet(address, length, family)
  }
  return list
}

/** Is the address in one of the networks? IPv4 mapped into IPv6 counts as IPv4. */
export function isIn(networks: BlockList, address: string): boolean {
  const plain = plainAddress(address).address
  if (isIPv4(plain)) return networks.check(plain, 'ipv4')
  return isIPv6(plain) && networks.check(plain, 'ipv6')
}

/** Without the zone, and as IPv4 where it is that inside IPv6 (RFC 4291 §2.5.5.2). */
function plainAddress(text: string): { address: string; mapped: boolean } {
  const address = text.replace(/^\[(.*)\]$/, '$1').split('%')[0] ?? ''
  const inner = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  return inner ? { address: inner, mapped: true } : { address, mapped: false }
}
