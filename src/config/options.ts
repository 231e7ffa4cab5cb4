// A flat view of the schema: every option with its path, for environment names, flags and pages.

import type { z } from 'zod'
import { type About, aboutOf, shapeOf } from './option.ts'
import { configSchema } from './schema.ts'

export type OptionEntry = {
  /** `['http', 'port']`; `*` stands for a name that the user chooses. */
  readonly path: readonly string[]
  readonly about: About
  readonly kind: 'section' | 'named' | 'option'
}

/** Every option and section, in the order of the schema. */
export function listOptions(): readonly OptionEntry[] {
  const entries: OptionEntry[] = []
  const visit = (schema: z.ZodType, path: readonly string[]): void => {
    const about = aboutOf(schema)
    const shape = shapeOf(schema)
    if (about) entries.push({ path, about, kind: shape.kind })
    if (shape.kind === 'section') {
      for (const [name, field] of Object.entries(shape.fields)) visit(field, [...path, name])
    } else if (shape.kind === 'named') visit(shape.item, [...path, '*'])
  }
  visit(configSchema, [])
  return entries
}

/** Can it be given as one text, and so by a variable or a flag? */
export function takesText(entry: OptionEntry): boolean {
  return !entry.path.includes('*') && (entry.kind === 'option' || entry.about.short !== undefined)
}

/** `POSTHORN_HTTP_PORT` */
export function environmentName(path: readonly string[]): string {
  return `POSTHORN_${path.join('_').toUpperCase()}`
}

/** `--http-port` */
export function flagName(path: readonly string[]): string {
  return `--${path.join('-').replaceAll('_', '-')}`
}
