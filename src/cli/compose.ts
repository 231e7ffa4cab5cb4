import { encodeWords } from '../mail/encoded-word.ts'
import { formatDate } from '../mail/trace.ts'

export type TestMessage = {
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly body: string
  readonly now: number
}

/** A plain text message (RFC 5322, RFC 2045) with LF line ends; what is not ASCII is encoded. */
export function composeTest({ from, to, subject, body, now }: TestMessage): string {
  const ascii =
    /^[\u0020-\u007e\r\n]*$/.test(body) && body.split('\n').every((line) => line.length < 900)
  return [
    `From: ${from}`,
    `To: ${to}`,
    `Subject: ${encodeWords(subject.replace(/[\r\n\0]+/g, ' '))}`,
    `Date: ${formatDate(now)}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Transfer-Encoding: ${ascii ? '7bit' : 'base64'}`,
    '',
    ...(ascii ? [body] : base64Lines(body)),
    '',
  ].join('\n')
}

function base64Lines(text: string): string[] {
  const encoded = Buffer.from(text.replace(/\r?\n/g, '\r\n')).toString('base64')
  return encoded.match(/.{1,76}/g) ?? []
}
