// What any engine must do, as tests. An engine's test file calls storeContract with a way to open a
// store on a folder; the same folder opened again is the same store after a restart.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { QueueEntry } from '../mail/entry.ts'
import type { Outcome } from '../mail/failure.ts'
import type { MessageId } from '../mail/message.ts'
import { type Clock, systemClock } from '../std/clock.ts'
import { operatorStories, recordStories } from './store.operator.contract.ts'
import {
  allDue,
  contentOf,
  deferred,
  delivered,
  GREYLISTED,
  NOON,
  type Story,
  sample,
  settlement,
  withFolder,
} from './store.samples.ts'
import { CONTENT_ROW_BYTES, type EntryChange, StorageFailed, type Store } from './store.ts'
export type OpenStore = (folder: string, clock?: Clock) => Promise<Store>

/** The suite; `name` is the engine's. */
export function storeContract(name: string, open: OpenStore): void {
  const story = (title: string, tell: (store: Store) => Promise<void>) =>
    it(title, () =>
      withFolder(async (folder) => {
        await using store = await open(folder)
        await tell(store)
      }),
    )

  describe(`${name}: messages`, () => {
    messageStories(story)
    contentStories(story)
    failedStories(story)
  })
  describe(`${name}: the schedule`, () => {
    scheduleStories(story)
    wishStories(story)
    settleStories(story)
  })
  describe(`${name}: what an operator asks`, () => {
    operatorStories(story)
    recordStories(story)
  })
  describe(`${name}: commits and restarts`, () => restartStories(story, open))
}

function messageStories(story: Story): void {
  story('gives back what was committed, whole', async (store) => {
    const message = sample(store, { recipients: ['bob@example.com', 'eve@example.net'] })
    await store.commit(message)
    const found = await store.queued(message.message.id)
    assert.deepEqual(found, { message: message.message, entries: message.entries })
    assert.deepEqual((await store.due({ now: NOON, limit: 10 })).messages, [found])
    assert.equal(await store.queued((message.message.id + 1) as MessageId), undefined)
  })

  story('keeps null reverse-paths, RET and held entries', async (store) => {
    const held = sample(store, { held: 'by an operator' })
    const message = {
      ...held,
      message: { ...held.message, reversePath: null, ret: 'headers' as const },
    }
    await store.commit(message)
    const found = await store.queued(message.message.id)
    assert.deepEqual(found, { message: message.message, entries: message.entries })
    assert.deepEqual((await store.due({ now: NOON, limit: 10 })).messages, [])
    assert.equal((await store.queuePage({ filter: {}, limit: 9 }))[0]?.from, '')
  })

  for (const size of [0, 1, 5000, CONTENT_ROW_BYTES - 1, CONTENT_ROW_BYTES]) {
    story(`content of ${size} octets comes whole`, async (store) => {
      const content = Buffer.alloc(size, 'abcdefg\r\n')
      const message = sample(store, { content })
      await store.commit(message)
      assert.ok((await store.content(message.message.id)).whole)
      assert.deepEqual(await contentOf(store, message.message.id), content)
    })
  }
}

