// Somebody comes with the keys of the server they had. What lies at the path they name is looked at
// by its content, then by its name: a key file (and the record beside it), a folder of them, or
// OpenDKIM's tables. Nothing is changed here and nothing is thrown: what cannot be used becomes a
// remark, and whoever asked says it in the user's language.

import { createPrivateKey, type KeyObject } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { parseDomain } from '../mail/domain.ts'
import { bitsOf, type KeyFaultCode, publicText, readKey } from './keys.ts'
import type { KeyFlag } from './lifecycle.ts'
import {
  dataSetPath,
  type KeyTableEntry,
  meantBy,
  parseKeyTable,
  parseOpendkimConf,
  parseSigningTable,
  type SigningTableEntry,
} from './opendkim.ts'
import { parseRecordFile, type RecordFile } from './record-file.ts'
import { parseSelector } from './selector.ts'
import { type Algorithm, parseTags } from './signature.ts'

/** What may be read; paths are the user's. */
export type FileSource = {
  kind(path: string): Promise<'file' | 'folder' | 'none'>
  /** Names in a folder; empty when it cannot be read. */
  list(folder: string): Promise<readonly string[]>
  read(path: string): Promise<FileText>
}

export type FileText =
  | { readonly kind: 'text'; readonly text: string; readonly mode: number }
  /** `code` as the system names it; owner and mode where they can be known. */
  | { readonly kind: 'fault'; readonly code: string; readonly uid?: number; readonly mode?: number }

/** Something to tell the user about a file; `found` is the value that the sentence speaks of. */
export type Remark = {
  readonly code:
    | 'unreadable'
    | 'bad-key'
    | 'open-to-others'
    | 'weak'
    | 'record-of-another-key'
    | 'selector-assumed'
    | 'odd-line'
    | 'no-such-name'
    | 'not-used'
    | 'some-addresses'
    | 'other-domain'
    | 'every-domain'
    | 'canonicalization'
    | 'database'
    | 'nothing'
  readonly file: string
  readonly found?: string
  readonly fault?: KeyFaultCode
  readonly uid?: number
  readonly mode?: number
}

export type FoundKey = {
  readonly file: string
  readonly privateKey: KeyObject
  readonly algorithm: Algorithm
  readonly bits: number
  readonly flags: readonly KeyFlag[]
  /** Undefined: nothing tells; the user has to. */
  readonly domain?: string
  readonly selector?: string
}

export type Recognition = {
  /** What it was taken for. */
  readonly form: 'key' | 'folder' | 'opendkim' | 'nothing'
  readonly keys: readonly FoundKey[]
  readonly remarks: readonly Remark[]
}

/** What images and opendkim-genkey users call their selector when they do not say. */
const USUAL_SELECTOR = 'mail'
const MOST_FILES = 500
const OPEN_TO_OTHERS = 0o007

/** Looks at a file or folder and says which keys are in it, for whom, and what is odd about them. */
export async function recognise(path: string, files: FileSource): Promise<Recognition> {
  return new Looker(files).look(path)
}

type Names = { readonly domain?: string | undefined; readonly selector?: string | undefined }

class Looker {
  readonly #files: FileSource
  readonly #keys: FoundKey[] = []
  readonly #remarks: Remark[] = []

  constructor(files: FileSource) {
    this.#files = files
  }

