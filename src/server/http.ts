import type { AddressInfo } from 'node:net'
import { makeApp } from '../api/app.ts'
import type { Control, Dependencies } from '../api/control.ts'
import { ensureToken } from '../api/token.ts'
import type { Config } from '../config/schema.ts'

export type Http = AsyncDisposable & {
  readonly place: { readonly address: string; readonly port: number }
}

/** Opens the HTTP port over the control. Rejects with the system's error. */
export async function openHttp(
  control: Control,
  config: Config,
  { clock, log }: Dependencies,
): Promise<Http> {
  const token = await ensureToken(config.data)
  const hosts = [config.hostname, ...config.http.hosts]
  const app = makeApp(control, { token, hosts, clock, log })
  const { address, port } = config.http
  await app.listen({ host: address, port })
  const taken = app.server.address() as AddressInfo
  return {
    place: { address, port: taken.port },
    [Symbol.asyncDispose]: () => app.close(),
  }
}
