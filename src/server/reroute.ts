import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Delivery } from '../delivery/deliver.ts'
import type { RouteConfig } from '../delivery/route.ts'
import { replaceFile } from '../std/durable.ts'
import type { Store } from '../store/store.ts'

/**
 * Queued mail waits under the site that routing named when it was accepted. When the routing of the
 * configuration is another than at the last start, all of it is filed anew; else nothing is read.
 */
export async function reroute(
  store: Store,
  { data, routes, delivery }: { data: string; routes: RouteConfig; delivery: Delivery },
): Promise<void> {
  const { relayhost, routes: byDomain } = routes
  const plain = JSON.stringify([relayhost?.host, relayhost?.port, relayhost?.username, ...byDomain])
  const now = createHash('sha256').update(plain).digest('hex')
  const file = join(data, 'routing')
  const before = await readFile(file, 'utf8').catch(() => '')
  if (before.trim() === now) return
  await store.reroute(delivery.siteOf)
  await replaceFile(file, `${now}\n`, { mode: 0o600 })
}
