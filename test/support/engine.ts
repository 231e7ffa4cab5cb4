// The smallest container engine: what Docker does around an image, with namespaces, bind mounts,
// chroot and the image's own configuration. One network without the world, as private as a bridge.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { missing, type Ran, run, until } from './tools.ts'

export type ImageConfig = {
  readonly User: string
  readonly Env: readonly string[]
  readonly Entrypoint: readonly string[]
  readonly ExposedPorts: Readonly<Record<string, unknown>>
  readonly Volumes: Readonly<Record<string, unknown>>
  readonly Labels: Readonly<Record<string, string>>
  readonly StopSignal: string
  readonly Healthcheck: { readonly Test: readonly string[] }
}

export type Image = { readonly root: string; readonly config: ImageConfig }

/** What Docker leaves to root in a container. */
const USUAL_RIGHTS = [
  ...['chown', 'dac_override', 'fowner', 'fsetid', 'kill', 'setgid', 'setuid', 'setpcap'],
  ...['net_bind_service', 'net_raw', 'sys_chroot', 'mknod', 'audit_write', 'setfcap'],
]
/** Only the way in. */
const NO_RIGHTS = ['setgid', 'setuid', 'sys_chroot']

export const noEngine = () =>
  process.getuid?.() === 0 ? missing('unshare', 'nsenter', 'setpriv', 'ip', 'mount') : 'needs root'

/** A network namespace of its own; below 1024 nobody needs a right, as Docker sets it. */
export class Network implements AsyncDisposable {
  readonly #holder: ChildProcess

  private constructor(holder: ChildProcess) {
    this.#holder = holder
  }

  static async open(): Promise<Network> {
    const script =
      'ip link set lo up && echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start && echo up && exec sleep 600'
    const holder = spawn('unshare', ['--net', 'sh', '-c', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await new Promise((resolve) => holder.stdout.once('data', resolve))
    return new Network(holder)
  }

  /** A command line that runs inside. */
  inside(...line: readonly string[]): readonly [string, readonly string[]] {
    return ['nsenter', [`--net=/proc/${this.#holder.pid}/ns/net`, ...line]]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder.kill('SIGKILL')
  }
}

const MOUNTS = `
set -e
mount --make-rprivate /
mount --bind "$ROOT" "$ROOT"
mount -t proc proc "$ROOT/proc"
mount --bind /dev "$ROOT/dev"
for volume in $VOLUMES; do mount --bind "\${volume%%:*}" "$ROOT\${volume#*:}"; done
mount -o remount,bind,ro "$ROOT"
exec "$@"
`

export type RunSettings = {
  readonly network: Network
  readonly args?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Folders of this machine by where they appear. */
  readonly volumes: Readonly<Record<string, string>>
  /** `--user 10001:10001 --cap-drop ALL --security-opt no-new-privileges`; else Docker's usual root. */
  readonly bare?: boolean
}

/** `docker run --read-only`. */
export class Container implements AsyncDisposable {
  readonly #image: Image
  readonly #settings: RunSettings
  readonly #child: ChildProcess
  readonly #ended: Promise<number | null>
  #said = ''

  private constructor(image: Image, settings: RunSettings) {
    this.#image = image
    this.#settings = settings
    const { Entrypoint } = image.config
    const line = [...this.#entry(), ...Entrypoint, ...(settings.args ?? [])]
    const places = Object.entries(settings.volumes).map(([to, from]) => `${from}:${to}`)
    for (const to of Object.keys(settings.volumes))
      mkdirSync(join(image.root, to), { recursive: true })
    const apart = ['unshare', '--mount', '--pid', '--fork', '--kill-child']
    const [program, args] = settings.network.inside(...apart, 'sh', '-c', MOUNTS, 'sh', ...line)
    this.#child = spawn(program, args, {
      env: { PATH: process.env.PATH, ROOT: image.root, VOLUMES: places.join(' ') },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        this.#said += chunk
      })
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve))
  }

  static start(image: Image, settings: RunSettings): Container {
    return new Container(image, settings)
  }

  /** All that it printed. */
  get said(): string {
    return this.#said
  }

  /** Ends it when that takes too long. */
  async ready(): Promise<this> {
    try {
      await until(() => {
        if (this.#child.exitCode !== null) throw new Error('it ended')
        return /"message":"ready"|\]: ready version=/.test(this.#said)
      }, 'it is ready')
    } catch (error) {
      await this[Symbol.asyncDispose]()
      throw new Error(`${(error as Error).message}:\n${this.#said}`)
    }
    return this
  }

  /** As this machine counts. */
  get processId(): number {
    const { pid } = this.#child
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim())
  }

  /** /proc/…/status of every thread. */
  threads(): string[] {
    const tasks = `/proc/${this.processId}/task`
    return readdirSync(tasks).map((task) => readFileSync(`${tasks}/${task}/status`, 'utf8'))
  }

  /** `docker exec`. */
  run(...line: readonly string[]): Promise<Ran> {
    const target = `--target=${this.processId}`
    const enter = [target, '--mount', '--pid', '--net', ...this.#entry(), ...line]
    return run('nsenter', enter)
  }

  health(): Promise<Ran> {
    const [, ...line] = this.#image.config.Healthcheck.Test
    return this.run(...line)
  }

  /** `docker stop`, or `docker kill`; gives the exit code. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    process.kill(this.processId, signal)
    return await this.#ended
  }

  /** Its exit code, when it ends by itself. */
  async ended(): Promise<number | null> {
    return await this.#ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Not its parent: whoever changes its user no longer dies with that.
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      try {
        process.kill(this.processId, 'SIGKILL')
      } catch {
        this.#child.kill('SIGKILL') // it has not begun, or is just ending
      }
    }
    await this.#ended
  }

  #entry(): string[] {
    const { bare, environment = {} } = this.#settings
    const more = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
    const rights = (bare ? NO_RIGHTS : USUAL_RIGHTS).map((name) => `,+${name}`).join('')
    return [
      ...['env', '-i', ...this.#image.config.Env, ...more],
      ...['setpriv', `--bounding-set=-all${rights}`, '--inh-caps=-all'],
      ...(bare ? ['--no-new-privs'] : []),
      ...['chroot', ...(bare ? ['--userspec=10001:10001', '--groups='] : []), this.#image.root],
    ]
  }
}
