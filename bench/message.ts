// The message that every server of a run gets: headers as an application writes them, text lines
// of 70 octets, padded to the wanted size. Only the number differs, so that duplicates and losses
// can be told at the sink.

const LINE = 'The quick brown fox jumps over the lazy dog; mail moves on, and on.\r\n'

/** A function from a number to a whole message of about `bytes` octets, dot-stuffed and ended. */
export function messageMaker(bytes: number): (number: number) => Buffer {
  const head = (number: string) =>
    `From: Sender <sender@sender.example>\r\nTo: Recipient <user@recipient.example>\r\n` +
    `Subject: Load message ${number}\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\n` +
    `Message-ID: <${number}@sender.example>\r\nMIME-Version: 1.0\r\n` +
    `Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n` +
    `X-Number: ${number}\r\n\r\n`
  const pad = (number: number) => String(number).padStart(12, '0')
  const body = LINE.repeat(Math.max(1, Math.round((bytes - head(pad(0)).length) / LINE.length)))
  const mark = pad(0)
  const template = Buffer.from(`${head(mark)}${body}.\r\n`, 'latin1')
  const places: number[] = []
  for (let at = template.indexOf(mark); at >= 0; at = template.indexOf(mark, at + 1))
    places.push(at)
  return (number) => {
    const message = Buffer.from(template)
    const text = pad(number)
    for (const at of places) message.write(text, at, 'latin1')
    return message
  }
}
