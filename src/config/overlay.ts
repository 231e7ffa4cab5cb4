// Environment and flags, laid over the file's tree by the path of their option.

import type { z } from 'zod'
import { type ConfigFault, didYouMean, type Origin, quote } from './faults.ts'
import { aboutOf, shapeOf } from './option.ts'
import { environmentName, flagName, listOptions, type OptionEntry, takesText } from './options.ts'
import { configSchema } from './schema.ts'
import { suggest } from './suggest.ts'

export type Override = {
  readonly path: readonly string[]
  readonly value: string
  readonly origin: Origin
}

/** Ours, but no options. */
const OTHER_VARIABLES = ['POSTHORN_CONFIG', 'POSTHORN_TRUST_GATEWAY', 'POSTHORN_USER']

/** What Kubernetes and Docker links set for a service called `posthorn` or `posthorn-…`. */
const SERVICE_LINK =
  /^POSTHORN_(.+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)$/
const SERVICE_URL = /^(tcp|udp|sctp):\/\//

/** Reads POSTHORN_… variables; `readFile` is for secrets named by …_FILE. */
export function environmentOverrides(
  environment: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): { overrides: Override[]; faults: ConfigFault[] } {
  const overrides: Override[] = []
  const faults: ConfigFault[] = []
  const known = new Set(OTHER_VARIABLES)
  for (const entry of listOptions().filter(takesText)) {
    const names = variableNames(entry)
    for (const name of names) known.add(name)
    const given = names.filter(
      (name) => isGiven(entry, environment[name]) && !SERVICE_URL.test(environment[name]),
    )
    if (given.length === 0) continue
    if (given.length > 1) faults.push(givenTwice(entry, given))
    const name = given[0]!
    const origin: Origin = { kind: 'environment', name }
    const fromFile = entry.about.secret === true && name.endsWith('_FILE')
    const value = fromFile ? tryRead(readFile, environment[name]!) : environment[name]!
    if (value === undefined) faults.push(unreadable(entry, origin, environment[name]!))
    else overrides.push({ path: entry.path, value, origin })
  }
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('POSTHORN_') || known.has(name) || SERVICE_LINK.test(name)) continue
    if (value === undefined || SERVICE_URL.test(value)) continue
    faults.push({
      code: 'UNKNOWN_VARIABLE',
      path: '',
      origin: { kind: 'environment', name },
      says: { en: 'unknown variable', ru: 'неизвестная переменная' },
      ...withFix(suggest(name, known)),
    })
  }
  return { overrides, faults }
}

/** An empty variable counts where "nothing" is a value; elsewhere it is how compose files say "unset". */
function isGiven({ about }: OptionEntry, value: string | undefined): value is string {
  return value !== undefined && (value !== '' || about.kind?.parse('') !== undefined)
}

function variableNames(entry: OptionEntry): string[] {
  const name = environmentName(entry.path)
  return [
    name,
    ...(entry.about.secret ? [`${name}_FILE`] : []),
    ...(entry.about.alias ? [entry.about.alias] : []),
  ]
}

function givenTwice(entry: OptionEntry, names: readonly string[]): ConfigFault {
  return {
    code: 'GIVEN_TWICE',
    path: entry.path.join('.'),
    origin: { kind: 'environment', name: names.join(', ') },
    says: { en: 'both are set', ru: 'заданы обе' },
    fix: { en: 'Keep one of them', ru: 'Оставьте одну из них' },
  }
}

function unreadable(entry: OptionEntry, origin: Origin, path: string): ConfigFault {
  return {
    code: 'FILE_UNREADABLE',
    path: entry.path.join('.'),
    origin,
    says: { en: `cannot read the file ${quote(path)}`, ru: `не читается файл ${quote(path)}` },
  }
}

function tryRead(readFile: (path: string) => string, path: string): string | undefined {
  try {
    return readFile(path).replace(/\r?\n$/, '')
  } catch {
    return undefined
  }
}

/** @param flags by path, as in `http.port` */
export function flagOverrides(flags: Readonly<Record<string, string>>): Override[] {
  return Object.entries(flags).map(([path, value]) => ({
    path: path.split('.'),
    value,
    origin: { kind: 'flag', name: flagName(path.split('.')) },
  }))
}

/** Puts overrides into the tree, whole sections before their options, and notes where each came from. */
export function lay(
  tree: Record<string, unknown>,
  overrides: readonly Override[],
  origins: Map<string, Origin>,
): void {
  for (const { path, value, origin } of overrides.toSorted(
    (a, b) => a.path.length - b.path.length,
  )) {
    let node = tree
    let schema: z.ZodType = configSchema
    for (const name of path.slice(0, -1)) {
      schema = fieldOf(schema, name) ?? schema
      node[name] = expand(schema, node[name])
      if (!isTree(node[name])) node[name] = {}
      node = node[name] as Record<string, unknown>
    }
    const last = path.at(-1)!
    node[last] = value
    origins.set(path.join('.'), origin)
  }
}

/** Short forms become sections, and an empty section (`http:` and nothing) becomes `{}`. */
export function expandAll(tree: Record<string, unknown>, schema: z.ZodType = configSchema): void {
  for (const name of Object.keys(tree)) {
    const field = fieldOf(schema, name)
    if (!field) continue
    tree[name] = withPreset(schema, name, expand(field, tree[name]))
    if (isTree(tree[name])) expandAll(tree[name], field)
  }
}

function withPreset(schema: z.ZodType, name: string, value: unknown): unknown {
  const { presets = {} } = aboutOf(schema) ?? {}
  return Object.hasOwn(presets, name) && isTree(value) ? { ...presets[name], ...value } : value
}

function expand(schema: z.ZodType, value: unknown): unknown {
  const about = aboutOf(schema)
  if (shapeOf(schema).kind === 'option') return value
  if (value === null || value === '') return about?.fallback === null ? null : {}
  const text =
    Array.isArray(value) && value.every((item) => typeof item === 'string')
      ? value.join(',')
      : value
  return typeof text === 'string' ? (about?.short?.(text) ?? value) : value
}

function fieldOf(schema: z.ZodType, name: string): z.ZodType | undefined {
  const shape = shapeOf(schema)
  if (shape.kind === 'section')
    return Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined
  return shape.kind === 'named' ? shape.item : undefined
}

/** A mapping; not a list, nor what YAML 1.1 makes of its tags (octets, dates, sets). */
export function isTree(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

export function withFix(word: string | undefined): { fix?: NonNullable<ConfigFault['fix']> } {
  const fix = didYouMean(word)
  return fix ? { fix } : {}
}
