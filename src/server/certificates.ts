// The configuration's certificates, for the room that keeps them.

import { join } from 'node:path'
import type { Dependencies } from '../api/control.ts'
import { Certificates } from '../certificates/certificates.ts'
import { HttpChallenges, type TxtPublisher } from '../certificates/challenge.ts'
import type { CertificatePlace } from '../certificates/read.ts'
import type { Config, ListenerConfig } from '../config/schema.ts'
import type { Metrics } from '../std/metrics.ts'
import { systemRandom } from '../std/random.ts'

export type CertificateHouse = {
  readonly certificates: Certificates
  /** What our HTTP door answers to http-01. */
  readonly challenges: HttpChallenges
}

const FOLDER = 'certificates'
const CERTIFICATES_SHOWN = 100

/** Reads every certificate; nothing is watched or renewed before start(). */
export async function openCertificates(
  config: Config,
  deps: Dependencies & {
    readonly listeners: readonly Pick<ListenerConfig, 'tls' | 'address'>[]
    /** Sets what dns-01 asks for; absent where no DNS provider is configured. */
    readonly publisher: TxtPublisher | undefined
  },
): Promise<CertificateHouse> {
  const { clock, log, listeners, publisher } = deps
  const challenges = new HttpChallenges()
  const { acme } = config.tls
  const certificates = await Certificates.open({
    folder: join(config.data, FOLDER),
    hostname: config.hostname,
    places: placesOf(config),
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

/** Seconds that each certificate still has, at each scrape. */
export function watchCertificates(
  { certificates }: CertificateHouse,
  { metrics, now }: { readonly metrics: Metrics; readonly now: () => number },
): void {
  metrics.gauge('posthorn_certificate_expires_seconds', {
    help: 'Seconds until a certificate expires; negative when it has.',
    labels: ['name', 'source'],
    read: async (gauge) => {
      gauge.reset()
      for (const { name, source, certificate } of (await certificates.states()).slice(0, CERTIFICATES_SHOWN))
        if (certificate) gauge.set({ name, source }, (certificate.expiresAt - now()) / 1_000)
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
