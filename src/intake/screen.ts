import type { Domain } from '../mail/domain.ts'
import type { Envelope } from '../mail/envelope.ts'
import { formatMessageId, type MessageId } from '../mail/message.ts'
import { refuse } from '../mail/reply.ts'
import type { Draft } from '../milter/change.ts'
import type { MilterClient, Milters } from '../milter/milters.ts'
import type { Rewriter } from '../rewrite/rules.ts'
import type { Clock } from '../std/clock.ts'
import { Spool } from '../std/spool.ts'
import { StorageFailed, StorageFull, type Store } from '../store/store.ts'
import type { IntakeLimits } from './accept.ts'
import { HeadCollector } from './collect.ts'
import { type CompleteOptions, complete } from './complete.ts'
import type { ContentSource, Origin } from './door.ts'
import { readHeaderBlock } from './header-block.ts'

export type ScreenParts = {
  readonly milters: Milters
  /** For bodies that do not fit into memory. */
  readonly spoolFolder: string
  readonly store: Pick<Store, 'nextMessageId'>
  readonly clock: Clock
  readonly hostname: Domain
  readonly limits: IntakeLimits
  readonly nonce: string
  readonly origin: Origin
  readonly rewriter: Rewriter | undefined
}

/** A message that the filters let pass, as they want it; its content may be read once. */
export type Screened = AsyncDisposable & {
  readonly envelope: Envelope
  readonly content: ContentSource
  readonly id: MessageId
  readonly hold?: string
}

/**
 * Shows a message to the filters: header rewritten and completed, so that a filter that signs signs
 * what leaves, and only our Received and signature come on top of it. Resolves to undefined when a
 * filter throws the message away. Throws a Refusal.
 */
export async function screen(
  envelope: Envelope,
  content: ContentSource,
  parts: ScreenParts,
): Promise<Screened | undefined> {
  const id = parts.origin.id ?? parts.store.nextMessageId()
  await using cleanup = new AsyncDisposableStack()
  using talk = parts.milters.begin(clientOf(parts.origin), formatMessageId(id))
  if (!(await talk.envelope(envelope))) {
    await content(() => undefined)
    return undefined
  }
  const body = cleanup.use(new Spool(parts.spoolFolder))
  const draft = await gather(content, body, { ...parts, envelope, id })
  const check = (changed: Draft) =>
    void complete(changed.fields, optionsOf({ ...parts, id, ...changed }))
  const passed = await talk.message(draft, check).catch((error: unknown) => {
    throw asStorage(error)
  })
  if (!passed) return undefined
  const files = cleanup.move()
  return {
    envelope: passed.envelope,
    content: contentOf(passed),
    id,
    ...(passed.hold !== undefined && { hold: passed.hold }),
    [Symbol.asyncDispose]: () => files.disposeAsync(),
  }
}

function clientOf({ door, address, helloName, tls, sender }: Origin): MilterClient {
  return {
    door,
    address,
    port: 0,
    helloName,
    ...(tls !== undefined && { tls }),
    ...(sender.kind === 'credential' && { credential: sender.name }),
  }
}

type Gathering = ScreenParts & { readonly envelope: Envelope; readonly id: MessageId }

/** Takes all of the content: the header into memory, the body into the spool. */
async function gather(content: ContentSource, body: Spool, parts: Gathering): Promise<Draft> {
  const { messageOctets, headerOctets } = parts.limits
  const head = new HeadCollector()
  let draft: Draft | undefined
  let octets = 0
  const open = (end: number) => {
    const { bytes } = head
    const block = readHeaderBlock(bytes.toString('latin1', 0, end < 0 ? bytes.length : end))
    if (block.octets > headerOctets)
      throw refuse(552, '5.3.4', `Header too big: the limit is ${headerOctets} octets`)
    draft = { ...completed(block.fields, parts), envelope: parts.envelope, body }
    return spooled(body, bytes.subarray(block.octets))
  }
  await content((chunk) => {
    octets += chunk.length
    if (octets > messageOctets)
      throw refuse(552, '5.3.4', `Message too big: the limit is ${messageOctets} octets`)
    if (draft) return spooled(body, chunk)
    const end = head.push(chunk)
    return end < 0 && head.bytes.length <= headerOctets ? undefined : open(end)
  })
  if (!draft) await open(-1)
  return draft!
}

/** All but our Received field, which goes on top of whatever the filters make of it. */
function completed(
  fields: ReturnType<typeof readHeaderBlock>['fields'],
  parts: Gathering,
): Pick<Draft, 'fields' | 'hold'> {
  const { rewriter } = parts
  const written = rewriter ? rewriter.header(fields) : { fields }
  const { added, kept } = complete(written.fields, optionsOf(parts))
  const ours = added.filter(({ lowerName }) => lowerName !== 'received')
  const hold = 'hold' in written ? written.hold : undefined
  return { fields: [...ours, ...kept], ...(hold !== undefined && { hold }) }
}

function optionsOf(parts: Gathering): CompleteOptions {
  return { ...parts, now: parts.clock.now(), mostReceived: parts.limits.received }
}

function spooled(body: Spool, piece: Uint8Array): Promise<void> | undefined {
  return body.push(piece)?.catch((error: unknown) => {
    throw asStorage(error)
  })
}

function asStorage(error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') return new StorageFull('the spool has no room')
  return syscall === undefined ? error : new StorageFailed('the spool failed')
}

function contentOf({ fields, body }: Draft): ContentSource {
  return async (sink) => {
    const header = fields.map(({ raw }) => raw).join('')
    await sink(Buffer.from(`${header}\r\n`, 'latin1'))
    for await (const chunk of body.chunks()) await sink(chunk)
  }
}
