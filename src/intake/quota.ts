import type { Refusal } from '../mail/reply.ts'
import { refuse } from '../mail/reply.ts'
import type { Allowances, Exhausted } from './allowance.ts'
import type { Credentials } from './credentials.ts'
import type { Accept } from './door.ts'

/** What a client hears whose credential has sent enough: 450 for the message, 452 for one recipient. */
export function refuseOver(
  name: string,
  { limit, window, againAt }: Exhausted,
  { code }: { readonly code: 450 | 452 },
): Refusal {
  const again = new Date(Math.ceil(againAt / 1000) * 1000).toISOString().replace('.000', '')
  return refuse(
    code,
    '4.7.1',
    `The credential ${name} may send to ${limit} recipients ${window} and has. Possible again from ${again}`,
  )
}

/** The same door, for as much as each credential may send: whatever door it came in by. */
export function limited(
  accept: Accept,
  { allowances, credentials }: { allowances: Allowances; credentials: Credentials },
): Accept {
  return async (envelope, content, origin) => {
    const { sender } = origin
    const name = sender.kind === 'credential' ? sender.name : undefined
    const limits = name === undefined ? undefined : credentials.grantOf(name)?.limits
    if (name === undefined || !limits) return accept(envelope, content, origin)
    const count = envelope.recipients.length
    const over = allowances.check(name, limits, count)
    if (over) throw refuseOver(name, over, { code: 450 })
    // Counted before it is there, so that a hundred sessions at once cannot send a hundred times as much.
    allowances.use(name, limits, count)
    try {
      return await accept(envelope, content, origin)
    } catch (error) {
      allowances.use(name, limits, -count)
      throw error
    }
  }
}
