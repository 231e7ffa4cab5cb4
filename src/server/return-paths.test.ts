import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Domain } from '../mail/domain.ts'
import { parseMailbox } from '../mail/mailbox.ts'
import type { World } from '../mail/message.ts'
import { ReturnPaths } from './return-paths.ts'

const note = (paths: ReturnPaths, from: string, reversePath: string, world: World = 'live') =>
  paths.note({
    fromDomain: from as Domain,
    reversePath: reversePath === '' ? null : parseMailbox(reversePath)!,
    world,
  })

test('return paths of live mail in other domains are remembered, a few for each', () => {
  const paths = new ReturnPaths()
  note(paths, 'a.example', 'x@a.example')
  note(paths, 'a.example', '')
  note(paths, 'a.example', 'x@[192.0.2.1]')
  note(paths, 'a.example', 'x@captured.example', 'sandbox')
  assert.deepEqual(paths.of('a.example' as Domain), [])
  for (let i = 0; i < 10; i++) note(paths, 'a.example', `x@b${i}.example`)
  note(paths, 'a.example', 'x@b0.example')
  assert.deepEqual(
    paths.of('a.example' as Domain),
    [0, 1, 2, 3, 4].map((i) => `b${i}.example`),
  )
})

test('of more domains than it remembers the first stay', () => {
  const paths = new ReturnPaths()
  for (let i = 0; i < 1_000; i++) note(paths, `d${i}.example`, 'x@b.example')
  assert.deepEqual(paths.of('d0.example' as Domain), ['b.example'])
  assert.deepEqual(paths.of('d999.example' as Domain), [])
})
