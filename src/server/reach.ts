import type { Check } from '../api/control.ts'
import type { Reach } from '../events/reach.ts'

/** So many attempts in vain, at so many sites: then it is our trouble, not theirs. */
const DIRECT = { attempts: 3, sites: 2 }
/** Behind a relay there is one site that matters. */
const RELAYED = { attempts: 2, sites: 1 }

/** Red while live mail waits and nobody who should take it answers. */
export function deliveryCheck(
  { silence }: Pick<Reach, 'silence'>,
  { waiting, relayed }: { readonly waiting: number; readonly relayed: boolean },
): Check {
  const { attempts, sites, since, saw } = silence()
  const enough = relayed ? RELAYED : DIRECT
  const broken = waiting > 0 && attempts >= enough.attempts && sites >= enough.sites
  const at = since === undefined ? '' : new Date(since).toISOString()
  const text = broken
    ? `nothing got through since ${at}: ${attempts} attempts at ${sites} sites; the last: ${saw}`
    : `${attempts} attempts in vain since the last that got through`
  return { name: 'delivery', ok: !broken, about: 'delivery', text: text.slice(0, 500) }
}
