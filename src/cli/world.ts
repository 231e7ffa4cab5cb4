// The command line's room: cli.ts is the table of commands, commands/ has a file for each noun,
// client.ts talks to the running server (or, when none runs on this data folder, to the same
// application in this process), texts-*.ts hold every sentence in both languages. What can go wrong
// is a CliFault: one sentence and an exit code, never a stack trace.

import type { Engine } from '../api/control.ts'
import type { Clock } from '../std/clock.ts'
import type { PassedSockets } from './supervisor.ts'

export type Output = {
  write(text: string): void
  readonly isTTY: boolean
  readonly columns: number
}

/** What the process has and tests replace. */
export type World = {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly workingDirectory: string
  readonly machineName: string
  readonly version: string
  /** How the user started us, for "try this next": `posthorn` or `npm run posthorn --`. */
  readonly program: string
  readonly clock: Clock
  readonly stdout: Output
  readonly stderr: Output
  /** Open sockets that this process was started with. */
  readonly sockets?: PassedSockets
  readonly processId?: number
  /** Where log lines go: a file descriptor or a path. */
  readonly logTo: number | string
  engine(): Promise<Engine>
  /** Asks the person at the terminal; absent when there is none. */
  readonly ask?: (question: string) => Promise<string>
  /** Calls `then` on every SIGTERM and SIGINT until the returned function is called. */
  onSignal(then: (name: string) => void): () => void
  /** Gives up root for good; absent where we are not root. */
  become?(user: { readonly uid: number; readonly gid: number }): void
  /** Ends the process now. */
  exit(code: number): void
}

/** Exit codes; documented in `posthorn --help`. */
export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 3, config: 4 } as const

/** The end of a command that did not work out: printed on standard error as it is. */
export class CliFault extends Error {
  override readonly name = 'CliFault'
  readonly exitCode: number

  constructor(text: string, exitCode: number = EXIT.failed) {
    super(text)
    this.exitCode = exitCode
  }
}
