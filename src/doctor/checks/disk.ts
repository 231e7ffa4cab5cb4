// Whether the data folder has room for mail.

import { type Check, findingsOf } from '../check.ts'
import { diskTexts } from '../texts/disk.ts'

const found = findingsOf(diskTexts)

export type Disk = {
  readonly folder: string
  readonly freeBytes: number
  readonly totalBytes: number
  /** Below it new mail is refused for now. */
  readonly reserveBytes: number
}

/** Less than this part of the disk, or less than twice the reserve, is little. */
const LITTLE = 0.05

export function checkDisk(look: () => Promise<Disk>): Check {
  return {
    name: 'disk',
    group: 'server',
    async run() {
      const { folder, freeBytes, totalBytes, reserveBytes } = await look()
      const percent = Math.floor((freeBytes / Math.max(totalBytes, 1)) * 100)
      const facts = { folder, percent, free: inMiB(freeBytes), reserve: inMiB(reserveBytes) }
      if (freeBytes < reserveBytes) return [found('DISK_FULL', folder, facts)]
      if (freeBytes < Math.max(totalBytes * LITTLE, reserveBytes * 2))
        return [found('DISK_LOW', folder, facts)]
      return [found('DISK_OK', folder, { folder, percent, free: facts.free })]
    },
  }
}

const inMiB = (bytes: number): number => Math.floor(bytes / 2 ** 20)
