import type { Envelope, ReversePath } from '../mail/envelope.ts'
import { formatMailbox, type Mailbox } from '../mail/mailbox.ts'
import { Refusal, type Reply, reply } from '../mail/reply.ts'
import type { Clock } from '../std/clock.ts'
import { applyChanges, type Draft } from './change.ts'
import { type MilterConnection, MilterFailure } from './connection.ts'
import { has, STEPS } from './flags.ts'
import type { MilterClient, MilterOptions } from './milters.ts'
import { formatPacket } from './packet.ts'
import { type Change, type Ending, neededChange, parseResponse } from './response.ts'

/** What a filter's word means for the message. */
export type Verdict =
  | { readonly kind: 'go-on' | 'discard' }
  | { readonly kind: 'refuse'; readonly reply: Reply }

const GO_ON: Verdict = { kind: 'go-on' }

/** Sendmail's chunk; filters of all ages can take it. */
const BODY_CHUNK = 65_535
const MOST_CHANGES = 10_000
/** A filter may say "still at it" for so many times its time-out. */
const LONGEST_PROGRESS = 10

export type MilterSessionDeps = {
  readonly clock: Clock
  readonly hostname: string
  readonly version: string
  /** A replaced body and all changes together must not be larger. */
  readonly mostOctets: number
  /** A connection that waits for the next message of this client. */
  kept(): MilterConnection | undefined
  open(): Promise<MilterConnection>
  keep(connection: MilterConnection): void
  onFailure(why: string): void
}

type Step = {
  readonly letter: string
  readonly data?: readonly (string | Uint8Array)[]
  /** The flags by which the filter does without the step, or without answering it. */
  readonly never: number
  readonly silent: number
  readonly macros?: Readonly<Record<string, string | undefined>>
}

/** One filter's talk about one message. Whatever goes wrong ends in a verdict; nothing is thrown. */
export class MilterSession {
  readonly #options: MilterOptions
  readonly #deps: MilterSessionDeps
  #connection: MilterConnection | undefined

  constructor(options: MilterOptions, deps: MilterSessionDeps) {
    this.#options = options
    this.#deps = deps
  }