function contentStories(story: Story): void {
  story('content that arrives in rows is read in rows and ends with its message', async (store) => {
    const rows = [1, 2, 3].map((fill) => Buffer.alloc(CONTENT_ROW_BYTES, fill))
    const last = Buffer.alloc(1000, 4)
    const small = sample(store)
    const size = small.message.size - 23 + 3 * CONTENT_ROW_BYTES + last.length
    const message = {
      ...small,
      message: { ...small.message, size },
      rows: [rows[2]!, last],
      firstRow: 2,
    }
    await store.putContent(message.message.id, 0, rows[0]!)
    await store.putContent(message.message.id, 1, rows[1]!)
    await assert.rejects(store.content(message.message.id), StorageFailed)
    await store.commit(message)
    assert.equal((await store.content(message.message.id)).whole, undefined)
    assert.deepEqual(await contentOf(store, message.message.id), Buffer.concat([...rows, last]))
    await store.settle(delivered(message))
    await assert.rejects(store.content(message.message.id), StorageFailed)
  })

  story('25 MB pass through without being held in memory', async (store) => {
    const row = Buffer.alloc(CONTENT_ROW_BYTES, 'abcdefg\r\n')
    const small = sample(store, { content: '' })
    const size = small.message.size + 100 * row.length
    const message = { ...small, message: { ...small.message, size }, rows: [], firstRow: 100 }
    const { arrayBuffers } = process.memoryUsage()
    for (let i = 0; i < 100; i++) await store.putContent(message.message.id, i, row)
    await store.commit(message)
    const content = await store.content(message.message.id)
    assert.equal(content.size, 100 * row.length)
    let read = 0
    for await (const bytes of content.rows()) {
      assert.ok(row.equals(bytes))
      read++
    }
    assert.equal(read, 100)
    const grown = process.memoryUsage().arrayBuffers - arrayBuffers
    assert.ok(grown < 25_000_000, `${grown} octets more in buffers`)
  })

  story('small rows put one by one come whole', async (store) => {
    const small = sample(store, { content: 'abcdef' })
    await store.putContent(small.message.id, 0, Buffer.from('abc'))
    await store.putContent(small.message.id, 1, Buffer.from('def'))
    await store.commit({ ...small, rows: [], firstRow: 2 })
    assert.equal((await contentOf(store, small.message.id)).toString(), 'abcdef')
  })

  story('many rows in one commit', async (store) => {
    const content = Buffer.alloc(CONTENT_ROW_BYTES + 5000, 'x')
    const message = sample(store, { content })
    const rows = [content.subarray(0, 100), content.subarray(100, 5000), content.subarray(5000)]
    await store.commit({ ...message, rows })
    assert.deepEqual(await contentOf(store, message.message.id), content)
  })
}

function failedStories(story: Story): void {
  story('discarded content leaves nothing and can be put again', async (store) => {
    const message = sample(store, { content: 'new' })
    await store.putContent(message.message.id, 0, Buffer.from('old'))
    await store.discardContent(message.message.id)
    await store.commit(message)
    assert.equal((await contentOf(store, message.message.id)).toString(), 'new')
    await store.discardContent(message.message.id)
    assert.equal((await contentOf(store, message.message.id)).toString(), 'new')
  })

  story('a commit that fails harms nobody beside it', async (store) => {
    const first = sample(store)
    await store.commit(first)
    const others = [sample(store), sample(store)]
    const results = await Promise.allSettled([
      store.commit(others[0]!),
      store.commit(first),
      store.commit(others[1]!),
    ])
    assert.deepEqual(
      results.map((result) => result.status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.equal((await store.queueCounts()).ready, 3)
  })
}

function scheduleStories(story: Story): void {
  story('due, but for sites that nobody wants to hear of', async (store) => {
    const wanted: number[] = []
    for (let i = 0; i < 20; i++) {
      const message = sample(store, {
        at: NOON - 20 + i,
        site: i % 4 === 0 ? 'live' : `dead-${i % 4}`,
      })
      if (i % 4 === 0) wanted.push(message.message.id)
      await store.commit(message)
    }
    // More than one call looks at.
    const recipients = Array.from({ length: 6000 }, (_, i) => `user${i}@example.com`)
    await store.commit(sample(store, { at: NOON - 30, site: 'dead-1', recipients }))
    const except = ['dead-1', 'dead-2', 'dead-3', 'nowhere']
    const after = {
      at: NOON - 30,
      key: { message: Number.MAX_SAFE_INTEGER as MessageId, index: 0 },
    }
    const all = await store.due({ now: NOON, limit: 100, except, after })
    assert.deepEqual(
      all.messages.map(({ message }) => message.id),
      wanted,
    )
    assert.equal(all.next, undefined)
    const found: number[] = []
    let batch = await store.due({ now: NOON, limit: 2, except })
    for (;;) {
      found.push(...batch.messages.map(({ message }) => message.id))
      if (!batch.next) break
      batch = await store.due({ now: NOON, limit: 2, except, after: batch.next })
    }
    assert.deepEqual(found, wanted)
  })

  story('due in order of time, page by page, nothing twice', async (store) => {
    const ids: [number, number][] = []
    const commits: Promise<void>[] = []
    for (let i = 0; i < 50; i++) {
      const at = NOON - ((i * 7) % 10) * 1000
      const message = sample(store, { at })
      ids.push([at, message.message.id])
      commits.push(store.commit(message))
    }
    await Promise.all([...commits, store.commit(sample(store, { at: NOON + 1 }))])
    const expected = ids.sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, id]) => id)
    for (const limit of [1, 7, 1000]) assert.deepEqual(await allDue(store, limit), expected)
  })

  story('by site, and when the next is due', async (store) => {
    const near = sample(store, { site: 'near', at: NOON + 5 })
    const far = sample(store, { site: 'far', at: NOON + 9 })
    await Promise.all([store.commit(near), store.commit(far)])
    const { messages } = await store.dueAt('near', { now: NOON + 100, limit: 5 })
    const ids = messages.map((m) => m.message.id)
    assert.deepEqual(ids, [near.message.id])
    assert.deepEqual(await store.dueAt('near', { now: NOON, limit: 5 }), { messages: [] })
    assert.ok((await store.dueAt('near', { now: NOON + 100, limit: 1 })).next, 'there is more')
    assert.equal(await store.nextDue(NOON), NOON + 5)
    assert.equal(await store.nextDue(NOON + 5), NOON + 9)
    assert.equal(await store.nextDue(NOON + 9), undefined)
  })

  story('after a backward clock step nothing waits beyond the given time', async (store) => {
    const [day, hour] = [86_400_000, 3_600_000]
    const live = [1, 2, 3].map((days) => sample(store, { at: NOON + days * day }))
    const captured = sample(store, { at: NOON + day, world: 'sandbox' })
    await Promise.all([...live, captured].map((message) => store.commit(message)))
    await store.clampDue({ live: NOON + day, sandbox: NOON + hour })
    assert.equal((await store.due({ now: NOON + hour, limit: 10 })).messages.length, 1)
    assert.equal((await store.due({ now: NOON + day, limit: 10 })).messages.length, 4)
  })
}

