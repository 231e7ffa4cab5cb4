import type { RouteConfig } from '../delivery/route.ts'
import { makeSandboxKey, SANDBOX_SELECTOR, type Signer } from '../dkim/keyring.ts'
import { loadKey, publicText, saveKey } from '../dkim/keys.ts'
import type { SigningKey } from '../dkim/sign.ts'
import type { Resolver } from '../dns/resolver.ts'
import { createResolver } from '../dns/stub.ts'
import type { Domain } from '../mail/domain.ts'
import type { World } from '../mail/message.ts'
import { sandboxDestination } from '../sandbox/behaviours.ts'
import { type SandboxOptions, startSandbox } from '../sandbox/sandbox.ts'

const KEY_FILE = 'sandbox.pem'

/** The key that signs for every domain that was never added; kept, so that queued mail stays valid over a restart. */
export async function sandboxKeyIn(folder: string): Promise<SigningKey> {
  const kept = await loadKey(folder, KEY_FILE).catch(() => undefined)
  if (kept?.kind === 'key')
    return {
      selector: SANDBOX_SELECTOR,
      algorithm: kept.algorithm,
      privateKey: kept.privateKey,
    }
  const made = await makeSandboxKey()
  await saveKey(folder, KEY_FILE, made.privateKey)
  return made
}

/** The sandbox as the other parts see it: closed until somebody needs it. */
export class SandboxHouse implements AsyncDisposable {
  readonly #options: SandboxOptions
  readonly #parts = new AsyncDisposableStack()
  readonly #captureHooks = new Set<() => void>()
  #opening: Promise<void> | undefined
  /** Delivery asks here; the sandbox's resolver comes in when it opens. */
  readonly resolvers: Partial<Record<World, Resolver>>
  readonly route: NonNullable<RouteConfig['sandbox']> & { port: number }

  constructor(options: SandboxOptions, live: Resolver) {
    this.#options = options
    this.resolvers = { live }
    this.route = { port: 0, destinationOf: sandboxDestination }
  }

  /** Starts DNS and receiver unless they run already. */
  open(): Promise<void> {
    this.#opening ??= this.#open()
    return this.#opening
  }

  async #open(): Promise<void> {
    const sandbox = this.#parts.use(
      await startSandbox({ ...this.#options, store: this.#announcing() }),
    )
    const resolver = createResolver({
      servers: [sandbox.dnsServer],
      clock: this.#options.clock,
      timeoutMs: 2_000,
      attempts: 2,
      cacheEntries: 10_000,
      trustAd: false,
    })
    this.#parts.defer(() => resolver.close())
    this.resolvers.sandbox = resolver
    this.route.port = sandbox.smtpPort
  }

  /** Calls `then` after each captured message, until the returned function is called. */
  onCaptured(then: () => void): () => void {
    this.#captureHooks.add(then)
    return () => this.#captureHooks.delete(then)
  }

  #announcing(): SandboxOptions['store'] {
    const { store } = this.#options
    return {
      nextMessageId: () => store.nextMessageId(),
      capture: async (...captured) => {
        await store.capture(...captured)
        for (const hook of this.#captureHooks) hook()
      },
    }
  }

  /** Signs for a domain without keys of its own. */
  signerOf(domain: Domain): Signer {
    return { domain, keys: [this.#options.sandboxKey] }
  }

  /** What the sandbox's DNS holds for such a domain. */
  get publishedKeys(): readonly { readonly selector: string; readonly txt: string }[] {
    const { selector, privateKey } = this.#options.sandboxKey
    return [{ selector, txt: publicText(privateKey) }]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opening?.catch(() => {})
    await this.#parts.disposeAsync()
  }
}
