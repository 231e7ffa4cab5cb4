import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { catalogue } from './catalogue.ts'
import type { CodeTexts } from './text.ts'
import { elsewhereTexts } from './texts/elsewhere.ts'

const LANGUAGES = ['en', 'ru'] as const

const placeholders = (text: string): Set<string> =>
  new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name))

const filled = (texts: CodeTexts) =>
  LANGUAGES.map((language) => {
    if (texts.severity === 'ok') return placeholders(texts[language].saw)
    const { saw, why, fix } = texts[language]
    return placeholders([saw, why, fix, texts.paste].join(' '))
  })

for (const [code, texts] of catalogue) {
  test(`${code} has all its texts in both languages`, () => {
    assert.match(code, /^[A-Z][A-Z0-9_]*[A-Z0-9]$/)
    for (const language of LANGUAGES)
      for (const [name, text] of Object.entries(texts[language])) {
        assert.ok(text.trim().length > 0, `${language}.${name} is empty`)
        assert.doesNotMatch(text, /[—–]|[ \t]{2}|\n{3}|^\s|\s$/, `${language}.${name}`)
        if (name !== 'more') assert.ok(!text.includes('\n'), `${language}.${name} is one line`)
      }
    if (texts.severity === 'ok') return
    for (const language of LANGUAGES)
      for (const name of ['saw', 'why', 'fix', 'more'] as const) {
        assert.ok(texts[language][name], `${language}.${name}`)
        // A lone fact brings its own language.
        if (/^\{\w+\}\.$/.test(texts[language][name])) continue
        if (language === 'ru') assert.match(texts.ru[name], /[а-яё]/i, `${name} is in Russian`)
        else assert.doesNotMatch(texts.en[name], /[а-яё]/i, `${name} is in English`)
      }
  })

  test(`${code} fills the same facts in both languages, and none in the long text`, () => {
    const [english, russian] = filled(texts)
    assert.deepEqual(english, russian)
    if (texts.severity === 'ok') return
    for (const language of LANGUAGES) assert.equal(placeholders(texts[language].more).size, 0)
  })
}

test('every code is provoked in a test', () => {
  const tests = readdirSync(join(import.meta.dirname, 'checks'))
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(import.meta.dirname, 'checks', name), 'utf8'))
    .join('')
  const silent = [...catalogue.keys()].filter(
    (code) => !(code in elsewhereTexts) && !new RegExp(`\\b${code}\\b`).test(tests),
  )
  assert.deepEqual(silent, [])
})

test('every file of texts is in the catalogue', () => {
  const folder = join(import.meta.dirname, 'texts')
  const codes = readdirSync(folder)
    .filter((name) => !name.endsWith('.test.ts'))
    .flatMap((name) =>
      [...readFileSync(join(folder, name), 'utf8').matchAll(/^ {2}([A-Z][A-Z0-9_]+): \{$/gm)].map(
        ([, code = '']) => code,
      ),
    )
  assert.deepEqual(codes.sort(), [...catalogue.keys()].sort(), 'each code stands in one file')
})
