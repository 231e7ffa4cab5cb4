import { createHmac, randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { refuse } from '../mail/reply.ts'
import { Gate } from '../std/gate.ts'
import type { CredentialRecord } from '../store/store.ts'

/** 32 MiB and some 60 ms a try: dear enough, as the passwords that we make have 160 bits. */
const COST = 2 ** 15
const BLOCK = 8
const PARALLEL = 1
const SALT_BYTES = 16
const HASH_BYTES = 32
/** A stored hash may ask for this much memory at most. */
const MOST_MEMORY = 256 * 2 ** 20
/** Hashing shares the thread pool with signing, which must not wait for it. */
const AT_ONCE = 2
const MOST_WAITING = 50
const REMEMBERED = 1_000

/** Hashes a password as `scrypt$N$r$p$salt$hash` (RFC 7914), salt and hash in base64. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const hash = await derive(password, salt, { N: COST, r: BLOCK, p: PARALLEL })
  return ['scrypt', COST, BLOCK, PARALLEL, salt.toString('base64'), hash.toString('base64')].join(
    '$',
  )
}

/** Does the password fit the hash? The time does not tell how nearly. False for a hash that we cannot read. */
export async function checkPassword(stored: string, password: string): Promise<boolean> {
  const [kind, N, r, p, salt, hash] = stored.split('$')
  if (kind !== 'scrypt' || !N || !r || !p || !salt || !hash) return false
  const cost = { N: Number(N), r: Number(r), p: Number(p) }
  if (!(128 * cost.N * cost.r * cost.p <= MOST_MEMORY)) return false
  const wanted = Buffer.from(hash, 'base64')
  const found = await derive(password, Buffer.from(salt, 'base64'), cost, wanted.length)
  return wanted.length > 0 && timingSafeEqual(wanted, found)
}

function derive(
  password: string,
  salt: Buffer,
  cost: ScryptOptions,
  length = HASH_BYTES,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, { ...cost, maxmem: 2 * MOST_MEMORY }, (error, key) => {
      if (error) reject(error)
      else resolve(key)
    })
  })
}

/** Lower case without i, l, o and u: nothing to mistake when read aloud. */
const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz'

/** A random password of 160 bits: eight groups of four letters and digits. */
export function makePassword(): string {
  const letters = Array.from(randomBytes(32), (octet) => LETTERS[octet & 31])
  return letters.join('').replace(/(.{4})(?=.)/g, '$1-')
}

/**
 * The passwords that clients may use. A pair that was right once is remembered as a keyed hash, so
 * that a client with a connection per message costs one slow hash in all.
 */
export class Credentials {
  readonly #records = new Map<string, CredentialRecord>()
  /** Keyed hash of name and password → the stored hash that it fits. Oldest first. */
  readonly #verified = new Map<string, string>()
  readonly #checks = new Map<string, Promise<boolean>>()
  readonly #secret = randomBytes(32)
  readonly #gate = new Gate(AT_ONCE)
  #dummy: Promise<string> | undefined

  constructor(records: readonly CredentialRecord[]) {
    for (const record of records) this.#records.set(record.name, record)
  }

  /** Adds a credential or replaces the one of that name. */
  set(record: CredentialRecord): void {
    this.#records.set(record.name, record)
  }

  /** From now on its password is wrong, also where it is remembered. */
  revoke(name: string): boolean {
    return this.#records.delete(name)
  }

  /** The From domains that it may use, empty for all; undefined when there is no such credential. */
  domainsOf(name: string): CredentialRecord['domains'] | undefined {
    return this.#records.get(name)?.domains
  }

  /**
   * Is this the password of that credential? Takes equally long for names that do not exist. Throws
   * a 454 Refusal when too many ask at once.
   */
  async verify(name: string, password: string): Promise<boolean> {
    const record = this.#records.get(name)
    const seal = createHmac('sha256', this.#secret)
      .update(`${Buffer.byteLength(name)}:${name}${password}`)
      .digest('base64')
    const remembered = this.#verified.get(seal)
    if (record && remembered === record.hash) return true
    const running = this.#checks.get(seal) ?? this.#check(seal, record?.hash, password)
    // Who was revoked meanwhile is not let in.
    return (await running) && this.#records.get(name) === record
  }

  #check(seal: string, hash: string | undefined, password: string): Promise<boolean> {
    if (this.#gate.waiting >= MOST_WAITING) {
      throw refuse(454, '4.7.0', 'Too many logins at once, try again in a minute')
    }
    const check = this.#gate
      .run(async () => {
        this.#dummy ??= hashPassword('')
        const fits = await checkPassword(hash ?? (await this.#dummy), password)
        if (!fits || hash === undefined) return false
        this.#remember(seal, hash)
        return true
      })
      .finally(() => this.#checks.delete(seal))
    this.#checks.set(seal, check)
    return check
  }

  #remember(seal: string, hash: string): void {
    this.#verified.delete(seal)
    this.#verified.set(seal, hash)
    for (const oldest of this.#verified.keys()) {
      if (this.#verified.size <= REMEMBERED) break
      this.#verified.delete(oldest)
    }
  }
}
