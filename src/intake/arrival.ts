import { BodyHasher } from '../dkim/canonical.ts'
import type { Signer } from '../dkim/keyring.ts'
import { signHeader } from '../dkim/sign.ts'
import type { EntryState, QueueEntry } from '../mail/entry.ts'
import type { Envelope } from '../mail/envelope.ts'
import type { HeaderField } from '../mail/header.ts'
import { LineCheck, type LineReport, type Untidy } from '../mail/lines.ts'
import { formatMailbox, needsSmtputf8 } from '../mail/mailbox.ts'
import type { Content, Message, MessageId } from '../mail/message.ts'
import { type Refusal, refuse } from '../mail/reply.ts'
import type { Rewriter, RewrittenHeader } from '../rewrite/rules.ts'
import { assert } from '../std/assert.ts'
import type { NewMessage } from '../store/store.ts'
import type { IntakeParts, PrepareOptions } from './accept.ts'
import { HeadCollector, RowCutter } from './collect.ts'
import { type CompleteHeader, complete, octetsToText } from './complete.ts'
import type { Origin } from './door.ts'
import { readHeaderBlock } from './header-block.ts'
import { demandOneClick } from './one-click.ts'
import { judge, type Rights, rightsOf } from './rights.ts'

/** RFC 5321 §4.5.3.1.6, without CRLF. */
const LONGEST_LINE = 998

export type ArrivalOptions = PrepareOptions & {
  readonly origin: Origin
  readonly scratch: Uint8Array
  /** For the header; the envelope has been rewritten. */
  readonly rewriter?: Rewriter | undefined
  /** Our Received field does not tell of the client. */
  readonly hidesClient?: boolean
  /** The number that it was given already. */
  readonly id?: MessageId
  /** Its recipients wait until somebody lets them go, for this reason. */
  readonly hold?: string
}

/** What is known once the header is there. */
type Opened = {
  readonly id: MessageId
  readonly now: number
  readonly header: CompleteHeader
  readonly rights: Rights<Signer>
  readonly hold?: string
  /** Made when it is known who signs, for that says in which form. */
  readonly hasher: BodyHasher
}

/**
 * One message on its way in. Chunks are taken as they come: first the header is gathered, judged and
 * completed, then the body is hashed and cut into rows, which go to the store while more arrives.
 */
export class Arrival {
  readonly #parts: IntakeParts
  readonly #envelope: Envelope
  readonly #options: ArrivalOptions
  /** The door's, where it has one. */
  #lines: LineCheck | undefined
  readonly #head = new HeadCollector()
  readonly #rows = new RowCutter()
  readonly #scratch: Uint8Array
  #octets = 0
  #opened: Opened | undefined
  #rowsPut = 0

  constructor(parts: IntakeParts, envelope: Envelope, options: ArrivalOptions) {
    this.#parts = parts
    this.#envelope = envelope
    this.#options = options
    this.#scratch = options.scratch
  }

