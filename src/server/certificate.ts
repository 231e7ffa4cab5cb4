import { readFile } from 'node:fs/promises'
import { type ServerCertificate, serverCertificate } from '../smtp/tls.ts'
import type { Clock, Timer } from '../std/clock.ts'
import type { Log } from '../std/log.ts'

const LOOK_EVERY_MS = 60_000

export type CertificateFiles = { readonly certificate: string; readonly key: string }

/**
 * Reads the certificate now, and again when its files change (certbot and its like renew them in
 * place). A pair that cannot be read leaves the old one in use and says so.
 * @param use called with each certificate that can be used
 */
export async function watchCertificate(
  files: CertificateFiles,
  deps: { clock: Clock; log: Log; use: (read: ReadCertificate) => void },
): Promise<Disposable> {
  const { clock, log, use } = deps
  let texts = ''
  let timer: Timer | undefined
  let stopped = false
  const look = async () => {
    try {
      const [chain, key] = await Promise.all([
        readFile(files.certificate, 'utf8'),
        readFile(files.key, 'utf8'),
      ])
      if (chain + key !== texts) {
        use((listener) => serverCertificate(key, chain, listener))
        if (texts !== '') log.info({ certificate: files.certificate }, 'certificate renewed')
        texts = chain + key
      }
    } catch (error) {
      log.error({ certificate: files.certificate, error: String(error) }, 'certificate unusable')
    }
    if (!stopped) timer = clock.after(LOOK_EVERY_MS, () => void look())
  }
  await look()
  return {
    [Symbol.dispose]() {
      stopped = true
      timer?.cancel()
    },
  }
}

/** Makes a listener's own certificate of what was read: session tickets belong to one listener. */
export type ReadCertificate = (listener: string) => ServerCertificate
