// Where the server of a data folder listens, told by the server itself: its configuration may have
// come from flags and variables that the next command line does not know.

import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../std/durable.ts'

const NAME = 'running.json'

/** Notes the address; the returned function forgets it when the server stops. */
export async function noteRunning(
  dataFolder: string,
  http: { readonly address: string; readonly port: number },
): Promise<() => Promise<void>> {
  const path = join(dataFolder, NAME)
  await replaceFile(path, `${JSON.stringify({ http: baseUrl(http.address, http.port) })}\n`)
  return () => rm(path, { force: true })
}

/** Undefined: no server runs here, or it was killed before it had noted anything. */
export async function readRunning(dataFolder: string): Promise<string | undefined> {
  try {
    const { http } = JSON.parse(await readFile(join(dataFolder, NAME), 'utf8')) as {
      http?: unknown
    }
    return typeof http === 'string' && /^http:\/\/[\w.:[\]-]+$/.test(http) ? http : undefined
  } catch {
    return undefined
  }
}

/** How this machine reaches a listener; "every address" is reached by loopback. */
export function baseUrl(address: string, port: number): string {
  return `http://${bracketed(reachable(address))}:${port}`
}

export function reachable(address: string): string {
  return address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address
}

export function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}