  /**
   * Takes a chunk; a promise when the store is busy with rows. Throws a Refusal.
   * @param lines what the door saw of the lines up to here; without it they are looked at here
   */
  take(chunk: Uint8Array, lines?: LineCheck): Promise<void> | undefined {
    const { messageOctets, headerOctets } = this.#parts.limits
    this.#octets += chunk.length
    if (this.#octets > messageOctets) {
      throw refuse(552, '5.3.4', `Message too big: the limit is ${messageOctets} octets`)
    }
    this.#lines ??= lines ?? new LineCheck()
    if (!lines) this.#lines.push(chunk)
    if (this.#opened) return this.#takeBody(this.#opened, chunk)
    const end = this.#head.push(chunk)
    if (end < 0 && this.#head.bytes.length <= headerOctets) return undefined
    return this.#open(this.#head.bytes, end)
  }

  /** Signs what has come and gives back all that the store needs. Throws a Refusal. */
  async finish(): Promise<NewMessage & { messageId: HeaderField; content?: Content }> {
    this.#checkLines()
    if (!this.#opened) await this.#open(this.#head.bytes, -1)
    const { now, header, rights, hasher } = this.#opened!
    const signature = await signHeader({
      ...rights.keys,
      fields: [...header.added, ...header.kept],
      bodyHash: hasher.digest(),
      now,
      ...this.#parts.signature,
    })
    const prefix = signature + octetsToText(header.added.map((field) => field.raw).join(''))
    const message = this.#message(this.#opened!, prefix)
    const rows = this.#rows.end()
    const whole = this.#rowsPut === 0 ? (rows[0] ?? new Uint8Array(0)) : undefined
    return {
      message,
      messageId: header.messageId,
      entries: this.#entries(this.#opened!),
      rows,
      firstRow: this.#rowsPut,
      ...(whole ? { content: contentInMemory(whole, { asIs: this.#fitsAsIs() }) } : {}),
    }
  }

  get #report(): LineReport {
    return (this.#lines ??= new LineCheck()).report()
  }

  /** The id under which rows lie in the store; undefined when there are none. */
  get stored(): MessageId | undefined {
    return this.#rowsPut > 0 ? this.#opened?.id : undefined
  }

  /** @param end where the header ends with its empty line; -1 when there is none */
  #open(bytes: Buffer, end: number): Promise<void> | undefined {
    const { store, clock, hostname, limits, rights: table, nonce } = this.#parts
    if (this.#lines?.faulty) throw badLineEnds()
    const block = readHeaderBlock(bytes.toString('latin1', 0, end < 0 ? bytes.length : end))
    if (block.octets > limits.headerOctets) {
      throw refuse(552, '5.3.4', `Header too big: the limit is ${limits.headerOctets} octets`)
    }
    if (block.fields.length > limits.headerFields) {
      throw refuse(554, '5.6.0', `Too many header fields: the limit is ${limits.headerFields}`)
    }
    const { origin, hidesClient = false, about } = this.#options
    const id = this.#options.id ?? origin.id ?? store.nextMessageId()
    const now = clock.now()
    const envelope = this.#envelope
    const { fields, hold = this.#options.hold } = this.#rewritten(block.fields)
    const header = complete(fields, {
      envelope,
      origin,
      id,
      hostname,
      nonce,
      now,
      mostReceived: limits.received,
      hidesClient,
    })
    const question = {
      sender: origin.sender,
      author: header.author,
      reversePath: envelope.reversePath,
    }
    const rights = about ? rightsOf(about, table) : judge(question, table)
    const { sender } = origin
    if (sender.kind === 'credential' && sender.stream === 'broadcast') demandOneClick(header.kept)
    const hasher = new BodyHasher(rights.keys.body ?? 'relaxed', this.#scratch)
    this.#opened = { id, now, header, rights, hasher, ...(hold !== undefined && { hold }) }
    const body = bytes.subarray(block.octets)
    hasher.update(body, this.#untidyIn(block.octets))
    if (!block.repaired && isSame(header.kept, block.fields)) return this.#cut(bytes)
    const kept = header.kept.map((field) => field.raw).join('')
    return this.#cut(Buffer.concat([Buffer.from(`${kept}\r\n`, 'latin1'), body]))
  }

  #rewritten(fields: readonly HeaderField[]): Pick<RewrittenHeader, 'fields' | 'hold'> {
    const { rewriter } = this.#options
    if (!rewriter) return { fields }
    const rewritten = rewriter.header(fields)
    for (const remark of rewritten.remarks)
      this.#parts.log.warn({ remark: remark.slice(0, 200) }, 'a header rule remarks')
    return rewritten
  }

  #takeBody({ hasher }: Opened, chunk: Uint8Array): Promise<void> | undefined {
    hasher.update(chunk, this.#lines!.untidy)
    return this.#cut(chunk)
  }

  /** As seen from where the body begins; what was gathered from several chunks is untidy throughout. */
  #untidyIn(bodyAt: number): Untidy | undefined {
    if (!this.#head.isOneChunk) return undefined
    const { from, to } = this.#lines!.untidy
    return { from: Math.max(0, from - bodyAt), to: Math.max(0, to - bodyAt) }
  }

  #cut(piece: Uint8Array): Promise<void> | undefined {
    const rows = this.#rows.push(piece)
    return rows && this.#put(rows)
  }

  async #put(rows: readonly Uint8Array[]): Promise<void> {
    for (const row of rows)
      await this.#parts.store.putContent(this.#opened!.id, this.#rowsPut++, row)
  }

  /** What a rewriter wrote was not looked at; the fields that stay of a header are lines as they came. */
  #fitsAsIs(): boolean {
    const { dotted, closed } = this.#report
    return closed && !dotted && this.#options.rewriter === undefined
  }

  #checkLines(): void {
    const { longestLine, bareCr, bareLf, nul } = this.#report
    if (bareCr || bareLf || nul) throw badLineEnds()
    if (longestLine > LONGEST_LINE) {
      throw refuse(
        550,
        '5.6.0',
        `A line of ${longestLine} octets; the limit is ${LONGEST_LINE}. Fix: encode the text as quoted-printable or base64`,
      )
    }
  }

  #message({ id, now, rights, header: { tlsOptional } }: Opened, prefix: string): Message {
    const { recipients, body, ...envelope } = this.#envelope
    const { eightBit } = this.#report
    return {
      ...envelope,
      ...(tlsOptional && !envelope.requireTls && { tlsOptional: true }),
      id,
      // What it is counts, not what was said of it.
      body: eightBit ? '8bitmime' : '7bit',
      smtputf8: envelope.smtputf8 && (eightBit || hasInternational(this.#envelope)),
      fromDomain: rights.fromDomain,
      world: rights.world,
      sender: this.#options.origin.sender,
      prefix,
      size: Buffer.byteLength(prefix) + this.#rows.size,
      acceptedAt: now,
    }
  }

  #firstState(now: number, hold: string | undefined): EntryState {
    if (hold !== undefined) return { kind: 'held', why: hold }
    const { holdUntil = 0 } = this.#envelope
    return holdUntil > now
      ? { kind: 'ready', at: holdUntil, chosen: true }
      : { kind: 'ready', at: now }
  }

  /** One entry a recipient; who is named twice gets the message once. */
  #entries({ id, now, rights: { world }, hold }: Opened): QueueEntry[] {
    const { recipients } = this.#envelope
    assert(recipients.length > 0, 'a message without recipients')
    const seen = new Set<string>()
    const entries: QueueEntry[] = []
    const state = this.#firstState(now, hold)
    for (let index = 0; index < recipients.length; index++) {
      const recipient = recipients[index]!
      if (recipients.length > 1) {
        const address = formatMailbox(recipient.mailbox)
        if (seen.has(address)) continue
        seen.add(address)
      }
      entries.push({
        message: id,
        index,
        recipient,
        site: this.#parts.siteOf(recipient.mailbox, world),
        state,
        attempts: 0,
        acceptedAt: now,
        delayNoticed: false,
      })
    }
    return entries
  }
}

function badLineEnds(): Refusal {
  const fix = 'Fix: end every line with CR LF'
  return refuse(550, '5.6.11', `A bare CR, a bare LF or a NUL in the message. ${fix}`)
}

/** Most often all fields stay, and then the octets stay where they are. */
function isSame(kept: readonly HeaderField[], fields: readonly HeaderField[]): boolean {
  return kept.length === fields.length && kept.every((field, i) => field === fields[i])
}

function hasInternational({ reversePath, recipients }: Envelope): boolean {
  if (reversePath && needsSmtputf8(reversePath)) return true
  return recipients.some(({ mailbox }) => needsSmtputf8(mailbox))
}

function contentInMemory(whole: Uint8Array, { asIs }: { readonly asIs: boolean }): Content {
  return {
    size: whole.length,
    whole,
    asIs,
    async *rows() {
      if (whole.length > 0) yield whole
    },
  }
}