function wishStories(story: Story): void {
  story(
    'what its sender wishes is kept, and no correction of the clock changes his time',
    async (store) => {
      const day = 86_400_000
      const usual = sample(store)
      const at = NOON + 5 * day
      const message = {
        ...usual.message,
        holdUntil: at,
        deliverBy: { at: NOON + 6 * day, mode: 'notify', trace: true } as const,
        priority: -4,
        tlsOptional: true as const,
      }
      const entries = usual.entries.map((entry) => ({
        ...entry,
        state: { kind: 'ready', at, chosen: true } as const,
      }))
      await store.commit({ ...usual, message, entries })
      await store.clampDue({ live: NOON + day, sandbox: NOON + day })
      assert.deepEqual(await store.queued(message.id), { message, entries })
      assert.equal((await store.due({ now: NOON + 2 * day, limit: 10 })).messages.length, 0)
      assert.equal(await store.nextDue(NOON), at)
      assert.equal(await store.retry({ message: message.id }, NOON), 1)
      const due = await store.due({ now: NOON, limit: 10 })
      assert.deepEqual(due.messages[0]?.entries[0]?.state, { kind: 'ready', at: NOON })
    },
  )
}

function settleStories(story: Story): void {
  story(
    'a deferred entry remembers its failure; the last ended one takes the message along',
    async (store) => {
      const message = sample(store, { recipients: ['a@x.example', 'b@x.example'] })
      const [first, second] = message.entries as [QueueEntry, QueueEntry]
      await store.commit(message)
      const outcome: Outcome = { kind: 'failed', failure: GREYLISTED }
      await store.settle(settlement(message, { changes: [deferred(first, NOON + 300)], outcome }))
      await store.settle(
        settlement(message, { changes: [{ kind: 'ended', key: second, end: 'bounced' }] }),
      )
      const left = await store.queued(message.message.id)
      assert.deepEqual(left?.entries, [
        {
          ...first,
          state: { kind: 'ready', at: NOON + 300 },
          attempts: 1,
          lastFailure: GREYLISTED,
          delayNoticed: true,
        },
      ])
      await store.settle(delivered(message))
      assert.equal(await store.queued(message.message.id), undefined)
      assert.deepEqual(await store.queueCounts(), { ready: 0, held: 0 })
      await store.settle(delivered(message))
      const attempts = await store.attempts(message.message.id)
      assert.deepEqual(
        attempts.map(({ results }) => results),
        [
          [
            {
              recipient: 'a@x.example',
              result: 'deferred',
              text: 'mx.example.com said at rcpt: 451 4.7.1 Greylisted',
            },
          ],
          [{ recipient: 'b@x.example', result: 'bounced', text: '' }],
          [{ recipient: 'a@x.example', result: 'delivered', text: '250 2.0.0 ok' }],
        ],
      )
      assert.equal(attempts[0]?.host, 'mx.example.com')
      assert.equal(attempts[0]?.durationMs, 25)
      await store.prune(NOON + 15)
      assert.deepEqual(
        (await store.attempts(message.message.id)).map(({ at }) => at),
        [NOON + 40],
      )
    },
  )

  story('notices come with the outcome that owes them, once', async (store) => {
    const message = sample(store)
    await store.commit(message)
    const notice = sample(store, { content: 'a bounce' })
    const changes: EntryChange[] = [{ kind: 'ended', key: message.entries[0]!, end: 'bounced' }]
    await store.settle(settlement(message, { changes, notices: [notice] }))
    assert.equal((await contentOf(store, notice.message.id)).toString(), 'a bounce')
    assert.equal(await store.queued(message.message.id), undefined)
    await store.settle(settlement(message, { changes, notices: [sample(store)] }))
    assert.equal((await store.queueCounts()).ready, 1)
  })

  story('reroute gives every entry the site of now', async (store) => {
    const live = sample(store, { recipients: ['a@one.example', 'b@two.example'] })
    const sandbox = sample(store, { recipients: ['a@one.example'], world: 'sandbox' })
    await Promise.all([store.commit(live), store.commit(sandbox)])
    await store.reroute(({ domain }, world) => `${world}:${domain}`)
    const sites = (await store.queuePage({ filter: {}, limit: 10 })).map((row) => row.entry.site)
    assert.deepEqual(sites, ['live:one.example', 'live:two.example', 'sandbox:one.example'])
    const moved = await store.dueAt('live:two.example', { now: NOON, limit: 5 })
    assert.equal(moved.messages.length, 1)
  })
}

