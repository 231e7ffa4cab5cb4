import type { Domain } from '../mail/domain.ts'
import type { Canonicalization } from './canonical.ts'
import type { ExtraFields } from './fields.ts'
import { makeKey } from './keys.ts'
import type { SigningKey } from './sign.ts'

/** How a domain's mail is signed, where it is not as usual. */
export type SigningRules = {
  /** `relaxed` unless said otherwise. */
  readonly header?: Canonicalization
  readonly body?: Canonicalization
  /** Signed besides the usual ones. */
  readonly extraFields?: ExtraFields
  /** Mail from below the domain is not signed with its keys. */
  readonly exactOnly?: boolean
}

/** Whose keys sign: the domain is what `d=` says. */
export type Signer = SigningRules & {
  readonly domain: Domain
  readonly keys: readonly SigningKey[]
  /** Keys of the domain that are published and do not sign: coming or retiring ones. */
  readonly published?: readonly SigningKey[]
}

/** `sandbox._domainkey.<any domain>` is where the sandbox's DNS publishes that key. */
export const SANDBOX_SELECTOR = 'sandbox'

/** The keys in use, by domain; changed while the server runs. */
export class KeyRing {
  readonly #signers = new Map<string, Signer>()

  /** Sets the keys of a domain; RSA comes first, for not every receiver knows Ed25519. */
  add(
    domain: Domain,
    keys: readonly SigningKey[],
    more: SigningRules & Pick<Signer, 'published'> = {},
  ): void {
    const ordered = keys.toSorted((a, b) => rank(a) - rank(b))
    this.#signers.set(domain, { ...more, domain, keys: ordered })
  }

  /** False when there were none. */
  remove(domain: Domain): boolean {
    return this.#signers.delete(domain)
  }

  /**
   * Who signs for a From domain: its own keys, else those of the nearest parent that has some, which
   * DMARC counts as aligned in its relaxed mode (RFC 7489 §3.1.1).
   */
  keysFor(fromDomain: Domain): Signer | undefined {
    let name: string = fromDomain
    for (;;) {
      const signer = this.#signers.get(name)
      if (signer && signer.keys.length > 0 && !(signer.exactOnly && name !== fromDomain))
        return signer
      const dot = name.indexOf('.')
      if (dot < 0) return undefined
      name = name.slice(dot + 1)
    }
  }
}

/** The key of all domains that only the sandbox knows: mail from any of them is signed with d= that very domain. */
export async function makeSandboxKey(): Promise<SigningKey> {
  const algorithm = 'rsa-sha256'
  return { selector: SANDBOX_SELECTOR, algorithm, privateKey: await makeKey(algorithm) }
}

function rank(key: SigningKey): number {
  return key.algorithm === 'rsa-sha256' ? 0 : 1
}
