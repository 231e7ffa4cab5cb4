// What would become of a message: who may hand it in, what rewriting makes of its addresses, where
// each copy would go. Nothing is sent and DNS is not asked.

import type { ListenerView, World } from './control.ts'

export type PolicyQuestion = {
  /** An address, a bare name, or empty for the empty reverse-path. */
  readonly from: string
  readonly to: readonly string[]
  /** The client's IP address; absent: this machine. */
  readonly client?: string
  /** Logged in as this credential. */
  readonly credential?: string
}

/** An address on its way through the tables of `rewrite`. */
export type AddressView = {
  readonly given: string
  /** In order: which option changed it, and into what. */
  readonly changes: readonly { readonly step: string; readonly to: string }[]
}

export type RouteView = {
  readonly to: string
  readonly site: string
  /** `direct` by the domain's MX records, to a `relay`, or into the `sandbox`. */
  readonly by: 'direct' | 'relay' | 'sandbox'
  /** The domain whose hosts are asked for, or the relay. */
  readonly host: string
  readonly port: number
}

export type PolicyAnswer = {
  /** Whether this client may hand in mail at each listener, and why not. */
  readonly listeners: readonly (Pick<ListenerView, 'name' | 'address' | 'port'> & {
    readonly may: boolean
    readonly needs: 'nothing' | 'password'
  })[]
  readonly client: string
  /** These networks need no password where a listener leaves it open. */
  readonly networks: readonly string[]
  /** Behind this address is the world, so it is not believed although its network is trusted. */
  readonly distrusted: boolean
  readonly sender: AddressView & { readonly result: string }
  /** May it be sent as that? `reply` is what the client would hear. */
  readonly rights:
    | {
        readonly may: true
        readonly world: World
        readonly domain: string
        /** None: it leaves unsigned. */
        readonly selectors: readonly string[]
      }
    | { readonly may: false; readonly reply: string }
  /** Credentials that may send as this sender, the first of them. */
  readonly credentials: readonly string[]
  readonly recipients: readonly (AddressView & {
    readonly routes: readonly RouteView[]
    readonly refused: string | null
  })[]
  /** What always_bcc adds. */
  readonly copies: readonly RouteView[]
}

export type PolicyControl = {
  /** Throws ControlFault NOT_AN_ADDRESS, NO_CREDENTIAL. */
  testPolicy(question: PolicyQuestion): Promise<PolicyAnswer>
}
