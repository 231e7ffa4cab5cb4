// What happened to a message, step by step, as one would have seen it happen: whom DNS named, how the
// connection was, what the receiver said, what that means and what comes next.

import { isIPv6 } from 'node:net'
import type { AttemptView } from '../api/control.ts'
import { explainReply, wordsOf } from '../doctor/replies.ts'
import { sendTestTexts } from './commands/send-test.texts.ts'
import type { Context } from './context.ts'
import { oneLine, paint } from './table.ts'

export type Step = {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly word: string
  readonly text: string
}

/** The steps of one attempt; `nextAt` is when the next one is due. */
export function stepsOf(
  attempt: AttemptView,
  { context, to, nextAt }: { context: Context; to: string; nextAt: number | null },
): readonly Step[] {
  const { language, texts, world } = context
  const words = sendTestTexts[language]
  const { at, durationMs, host, address } = attempt
  const end = at + durationMs
  const steps: Step[] = []
  const add = (when: number, word: string, text: string) =>
    void steps.push({ at: when, word, text: oneLine(text) })
  if (host !== null) {
    const domain = to.slice(to.lastIndexOf('@') + 1)
    const protocol = address === null ? '' : isIPv6(address) ? ', IPv6' : ', IPv4'
    add(at, words.dns, `${domain}: ${host} ${address === null ? '' : `[${address}]`}${protocol}`)
    if (address !== null) add(end, words.connected, tlsText(attempt, context))
  }
  for (const { result, text } of attempt.results) {
    const style = result === 'delivered' ? 'green' : result === 'deferred' ? 'yellow' : 'red'
    const took = words.took((durationMs / 1000).toFixed(1))
    add(end, paint(style, texts.send[result], world.stdout), `${text}   ${took}`)
    if (result === 'delivered') continue
    const explained = explainReply(text)
    if (explained) {
      const { means, change } = wordsOf(explained, language)
      add(end, words.means, means)
      add(end, words.helps, change)
    }
    const waits = result === 'deferred' && nextAt !== null
    add(end, words.next, waits ? words.waits(timeOf(nextAt)) : words.nothingLeft)
  }
  return steps
}

/** `TLSv1.3 TLS_AES_256_GCM_SHA384 verified`, as the store keeps it, for people. */
function tlsText({ tls }: AttemptView, { language }: Context): string {
  const words = sendTestTexts[language]
  if (tls === null) return words.noTls
  const [version = '', , ...rest] = tls.split(' ')
  return words.tls(version.replace(/^TLSv/, ''), rest.join(' ') === 'verified')
}

/** As the clock on this machine's wall shows it. */
export function timeOf(at: number): string {
  return new Date(at).toTimeString().slice(0, 8)
}
