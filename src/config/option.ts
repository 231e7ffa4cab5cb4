// How the schema is written: an option says its kind, default, sentence and example once, and zod
// carries it. What zod cannot carry (sentences, kinds, short forms) is kept beside it, by schema.

import { z } from 'zod'
import type { Kind } from './kinds.ts'
import type { Text } from './language.ts'

export type About = {
  readonly summary: Text
  readonly kind?: Kind<unknown>
  /** As YAML would hold it; absent: the option must be given. */
  readonly fallback?: unknown
  readonly example?: string
  /** Masked when printed; may come from a file named by `…_FILE`. */
  readonly secret?: boolean
  /** A second environment name, for habit's sake. */
  readonly alias?: string
  /** Reads the short form of a section: one text instead of its options. */
  readonly short?: (text: string) => Record<string, unknown> | undefined
  /** Of groups by name: defaults of those that have a usual name. */
  readonly presets?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

const abouts = new WeakMap<z.ZodType, About>()

/** What was said of a schema when it was made. */
export function aboutOf(schema: z.ZodType): About | undefined {
  return abouts.get(schema)
}

/** An option. `default` is in the form of the YAML file; without one the option must be given. */
export function option<T>(
  kind: Kind<T>,
  summary: Text,
  extra: Omit<About, 'summary' | 'kind' | 'fallback'> & { default?: unknown } = {},
): z.ZodType<T, unknown> {
  const { default: fallback, ...rest } = extra
  const leaf = z.unknown().transform((value, context): T => {
    const parsed = kind.parse(value)
    if (parsed !== undefined) return parsed
    context.issues.push({ code: 'custom', input: value, params: { kind } })
    return z.NEVER
  })
  const schema = (fallback === undefined ? leaf : leaf.prefault(fallback)) as z.ZodType<T, unknown>
  abouts.set(schema, {
    summary,
    kind,
    ...(fallback === undefined ? {} : { fallback }),
    ...rest,
  })
  return schema
}

/** A group of options; unknown names inside it are faults. */
export function section<S extends Record<string, z.ZodType>>(
  shape: S,
  summary: Text,
  extra: Pick<About, 'short' | 'secret' | 'example'> = {},
) {
  const schema = z.strictObject(shape).prefault({} as never)
  abouts.set(schema, { summary, ...extra })
  return schema
}

/** A group that is absent unless it is given. */
export function optionalSection<S extends Record<string, z.ZodType>>(
  shape: S,
  summary: Text,
  extra: Pick<About, 'short' | 'secret' | 'example'> = {},
) {
  const schema = z.strictObject(shape).nullable().prefault(null)
  abouts.set(schema, { summary, fallback: null, ...extra })
  return schema
}

/** Groups by a name that the user chooses. */
export function named<S extends z.ZodType>(
  item: S,
  summary: Text,
  extra: Pick<About, 'short' | 'example' | 'presets'> = {},
) {
  const schema = z.record(z.string(), item).prefault({})
  abouts.set(schema, { summary, ...extra })
  return schema
}

/** What a schema is below its default: a group, groups by name, or a single option. */
export type Shape =
  | { readonly kind: 'section'; readonly fields: Readonly<Record<string, z.ZodType>> }
  | { readonly kind: 'named'; readonly item: z.ZodType }
  | { readonly kind: 'option' }

export function shapeOf(schema: z.ZodType): Shape {
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodNullable) {
    return shapeOf(schema.unwrap() as z.ZodType)
  }
  if (schema instanceof z.ZodObject) {
    return { kind: 'section', fields: schema.shape as Record<string, z.ZodType> }
  }
  if (schema instanceof z.ZodRecord) {
    return { kind: 'named', item: schema.valueType as unknown as z.ZodType }
  }
  return { kind: 'option' }
}
