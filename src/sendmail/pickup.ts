// The server's side of the drop folder. What lies there was written by anybody on this machine, so
// nothing of it is believed but who owns it.
//
// A file goes three steps. It is moved into the folder `claimed`, where nobody else reaches it, under
// the number that its message will have; the message is committed under that number; the file is
// removed. After a crash the store says by the number whether the message was committed, so that it
// is neither lost nor sent twice. What can never be sent goes to the folder `faulty` with the reason
// beside it; what can be sent later waits in `claimed`.

import { constants, type FSWatcher, watch } from 'node:fs'
import { type FileHandle, lstat, open, opendir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Accept, ContentSource, Origin } from '../intake/door.ts'
import { formatMessageId, type MessageId, parseMessageId, type Sender } from '../mail/message.ts'
import { Refusal } from '../mail/reply.ts'
import type { Clock, Timer } from '../std/clock.ts'
import { replaceFile, syncFolder } from '../std/durable.ts'
import type { Log } from '../std/log.ts'
import type { Store } from '../store/store.ts'
import { crlfStream } from './crlf.ts'
import { DRAFT_NAME, DROP_NAME, type DropHead, LONGEST_HEAD, parseDropHead } from './drop-file.ts'
import type { Folders } from './folders.ts'

export type PickupParts = {
  readonly folders: Folders
  readonly store: Pick<Store, 'nextMessageId' | 'queued' | 'attempts'>
  readonly accept: Accept
  readonly clock: Clock
  readonly log: Log
  readonly hostname: string
  /** Octets of the largest message. */
  readonly messageOctets: number
  /** Who sends, by the owner of the file; undefined: may not. */
  senderOf(uid: number): Promise<Sender | undefined>
}

