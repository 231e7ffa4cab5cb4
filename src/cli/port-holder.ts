// Who listens on a port, as far as this system tells: `exim4 (pid 812)`.

import { readdir, readFile, readlink } from 'node:fs/promises'
import { basename } from 'node:path'

const LISTEN = '0A' // TCP_LISTEN in Linux' /proc/net/tcp

/** Undefined where the system does not tell, or the program belongs to another user. */
export async function portHolder(port: number): Promise<string | undefined> {
  const sockets = new Set<string>()
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(table, 'utf8').catch(() => '')
    for (const line of text.split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/)
      if (fields[1]?.endsWith(suffix) && fields[3] === LISTEN) sockets.add(`socket:[${fields[9]}]`)
    }
  }
  if (sockets.size === 0) return undefined
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid) || !(await holds(pid, sockets))) continue
    const [program = ''] = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split(
      '\0',
    )
    return `${basename(program)} (pid ${pid})`
  }
  return undefined
}

async function holds(pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`
  for (const name of await readdir(folder).catch(() => [])) {
    if (sockets.has(await readlink(`${folder}/${name}`).catch(() => ''))) return true
  }
  return false
}
