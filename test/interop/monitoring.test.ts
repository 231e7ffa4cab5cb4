// What Prometheus and Grafana are given: promtool reads it, and every name in it is one that a
// server shows which has worked a little.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { parse } from 'yaml'
import { startHere } from '../support/posthorn.ts'
import { missing, run, temporaryFolder } from '../support/tools.ts'
import { converse } from '../support/transcript.ts'

const packaging = join(import.meta.dirname, '../../packaging')
const RULES = join(packaging, 'prometheus/posthorn.rules.yml')

type Rule = { readonly alert: string; readonly expr: string; readonly annotations: object }
type Panel = {
  readonly title: string
  readonly type: string
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
  readonly panels?: readonly Panel[]
}
const rules = (
  parse(readFileSync(RULES, 'utf8')) as { groups: { rules: Rule[] }[] }
).groups.flatMap((group) => group.rules)
const dashboard = JSON.parse(readFileSync(join(packaging, 'grafana/posthorn.json'), 'utf8')) as {
  panels: Panel[]
  templating: { list: { definition?: string }[] }
}
/** Every query with what it is for. */
const queries: readonly (readonly [where: string, expr: string, legend: string])[] = [
  ...rules.map(
    ({ alert, expr, annotations }) => [alert, expr, JSON.stringify(annotations)] as const,
  ),
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => [title, expr, legendFormat] as const),
  ),
  ...dashboard.templating.list.flatMap(({ definition }) =>
    definition === undefined ? [] : [['variable', definition, ''] as const],
  ),
]

/** Metrics without a value as long as all is well, and their labels. */
const LATER: Readonly<Record<string, readonly string[]>> = {
  posthorn_doctor_findings: ['code', 'severity'],
  posthorn_turned_away_total: ['listener'],
  posthorn_certificate_expires_seconds: ['name', 'source'],
}
/** Prometheus' own. */
const PROMETHEUS = { metrics: ['up'], labels: ['job', 'instance', 'le'] }
const RESERVED =
  /^(?:sum|max|min|rate|increase|topk|histogram_quantile|label_values|vector|by|on|and|or)$/

describe('what Prometheus and Grafana are given', () => {
  const shown = new Map<string, Set<string>>()
  before(async () => {
    await using server = await startHere({
      mode: 'sandbox',
      domains: { 'example.test': {} },
      credentials: { app: { password: 'correct horse battery' } },
      milters: { away: { address: 'inet:127.0.0.1:9', on_failure: 'accept' } },
    })
    const mail = (to: string) => `
      C: MAIL FROM:<app@example.test>
      S: 250 *
      C: RCPT TO:<${to}>
      S: 250 *
      C: DATA
      S: 354 *
      C: From: app@example.test
      C:
      C: .
      S: 250 *`
    await converse(
      server.port,
      `S: 220 *
      C: EHLO client.example
      S: ...
      S: 250 *
      C: AUTH PLAIN ${Buffer.from('\0app\0wrong').toString('base64')}
      S: 535 *
      C: MAIL FROM:<nobody@>
      S: 501 *
      ${mail('accept@example.test')}
      ${mail('no-such-user@example.test')}
      C: QUIT
      S: 221 *`,
    )
    await server.emptyQueue()
    const text = await server.text('/metrics')
    for (const [, name = ''] of text.matchAll(/^# HELP (\S+) /gm)) shown.set(name, new Set())
    for (const [, name = '', labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
      const known = shown.get(name) ?? new Set()
      shown.set(name, known)
      for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label)
    }
    for (const [name, labels] of Object.entries(LATER)) {
      assert.ok(shown.has(name), name)
      shown.set(name, new Set(labels))
    }
  })

  it('every query names metrics that a server shows, by labels that they have', () => {
    const faults: string[] = []
    for (const [where, expr, legend] of queries) {
      const bare = expr.replace(/"[^"]*"/g, '""')
      const own = [...bare.matchAll(/\b[a-z]\w+\b(?=\s*[{[<>=),+/*-]|\s*$|\s)/g)]
        .map(([name]) => name)
        .filter((name) => /^(posthorn|process|up$)/.test(name))
      const labels = new Set(PROMETHEUS.labels)
      for (const name of own) {
        for (const label of shown.get(name) ?? []) labels.add(label)
        if (!shown.has(name) && !PROMETHEUS.metrics.includes(name))
          faults.push(`${where}: no metric ${name}`)
      }
      if (own.length === 0) faults.push(`${where}: no metric at all`)
      const used = [
        ...[...bare.matchAll(/(\w+)\s*(?:!=|=~|!~|=)\s*""/g)].map(([, label = '']) => label),
        ...[...bare.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, list = '']) =>
          list.split(/, */),
        ),
        ...[...legend.matchAll(/\$labels\.(\w+)|\{\{(\w+)\}\}/g)].map(([, a, b]) => a ?? b ?? ''),
      ]
      for (const label of used)
        if (!labels.has(label) && !RESERVED.test(label)) faults.push(`${where}: no label ${label}`)
    }
    assert.deepEqual(faults, [])
    assert.ok(queries.length > 50)
  })

  it('every panel has a place, a title and a word of explanation', () => {
    const ids = new Set<number>()
    for (const panel of dashboard.panels as (Panel & { id: number; description?: string })[]) {
      assert.ok(panel.title)
      assert.ok(panel.type === 'row' || panel.description, panel.title)
      assert.ok(!ids.has(panel.id))
      ids.add(panel.id)
    }
  })

  const skip = missing('promtool')

  it('promtool reads the alerts, and each fires when it should', { skip }, async () => {
    const checked = await run('promtool', ['check', 'rules', RULES])
    assert.equal(checked.code, 0, checked.err)
    const folder = join(packaging, 'prometheus')
    const tested = await run('promtool', ['test', 'rules', 'posthorn.rules.test.yml'], { folder })
    assert.equal(tested.code, 0, tested.out + tested.err)
    const cases = readFileSync(join(folder, 'posthorn.rules.test.yml'), 'utf8')
    const untested = ['PosthornCertificateFaulty', 'PosthornLoginsFail', 'PosthornFilterFails']
    for (const { alert } of rules)
      assert.ok(cases.includes(alert) || untested.includes(alert), alert)
  })

  it('and the queries of the dashboard', { skip }, async () => {
    using folder = temporaryFolder()
    const file = join(folder.path, 'panels.yml')
    const recorded = dashboard.panels
      .flatMap(({ targets = [] }) => targets)
      .map(({ expr }, i) => ({
        record: `panel:${i}`,
        expr: expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$\w+/g, 'x'),
      }))
    // JSON is YAML, too.
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules: recorded }] }))
    const { code, err } = await run('promtool', ['check', 'rules', file])
    assert.equal(code, 0, err)
  })

  it('what a server shows is good form', { skip }, async () => {
    await using server = await startHere({ mode: 'sandbox' })
    const input = await server.text('/metrics')
    const { out, err } = await run('promtool', ['check', 'metrics'], { input })
    assert.doesNotMatch(out + err, /error/i)
    assert.equal(out + err, '')
  })
})
