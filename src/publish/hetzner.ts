// The DNS of Hetzner's Cloud API, version 1: sets of records, changed by actions that take a moment.

import { joinedStrings, quotedStrings } from '../dns/character-strings.ts'
import type { Clock } from '../std/clock.ts'
import { type JsonApi, jsonApi } from './http.ts'
import {
  absoluteName,
  type Change,
  type ChangeResult,
  type Driver,
  PublishFault,
  plainName,
  possibleZones,
  type RecordType,
  relativeName,
  type Zone,
  type ZoneRecord,
} from './publisher.ts'
import { namesOf, type SetChange, setChanges } from './sets.ts'

const BASE = 'https://api.hetzner.cloud/v1'
const TYPES = new Set<string>(['A', 'AAAA', 'MX', 'TXT', 'CNAME'])
const LEAST_TTL_SECONDS = 60
const DEFAULT_TTL_SECONDS = 3600
const ACTION_LOOKS = 40
const ACTION_PAUSE_MS = 500

type RecordSet = {
  readonly name: string
  readonly type: string
  readonly ttl: number | null
  readonly records: readonly { readonly value: string }[]
}

type Action = {
  readonly id: number
  readonly status: 'running' | 'success' | 'error'
  readonly error?: { readonly message?: string } | null
}

export type HetznerSettings = { readonly token: string; readonly base?: string | undefined }

export function hetznerDriver(
  { token, base = BASE }: HetznerSettings,
  { clock }: { readonly clock: Clock },
): Driver {
  const api = jsonApi({ base, clock }, { token, explain })
  const read = async (zone: Zone, name: string, signal?: AbortSignal): Promise<ZoneRecord[]> => {
    const query = `name=${encodeURIComponent(relativeName(name, zone))}&per_page=50`
    const path = `/zones/${zone.id}/rrsets?${query}`
    const answer = await api.call<{ rrsets: readonly RecordSet[] }>('GET', path, { signal })
    return (answer?.rrsets ?? [])
      .flatMap((set) => recordsOf(set, zone))
      .filter((record) => record.name === name)
  }
  return {
    provider: 'hetzner',
    async zoneOf(name, signal) {
      for (const above of possibleZones(name)) {
        const path = `/zones?name=${encodeURIComponent(above)}`
        const answer = await api.call<{ zones: { id: number; name: string }[] }>('GET', path, {
          signal,
        })
        const zone = answer?.zones.find((one) => plainName(one.name) === above)
        if (zone) return { name: above, id: String(zone.id) }
      }
      throw new PublishFault('NO_ZONE', `this token of Hetzner sees no zone with ${name}`)
    },
    read,
    apply: (zone, changes, signal) => apply(changes, { api, zone, clock, read, signal }),
  }
}

/** `{ error: { code, message } }` */
function explain(answer: unknown): string | undefined {
  return (answer as { error?: { message?: string } } | undefined)?.error?.message
}

function recordsOf({ name, type, ttl, records }: RecordSet, zone: Zone): ZoneRecord[] {
  if (!TYPES.has(type)) return []
  return records.map(({ value }) => ({
    name: absoluteName(plainName(name), zone),
    type: type as RecordType,
    value: type === 'TXT' ? joinedStrings(value) : plainName(value),
    ttlSeconds: ttl ?? DEFAULT_TTL_SECONDS,
  }))
}

type Job = {
  readonly api: JsonApi
  readonly zone: Zone
  readonly clock: Clock
  readonly read: Driver['read']
  readonly signal: AbortSignal | undefined
}

/** Set by set; when one fails the rest is not tried, and every change shares the fate of its set. */
async function apply(changes: readonly Change[], job: Job): Promise<readonly ChangeResult[]> {
  const failures = new Map<string, string>()
  let failed: string | undefined
  try {
    const current = await Promise.all(
      namesOf(changes).map((name) => job.read(job.zone, name, job.signal)),
    )
    for (const set of setChanges(changes, current.flat())) {
      if (failed === undefined)
        failed = await applySet(set, job).then(
          () => undefined,
          (error: unknown) => (error instanceof Error ? error.message : String(error)),
        )
      if (failed !== undefined) failures.set(`${set.name} ${set.type}`, failed)
    }
  } catch (error) {
    failed = error instanceof Error ? error.message : String(error)
    for (const { record } of changes) failures.set(`${record.name} ${record.type}`, failed)
  }
  return changes.map((change) => {
    const why = failures.get(`${change.record.name} ${change.record.type}`)
    return why === undefined ? { change, done: true } : { change, done: false, why }
  })
}

async function applySet({ name, type, before, after }: SetChange, job: Job): Promise<void> {
  const { api, zone, signal } = job
  const sets = `/zones/${zone.id}/rrsets`
  const relative = relativeName(name, zone)
  const one = `${sets}/${encodeURIComponent(relative)}/${type}`
  const records = after.map((record) => ({ value: wireValue(record) }))
  const ttl = Math.max(...after.map(({ ttlSeconds }) => ttlSeconds), LEAST_TTL_SECONDS)
  const answer =
    after.length === 0
      ? await api.call<{ action?: Action }>('DELETE', one, { signal })
      : before.length === 0
        ? await api.call<{ action?: Action }>('POST', sets, {
            body: { name: relative, type, ttl, records },
            signal,
          })
        : await api.call<{ action?: Action }>('POST', `${one}/actions/set_records`, {
            body: { records },
            signal,
          })
  if (answer === undefined && after.length > 0)
    throw new PublishFault('REFUSED', `${name} ${type}: it is gone`)
  if (answer?.action) await finished(answer.action, job)
}

/** Changes are done when their action is. */
async function finished(action: Action, { api, clock, signal }: Job): Promise<void> {
  let now: Action | undefined = action
  for (let look = 0; now?.status === 'running' && look < ACTION_LOOKS; look++) {
    await clock.sleep(ACTION_PAUSE_MS, signal)
    now = (await api.call<{ action: Action }>('GET', `/actions/${action.id}`, { signal }))?.action
  }
  if (now?.status === 'success') return
  throw new PublishFault('REFUSED', now?.error?.message ?? 'the action did not end')
}

function wireValue({ type, value }: ZoneRecord): string {
  if (type === 'TXT') return quotedStrings(value).join(' ')
  return type === 'MX' || type === 'CNAME' ? `${value}.` : value
}
