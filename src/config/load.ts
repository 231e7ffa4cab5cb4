// From the three sources to one Config: file < environment < flags. Every fault of every source is
// found before anything is said, so that a configuration is repaired in one go.

import { readFileSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import type { z } from 'zod'
import { type Domain, parseDomain } from '../mail/domain.ts'
import { crossCheck, machineHostname } from './check.ts'
import { type ConfigFault, missing, type Origin, quote, unknownOption } from './faults.ts'
import type { Kind } from './kinds.ts'
import { aboutOf, shapeOf } from './option.ts'
import { listOptions } from './options.ts'
import { environmentOverrides, expandAll, flagOverrides, isTree, lay, withFix } from './overlay.ts'
import { type Config, configSchema, type RawConfig } from './schema.ts'
import { suggest } from './suggest.ts'
import { readYaml, type YamlFile } from './yaml.ts'

export type LoadInput = {
  /** Flags by the option's path (`http.port`), as text. */
  readonly flags?: Readonly<Record<string, string>>
  /** The file named by --config. */
  readonly file?: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Relative paths are relative to it. */
  readonly workingDirectory: string
  /** The machine's own name, from the operating system. */
  readonly machineName: string
  /** Taken in place of a file, in its form; `given` says what each option came from, by path. */
  readonly base?: {
    readonly tree: Readonly<Record<string, unknown>>
    readonly given: ReadonlyMap<string, Origin>
  }
}

export type Loaded = {
  /** Absent when there are faults. */
  readonly config?: Config
  readonly faults: readonly ConfigFault[]
  /** The file that was read, if any. */
  readonly file?: string
  /** What was given, and where, by path; everything else is a default. */
  readonly given: ReadonlyMap<string, Origin>
  /** The settled tree in the form of the YAML file, for `config print`. */
  readonly tree: Readonly<Record<string, unknown>>
}

/** Reads and checks all of it. Throws nothing: what is wrong comes back as faults. */
export function loadConfig(input: LoadInput): Loaded {
  const faults: ConfigFault[] = []
  const yaml = input.base ? undefined : readFile(input, faults)
  const tree = yaml?.tree ?? structuredClone(input.base?.tree ?? {})
  const given = new Map<string, Origin>(input.base?.given)
  if (yaml) noteGiven(tree, [], yaml, given)
  const environment = environmentOverrides(input.environment, (path) =>
    readFileSync(resolve(input.workingDirectory, path), 'utf8'),
  )
  faults.push(...environment.faults)
  lay(tree, [...environment.overrides, ...flagOverrides(input.flags ?? {})], given)
  expandAll(tree)
  const find = (path: readonly PropertyKey[], of: 'key' | 'value'): Origin =>
    nearest(given, path, input) ?? yaml?.origin(path, of) ?? { kind: 'default' }

  const raw = parse(tree, find, faults)
  const where = (path: string): Origin => find(path === '' ? [] : splitPath(tree, path), 'value')
  if (raw) {
    const between = crossCheck(raw, { machineName: input.machineName, where })
    faults.push(...between.filter((one) => !faults.some((other) => other.path === one.path)))
  }
  const file = yaml === undefined ? {} : { file: askedFile(input) ?? DEFAULT_FILE }
  if (faults.length > 0 || !raw) return { faults: faults.sort(byPlace), given, tree, ...file }
  return { config: settle(raw, input), faults, given, tree, ...file }
}

/** The file from top to bottom, then the rest as it was found. */
function byPlace(a: ConfigFault, b: ConfigFault): number {
  if (a.origin.kind !== 'file' || b.origin.kind !== 'file') {
    return Number(a.origin.kind !== 'file') - Number(b.origin.kind !== 'file')
  }
  return a.origin.line - b.origin.line || a.origin.column - b.origin.column
}

const DEFAULT_FILE = 'posthorn.yaml'

function askedFile(input: LoadInput): string | undefined {
  return input.file ?? (input.environment.POSTHORN_CONFIG || undefined)
}

function readFile(input: LoadInput, faults: ConfigFault[]): YamlFile | undefined {
  const asked = askedFile(input)
  const file = asked ?? DEFAULT_FILE
  try {
    const yaml = readYaml(file, readFileSync(resolve(input.workingDirectory, file), 'utf8'))
    faults.push(...yaml.faults)
    return yaml
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (asked === undefined && code === 'ENOENT') return undefined
    faults.push({
      code: 'FILE_UNREADABLE',
      path: '',
      origin:
        input.file === undefined && asked !== undefined
          ? { kind: 'environment', name: 'POSTHORN_CONFIG' }
          : { kind: 'flag', name: asked === undefined ? file : '--config' },
      says: {
        en: `cannot read ${quote(file)} (${code ?? 'error'})`,
        ru: `не читается ${quote(file)} (${code ?? 'error'})`,
      },
    })
    return undefined
  }
}

/** Parses; on faults parses once more without the faulty parts, so that the rest is checked too. */
function parse(
  tree: Record<string, unknown>,
  find: (path: readonly PropertyKey[], of: 'key' | 'value') => Origin,
  faults: ConfigFault[],
): RawConfig | undefined {
  const first = configSchema.safeParse(tree)
  if (first.success) return shape(configSchema, first.data) as RawConfig
  for (const issue of first.error.issues) faults.push(...issueFaults(issue, tree, find))
  const pruned = structuredClone(tree)
  let result: ReturnType<typeof configSchema.safeParse> = first
  for (let round = 0; round < 3 && !result.success; round++) {
    for (const issue of result.error.issues) prune(pruned, issue)
    result = configSchema.safeParse(pruned)
  }
  return result.success ? (shape(configSchema, result.data) as RawConfig) : undefined
}

type Issue = z.core.$ZodIssue

function issueFaults(
  issue: Issue,
  tree: Record<string, unknown>,
  find: (path: readonly PropertyKey[], of: 'key' | 'value') => Origin,
): ConfigFault[] {
  const path = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    const siblings = namesAt(issue.path)
    return issue.keys.map((key) => ({
      code: 'UNKNOWN_OPTION',
      path: [...issue.path, key].join('.'),
      origin: find([...issue.path, key], 'key'),
      says: unknownOption,
      ...withFix(suggestPath(issue.path, key, siblings)),
    }))
  }
  const value = valueAt(tree, issue.path)
  const kind = (issue as { params?: { kind?: Kind<unknown> } }).params?.kind
  const origin = find(issue.path, 'value')
  if (value === undefined) return [{ code: 'MISSING', path, origin, says: missing }]
  const expects = kind?.expects ?? { en: 'a group of options', ru: 'группа опций' }
  const word = typeof value === 'string' ? suggest(value, kind?.words ?? []) : undefined
  return [
    {
      code: 'BAD_VALUE',
      path,
      origin,
      says: {
        en: `expected ${expects.en}, found ${quote(value)}`,
        ru: `ожидается ${expects.ru}, а указано ${quote(value)}`,
      },
      ...withFix(word),
    },
  ]
}

