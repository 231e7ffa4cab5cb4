// The door for programs that call sendmail while we are down, or that cannot reach a listener: the
// drop folder, and the notice beside it that tells them where we are.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Dependencies, ListenerView } from '../api/control.ts'
import type { Config } from '../config/schema.ts'
import type { Accept } from '../intake/door.ts'
import { isIn, networkList } from '../intake/networks.ts'
import type { SendingGrant } from '../intake/rights.ts'
import { formatMailbox } from '../mail/mailbox.ts'
import type { Sender } from '../mail/message.ts'
import { makeFolders } from '../sendmail/folders.ts'
import { Pickup } from '../sendmail/pickup.ts'
import { NOTICE_NAME, type Notice, reachable } from '../sendmail/place.ts'
import { replaceFile } from '../std/durable.ts'
import type { Store } from '../store/store.ts'

export type SendmailParts = Dependencies & {
  readonly store: Store
  readonly accept: Accept
  readonly listeners: readonly ListenerView[]
  readonly http: { readonly address: string; readonly port: number }
}

const LOOPBACK = '127.0.0.1'
/** Before the name of a user of this machine; no credential has a blank in its name. */
const USER = 'user '

/** Opens the folder and looks at it from now on. A folder that cannot be used costs only this door. */
export async function openSendmail(config: Config, parts: SendmailParts): Promise<AsyncDisposable> {
  const { store, accept, clock, log } = parts
  try {
    const folders = await makeFolders(config.sendmail.folder)
    await notify(folders.top, noticeOf(config, parts)).catch((error: unknown) =>
      log.warn({ error: String(error) }, 'sendmail is not told where this server is'),
    )
    const pickup = new Pickup({
      folders,
      store,
      accept,
      clock,
      log,
      hostname: config.hostname,
      messageOctets: config.limits.messageSizeBytes,
      senderOf: (uid) => senderOf(uid, config),
    })
    pickup.start()
    return pickup
  } catch (error) {
    log.error({ error: String(error) }, 'no mail is taken from the drop folder of sendmail')
    return { async [Symbol.asyncDispose]() {} }
  }
}

/** Without it sendmail still finds the folder, and the usual port. */
function notify(folder: string, notice: Notice): Promise<void> {
  return replaceFile(join(folder, NOTICE_NAME), `${JSON.stringify(notice)}\n`, { mode: 0o644 })
}

function noticeOf(config: Config, { listeners, http }: SendmailParts): Notice {
  const host = http.address.includes(':') ? `[${reachable(http.address)}]` : reachable(http.address)
  const open = listeners.find((one) => one.tls !== 'implicit' && one.auth === 'optional')
  const trusted = isIn(networkList(config.networks), LOOPBACK)
  return {
    hostname: config.hostname,
    smtp: open && trusted ? { host: reachable(open.address), port: open.port } : null,
    http: `http://${host}:${http.port}`,
    data: config.data,
    size: config.limits.messageSizeBytes,
  }
}

/** A user that the configuration names sends as a credential of that name does: only what it may. */
async function senderOf(uid: number, { sendmail }: Config): Promise<Sender | undefined> {
  const name = await nameOf(uid)
  const { users, others } = sendmail
  for (const known of [name, String(uid)])
    if (known !== undefined && Object.hasOwn(users, known))
      return { kind: 'credential', name: USER + known }
  return others ? { kind: 'network', address: LOOPBACK } : undefined
}

/** What a user of the machine may send as; undefined for a name that is a credential's. */
export function grantOfUser({ sendmail }: Config, name: string): SendingGrant | undefined {
  if (!name.startsWith(USER)) return undefined
  const user = sendmail.users[name.slice(USER.length)]
  if (!user) return undefined
  const addresses = user.addresses.map((one) => formatMailbox(one).toLowerCase())
  return { domains: user.domains, addresses }
}

/** From /etc/passwd: users of a directory service are known by their number. */
async function nameOf(uid: number): Promise<string | undefined> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '')
  for (const line of text.split('\n')) {
    const [name, , number] = line.split(':')
    if (number === String(uid)) return name
  }
  return undefined
}
