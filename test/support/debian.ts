// A small Debian of this machine's release and mirror, for tests that need a root file system. It is
// made once a checkout, in its build folder.

import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { missing, run } from './tools.ts'

const build = join(import.meta.dirname, '../../build')
const TARGETS = ['indextargets', 'Created-By: Packages', 'Origin: Debian', '--format']
/** Node needs the first; the packages of services bring users by the second. */
const PACKAGES = 'libstdc++6,systemd-standalone-sysusers'

/** The reason to skip, or false. */
export function noDebian(): string | false {
  if (process.getuid?.() !== 0) return 'needs root'
  return missing('mmdebstrap', 'apt-get', 'flock')
}

/** Path of a tar archive of the root file system. */
export async function debianTar(): Promise<string> {
  const tar = join(build, 'debian.tar')
  if (existsSync(tar)) return tar
  mkdirSync(build, { recursive: true })
  // Test files run at the same time: one makes it, the other waits.
  const script = [process.execPath, import.meta.filename, tar]
  const ran = await run('flock', [join(build, 'debian.lock'), ...script], { seconds: 250 })
  if (ran.code !== 0) throw new Error(ran.err)
  return tar
}

async function make(tar: string): Promise<void> {
  if (existsSync(tar)) return
  const line = 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)'
  const { out } = await run('apt-get', [...TARGETS, line])
  const sources = [...new Set(out.trim().split('\n'))].filter((one) => one.startsWith('deb '))
  if (sources.length === 0) throw new Error('apt knows no Debian archive: apt-get update')
  const [, , release = ''] = sources.map((one) => one.split(' ')).find(isMain) ?? []
  const list = `${tar}.list`
  writeFileSync(list, `${sources.join('\n')}\n`)
  const less = ['doc', 'locale', 'man'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`)
  const what = ['--variant=essential', `--include=${PACKAGES}`, ...less]
  const part = `${tar}.part.tar`
  const ran = await run('mmdebstrap', [...what, release, part, list], { seconds: 240 })
  rmSync(list)
  if (ran.code !== 0) throw new Error(`mmdebstrap: ${ran.err.slice(-2_000)}`)
  renameSync(part, tar)
}

/** `bookworm`, not `bookworm-updates` nor `bookworm-security`. */
const isMain = ([, , release = '']: readonly string[]) => /^\w+$/.test(release)

if (process.argv[1] === import.meta.filename) {
  const [, , tar = ''] = process.argv
  mkdirSync(dirname(tar), { recursive: true })
  await make(tar)
}
