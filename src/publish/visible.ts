import type { Clock } from '../std/clock.ts'
import type { Visibility, ZoneRecord } from './publisher.ts'

/** What one authoritative server says of a name and type; `values` is undefined when it did not say. */
export type ServerSays = {
  readonly server: string
  readonly values: readonly string[] | undefined
  readonly why?: string
}

/** Asks every authoritative server of the zone that holds `name`; empty when none can be found. */
export type Authorities = (name: string, type: ZoneRecord['type']) => Promise<readonly ServerSays[]>

type Wanted = Pick<ZoneRecord, 'name' | 'type' | 'value'>

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 10_000

/** Asks again, in growing pauses, until every server shows every record or time runs out. */
export async function untilVisible(
  records: readonly Wanted[],
  options: {
    readonly authorities: Authorities
    readonly clock: Clock
    readonly timeoutMs: number
    readonly signal?: AbortSignal
  },
): Promise<Visibility> {
  const { clock, timeoutMs, signal } = options
  const end = clock.elapsed() + timeoutMs
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const { servers, waitingFor } = await look(records, options.authorities)
    if (waitingFor.length === 0) return { visible: true, servers }
    if (signal?.aborted || clock.elapsed() + pause > end) return { visible: false, waitingFor }
    await clock.sleep(pause, signal).catch(() => {})
  }
}

async function look(records: readonly Wanted[], authorities: Authorities) {
  const servers = new Set<string>()
  const waitingFor = new Set<string>()
  for (const record of records) {
    const says = await authorities(record.name, record.type)
    if (says.length === 0) waitingFor.add(`name servers of ${record.name}`)
    for (const { server, values, why } of says) {
      servers.add(server)
      if (!values?.includes(record.value))
        waitingFor.add(why === undefined ? server : `${server} (${why})`)
    }
  }
  return { servers: [...servers], waitingFor: [...waitingFor] }
}
