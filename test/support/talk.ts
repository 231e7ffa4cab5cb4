// One message by hand, for stories in which the dialogue itself does not matter.

import { converse } from './transcript.ts'

export type Letter = {
  readonly from: string
  readonly to: string | readonly string[]
  readonly subject?: string
  /** Instead of a From field with `from`. */
  readonly author?: string
  /** Further header lines. */
  readonly header?: readonly string[]
  readonly text?: string
  /** What AUTH PLAIN is given. */
  readonly authPlain?: string
}

/** Sends it, and gives the queue id; rejects with the transcript's difference when it is refused. */
export async function send(port: number, letter: Letter): Promise<string> {
  const heard = await converse(port, dialogue(letter, 'S: 250 2.0.0 Ok: queued as *'))
  return /queued as (\w+)/.exec(heard)![1]!
}

/** Sends it, and gives the reply to its content, which must begin so. */
export async function refusal(port: number, letter: Letter, code: string): Promise<string> {
  const heard = await converse(port, dialogue(letter, `S: ${code}*`))
  return heard.slice(heard.lastIndexOf(`\n${code}`) + 1).split('\r\n')[0]!
}

function dialogue(letter: Letter, end: string): string {
  const { from, to, subject = 'a story', author = from, header = [], text = 'text' } = letter
  const recipients = typeof to === 'string' ? [to] : to
  const auth = letter.authPlain ? [`C: AUTH PLAIN ${letter.authPlain}`, 'S: 235 *'] : []
  return [
    'S: 220 *',
    'C: EHLO client.test',
    'S: ...',
    'S: 250 *',
    ...auth,
    `C: MAIL FROM:<${from}>`,
    ...recipients.map((one) => `C: RCPT TO:<${one}>`),
    'C: DATA',
    'S: 250 *',
    ...recipients.map(() => 'S: 250 *'),
    'S: 354 *',
    `C: From: ${author}`,
    `C: To: ${recipients[0]}`,
    `C: Subject: ${subject}`,
    ...header.map((line) => `C: ${line}`),
    'C:',
    ...text.split('\n').map((line) => `C: ${line}`),
    'C: .',
    end,
  ].join('\n')
}
