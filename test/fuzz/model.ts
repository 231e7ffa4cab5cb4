// What the server must answer, written down a second time and on its own: a slow and simple reading of
// RFC 5321, RFC 3030, RFC 3207 and RFC 4954 over the octets of a whole session, with the limits that
// this server sets. It knows the addresses of its dictionary only. Every reply is a code, or codes
// with `|` between them where order depends on the network and either is right.

import { isUtf8 } from 'node:buffer'
import { type Meaning, recipients, senders } from './dictionary.ts'

/** What differs between listeners. */
export type Rules = {
  readonly tls: 'none' | 'starttls'
  readonly requireAuth: boolean
  readonly authWithoutTls: boolean
  /** A session may have LF for all its line ends. */
  readonly trusted: boolean
  /** The service looks at the content too, and nobody here knows what it will say. */
  readonly judged: boolean
  readonly limits: Limits
}

export type Limits = {
  readonly commandOctets: number
  readonly authOctets: number
  readonly recipients: number
  readonly messageOctets: number
  readonly hardErrors: number
  readonly junkCommands: number
  readonly longLines: number
  readonly authFailures: number
}

export const USER = 'app'
export const PASSWORD = 'correct horse'
/** A sender of this name is refused before its content is read. */
export const REFUSED_EARLY = 'early@example.com'
/** Content with these words is refused, or breaks the service, when all of it has been read. */
export const REFUSED_LATE = 'refuse-late'
export const BROKEN_LATE = 'break-late'

/** A message as a service gets it; addresses and parameters as text. */
export type Delivered = {
  readonly from: string
  readonly to: readonly string[]
  readonly hello: string
  readonly esmtp: boolean
  readonly tls: boolean
  readonly credential: string | undefined
  readonly content: string
  /** The place of the reply to its content among all replies. */
  readonly reply: number
}

type Transaction = {
  readonly from: string
  readonly utf8: boolean
  readonly to: string[]
  refused: number
  /** What came by BDAT so far. */
  chunks?: string
}

type LineEnd = 'CRLF' | 'LF' | 'open'

/** More of a message than so many times the limit is not waited for. */
const PATIENCE = 4

/** The server, as the standard has it. Octets are text, one character each. */
export class Model {
  readonly replies: string[] = ['220']
  readonly delivered: Delivered[] = []
  /** The server has closed, or closes after its last reply. */
  over = false
  /** 220 was said to STARTTLS, and nothing but a handshake may follow. */
  awaitsTls = false
  /** More came with STARTTLS: the server may have said 220 or 554, and then closes. */
  glued = false
  greeted = false
  transaction: Transaction | undefined
  credential: string | undefined
  /** What the octets to come are. */
  reading: 'commands' | 'content' | 'chunk' | 'login' = 'commands'
  readonly #rules: Rules
  #rest = ''
  #hasQuit = false
  #lineEnd: LineEnd
  #hello = ''
  #esmtp = false
  #tls = false
  #errors = 0
  #junk = 0
  #longLines = 0
  #authFailures = 0
  #chunk = { left: 0, last: false, dropped: '' }
  #login: { mechanism: string; username?: string } = { mechanism: '' }

  constructor(rules: Rules) {
    this.#rules = rules
    this.#lineEnd = rules.trusted ? 'open' : 'CRLF'
  }

  get tls(): boolean {
    return this.#tls
  }

  /** More came behind QUIT: when it finds the connection closed, the last replies may not be heard. */
  get talksOn(): boolean {
    return this.#hasQuit && this.#rest !== ''
  }

  /** All line ends of this session are LF. */
  get byLineFeeds(): boolean {
    return this.#lineEnd === 'LF'
  }