  /** All that is known before the content: where it comes from, from whom, to whom. */
  envelope(client: MilterClient, envelope: Envelope, id: string): Promise<Verdict> {
    return this.#guarded(async () => {
      const kept = this.#deps.kept()
      if (kept) {
        this.#connection = kept
        try {
          return await this.#present(client, envelope, id)
        } catch (error) {
          // It may have died in the meantime, and then a fresh one is tried.
          if (!(error instanceof MilterFailure && kept.isGone)) throw error
        }
      }
      this.#connection = await this.#deps.open()
      const connected = await this.#connect(client)
      return connected.kind === 'go-on' ? this.#present(client, envelope, id) : connected
    })
  }

  /** On a kept connection the filter knows the client already. */
  async #present(client: MilterClient, envelope: Envelope, id: string): Promise<Verdict> {
    for (const step of envelopeSteps(client, envelope, id)) {
      if (step.letter === 'H' && this.#connection?.reused) continue
      if (step.letter === 'T' && (this.#connection?.agreement.version ?? 0) < 4) continue
      const verdict = await this.#ask(step)
      if (verdict.kind !== 'go-on') return verdict
    }
    return GO_ON
  }

  /**
   * The whole message; the draft that comes back counts when the verdict is to go on.
   * @param check throws a Refusal for what could not be sent: of what a filter changed, its failure
   */
  async message(
    draft: Draft,
    id: string,
    check: (draft: Draft) => void,
  ): Promise<{ verdict: Verdict; draft: Draft }> {
    let changed = draft
    const verdict = await this.#guarded(async () => {
      if (!this.#connection) return GO_ON
      const told = await this.#tell(draft, id)
      if (told.kind !== 'go-on' || !this.#connection) return told
      const { ending, changes } = await this.#finish(id)
      const leadingSpace = has(this.#connection.agreement.steps, STEPS.leadingSpace)
      if (changes.length > 0 && (ending.kind === 'continue' || ending.kind === 'accept'))
        changed = checked(applyChanges(draft, changes, { leadingSpace }), check)
      if (ending.kind !== 'failed' && ending.kind !== 'shutdown') this.#release()
      return this.#verdictOf(ending)
    })
    return { verdict, draft: changed }
  }

  /** The message is given up, or this filter is not needed any more. */
  close(): void {
    this.#connection?.close()
    this.#connection = undefined
  }

  async #connect(client: MilterClient): Promise<Verdict> {
    const { hostname, version } = this.#deps
    const { address, port } = client
    const place = Buffer.alloc(3)
    place.write(address.includes(':') ? '6' : '4', 0, 'latin1')
    place.writeUInt16BE(port, 1)
    // Behind a proxy that cannot say who the client is.
    const peer = address === 'unknown' ? ['[unknown]', Buffer.from('U')] : undefined
    return this.#ask({
      letter: 'C',
      data: peer ?? [`[${address}]`, place, address],
      never: STEPS.noConnect,
      silent: STEPS.silentConnect,
      macros: {
        j: hostname,
        _: `[${address}]`,
        '{daemon_name}': client.door,
        '{client_addr}': address,
        v: version,
      },
    })
  }

  async #ask(step: Step): Promise<Verdict> {
    const connection = this.#connection
    if (!connection) return GO_ON
    const { steps } = connection.agreement
    if (has(steps, step.never)) return GO_ON
    connection.send(macrosFor(step))
    connection.send(formatPacket(step.letter, ...(step.data ?? [])))
    if (has(steps, step.silent)) {
      await connection.drained(this.#options.commandMs)
      return GO_ON
    }
    return this.#verdictOf(await this.#ending(connection, this.#options.commandMs))
  }

  async #tell(draft: Draft, id: string): Promise<Verdict> {
    const leading = has(this.#connection!.agreement.steps, STEPS.leadingSpace)
    for (const { name, raw } of draft.fields) {
      const value = raw.slice(raw.indexOf(':') + 1).replace(/\r\n$/, '')
      const told = leading ? value : value.replace(/^ /, '')
      const verdict = await this.#ask({
        letter: 'L',
        // Octets as latin-1 text; folds have LF alone in this protocol.
        data: [
          Buffer.from(`${name}\0${told.replaceAll('\r\n', '\n').replaceAll('\0', '')}\0`, 'latin1'),
        ],
        never: STEPS.noHeaders,
        silent: STEPS.silentHeader,
      })
      if (verdict.kind !== 'go-on') return verdict
    }
    const end = await this.#ask({
      letter: 'N',
      never: STEPS.noEndOfHeader,
      silent: STEPS.silentEndOfHeader,
      macros: { i: id },
    })
    return end.kind === 'go-on' ? this.#tellBody(draft) : end
  }

  async #tellBody({ body }: Draft): Promise<Verdict> {
    if (!this.#connection || has(this.#connection.agreement.steps, STEPS.noBody)) return GO_ON
    const silent = has(this.#connection.agreement.steps, STEPS.silentBody)
    for await (const piece of body.chunks()) {
      for (let at = 0; at < piece.length; at += BODY_CHUNK) {
        const connection = this.#connection
        if (!connection) return GO_ON
        connection.send(formatPacket('B', piece.subarray(at, at + BODY_CHUNK)))
        await connection.drained(this.#options.commandMs)
        if (silent) continue
        const ending = await this.#ending(connection, this.#options.commandMs)
        if (ending.kind === 'skip') return GO_ON
        const verdict = this.#verdictOf(ending)
        if (verdict.kind !== 'go-on') return verdict
      }
    }
    return GO_ON
  }

  /** The end of the message: changes, as many as the filter likes within bounds, and its last word. */
  async #finish(id: string): Promise<{ ending: Ending; changes: readonly Change[] }> {
    const connection = this.#connection!
    const { clock, mostOctets } = this.#deps
    const { messageMs } = this.#options
    connection.send(macrosFor({ letter: 'E', never: 0, silent: 0, macros: { i: id } }))
    connection.send(formatPacket('E'))
    const until = clock.elapsed() + messageMs * LONGEST_PROGRESS
    const changes: Change[] = []
    let octets = 0
    for (;;) {
      const packet = await connection.receive(messageMs)
      const response = parseResponse(packet)
      if (!response) throw new MilterFailure(`it sent no answer but ${packetText(packet.letter)}`)
      if (response.kind === 'progress') {
        if (clock.elapsed() > until) throw new MilterFailure('it is never done with the message')
      } else if (isChange(response)) {
        if ((connection.agreement.changes & neededChange(response)) === 0)
          throw new MilterFailure(`${response.kind} was not agreed on`)
        octets += packet.data.length
        if (octets > mostOctets || changes.length >= MOST_CHANGES)
          throw new MilterFailure('it changes more than a message can hold')
        changes.push(response)
      } else return { ending: response, changes }
    }
  }

  async #ending(connection: MilterConnection, timeoutMs: number): Promise<Ending> {
    const until = this.#deps.clock.elapsed() + timeoutMs * LONGEST_PROGRESS
    for (;;) {
      const packet = await connection.receive(timeoutMs)
      const response = parseResponse(packet)
      if (!response || isChange(response))
        throw new MilterFailure(`it sent no answer but ${packetText(packet.letter)}`)
      if (response.kind !== 'progress') return response
      if (this.#deps.clock.elapsed() > until) throw new MilterFailure('it is never done')
    }
  }

  /** What an ending means; an end before the message's end is the end of the talk. */
  #verdictOf(ending: Ending): Verdict {
    const { name } = this.#options
    switch (ending.kind) {
      case 'continue':
        return GO_ON
      case 'accept':
        this.close()
        return GO_ON
      case 'discard':
        return { kind: 'discard' }
      case 'reply':
        return { kind: 'refuse', reply: ending.reply }
      case 'reject':
        return refused(550, '5.7.1', `The filter ${name} refuses this message`)
      case 'tempfail':
        return refused(451, '4.7.1', `The filter ${name} asks to try again later`)
      case 'shutdown':
        return refused(421, '4.7.0', `The filter ${name} asks to close the connection`)
      case 'failed':
      case 'skip':
        throw new MilterFailure(ending.kind === 'skip' ? 'it skips what cannot be' : 'it gave up')
    }
  }

  /** After the end of the message the connection can serve the next one of the same client. */
  #release(): void {
    const connection = this.#connection
    this.#connection = undefined
    if (!connection) return
    if (connection.canBeKept) this.#deps.keep(connection)
    else connection.close()
  }

  async #guarded(act: () => Promise<Verdict>): Promise<Verdict> {
    try {
      return await act()
    } catch (error) {
      if (!(error instanceof MilterFailure)) throw error
      this.close()
      this.#deps.onFailure(error.message)
      return this.#afterFailure()
    }
  }

  #afterFailure(): Verdict {
    const { name, onFailure } = this.#options
    switch (onFailure) {
      case 'accept':
        return GO_ON
      case 'tempfail':
        return refused(451, '4.7.1', `The filter ${name} does not work, try again later`)
      case 'reject':
        return refused(550, '5.7.1', `The filter ${name} does not work`)
    }
  }
}

