// Disks for the torments: an ext4 in a file that can lose its power, and a small one in memory that
// can be full. Both need root.

import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { Rig } from './rig.ts'

const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })

/**
 * An ext4 in an image file, mounted. What was written but not synced sits in the page cache of the
 * mounted file system and is not in the image, so a copy of the image holds what a disk would hold
 * after the plug was pulled; mounting the copy replays the journal. Limits: no torn sectors, no disk
 * that lies about its syncs.
 */
export class LoopDisk {
  readonly mounted: string
  readonly #image: string
  #isMounted = false

  constructor(rig: Rig, mebibytes: number) {
    this.#image = join(rig.folder, 'disk.img')
    this.mounted = join(rig.folder, 'disk')
    mkdirSync(this.mounted, { recursive: true })
    run('truncate', '-s', `${mebibytes}M`, this.#image)
    run('mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', this.#image)
    rig.undo(() => this.#unmount('-l'))
    this.#mount()
  }

  /** Copies the image: call it while nothing runs, then replace(). */
  freeze(): void {
    run('cp', '--sparse=always', this.#image, `${this.#image}.cut`)
  }

  /** Mounts the frozen copy in the image's place. */
  replace(): void {
    this.#unmount()
    renameSync(`${this.#image}.cut`, this.#image)
    this.#mount()
  }

  #mount(): void {
    run('mount', '-o', 'loop', this.#image, this.mounted)
    this.#isMounted = true
  }

  #unmount(...options: string[]): void {
    if (this.#isMounted) run('umount', ...options, this.mounted)
    this.#isMounted = false
  }
}

/** Mounts a small disk in memory; returns its folder. */
export function mountSmallDisk(rig: Rig, mebibytes: number): string {
  const folder = join(rig.folder, 'small')
  mkdirSync(folder)
  run('mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'none', folder)
  rig.undo(() => void run('umount', '-l', folder))
  return folder
}

/** Why no disk can be mounted here. */
export function cannotMount(): string | undefined {
  return process.getuid?.() === 0 ? undefined : 'mounting needs root'
}

/** Why a power cut cannot be played here. */
export function cannotCut(): string | undefined {
  if (process.getuid?.() !== 0) return 'a loop mount needs root'
  try {
    run('losetup', '-f')
    run('mkfs.ext4', '-V')
    return undefined
  } catch {
    return 'needs a loop device and mkfs.ext4'
  }
}
