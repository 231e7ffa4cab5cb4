import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { troubleOf } from './driver.ts'

/** What a database says to a statement that fails. */
function saidTo(statement: string): unknown {
  const database = new DatabaseSync(':memory:')
  try {
    database.exec(statement)
  } catch (error) {
    return error
  } finally {
    database.close()
  }
  return assert.fail(`${statement} succeeded`)
}

describe('what an error of SQLite means', () => {
  it('a transaction that it ended of itself, over a damaged page: damage', () => {
    assert.equal(troubleOf(saidTo('COMMIT')), 'corrupt')
  })

  it('a fault of the statement itself: other', () => {
    assert.equal(troubleOf(saidTo('SELECT * FROM nowhere')), 'other')
    assert.equal(troubleOf(new Error('not of SQLite')), 'other')
  })

  it('an integer that none of our numbers can be: damage', () => {
    const database = new DatabaseSync(':memory:')
    const select = database.prepare('SELECT 9223372036854775807')
    assert.throws(
      () => select.get(),
      (error) => troubleOf(error) === 'corrupt',
    )
    database.close()
  })
})