/** A name of the same section first, then any option that ends in this name. */
function suggestPath(
  above: readonly PropertyKey[],
  key: string,
  siblings: readonly string[],
): string | undefined {
  const sibling = suggest(key, siblings)
  if (sibling !== undefined) return [...above, sibling].join('.')
  const plain = key.toLowerCase().replaceAll('-', '_')
  const elsewhere = listOptions().find(
    (entry) =>
      entry.kind === 'option' &&
      !entry.path.includes('*') &&
      (entry.path.at(-1) === plain || entry.path.join('_') === plain),
  )
  return elsewhere?.path.join('.')
}

function namesAt(path: readonly PropertyKey[]): readonly string[] {
  let schema: z.ZodType = configSchema
  for (const name of path) {
    const shape = shapeOf(schema)
    if (shape.kind === 'named') schema = shape.item
    else if (shape.kind === 'section') schema = shape.fields[String(name)]!
  }
  const shape = shapeOf(schema)
  return shape.kind === 'section' ? Object.keys(shape.fields) : []
}

function valueAt(tree: unknown, path: readonly PropertyKey[]): unknown {
  let node = tree
  for (const name of path)
    node = isTree(node) && Object.hasOwn(node, name) ? node[String(name)] : undefined
  return node
}

/** Takes the faulty part out; where something required is missing, the group that lacks it. */
function prune(tree: Record<string, unknown>, issue: Issue): void {
  const unknown = issue.code === 'unrecognized_keys'
  const absent = !unknown && valueAt(tree, issue.path) === undefined
  const path = unknown ? issue.path : absent ? issue.path.slice(0, -1) : issue.path
  const node = valueAt(tree, unknown ? path : path.slice(0, -1))
  const names = unknown ? issue.keys : [String(path.at(-1))]
  if (isTree(node)) for (const name of names) delete node[name]
}