  /** Goes on with these octets, as far as they reach. */
  feed(octets: string): void {
    this.#rest += octets
    while (!this.over && this.#step());
  }

  /** The handshake is done: RFC 3207 §4.2, all that was said is forgotten. */
  secured(): void {
    this.awaitsTls = false
    this.#tls = true
    this.greeted = false
    this.#hello = ''
    this.#esmtp = false
    this.credential = undefined
  }

  #step(): boolean {
    if (this.awaitsTls) {
      if (this.#rest === '') return false
      this.glued = true
      this.over = true
      return false
    }
    switch (this.reading) {
      case 'content':
        return this.#readContent()
      case 'chunk':
        return this.#readChunk()
      case 'login':
        return this.#readLogin()
      case 'commands':
        return this.#readCommand()
    }
  }

  // What is said

  /** Says it and keeps the account of errors (verbs other than RCPT always count). */
  #say(code: string, options: { verb?: string; hangUp?: boolean } = {}): undefined {
    if (code >= '400') {
      const { to = [], refused = 0 } = this.transaction ?? {}
      if (options.verb !== 'RCPT' || to.length <= refused) this.#errors++
    }
    const enough = this.#errors >= this.#rules.limits.hardErrors
    this.replies.push(enough ? '421' : code)
    if (enough || options.hangUp || code === '421') this.over = true
  }

  #sayJunk(code: string): undefined {
    if (++this.#junk > this.#rules.limits.junkCommands) this.#errors++
    this.#say(code)
  }

  // Lines

  /** A line; a fault that has been answered; undefined until it is complete. */
  #line(most: number): string | false | undefined {
    const end = this.#rest.indexOf('\n') + 1
    if (end === 0) return undefined
    const octets = this.#rest.slice(0, end)
    this.#rest = this.#rest.slice(end)
    if (octets.length > most) {
      this.#say(++this.#longLines < this.#rules.limits.longLines ? '500' : '421')
      return false
    }
    const crlf = octets.endsWith('\r\n')
    if (this.#lineEnd === 'open') this.#lineEnd = crlf ? 'CRLF' : 'LF'
    if (crlf !== (this.#lineEnd === 'CRLF')) {
      this.#say(crlf ? '550' : '500', { hangUp: true })
      return false
    }
    const line = Buffer.from(octets.slice(0, crlf ? -2 : -1), 'latin1')
    if (isUtf8(line)) return line.toString('utf8')
    this.#say('500')
    return false
  }

  #readCommand(): boolean {
    const line = this.#line(this.#rules.limits.commandOctets)
    if (line === undefined) return false
    if (line !== false) this.#command(line.replace(/[ \t]+$/, ''))
    return true
  }

  /** RFC 5321 §4.1.1: a verb of ASCII letters, a space, an argument. */
  #command(line: string): undefined {
    const [, word = '', argument = ''] = /^([^ ]*) ?(.*)$/su.exec(line) ?? []
    const verb = /^[A-Za-z]*$/.test(word) ? word.toUpperCase() : word
    const code = faultOf(verb, argument)
    if (code) return this.#say(code, { hangUp: isForeign(verb) })
    if (this.transaction?.chunks !== undefined && !this.#mayFollowChunk(verb)) return
    switch (verb) {
      case 'EHLO':
      case 'HELO':
        return this.#greet(verb, argument.trim())
      case 'NOOP':
        return this.#sayJunk('250')
      case 'VRFY':
        return this.#sayJunk('252')
      case 'HELP':
        return this.#sayJunk('214')
      case 'RSET':
        this.transaction = undefined
        return this.#sayJunk('250')
      case 'QUIT':
        this.transaction = undefined
        this.#hasQuit = true
        return this.#say('221', { hangUp: true })
      case 'BDAT':
        return this.#bdat(argument)
      case 'XCLIENT':
        return this.#say(this.transaction ? '503' : '550')
      default:
        return this.greeted ? this.#greetedCommand(verb, argument) : this.#say('503')
    }
  }

