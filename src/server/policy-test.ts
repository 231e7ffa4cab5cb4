// `posthorn policy test`: the functions that intake and delivery themselves ask, asked without mail.

import { ControlFault, type ListenerView } from '../api/control.ts'
import type {
  AddressView,
  PolicyAnswer,
  PolicyControl,
  PolicyQuestion,
  RouteView,
} from '../api/policy.ts'
import type { Config } from '../config/schema.ts'
import type { Delivery } from '../delivery/deliver.ts'
import type { Signer } from '../dkim/keyring.ts'
import { isIn, networkList } from '../intake/networks.ts'
import { judge, type RightsTable } from '../intake/rights.ts'
import type { ReversePath } from '../mail/envelope.ts'
import { formatMailbox, type Mailbox, parseBareName, parsePath } from '../mail/mailbox.ts'
import type { Sender, World } from '../mail/message.ts'
import { describeReply, Refusal } from '../mail/reply.ts'
import type { Rewriter } from '../rewrite/rules.ts'
import { listenersOf } from './listeners.ts'

export type PolicyParts = {
  readonly config: Config
  /** Open ones; none when no server runs. */
  readonly listeners: readonly ListenerView[]
  readonly rights: RightsTable<Signer>
  readonly credentials: () => readonly string[]
  readonly rewriter: Rewriter | undefined
  readonly delivery: Delivery
  distrusts(address: string): boolean
}

const LOOPBACK = '127.0.0.1'
const CREDENTIALS_SHOWN = 50

/** @param partsOf what is in force now */
export function policyVerbs(partsOf: () => PolicyParts): PolicyControl {
  return { testPolicy: async (question) => answer(question, partsOf()) }
}

function answer(question: PolicyQuestion, parts: PolicyParts): PolicyAnswer {
  const { client = LOOPBACK, credential } = question
  const { config, rewriter, rights } = parts
  if (credential !== undefined && !rights.grantOf(credential))
    throw new ControlFault('NO_CREDENTIAL', `There is no credential ${credential}`)
  const given = senderOf(question.from, rewriter)
  const explained = given && rewriter?.explain(given, 'sender')
  const reversePath = explained?.result[0] ?? given
  const sender: Sender =
    credential === undefined
      ? { kind: 'network', address: client }
      : { kind: 'credential', name: credential }
  const may = judgement(sender, reversePath, rights)
  const world = may.may ? may.world : config.mode
  return {
    ...doorsFor(client, credential !== undefined, parts),
    sender: {
      given: question.from,
      changes: explained?.changes ?? [],
      result: reversePath ? formatMailbox(reversePath) : '',
    },
    rights: may,
    credentials: parts
      .credentials()
      .filter((name) => judgement({ kind: 'credential', name }, reversePath, rights).may)
      .slice(0, CREDENTIALS_SHOWN),
    recipients: question.to.map((to) => recipientView(to, world, parts)),
    copies: config.rewrite.alwaysBcc.map((mailbox) => routeView(mailbox, world, parts.delivery)),
  }
}

/** Who may come in without a password: a trusted network, where the listener leaves it open. */
function doorsFor(
  client: string,
  loggedIn: boolean,
  { config, listeners, distrusts }: PolicyParts,
): Pick<PolicyAnswer, 'client' | 'networks' | 'distrusted' | 'listeners'> {
  const distrusted = distrusts(client)
  const trusted = isIn(networkList(config.networks), client) && !distrusted
  return {
    client,
    networks: config.networks,
    distrusted,
    listeners: listenersOf(config).map(([name, { address, port, auth }]) => {
      const needs = auth === 'optional' && trusted ? 'nothing' : 'password'
      const open = listeners.find((one) => one.name === name)
      return {
        name,
        address,
        port: open?.port ?? port,
        needs,
        may: loggedIn || needs === 'nothing',
      }
    }),
  }
}

/** The author is taken to be the sender of the envelope, as nearly always. */
function judgement(
  sender: Sender,
  reversePath: ReversePath,
  table: RightsTable<Signer>,
): PolicyAnswer['rights'] {
  if (!reversePath)
    return { may: false, reply: 'nobody sends as <>: what counts then is the From field' }
  try {
    const { world, fromDomain, keys } = judge({ sender, author: reversePath, reversePath }, table)
    const selectors = keys.keys.map(({ selector }) => selector)
    return { may: true, world, domain: fromDomain, selectors }
  } catch (error) {
    if (error instanceof Refusal) return { may: false, reply: describeReply(error.reply) }
    throw error
  }
}

function senderOf(text: string, rewriter: Rewriter | undefined): ReversePath {
  return text === '' || text === '<>' ? null : mailboxOf(text, 'sender', rewriter)
}

/** As the session reads a path: bare names are completed where something says how. */
function mailboxOf(
  text: string,
  role: 'sender' | 'recipient',
  rewriter: Rewriter | undefined,
): Mailbox {
  const path = parsePath(text)
  if (path?.kind === 'mailbox') return path.mailbox
  const name = path?.kind === 'postmaster' ? 'postmaster' : parseBareName(text)
  const mailbox = name === undefined ? undefined : rewriter?.completes(name, role)
  if (mailbox) return mailbox
  throw new ControlFault('NOT_AN_ADDRESS', `${JSON.stringify(text)} is no mail address`)
}

function recipientView(
  text: string,
  world: World,
  { rewriter, delivery }: PolicyParts,
): PolicyAnswer['recipients'][number] {
  const plain = { given: text, changes: [] as AddressView['changes'] }
  try {
    const mailbox = mailboxOf(text, 'recipient', rewriter)
    const { changes, result } = rewriter?.explain(mailbox, 'recipient') ?? {
      changes: [],
      result: [mailbox],
    }
    const routes = result.map((one) => routeView(one, world, delivery))
    return { ...plain, changes, routes, refused: null }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { ...plain, routes: [], refused: describeReply(error.reply) }
  }
}

function routeView(mailbox: Mailbox, world: World, delivery: Delivery): RouteView {
  const route = delivery.routeOf(mailbox, world)
  const to = formatMailbox(mailbox)
  const site = delivery.siteOf(mailbox, world)
  if (route.kind === 'relay') return { to, site, by: 'relay', host: route.host, port: route.port }
  const by = world === 'sandbox' ? 'sandbox' : 'direct'
  return { to, site, by, host: route.domain, port: route.port }
}
