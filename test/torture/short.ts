// Short forms as tests: each figure that has a goal must meet it, but for those of pace.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { report, runOne } from './report.ts'
import type { Torment } from './torment.ts'

/** Node ends a test that takes so many times as long as it should. */
const PATIENCE = 5

export function testShortForms(torments: readonly Torment[]): void {
  for (const torment of torments)
    test(`${torment.id}: ${torment.what}`, {
      timeout: torment.shortSeconds * PATIENCE * 1000,
    }, async (context) => {
      const said: string[] = []
      const outcome = await runOne(torment, {
        full: false,
        seed: 1,
        say: (text) => void said.push(text),
      })
      if (outcome.skipped !== undefined) return context.skip(outcome.skipped)
      const table = report([outcome])
      context.diagnostic(table)
      assert.ok(outcome.met, `${said.join('\n')}\n${table}`)
    })
}