/** Names become camel case and end in their unit; names that the user chose stay. */
function shape(schema: z.ZodType, value: unknown): unknown {
  const kind = shapeOf(schema)
  if (kind.kind === 'option' || !isTree(value)) return value
  const out: Record<string, unknown> = {}
  for (const [name, item] of Object.entries(value)) {
    const field = kind.kind === 'named' ? kind.item : kind.fields[name]!
    const key = kind.kind === 'named' ? name : camel(name) + unitSuffix(field)
    out[key] = shape(field, item)
  }
  return out
}

function unitSuffix(schema: z.ZodType): string {
  const unit = aboutOf(schema)?.kind?.unit
  return unit === 'ms' ? 'Ms' : unit === 'bytes' ? 'Bytes' : ''
}

function camel(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}

function noteGiven(
  node: Record<string, unknown>,
  above: readonly string[],
  yaml: YamlFile,
  given: Map<string, Origin>,
): void {
  for (const [name, value] of Object.entries(node)) {
    const path = [...above, name]
    if (isTree(value)) noteGiven(value, path, yaml, given)
    else given.set(path.join('.'), yaml.origin(path, 'value'))
  }
}

/** The place of a path, or of the short form or override that holds it. */
function nearest(
  given: ReadonlyMap<string, Origin>,
  path: readonly PropertyKey[],
  from: Pick<LoadInput, 'base'>,
): Origin | undefined {
  for (let length = path.length; length > 0; length--) {
    const origin = given.get(path.slice(0, length).join('.'))
    if (origin && (origin.kind !== 'file' || from.base)) return origin
  }
  return undefined
}

/** Domain names hold dots themselves, so the tree says where a name ends. */
function splitPath(tree: Record<string, unknown>, path: string): string[] {
  const names: string[] = []
  let node: unknown = tree
  let rest = path
  while (rest !== '') {
    const keys: string[] = isTree(node) ? Object.keys(node) : []
    const key =
      keys.find((name) => rest === name || rest.startsWith(`${name}.`)) ?? rest.split('.')[0]!
    names.push(key)
    node = isTree(node) ? node[key] : undefined
    rest = rest.slice(key.length + 1)
  }
  return names
}

function settle(raw: RawConfig, input: LoadInput): Config {
  const path = (text: string): string =>
    isAbsolute(text) ? text : resolve(input.workingDirectory, text)
  const optionalPath = <T extends string | null>(text: T): T =>
    (text === null ? text : path(text)) as T
  const domains = Object.entries(raw.domains).map(([name, domain]) => [
    parseDomain(name)!,
    {
      ...domain,
      mode: domain.mode ?? raw.mode,
      followsMode: domain.mode === null,
      key: optionalPath(domain.key),
    },
  ])
  const routes = Object.entries(raw.routes).map(([name, relay]) => [parseDomain(name)!, relay])
  return {
    ...raw,
    hostname: raw.hostname ?? machineHostname(input.machineName) ?? ('mail.example.test' as Domain),
    data: path(raw.data),
    sendmail: { ...raw.sendmail, folder: path(raw.sendmail.folder ?? join(raw.data, 'sendmail')) },
    ...settleCertificates(raw, optionalPath),
    auth: {
      ...raw.auth,
      file: optionalPath(raw.auth.file),
      clientAuthorities: optionalPath(raw.auth.clientAuthorities),
    },
    domains: Object.fromEntries(domains),
    routes: Object.fromEntries(routes),
  }
}

type Files = {
  readonly certificate: string | null
  readonly key: string | null
  readonly chain: string | null
}

/** Paths become absolute. */
function settleCertificates(
  raw: RawConfig,
  path: <T extends string | null>(given: T) => T,
): Pick<Config, 'tls' | 'certificates'> {
  const files = <T extends Files>(one: T): T => ({
    ...one,
    certificate: path(one.certificate),
    key: path(one.key),
    chain: path(one.chain),
  })
  const { tls } = raw
  const more = Object.entries(raw.certificates).map(([name, one]) => [name, files(one)])
  return {
    tls: { ...files(tls), acme: { ...tls.acme, authority: path(tls.acme.authority) } },
    certificates: Object.fromEntries(more),
  }
}
