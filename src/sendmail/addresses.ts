// Address lists as programs write them on command lines and in headers (RFC 5322 §3.4): `root`,
// `Name <a@example.com>`, `a@example.com (Name)`, groups. Here they are only cut into pieces and
// bare names get a domain; whether an address is one, the server says.

export type Piece = {
  /** `user@domain`, or a bare `user`; empty for `<>` and for a group without members. */
  readonly address: string
  /** Where the address stands in the text, without angle brackets. */
  readonly start: number
  readonly end: number
}

type Cut = { pieces: Piece[]; start: number; end: number; angle: boolean }

/** All addresses of a list, in order. Quoted strings and comments may hold commas. */
export function cutAddresses(text: string): Piece[] {
  const cut: Cut = { pieces: [], start: -1, end: -1, angle: false }
  let i = 0
  while (i < text.length) {
    const char = text[i]!
    const next = pass(text, i)
    switch (char) {
      case '(':
        break
      case ',':
      case ';':
        finish(text, cut)
        break
      case ':':
        // What was a group's name so far is none of the addresses; inside <…> it ends a route.
        cut.start = cut.angle ? i + 1 : -1
        cut.end = cut.start
        break
      case '<':
        cut.angle = true
        cut.start = i + 1
        cut.end = i + 1
        break
      case '>':
        finish(text, cut)
        i = skipToEnd(text, i + 1)
        continue
      default:
        if (!/\s/.test(char)) {
          if (cut.start < 0) cut.start = i
          cut.end = next
        }
    }
    i = next
  }
  finish(text, cut)
  return cut.pieces
}

function finish(text: string, cut: Cut): void {
  if (cut.start >= 0) {
    const address = text.slice(cut.start, cut.end).replace(/\s+/g, '')
    cut.pieces.push({ address, start: cut.start, end: cut.end })
  }
  cut.start = -1
  cut.angle = false
}

/** Behind `<…>` only the next comma matters. */
function skipToEnd(text: string, from: number): number {
  let i = from
  while (i < text.length && text[i] !== ',' && text[i] !== ';') i = pass(text, i)
  return i
}

/** The place behind a character, a quoted string or a comment. */
function pass(text: string, from: number): number {
  const char = text[from]
  if (char === '"') return passQuoted(text, from)
  if (char === '(') return passComment(text, from)
  return from + 1
}

function passQuoted(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '"') return i + 1
  }
  return text.length
}

function passComment(text: string, from: number): number {
  let depth = 0
  for (let i = from; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '(') depth++
    else if (text[i] === ')' && --depth === 0) return i + 1
  }
  return text.length
}

/** Bare names get the domain, as `root` in From: and To: of cron; everything else stays as it is. */
export function qualifyList(text: string, domain: string): string {
  let result = ''
  let done = 0
  for (const { address, start, end } of cutAddresses(text)) {
    // `John Doe` is a name without an address; the server says so.
    if (!isBare(address) || /\s/.test(text.slice(start, end))) continue
    result += `${text.slice(done, end)}@${domain}`
    done = end
  }
  return result + text.slice(done)
}

/** One address, with the domain where it has none. */
export function qualify(address: string, domain: string): string {
  return isBare(address) ? `${address}@${domain}` : address
}

function isBare(address: string): boolean {
  return address !== '' && !/@(?!.*")/.test(address)
}
