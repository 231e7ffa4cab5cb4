// What a translation may ask of this machine: files (below another root when one is given), its
// networks and its gateways.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { Surroundings, Translation } from '../dropin/draft.ts'
import type { World } from './world.ts'

const LONGEST_FILE = 16 * 1024 * 1024

/** @param root stands in for `/`, for trying things out */
export function surroundingsOf(world: World, root: string): Surroundings {
  const read = (path: string): string | undefined => {
    try {
      const place = join(root, path)
      const found = statSync(place)
      return (found.isFile() && found.size <= LONGEST_FILE) || path.startsWith('/proc/')
        ? readFileSync(place, 'utf8')
        : undefined
    } catch {
      return undefined
    }
  }
  const routes = read('/proc/net/route') ?? ''
  return {
    read,
    list(path) {
      try {
        return readdirSync(join(root, path))
      } catch {
        return []
      }
    },
    machineName: world.machineName,
    interfaces: ownNetworks(),
    gateways: gatewaysIn(routes),
  }
}

/** IPv4 networks of this machine's interfaces but loopback, as `172.17.0.2/16`. */
function ownNetworks(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ internal, family, cidr }) => !internal && family === 'IPv4' && cidr !== null)
    .map(({ cidr }) => cidr!)
}

/** The default routes of /proc/net/route, whose addresses are in hexadecimal, least octet first. */
function gatewaysIn(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [, destination, gateway = ''] = line.split('\t')
    if (destination !== '00000000' || !/^[0-9A-F]{8}$/.test(gateway)) return []
    const octets = gateway.match(/../g) ?? []
    return [
      octets
        .reverse()
        .map((octet) => Number.parseInt(octet, 16))
        .join('.'),
    ]
  })
}

/** Where volumes are mounted, out of /proc/self/mounts. */
export function mountsIn(text: string): string[] {
  return text.split('\n').map((line) => line.split(' ')[1] ?? '')
}

/** The options that hold paths point below the root. */
export function belowRoot(tree: Translation['tree'], root: string): Record<string, unknown> {
  if (root === '/') return { ...tree }
  const walk = (node: unknown, name: string): unknown => {
    if (typeof node === 'string') {
      if (!PATHS.test(name)) return node
      return node.replace(
        /^(regexp:|texthash:)?(\/.*)$/,
        (_, type = '', path) => type + join(root, path),
      )
    }
    if (Array.isArray(node)) return node.map((item) => walk(item, name))
    if (typeof node !== 'object' || node === null) return node
    return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, walk(item, key)]))
  }
  return walk(tree, '') as Record<string, unknown>
}

const PATHS =
  /^(key|certificate|chain|data|aliases|canonical|sender_canonical|recipient_canonical|header_rules)$/
