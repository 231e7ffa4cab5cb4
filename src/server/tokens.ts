import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config, RelayConfig } from '../config/schema.ts'
import { TokenSource } from '../delivery/token.ts'
import type { Clock } from '../std/clock.ts'
import { replaceFile } from '../std/durable.ts'
import type { Log } from '../std/log.ts'

/**
 * The token sources of the configured relays. A provider may replace the refresh token; the newest is
 * kept in the data folder's `tokens/`, under a name that follows from the configured one.
 */
export async function tokensOf(
  config: Config,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<ReadonlyMap<RelayConfig, TokenSource>> {
  const sources = new Map<RelayConfig, TokenSource>()
  const relays = [...(config.relayhost ? [config.relayhost] : []), ...Object.values(config.routes)]
  const folder = join(config.data, 'tokens')
  for (const relay of relays) {
    if (relay.oauth === null) continue
    const { clientId, clientSecret, refreshToken, accessToken, endpoint } = relay.oauth
    const name = createHash('sha256').update(refreshToken).digest('hex').slice(0, 32)
    const kept = await readFile(join(folder, name), 'utf8').catch(() => '')
    const keep = async (text: string): Promise<void> => {
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        await replaceFile(join(folder, name), text, { mode: 0o600 })
      } catch (error) {
        log.error({ error: String(error) }, 'a new refresh token could not be kept')
      }
    }
    const options = {
      endpoint,
      refreshToken: kept.trim() || refreshToken,
      ...(clientId !== null && { clientId }),
      ...(clientSecret !== null && { clientSecret }),
      ...(accessToken !== null && kept === '' && { accessToken }),
    }
    sources.set(relay, new TokenSource(options, { clock, keep }))
  }
  return sources
}
