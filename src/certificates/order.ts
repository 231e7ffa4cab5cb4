// One order at an ACME authority (RFC 8555 §7.4): account, proof for each name, request, certificate.
// The client library is loaded only here, when there is something to order; its HTTP is replaced by
// ours (acme-transport.ts) and its waiting by a loop that a shutdown can end.

import type { Authorization, Client, Order } from 'acme-client'
import { certificateRequest } from '../std/certificate.ts'
import type { Clock } from '../std/clock.ts'
import { type AcmeTransport, acmeTransport } from './acme-transport.ts'
import type { HttpChallenges, TxtPublisher } from './challenge.ts'

export type AcmeAccount = {
  /** The authority's directory, https. */
  readonly directory: string
  readonly email?: string
  /** External account binding (RFC 8555 §7.3.4). */
  readonly external?: { readonly keyId: string; readonly secret: string }
  /** PEM root of the authority's own server. */
  readonly trust?: string
}

export type Proof =
  | {
      readonly kind: 'http-01'
      readonly challenges: HttpChallenges
      /** Absent: our HTTP door, or a proxy before it, answers. */
      readonly listen?: { readonly address: string; readonly port: number }
    }
  | { readonly kind: 'dns-01'; readonly publisher: TxtPublisher | undefined }

export type OrderOptions = {
  readonly account: AcmeAccount
  /** PEM. */
  readonly accountKey: string
  readonly names: readonly string[]
  readonly proof: Proof
  readonly clock: Clock
  readonly signal: AbortSignal
}

type Challenge = Authorization['challenges'][number]
type Task = { readonly name: string; readonly challenge: Challenge; readonly text: string }

const POLL_MS = [500, 1_000, 2_000, 3_000, 5_000]
const USER_AGENT = 'posthorn'

/** @returns a PEM file's text: key, certificate, chain. Throws with what the authority or the network said. */
export async function orderCertificate(options: OrderOptions): Promise<string> {
  const { account, names, proof, signal } = options
  const acme = await import('acme-client')
  const client = new acme.Client({
    directoryUrl: account.directory,
    accountKey: options.accountKey,
    ...(account.external && {
      externalAccountBinding: { kid: account.external.keyId, hmacKey: account.external.secret },
    }),
  })
  const { trust } = account
  useTransport(
    client,
    acmeTransport({ signal, userAgent: USER_AGENT, ...(trust !== undefined && { trust }) }),
  )
  await client.createAccount({
    termsOfServiceAgreed: true,
    ...(account.email !== undefined && { contact: [`mailto:${account.email}`] }),
  })
  const order = await client.createOrder({
    identifiers: names.map((value) => ({ type: 'dns', value })),
  })
  const tasks = await tasksOf(client, order, proof)
  await using presented = await present(tasks, proof)
  for (const { challenge } of tasks) await client.completeChallenge(challenge)
  const proved = await settled(client, order, { ...options, until: ['ready', 'valid'] })
  await presented[Symbol.asyncDispose]()
  const { key, request } = certificateRequest(names)
  await client.finalizeOrder(proved, request)
  const valid = await settled(client, order, { ...options, until: ['valid'] })
  return `${key}${(await client.getCertificate(valid)).trim()}\n`
}

/** The library's own HTTP keeps global settings and turns network errors into type errors. */
function useTransport(client: Client, transport: AcmeTransport): void {
  const { http } = client as unknown as { http: { request: AcmeTransport } }
  http.request = transport
}

async function tasksOf(client: Client, order: Order, { kind }: Proof): Promise<Task[]> {
  const tasks: Task[] = []
  for (const authorization of await client.getAuthorizations(order)) {
    if (authorization.status === 'valid') continue
    const name = authorization.identifier.value
    const challenge = authorization.challenges.find((one) => one.type === kind)
    if (!challenge) throw new Error(`the authority does not offer ${kind} for ${name}`)
    tasks.push({ name, challenge, text: await client.getChallengeKeyAuthorization(challenge) })
  }
  return tasks
}

/** Puts the proofs where the authority looks; disposing takes them away again, once. */
async function present(tasks: readonly Task[], proof: Proof): Promise<AsyncDisposable> {
  await using parts = new AsyncDisposableStack()
  if (proof.kind === 'http-01') {
    if (proof.listen && tasks.length > 0) {
      const { address, port } = proof.listen
      parts.use(await proof.challenges.listen(address, port).catch(portFault(address, port)))
    }
    for (const { challenge, text } of tasks) {
      proof.challenges.set(challenge.token, text)
      parts.defer(() => proof.challenges.remove(challenge.token))
    }
  } else {
    const { publisher } = proof
    if (!publisher && tasks.length > 0)
      throw new Error(
        'dns-01 needs a DNS server or provider that we may change; none is configured',
      )
    for (const { name, text } of tasks) {
      const record = `_acme-challenge.${name}`
      // The library hashes the key authorization for this challenge itself (RFC 8555 §8.4).
      parts.defer(() => publisher!.removeTxt(record, text))
      await publisher!.setTxt(record, text)
    }
  }
  return parts.move()
}

const portFault = (address: string, port: number) => (error: NodeJS.ErrnoException) => {
  const place = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  const why =
    error.code === 'EADDRINUSE'
      ? 'another program has this port: let it pass /.well-known/acme-challenge/ on to our HTTP door, and set tls.acme.http_port to null'
      : error.code === 'EACCES'
        ? 'the system does not let us: give the capability CAP_NET_BIND_SERVICE, or use dns-01'
        : String(error.code ?? error.message)
  throw new Error(`cannot answer http-01 on ${place}: ${why}`)
}

async function settled(
  client: Client,
  order: Order,
  options: OrderOptions & { readonly until: readonly string[] },
): Promise<Order> {
  const { clock, signal, until } = options
  for (let turn = 0; ; turn++) {
    const now = await client.getOrder(order)
    if (until.includes(now.status)) return now
    if (now.status === 'invalid') throw new Error(await whyInvalid(client, now))
    await clock.sleep(POLL_MS[turn] ?? POLL_MS.at(-1)!, signal)
  }
}

/** The order says only that it failed; the reason stands at a challenge (RFC 8555 §7.1.6). */
async function whyInvalid(client: Client, order: Order): Promise<string> {
  const lines: string[] = []
  for (const { identifier, challenges } of await client.getAuthorizations(order))
    for (const one of challenges) {
      const { detail } = ((one as { error?: unknown }).error ?? {}) as { detail?: string }
      if (detail !== undefined) lines.push(`${identifier.value}: ${detail}`)
    }
  const { detail } = ((order as { error?: unknown }).error ?? {}) as { detail?: string }
  return lines.join('; ') || (detail ?? 'the authority refused the order')
}
