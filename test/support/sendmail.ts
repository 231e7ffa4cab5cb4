// The commands sendmail, mailq and newaliases as programs call them.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Ran, type RunOptions, run } from './tools.ts'

const bin = join(import.meta.dirname, '../../bin')

export type CommandName = 'sendmail' | 'mailq' | 'newaliases'

/** Runs one of them beside the server of a folder. */
export function callSendmail(
  name: CommandName,
  words: readonly string[],
  options: RunOptions & { readonly data?: string },
): Promise<Ran> {
  const { data, environment, ...rest } = options
  return run(process.execPath, [join(bin, `${name}.js`), ...words], {
    ...rest,
    environment: { ...(data !== undefined && { POSTHORN_DATA: data }), ...environment },
  })
}

/** Makes `sendmail` in a folder, for programs that want its path; `data` is the server's. */
export function installSendmail(folder: string, data: string): string {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'sendmail')
  const script = `#!/bin/sh
POSTHORN_DATA='${data}'
export POSTHORN_DATA
exec '${process.execPath}' '${join(bin, 'sendmail.js')}' "$@"
`
  writeFileSync(path, script)
  chmodSync(path, 0o755)
  return path
}
