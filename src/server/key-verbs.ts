// The verbs of the signing keys, for the API and the command line.

import { ControlFault } from '../api/control.ts'
import type { KeyControl, KeyView, NewKey } from '../api/keys.ts'
import { bitsOf, fingerprint } from '../dkim/keys.ts'
import { type DkimKey, retiresAt, stateOf } from '../dkim/lifecycle.ts'
import { parseSelector } from '../dkim/selector.ts'
import { type Domain, parseDomain } from '../mail/domain.ts'
import type { Clock } from '../std/clock.ts'
import type { Domains } from './domains.ts'
import { type FreshKey, type HeldKey, readOrRefuse, textOf } from './keys.ts'
import type { Rotations } from './rotation.ts'

type Dependencies = {
  readonly domains: Domains
  readonly rotations: Rotations
  readonly clock: Clock
}

/** The verbs over the domains' keys. */
export function keyVerbs(deps: Dependencies): KeyControl {
  const { domains, rotations } = deps
  const viewsOf = (domain: Domain) => {
    const entry = domains.keysOf(domain)
    return entry?.keys.map((key) => keyView(domain, key, { ...entry, rotations }))
  }
  const named = async (
    name: string,
    then: (domain: Domain) => Promise<unknown>,
  ): Promise<readonly KeyView[] | undefined> => {
    const domain = parseDomain(name)
    if (!domain || !domains.keysOf(domain)) return undefined
    await then(domain)
    return viewsOf(domain)
  }
  return {
    async keys(name) {
      if (name !== undefined) return named(name, async () => undefined)
      return domains.list().flatMap(({ domain }) => viewsOf(domain as Domain) ?? [])
    },
    async addKey(name, wanted) {
      let selector = ''
      const views = await named(name, async (domain) => {
        selector = await addKey(domain, wanted, deps)
        await rotations.look(domain)
      })
      return views?.find((one) => one.selector === selector)
    },
    rotateKeys: (name, options) =>
      named(name, async (domain) => {
        await rotate(domain, options, deps)
        await rotations.look(domain)
      }),
    abortRotation: (name) => named(name, (domain) => rotations.abort(domain)),
    checkKeys: (name) => named(name, (domain) => rotations.look(domain)),
    async retireKey(name, selector, options) {
      const views = await named(name, async (domain) => {
        if ((await rotations.retire(domain, selector, options)) === 'last-key')
          throw new ControlFault(
            'LAST_KEY',
            `${selector} is the last RSA key that signs for ${domain}; rotate it instead`,
          )
      })
      return views?.find((one) => one.selector === selector)
    },
    async exportKey(name, selector) {
      const domain = parseDomain(name)
      const held = domain && domains.keysOf(domain)?.keys
      const key = held?.find(({ record }) => record.selector === selector)?.privateKey
      return key && { pem: String(key.export({ type: 'pkcs8', format: 'pem' })) }
    },
  }
}

/** Resolves to the selector: of the new key, or of the same key when it is here already. */
async function addKey(domain: Domain, wanted: NewKey, deps: Dependencies): Promise<string> {
  const { domains, clock } = deps
  const { algorithm, bits, importPem: pem } = wanted
  const flags = wanted.flags?.length ? wanted.flags : undefined
  const wish = { ...(wanted.selector && { selector: wanted.selector }), ...(flags && { flags }) }
  let selector = ''
  await domains.change(domain, async (held) => {
    const keys = held.map(({ record }) => record)
    const same = pem === undefined ? undefined : sameKey(held, pem, wanted.selector)
    selector = same?.record.selector ?? ''
    if (same) return { keys: again(keys, same.record) }
    const room = { now: clock.now(), taken: takenBy(held) }
    const fresh =
      pem === undefined
        ? await domains.folder.make(domain, { ...wish, algorithm, ...(bits && { bits }) }, room)
        : await domains.folder.import(domain, { ...wish, pem }, room)
    selector = fresh.record.selector
    return { keys, fresh: [fresh] }
  })
  return selector
}

/** The key of this text that the domain has or had, under the selector that is asked for if one is. */
function sameKey(
  held: readonly HeldKey[],
  pem: string,
  selector: string | undefined,
): HeldKey | undefined {
  const wanted = fingerprint(readOrRefuse(pem).privateKey)
  const name = selector === undefined ? undefined : parseSelector(selector)
  return held.find(
    ({ record, privateKey }) =>
      privateKey &&
      fingerprint(privateKey) === wanted &&
      (name === undefined || record.selector === name),
  )
}

/** A retired key that somebody wants back has to be seen again first. */
function again(keys: readonly DkimKey[], key: DkimKey): readonly DkimKey[] {
  if (stateOf(key) !== 'retired') return keys
  const { retiringAt: _, retiredAt: __, activeAt: ___, ...rest } = key
  return keys.map((one) => (one === key ? { ...rest, state: 'coming' } : one))
}

async function rotate(
  domain: Domain,
  { bits }: { readonly bits?: number },
  { domains, clock }: Dependencies,
): Promise<void> {
  await domains.change(domain, async (held) => {
    const keys = held.map(({ record }) => record)
    const inState = (state: string) => keys.filter((key) => stateOf(key) === state)
    const fresh: FreshKey[] = []
    for (const algorithm of new Set(inState('active').map((key) => key.algorithm))) {
      if (inState('coming').some((key) => key.algorithm === algorithm)) continue
      const now = clock.now()
      const length = algorithm === 'rsa-sha256' && bits !== undefined ? { bits } : {}
      const wish = { algorithm, ...length }
      fresh.push(await domains.folder.make(domain, wish, { now, taken: takenBy(held) }))
    }
    return { keys, fresh }
  })
}

function takenBy(held: readonly HeldKey[]): ReadonlySet<string> {
  return new Set(held.map(({ record }) => record.selector))
}

function keyView(
  domain: Domain,
  held: HeldKey,
  { keyInConfig, rotations }: { readonly keyInConfig: boolean; readonly rotations: Rotations },
): KeyView {
  const { record, privateKey } = held
  const { selector, algorithm } = record
  return {
    domain,
    selector,
    algorithm,
    state: stateOf(record),
    flags: record.flags ?? [],
    source: keyInConfig ? 'config' : 'store',
    bits: privateKey ? bitsOf(privateKey) : null,
    fingerprint: privateKey ? fingerprint(privateKey) : null,
    txt: textOf(held) ?? null,
    name: `${selector}._domainkey.${domain}`,
    createdAt: record.createdAt ?? null,
    activeAt: record.activeAt ?? null,
    retiringAt: record.retiringAt ?? null,
    retiresAt: retiresAt(record, rotations.keepMs) ?? null,
    retiredAt: record.retiredAt ?? null,
    sight: rotations.sightOf(domain, selector) ?? null,
  }
}
