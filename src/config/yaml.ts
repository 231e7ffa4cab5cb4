// The YAML file as a tree that remembers where everything stands.

import { isMap, isScalar, LineCounter, type Node, parseDocument, visit } from 'yaml'
import type { ConfigFault, Origin } from './faults.ts'
import { isTree } from './overlay.ts'

export type YamlFile = {
  readonly tree: Record<string, unknown>
  readonly faults: readonly ConfigFault[]
  /** Where the value at a path stands; its key's place when `of` is `key`. Falls back to what is above. */
  origin(path: readonly PropertyKey[], of: 'key' | 'value'): Origin
}

const LONGEST_FILE = 1024 * 1024

/** Reads YAML 1.2; syntax errors, duplicate keys and non-mappings come back as faults. */
export function readYaml(file: string, text: string): YamlFile {
  const lines = new LineCounter()
  const tooLong = text.length > LONGEST_FILE
  const document = parseDocument(tooLong ? '' : text, {
    lineCounter: lines,
    prettyErrors: false,
    resolveKnownTags: false,
    logLevel: 'error', // warnings would go to the standard error, past our log
  })
  const place = (offset: number): Origin => {
    const { line, col } = lines.linePos(offset)
    return { kind: 'file', file, line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const faults: ConfigFault[] = document.errors.map((error) => {
    const why = brief(error.message)
    return {
      code: 'BAD_YAML',
      path: '',
      origin: place(error.pos[0]),
      says: { en: `not YAML: ${why}`, ru: `это не YAML: ${why}` },
    }
  })
  let tree: Record<string, unknown> = {}
  if (faults.length === 0) {
    const content = toPlain(document)
    if (isTree(content)) {
      tree = content
    } else if (content !== null || tooLong) {
      faults.push({
        code: 'BAD_YAML',
        path: '',
        origin: place(0),
        says: {
          en: 'a configuration file is a list of "option: value" lines, at most 1 MiB',
          ru: 'файл настроек состоит из строк «опция: значение», не больше 1 МиБ',
        },
      })
    }
  }
  return { tree, faults, origin: (path, of) => place(offsetOf(document.contents, path, of)) }
}

/** The parser's words may hold the whole file. */
function brief(text: string): string {
  return text.slice(0, 200).replace(/[\u0000-\u001f\u007f-\u009f]/g, '?')
}

function toPlain(document: ReturnType<typeof parseDocument>): unknown {
  if (hasOddKeys(document)) return false
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch {
    return false // an alias bomb
  }
}

/** Maps and lists as keys would be written out as text, nested ones in time without bounds. */
function hasOddKeys(document: ReturnType<typeof parseDocument>): boolean {
  let odd = false
  visit(document, {
    Pair(_, { key }) {
      odd ||= key !== null && !isScalar(key)
      return odd ? visit.BREAK : undefined
    },
  })
  return odd
}

function offsetOf(root: unknown, path: readonly PropertyKey[], of: 'key' | 'value'): number {
  let node = root
  let offset = (node as Node | null)?.range?.[0] ?? 0
  for (let depth = 0; depth < path.length; depth++) {
    if (!isMap(node)) break
    const name = String(path[depth])
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === name)
    if (!pair) break
    const key = pair.key as Node
    const value = pair.value as Node | null
    const last = depth === path.length - 1
    const chosen = last && of === 'value' && isScalar(value) && value.range ? value : key
    offset = chosen.range?.[0] ?? offset
    node = value
  }
  return offset
}
