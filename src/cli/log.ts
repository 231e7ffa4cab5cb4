import type { Config } from '../config/schema.ts'
import { colourWanted, createLogger, type Logger } from '../std/logger.ts'
import type { World } from './world.ts'

/** The log of this process: for people on a terminal, for machines elsewhere, unless it is said. */
export function openLog(
  world: World,
  { format, level, addresses = 'full' }: Omit<Config['log'], 'addresses'> & Partial<Config['log']>,
): Logger {
  const { isTTY } = world.stderr
  return createLogger({
    format: formOf(format, isTTY),
    origin: { host: world.machineName, program: 'posthorn' },
    level,
    ...(addresses !== 'full' && { masking: addresses }),
    destination: world.logTo,
    colour: colourWanted(world.environment, isTTY),
    clock: world.clock,
  })
}

function formOf(format: Config['log']['format'], isTTY: boolean): 'json' | 'plain' | 'syslog' {
  if (format === 'auto') return isTTY ? 'plain' : 'json'
  return format === 'postfix' ? 'syslog' : format
}
