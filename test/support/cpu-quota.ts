import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = '/sys/fs/cgroup'
/** Short, so that a pause of who has used its part up is short. */
const PERIOD_US = 10_000

/**
 * Leaves a process with all its threads so much of one core (control groups, version 1 or 2; as root).
 * The group is removed on disposal, when the process has ended or joined another.
 * @returns undefined where that cannot be done
 */
export function limitCpu(pid: number, cores: number): Disposable | undefined {
  const isVersion1 = existsSync(join(ROOT, 'cpu/cpu.cfs_quota_us'))
  const folder = join(ROOT, isVersion1 ? 'cpu' : '', `posthorn-test-${pid}`)
  const quota = Math.round(cores * PERIOD_US)
  try {
    if (!isVersion1) offerCpu()
    mkdirSync(folder)
    if (isVersion1) {
      writeFileSync(join(folder, 'cpu.cfs_period_us'), `${PERIOD_US}`)
      writeFileSync(join(folder, 'cpu.cfs_quota_us'), `${quota}`)
    } else writeFileSync(join(folder, 'cpu.max'), `${quota} ${PERIOD_US}`)
    writeFileSync(join(folder, 'cgroup.procs'), `${pid}`)
  } catch {
    if (existsSync(folder)) rmdirSync(folder)
    return undefined
  }
  return { [Symbol.dispose]: () => rmdirSync(folder) }
}

/** Version 2 has the files of a controller only where the folder above hands it down. */
function offerCpu(): void {
  const file = join(ROOT, 'cgroup.subtree_control')
  if (!/\bcpu\b/.test(readFileSync(file, 'utf8'))) writeFileSync(file, '+cpu')
}
