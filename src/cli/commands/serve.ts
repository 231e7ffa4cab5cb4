import { randomBytes } from 'node:crypto'
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { Server } from '../../api/control.ts'
import type { Config } from '../../config/schema.ts'
import type { Log } from '../../std/log.ts'
import { banner } from '../banner.ts'
import { type Builder, leaf } from '../command.ts'
import type { Context } from '../context.ts'
import { openLog } from '../log.ts'
import { portHolder } from '../port-holder.ts'
import { bracketed, noteRunning } from '../running.ts'
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
    run: serve,
  })
  command.addHelpText('after', `\n${texts.allOptions(world.program)}`)
}

/** Runs until a signal or until the server cannot go on. */
async function serve(context: Context): Promise<number> {
  const config = context.config()
  const { world, texts } = context
  await prepareData(context, config.data)
  await using log = openLog(world, config.log)
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
      .startServer(config, { log, clock: world.clock })
      .catch(async (error: unknown) => {
        throw (await startFault(context, error, config)) ?? error
      })
    const forget = await noteRunning(config.data, server.http)
    try {
      sayReady(context, { config, server, log })
      const end = await Promise.race([stopped.promise, failure(server)])
      if (typeof end !== 'string') throw new CliFault(texts.serve.lost(end.message))
      world.stderr.write(`${texts.serve.draining(end)}\n`)
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
  if (config.log.format !== 'json') context.out(banner(context, { config, server }))
}

async function failure(server: Server): Promise<Error> {
  return server.failed.then(
    (never) => never,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  )
}

/** Makes the folder, and tries to write in it: a read-only mount and a foreign owner look alike. */
async function prepareData({ texts }: Context, folder: string): Promise<void> {
  const probe = join(folder, `.write-${randomBytes(6).toString('hex')}`)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeFile(probe, '', { flag: 'wx' })
    await rm(probe)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (code === 'ENOSPC' || code === 'EDQUOT') return // the server starts, and answers 452
    const us = process.getuid?.() ?? 0
    const owner = await stat(folder).then(
      (found) => found.uid,
      () => undefined,
    )
    const says = texts.faults.dataNotWritable(folder, owner, us)
    throw new CliFault(`${says}\n  ${texts.faults.dataNotWritableFix(folder, us)}`)
  }
}

/** The failures of the first minute, in words; undefined for what we do not know. */
async function startFault(
  { texts }: Context,
  error: unknown,
  config: Config,
): Promise<CliFault | undefined> {
  const { code, address, port, name, message } = error as NodeJS.ErrnoException & {
    address?: string
    port?: number
  }
  const { faults } = texts
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
