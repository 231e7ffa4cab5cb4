// Taste, tested: what matters about the shape of the sources is checked by reading them.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
const source = join(root, 'src')

/** Who may import whom: a room sees those of a lower level, and itself. */
const LEVELS: Readonly<Record<string, number>> = {
  std: 0,
  mail: 1,
  config: 2,
  auth: 3,
  dns: 2,
  smtp: 2,
  dkim: 2,
  milter: 2,
  rewrite: 2,
  certificates: 3,
  store: 3,
  dropin: 3,
  events: 4,
  intake: 5,
  queue: 5,
  delivery: 5,
  doctor: 5,
  sendmail: 6,
  publish: 5,
  sandbox: 6,
  api: 7,
  server: 8,
  cli: 9,
  main: 10,
}
/** Only these read the configuration; the rooms get plain records. */
const SEES_CONFIG = new Set(['config', 'dropin', 'api', 'server', 'cli', 'main'])

const LONGEST_FILE = 400
const LONGEST_LINE = 140

/** What is banned, and the rooms in which it is at home. */
const BANNED: readonly { word: RegExp; home: readonly string[]; why: string }[] = [
  { word: /\bDate\.now\(/, home: ['std/clock.ts'], why: 'take a Clock' },
  { word: /\bperformance\.now\(/, home: ['std/clock.ts'], why: 'take a Clock' },
  { word: /\bnew Date\(\)/, home: ['std/clock.ts'], why: 'take a Clock' },
  { word: /\bsetTimeout\(/, home: ['std/'], why: 'take a Clock' },
  { word: /\bsetInterval\(/, home: ['std/'], why: 'take a Clock' },
  { word: /\bMath\.random\(/, home: ['std/'], why: 'take a source of randomness' },
  { word: /\bprocess\.env\b/, home: ['config/', 'cli/', 'main.ts'], why: 'only config reads it' },
  { word: /\bconsole\./, home: ['cli/'], why: 'take a Log' },
  {
    word: /\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\s/,
    home: ['store/'],
    why: 'SQL stays in store/',
  },
  { word: /\bPRAGMA\s/, home: ['store/'], why: 'SQL stays in store/' },
  { word: /\b(TODO|FIXME|XXX|HACK)\b/, home: [], why: 'do it or say so in the docs' },
  { word: /@ts-(ignore|nocheck|expect-error)/, home: [], why: 'fix the type' },
]

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => path.endsWith('.ts') && statSync(path).isFile())
}

const roomOf = (path: string): string => {
  const [first = ''] = relative(source, path).split('/')
  return first.replace(/\.ts$/, '')
}

/** Sentences for people stand unbroken, as they are read. */
const isProse = (path: string) => path.includes('/texts/')
const isTest = (path: string) => /\.(test|contract)\.ts$/.test(path)
const withoutComments = (text: string) =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')

const files = filesBelow(source).filter((path) => !isTest(path))

test('rooms import to the left only', () => {
  const faults: string[] = []
  for (const path of files) {
    const from = roomOf(path)
    assert.ok(from in LEVELS, `${relative(root, path)}: an unknown room; give it a level here`)
    for (const [, target = ''] of readFileSync(path, 'utf8').matchAll(/from '(\.[^']*)'/g)) {
      const to = roomOf(join(dirname(path), target))
      const allowed =
        to === from ||
        (to === 'config' ? SEES_CONFIG.has(from) : LEVELS[to]! < LEVELS[from]!) ||
        (from === 'main' && to === 'cli')
      if (!allowed) faults.push(`${relative(root, path)} imports ${to}`)
    }
  }
  assert.deepEqual(faults, [])
})

test('files and lines are short', () => {
  const faults: string[] = []
  for (const path of files) {
    const lines = readFileSync(path, 'utf8').split('\n')
    if (lines.length > LONGEST_FILE) faults.push(`${relative(root, path)}: ${lines.length} lines`)
    lines.forEach((line, i) => {
      if (line.length > LONGEST_LINE && !line.includes('http') && !isProse(path))
        faults.push(`${relative(root, path)}:${i + 1}: ${line.length} columns`)
    })
  }
  assert.deepEqual(faults, [])
})

test('what is ambient stays at home', () => {
  const faults: string[] = []
  for (const path of files) {
    const text = withoutComments(readFileSync(path, 'utf8'))
    const name = relative(source, path)
    for (const { word, home, why } of BANNED)
      if (word.test(text) && !home.some((place) => name.startsWith(place)))
        faults.push(`${name}: ${word.source}: ${why}`)
  }
  assert.deepEqual(faults, [])
})

test('standards are cited in one form', () => {
  const faults: string[] = []
  for (const path of files) {
    const text = readFileSync(path, 'utf8')
    for (const [cited] of text.matchAll(
      /\b(?:RFC[- ]?|rfc[- ])\d+(?:,? (?:section|sec\.?|s\.) ?[\d.]+)?/g,
    ))
      if (!/^RFC \d+$/.test(cited)) faults.push(`${relative(root, path)}: ${cited}`)
  }
  assert.deepEqual(faults, [], 'write RFC 5321 §4.5.3.2')
})

test('each grammar in mail/ names its standard', () => {
  const exempt = new Set(['message.ts', 'entry.ts', 'failure.ts', 'identity.ts', 'lines.ts'])
  const silent = filesBelow(join(source, 'mail'))
    .filter((path) => !isTest(path) && !exempt.has(relative(join(source, 'mail'), path)))
    .filter((path) => !/RFC \d+/.test(readFileSync(path, 'utf8')))
  assert.deepEqual(silent, [])
})

test('the tree names no machine and no tool of its makers', () => {
  const faults = [...filesBelow(source), ...filesBelow(join(root, 'bench'))].filter((path) =>
    /\/(work|root|home\/\w+)\//.test(readFileSync(path, 'utf8')),
  )
  assert.deepEqual(faults, [])
})
