import type { Command } from 'commander'
import type { Server } from '../../api/control.ts'
import type { Config } from '../../config/schema.ts'
import type { Log } from '../../std/log.ts'
import { banner } from '../banner.ts'
import { type Builder, leaf } from '../command.ts'
import type { Context } from '../context.ts'
import { newerData, prepareData } from '../data-folder.ts'
import { descend } from '../descent.ts'
import { openLog } from '../log.ts'
import { portHolder } from '../port-holder.ts'
import { bracketed, noteRunning } from '../running.ts'
import { demandListeners, Supervisor } from '../supervisor.ts'
import { CliFault, EXIT } from '../world.ts'

export function serveCommand(builder: Builder, parent: Command): void {
  const { texts, world } = builder
  const command = parent.command('serve').description(texts.help.serve)
  leaf(command, builder, {
    examples: [
      'serve',
      'serve --smtp-port 2526 --http-port 8026 --data /tmp/posthorn',
      'serve --config posthorn.yaml',
    ],
    run: (context) => serve(context),
  })
  command.addHelpText('after', `\n${texts.allOptions(world.program)}`)
}

/**
 * Runs until a signal or until the server cannot go on.
 * @param announce writes to the log what should be known at the start
 */
export async function serve(context: Context, announce?: (log: Log) => void): Promise<number> {
  const config = context.config()
  const { world, texts } = context
  const sockets = world.sockets ?? new Map()
  demandListeners(context, config, sockets)
  await using log = openLog(world, config.log)
  await descend(context, config, log)
  await prepareData(context, config)
  announce?.(log)
  using supervisor = new Supervisor(world.environment, { clock: world.clock, log })
  const stopped = Promise.withResolvers<string>()
  let asked = false
  const unhook = world.onSignal((name) => {
    if (asked) world.exit(EXIT.failed)
    asked = true
    stopped.resolve(name)
  })
  try {
    const engine = await world.engine()
    const server = await engine
      .startServer(config, { log, clock: world.clock, sockets })
      .catch(async (error: unknown) => {
        throw (await startFault(context, error, config)) ?? error
      })
    const forget = await noteRunning(config.data, server.http)
    try {
      sayReady(context, { config, server, log })
      await supervisor.ready(world.processId ?? 0)
      const end = await Promise.race([stopped.promise, failure(server)])
      if (typeof end !== 'string') throw new CliFault(texts.serve.lost(end.message))
      world.stderr.write(`${texts.serve.draining(end)}\n`)
      await supervisor.stopping()
    } finally {
      await server[Symbol.asyncDispose]()
      await forget()
    }
    world.stderr.write(`${texts.serve.stopped}\n`)
    return EXIT.ok
  } finally {
    unhook()
  }
}

function sayReady(
  context: Context,
  { config, server, log }: { config: Config; server: Server; log: Log },
): void {
  const { hostname, mode, listeners, version } = server.control.about()
  log.info({ version, mode, hostname, data: config.data, http: server.http, listeners }, 'ready')
  if (!['json', 'postfix'].includes(config.log.format))
    context.out(banner(context, { config, server }))
}

async function failure(server: Server): Promise<Error> {
  return server.failed.then(
    (never) => never,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  )
}

/** The failures of the first minute, in words; undefined for what we do not know. */
async function startFault(
  context: Context,
  error: unknown,
  config: Config,
): Promise<CliFault | undefined> {
  const { code, address, port, name, message } = error as NodeJS.ErrnoException & {
    address?: string
    port?: number
  }
  const { faults } = context.texts
  const newer = newerData(context, error as Error, config.data)
  if (newer) return newer
  if (name === 'FolderLocked') {
    return new CliFault(`${faults.dataInUse(message)}\n  ${faults.dataInUseFix}`)
  }
  if (name === 'FileFault') return new CliFault(faults.fileUnusable(message), EXIT.config)
  if (port === undefined || address === undefined) return undefined
  const place = `${bracketed(address)}:${port}`
  if (code === 'EADDRINUSE') {
    const says = faults.portInUse(place, await portHolder(port))
    return new CliFault(`${says}\n  ${faults.portInUseFix(portFlag(config, port))}`)
  }
  if (code === 'EACCES') {
    return new CliFault(`${faults.portNotAllowed(place)}\n  ${faults.portNotAllowedFix}`)
  }
  if (code === 'EADDRNOTAVAIL') return new CliFault(faults.addressAbsent(place))
  return undefined
}

/** The flag that moves us to the next port that is not ours already. */
function portFlag(config: Config, port: number): string | undefined {
  const ours = [config.smtp, config.http, ...Object.values(config.listeners)].map((one) => one.port)
  let other = port + 1
  while (ours.includes(other)) other++
  if (config.smtp.port === port) return `--smtp-port ${other} (POSTHORN_SMTP_PORT)`
  if (config.http.port === port) return `--http-port ${other} (POSTHORN_HTTP_PORT)`
  return undefined
}