  /** Between chunks (RFC 3030 §2) a message goes on, or is given up. */
  #mayFollowChunk(verb: string): boolean {
    if (['BDAT', 'NOOP', 'VRFY', 'HELP'].includes(verb)) return true
    if (['RSET', 'QUIT', 'EHLO', 'HELO'].includes(verb)) {
      this.transaction = undefined
      return true
    }
    this.#say('503')
    return false
  }

  #greet(verb: string, name: string): undefined {
    this.transaction = undefined
    if (this.greeted && ++this.#junk > this.#rules.limits.junkCommands) this.#errors++
    this.greeted = true
    this.#hello = name
    this.#esmtp = verb === 'EHLO'
    this.#say('250')
  }

  #greetedCommand(verb: string, argument: string): undefined {
    switch (verb) {
      case 'MAIL':
        return this.#mail(argument)
      case 'RCPT':
        return this.#rcpt(argument)
      case 'DATA':
        return this.#data()
      case 'STARTTLS':
        return this.#startTls()
      case 'AUTH':
        return this.#auth(argument)
      default:
        throw new Error(`the model does not know ${verb}`)
    }
  }

  #mail(argument: string): undefined {
    const { requireAuth, limits } = this.#rules
    const sender = senders.get(argument)!
    const { size = 0, requireTls = false, utf8 = false, needsUtf8 = false } = sender
    if (this.transaction) return this.#say('503')
    if (requireAuth && this.credential === undefined) return this.#say('530')
    if (sender.refused) return this.#say(sender.refused)
    if (size > limits.messageOctets) return this.#say('552')
    if (requireTls && !this.#tls) return this.#say('530')
    if (needsUtf8 && !utf8) return this.#say('553')
    this.transaction = { from: sender.means, utf8, to: [], refused: 0 }
    this.#say('250')
  }

  #rcpt(argument: string): undefined {
    const transaction = this.transaction
    if (!transaction) return this.#say('503')
    const { means, needsUtf8 = false, unknown = false } = recipients.get(argument)!
    const { to, utf8 } = transaction
    const limit = this.#rules.limits.recipients
    const full = transaction.refused >= limit ? '421' : '452'
    const no = to.length >= limit ? full : needsUtf8 && !utf8 ? '553' : unknown ? '550' : undefined
    if (no) transaction.refused++
    else to.push(means)
    this.#say(no ?? '250', { verb: 'RCPT' })
  }

  #startTls(): undefined {
    const { tls } = this.#rules
    if (this.transaction || this.#tls) return this.#say('503')
    if (tls === 'none') return this.#say('502')
    this.awaitsTls = true
    this.replies.push('220')
  }

  // Content

  /** Why no content may come now. */
  #notReady(): string | undefined {
    if (!this.greeted || !this.transaction) return '503'
    const { to, refused } = this.transaction
    return to.length > 0 ? undefined : refused > 0 ? '554' : '503'
  }

  #data(): undefined {
    const no = this.#notReady()
    if (no) return this.#say(no)
    if (this.transaction!.from.startsWith(REFUSED_EARLY)) return this.#endTransaction('452')
    this.replies.push('354')
    this.reading = 'content'
  }

  #readContent(): boolean {
    const { messageOctets } = this.#rules.limits
    const end = this.byLineFeeds ? '\n' : '\r\n'
    const found = `${end}${this.#rest}`.indexOf(`${end}.${end}`)
    const raw = found < 0 ? this.#rest : this.#rest.slice(0, found)
    const lines = this.byLineFeeds ? raw.replaceAll('\n', '\r\n') : raw
    const content = lines.replace(/^\.|(?<=\r\n)\./g, '')
    const bad = this.byLineFeeds ? /[\r\0]/.test(raw) : isMalformed(raw)
    const endless = content.length > messageOctets * PATIENCE
    if (bad || endless) {
      // Which of the two is seen first depends on how the octets came.
      const code = bad && endless ? '550|552' : bad ? '550' : '552'
      this.#endTransaction(code, { hangUp: true })
      return true
    }
    if (found < 0) return false
    this.#rest = this.#rest.slice(found + end.length + 1)
    this.reading = 'commands'
    this.#judge(content)
    return true
  }

  #bdat(argument: string): undefined {
    const [, size = '', last] = /^ *(\d+)( +LAST)?$/i.exec(argument) ?? []
    const left = Number(size)
    const no = this.#notReady()
    if (left > this.#rules.limits.messageOctets * PATIENCE) {
      return this.#endTransaction('552', { hangUp: true, keep: no !== undefined })
    }
    const early = !no && this.transaction!.from.startsWith(REFUSED_EARLY)
    this.#chunk = { left, last: last !== undefined, dropped: no ?? (early ? '452' : '') }
    if (!no) this.transaction!.chunks ??= ''
    this.reading = 'chunk'
  }

  #readChunk(): boolean {
    const { left, last, dropped } = this.#chunk
    const { messageOctets } = this.#rules.limits
    const octets = this.#rest.slice(0, left)
    const transaction = this.transaction
    if (!dropped && transaction!.chunks!.length + octets.length > messageOctets * PATIENCE) {
      this.#endTransaction('552', { hangUp: true })
      return true
    }
    if (octets.length < left) return false
    this.#rest = this.#rest.slice(left)
    this.reading = 'commands'
    if (dropped === '452') this.#endTransaction(dropped)
    else if (dropped) this.#say(dropped)
    else {
      transaction!.chunks += octets
      this.#endChunk(transaction!.chunks!, last)
    }
    return true
  }

  #endChunk(content: string, last: boolean): undefined {
    // A CR at the end of a chunk may find its LF in the next one.
    if (content.length > this.#rules.limits.messageOctets) this.#refuse('552')
    else if (isMalformed(last ? content : content.replace(/\r$/, ''))) this.#refuse('550')
    else if (!last) this.#say('250')
    else this.#judge(content === '' || content.endsWith('\r\n') ? content : `${content}\r\n`)
  }

  /** A whole message: taken or refused, the transaction is over. */
  #judge(content: string): undefined {
    if (content.length > this.#rules.limits.messageOctets) return this.#refuse('552')
    if (isMalformed(content)) return this.#refuse('550')
    if (content.split('\r\n').some((line) => line.length > 998)) return this.#refuse('554')
    const { judged } = this.#rules
    if (!judged && content.includes(REFUSED_LATE)) return this.#endTransaction('550')
    if (!judged && content.includes(BROKEN_LATE)) return this.#endTransaction('451')
    const { from, to } = this.transaction!
    this.delivered.push({
      from,
      to,
      hello: this.#hello,
      esmtp: this.#esmtp,
      tls: this.#tls,
      credential: this.credential,
      content,
      reply: this.replies.length,
    })
    this.#errors = 0
    this.#junk = 0
    this.#endTransaction(judged ? '250|550|552|554' : '250')
  }

  /** A service that judges may have found something else before. */
  #refuse(code: string): undefined {
    this.#endTransaction(this.#rules.judged ? '550|552|554' : code)
  }

  #endTransaction(code: string, options: { hangUp?: boolean; keep?: boolean } = {}): undefined {
    if (!options.keep) this.transaction = undefined
    this.reading = 'commands'
    const { hangUp = false } = options
    // A service that judges leaves the account of errors unknown; its limit is out of reach then.
    if (this.#rules.judged && code.includes('|') && !hangUp) this.replies.push(code)
    else this.#say(code, { hangUp })
  }

  // AUTH (RFC 4954 §4)

  #auth(argument: string): undefined {
    const { authWithoutTls } = this.#rules
    const [mechanism = '', response] = argument.split(' ').filter((word) => word !== '')
    if (this.transaction || this.credential !== undefined) return this.#say('503')
    if (!this.#tls && !authWithoutTls) return this.#say('538')
    this.#login = { mechanism: mechanism.toUpperCase() }
    if (!['PLAIN', 'LOGIN'].includes(this.#login.mechanism)) return this.#say('504')
    if (response !== undefined) return this.#respond(response === '=' ? '' : response)
    this.#challenge()
  }

  #challenge(): undefined {
    this.replies.push('334')
    this.reading = 'login'
  }

  #readLogin(): boolean {
    const line = this.#line(this.#rules.limits.authOctets)
    if (line === undefined) return false
    this.reading = 'commands'
    if (line !== false) this.#respond(line)
    return true
  }

  #respond(response: string): undefined {
    const octets = Buffer.from(response, 'base64')
    if (octets.toString('base64') !== response || !isUtf8(octets)) return this.#say('501')
    const text = octets.toString('utf8')
    const { mechanism, username } = this.#login
    if (mechanism === 'LOGIN') {
      if (username !== undefined) return this.#verify(username, text)
      this.#login = { mechanism, username: text }
      return this.#challenge()
    }
    const [actingAs, name, password, ...more] = text.split('\0')
    if (!name || password === undefined || more.length > 0) return this.#say('501')
    if (actingAs !== '' && actingAs !== name) return this.#say('535')
    this.#verify(name, password)
  }

  #verify(name: string, password: string): undefined {
    if (prepared(name) === USER && password === PASSWORD) {
      this.credential = USER
      return this.#say('235')
    }
    this.#say(++this.#authFailures < this.#rules.limits.authFailures ? '535' : '421')
  }
}

