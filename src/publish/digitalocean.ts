// DigitalOcean's API, version 2: single records, texts without quotes, targets with a final dot.

import type { ApiSettings, JsonApi } from './http.ts'
import { jsonApi } from './http.ts'
import { type KeptRecord, oneByOne } from './one-by-one.ts'
import {
  absoluteName,
  type Driver,
  PublishFault,
  plainName,
  possibleZones,
  type RecordType,
  relativeName,
  type Zone,
  type ZoneRecord,
} from './publisher.ts'

const BASE = 'https://api.digitalocean.com/v2'
const PER_PAGE = 200
const MOST_PAGES = 50
const LEAST_TTL_SECONDS = 30
const TYPES = new Set<string>(['A', 'AAAA', 'MX', 'TXT', 'CNAME'])

type DomainRecord = {
  readonly id: number
  readonly type: string
  readonly name: string
  readonly data: string
  readonly priority: number | null
  readonly ttl: number
}

type Page = {
  readonly domain_records?: readonly DomainRecord[]
  readonly links?: { readonly pages?: { readonly next?: string } }
}

export type DigitalOceanSettings = { readonly token: string; readonly base?: string | undefined }

export function digitalOceanDriver(
  { token, base = BASE }: DigitalOceanSettings,
  { clock }: Pick<ApiSettings, 'clock'>,
): Driver {
  const api = jsonApi({ base, clock }, { token, explain })
  const kept = (zone: Zone, name: string, signal?: AbortSignal) =>
    readAll(api, zone, { name, signal })
  return {
    provider: 'digitalocean',
    async zoneOf(name, signal) {
      for (const above of possibleZones(name)) {
        const found = await api.call<{ domain?: { name: string } }>('GET', `/domains/${above}`, {
          signal,
        })
        if (found?.domain) return { name: above, id: above }
      }
      throw new PublishFault('NO_ZONE', `this token of DigitalOcean sees no domain with ${name}`)
    },
    async read(zone, name, signal) {
      return (await kept(zone, name, signal)).map(({ record }) => record)
    },
    apply(zone, changes, signal) {
      const path = `/domains/${zone.id}/records`
      return oneByOne(changes, {
        read: (name) => kept(zone, name, signal),
        create: async (record) =>
          void (await api.call('POST', path, { body: bodyOf(record, zone), signal })),
        update: async (id, record) =>
          void (await api.call('PUT', `${path}/${id}`, { body: bodyOf(record, zone), signal })),
        remove: async (id) => void (await api.call('DELETE', `${path}/${id}`, { signal })),
      })
    },
  }
}

/** `{ id: 'unauthorized', message: '…' }` */
function explain(answer: unknown): string | undefined {
  return (answer as { message?: string } | undefined)?.message
}

async function readAll(
  api: JsonApi,
  zone: Zone,
  { name, signal }: { readonly name: string; readonly signal: AbortSignal | undefined },
): Promise<KeptRecord[]> {
  const kept: KeptRecord[] = []
  for (let page = 1; page <= MOST_PAGES; page++) {
    const query = `name=${encodeURIComponent(name)}&per_page=${PER_PAGE}&page=${page}`
    const answer = await api.call<Page>('GET', `/domains/${zone.id}/records?${query}`, { signal })
    for (const one of answer?.domain_records ?? []) {
      const record = recordOf(one, zone)
      if (record?.name === name) kept.push({ id: String(one.id), record })
    }
    if (answer?.links?.pages?.next === undefined) break
  }
  return kept
}

function recordOf(one: DomainRecord, zone: Zone): ZoneRecord | undefined {
  if (!TYPES.has(one.type)) return undefined
  const type = one.type as RecordType
  // `@` stands for the domain in values too.
  const data = type === 'TXT' ? one.data : one.data === '@' ? zone.name : plainName(one.data)
  return {
    type,
    name: absoluteName(plainName(one.name), zone),
    value: type === 'MX' ? `${one.priority ?? 0} ${data}` : data,
    ttlSeconds: one.ttl,
  }
}

function bodyOf({ type, name, value, ttlSeconds }: ZoneRecord, zone: Zone) {
  const [priority, host] = type === 'MX' ? value.split(' ') : []
  const isTarget = type === 'MX' || type === 'CNAME'
  return {
    type,
    name: relativeName(name, zone),
    data: isTarget ? `${host ?? value}.` : value,
    ttl: Math.max(ttlSeconds, LEAST_TTL_SECONDS),
    ...(priority !== undefined && { priority: Number(priority) }),
  }
}
