// What callers of sendmail look at: the codes of sysexits.h, and which of them a server's "no" earns.
// 75 (EX_TEMPFAIL) is never used: PHP takes it for success, and the mail would be lost unseen. What
// is only late goes into the drop folder, and that is 0.

/** sysexits.h */
export const EXIT = {
  ok: 0,
  usage: 64,
  badData: 65,
  noUser: 67,
  unavailable: 69,
  internal: 70,
  notAllowed: 77,
  config: 78,
} as const

export type Exit = (typeof EXIT)[keyof typeof EXIT]

/** The end of a call that did not work out; its message goes to standard error as it is. */
export class SendmailFault extends Error {
  override readonly name = 'SendmailFault'
  readonly exit: Exit

  constructor(exit: Exit, text: string) {
    super(text)
    this.exit = exit
  }
}

/** A reply that ended the matter; `at` is the command that it answers. */
export type No = {
  readonly at: 'greeting' | 'MAIL' | 'RCPT' | 'DATA'
  readonly code: number
  /** Without its code. */
  readonly text: string
}

/** From the code and enhanced status of a refusal for good (RFC 5321 §4.2, RFC 3463) to an exit code. */
export function exitOf({ at, code, text }: No): Exit {
  const [, subject, detail] = /^5\.(\d{1,3})\.(\d{1,3})\b/.exec(text) ?? []
  if (subject === '7' || code === 530 || code === 535) return EXIT.notAllowed
  if (at === 'RCPT' && subject === '1') return EXIT.noUser
  if (subject === '6' || subject === '5' || code === 501 || code === 555) return EXIT.badData
  if (code === 552 || (subject === '3' && detail === '4')) return EXIT.badData
  if (subject === '1') return EXIT.badData
  if (at === 'RCPT' && (code === 550 || code === 553)) return EXIT.noUser
  return EXIT.unavailable
}
