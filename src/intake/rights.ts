import type { Domain } from '../mail/domain.ts'
import { isAddressLiteral, parentDomain } from '../mail/domain.ts'
import type { ReversePath } from '../mail/envelope.ts'
import { formatMailbox, type Mailbox } from '../mail/mailbox.ts'
import type { Sender, World } from '../mail/message.ts'
import { refuse } from '../mail/reply.ts'
import { isFreemail } from './freemail.ts'

/** What rights are judged by; `Keys` is whatever signs, which this file only hands on. */
export type RightsTable<Keys> = {
  /** The world of domains that were never registered. */
  readonly mode: World
  /** The world of a registered domain; asked for the exact name. */
  worldOf(domain: Domain): World | undefined
  /** The keys of a domain or of its nearest parent that has some. */
  keysFor(domain: Domain): Keys | undefined
  /** The keys that the sandbox uses for a domain without own ones. */
  sandboxKeys(domain: Domain): Keys
  /** What a credential may send as, both empty for all; undefined when it has been revoked. */
  grantOf(credential: string): SendingGrant | undefined
  /** Present when live mail of domains that were never registered is taken, and then signed by this. */
  foreignKeys?(domain: Domain): Keys
}

export type SendingGrant = {
  readonly domains: readonly Domain[]
  /** In small letters. */
  readonly addresses: readonly string[]
}

export type RightsQuestion = {
  readonly sender: Sender
  /** The author in the From field. */
  readonly author: Mailbox
  readonly reversePath: ReversePath
}

export type Rights<Keys> = {
  readonly fromDomain: Domain
  readonly world: World
  readonly keys: Keys
}

/** May this sender send as this author, and in which world does the mail travel? Throws a Refusal. */
export function judge<Keys>(question: RightsQuestion, table: RightsTable<Keys>): Rights<Keys> {
  const { sender, author } = question
  const fromDomain = author.domain
  if (isAddressLiteral(fromDomain)) {
    throw refuse(
      550,
      '5.7.1',
      `You may not send as ${formatMailbox(author)}: an address literal cannot be signed for. Fix: use a domain name in From`,
    )
  }
  if (sender.kind === 'credential') {
    const allowed = table.grantOf(sender.name)
    if (!allowed) {
      throw refuse(535, '5.7.8', `The credential ${sender.name} has been revoked`)
    }
    const { domains, addresses } = allowed
    if (domains.length + addresses.length > 0) checkCredential(sender.name, allowed, question)
  }
  const world = worldFor(fromDomain, table) ?? unregistered(fromDomain, author, table)
  return { fromDomain, world, keys: keysOf(fromDomain, world, table) }
}

/** For our own notices: they travel with the message that they are about, and are signed as it was. */
export function rightsOf<Keys>(
  about: { readonly fromDomain: Domain; readonly world: World },
  table: RightsTable<Keys>,
): Rights<Keys> {
  const { fromDomain, world } = about
  return { fromDomain, world, keys: keysOf(fromDomain, world, table) }
}

/** A stolen password must not be able to speak for every domain, in From or in the envelope. */
function checkCredential(
  name: string,
  allowed: SendingGrant,
  { author, reversePath }: RightsQuestion,
): void {
  for (const mailbox of reversePath ? [author, reversePath] : [author]) {
    if (!isGranted(mailbox, allowed)) {
      throw refuse(
        550,
        '5.7.1',
        `You may not send as ${formatMailbox(mailbox)}: the credential ${name} is only for ${named(allowed)}`,
      )
    }
  }
}

function isGranted(mailbox: Mailbox, { domains, addresses }: SendingGrant): boolean {
  if (isAddressLiteral(mailbox.domain)) return false
  return (
    isBelow(mailbox.domain, domains) || addresses.includes(formatMailbox(mailbox).toLowerCase())
  )
}

const MOST_NAMED = 10

function named({ domains, addresses }: SendingGrant): string {
  const all = [...domains, ...addresses]
  const more = all.length > MOST_NAMED ? ` and ${all.length - MOST_NAMED} more` : ''
  return all.slice(0, MOST_NAMED).join(', ') + more
}

function isBelow(domain: Domain, allowed: readonly Domain[]): boolean {
  return allowed.some((parent) => domain === parent || domain.endsWith(`.${parent}`))
}

/** The world of the domain, or of its nearest parent that is registered. */
function worldFor(domain: Domain, table: Pick<RightsTable<unknown>, 'worldOf'>): World | undefined {
  for (let name: Domain | undefined = domain; name; name = parentDomain(name)) {
    const world = table.worldOf(name)
    if (world) return world
  }
  return undefined
}

function unregistered(domain: Domain, author: Mailbox, table: RightsTable<unknown>): World {
  if (table.mode === 'sandbox') return 'sandbox'
  if (table.foreignKeys) return 'live'
  const address = formatMailbox(author)
  const no = `You may not send as ${address}:`
  if (isFreemail(domain)) {
    throw refuse(
      550,
      '5.7.1',
      `${no} ${domain} forbids others to send for it. Fix: use your own domain in From and put ${address} into Reply-To`,
    )
  }
  throw refuse(
    550,
    '5.7.1',
    `${no} ${domain} is not verified here. Fix: posthorn domain add ${domain}`,
  )
}

function keysOf<Keys>(domain: Domain, world: World, table: RightsTable<Keys>): Keys {
  const keys = table.keysFor(domain)
  if (keys !== undefined) return keys
  if (world === 'sandbox') return table.sandboxKeys(domain)
  if (table.foreignKeys && worldFor(domain, table) === undefined) return table.foreignKeys(domain)
  throw refuse(
    451,
    '4.3.5',
    `Nothing is sent unsigned for a live domain, and ${domain} has no usable DKIM key. Fix: posthorn domain add ${domain}`,
  )
}
