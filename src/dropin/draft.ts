// From what people already have to our configuration: the arguments and variables of the well-known
// Postfix images, a Postfix's main.cf and master.cf, OpenDKIM's tables. choose.ts says which image is
// meant and hands over to versatile.ts, boky.ts or wader.ts; all of them, and postfix.ts for a folder
// of files, end in settings.ts, which knows what a Postfix setting means here. Pure: files come as a
// function that reads. What can go wrong is input that nobody can understand: it is kept with a
// sentence that shows the right form, and nothing starts. Nothing is ever dropped without a word.

import type { Origin } from '../config/faults.ts'
import type { Text } from '../config/language.ts'

/** Something that was given, by its name, and what is to be said of it. */
export type Note = { readonly name: string; readonly says: Text }

export type Fault = Note & {
  /** The form that would be right. */
  readonly example: string
}

export type Translation = {
  /** In the form of the YAML file. */
  readonly tree: Readonly<Record<string, unknown>>
  /** What each option came from, by its path. */
  readonly given: ReadonlyMap<string, Origin>
  /** Given, and what it became: `hostname: mail.example.com`. */
  readonly understood: readonly { readonly name: string; readonly becomes: string }[]
  /** Given, and done in another way here. */
  readonly changed: readonly Note[]
  /** Given, and without a meaning here. */
  readonly ignored: readonly Note[]
  /** Nothing starts until these are repaired. */
  readonly wrong: readonly Fault[]
}

/** What the translation may ask of the machine; tests make it up. */
export type Surroundings = {
  /** The text of a file by its absolute path; undefined when there is none or it cannot be read. */
  read(path: string): string | undefined
  /** Names in a folder; empty when there is none. */
  list(path: string): readonly string[]
  /** The machine's own name. */
  readonly machineName: string
  /** The machine's own networks, as `172.17.0.2/16`. */
  readonly interfaces: readonly string[]
  /** Addresses of the default routes: in a container, what the host's programs appear as. */
  readonly gateways: readonly string[]
}

/** A translation that is being made. */
export class Draft {
  readonly #tree: Record<string, unknown> = {}
  readonly #given = new Map<string, Origin>()
  readonly #understood: { name: string; becomes: string }[] = []
  readonly #changed: Note[] = []
  readonly #ignored: Note[] = []
  readonly #wrong: Fault[] = []

  /** Sets an option. The newest value wins, as in main.cf. */
  set(path: readonly string[], value: unknown, from: Origin): void {
    let node = this.#tree
    for (const name of path.slice(0, -1)) {
      node[name] ??= {}
      node = node[name] as Record<string, unknown>
    }
    node[path.at(-1)!] = value
    this.#given.set(path.join('.'), from)
  }

  /** The value of an option so far. */
  get(path: readonly string[]): unknown {
    let node: unknown = this.#tree
    for (const name of path) node = (node as Record<string, unknown> | undefined)?.[name]
    return node
  }

  understood(name: string, becomes: string): void {
    this.#understood.push({ name, becomes })
  }

  changed(name: string, says: Text): void {
    this.#changed.push({ name, says })
  }

  ignored(name: string, says: Text): void {
    this.#ignored.push({ name, says })
  }

  wrong(name: string, says: Text, example: string): void {
    this.#wrong.push({ name, says, example })
  }

  finish(): Translation {
    return {
      tree: this.#tree,
      given: this.#given,
      understood: this.#understood,
      changed: this.#changed,
      ignored: this.#ignored,
      wrong: this.#wrong,
    }
  }
}

/** `main.cf:12 myhostname`, or the variable, or the argument. */
export function nameOf(origin: Origin, setting?: string): string {
  switch (origin.kind) {
    case 'file':
      return `${origin.file}:${origin.line}${setting === undefined ? '' : ` ${setting}`}`
    case 'environment':
    case 'flag':
      return origin.name
    case 'default':
      return setting ?? ''
  }
}
