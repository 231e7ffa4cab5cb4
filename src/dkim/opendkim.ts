// OpenDKIM's configuration and tables, as opendkim.conf(5) describes them: which key signs for whom.

/** A line of the KeyTable: `name domain:selector:key`. */
export type KeyTableEntry = {
  readonly name: string
  /** `%`: the domain of From. */
  readonly domain: string
  readonly selector: string
  /** A path when it begins with `/`, `./` or `../`; else the key itself. */
  readonly key: string
}

/** A line of the SigningTable: whose mail is signed with which key. */
export type SigningTableEntry = {
  readonly pattern: string
  readonly name: string
}

/** What could be read, and the lines that could not. */
export type Table<E> = { readonly entries: readonly E[]; readonly odd: readonly string[] }

export function parseKeyTable(text: string): Table<KeyTableEntry> {
  return parseTable(text, (name, value) => {
    const [, domain, selector, key] = /^([^:\s]+):([^:\s]+):(\S.*)$/.exec(value) ?? []
    return domain && selector && key ? { name, domain, selector, key } : undefined
  })
}

export function parseSigningTable(text: string): Table<SigningTableEntry> {
  return parseTable(text, (pattern, value) => {
    const [, name] = /^([^:\s]+)(?::\S*)?$/.exec(value) ?? []
    return name ? { pattern: pattern.toLowerCase(), name } : undefined
  })
}

const MOST_LINES = 5_000

function parseTable<E>(
  text: string,
  read: (key: string, value: string) => E | undefined,
): Table<E> {
  const entries: E[] = []
  const odd: string[] = []
  for (const line of linesOf(text).slice(0, MOST_LINES)) {
    const [, key = '', value = ''] = /^(\S+)\s+(.*\S)$/.exec(line) ?? []
    const entry = value === '' ? undefined : read(key, value)
    if (entry) entries.push(entry)
    else odd.push(line)
  }
  return { entries, odd }
}

/** Without comments and blanks. */
function linesOf(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '')
}

/** The settings of opendkim.conf, names in lower case; undefined when the text is none. */
export function parseOpendkimConf(text: string): ReadonlyMap<string, string> | undefined {
  const settings = new Map<string, string>()
  for (const line of linesOf(text)) {
    const [, name = '', value = ''] = /^([A-Za-z0-9-]+)\s+(.*\S)$/.exec(line) ?? []
    if (name !== '') settings.set(name.toLowerCase(), value)
  }
  const known = ['keytable', 'signingtable', 'keyfile'].some((name) => settings.has(name))
  return known ? settings : undefined
}

/** The path in `file:/etc/…`, `refile:/etc/…` or `/etc/…`; undefined for databases. */
export function dataSetPath(text: string): string | undefined {
  const [, kind, path] = /^(?:([a-z]+):)?(.+)$/i.exec(text.trim()) ?? []
  if (kind !== undefined && !/^(re)?file$/i.test(kind)) return undefined
  return path
}

/** Whose mail a pattern means. */
export type Meant =
  | {
      readonly kind: 'domain'
      readonly domain: string
      /** Also (or only) names below it: `*@*.example.com`, `.example.com`. */
      readonly below: boolean
      /** Only some addresses: `news@example.com`. */
      readonly some: boolean
    }
  | { readonly kind: 'everybody' }
  | { readonly kind: 'unclear' }

/** Reads a pattern of the SigningTable, in plain and in refile form. */
export function meantBy(pattern: string): Meant {
  if (pattern === '%' || pattern === '*' || pattern === '*@*') return { kind: 'everybody' }
  const at = pattern.lastIndexOf('@')
  const local = at < 0 ? '*' : pattern.slice(0, at)
  const [, wild, domain] = /^(\*?\.)?([\w-]+(?:\.[\w-]+)*)\.?$/.exec(pattern.slice(at + 1)) ?? []
  if (domain === undefined) return { kind: 'unclear' }
  return { kind: 'domain', domain, below: wild !== undefined, some: local !== '*' }
}
