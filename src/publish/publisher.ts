// The publishing room: sets DNS records where a zone is kept, by RFC 2136 (rfc2136.ts) or through
// the API of a provider (cloudflare.ts, route53.ts, hetzner.ts, digitalocean.ts).
//
// open.ts makes a Publisher out of plain settings. Its user finds the zone of a name, reads what is
// there, and applies changes that name every record which goes or comes: a driver touches nothing
// else. What can go wrong: a refusal, a provider that is not there, a zone that changed meanwhile.
// Before anything was changed that is a thrown PublishFault; once changes were tried, every change
// has its own result, so that the user of a half-done job knows which half.

export const PROVIDERS = ['rfc2136', 'cloudflare', 'route53', 'hetzner', 'digitalocean'] as const

export type ProviderName = (typeof PROVIDERS)[number]

export type RecordType = 'A' | 'AAAA' | 'MX' | 'TXT' | 'CNAME'

export type ZoneRecord = {
  /** Whole, lower case, without the final dot. */
  readonly name: string
  readonly type: RecordType
  /** TXT: the text as one string, however long. MX: `10 mail.example.com`. Names as above. */
  readonly value: string
  readonly ttlSeconds: number
  /** The provider answers with its own addresses instead (Cloudflare). */
  readonly proxied?: boolean
}

export type Zone = {
  /** Its apex, as above. */
  readonly name: string
  /** The provider's own handle. */
  readonly id: string
}

export type Change =
  /** Nothing happens when the value is there already. */
  | { readonly kind: 'add'; readonly record: ZoneRecord }
  | { readonly kind: 'replace'; readonly before: ZoneRecord; readonly record: ZoneRecord }
  /** Nothing happens when the value is not there. */
  | { readonly kind: 'remove'; readonly record: ZoneRecord }

export type ChangeResult =
  | { readonly change: Change; readonly done: true }
  | { readonly change: Change; readonly done: false; readonly why: string }

/** Speaks to one kind of provider. All calls reject with a PublishFault, and `apply` never rejects. */
export type Driver = {
  readonly provider: ProviderName
  /** The zone that holds a name; rejects with NO_ZONE when these credentials see none. */
  zoneOf(name: string, signal?: AbortSignal): Promise<Zone>
  /** All records of the known types at a name. */
  read(zone: Zone, name: string, signal?: AbortSignal): Promise<readonly ZoneRecord[]>
  /** Resolves when the provider has taken (or refused) each change, with a result for each in order. */
  apply(
    zone: Zone,
    changes: readonly Change[],
    signal?: AbortSignal,
  ): Promise<readonly ChangeResult[]>
}

export type Visibility =
  | { readonly visible: true; readonly servers: readonly string[] }
  /** Time ran out: who does not show the records yet, and what hindered asking. */
  | { readonly visible: false; readonly waitingFor: readonly string[] }

export type Publisher = Driver & {
  /** Waits until every authoritative server shows all these values (other values may stand beside). */
  waitUntilVisible(
    records: readonly Pick<ZoneRecord, 'name' | 'type' | 'value'>[],
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<Visibility>
}

export type PublishFaultCode =
  /** The credentials see no zone that holds the name. */
  | 'NO_ZONE'
  | 'UNAUTHORIZED'
  /** No answer, or none in time. */
  | 'UNREACHABLE'
  /** An answer that makes no sense, or a "no" for another reason. */
  | 'REFUSED'

/** Says in English what was asked, of whom, and what came back; never a secret. */
export class PublishFault extends Error {
  override readonly name = 'PublishFault'
  readonly code: PublishFaultCode

  constructor(code: PublishFaultCode, text: string) {
    super(text)
    this.code = code
  }
}

/** Whether two records are the same for the world: all but the time to live. */
export function sameRecord(a: ZoneRecord, b: ZoneRecord): boolean {
  return (
    a.name === b.name &&
    a.type === b.type &&
    a.value === b.value &&
    (a.proxied ?? false) === (b.proxied ?? false)
  )
}

/** `example.com`, `com` for `example.com`: where a zone that holds a name may begin. */
export function possibleZones(name: string): string[] {
  const labels = name.split('.')
  return labels.map((_, i) => labels.slice(i).join('.'))
}

/** The name as a zone writes it: `@` for itself. */
export function relativeName(name: string, zone: Zone): string {
  return name === zone.name ? '@' : name.slice(0, -zone.name.length - 1)
}

export function absoluteName(name: string, zone: Zone): string {
  return name === '@' || name === '' ? zone.name : `${name}.${zone.name}`
}

/** Lower case, without the final dot. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
