// R2: power cuts without a power switch. The data folder lives on an ext4 in an image file. At the cut
// the server is stopped dead, the image is copied, and the copy takes its place: what was written but
// not synced sits in the page cache of the mounted file system and is not in the image, so the copy
// holds what a disk would hold. Mounting it replays the journal. Limits: no torn sectors, no lying disk.

import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from '../../bench/run.ts'
import { sleep } from '../../bench/wait.ts'
import { job, type Rig, type ServerOptions, settleAccount, startServer, startSink } from './rig.ts'

export type PowerCutFigures = {
  readonly cuts: number
  readonly acknowledged: number
  readonly lost: number
  readonly duplicates: number
}

const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })

/** An ext4 in a file, mounted; `cut()` replaces it by what a disk would hold now. */
export class Disk {
  readonly mounted: string
  #image: string

  constructor(folder: string, mebibytes: number) {
    this.#image = join(folder, 'disk.img')
    this.mounted = join(folder, 'disk')
    mkdirSync(this.mounted, { recursive: true })
    run('truncate', '-s', `${mebibytes}M`, this.#image)
    run('mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', this.#image)
    run('mount', '-o', 'loop', this.#image, this.mounted)
  }

  /** Copies the image: call it while nothing runs, then replace(). */
  freeze(): void {
    run('cp', '--sparse=always', this.#image, `${this.#image}.cut`)
  }

  /** Mounts the frozen copy in the image's place. */
  replace(): void {
    run('umount', this.mounted)
    renameSync(`${this.#image}.cut`, this.#image)
    run('mount', '-o', 'loop', this.#image, this.mounted)
  }

  dispose(): void {
    run('umount', this.mounted)
  }
}

/** Why the method cannot be used here; undefined when it can. */
export function cannotMount(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root for a loop mount'
  try {
    run('losetup', '-f')
    run('mkfs.ext4', '-V')
    return undefined
  } catch {
    return 'needs a loop device and mkfs.ext4'
  }
}

export async function powerCuts(
  rig: Rig,
  options: {
    cuts: number
    random: () => number
    say: (text: string) => void
    server?: ServerOptions
  },
): Promise<PowerCutFigures> {
  const { cuts, random, say } = options
  mkdirSync(rig.folder, { recursive: true })
  const disk = new Disk(rig.folder, 512)
  const setup: ServerOptions = { ...options.server, data: join(disk.mounted, 'data') }
  const sink = await startSink(rig)
  const all: number[] = []
  let number = 1
  let server = await startServer(rig, setup)
  try {
    for (let cut = 1; cut <= cuts; cut++) {
      const lifeMs = 400 + Math.round(random() * 1000)
      const load = generate(job(rig, { firstNumber: number, forMs: lifeMs + 50 }))
      await sleep(lifeMs)
      server.process.kill('SIGSTOP')
      disk.freeze()
      await server.kill()
      disk.replace()
      const result = await load
      all.push(...result.acknowledged)
      number += 1_000_000
      server = await startServer(rig, setup)
      say(`cut ${cut}: ${result.acknowledged.length} acknowledged in ${lifeMs} ms`)
    }
    const account = await settleAccount(sink, all, 5)
    return {
      cuts,
      acknowledged: all.length,
      lost: account.lost.length,
      duplicates: account.duplicates,
    }
  } finally {
    await server.stop()
    await sink.stop()
    disk.dispose()
  }
}
