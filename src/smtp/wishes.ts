// FUTURERELEASE (RFC 4865), DELIVERBY (RFC 2852) and MT-PRIORITY (RFC 6710) at MAIL: offered by
// doors behind which somebody keeps them, counted from here on as moments instead of spans.

import type { MailParameters } from '../mail/parameters.ts'
import { refuse } from '../mail/reply.ts'
import { formatTime } from '../mail/wishes.ts'
import type { MailRequest } from './service.ts'
import type { Session } from './session.ts'

/** What a door offers; absent: it does not. */
export type Offers = {
  /** The longest that mail may be held for its sender, in milliseconds. */
  readonly holdMs?: number
  /** The shortest time for delivery that is promised to be looked after, in seconds; 0 is any. */
  readonly deliverBySeconds?: number
  readonly priority?: boolean
}

type Wishes = Pick<MailRequest, 'holdUntil' | 'deliverBy' | 'priority'>

/** The parameters of MAIL as an envelope has them. Throws a Refusal for what is not offered or cannot be. */
export function granted(
  session: Session,
  parameters: MailParameters,
): Omit<MailRequest, 'reversePath'> {
  if (!parameters.hold && !parameters.by && parameters.priority === undefined) return parameters
  const { hold, by, priority, ...request } = parameters
  const wishes = {
    ...holdOf(session, hold),
    ...byOf(session, by),
    ...priorityOf(session, priority),
  }
  const { holdUntil = 0, deliverBy } = wishes
  if (deliverBy?.mode === 'return' && deliverBy.at <= holdUntil) {
    throw refuse(501, '5.5.4', 'Error: the message would be too late (BY) before it may leave')
  }
  return { ...request, ...wishes }
}

function holdOf({ door }: Session, hold: MailParameters['hold']): Wishes {
  if (!hold) return {}
  const { holdMs } = door.offers
  if (holdMs === undefined) throw notOffered('FUTURERELEASE')
  const now = door.clock.now()
  const at = hold.kind === 'for' ? now + hold.seconds * 1000 : hold.at
  if (at > now + holdMs) {
    const most = `${Math.floor(holdMs / 1000)} seconds, until ${formatTime(now + holdMs)}`
    throw refuse(501, '5.5.4', `Error: mail is held for at most ${most}`)
  }
  return at > now ? { holdUntil: at } : {}
}

function byOf({ door }: Session, by: MailParameters['by']): Wishes {
  if (!by) return {}
  const { deliverBySeconds } = door.offers
  if (deliverBySeconds === undefined) throw notOffered('DELIVERBY')
  const { seconds, ...how } = by
  if (by.mode === 'return' && seconds < deliverBySeconds) {
    throw refuse(
      552,
      '5.4.7',
      `Error: nothing is promised in less than ${deliverBySeconds} seconds`,
    )
  }
  return { deliverBy: { ...how, at: door.clock.now() + seconds * 1000 } }
}

/** Everybody may be modest; how urgent mail may be says the service. */
function priorityOf({ door, client }: Session, wished: number | undefined): Wishes {
  if (wished === undefined) return {}
  if (!door.offers.priority) throw notOffered('MT-PRIORITY')
  const priority = Math.min(wished, door.service.highestPriority?.(client) ?? wished)
  return priority === 0 ? {} : { priority }
}

function notOffered(keyword: string) {
  return refuse(555, '5.5.4', `Error: ${keyword} is not offered here`)
}

/** The lines of EHLO that say it beside those of Capabilities. */
export function holdLine({ offers, clock }: Session['door']): string[] {
  const { holdMs } = offers
  if (holdMs === undefined) return []
  // RFC 4865 §4: the longest span, and the last moment.
  return [`FUTURERELEASE ${Math.floor(holdMs / 1000)} ${formatTime(clock.now() + holdMs)}`]
}
