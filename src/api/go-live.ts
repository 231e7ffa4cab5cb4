// What the API and the command line need to take a domain from one world to the other.

import type { Demand } from '../doctor/demands.ts'
import type { DomainView } from './control.ts'

export type GoLive = {
  /** As it is now. */
  readonly domain: DomainView
  /** Every demand is met. */
  readonly ready: boolean
  /** The world changed by this call. */
  readonly changed: boolean
  /** What receivers demand, in the order in which people read it. */
  readonly demands: readonly Demand[]
}

/** Undefined: this server has no such domain. */
export type GoLiveControl = {
  /**
   * Looks at what receivers demand, and lets the domain's mail out when all of it is met, or by
   * force; takes seconds, asks the network. Throws ControlFault MODE_IN_CONFIG, KEYS_CHANGED.
   */
  goLive(domain: string, options: { readonly force: boolean }): Promise<GoLive | undefined>
  /** From here on its mail is captured. Throws ControlFault MODE_IN_CONFIG. */
  goSandbox(
    domain: string,
  ): Promise<{ readonly domain: DomainView; readonly changed: boolean } | undefined>
}
