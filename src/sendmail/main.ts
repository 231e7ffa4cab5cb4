// sendmail, mailq and newaliases: what programs on this machine call to send mail. A call reads its
// flags (flags.ts) and the message (letter.ts, addresses.ts), finds the server (place.ts) and speaks
// SMTP with it (dialogue.ts); -bs lends its standard input and output to that (on-stdin.ts). When the
// server is down or wants it later, the message is left in the drop folder (drop.ts, drop-file.ts),
// and the server picks it up (pickup.ts, the only file here that runs in the server).
//
// It must start fast, so nothing of the server is loaded: no configuration schema, no command table.
// What can go wrong ends in one line on standard error and a code of sysexits.h (exit.ts); a message
// is handed over whole, left in the folder whole, or refused whole.

import type { Clock } from '../std/clock.ts'
import { speak } from './dialogue.ts'
import { EXIT, exitOf, SendmailFault } from './exit.ts'
import { readFlags, type Wish } from './flags.ts'
import { type Letter, operandsOf, readLetter, senderOf } from './letter.ts'
import { findPlace, type Place } from './place.ts'
import { commandsFor } from './transaction.ts'

/** What the process has and tests replace. */
export type World = {
  /** How we were called: sendmail, mailq or newaliases. */
  readonly name: string
  /** Behind the name. */
  readonly words: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly workingDirectory: string
  readonly machineName: string
  /** The login name. */
  readonly user: string
  readonly input: AsyncIterable<Buffer>
  write(text: string | Buffer): void
  complain(text: string): void
  readonly clock: Clock
  /** Checks the alias files; resolves to an exit code of the `posthorn` command. */
  checkAliases(config: string | undefined): Promise<number>
}

/** Messages of unknown limits: as much as a server may be told to take. */
const MOST_OCTETS = 256 * 1024 * 1024

/** Does what the command line says; resolves to the exit code. Rejects with nothing. */
export async function run(world: World): Promise<number> {
  try {
    return await obey(readFlags(world.name, world.words), world)
  } catch (error) {
    const { message } = error as Error
    world.complain(`${world.name}: ${message.replace(/[\0-\x1f\x7f]+/g, ' ')}\n`)
    return error instanceof SendmailFault ? error.exit : EXIT.internal
  }
}

async function obey(wish: Wish, world: World): Promise<number> {
  if (wish.mode === 'flush') return EXIT.ok
  if (wish.mode === 'aliases') return aliasesExit(await world.checkAliases(wish.config))
  const { environment, workingDirectory } = world
  const place = await findPlace(environment, { config: wish.config, workingDirectory })
  switch (wish.mode) {
    case 'queue': {
      const { printQueue } = await import('./mailq.ts')
      await printQueue(place.notice, world.write)
      return EXIT.ok
    }
    case 'smtp': {
      const { speakOnInput } = await import('./on-stdin.ts')
      return await speakOnInput(place, { ...world, hostname: domainOf(place, world) })
    }
    case 'verify':
      return await verify(wish, world, place)
    case 'send':
      return await send(wish, world, place)
  }
}

/** From the codes of `posthorn` to those of sysexits.h. */
function aliasesExit(code: number): number {
  const codes = [EXIT.ok, EXIT.badData, EXIT.usage, EXIT.unavailable, EXIT.config]
  return codes[code] ?? EXIT.internal
}

async function send(wish: Wish, world: World, place: Place): Promise<number> {
  if (!wish.headerRecipients && wish.operands.length === 0)
    throw new SendmailFault(EXIT.usage, 'no recipients: give addresses, or -t to read the header')
  const author = { user: world.user, domain: domainOf(place, world) }
  const letter = readLetter(await readAll(world.input, place), wish, author)
  if (letter.recipients.length === 0)
    throw new SendmailFault(
      EXIT.badData,
      wish.headerRecipients ? 'no recipients in To, Cc or Bcc' : 'no recipients',
    )
  let why = 'no listener takes mail from here without a password'
  if (place.server) {
    const speech = { letter, wish, ourName: nameOf(world), clock: world.clock }
    const outcome = await speak(place.server, speech)
    if (outcome.kind === 'taken') return EXIT.ok
    if (outcome.kind === 'refused') {
      world.complain(`${world.name}: ${toPerson(outcome)}\n`)
      return exitOf(outcome.no)
    }
    why = outcome.why
  }
  await leaveIn(place, { letter, wish, why, now: world.clock.now() })
  return EXIT.ok
}

async function leaveIn(
  { drop }: Place,
  { letter, wish, why, now }: { letter: Letter; wish: Wish; why: string; now: number },
): Promise<void> {
  const oneLine = why.split('\n').join(' ')
  if (drop === undefined)
    throw new SendmailFault(
      EXIT.unavailable,
      `not sent: the server does not take it now (${oneLine}), and there is no drop folder`,
    )
  const commands = commandsFor(letter, wish, () => true)
  try {
    const { leave } = await import('./drop.ts')
    leave(drop, commands, letter.content, now)
  } catch (error) {
    throw new SendmailFault(
      EXIT.unavailable,
      `not sent: the server does not take it now (${oneLine}), and ${drop} does not either: ${(error as Error).message}`,
    )
  }
}

async function verify(wish: Wish, world: World, place: Place): Promise<number> {
  const domain = domainOf(place, world)
  const recipients = operandsOf(wish, domain)
  if (recipients.length === 0) throw new SendmailFault(EXIT.usage, 'no addresses to verify')
  if (!place.server) throw new SendmailFault(EXIT.unavailable, 'no server to ask')
  const from = senderOf(wish, { user: world.user, domain })
  let exit: number = EXIT.ok
  for (const recipient of recipients) {
    const letter = { from, recipients: [recipient], eightBit: false, international: false }
    const outcome = await speak(place.server, {
      letter,
      wish,
      ourName: nameOf(world),
      clock: world.clock,
    })
    if (outcome.kind === 'later') throw new SendmailFault(EXIT.unavailable, outcome.why)
    if (outcome.kind === 'refused') exit = exitOf(outcome.no)
    const says = outcome.kind === 'taken' ? 'deliverable' : toPerson(outcome)
    world.write(`${recipient}... ${says}\n`)
  }
  return exit
}

function toPerson(refused: { no: { code: number; text: string }; recipient?: string }): string {
  const { no, recipient } = refused
  const whom = recipient === undefined ? '' : `<${recipient}>: `
  return `${whom}${no.code} ${no.text.split('\n').join(' ')}`
}

async function readAll(input: AsyncIterable<Buffer>, { notice }: Place): Promise<Buffer> {
  // LF grows into CRLF: the server has the last word.
  const most = notice?.size ?? MOST_OCTETS
  const chunks: Buffer[] = []
  let octets = 0
  for await (const chunk of input) {
    octets += chunk.length
    if (octets > most)
      throw new SendmailFault(EXIT.badData, `message too big: the limit is ${most} octets`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** What bare names get: the server knows its own name for one of this machine. */
const domainOf = ({ notice }: Place, world: World): string => notice?.hostname ?? nameOf(world)

const nameOf = ({ machineName }: World): string =>
  /^(?!-)[A-Za-z0-9.-]{1,255}$/.test(machineName) ? machineName.toLowerCase() : 'localhost'
