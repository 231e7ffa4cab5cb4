// Reads SQLite's write-ahead log without SQLite, which stops at the first frame that fails its
// checksum and forgets all later commits without a word. We want to know when that happened, and the
// later frames too. Layout: sqlite.org/fileformat.html, section 4.

import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { endianness } from 'node:os'

const HEADER = 32
const FRAME_HEADER = 24
const MAGIC_LITTLE = 0x377f0682
const MAGIC_BIG = 0x377f0683

export type LogFrames = {
  readonly pageBytes: number
  /** Where in the log the newest committed copy of a page is. */
  readonly pages: ReadonlyMap<number, number>
  /** Commits that SQLite would not see, since a frame before them is damaged. */
  readonly lostCommits: number
  readonly salts: readonly [number, number] | undefined
  readonly headerIsWhole: boolean
  /** Frames up to the last commit that SQLite sees. */
  readonly wholeFrames: number
}

/** Reads the frames of a log; undefined when there is none worth the name. */
export function readLogFrames(path: string, pageBytes: number): LogFrames | undefined {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined
  const file = openSync(path, 'r')
  try {
    return scan(file, pageBytes)
  } finally {
    closeSync(file)
  }
}

/**
 * Says whether the log once had more commits than it has now. SQLite cannot tell a log that was cut
 * from one whose last write was; but its index (the -shm file, rebuilt at the next open) still knows
 * how many frames were synced, unless the machine went down.
 */
export function logWasCut(path: string, pageBytes: number): boolean {
  if (!statSync(`${path}-shm`, { throwIfNoEntry: false })?.isFile()) return false
  const file = openSync(`${path}-shm`, 'r')
  const index = read(file, 0, 136)
  closeSync(file)
  if (index.length < 136 || !index.subarray(0, 48).equals(index.subarray(48, 96))) return false
  const little = endianness() === 'LE'
  const word = (at: number) => (little ? index.readInt32LE(at) : index.readInt32BE(at))
  const sums: [number, number] = [0, 0]
  checksum(index.subarray(0, 40), false, sums)
  if (sums[0] !== word(40) || sums[1] !== word(44)) return false
  const frames = word(16)
  const writtenBack = word(96)
  if (frames <= writtenBack) return false
  const log = readLogFrames(`${path}-wal`, pageBytes)
  if (!log) return true
  // The salts stand in the index as they do in the log; the first grows each time the log begins anew.
  const [first, second] = [index.readInt32BE(32), index.readInt32BE(36)]
  const ahead = ((log.salts?.[0] ?? first) - first) | 0
  // The index is not synced: after the machine went down it may be of an earlier log.
  if (log.headerIsWhole && ahead > 0) return false
  return ahead !== 0 || log.salts?.[1] !== second || log.wholeFrames < frames
}

type Salts = readonly [number, number]

function scan(file: number, expectedPageBytes: number): LogFrames | undefined {
  const size = fstatSync(file).size
  const header = read(file, 0, HEADER)
  if (header.length < HEADER) return undefined
  const magic = header.readUInt32BE(0)
  const swap = (magic === MAGIC_BIG) !== (endianness() === 'BE')
  const sums: [number, number] = [0, 0]
  checksum(header.subarray(0, 24), swap, sums)
  const headerIsWhole =
    (magic === MAGIC_LITTLE || magic === MAGIC_BIG) &&
    sums[0] === header.readInt32BE(24) &&
    sums[1] === header.readInt32BE(28)
  const pageBytes = headerIsWhole ? header.readUInt32BE(8) : expectedPageBytes
  const frameBytes = FRAME_HEADER + pageBytes
  let salts: Salts | undefined = headerIsWhole
    ? [header.readInt32BE(16), header.readInt32BE(20)]
    : undefined
  const frames = new Map<number, number>()
  let pending: [number, number][] = []
  let chained = headerIsWhole
  let lostCommits = 0
  let wholeFrames = 0
  for (let at = HEADER; at + frameBytes <= size; at += frameBytes) {
    const frame = read(file, at, frameBytes)
    const page = frame.readUInt32BE(0)
    // Without a header the first frame says whose log it is.
    salts ??= [frame.readInt32BE(8), frame.readInt32BE(12)]
    const ours = frame.readInt32BE(8) === salts[0] && frame.readInt32BE(12) === salts[1]
    if (chained) {
      checksum(frame.subarray(0, 8), swap, sums)
      checksum(frame.subarray(FRAME_HEADER), swap, sums)
      chained = ours && sums[0] === frame.readInt32BE(16) && sums[1] === frame.readInt32BE(20)
      // A frame that fails is of no use itself, even where its salts are right.
      if (!chained) continue
    }
    if (!ours || page === 0) continue
    pending.push([page, at + FRAME_HEADER])
    if (frame.readUInt32BE(4) === 0) continue
    for (const [number, offset] of pending) frames.set(number, offset)
    pending = []
    if (chained) wholeFrames = (at - HEADER) / frameBytes + 1
    else lostCommits++
  }
  return { pageBytes, pages: frames, lostCommits, salts, headerIsWhole, wholeFrames }
}

function read(file: number, at: number, length: number): Buffer {
  const buffer = Buffer.alloc(length)
  return buffer.subarray(0, readSync(file, buffer, 0, length, at))
}

/** SQLite's running sum of 32-bit words, in place. */
function checksum(bytes: Buffer, swap: boolean, sums: [number, number]): void {
  const copy = Buffer.from(bytes)
  if (swap) copy.swap32()
  const words = new Int32Array(copy.buffer.slice(copy.byteOffset, copy.byteOffset + copy.length))
  let [first, second] = sums
  for (let i = 0; i < words.length; i += 2) {
    first = (first + words[i]! + second) | 0
    second = (second + words[i + 1]! + first) | 0
  }
  sums[0] = first
  sums[1] = second
}