function checked(draft: Draft, check: (draft: Draft) => void): Draft {
  try {
    check(draft)
    return draft
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new MilterFailure(`what it changed cannot be sent: ${error.message}`)
  }
}

const refused = (code: number, enhanced: string, text: string): Verdict => ({
  kind: 'refuse',
  reply: reply(code, enhanced, text),
})

const CHANGE_KINDS: ReadonlySet<string> = new Set([
  'add-recipient',
  'delete-recipient',
  'change-from',
  'add-header',
  'insert-header',
  'change-header',
  'body',
  'quarantine',
])
const isChange = (response: { readonly kind: string }): response is Change =>
  CHANGE_KINDS.has(response.kind)

const packetText = (letter: string): string =>
  /[ -~]/.test(letter) ? `packet ${letter}` : `octet ${letter.charCodeAt(0)}`

/** Macros go ahead of their step, all that we know: a filter takes what it asked for. */
function macrosFor({ letter, macros = {} }: Step): Uint8Array {
  const known = Object.entries(macros).filter((entry): entry is [string, string] => !!entry[1])
  if (known.length === 0) return new Uint8Array(0)
  return formatPacket('D', Buffer.from(letter), ...known.flat())
}

function* envelopeSteps(client: MilterClient, envelope: Envelope, id: string): Iterable<Step> {
  const { reversePath, recipients } = envelope
  yield {
    letter: 'H',
    data: [client.helloName || 'localhost'],
    never: STEPS.noHelo,
    silent: STEPS.silentHelo,
    macros: { '{tls_version}': client.tls?.split(' ')[0], '{cipher}': client.tls?.split(' ')[1] },
  }
  yield {
    letter: 'M',
    data: [pathOf(reversePath), ...parametersOf(envelope)],
    never: STEPS.noMail,
    silent: STEPS.silentMail,
    macros: {
      i: id,
      '{auth_type}': client.credential === undefined ? undefined : 'PLAIN',
      '{auth_authen}': client.credential,
      '{mail_addr}': reversePath ? formatMailbox(reversePath) : '<>',
      '{mail_host}': reversePath?.domain,
      '{mail_mailer}': 'smtp',
    },
  }
  for (const { mailbox } of recipients)
    yield {
      letter: 'R',
      data: [pathOf(mailbox)],
      never: STEPS.noRcpt,
      silent: STEPS.silentRcpt,
      macros: {
        '{rcpt_addr}': formatMailbox(mailbox),
        '{rcpt_host}': mailbox.domain,
        '{rcpt_mailer}': 'smtp',
      },
    }
  yield { letter: 'T', never: STEPS.noData, silent: STEPS.silentData, macros: { i: id } }
}

const pathOf = (path: ReversePath | Mailbox): string => (path ? `<${formatMailbox(path)}>` : '<>')

function parametersOf({ body, smtputf8 }: Envelope): string[] {
  return [body === '8bitmime' ? 'BODY=8BITMIME' : '', smtputf8 ? 'SMTPUTF8' : ''].filter(Boolean)
}
