// dist/ from src/, for whoever runs Posthorn out of node_modules, where Node strips no types. What
// is no TypeScript and still read at run time (migrations) goes along.

import { spawnSync } from 'node:child_process'
import { cpSync, globSync, rmSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..')

/** Throws when the compiler is not content; it has said why. */
export function compile(to: string): void {
  rmSync(to, { recursive: true, force: true })
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const args = [compiler, '-p', 'tsconfig.build.json', '--outDir', to]
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new Error('tsc failed')
  for (const name of globSync('**/*.sql', { cwd: join(root, 'src') }))
    cpSync(join(root, 'src', name), join(to, name))
}
