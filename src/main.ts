// The executable: what the process has, to the command table; exit code back.

import { readFileSync } from 'node:fs'
import { availableParallelism, hostname } from 'node:os'
import { createInterface } from 'node:readline/promises'
import { setFlagsFromString } from 'node:v8'
import { runCli } from './cli/cli.ts'
import { passedSockets } from './cli/supervisor.ts'
import type { Output, World } from './cli/world.ts'
import { systemClock } from './std/clock.ts'

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string }

const output = (stream: NodeJS.WriteStream): Output => ({
  write: (text) => void stream.write(text),
  isTTY: stream.isTTY === true,
  columns: stream.columns ?? 100,
})

const world: World = {
  // biome-ignore lint/style/noProcessEnv: read here once, and handed to config as a record
  environment: process.env,
  workingDirectory: process.cwd(),
  machineName: hostname(),
  version,
  // biome-ignore lint/style/noProcessEnv: npm tells so that it started us
  program: process.env['npm_package_name'] === 'posthorn' ? 'npm run posthorn --' : 'posthorn',
  clock: systemClock,
  // biome-ignore lint/style/noProcessEnv: whom the sockets were meant for is known only here
  sockets: passedSockets(process.env, process.pid),
  processId: process.pid,
  stdout: output(process.stdout),
  stderr: output(process.stderr),
  logTo: 2,
  engine: () => import('./server.ts'),
  ...(process.stdin.isTTY && {
    async ask(question: string) {
      const dialogue = createInterface({ input: process.stdin, output: process.stdout })
      try {
        return await dialogue.question(question)
      } finally {
        dialogue.close()
      }
    },
  }),
  onSignal(then) {
    const names = ['SIGTERM', 'SIGINT'] as const
    for (const name of names) process.on(name, then)
    return () => {
      for (const name of names) process.off(name, then)
    }
  },
  ...(process.getuid?.() === 0 && {
    become({ uid, gid }: { uid: number; gid: number }) {
      process.setgroups?.([])
      process.setgid?.(gid)
      process.setuid?.(uid)
    },
  }),
  exit: (code) => process.exit(code),
}

// One thread a core: more would take turns with the event loop, which feeds them
// (docs/decisions/thread-pool.md). Read when the pool is first used.
// biome-ignore lint/style/noProcessEnv: libuv has no other way to hear it
process.env['UV_THREADPOOL_SIZE'] ||= String(Math.min(Math.max(availableParallelism(), 2), 8))

// Mail under way outlives V8's young generation; by itself V8 would let twice the memory that is in
// use gather before it looks there (docs/decisions/node-flags.md).
setFlagsFromString('--heap-growing-percent=50')

// A slice that lives on keeps the whole block it was cut from, and Node's blocks are 64 KiB
// (docs/decisions/memory-of-reads.md).
Buffer.poolSize = 8192

// A reader that went away (`posthorn queue list | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

process.exitCode = await runCli(process.argv.slice(2), world)
