// The machine's own resolver configuration (resolv.conf(5)).

import { isIP } from 'node:net'
import type { DnsServer } from './exchange.ts'

const MOST_SERVERS = 3
const DNS_PORT = 53

/** The servers that a resolv.conf names, at most three; 127.0.0.1 when it names none. */
export function systemServers(resolvConf: string): DnsServer[] {
  const servers: DnsServer[] = []
  for (const [keyword, value] of lines(resolvConf)) {
    if (keyword !== 'nameserver' || value === undefined) continue
    if (isIP(value.split('%')[0]!) === 0) continue
    if (servers.length < MOST_SERVERS) servers.push({ address: value, port: DNS_PORT })
  }
  return servers.length > 0 ? servers : [{ address: '127.0.0.1', port: DNS_PORT }]
}

/** Whether the administrator wrote `options trust-ad`: the way to these servers is trusted. */
export function systemTrustsAd(resolvConf: string): boolean {
  return lines(resolvConf).some(
    ([keyword, ...options]) => keyword === 'options' && options.includes('trust-ad'),
  )
}

function lines(text: string): string[][] {
  return text.split('\n').map((line) =>
    line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/),
  )
}
