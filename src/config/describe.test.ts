import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { exampleFile, jsonSchema, printConfig, referencePage } from './describe.ts'
import { type Loaded, loadConfig } from './load.ts'
import { listOptions } from './options.ts'

function load(yaml: string, environment: Record<string, string> = {}): Loaded {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-describe-'))
  writeFileSync(join(folder, 'posthorn.yaml'), yaml)
  try {
    return loadConfig({ environment, workingDirectory: folder, machineName: 'mx.example.com' })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('the reference in docs/ is what the schema says now', () => {
  for (const [language, file] of [
    ['en', 'configuration.md'],
    ['ru', 'configuration.ru.md'],
  ] as const) {
    const page = readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8')
    assert.equal(page, referencePage(language), `stale: run npm run docs (${file})`)
  }
})

test('every option has a sentence in both languages and an example that its kind accepts', () => {
  for (const { path, about, kind } of listOptions()) {
    assert.ok(about.summary.en && /[а-яё]/i.test(about.summary.ru), path.join('.'))
    if (kind !== 'option') continue
    assert.ok(about.example, path.join('.'))
    assert.notEqual(about.kind?.parse(parse(about.example)), undefined, path.join('.'))
    if (about.fallback !== undefined) {
      assert.notEqual(about.kind?.parse(about.fallback), undefined, path.join('.'))
    }
  }
})

test('the example file is valid as it is, and with every line uncommented', () => {
  for (const language of ['en', 'ru'] as const) {
    const example = exampleFile(language)
    assert.deepEqual(load(example).faults, [])
    const all = load(example.replace(/^( *)#(?! )/gm, '$1').replace(/^#( {2})/gm, '$1'))
    assert.deepEqual(all.faults, [])
    assert.ok(all.given.size > 40, `${all.given.size} options`)
  }
})

test('the printed configuration is valid, says where values come from and hides secrets', () => {
  const printed = printConfig(
    load('relayhost: { host: a.example, username: u, password: hidden }', {
      POSTHORN_HTTP_PORT: '80',
    }),
    'en',
  )
  assert.match(printed, /^ {2}port: 80 # given in POSTHORN_HTTP_PORT$/m)
  assert.match(printed, /^ {2}host: a\.example # given in posthorn\.yaml:1:20$/m)
  assert.doesNotMatch(printed, /hidden/)
  assert.deepEqual(load(printed).faults, [])
})

test('the JSON Schema knows sections, kinds and short forms', () => {
  const schema = jsonSchema() as {
    properties: Record<string, { anyOf?: unknown[]; properties?: Record<string, unknown> }>
  }
  assert.deepEqual(schema.properties.mode, {
    default: 'sandbox',
    enum: ['sandbox', 'live'],
    description: (schema.properties.mode as { description: string }).description,
  })
  assert.equal(schema.properties.relayhost?.anyOf?.length, 3)
  assert.ok(schema.properties.http?.properties?.port)
})

test('what is printed can be given again, whatever its kind', () => {
  for (const { about, path } of listOptions()) {
    const { kind, example } = about
    if (!kind || example === undefined) continue
    const given = kind.parse(parse(example))
    const printed = kind.format && given !== undefined ? kind.format(given) : given
    assert.ok(!isObject(printed), `${path.join('.')}: ${JSON.stringify(printed)}`)
    if (kind.unit === undefined) assert.deepEqual(kind.parse(printed), given, path.join('.'))
  }
  const yaml = `
hostname: mail.example.com
rewrite: { always_bcc: ['"a b"@b.example'], masquerade: ["!x.example.com", example.com] }
milters: { one: { address: "inet:9@[::1]" }, two: { address: "local:/run/two" } }
`
  const first = load(yaml)
  const again = load(printConfig(first, 'en'))
  assert.deepEqual(again.faults, [])
  assert.deepEqual(again.config?.rewrite, first.config?.rewrite)
  assert.deepEqual(again.config?.milters, first.config?.milters)
})

function isObject(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isObject)
  return typeof value === 'object' && value !== null
}
