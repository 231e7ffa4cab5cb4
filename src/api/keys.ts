// What the API and the command line need of a server's signing keys.

import type { KeyFlag, KeyState } from '../dkim/lifecycle.ts'
import type { Publication } from '../dkim/publication.ts'
import type { Algorithm } from '../dkim/signature.ts'

/** What one name server said of a key's record; `why` when it said nothing that tells. */
export type ServerSight = {
  readonly host: string
  readonly kind: Publication['kind']
  readonly why: string
}

/** What the zone's own servers showed of a key's record when they were last asked. */
export type KeySight = {
  /** `published` only when every server shows it. */
  readonly kind: Publication['kind']
  /** How many servers show it, and how many there are; 0 of 0 when none could be found. */
  readonly shown: number
  readonly servers: number
  /** The servers that do not show it, and what they show. */
  readonly without: readonly ServerSight[]
  /** Why no server could be asked, in the resolver's words; empty when they were. */
  readonly why: string
  readonly checkedAt: number
}

export type KeyView = {
  readonly domain: string
  readonly selector: string
  readonly algorithm: Algorithm
  readonly state: KeyState
  /** `t=` of its record. */
  readonly flags: readonly KeyFlag[]
  /** `config`: a file that the configuration names; it can be changed only there. */
  readonly source: 'config' | 'store'
  /** Null for these three: the key's file cannot be read. */
  readonly bits: number | null
  readonly fingerprint: string | null
  /** The text of the record. */
  readonly txt: string | null
  /** Where the record belongs: `p2611._domainkey.example.com`. */
  readonly name: string
  readonly createdAt: number | null
  readonly activeAt: number | null
  readonly retiringAt: number | null
  /** When a retiring key's record will be of no more use. */
  readonly retiresAt: number | null
  readonly retiredAt: number | null
  /** Null: nobody has looked yet. */
  readonly sight: KeySight | null
}

export type NewKey = {
  readonly algorithm: Algorithm
  /** RSA only; 2048 when absent. */
  readonly bits?: number
  readonly selector?: string
  readonly flags?: readonly KeyFlag[]
  /** An existing private key; `algorithm` and `bits` are then its own. */
  readonly importPem?: string
}

/** Undefined of a verb that names a domain: this server has no such domain. */
export type KeyControl = {
  /** Of one domain or of all; retired ones too. */
  keys(domain?: string): Promise<readonly KeyView[] | undefined>
  /**
   * Adds a key; it signs once its record is seen, and then takes the place of those of its algorithm.
   * A key that is here already is left as it is. Throws ControlFault BAD_KEY, BAD_SELECTOR,
   * SELECTOR_EXISTS, KEY_IN_CONFIG.
   */
  addKey(domain: string, key: NewKey): Promise<KeyView | undefined>
  /** Makes a successor for every active key that has none. Throws ControlFault KEY_IN_CONFIG. */
  rotateKeys(
    domain: string,
    options: { readonly bits?: number },
  ): Promise<readonly KeyView[] | undefined>
  /** Gives the coming keys up. */
  abortRotation(domain: string): Promise<readonly KeyView[] | undefined>
  /** Looks for the records of coming keys now; those that every server shows sign from here on. */
  checkKeys(domain: string): Promise<readonly KeyView[] | undefined>
  /**
   * Takes a key out of use, one state on; `atOnce` also ends a retiring one before its time.
   * Throws ControlFault LAST_KEY, KEY_IN_CONFIG.
   */
  retireKey(
    domain: string,
    selector: string,
    options: { readonly atOnce: boolean },
  ): Promise<KeyView | undefined>
  /** The private key in PKCS#8; undefined also when its file cannot be read. */
  exportKey(domain: string, selector: string): Promise<{ readonly pem: string } | undefined>
}
