// The writer's statements for the hot path, prepared once for each connection.

import { type Database, prepare } from './driver.ts'

export type Statements = ReturnType<typeof prepareStatements>

export function prepareStatements(database: Database) {
  return {
    begin: prepare(database, 'BEGIN IMMEDIATE'),
    commit: prepare(database, 'COMMIT'),
    logSize: prepare(database, 'PRAGMA wal_checkpoint(NOOP)'),
    checkpoint: prepare(database, 'PRAGMA wal_checkpoint(PASSIVE)'),
    truncateLog: prepare(database, 'PRAGMA wal_checkpoint(TRUNCATE)'),
    freePages: prepare(database, 'PRAGMA freelist_count'),
    insertMessage: prepare(database, 'INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
    insertEntry: prepare(database, 'INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    insertContent: prepare(database, 'INSERT OR REPLACE INTO content VALUES (?, ?, ?, ?)'),
    announce: prepare(database, 'INSERT OR IGNORE INTO arriving VALUES (?)'),
    countContent: prepare(database, 'SELECT count(*) FROM content WHERE message = ?'),
    seal: prepare(database, 'DELETE FROM arriving WHERE message = ?'),
    endEntry: prepare(
      database,
      'DELETE FROM entries WHERE message = ? AND idx = ? RETURNING recipient',
    ),
    deferEntry: prepare(
      database,
      'UPDATE entries SET due_at = ?, attempts = ?, progress = ?, held = NULL WHERE message = ? AND idx = ? RETURNING recipient',
    ),
    insertAttempt: prepare(
      database,
      'INSERT INTO attempts SELECT ?1, coalesce(max(n), 0) + 1, ?2, ?3 FROM attempts WHERE message = ?1',
    ),
    endMessage: prepare(
      database,
      'DELETE FROM messages WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM entries WHERE message = ?1) RETURNING rows',
    ),
    dropContent: prepare(database, 'DELETE FROM content WHERE message = ?'),
  }
}
