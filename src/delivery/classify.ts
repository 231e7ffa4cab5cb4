// From what was seen to what it means: permanence decides between a retry and a bounce, scope what
// is tried next. This is the only place where that is decided. The rules are those of the servers
// that the world is used to: nothing is given up before a peer has said a 5yz about the message or
// a recipient, or DNS that the domain takes no mail.

import type { HostsAnswer } from '../dns/hosts.ts'
import type { Failure, Outcome, Permanence, Scope, Stage } from '../mail/failure.ts'
import type { Reply } from '../mail/reply.ts'
import { type EnhancedStatus, status } from '../mail/status.ts'
import type { SessionFault } from '../smtp/client.ts'
import { isPositive, type Transaction } from '../smtp/transact.ts'
import { assert, unreachable } from '../std/assert.ts'

/** `again`: in another transaction, at once. `elsewhere`: at the next host, if there is one. */
export type Verdict =
  | Outcome
  | { readonly kind: 'again' }
  | { readonly kind: 'elsewhere'; readonly failure: Failure }

/** What a transaction means for each of its recipients. */
export function judge(seen: Transaction, host: string): Verdict[] {
  const common = judgeMessage(seen, host)
  const someAccepted = seen.recipients.some(isPositive)
  const refused = seen.mail !== undefined && !isPositive(seen.mail)
  return seen.recipients.map((reply) => {
    if (refused || reply === undefined || isPositive(reply)) return common
    if (isTooMany(reply) && someAccepted) return { kind: 'again' }
    return verdict(replyFailure(reply, 'rcpt', host))
  })
}

/** What it means for recipients that were not refused themselves. */
function judgeMessage(seen: Transaction, host: string): Verdict {
  const { mail, data, content, fault } = seen
  if (mail && !isPositive(mail)) return verdict(replyFailure(mail, 'mail', host))
  if (content && isPositive(content)) return { kind: 'delivered', reply: content }
  if (content) return verdict(replyFailure(content, 'content', host))
  if (fault && seen.contentSent) return { kind: 'failed', failure: unknownEnd(fault) }
  if (fault) return verdict(faultFailure(fault))
  if (data && data.code !== 354) return verdict(replyFailure(data, 'data', host))
  const farewell = seen.recipients.find((reply) => reply?.code === 421)
  if (farewell) return verdict(replyFailure(farewell, 'rcpt', host))
  // Nobody was accepted, so nobody is judged by this.
  assert(!seen.recipients.some((reply) => !reply || isPositive(reply)), 'a transaction has an end')
  return { kind: 'again' }
}

function verdict(failure: Failure): Verdict {
  return failure.scope === 'session' ? { kind: 'elsewhere', failure } : { kind: 'failed', failure }
}

/**
 * RFC 5321 §4.5.3.1.10: 452, and 552 from old servers, mean that this transaction is full, unless
 * an enhanced status says something else.
 */
function isTooMany(reply: Reply): boolean {
  const enhanced = reply.status
  if (reply.code === 452) return !enhanced || (enhanced.subject === 5 && enhanced.detail === 3)
  return reply.code === 552 && (!enhanced || (enhanced.subject === 5 && enhanced.detail === 3))
}

type Rule = readonly [permanence: Permanence, scope: Scope, fallback: string]

/** For a reply that is a no: 4yz and 5yz by stage. The status is for peers that give none. */
const RULES: Readonly<Record<Stage, { readonly soft: Rule; readonly hard: Rule }>> = {
  // A server that refuses everybody says nothing about this message: the next host, else later.
  banner: { soft: ['transient', 'session', '4.3.2'], hard: ['transient', 'session', '4.3.2'] },
  hello: { soft: ['transient', 'session', '4.3.2'], hard: ['transient', 'session', '4.3.2'] },
  tls: { soft: ['transient', 'session', '4.7.5'], hard: ['transient', 'session', '4.7.5'] },
  // A wrong password is ours to correct: no mail is given up for it.
  auth: { soft: ['transient', 'session', '4.7.0'], hard: ['transient', 'session', '4.7.8'] },
  mail: { soft: ['transient', 'message', '4.0.0'], hard: ['permanent', 'message', '5.0.0'] },
  rcpt: { soft: ['transient', 'recipient', '4.0.0'], hard: ['permanent', 'recipient', '5.0.0'] },
  data: { soft: ['transient', 'message', '4.0.0'], hard: ['permanent', 'message', '5.0.0'] },
  content: { soft: ['transient', 'message', '4.0.0'], hard: ['permanent', 'message', '5.0.0'] },
  lookup: { soft: ['transient', 'site', '4.4.3'], hard: ['transient', 'site', '4.4.3'] },
  connect: { soft: ['transient', 'session', '4.4.1'], hard: ['transient', 'session', '4.4.1'] },
  quit: { soft: ['transient', 'session', '4.4.2'], hard: ['transient', 'session', '4.4.2'] },
}

