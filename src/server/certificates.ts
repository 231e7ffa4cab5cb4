// The configuration's certificates, for the room that keeps them.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { CertificateControl } from '../api/certificates.ts'
import type { Dependencies } from '../api/control.ts'
import { Certificates } from '../certificates/certificates.ts'
import { HttpChallenges, type TxtPublisher } from '../certificates/challenge.ts'
import type { CertificatePlace } from '../certificates/read.ts'
import type { Config, ListenerConfig } from '../config/schema.ts'
import { type Publisher, plainName } from '../publish/publisher.ts'
import type { Clock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'
import type { Metrics } from '../std/metrics.ts'
import { systemRandom } from '../std/random.ts'

export type CertificateHouse = {
  readonly certificates: Certificates
  /** What our HTTP door answers to http-01. */
  readonly challenges: HttpChallenges
}

const FOLDER = 'certificates'
const CERTIFICATES_SHOWN = 100
const TXT_TTL = 60
const VISIBLE_MS = 5 * 60_000

/** Reads every certificate; nothing is watched or renewed before start(). */
export async function openCertificates(
  config: Config,
  deps: Dependencies & {
    /** Sets what dns-01 asks for; absent where no DNS provider is configured. */
    readonly publisher: TxtPublisher | undefined
  },
): Promise<CertificateHouse> {
  const { clock, log, publisher } = deps
  const listeners = [config.smtp, ...Object.values(config.listeners)]
  const challenges = new HttpChallenges()
  const { acme } = config.tls
  const certificates = await Certificates.open({
    folder: join(config.data, FOLDER),
    hostname: config.hostname,
    places: placesOf(config),
    clientAuthorities: await clientAuthoritiesIn(config.auth.clientAuthorities, log),
    ...(acme.domains.length > 0 && { acme: acmeOf(config, { challenges, publisher }) }),
    authority: {
      needed: listeners.some(({ tls }) => tls !== 'none'),
      names: localNames(config, listeners),
    },
    clock,
    log,
  })
  return { certificates, challenges }
}

/** Without them AUTH EXTERNAL is not offered, and all else works. */
async function clientAuthoritiesIn(path: string | null, log: Log): Promise<string | undefined> {
  if (path === null) return undefined
  try {
    const pem = await readFile(path, 'utf8')
    createSecureContext({ ca: pem })
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('no certificate in it')
    return pem
  } catch (error) {
    log.error({ file: path, error: String(error) }, 'auth.client_authorities cannot be used')
    return undefined
  }
}

export function certificateVerbs({
  certificates,
  challenges,
}: CertificateHouse): CertificateControl {
  return {
    certificates: () => certificates.states(),
    renewCertificates: () => certificates.renew(),
    rootCertificate: ({ make } = { make: false }) =>
      make ? certificates.makeRoot() : certificates.root(),
    acmeAnswer: (token) => challenges.answer(token),
  }
}

/** dns-01 through what publishes our other records: every server of the zone shows it before we go on. */
export function txtPublisher(publisher: Publisher | undefined): TxtPublisher | undefined {
  if (!publisher) return undefined
  const change = async (kind: 'add' | 'remove', name: string, value: string) => {
    const record = { name: plainName(name), type: 'TXT', value, ttlSeconds: TXT_TTL } as const
    const zone = await publisher.zoneOf(record.name)
    for (const result of await publisher.apply(zone, [{ kind, record }]))
      if (!result.done) throw new Error(`${record.name}: ${result.why}`)
    return record
  }
  return {
    async setTxt(name, value) {
      const record = await change('add', name, value)
      const seen = await publisher.waitUntilVisible([record], { timeoutMs: VISIBLE_MS })
      if (!seen.visible)
        throw new Error(`${record.name} is not shown by ${seen.waitingFor.join(', ')}`)
    },
    async removeTxt(name, value) {
      await change('remove', name, value)
    },
  }
}

/** Seconds that each certificate still has, at each scrape. */
export function watchCertificates(
  { certificates }: CertificateHouse,
  { metrics, clock }: { readonly metrics: Metrics; readonly clock: Clock },
): void {
  metrics.gauge('posthorn_certificate_expires_seconds', {
    help: 'Seconds until a certificate expires; negative when it has.',
    labels: ['name', 'source'],
    read: async (gauge) => {
      gauge.reset()
      for (const { name, source, certificate } of (await certificates.states()).slice(
        0,
        CERTIFICATES_SHOWN,
      ))
        if (certificate) gauge.set({ name, source }, (certificate.expiresAt - clock.now()) / 1_000)
    },
  })
  metrics.gauge('posthorn_certificate_faults', {
    help: 'Certificates whose files are faulty now.',
    read: async (gauge) => {
      const states = await certificates.states()
      gauge.set(states.filter(({ faults }) => faults.some(({ level }) => level === 'error')).length)
    },
  })
}

function placesOf({ tls, certificates }: Config): CertificatePlace[] {
  const all = tls.certificate === null ? [] : [{ ...tls, certificate: tls.certificate }]
  return [...all, ...Object.values(certificates)].map(({ certificate, key, chain }) => ({
    certificate,
    ...(key !== null && { key }),
    ...(chain !== null && { chain }),
  }))
}

function acmeOf(
  config: Config,
  by: { readonly challenges: HttpChallenges; readonly publisher: TxtPublisher | undefined },
) {
  const { acme } = config.tls
  const { keyId, keySecret: secret } = acme
  const ownPort = acme.httpPort !== null && acme.httpPort !== config.http.port
  return {
    account: {
      directory: acme.directory,
      ...(acme.email !== null && { email: acme.email }),
      ...(keyId !== null && secret !== null && { external: { keyId, secret } }),
    },
    ...(acme.authority !== null && { trustFile: acme.authority }),
    names: acme.domains,
    proof:
      acme.challenge === 'dns-01'
        ? { kind: acme.challenge, publisher: by.publisher }
        : {
            kind: acme.challenge,
            challenges: by.challenges,
            ...(ownPort && { listen: { address: acme.httpAddress, port: acme.httpPort } }),
          },
    random: systemRandom,
  } as const
}

/** Every name under which a client of this machine or network may call us. */
function localNames(
  { hostname, http, tls }: Config,
  listeners: readonly Pick<ListenerConfig, 'address'>[],
): string[] {
  const addresses = listeners
    .map(({ address }) => address)
    .filter((address) => address !== '0.0.0.0' && address !== '::')
  const always = [hostname, 'localhost', '127.0.0.1', '::1']
  return [...new Set([...always, ...addresses, ...http.hosts, ...tls.names])]
}
