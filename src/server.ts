// The composition root: builds every part in order and hands each what it needs. Read it to see how
// the rooms meet; little is decided here. Parts are disposed of in reverse, so that a shutdown closes
// the doors first, lets deliveries end, and closes the store last.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Control, Dependencies, Server, SpoolReport } from './api/control.ts'
import type { Config } from './config/schema.ts'
import { createDelivery, type Delivery } from './delivery/deliver.ts'
import { createResolver, type StubOptions } from './dns/stub.ts'
import { createFigures } from './events/figures.ts'
import { postfixTeller } from './events/postfix.ts'
import { type Reach, watchReach } from './events/reach.ts'
import { createRecord } from './events/record.ts'
import { createIntake, type Intake } from './intake/accept.ts'
import { limited } from './intake/quota.ts'
import { submissionService } from './intake/submission.ts'
import type { Milters } from './milter/milters.ts'
import { createOperations, type Operations } from './queue/operate.ts'
import { QUEUE_LIMITS } from './queue/options.ts'
import { Scheduler } from './queue/scheduler.ts'
import { createSettler } from './queue/settle.ts'
import { SteadyTime } from './queue/steady.ts'
import {
  type CertificateHouse,
  certificateVerbs,
  openCertificates,
  txtPublisher,
  watchCertificates,
} from './server/certificates.ts'
import { makeControl } from './server/control.ts'
import { type CredentialHouse, openCredentials } from './server/credentials.ts'
import { dnsVerbs } from './server/dns.ts'
import { askDoctor, type DoctorDependencies, watchHealth } from './server/doctor.ts'
import { Domains } from './server/domains.ts'
import { setForeignAside } from './server/folder.ts'
import { type TrustWatch, watchTrust } from './server/gateway.ts'
import { goLiveVerbs, warnOfUnseenKeys } from './server/go-live.ts'
import { openHttp } from './server/http.ts'
import { intakeParts, rightsTable, unsigned } from './server/intake.ts'
import { type Doors, listenersOf, openListeners } from './server/listeners.ts'
import { openMilters } from './server/milters.ts'
import { aboutOf, checksOf, watchDoors, watchServer } from './server/observe.ts'
import {
  dnsOf,
  identityOf,
  mechanismsOf,
  routesOf,
  schedulesOf,
  siteLimitsOf,
} from './server/policy.ts'
import { policyVerbs } from './server/policy-test.ts'
import { keepPruned } from './server/prune.ts'
import { type LookForKey, lookForKey } from './server/publication.ts'
import { publisherOf } from './server/publish.ts'
import { reroute } from './server/reroute.ts'
import { ReturnPaths } from './server/return-paths.ts'
import { openRewriting, type Rewriting } from './server/rewriting.ts'
import { Rotations } from './server/rotation.ts'
import { SandboxHouse, sandboxKeyIn } from './server/sandbox.ts'
import { openSendmail } from './server/sendmail.ts'
import { bringOver } from './server/spool.ts'
import { tokensOf } from './server/tokens.ts'
import { Metrics } from './std/metrics.ts'
import { systemRandom } from './std/random.ts'
import { openStore } from './store/sqlite/open.ts'
import type { Store } from './store/store.ts'

/** All parts of a server, built and at rest. */
export type House = {
  readonly config: Config
  readonly store: Store
  /** How this server asks DNS. */
  readonly dns: StubOptions
  readonly metrics: Metrics
  /** What happens is told to it. */
  readonly reach: Reach
  readonly domains: Domains
  readonly look: LookForKey
  readonly returnPaths: ReturnPaths
  readonly rotations: Rotations
  readonly credentials: CredentialHouse
  readonly sandbox: SandboxHouse
  readonly rewriting: Rewriting
  readonly certificates: CertificateHouse
  readonly milters: Milters | undefined
  readonly trust: TrustWatch
  readonly delivery: Delivery
  readonly intake: Intake
  readonly scheduler: Scheduler
  readonly operations: Operations
}

/** How long deliveries may take at shutdown before they are cut off. */
const DRAIN_MS = 10_000
/** Mail that was handed over at the last moment is looked at within a day. */
const KEY_MARGIN_MS = 24 * 3_600_000

