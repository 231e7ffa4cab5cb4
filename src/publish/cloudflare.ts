// Cloudflare's API, version 4. A record of ours is never proxied: then the world would see Cloudflare's
// addresses instead of the server's.

import { joinedStrings, quotedStrings } from '../dns/character-strings.ts'
import type { ApiSettings, JsonApi } from './http.ts'
import { jsonApi } from './http.ts'
import { type KeptRecord, oneByOne } from './one-by-one.ts'
import {
  type Driver,
  PublishFault,
  plainName,
  possibleZones,
  type RecordType,
  type Zone,
  type ZoneRecord,
} from './publisher.ts'

const BASE = 'https://api.cloudflare.com/client/v4'
const PER_PAGE = 100
const MOST_PAGES = 50
const TYPES = new Set<string>(['A', 'AAAA', 'MX', 'TXT', 'CNAME'])

type Envelope<T> = {
  readonly result: T
  readonly result_info?: { readonly total_pages?: number }
}

type DnsRecord = {
  readonly id: string
  readonly type: string
  readonly name: string
  readonly content: string
  readonly ttl: number
  readonly priority?: number
  readonly proxied?: boolean
}

export type CloudflareSettings = { readonly token: string; readonly base?: string | undefined }

export function cloudflareDriver(
  { token, base = BASE }: CloudflareSettings,
  { clock }: Pick<ApiSettings, 'clock'>,
): Driver {
  const api = jsonApi({ base, clock }, { token, explain })
  const kept = (zone: Zone, name: string, signal?: AbortSignal) =>
    readAll(api, zone, { name, signal })
  return {
    provider: 'cloudflare',
    async zoneOf(name, signal) {
      for (const above of possibleZones(name)) {
        const path = `/zones?name=${encodeURIComponent(above)}`
        const found = await api.call<Envelope<{ id: string; name: string }[]>>('GET', path, {
          signal,
        })
        const zone = found?.result.find((one) => plainName(one.name) === above)
        if (zone) return { name: above, id: zone.id }
      }
      throw new PublishFault('NO_ZONE', `this token of Cloudflare sees no zone with ${name}`)
    },
    async read(zone, name, signal) {
      return (await kept(zone, name, signal)).map(({ record }) => record)
    },
    apply(zone, changes, signal) {
      const path = `/zones/${zone.id}/dns_records`
      return oneByOne(changes, {
        read: (name) => kept(zone, name, signal),
        create: async (record) =>
          void (await api.call('POST', path, { body: bodyOf(record), signal })),
        update: async (id, record) =>
          void (await api.call('PATCH', `${path}/${id}`, { body: bodyOf(record), signal })),
        remove: async (id) => void (await api.call('DELETE', `${path}/${id}`, { signal })),
      })
    },
  }
}

/** `{ errors: [{ code, message }] }` */
function explain(answer: unknown): string | undefined {
  const { errors } = (answer ?? {}) as { errors?: readonly { code?: number; message?: string }[] }
  return errors?.map(({ message, code }) => `${message} [${code}]`).join('; ')
}

async function readAll(
  api: JsonApi,
  zone: Zone,
  { name, signal }: { readonly name: string; readonly signal: AbortSignal | undefined },
): Promise<KeptRecord[]> {
  const kept: KeptRecord[] = []
  for (let page = 1; page <= MOST_PAGES; page++) {
    const query = `name=${encodeURIComponent(name)}&per_page=${PER_PAGE}&page=${page}`
    const path = `/zones/${zone.id}/dns_records?${query}`
    const answer = await api.call<Envelope<DnsRecord[]>>('GET', path, { signal })
    for (const one of answer?.result ?? []) {
      const record = recordOf(one)
      if (record?.name === name) kept.push({ id: one.id, record })
    }
    if (page >= (answer?.result_info?.total_pages ?? 1)) break
  }
  return kept
}

function recordOf(one: DnsRecord): ZoneRecord | undefined {
  if (!TYPES.has(one.type)) return undefined
  const type = one.type as RecordType
  const content = type === 'TXT' ? joinedStrings(one.content) : plainName(one.content)
  return {
    type,
    name: plainName(one.name),
    value: type === 'MX' ? `${one.priority ?? 0} ${content}` : content,
    ttlSeconds: one.ttl,
    ...(one.proxied && { proxied: true }),
  }
}

function bodyOf({ type, name, value, ttlSeconds }: ZoneRecord): Omit<DnsRecord, 'id'> {
  const [priority, host] = type === 'MX' ? value.split(' ') : []
  return {
    type,
    name,
    content: type === 'TXT' ? quotedStrings(value).join(' ') : (host ?? value),
    ttl: Math.max(ttlSeconds, 60),
    proxied: false,
    ...(priority !== undefined && { priority: Number(priority) }),
  }
}
