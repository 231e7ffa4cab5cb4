// The part of the contract that an operator sees: the queue's pages, retries, records.

import assert from 'node:assert/strict'
import type { MessageId } from '../mail/message.ts'
import { NOON, type Story, sample } from './store.samples.ts'
import type { NewMessage, QueueRow, Store } from './store.ts'

export function operatorStories(story: Story): void {
  story('pages through the queue with filters', async (store) => {
    const messages: NewMessage[] = []
    for (let i = 0; i < 25; i++) {
      messages.push(
        sample(store, {
          recipients: [`a${i}@x.example`, `b${i}@y.example`],
          ...(i % 5 === 0 ? { held: 'why' } : undefined),
        }),
      )
    }
    await Promise.all(messages.map((message) => store.commit(message)))
    const pages = async (filter: Parameters<Store['queuePage']>[0]['filter'], limit: number) => {
      const rows: QueueRow[] = []
      for (;;) {
        const after = rows.at(-1)?.entry
        const page = await store.queuePage({ filter, limit, ...(after ? { after } : undefined) })
        rows.push(...page)
        if (page.length < limit) return rows
      }
    }
    assert.deepEqual(
      (await pages({}, 7)).map((row) => row.entry),
      messages.flatMap((m) => m.entries),
    )
    assert.equal((await pages({ site: 'x.example' }, 4)).length, 25)
    assert.equal((await pages({ state: 'held' }, 3)).length, 10)
    assert.equal((await pages({ state: 'ready' }, 3)).length, 40)
    assert.equal((await pages({ state: 'held', site: 'y.example' }, 2)).length, 5)
    const one = { message: messages[3]!.message.id }
    assert.deepEqual(
      (await pages(one, 1)).map((row) => row.entry),
      messages[3]!.entries,
    )
    assert.equal((await pages({ ...one, site: 'y.example' }, 1)).length, 1)
    const counts = await store.queueCounts()
    assert.deepEqual(counts, { ready: 40, held: 10, oldestAcceptedAt: NOON })
    const [row] = await store.queuePage({ filter: {}, limit: 1 })
    assert.deepEqual(
      [row?.from, row?.size, row?.world],
      ['ann@sender.example', messages[0]!.message.size, 'live'],
    )
  })

  story('retry makes what matches due, held ones too', async (store) => {
    const later = sample(store, { site: 'a', at: NOON + 1e6, recipients: ['1@a', '2@a'] })
    const held = sample(store, { site: 'b', held: 'why' })
    await Promise.all([store.commit(later), store.commit(held)])
    assert.equal(await store.retry({ site: 'a' }, NOON - 1), 2)
    assert.equal((await store.due({ now: NOON, limit: 10 })).messages.length, 1)
    assert.equal(await store.retry({ state: 'held' }, NOON - 1), 1)
    assert.equal(await store.retry({ message: later.message.id }, NOON), 2)
    assert.equal(await store.retry({ message: 1 as MessageId }, NOON), 0)
    assert.equal((await store.due({ now: NOON, limit: 10 })).messages.length, 2)
    assert.equal((await store.queueCounts()).held, 0)
  })
}

export function recordStories(story: Story): void {
  story('domains and credentials are saved, replaced and removed', async (store) => {
    const domain = {
      domain: 'a.example' as never,
      world: 'live' as const,
      keys: [],
      createdAt: 1,
    }
    const keys = [{ selector: 's', algorithm: 'rsa-sha256' as const, file: 'a.pem' }]
    await store.saveDomain(domain)
    await store.saveDomain({ ...domain, keys })
    assert.deepEqual(await store.domains(), [{ ...domain, keys }])
    assert.equal(await store.removeDomain(domain.domain), true)
    assert.equal(await store.removeDomain(domain.domain), false)
    const credential = { name: 'app', hash: 'scrypt$…', domains: [], createdAt: 2 }
    await store.saveCredential(credential)
    assert.deepEqual(await store.credentials(), [credential])
    assert.equal(await store.removeCredential('app'), true)
    assert.deepEqual(await store.credentials(), [])
  })

  story('captured messages: newest first, the oldest forgotten', async (store) => {
    const record = (id: string) => ({
      id,
      envelope: { from: 'a@x', to: ['b@y'] },
      subject: `№ ${id}`,
      authentication: { dkim: 'pass', spf: 'pass', dmarc: 'pass' },
      size: 3,
      receivedAt: NOON,
    })
    for (const id of ['a', 'b', 'c', 'd']) await store.capture(record(id), Buffer.from(id), 3)
    const ids = async (options: { limit: number; before?: string }) =>
      (await store.captured(options)).map((captured) => captured.id)
    assert.deepEqual(await ids({ limit: 10 }), ['d', 'c', 'b'])
    assert.deepEqual(await ids({ limit: 1, before: 'd' }), ['c'])
    assert.deepEqual((await store.captured({ limit: 1 }))[0], record('d'))
    assert.equal(Buffer.from((await store.capturedRaw('b'))!).toString(), 'b')
    assert.equal(await store.capturedRaw('a'), undefined)
    await store.clearCaptured()
    assert.deepEqual(await ids({ limit: 10 }), [])
  })
}