/** A name after SASLprep, which maps U+FEFF to nothing (RFC 3454 table B.1); passwords are the service's. */
const prepared = (text: string) => text.replaceAll('\ufeff', '')

/** A CR or LF without the other, or a NUL (RFC 5321 §2.3.8). A CR at the very end waits for its LF. */
function isMalformed(text: string): boolean {
  return /\0|\r(?!\n|$)|(?<!\r)\n/.test(text)
}

const COMMANDS =
  'EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT STARTTLS AUTH XCLIENT'.split(' ')
const NOT_OFFERED = 'EXPN TURN ETRN ATRN SEND SOML SAML'.split(' ')
const HTTP = 'GET POST HEAD PUT DELETE CONNECT OPTIONS PATCH TRACE PRI PROPFIND'.split(' ')

/** Another protocol: HTTP, or something that begins with no letter. */
function isForeign(verb: string): boolean {
  return HTTP.includes(verb) || verb === 'PROXY' || (verb !== '' && !/^[A-Za-z]/.test(verb))
}

/** The code for a line that is no command whatever the state is. */
function faultOf(verb: string, argument: string): string | undefined {
  const text = argument.trim()
  if (verb === 'PROXY') return '554'
  if (isForeign(verb)) return '500'
  if (NOT_OFFERED.includes(verb)) return '502'
  if (!COMMANDS.includes(verb)) return '500'
  switch (verb) {
    case 'EHLO':
    case 'HELO':
      return /^[!-~]{1,255}$/.test(text) ? undefined : '501'
    case 'DATA':
    case 'RSET':
    case 'QUIT':
    case 'STARTTLS':
      return text === '' ? undefined : '501'
    case 'VRFY':
      return text === '' ? '501' : undefined
    case 'BDAT':
      return /^ *\d{1,15}( +LAST)?$/i.test(argument) ? undefined : '501'
    case 'AUTH':
      return /^ *[A-Za-z0-9_-]{1,20}( +(=|[A-Za-z0-9+/]+={0,2}))?$/.test(argument)
        ? undefined
        : '501'
    case 'XCLIENT':
      return /^ADDR=[\d.]+ *$/.test(argument) ? undefined : '501'
    case 'MAIL':
      return known(senders, argument)
    case 'RCPT':
      return known(recipients, argument)
    default:
      return undefined
  }
}

/** A control character in an argument is a fault, but what stands before it may be one already: either is right. */
function known(dictionary: ReadonlyMap<string, Meaning>, argument: string): string | undefined {
  const found = dictionary.get(argument)
  if (found) return found.fault
  const control = argument.search(/[\r\0]/)
  if (control < 0) throw new Error(`not in the dictionary: ${argument}`)
  const before = dictionary.get(argument.slice(0, control))?.fault ?? '501'
  return before === '501' ? before : `${before}|501`
}