  async look(path: string): Promise<Recognition> {
    const kind = await this.#files.kind(path)
    const form = kind === 'folder' ? await this.#folder(path) : await this.#file(path)
    if (this.#keys.length === 0 && this.#remarks.length === 0)
      this.#remarks.push({ code: 'nothing', file: path })
    return { form, keys: this.#keys, remarks: this.#remarks }
  }

  async #file(path: string): Promise<Recognition['form']> {
    const text = await this.#read(path)
    if (text === undefined) return 'nothing'
    const settings = parseOpendkimConf(text)
    if (settings) return this.#opendkim(settings, path)
    if (!/-----BEGIN/.test(text)) {
      if (parseKeyTable(text).entries.length > 0) return this.#tables(path, undefined)
      const key = await this.#beside(path)
      if (parseRecordFile(text) && key) return this.#file(key)
      const table = parseSigningTable(text)
      const keyTable = await this.#firstOf(dirname(path), KEY_TABLES)
      if (table.entries.length > 0 && keyTable) return this.#tables(keyTable, path)
    }
    await this.#key(path, {})
    return 'key'
  }

  /** The key that a record file speaks of. */
  async #beside(path: string): Promise<string | undefined> {
    const [, base] = /^(.*)\.(?:txt|public|pub)$/i.exec(path) ?? []
    for (const end of base === undefined ? [] : ['.private', '.key', '.pem'])
      if ((await this.#files.kind(base + end)) === 'file') return base + end
    return undefined
  }

  async #folder(path: string): Promise<Recognition['form']> {
    const conf = await this.#firstOf(path, [/^opendkim\.conf$/i])
    const settings = conf && parseOpendkimConf((await this.#read(conf)) ?? '')
    if (conf && settings) return this.#opendkim(settings, conf)
    const keyTable = await this.#firstOf(path, KEY_TABLES)
    if (keyTable) return this.#tables(keyTable, await this.#firstOf(path, SIGNING_TABLES))
    await this.#keysIn(path, {})
    for (const name of (await this.#files.list(path)).slice(0, MOST_FILES)) {
      const below = join(path, name)
      if ((await this.#files.kind(below)) !== 'folder') continue
      const domain = name.includes('.') ? parseDomain(name) : undefined
      await this.#keysIn(below, { domain })
    }
    return 'folder'
  }

  async #keysIn(folder: string, names: Names): Promise<void> {
    const all = (await this.#files.list(folder)).slice(0, MOST_FILES)
    for (const name of all.filter((one) => /\.(private|key|pem)$/i.test(one)).sort()) {
      const path = join(folder, name)
      if ((await this.#files.kind(path)) !== 'file') continue
      // Public halves, certificates and the keys of certificates lie in such folders too.
      const text = await this.#files.read(path)
      if (text.kind === 'text' && readKey(text.text).kind === 'fault' && isPublic(text.text))
        continue
      await this.#key(path, names)
    }
  }

  /** One key file; names that are not given come from the record beside it and from the file's name. */
  async #key(path: string, given: Names): Promise<void> {
    const file = await this.#files.read(path)
    if (file.kind === 'fault') return this.#unreadable(path, file)
    if ((file.mode & OPEN_TO_OTHERS) !== 0)
      this.#remarks.push({ code: 'open-to-others', file: path, mode: file.mode & 0o777 })
    await this.#take(path, file.text, given)
  }

  async #take(path: string, text: string, given: Names): Promise<void> {
    const reading = readKey(text)
    if (reading.kind === 'fault') {
      const { code: fault, found } = reading
      return void this.#remarks.push({ code: 'bad-key', file: path, fault, found })
    }
    const { privateKey, algorithm } = reading
    const bits = bitsOf(privateKey)
    if (reading.warning) this.#remarks.push({ code: 'weak', file: path, found: String(bits) })
    const record = await this.#recordOf(path, privateKey)
    const guessed = namesOf(path, record)
    const domain = given.domain ?? guessed.domain
    const selector = given.selector ?? guessed.selector
    if (selector === undefined)
      this.#remarks.push({ code: 'selector-assumed', file: path, found: USUAL_SELECTOR })
    const parsed = domain === undefined ? undefined : parseDomain(domain)
    this.#keys.push({
      file: path,
      privateKey,
      algorithm,
      bits,
      flags: record?.flags ?? [],
      ...(parsed && { domain: parsed }),
      selector: parseSelector(selector ?? USUAL_SELECTOR) ?? USUAL_SELECTOR,
    })
  }

  /** The record file that belongs to a key: same name, other ending, same key. */
  async #recordOf(path: string, privateKey: KeyObject): Promise<RecordFile | undefined> {
    const base = path.replace(/\.[^./]+$/, '')
    const ours = parseTags(publicText(privateKey))?.get('p')
    for (const beside of [`${base}.txt`, `${base}.public`, `${base}.pub`]) {
      const file = await this.#files.read(beside)
      const record = file.kind === 'text' ? parseRecordFile(file.text) : undefined
      if (!record) continue
      if (record.publicKey === ours) return record
      this.#remarks.push({ code: 'record-of-another-key', file: beside, found: basename(path) })
    }
    return undefined
  }

  async #opendkim(
    settings: ReadonlyMap<string, string>,
    conf: string,
  ): Promise<Recognition['form']> {
    const form = settings.get('canonicalization') ?? 'simple/simple'
    if (!/^relaxed\/relaxed$/i.test(form))
      this.#remarks.push({ code: 'canonicalization', file: conf, found: form })
    const path = async (name: string): Promise<string | undefined> => {
      const value = settings.get(name)
      if (value === undefined) return undefined
      const found = dataSetPath(value)
      if (found === undefined) this.#remarks.push({ code: 'database', file: conf, found: value })
      return found && (await this.#near(found, dirname(conf)))
    }
    const keyTable = await path('keytable')
    if (keyTable) return this.#tables(keyTable, await path('signingtable'))
    const keyFile = await path('keyfile')
    const selector = settings.get('selector')
    for (const name of (settings.get('domain') ?? '').split(/[\s,]+/))
      if (keyFile && parseDomain(name)) await this.#key(keyFile, { domain: name, selector })
    return 'opendkim'
  }

  async #tables(keyTable: string, signingTable: string | undefined): Promise<Recognition['form']> {
    const keys = parseKeyTable((await this.#read(keyTable)) ?? '')
    const signing = parseSigningTable(signingTable ? ((await this.#read(signingTable)) ?? '') : '')
    for (const found of keys.odd) this.#remarks.push({ code: 'odd-line', file: keyTable, found })
    for (const found of signing.odd)
      this.#remarks.push({ code: 'odd-line', file: signingTable!, found })
    const pairs = signingTable
      ? this.#pairs(signing.entries, keys.entries, signingTable)
      : keys.entries.map((entry) => ({ entry, domain: entry.domain }))
    const seen = new Set<string>()
    for (const { entry, domain } of pairs) {
      const id = `${domain} ${entry.selector}`
      if (seen.has(id) || domain === '%') continue
      seen.add(id)
      await this.#tableKey(entry, domain, keyTable)
    }
    const used = new Set(pairs.map(({ entry }) => entry))
    for (const entry of keys.entries)
      if (!used.has(entry))
        this.#remarks.push({ code: 'not-used', file: keyTable, found: entry.name })
    return 'opendkim'
  }

  /** Which keys sign for which domain, by the signing table. */
  #pairs(
    signing: readonly SigningTableEntry[],
    keys: readonly KeyTableEntry[],
    file: string,
  ): { entry: KeyTableEntry; domain: string }[] {
    const byName = new Map(keys.map((entry) => [entry.name.toLowerCase(), entry]))
    return signing.flatMap(({ pattern, name }) => {
      const entry = byName.get(name.toLowerCase())
      const meant = meantBy(pattern)
      const line = `${pattern} ${name}`
      if (!entry || meant.kind === 'unclear') {
        this.#remarks.push({
          code: entry ? 'odd-line' : 'no-such-name',
          file,
          found: entry ? line : name,
        })
        return []
      }
      if (meant.kind === 'everybody') {
        this.#remarks.push({ code: 'every-domain', file, found: line })
        return [{ entry, domain: entry.domain }]
      }
      if (meant.some) this.#remarks.push({ code: 'some-addresses', file, found: line })
      const domain = entry.domain === '%' ? meant.domain : entry.domain.toLowerCase()
      if (meant.domain !== domain && !meant.domain.endsWith(`.${domain}`))
        this.#remarks.push({ code: 'other-domain', file, found: `${meant.domain} → d=${domain}` })
      return [{ entry, domain }]
    })
  }

  async #tableKey(entry: KeyTableEntry, domain: string, table: string): Promise<void> {
    const names = { domain, selector: entry.selector }
    if (!/^\.{0,2}\//.test(entry.key)) return this.#take(table, inlinePem(entry.key), names)
    const path = entry.key.replaceAll('%', domain)
    await this.#key(await this.#near(path, dirname(table)), names)
  }

  /**
   * A path of another machine (or from outside a container) is looked for beside the file that names
   * it when it is not here: `/etc/opendkim/keys/a.private` as `keys/a.private`, then `a.private`.
   */
  async #near(path: string, folder: string): Promise<string> {
    const candidates = path.startsWith('/') ? [path] : [join(folder, path)]
    const parts = path.split('/').filter((part) => part !== '' && part !== '.' && part !== '..')
    for (let from = 1; from < parts.length; from++)
      candidates.push(join(folder, ...parts.slice(from)))
    for (const candidate of candidates)
      if ((await this.#files.kind(candidate)) === 'file') return candidate
    return candidates[0]!
  }

  async #firstOf(folder: string, patterns: readonly RegExp[]): Promise<string | undefined> {
    const names = await this.#files.list(folder)
    const name = names.find((one) => patterns.some((pattern) => pattern.test(one)))
    return name === undefined ? undefined : join(folder, name)
  }

  async #read(path: string): Promise<string | undefined> {
    const file = await this.#files.read(path)
    if (file.kind === 'text') return file.text
    this.#unreadable(path, file)
    return undefined
  }

  #unreadable(path: string, { code, uid, mode }: FileText & { kind: 'fault' }): void {
    const known = { ...(uid !== undefined && { uid }), ...(mode !== undefined && { mode }) }
    this.#remarks.push({ code: 'unreadable', file: path, found: code, ...known })
  }
}

const KEY_TABLES = [/^key[-_.]?table$/i]
const SIGNING_TABLES = [/^signing[-_.]?table$/i]

function isPublic(text: string): boolean {
  return /-----BEGIN (?:(?:RSA )?PUBLIC KEY|CERTIFICATE)-----/.test(text)
}

/** What a file's name and its record say: `mail.private`, `example.com.private`, `example.com.mail.key`. */
function namesOf(path: string, record: RecordFile | undefined): Names {
  const base = basename(path).replace(/\.(private|key|pem)$/i, '')
  const whole = base.includes('.') ? parseDomain(base) : undefined
  const dot = base.lastIndexOf('.')
  if (/^dkim$/i.test(base)) return { domain: record?.domain, selector: record?.selector }
  if (record?.selector)
    return {
      domain: record.domain ?? (record.selector === base ? undefined : whole),
      selector: record.selector,
    }
  if (/\.private$/i.test(path))
    return whole ? { domain: whole } : { domain: record?.domain, selector: base }
  const domain = whole && base.indexOf('.') !== dot ? parseDomain(base.slice(0, dot)) : undefined
  return domain ? { domain, selector: base.slice(dot + 1) } : { domain: record?.domain }
}

/** OpenDKIM also takes the key itself, in PEM or as the base64 of its DER form. */
function inlinePem(text: string): string {
  if (/-----BEGIN/.test(text)) return text.replaceAll('\\n', '\n')
  const key = Buffer.from(text, 'base64')
  for (const type of ['pkcs8', 'pkcs1'] as const)
    try {
      const made = createPrivateKey({ key, format: 'der', type })
      return String(made.export({ type: 'pkcs8', format: 'pem' }))
    } catch {
      // the other form, then
    }
  return text
}