/** Codes that say more than their class, for peers without enhanced statuses (RFC 5321 §4.2.3). */
const STATUS_OF_CODE: Readonly<Record<number, string>> = {
  450: '4.2.0',
  451: '4.3.0',
  452: '4.3.1',
  550: '5.1.1',
  551: '5.1.6',
  552: '5.3.4',
  553: '5.1.3',
  556: '5.1.10',
}

/** A reply that was not what was asked for. */
export function replyFailure(reply: Reply, stage: Stage, host: string): Failure {
  const cause = { kind: 'reply', stage, host, reply } as const
  // The peer is going down, or tired of us; anybody else would hear the same (RFC 5321 §3.8).
  if (reply.code === 421) return make('transient', 'session', ownStatus(reply, '4.3.2'), cause)
  // 250 to DATA, 354 to RCPT: well-formed, and senseless. Deferring is kinder than bouncing.
  if (reply.code < 400) return make('transient', 'session', status('4.5.0'), cause)
  // An old way to say "too many recipients", or "mailbox full" (RFC 5321 §4.5.3.1.10).
  const soft = reply.code < 500 || (stage === 'rcpt' && reply.code === 552 && !reply.status)
  const [permanence, scope, fallback] = RULES[stage][soft ? 'soft' : 'hard']
  const aboutMail = stage === 'rcpt' || stage === 'mail' || stage === 'data' || stage === 'content'
  const usual = (aboutMail && STATUS_OF_CODE[reply.code]) || fallback
  return make(permanence, scope, ownStatus(reply, usual), cause)
}

function ownStatus(reply: Reply, fallback: string): EnhancedStatus {
  return reply.status && reply.status.class !== 2 ? reply.status : status(fallback)
}

/** The status tells of the same permanence as the failure, whatever the peer wrote. */
function make(
  permanence: Permanence,
  scope: Scope,
  seen: EnhancedStatus,
  cause: Failure['cause'],
): Failure {
  const wanted = permanence === 'permanent' ? 5 : 4
  return {
    permanence,
    scope,
    status: seen.class === wanted ? seen : { ...seen, class: wanted },
    cause,
  }
}

/** The connection failed, or never came about. All of it may be better in a while. */
export function faultFailure(fault: SessionFault): Failure {
  const { seen } = fault
  switch (seen.kind) {
    case 'network':
      return make('transient', 'session', networkStatus(seen.stage, seen.code), seen)
    case 'tls':
      return make('transient', 'session', status('4.7.5'), seen)
    case 'local':
      return make('transient', 'session', status('4.7.0'), seen)
    case 'dns':
    case 'reply':
      return make('transient', 'session', status('4.4.0'), seen)
    default:
      return unreachable(seen)
  }
}

function networkStatus(stage: Stage, code: string): EnhancedStatus {
  if (code === 'aborted') return status('4.3.2')
  if (code === 'garbage') return status('4.5.0')
  return status(stage === 'connect' ? '4.4.1' : '4.4.2')
}

/** The connection was lost between the end of the content and its reply (RFC 1047). */
function unknownEnd(fault: SessionFault): Failure {
  const { seen, message } = fault
  const text = `${message} after the message was sent; it may be sent twice`
  const cause: Failure['cause'] =
    seen.kind === 'network' ? { ...seen, text } : { kind: 'local', text }
  return make('transient', 'message', status('4.4.2'), cause)
}

/** DNS knows no host that we could use. */
export function hostsFailure(
  answer: Exclude<HostsAnswer, { kind: 'hosts' }>,
  name: string,
): Failure {
  const fail = (permanence: Permanence, code: string, text: string): Failure =>
    make(permanence, 'site', status(code), { kind: 'dns', name, code: answer.kind, text })
  switch (answer.kind) {
    case 'null-mx':
      return fail('permanent', '5.1.10', 'the domain takes no mail and says so (null MX)')
    case 'no-such-domain':
      return fail('permanent', '5.1.2', 'the domain does not exist')
    case 'no-hosts':
      return fail('permanent', '5.1.2', `no host takes mail for the domain: ${answer.why}`)
    case 'prohibited':
      return fail('permanent', '5.4.4', answer.why)
    case 'loops-back':
      return fail('permanent', '5.4.6', 'the mail would come back to this server')
    case 'cannot-tell':
      return fail('transient', '4.4.3', `DNS gives no answer: ${answer.why}`)
    default:
      return unreachable(answer)
  }
}

/** A fault on our own side: the content cannot be read, the program is wrong, we are stopping. */
export function localFailure(text: string, code = '4.3.0'): Failure {
  return make('transient', 'message', status(code), { kind: 'local', text })
}