const LOOK_EVERY_MS = 10_000
/** Files of one look, so that a flood does not fill the memory with names. */
const MOST_FILES = 1000
/** Nobody writes a message for a day. */
const DRAFT_AGE_MS = 24 * 3_600_000
const MOST_FAULTY = 1000
/** Reads no symbolic link, and does not wait for the other end of a FIFO. */
const CAREFULLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Looks at the folder at once, whenever something is left there, and every ten seconds. */
export class Pickup {
  readonly #parts: PickupParts
  readonly #stranded = new Set<string>()
  #watcher: FSWatcher | undefined
  #timer: Timer | undefined
  #looking: Promise<void> | undefined
  #again = false
  /** When what waits in `claimed` is tried again. */
  #resumeAt = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(parts: PickupParts) {
    this.#parts = parts
  }

  start(): void {
    try {
      this.#watcher = watch(this.#parts.folders.drop, () => this.#wake())
      this.#watcher.on('error', () => this.#watcher?.close())
    } catch (error) {
      this.#parts.log.warn({ error: String(error) }, 'the drop folder is only polled')
    }
    this.#wake()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#watcher?.close()
    this.#timer?.cancel()
    await this.#looking
  }

  #wake(): void {
    if (this.#closed) return
    if (this.#looking !== undefined) {
      this.#again = true
      return
    }
    this.#timer?.cancel()
    this.#looking = this.#look()
      .catch((error: unknown) =>
        this.#parts.log.error({ error: String(error) }, 'the drop folder cannot be read'),
      )
      .then(() => {
        this.#looking = undefined
        if (this.#closed) return
        this.#timer = this.#parts.clock.after(this.#again ? 0 : LOOK_EVERY_MS, () => this.#wake())
        this.#again = false
      })
  }

  async #look(): Promise<void> {
    const { folders, clock } = this.#parts
    if (clock.elapsed() >= this.#resumeAt) {
      for (const name of await readdir(folders.claimed)) {
        if (this.#closed) return
        await this.#resume(name)
      }
      this.#resumeAt = clock.elapsed() + LOOK_EVERY_MS
    }
    for (const name of await this.#waiting()) {
      if (this.#closed) return
      const claimed = await this.#claim(join(folders.drop, name), name)
      if (claimed !== undefined) await this.#take(claimed)
    }
  }

  /** Names in the drop folder, oldest first. */
  async #waiting(): Promise<string[]> {
    const names: string[] = []
    let seen = 0
    for await (const entry of await opendir(this.#parts.folders.drop)) {
      if (++seen > MOST_FILES) break
      if (this.#stranded.has(entry.name)) continue
      if (entry.isDirectory()) this.#strand(entry.name, 'a folder')
      else if (DRAFT_NAME.test(entry.name)) await this.#forgetDraft(entry.name)
      else names.push(entry.name)
    }
    if (seen > MOST_FILES) this.#again = true
    return names.sort()
  }

  /** What we can neither take nor remove is said once. */
  #strand(name: string, what: string): void {
    const { log, folders } = this.#parts
    if (this.#stranded.size < MOST_FILES) this.#stranded.add(name)
    log.warn(
      { name: shown(name), folder: folders.drop },
      `${what} in the drop folder is left alone`,
    )
  }

  async #forgetDraft(name: string): Promise<void> {
    const path = join(this.#parts.folders.drop, name)
    const found = await lstat(path).catch(() => undefined)
    if (found && this.#parts.clock.now() - found.mtimeMs > DRAFT_AGE_MS)
      await rm(path, { force: true })
  }

  /** Moves a file to where only we reach it; undefined: it is gone, or cannot be moved. */
  async #claim(path: string, name: string): Promise<string | undefined> {
    const { folders, store } = this.#parts
    const plain = DROP_NAME.test(name) ? name : 'unnamed'
    const claimed = `${formatMessageId(store.nextMessageId())}-${plain}`
    try {
      await rename(path, join(folders.claimed, claimed))
      await syncFolder(folders.claimed)
      return claimed
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.#strand(name, `a file that cannot be moved (${String(error)})`)
      return undefined
    }
  }

  /** A file that an earlier look, or an earlier life of ours, has claimed. */
  async #resume(name: string): Promise<void> {
    const { store, folders } = this.#parts
    const id = idOf(name)
    const path = join(folders.claimed, name)
    if (id === undefined) return await this.#setAside(name, 'no file of ours')
    if ((await store.queued(id)) || (await store.attempts(id)).length > 0) return await rm(path)
    const again = await this.#claim(path, name.slice(ID_LENGTH + 1))
    if (again !== undefined) await this.#take(again)
  }

  async #take(name: string): Promise<void> {
    const { folders, log } = this.#parts
    const path = join(folders.claimed, name)
    try {
      const fault = await this.#read(path, idOf(name)!)
      if (fault === undefined) await rm(path, { force: true })
      else await this.#setAside(name, fault)
    } catch (error) {
      if (error instanceof Refusal && error.reply.code >= 500)
        return await this.#setAside(name, error.message)
      log.warn({ file: name, why: (error as Error).message }, 'mail of the drop folder waits')
    }
  }

  /** Resolves when the message is durable, or to what is wrong with the file. Throws a Refusal. */
  async #read(path: string, id: MessageId): Promise<string | undefined> {
    const { messageOctets, senderOf } = this.#parts
    let file: FileHandle
    try {
      file = await open(path, CAREFULLY)
    } catch (error) {
      return `cannot be opened (${(error as NodeJS.ErrnoException).code}): a symbolic link, or closed to us`
    }
    try {
      const found = await file.stat()
      if (!found.isFile()) return 'not a file'
      const { nlink, size, uid } = found
      if (nlink !== 1) return 'it has another name elsewhere (hard link)'
      if (size > messageOctets + LONGEST_HEAD) return `too big: ${size} octets`
      const bytes = Buffer.alloc(Math.min(size, LONGEST_HEAD))
      const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
      const head = parseDropHead(bytes.subarray(0, bytesRead))
      if (typeof head === 'string') return head
      if (head.start + head.size !== size)
        return `DATA promises ${head.size} octets, ${size - head.start} follow`
      const sender = await senderOf(uid)
      if (!sender) return `user ${uid} may not send mail through this folder`
      await this.#parts.accept(head.envelope, contentOf(file, head), this.#origin(sender, id))
      return undefined
    } finally {
      await file.close()
    }
  }

  #origin(sender: Sender, id: MessageId): Origin {
    const { hostname } = this.#parts
    const address = '127.0.0.1'
    return { door: 'sendmail', sender, helloName: hostname, address, protocol: 'local', id }
  }

  async #setAside(name: string, reason: string): Promise<void> {
    const { folders, log } = this.#parts
    const to = join(folders.faulty, name)
    await rename(join(folders.claimed, name), to)
    await replaceFile(`${to}.reason`, `${reason}\n`)
    log.error({ file: to, reason }, 'mail of the drop folder cannot be sent and is set aside')
    const names = (await readdir(folders.faulty)).sort()
    for (const old of names.slice(0, Math.max(0, names.length - 2 * MOST_FAULTY)))
      await rm(join(folders.faulty, old), { force: true, recursive: true })
  }
}

const ID_LENGTH = 11

/** `0D3KP9ZT4M0-name` */
function idOf(name: string): MessageId | undefined {
  return name[ID_LENGTH] === '-' ? parseMessageId(name.slice(0, ID_LENGTH)) : undefined
}

function contentOf(file: FileHandle, { start, size }: DropHead): ContentSource {
  return async (sink) => {
    if (size === 0) return
    const end = start + size - 1
    const stream = file.createReadStream({ start, end, autoClose: false })
    for await (const chunk of crlfStream(stream)) await sink(chunk)
  }
}

const shown = (name: string): string => name.slice(0, 100).replace(/[^ -~]/g, '?')