function restartStories(story: Story, open: OpenStore): void {
  story('those who wait share a commit', async (store) => {
    const before = store.stats()
    await Promise.all(Array.from({ length: 300 }, () => store.commit(sample(store))))
    const after = store.stats()
    assert.equal(after.operations - before.operations, 300)
    assert.ok(after.commits - before.commits <= 3, `${after.commits - before.commits} commits`)
  })

  it('everything is there after a restart, and ids go on growing', () =>
    withFolder(async (folder) => {
      let last: number
      {
        await using store = await open(folder)
        const message = sample(store)
        await store.commit(message)
        await store.settle(delivered(message))
        await store.commit(sample(store))
        last = store.nextMessageId()
      }
      // The clock was set back by a year meanwhile.
      const clock = { ...systemClock, now: () => systemClock.now() - 31_536_000_000 }
      await using store = await open(folder, clock)
      assert.ok(store.nextMessageId() > last)
      assert.equal((await store.due({ now: NOON, limit: 10 })).messages.length, 1)
      assert.equal((await store.damage()).count, 0)
    }))

  it('a closed store says so', () =>
    withFolder(async (folder) => {
      const store = await open(folder)
      const message = sample(store)
      const last = store.commit(message)
      await store[Symbol.asyncDispose]()
      await last
      await assert.rejects(store.commit(sample(store)), StorageFailed)
      await store[Symbol.asyncDispose]()
    }))

  it('a folder is opened once', () =>
    withFolder(async (folder) => {
      {
        await using _ = await open(folder)
        await assert.rejects(open(folder), new RegExp(`in use by .*${process.pid}`))
      }
      await using _ = await open(folder)
    }))
}
