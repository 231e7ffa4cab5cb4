// A file of Postfix' queue: records of a type, a length and data, in three segments (envelope,
// message, extracted); see the notes on record types in postcat(1) and showq(8). Recipients that were
// delivered to already have another type than those that wait. Pure; what is no such file is a fault.

export type QueuedRecipient = {
  readonly address: string
  /** What the client named before rewriting. */
  readonly original?: string
  /** ORCPT as `type;address` (RFC 3461 §4.2). */
  readonly dsnOriginal?: string
  /** NOTIFY as Postfix keeps it: 1 never, 2 success, 4 failure, 8 delay. */
  readonly notify?: number
}

export type QueueFile = {
  /** Empty for the empty reverse-path. */
  readonly sender: string
  /** Those that still wait. */
  readonly recipients: readonly QueuedRecipient[]
  /** How many were delivered to, or given up, already. */
  readonly done: number
  readonly envelopeId?: string
  /** RET as Postfix keeps it: 1 full, 2 headers. */
  readonly ret?: number
  readonly smtputf8: boolean
  /** Header and body with CRLF. */
  readonly content: readonly Uint8Array[]
}

export type QueueFileReading =
  | { readonly kind: 'file'; readonly file: QueueFile }
  | { readonly kind: 'fault'; readonly fault: string }

type Reading = { readonly type: string; readonly data: Buffer; readonly next: number }

const MOST_JUMPS = 100_000
const CRLF = Buffer.from('\r\n')
/** Bits of the size record's last number that say SMTPUTF8 was asked for or is needed. */
const SMTPUTF8 = 1 | 16

/** Reads a queue file whole. */
export function parseQueueFile(octets: Buffer): QueueFileReading {
  const draft = new Envelope()
  const content: Uint8Array[] = []
  let segment: 'envelope' | 'message' | 'extracted' = 'envelope'
  let at = 0
  let jumps = 0
  while (true) {
    const record = recordAt(octets, at)
    if (!record) return fault('it ends in the middle of a record')
    at = record.next
    if (record.type === 'p') {
      const target = Number(record.data.toString('latin1').trim())
      if (!Number.isSafeInteger(target) || target < 0) return fault('a pointer that is no number')
      if (++jumps > MOST_JUMPS) return fault('its pointers go round')
      if (target > 0) at = target
    } else if (record.type === 'M' && segment === 'envelope') segment = 'message'
    else if (record.type === 'X' && segment === 'message') segment = 'extracted'
    else if (record.type === 'E') break
    else if (segment === 'message') takeContent(record, content)
    else if (record.type === 'K') return fault('Postfix has given it up itself')
    else draft.take(record)
  }
  if (segment === 'envelope') return fault('it has no message')
  if (draft.sender === undefined) return fault('it has no sender')
  return { kind: 'file', file: { ...draft.finish(), sender: draft.sender, content } }
}

const fault = (text: string): QueueFileReading => ({ kind: 'fault', fault: text })

/** Lines come as pieces (L) and an end (N). */
function takeContent({ type, data }: Reading, content: Uint8Array[]): void {
  if (type === 'N') content.push(data, CRLF)
  else if (type === 'L') content.push(data)
}

/** One record: a letter, a length in base 128 (least group first), the data. */
function recordAt(octets: Buffer, at: number): Reading | undefined {
  let length = 0
  let place = at + 1
  for (let shift = 0; ; shift += 7) {
    const octet = octets[place++]
    if (octet === undefined || shift > 28) return undefined
    length += (octet & 0x7f) * 2 ** shift
    if (octet < 0x80) break
  }
  const next = place + length
  if (next > octets.length) return undefined
  return { type: String.fromCharCode(octets[at]!), data: octets.subarray(place, next), next }
}

/** What stands before a recipient belongs to it. */
class Envelope {
  sender: string | undefined
  readonly #recipients: QueuedRecipient[] = []
  #done = 0
  #next: { original?: string; dsnOriginal?: string; notify?: number } = {}
  #envelopeId: string | undefined
  #ret: number | undefined
  #smtputf8 = false

  take({ type, data }: Reading): void {
    const text = data.toString('utf8')
    switch (type) {
      case 'S':
        this.sender = text
        return
      case 'O':
        this.#next.original = text
        return
      case 'A':
        this.#attribute(text)
        return
      case 'C':
        this.#smtputf8 = (Number(text.trim().split(/\s+/)[5] ?? 0) & SMTPUTF8) !== 0
        return
      case 'o':
        this.#next.dsnOriginal = text
        return
      case 'n':
        this.#next.notify = Number(text)
        return
      case 'i':
        this.#envelopeId = text
        return
      case 'r':
        this.#ret = Number(text)
        return
      case 'R':
        this.#recipients.push({ address: text, ...this.#next })
        this.#next = {}
        return
      case 'D':
      case '/':
        this.#done++
        this.#next = {}
        return
    }
  }

  /** Some of them come as `name=value`. */
  #attribute(text: string): void {
    const at = text.indexOf('=')
    const value = text.slice(at + 1)
    switch (text.slice(0, Math.max(at, 0))) {
      case 'dsn_orig_rcpt':
        this.#next.dsnOriginal = value
        return
      case 'notify_flags':
        this.#next.notify = Number(value)
        return
      case 'envelope_id':
        this.#envelopeId = value
        return
      case 'ret_flags':
        this.#ret = Number(value)
        return
    }
  }

  finish(): Omit<QueueFile, 'sender' | 'content'> {
    return {
      recipients: this.#recipients,
      done: this.#done,
      smtputf8: this.#smtputf8,
      ...(this.#envelopeId && { envelopeId: this.#envelopeId }),
      ...(this.#ret && { ret: this.#ret }),
    }
  }
}
