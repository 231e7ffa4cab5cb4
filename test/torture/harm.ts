// What can befall the files of a data folder: each harm is drawn by chance, done, and told in words
// together with the octets of the database that it reached.

import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

export type Harm = {
  readonly text: string
  readonly file: string
  /** Octets that are not what they were. */
  readonly from: number
  readonly to: number
}

type Chance = () => number

const DATABASE = 'queue.db'
const LOG = 'queue.db-wal'
const OTHERS = [
  'queue.db-shm',
  'lock.db',
  'lock.pid',
  'queue.tally',
  'routing',
  'running.json',
  'admin-token',
  'keys',
  'damaged',
  'queue.db-journal',
]
const LENGTHS = [1, 4, 64, 512, 8192, 65_536]

const below = (chance: Chance, limit: number) => Math.floor(chance() * limit)
const pick = <T>(chance: Chance, list: readonly T[]): T => list[below(chance, list.length)]!

/** Harms the folder of a server that does not run. */
export function harmAtRest(folder: string, chance: Chance): Harm {
  const file = pickFile(folder, chance)
  const path = join(folder, file)
  const size = isFile(path) ? lstatSync(path).size : 0
  if (size === 0) return replaceIt(path, file, chance)
  const kind = below(chance, 8)
  if (kind === 0) return cut(path, file, { size, at: chance() < 0.2 ? 0 : below(chance, size) })
  if (kind === 1) return replaceIt(path, file, chance)
  return scribble(path, file, { size, chance })
}

/** Harms the database or its log while the server has them open. */
export function harmUnderWay(folder: string, chance: Chance): Harm {
  const file = chance() < 0.7 ? DATABASE : LOG
  const path = join(folder, file)
  const size = isFile(path) ? lstatSync(path).size : 0
  if (size === 0)
    return scribble(join(folder, DATABASE), DATABASE, {
      size: lstatSync(join(folder, DATABASE)).size,
      chance,
    })
  if (file === DATABASE && chance() < 0.15)
    return cut(path, file, { size, at: below(chance, size) })
  return scribble(path, file, { size, chance })
}

function pickFile(folder: string, chance: Chance): string {
  const dice = chance()
  if (dice < 0.5) return DATABASE
  if (dice < 0.75 && existsSync(join(folder, LOG))) return LOG
  const other = pick(chance, [...OTHERS, LOG])
  if (other !== 'keys' || chance() < 0.3) return other
  const keys = isFolder(join(folder, 'keys')) ? readdirSync(join(folder, 'keys')) : []
  return keys.length > 0 ? join('keys', pick(chance, keys)) : 'keys'
}

const isFile = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true
const isFolder = (path: string) =>
  lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true

function cut(path: string, file: string, { size, at }: { size: number; at: number }): Harm {
  truncateSync(path, at)
  return { text: `${file} cut at ${at} of ${size}`, file, from: at, to: size }
}

/** Puts a foreign file or a folder in its place, or nothing. */
function replaceIt(path: string, file: string, chance: Chance): Harm {
  const whole = { file, from: 0, to: Number.POSITIVE_INFINITY }
  rmSync(path, { recursive: true, force: true })
  const kind = below(chance, file === DATABASE ? 2 : 3)
  if (kind === 0) {
    writeFileSync(path, 'this is something else\n'.repeat(1 + below(chance, 500)))
    return { text: `${file} is a foreign file`, ...whole }
  }
  if (kind === 1) {
    mkdirSync(path)
    return { text: `${file} is a folder`, ...whole }
  }
  return { text: `${file} is gone`, ...whole }
}

/** Flips, zeroes or overwrites a stretch in place. */
function scribble(
  path: string,
  file: string,
  { size, chance }: { size: number; chance: Chance },
): Harm {
  const how = pick(chance, ['flipped', 'zeroed', 'overwritten'] as const)
  const length = pick(chance, LENGTHS)
  const place = below(chance, size)
  const from = chance() < 0.3 ? place - (place % 8192) : place
  const to = Math.min(from + length, size)
  const handle = openSync(path, 'r+')
  try {
    const bytes = Buffer.alloc(to - from)
    readSync(handle, bytes, 0, bytes.length, from)
    for (let i = 0; i < bytes.length; i++) {
      if (how === 'zeroed') bytes[i] = 0
      else if (how === 'overwritten') bytes[i] = below(chance, 256)
      else bytes[i]! ^= 1 << below(chance, 8)
    }
    writeSync(handle, bytes, 0, bytes.length, from)
  } finally {
    closeSync(handle)
  }
  return { text: `${file} ${how} ${from}..${to} of ${size}`, file, from, to }
}
