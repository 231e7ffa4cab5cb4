import { encodeXtext } from '../mail/xtext.ts'
import { EXIT, SendmailFault } from './exit.ts'
import type { Wish } from './flags.ts'
import type { Letter } from './letter.ts'

export type Commands = { readonly mail: string; readonly recipients: readonly string[] }

type Addressed = Pick<Letter, 'from' | 'recipients' | 'eightBit' | 'international'>

/**
 * MAIL and RCPT for a message. Throws a SendmailFault for an address that would not stay in its line.
 * @param offers says what the server has of EHLO's keywords; the drop folder has all
 */
export function commandsFor(
  letter: Addressed,
  wish: Pick<Wish, 'ret' | 'envelopeId' | 'notify' | 'requireTls'>,
  offers: (keyword: string) => boolean,
): Commands {
  const dsn = offers('DSN')
  let mail = `MAIL FROM:<${inLine(letter.from)}>`
  if (letter.eightBit && offers('8BITMIME')) mail += ' BODY=8BITMIME'
  if (letter.international && offers('SMTPUTF8')) mail += ' SMTPUTF8'
  if (wish.requireTls) mail += ' REQUIRETLS'
  if (dsn && wish.ret !== undefined) mail += ` RET=${wish.ret}`
  if (dsn && wish.envelopeId !== undefined) mail += ` ENVID=${encodeXtext(wish.envelopeId)}`
  const notify = dsn && wish.notify !== undefined ? ` NOTIFY=${wish.notify}` : ''
  return {
    mail,
    recipients: letter.recipients.map((address) => `RCPT TO:<${inLine(address)}>${notify}`),
  }
}

/** RFC 5321 §4.5.3.1.3, generously; and nothing that could begin another command. */
function inLine(address: string): string {
  if (address.length <= 1000 && !/[\0-\x1f\x7f]/.test(address)) return address
  const shown = address.slice(0, 60).replace(/[^ -~]/g, '?')
  throw new SendmailFault(EXIT.badData, `not an address: ${shown}`)
}