/** Opens the data folder, the ports and the queue; resolves when mail is taken. */
export async function startServer(config: Config, deps: Dependencies): Promise<Server> {
  await using parts = new AsyncDisposableStack()
  const house = await build(config, deps, parts)
  const { scheduler, sandbox, domains, delivery, store } = house
  if (config.mode === 'sandbox' || domains.list().some(({ world }) => world === 'sandbox'))
    await sandbox.open()
  await reroute(store, { data: config.data, routes: routesOf(config), delivery })
  parts.use(watchServer(house, deps))
  watchCertificates(house.certificates, { metrics: house.metrics, clock: deps.clock })
  parts.defer(keepPruned(store, deps))
  house.rotations.start()
  house.certificates.certificates.start()
  parts.defer(() => delivery.close())
  parts.defer(async () => void (await scheduler.drain(DRAIN_MS)))
  await scheduler.start()
  const doors = parts.use(await openDoors(house, deps))
  watchDoors(house.metrics, doors)
  const ended = new AbortController()
  parts.defer(() => ended.abort())
  void warnOfUnseenKeys({ ...house, log: deps.log, signal: ended.signal })()
  const control = controlOf(house, deps, doors)
  const http = parts.use(await openHttp(control, config, deps))
  const { views: listeners } = doors
  const sendmail = { store, accept: house.intake.accept, listeners, http: http.place, ...deps }
  parts.use(await openSendmail(config, sendmail))
  const { metrics } = house
  parts.defer(watchHealth({ ...doctorOf(house, deps.clock), log: deps.log, metrics }))
  const running = parts.move()
  return {
    control,
    http: http.place,
    failed: new Promise<never>(() => {}),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** Only the control, over a data folder that nobody serves. */
export async function openControl(
  config: Config,
  deps: Dependencies,
): Promise<Control & AsyncDisposable> {
  await using parts = new AsyncDisposableStack()
  const control = controlOf(await build(config, deps, parts), deps, undefined)
  const running = parts.move()
  return { ...control, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

async function build(
  config: Config,
  { clock, log }: Dependencies,
  parts: AsyncDisposableStack,
): Promise<House> {
  const identity = identityOf(config)
  const metrics = new Metrics()
  const figures = createFigures(metrics)
  const tell = config.log.format === 'postfix' ? postfixTeller() : undefined
  const reach = watchReach(createRecord({ log, figures, clock, tell }))
  const { reserveBytes } = config.storage
  await setForeignAside(config.data, { clock, log })
  const store = parts.use(await openStore({ folder: config.data, clock, log, reserveBytes }))
  const domains = await Domains.open({ store, config, clock, log })
  const credentials = parts.use(await openCredentials({ config, store, clock, log, metrics }))
  const resolvConf = await readFile('/etc/resolv.conf', 'utf8').catch(() => '')
  const asking = { clock, timeoutMs: 5_000, attempts: 2, cacheEntries: 20_000 }
  const dns = { ...dnsOf(config, resolvConf), ...asking }
  const resolver = createResolver(dns)
  parts.defer(() => resolver.close())
  const certificates = await openCertificates(config, {
    clock,
    log,
    publisher: txtPublisher(publisherOf(config, { clock, resolver })),
  })
  parts.use(certificates.certificates)
  const rewriting = parts.use(openRewriting(config, { clock, log }))
  const allowPrivate = config.delivery.allowPrivateAddresses
  const look = lookForKey({ resolver, clock, timeoutMs: 5_000, allowPrivate })
  const rotations = parts.use(
    new Rotations({
      domains,
      look,
      clock,
      random: systemRandom,
      log,
      keepMs: config.retry.expireMs + KEY_MARGIN_MS,
    }),
  )
  const milters = parts.use(openMilters(config, { clock, log, metrics }))
  const isLive = () => config.mode === 'live' || domains.anyLive
  const trust = parts.use(watchTrust(config, { clock, log, metrics, isLive, ...identity }))
  const { keyring } = domains
  const sandboxKey = await sandboxKeyIn(join(config.data, 'keys'))
  const { keep } = config.sandbox
  const sandbox = parts.use(
    new SandboxHouse({ store, keyring, sandboxKey, identity, clock, log, keep }, resolver),
  )
  const { sourceIpv4, sourceIpv6, messagesPerSession } = config.delivery
  const delivery = createDelivery({
    clock,
    log,
    identity,
    resolvers: sandbox.resolvers,
    random: systemRandom,
    sources: { ...(sourceIpv4 && { ipv4: sourceIpv4 }), ...(sourceIpv6 && { ipv6: sourceIpv6 }) },
    routes: { ...routesOf(config, await tokensOf(config, { clock, log })), sandbox: sandbox.route },
    direct: { messages: messagesPerSession },
  })
  const mail = {
    config,
    store,
    dns,
    reach,
    domains,
    look,
    rotations,
    credentials,
    sandbox,
    rewriting,
    certificates,
    milters,
    trust,
    delivery,
    metrics,
    returnPaths: new ReturnPaths(),
  }
  return { ...mail, ...buildQueue(mail, { clock, log }) }
}

type Mail = Omit<House, 'intake' | 'scheduler' | 'operations'>

/** Intake, scheduler and settlement hand each other mail: accepted, due, owed to a sender. */
function buildQueue(
  mail: Mail,
  { clock, log }: Dependencies,
): Pick<House, 'intake' | 'scheduler' | 'operations'> {
  const { config, store, reach, rewriting, milters, delivery, returnPaths } = mail
  const { hostname } = config
  const time = new SteadyTime(clock)
  const schedules = schedulesOf(config)
  const intake = createIntake({
    ...intakeParts(mail, { clock, log }),
    rewriter: () => rewriting.rewriter(),
    ...(milters && {
      milters: { milters, spoolFolder: join(config.data, 'milter-spool') },
    }),
    onAccepted(message, content, { origin, durationMs, messageId }) {
      returnPaths.note(message.message)
      const recipients = message.entries.map((entry) => entry.recipient)
      reach.record({
        kind: 'accepted',
        message: message.message,
        recipients,
        door: origin.door,
        durationMs,
        client: origin,
        messageId,
        held: message.entries[0]?.state.kind === 'held',
      })
      // Held mail waits in the store until it is made due, other mail perhaps for its time.
      const state = message.entries[0]?.state
      if (state?.kind !== 'ready') return
      if (state.chosen) scheduler.expect(state.at)
      else scheduler.add(message, content)
    },
  })
  const settler = createSettler({
    store,
    compose: (envelope, content, about) =>
      intake.prepare(envelope, (sink) => Promise.resolve(sink(content)), ourOrigin(config), about),
    hostname,
    languages: config.language === 'ru' ? ['en', 'ru'] : ['en'],
    schedules,
    time,
    clock,
    random: systemRandom,
    events: reach.record,
  })
  const scheduler: Scheduler = new Scheduler({
    store,
    deliver: delivery.deliver,
    settler,
    siteLimits: siteLimitsOf(config, delivery.connectionsAt),
    schedules,
    time,
    clock,
    log,
    events: reach.record,
    random: systemRandom,
    limits: { ...QUEUE_LIMITS, inFlight: config.delivery.inFlight },
  })
  return { intake, scheduler, operations: createOperations({ store, settler, scheduler, time }) }
}

/**
 * Brings the mail of a stopped Postfix into a data folder that nobody serves. What that Postfix took
 * is sent, whatever our limits and domains are. Throws SpoolFault, FolderLocked.
 */
export async function importSpool(
  config: Config,
  deps: Dependencies,
  spool: string,
): Promise<SpoolReport> {
  await using parts = new AsyncDisposableStack()
  const house = await build(config, deps, parts)
  const usual = intakeParts(house, deps)
  const intake = createIntake({
    ...usual,
    limits: {
      messageOctets: Number.POSITIVE_INFINITY,
      recipients: Number.POSITIVE_INFINITY,
      headerOctets: 16 * 2 ** 20,
      headerFields: 10_000,
      received: 1_000,
    },
    rights: { ...usual.rights, foreignKeys: unsigned },
    onAccepted() {},
  })
  const { hostname } = config
  return await bringOver({ store: house.store, intake, hostname, clock: deps.clock }, spool)
}

/** What the Received field of our own notices says. */
const ourOrigin = ({ hostname }: Config) => ({
  door: 'posthorn',
  sender: { kind: 'posthorn' } as const,
  helloName: hostname,
  address: '127.0.0.1',
  protocol: 'local',
})

async function openDoors(house: House, deps: Dependencies): Promise<Doors> {
  const { config, intake, credentials, reach, trust } = house
  const policy = { trustedNetworks: config.networks }
  const service = submissionService({
    accept: limited(intake.accept, credentials),
    credentials: credentials.credentials,
    allowances: credentials.allowances,
    mechanisms: mechanismsOf(config),
    listeners: new Map(listenersOf(config).map(([name]) => [name, policy])),
    addressLiterals: true,
    distrusts: trust.distrusts,
    completes: (name, role) => house.rewriting.rewriter()?.completes(name, role),
  })
  const { certificates } = house.certificates
  const means = { record: reach.record, certificates, distrusts: trust.distrusts, ...deps }
  const doors = await openListeners(config, { service: trust.watched(service), ...means })
  trust.start(doors.listeners.map((listener) => listener.port))
  credentials.start()
  credentials.credentials.onRevoked((name) => {
    for (const listener of doors.listeners) listener.revoke(name)
  })
  return doors
}

function controlOf(house: House, { clock, log }: Dependencies, doors: Doors | undefined): Control {
  const { config, store, domains, rotations, credentials, sandbox, operations, metrics } = house
  return makeControl({
    store,
    domains,
    rotations,
    credentials,
    sandbox,
    operations,
    clock,
    certificates: certificateVerbs(house.certificates),
    policy: policyVerbs(() => ({
      config,
      listeners: doors?.views ?? [],
      rights: rightsTable(house),
      credentials: () => [...credentials.credentials.all()].map(({ name }) => name),
      rewriter: house.rewriting.rewriter(),
      delivery: house.delivery,
      distrusts: house.trust.distrusts,
    })),
    dns: dnsVerbs({ config, domains, sandbox, clock, dns: house.dns }),
    doctor: (domain) => askDoctor(doctorOf(house, clock), domain),
    goLive: goLiveVerbs({ ...house, doctor: doctorOf(house, clock), log }),
    onLive: (domain) => doors && void warnOfUnseenKeys({ ...house, log })(domain),
    about: () => aboutOf(config, doors),
    checks: () => checksOf(house, doors),
    metrics: () => metrics.text(),
  })
}

/** What the doctor needs of the house. */
function doctorOf(
  { config, domains, dns, certificates: { certificates }, trust, returnPaths }: House,
  clock: Dependencies['clock'],
): DoctorDependencies {
  const relaying = trust.isWatching() ? trust : undefined
  return { config, domains, dns, certificates, clock, relaying, returnPaths }
}
