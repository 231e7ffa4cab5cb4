import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { EXIT, SendmailFault } from './exit.ts'
import type { Notice } from './place.ts'

/** An entry as GET /api/v1/queue gives it. */
type Entry = {
  readonly id: string
  readonly from: string
  readonly to: string
  readonly state: 'ready' | 'held'
  readonly accepted_at: string
  readonly size: number
  readonly last_failure: string | null
}

type Page = { readonly entries: readonly Entry[]; readonly next: string | null }

const PAGE = 1000
const ANSWER_MS = 30_000
const HEADING = '-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------'

/** Prints the queue in the form that scripts read from Postfix. Throws a SendmailFault. */
export async function printQueue(
  notice: Notice | undefined,
  write: (text: string) => void,
): Promise<void> {
  const down = 'queue report unavailable - mail system is down'
  if (!notice) throw new SendmailFault(EXIT.unavailable, down)
  const token = readToken(notice.data)
  let after: string | null = null
  let last: Entry | undefined
  let requests = 0
  let octets = 0
  do {
    const query = `limit=${PAGE}${after === null ? '' : `&after=${encodeURIComponent(after)}`}`
    const page: Page = await ask(notice.http, `/api/v1/queue?${query}`, token).catch((error) => {
      if (error instanceof SendmailFault) throw error
      throw new SendmailFault(EXIT.unavailable, down)
    })
    let text = ''
    for (const entry of page.entries) {
      if (entry.id !== last?.id) {
        text += `${last ? '\n' : `${HEADING}\n`}${headLine(entry)}\n`
        requests++
        octets += entry.size
      }
      if (entry.last_failure !== null)
        text += `${`(${oneLine(entry.last_failure)})`.padStart(78)}\n`
      text += `${' '.repeat(41)}${oneLine(entry.to)}\n`
      last = entry
    }
    if (text !== '') write(text)
    after = page.next
  } while (after !== null)
  const kilobytes = Math.floor(octets / 1024)
  const summary = `\n-- ${kilobytes} Kbytes in ${requests} Request${requests === 1 ? '' : 's'}.\n`
  write(requests === 0 ? 'Mail queue is empty\n' : summary)
}

/** `0D3KP9ZT4M0!   2210 Sat Nov 21 12:00:01  ann@example.com`; `!` is held. */
function headLine({ id, state, size, accepted_at, from }: Entry): string {
  const name = `${id}${state === 'held' ? '!' : ' '}`
  return `${name}${String(size).padStart(7)} ${arrival(accepted_at).padStart(20)}  ${oneLine(from) || 'MAILER-DAEMON'}`
}

/** As ctime(3), local time, without the year. */
function arrival(iso: string): string {
  const [day, month, date, , time] = new Date(iso).toString().split(' ')
  return `${day} ${month} ${String(Number(date)).padStart(2)} ${time}`
}

const oneLine = (text: string): string => text.replace(/[\0-\x1f\x7f]+/g, ' ')

function readToken(data: string): string {
  const path = join(data, 'admin-token')
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM')
      throw new SendmailFault(
        EXIT.notAllowed,
        `the queue is shown to who may read ${path}: call mailq as root or as the server's user`,
      )
    throw new SendmailFault(EXIT.unavailable, `cannot read ${path} (${code})`)
  }
}

function ask(base: string, path: string, token: string): Promise<Page> {
  const { promise, resolve, reject } = Promise.withResolvers<Page>()
  const options = { headers: { authorization: `Bearer ${token}` }, timeout: ANSWER_MS }
  const call = request(base + path, options, (answer) => {
    const chunks: Buffer[] = []
    answer.on('data', (chunk: Buffer) => chunks.push(chunk))
    answer.on('error', reject)
    answer.on('end', () => {
      if (answer.statusCode === 200) {
        try {
          return resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Page)
        } catch (error) {
          return reject(error)
        }
      }
      const refused = answer.statusCode === 401 || answer.statusCode === 403
      const exit = refused ? EXIT.notAllowed : EXIT.unavailable
      reject(new SendmailFault(exit, `the server answers ${answer.statusCode} to mailq`))
    })
  })
  call.on('timeout', () => call.destroy(new Error('the server is silent')))
  call.on('error', reject)
  call.end()
  return promise
}
