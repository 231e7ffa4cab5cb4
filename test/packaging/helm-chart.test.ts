// Without helm the templates are not rendered: what is proven is that chart and values are YAML, that
// templates name only values that exist, and that the configuration in the values is one.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config/load.ts'
import { missing, run } from '../support/tools.ts'

const chart = join(import.meta.dirname, '../../packaging/helm/posthorn')
const read = (name: string) => readFileSync(join(chart, name), 'utf8')
const values = parse(read('values.yaml'))

test('the chart has the version of the program', () => {
  const { version } = JSON.parse(read('../../../package.json'))
  const { appVersion, apiVersion } = parse(read('Chart.yaml'))
  assert.deepEqual([appVersion, apiVersion], [version, 'v2'])
})

test('templates name only values that there are', () => {
  for (const name of readdirSync(join(chart, 'templates')))
    for (const [, path = ''] of read(join('templates', name)).matchAll(/\.Values\.([\w.]+)/g)) {
      let node = values
      for (const word of path.split('.')) node = node?.[word]
      assert.notEqual(node, undefined, `${name}: ${path}`)
    }
})

test('the configuration in the values is understood', () => {
  const place = { environment: {}, workingDirectory: '/', machineName: 'posthorn-0' }
  const base = { tree: values.config, given: new Map() }
  assert.deepEqual(loadConfig({ ...place, base }).faults, [])
})

test('helm renders it', { skip: missing('helm') }, async () => {
  const ran = await run('helm', ['template', 'mail', chart])
  assert.equal(ran.code, 0, ran.err)
  assert.match(ran.out, /^kind: StatefulSet$/m)
})
