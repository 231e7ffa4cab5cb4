// Where bounces of live mail are asked to go, as far as that is not the domain in From: receivers
// check SPF of exactly that domain, so the doctor has to look there too. Known only since the start.

import type { Domain } from '../mail/domain.ts'
import { isAddressLiteral } from '../mail/domain.ts'
import type { Message } from '../mail/message.ts'

const MOST_DOMAINS = 200
const MOST_PATHS = 5

export class ReturnPaths {
  readonly #seen = new Map<Domain, Set<Domain>>()

  /** Costs a comparison for mail whose return path is as usual. */
  note({ fromDomain, reversePath, world }: Pick<Message, 'fromDomain' | 'reversePath' | 'world'>) {
    const path = reversePath?.domain
    if (path === undefined || path === fromDomain || world !== 'live') return
    if (isAddressLiteral(path)) return
    const known = this.#seen.get(fromDomain)
    if (known && known.size < MOST_PATHS) known.add(path)
    else if (!known && this.#seen.size < MOST_DOMAINS) this.#seen.set(fromDomain, new Set([path]))
  }

  /** The domains of reverse-paths that mail From this domain had, besides itself. */
  of(domain: Domain): readonly Domain[] {
    return [...(this.#seen.get(domain) ?? [])]
  }
}
