// The certificates of the listeners: where they come from, what is wrong with them, how they stay
// fresh. read.ts finds files, examine.ts judges them (fault.ts has the words), choose.ts makes of the
// good ones what a listener offers by name. renewal.ts keeps an ACME certificate, order.ts gets one,
// authority.ts signs our own where nobody gave any. This file puts them together: it looks at
// everything again when a folder changes and once a minute, tells its followers when something can
// be used that could not before, and keeps the last good certificate where a new one is faulty.
// Sessions that are open keep what they have; only handshakes to come see the new one.
//
// What can go wrong is a CertificateFault, told once in the log and shown until it is mended.

import { X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import type { Clock, Timer } from '../std/clock.ts'
import type { Log } from '../std/log.ts'
import { ensureLeaf, ensureRoot, readRoot } from './authority.ts'
import { chooser, type MakeCertificate } from './choose.ts'
import { type CertificateFault, describeFault } from './fault.ts'
import { type Holding, hold, isFaulty, stateOf, withHost } from './holding.ts'
import { type CertificatePlace, foldersOf, readPlace } from './read.ts'
import { Renewal, type RenewalOptions } from './renewal.ts'
import type { CertificateSource, CertificateState, RenewalView } from './state.ts'
import { FolderWatch } from './watch.ts'

export type CertificatesOptions = {
  /** Where ours are kept; made when it is needed. */
  readonly folder: string
  /** What clients know us as. */
  readonly hostname: string
  /** PEM of the authorities whose client certificates count. */
  readonly clientAuthorities?: string | undefined
  readonly places: readonly CertificatePlace[]
  readonly acme?: Omit<RenewalOptions, 'folder' | 'clock' | 'log'>
  /** Whether a listener needs a certificate though none is given, and what it is to name. */
  readonly authority: { readonly needed: boolean; readonly names: readonly string[] }
  readonly clock: Clock
  readonly log: Log
}

type Use = (make: MakeCertificate | undefined) => void
type Source = { readonly place: CertificatePlace; readonly source: CertificateSource }

const LOOK_EVERY_MS = 60_000
/** A renewal writes two files: what does not fit together is looked at again before it is told. */
const SETTLE_MS = 2_000

export class Certificates implements AsyncDisposable {
  readonly #options: CertificatesOptions
  readonly #renewal: Renewal | undefined
  readonly #followers = new Set<Use>()
  readonly #told = new Map<string, string>()
  #holdings: readonly Holding[] = []
  #make: MakeCertificate | undefined
  #local: { readonly path: string; readonly renewAt: number } | undefined
  #rootSubjects: ReadonlySet<string> | undefined
  #watch: FolderWatch | undefined
  readonly #timers = new Set<Timer>()
  #looking: Promise<void> = Promise.resolve()
  #ticking: Promise<void> = Promise.resolve()
  #stopped = false

  private constructor(options: CertificatesOptions, renewal: Renewal | undefined) {
    this.#options = options
    this.#renewal = renewal
  }

  /** Reads what is there; faults are told, not thrown. */
  static async open(options: CertificatesOptions): Promise<Certificates> {
    const { acme, folder, clock, log } = options
    const renewal = acme && (await Renewal.open({ ...acme, folder, clock, log }))
    const certificates = new Certificates(options, renewal)
    await certificates.#look({ patient: false })
    return certificates
  }

  /** Calls `use` now, and whenever what is in force changes; undefined is no certificate at all. */
  follow(use: Use): void {
    this.#followers.add(use)
    use(this.#make)
  }

  /** Begins to watch the files and to renew. */
  start(): void {
    const { clock, log } = this.#options
    const onChange = () => void this.#look({ patient: true })
    this.#watch = new FolderWatch({ clock, log, onChange })
    this.#ticking = this.#tick()
  }

  /** Reads files again, and gets new certificates where they are ours to get. */
  async renew(): Promise<readonly CertificateState[]> {
    if (this.#local) await this.#sign({ anew: true })
    await this.#renewal?.renew()
    await this.#look({ patient: false })
    return this.states()
  }

  /** What the doctor, the metrics and the command line tell. */
  async states(): Promise<readonly CertificateState[]> {
    const acme = await this.#renewal?.view()
    const now = this.#options.clock.now()
    return this.#holdings.map((one) => stateOf(one, { now, renewal: this.#renewalOf(one, acme) }))
  }

  /** The root of our own authority, PEM; undefined when it was never needed. */
  root(): Promise<string | undefined> {
    return readRoot(this.#options.folder)
  }

  /** The same, made when there is none. Throws what the disk says. */
  async makeRoot(): Promise<string> {
    return (await ensureRoot(this.#authority())).cert
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true
    this.#watch?.[Symbol.dispose]()
    for (const timer of this.#timers) timer.cancel()
    await this.#renewal?.stop()
    await this.#ticking
    await this.#looking
  }

  async #tick(): Promise<void> {
    if (this.#stopped) return
    const fresh = await this.#renewal?.tick()
    await this.#look({ patient: !fresh })
    this.#later(LOOK_EVERY_MS, () => {
      this.#ticking = this.#tick()
    })
  }

  #later(ms: number, then: () => void): void {
    if (this.#stopped) return
    const timer = this.#options.clock.after(ms, () => {
      this.#timers.delete(timer)
      then()
    })
    this.#timers.add(timer)
  }

  /** Reads everything, one look after the other. */
  #look(how: { readonly patient: boolean }): Promise<void> {
    this.#looking = this.#looking
      .then(() => this.#lookNow(how))
      .catch((error: unknown) => {
        this.#options.log.error({ error: String(error) }, 'the certificates could not be looked at')
      })
    return this.#looking
  }

  async #lookNow({ patient }: { readonly patient: boolean }): Promise<void> {
    const sources = await this.#sources()
    const read: Holding[] = []
    for (const source of sources) read.push(...(await this.#read(source)))
    const holdings = withHost(read, this.#options.hostname)
    const before = new Map(this.#holdings.map((one) => [one.path, one]))
    const unsettled = (one: Holding) =>
      patient && one.good && isFaulty(one) && before.get(one.path)?.seen !== one.seen
    if (holdings.some(unsettled)) this.#later(SETTLE_MS, () => void this.#look({ patient: true }))
    for (const one of holdings) if (!unsettled(one)) this.#tell(one, before.get(one.path))
    this.#take(holdings)
    const folders = await Promise.all(sources.map(({ place }) => foldersOf(place)))
    if (!this.#stopped) this.#watch?.over(folders.flat())
  }

  async #sources(): Promise<readonly Source[]> {
    const { places, authority } = this.#options
    const sources: Source[] = places.map((place) => ({ place, source: 'files' }))
    if (this.#renewal) sources.push({ place: { certificate: this.#renewal.path }, source: 'acme' })
    if (sources.length > 0 || !authority.needed) return sources
    const { path } = await this.#sign({ anew: false })
    return [{ place: { certificate: path }, source: 'authority' }]
  }

  /** Our own authority's certificate, made or renewed when that is due. */
  async #sign({ anew }: { readonly anew: boolean }) {
    const due = !this.#local || this.#local.renewAt <= this.#options.clock.now()
    if (anew || due || !this.#local) this.#local = await ensureLeaf({ ...this.#authority(), anew })
    return this.#local
  }

  #authority() {
    const { folder, authority, clock } = this.#options
    return { folder, names: authority.names, clock }
  }

  async #read({ place, source }: Source): Promise<readonly Holding[]> {
    const { clock } = this.#options
    const own = this.#holdings.filter((one) => one.place === place.certificate)
    const options = {
      place: place.certificate,
      source,
      now: clock.now(),
      roots: () => this.#roots(),
    }
    const found = (await readPlace(place)).map((read) => {
      const before = own.find((one) => one.path === read.path)
      const holding = hold(read, before, options)
      // What nobody has issued yet is no missing file; the renewal tells how it stands.
      const awaited =
        source === 'acme' && holding.faults.every(({ code }) => code === 'FILE_MISSING')
      return awaited ? { ...holding, faults: [] } : holding
    })
    // A folder that cannot be read now held something before.
    const lost = found.length === 1 && found[0]!.path === place.certificate && isFaulty(found[0]!)
    return lost
      ? [...found, ...own.filter((one) => one.good && one.path !== place.certificate)]
      : found
  }

  /** Subjects of the authorities that Node knows, and with it most clients. */
  #roots(): ReadonlySet<string> {
    this.#rootSubjects ??= new Set(rootCertificates.map((pem) => new X509Certificate(pem).subject))
    return this.#rootSubjects
  }

  #renewalOf({ source }: Holding, acme: RenewalView | undefined): RenewalView | null {
    if (source === 'acme') return acme ?? null
    if (source === 'files') return null
    return { nextAt: this.#local?.renewAt ?? null, failures: 0, lastFailure: null }
  }

  /** Each thing once, until it changes. */
  #tell(holding: Holding, before: Holding | undefined): void {
    const { log } = this.#options
    const { path, good, faults } = holding
    if (good && good.print !== before?.good?.print) {
      const { names, issuer, expiresAt } = good.view
      const says = before?.good ? 'certificate renewed' : 'certificate in use'
      log.info(
        { certificate: path, names, issuer, expires: new Date(expiresAt).toISOString() },
        says,
      )
    }
    const told = faults.map(({ code, says }) => `${code} ${says.en}`).join('\n')
    if (this.#told.get(path) === told) return
    this.#told.set(path, told)
    for (const one of faults) this.#tellFault(one, holding)
  }

  #tellFault(fault: CertificateFault, { path, good }: Holding): void {
    const { log } = this.#options
    const fields = { certificate: path, fault: fault.code }
    const kept = good ? ' The last good one stays in use.' : ''
    if (fault.level === 'warning') log.warn(fields, describeFault(fault))
    else log.error(fields, `${describeFault(fault)}${kept}`)
  }

  #take(holdings: readonly Holding[]): void {
    const printsOf = (all: readonly Holding[]) => all.map(({ good }) => good?.print).join(' ')
    const changed = printsOf(holdings) !== printsOf(this.#holdings)
    this.#holdings = holdings
    if (!changed) return
    const usable = holdings.flatMap(({ good }) => (good ? [good.usable] : []))
    this.#make = chooser(usable, this.#options)
    for (const use of this.#followers) use(this.#make)
  }
}
