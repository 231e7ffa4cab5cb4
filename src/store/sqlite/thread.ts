// The entry of both worker threads. One message in, one message out; the main thread sends the next
// batch when it has the answer to the last.

import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../std/assert.ts'
import { systemClock } from '../../std/clock.ts'
import type { Operation } from './operations.ts'
import { prepareFolder } from './prepare.ts'
import { type Query, Reader } from './reader.ts'
import { Tally, tallyPath } from './tally.ts'
import { type Batch, CLOSE, type Ready, type Started, type ThreadData } from './thread-data.ts'
import { Writer } from './writer.ts'

function serveWriter(data: ThreadData & { role: 'writer' }): void {
  const { path, ready, held } = prepareFolder(data)
  const tally = new Tally(tallyPath(path), held)
  const writer = new Writer({ path, clock: systemClock, reserveBytes: data.reserveBytes }, tally)
  serve(ready, {
    run(batch) {
      parentPort!.postMessage(writer.run(batch.operations as readonly Operation[], batch.bytes))
      writer.tidy()
    },
    close: () => writer.close(),
  })
}

function serveReader(data: ThreadData & { role: 'reader' }): void {
  const reader = new Reader(data.path)
  serve(true, {
    run(batch) {
      const transfer: ArrayBuffer[] = []
      const answer = reader.run(batch.operations as readonly Query[], transfer)
      parentPort!.postMessage(answer, transfer)
    },
    close: () => reader.close(),
  })
}

function serve(ready: Ready | true, thread: { run(batch: Batch): void; close(): void }): void {
  const port = parentPort!
  port.on('message', (message: Batch | typeof CLOSE) => {
    if (message !== CLOSE) return thread.run(message)
    thread.close()
    port.close()
  })
  port.postMessage({ ready } satisfies Started)
}

assert(!isMainThread && parentPort, 'thread.ts runs as a worker')
try {
  const data = workerData as ThreadData
  if (data.role === 'writer') serveWriter(data)
  else serveReader(data)
} catch (error) {
  parentPort.postMessage({ unusable: error } satisfies Started)
  parentPort.close()
}
