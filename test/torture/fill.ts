// Fills a queue through the store, past the doors: as fast as the disk takes it, and with messages
// that the receiver knows by number.

import { messageMaker } from '../../bench/message.ts'
import type { Domain } from '../../src/mail/domain.ts'
import { systemClock } from '../../src/std/clock.ts'
import { silentLog } from '../../src/std/log.ts'
import { openStore } from '../../src/store/sqlite/open.ts'
import type { NewMessage, Store } from '../../src/store/store.ts'
import { CONTENT_ROW_BYTES } from '../../src/store/store.ts'
import { MESSAGE_BYTES, type Rig } from './rig.ts'

/** Commits at the same time: each sync is shared by so many. */
const AT_ONCE = 1000

export type Filling = {
  readonly count: number
  readonly firstNumber?: number
  readonly bytesOf?: (number: number) => number
}

/** Opens the store of a data folder that no server has. */
export const openQueue = (folder: string): Promise<Store> =>
  openStore({ folder, clock: systemClock, log: silentLog, reserveBytes: 0 })

/** Puts messages into the queue for the rig's receiver, due now. */
export async function fill(
  store: Store,
  rig: Rig,
  { count, firstNumber = 1, bytesOf = () => MESSAGE_BYTES }: Filling,
): Promise<NewMessage[]> {
  const makers = new Map<number, (number: number) => Buffer>()
  const messages: NewMessage[] = []
  let next = firstNumber
  const work = async () => {
    while (next < firstNumber + count) {
      const number = next++
      const bytes = bytesOf(number)
      const make = makers.get(bytes) ?? messageMaker(bytes)
      makers.set(bytes, make)
      const whole = make(number)
      const message = queued(store, rig, { number, content: whole.subarray(0, whole.length - 3) })
      await store.commit(message)
      if (count <= AT_ONCE) messages.push(message)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return messages
}

function queued(
  store: Store,
  rig: Rig,
  { number, content }: { number: number; content: Buffer },
): NewMessage {
  const id = store.nextMessageId()
  const acceptedAt = systemClock.now()
  const prefix = 'DKIM-Signature: v=1; a=rsa-sha256; d=sender.example; s=none; b=\r\n'
  const rows: Buffer[] = []
  for (let at = 0; at < content.length; at += CONTENT_ROW_BYTES)
    rows.push(content.subarray(at, at + CONTENT_ROW_BYTES))
  const mailbox = {
    localPart: `user${number}`,
    domain: `d${number % 5}.recipient.example` as Domain,
  }
  return {
    message: {
      id,
      reversePath: { localPart: 'sender', domain: 'sender.example' as Domain },
      body: '7bit',
      smtputf8: false,
      requireTls: false,
      fromDomain: 'sender.example' as Domain,
      world: 'live',
      sender: { kind: 'network', address: '127.0.0.1' },
      prefix,
      size: prefix.length + content.length,
      acceptedAt,
    },
    entries: [
      {
        message: id,
        index: 0,
        recipient: { mailbox },
        site: `relay:127.0.0.1:${rig.sinkPort}`,
        state: { kind: 'ready', at: acceptedAt },
        attempts: 0,
        acceptedAt,
        delayNoticed: false,
      },
    ],
    rows,
    firstRow: 0,
  }
}
