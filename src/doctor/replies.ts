// From a receiver's reply to what it means: by code and text together, for codes alone mislead (an
// unknown mailbox is 5.7.1 at one receiver and 5.1.1 at another). A table, first match wins; what
// no line knows is told by its class.

import type { DoctorLanguage } from './text.ts'
import { type ReplyMeaning, replyTexts } from './texts/replies.ts'

export type Explained = {
  readonly meaning: ReplyMeaning
  /** `wait`: it is tried again; `over`: it is not; `done`: it was delivered. */
  readonly outlook: 'wait' | 'over' | 'done'
  /** The doctor's codes that tell more. */
  readonly codes: readonly string[]
}

type Rule = readonly [meaning: ReplyMeaning, says: RegExp, ...codes: readonly string[]]

/** Words before numbers: receivers mean what they write, and number it as they like. */
const RULES: readonly Rule[] = [
  ['noMailbox', /no such (user|recipient|mailbox|address)|user (unknown|not found|doesn'?t)/i],
  [
    'noMailbox',
    /unknown (user|recipient|mailbox)|(recipient|mailbox|account|user|address)\S* (is )?(unknown|invalid)/i,
  ],
  [
    'noMailbox',
    /(recipient|mailbox|account|user|address)\S* (is )?(not found|unavailable|does not exist|doesn't exist)/i,
  ],
  [
    'full',
    /\b[45]\.2\.2\b|(mailbox|inbox|account)\S* (is )?(full|over ?quota)|quota exceeded|out of storage/i,
  ],
  [
    'rate',
    /\b[45]\.7\.28\b|\[TSS?0[1-8]\]|unusual rate|too (many|much) (mail|messages|e-?mails)|rate.?limit/i,
  ],
  ['rate', /receiving mail (at a rate|too quickly)/i],
  ['rate', /\bS775\b|\bAS761\b|\b4\.7\.(5|6)\d\d\b|excessive volume/i],
  ['ipv6', /\b5\.7\.510\b|ipv6 (address(es)? )?(is |are )?not (accepted|supported)/i],
  [
    'reverseDns',
    /\b[45]\.7\.(23|25)\b|\bPTR\b|reverse.?(dns|lookup|hostname)|\brdns\b|IPv6 sending guidelines|cannot find your (reverse )?hostname/i,
    'PTR_MISSING',
    'PTR_MISMATCH',
    'PTR_GENERIC',
  ],
  ['dmarcMissing', /\b[45]\.7\.31\b/, 'DMARC_MISSING'],
  [
    'spf',
    /\b[45]\.7\.(23|24|27)\b|SPF[^.;]*(fail|not pass|did not)|not (allowed|permitted|authorized) to send.* (SPF|from)/i,
    'SPF_NO_IP',
    'SPF_MISSING',
  ],
  [
    'dkim',
    /\b[45]\.7\.30\b|DKIM[^.;]*(fail|not pass|invalid|did not)/i,
    'DKIM_MISSING',
    'DKIM_MISMATCH',
  ],
  [
    'unauthenticated',
    /\b[45]\.7\.(26|515)\b|\[AUTH\]|unauthenticated|authentication level/i,
    'DKIM_MISSING',
    'SPF_NO_IP',
    'DMARC_MISSING',
  ],
  ['dmarc', /\b[45]\.7\.(32|509)\b|DMARC/i, 'DMARC_DKIM_NOT_ALIGNED', 'FROM_FREEMAIL'],
  ['tls', /\b[45]\.7\.29\b|must issue a STARTTLS|TLS (is )?required|encryption required/i],
  [
    'hello',
    /\b5\.7\.506\b|(bad|invalid|access denied.*) HELO|HELO command rejected/i,
    'HELO_NOT_FQDN',
    'HELO_NO_ADDRESS',
  ],
  ['format', /\b5\.7\.512\b|5\.6\.\d|RFC.?5322|(missing|invalid|multiple) .*(From|header)/i],
  [
    'blocklist',
    /spamhaus|spamcop|barracuda|proofpoint|block.?list|black.?list|dnsbl|\brbl\b/i,
    'DNSBL_LISTED',
  ],
  [
    'blocklist',
    /\bS3(140|150)\b|\b5\.7\.6(0[6-9]|[1-4]\d)\b|\[BL\d+\]|\[CS01\]|\[TSS(09|11)\]/i,
    'DNSBL_LISTED',
  ],
  [
    'relaying',
    /relay(ing)? (access )?(denied|not permitted|prohibited)|not (a )?local|authentication (is )?required/i,
  ],
  ['password', /\b5\.7\.8\b|\b535\b|authentication (failed|unsuccessful)/i],
  ['greylisted', /gr[ea]y.?list|\b4\.7\.1\b.*(later|again)|postgrey/i],
  ['spam', /spam|unsolicited|\[HME1\]|content (rejected|policy)|message (looks|content)/i],
  ['reputation', /reputation|suspicious/i],
  ['tooLarge', /\b[45]\.3\.4\b|\b552\b|too (large|big)|exceeds .*size|size limit/i],
  ['disabled', /\b[45]\.2\.1\b|(disabled|inactive|suspended)/i],
  [
    'sender',
    /\b[45]\.1\.[78]\b|sender (address|domain).*(reject|not found|verify|exist)|unresolvable|domain of sender/i,
    'MX_MISSING',
  ],
  ['noDomain', /\b[45]\.1\.(2|10)\b|no such domain|NXDOMAIN|null MX|takes no mail/i],
  ['noMailbox', /\b[45]\.1\.(0|1|6)\b/],
  ['dnsFails', /SERVFAIL|\b[45]\.4\.3\b|DNS/],
  [
    'noConnection',
    /ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ECONNRESET|timed? ?out|\b4\.4\.[12]\b|\(connect\)/i,
    'PORT25_BLOCKED',
  ],
  ['busy', /\b421\b|\b4\.3\.2\b|too many (concurrent |connections|sessions)|busy|overload/i],
  ['policy', /\b[45]\.7\.\d+\b|policy|denied|reject|block/i],
]

/** A reply of many lines, or a small bounce. */
const LONGEST = 4_000

/**
 * What a reply means: `550-5.7.26 …`, the text of a bounce, or what `queue show` prints. Undefined
 * when the text holds neither a reply nor a fault that we know.
 */
export function explainReply(text: string): Explained | undefined {
  const reply = text.slice(0, LONGEST).replace(/\s+/g, ' ')
  const kind = classOf(reply)
  if (kind === '2') return { meaning: 'delivered', outlook: 'done', codes: [] }
  const rule = RULES.find(([, says]) => says.test(reply))
  if (kind === undefined && !rule) return undefined
  const [meaning, , ...codes] = rule ?? [kind === '4' ? 'later' : 'never', undefined]
  const isTransient = kind === '4' || (kind === undefined && meaning === 'noConnection')
  return { meaning, outlook: isTransient ? 'wait' : 'over', codes }
}

/** The class of the reply's code, or of its enhanced status (RFC 5321 §4.2.1, RFC 3463 §3.1). */
function classOf(reply: string): string | undefined {
  const [, code] = /(?:^|[\s:(<"'])([245])\d\d(?=[\s-]|$)/.exec(reply) ?? []
  const [, status] = /(?:^|[\s:(<#"'-])([245])\.\d{1,3}\.\d{1,3}\b/.exec(reply) ?? []
  return code ?? status
}

/** The sentences of a meaning. */
export function wordsOf({ meaning }: Explained, language: DoctorLanguage) {
  return replyTexts[meaning][language]
}
