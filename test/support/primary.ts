// Name servers of other people with one zone that takes signed updates: knot and bind, on loopback.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { missing, run } from './tools.ts'

export type PrimarySoftware = 'knot' | 'bind'

export const PRIMARY_KEY = {
  name: 'posthorn.',
  algorithm: 'hmac-sha256',
  secret: 'c2VjcmV0LW9mLWEtdGVzdC16b25lLW9mLXBvc3Rob3Ju',
} as const

export type Primary = AsyncDisposable & {
  readonly address: '127.0.0.1'
  readonly port: number
  /** The answer of kdig, a line each. */
  dig(...args: readonly string[]): Promise<string[]>
}

const PROGRAMS = { knot: ['knotd', 'kdig'], bind: ['named', 'kdig'] } as const

/** The reason to skip, or false. */
export const missingPrimary = (software: PrimarySoftware) => missing(...PROGRAMS[software])

/** Starts a server for one zone; `records` are lines of its file beside SOA and NS. */
export async function startPrimary(
  software: PrimarySoftware,
  { zone, records = '' }: { readonly zone: string; readonly records?: string },
): Promise<Primary> {
  const folder = await mkdtemp(join(tmpdir(), `posthorn-${software}-`))
  const port = await freePort()
  const file = join(folder, 'zone')
  await writeFile(file, zoneFile(zone, records))
  const child = await (software === 'knot' ? knot : bind)({ folder, port, zone, file })
  const dig = async (...args: readonly string[]) => {
    const { out } = await run('kdig', ['@127.0.0.1', '-p', String(port), '+short', ...args])
    return out.split('\n').filter((line) => line !== '' && !line.startsWith(';;'))
  }
  const primary: Primary = {
    address: '127.0.0.1',
    port,
    dig,
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      if (child.exitCode === null) {
        child.kill('SIGKILL')
        await ended
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
  for (let tries = 0; tries < 100; tries++) {
    await pause(100)
    if ((await dig('+tcp', '+timeout=1', '+retry=0', zone, 'SOA')).length > 0) return primary
  }
  const said = await readFile(join(folder, 'out'), 'utf8').catch(() => '')
  await primary[Symbol.asyncDispose]()
  throw new Error(`${software} does not answer\n${said}`)
}

const zoneFile = (zone: string, records: string) => `$ORIGIN ${zone}.
$TTL 300
@ SOA ns.${zone}. hostmaster.${zone}. 1 3600 600 86400 30
@ NS ns.${zone}.
ns A 127.0.0.1
mail A 192.0.2.25
${records}
`

type Place = { folder: string; port: number; zone: string; file: string }

async function knot({ folder, port, zone, file }: Place): Promise<ChildProcess> {
  const config = join(folder, 'knot.conf')
  await writeFile(
    config,
    `server:
  listen: 127.0.0.1@${port}
  rundir: "${folder}"
database:
  storage: "${folder}"
log:
  - target: stderr
    any: info
key:
  - id: ${PRIMARY_KEY.name}
    algorithm: ${PRIMARY_KEY.algorithm}
    secret: ${PRIMARY_KEY.secret}
acl:
  - id: ours
    key: ${PRIMARY_KEY.name}
    action: update
zone:
  - domain: ${zone}.
    file: "${file}"
    acl: ours
`,
  )
  return spawn('sh', ['-c', `exec /usr/sbin/knotd -c ${config} > ${folder}/out 2>&1`])
}

async function bind({ folder, port, zone, file }: Place): Promise<ChildProcess> {
  const config = join(folder, 'named.conf')
  await writeFile(
    config,
    `key "${PRIMARY_KEY.name}" { algorithm ${PRIMARY_KEY.algorithm}; secret "${PRIMARY_KEY.secret}"; };
options {
  directory "${folder}";
  listen-on port ${port} { 127.0.0.1; };
  listen-on-v6 { none; };
  pid-file "${folder}/pid";
  session-keyfile "${folder}/session";
  recursion no;
  dnssec-validation no;
};
controls { };
zone "${zone}" { type primary; file "${file}"; allow-update { key "${PRIMARY_KEY.name}"; }; };
`,
  )
  return spawn('sh', ['-c', `exec /usr/sbin/named -g -c ${config} > ${folder}/out 2>&1`])
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const bound = probe.address()
      probe.close(() => resolve(typeof bound === 'object' && bound ? bound.port : 0))
    })
  })
}
