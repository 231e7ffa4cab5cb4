import type { Command, CommandFault } from '../mail/command.ts'
import { formatReply, Refusal, type Reply, reply } from '../mail/reply.ts'
import { nextCommand } from './command-line.ts'
import { Abandoned } from './data.ts'
import { tellOfCertificate } from './secure.ts'
import { CredentialRevoked, type Session, ShuttingDown } from './session.ts'
import { PlaintextInjected, TlsFailed } from './tls.ts'
import { obey } from './verbs.ts'
import { WireClosed, WireTimeout } from './wire.ts'

/**
 * One incoming connection from the banner to its end. Resolves when nothing more is to be said;
 * never rejects for what a client does.
 */
export async function serveSession(session: Session): Promise<void> {
  const { wire, door } = session
  try {
    if (door.tls === 'implicit') await secureFirst(session)
    wire.write(formatReply(reply(220, undefined, `${door.hostname} ESMTP Posthorn`)))
    while (session.open) {
      if (session.draining && !session.transaction) throw new ShuttingDown('shutting down')
      const command = await nextCommand(session)
      const answer = await answerTo(session, command)
      if (answer) await session.answer(command, answer)
    }
  } catch (error) {
    sayWhy(session, error as Error)
  }
  session.endTransaction()
  if (session.hasQuit) wire.part()
  else wire.end()
}

async function secureFirst(session: Session): Promise<void> {
  const certificate = session.door.certificate()
  if (!certificate) throw new TlsFailed('no certificate', 'ERR_NO_CERTIFICATE')
  const { secureContext, contextFor, asksClient } = certificate
  const timeoutMs = session.door.limits.tlsMs
  const tls = await session.wire.startTls(
    { side: 'server', early: true, secureContext, contextFor, asksClient },
    { timeoutMs },
  )
  session.client = { ...session.client, tls }
  tellOfCertificate(session)
}

/** Obeys; a Refusal from anywhere inside becomes the reply, and nothing else is caught. */
async function answerTo(
  session: Session,
  command: Command | CommandFault,
): Promise<Reply | undefined> {
  try {
    return await obey(session, command)
  } catch (error) {
    if (error instanceof Abandoned) return error.command && (await answerTo(session, error.command))
    if (!(error instanceof Refusal)) throw error
    if (error.hangUp) session.open = false
    return error.reply
  }
}

/** The session has failed: one last line where the client can still read it, and a word for the log. */
function sayWhy(session: Session, error: Error): void {
  const { wire, door } = session
  const { hostname } = door
  if (error instanceof ShuttingDown) {
    wire.write(formatReply(reply(421, '4.3.2', `${hostname} Service shutting down`)))
  } else if (error instanceof CredentialRevoked) {
    session.fault = error.message
    wire.write(formatReply(reply(421, '4.7.0', `${hostname} Error: the credential was revoked`)))
  } else if (error instanceof WireTimeout && !wire.closed) {
    session.fault = 'timeout'
    wire.write(formatReply(reply(421, '4.4.2', `${hostname} Error: timeout exceeded`)))
  } else if (error instanceof WireClosed) {
    session.fault ??= session.transaction ? `${error.message} during a transaction` : error.message
  } else if (error instanceof TlsFailed || error instanceof WireTimeout) {
    session.fault = `TLS: ${error.message}`
    wire.destroy()
  } else if (error instanceof PlaintextInjected) {
    session.fault = error.message
    wire.destroy()
  } else {
    session.fault = error.message
    door.log.error({ err: error, listener: door.name }, 'smtp session failed')
    wire.write(formatReply(reply(421, '4.3.0', `${hostname} Error: internal fault, try again`)))
  }
}
