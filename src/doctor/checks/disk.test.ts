import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkDisk } from './disk.ts'

const MIB = 2 ** 20
const signal = new AbortController().signal

const DISKS: readonly [number, number, string][] = [
  [50_000, 100_000, 'DISK_OK'],
  [5_000, 100_000, 'DISK_OK'],
  [4_999, 100_000, 'DISK_LOW'],
  [200, 1_000, 'DISK_OK'],
  [199, 1_000, 'DISK_LOW'],
  [100, 1_000, 'DISK_LOW'],
  [99, 1_000, 'DISK_FULL'],
  [0, 0, 'DISK_FULL'],
]
for (const [free, total, code] of DISKS)
  test(`${free} MiB of ${total} with 100 in reserve: ${code}`, async () => {
    const check = checkDisk(async () => ({
      folder: '/data',
      freeBytes: free * MIB,
      totalBytes: total * MIB,
      reserveBytes: 100 * MIB,
    }))
    const [finding] = await check.run(signal)
    assert.equal(finding?.code, code)
    assert.equal(finding?.facts.free, free)
  })
