-- The queue. `head`, `recipient` and `progress` are JSON; every checksum is a CRC-32 that is seeded
-- with the row's key, so that a row found alone in a damaged file still proves what it is.

CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value
) WITHOUT ROWID;

-- roster: JSON of [[idx, site, recipient], …] as accepted, so that the message can be delivered even
-- when its entries cannot be read.
-- rows = 0: the content is in this row; else it is in `content`, rows 0 to rows - 1.
CREATE TABLE messages (
  id INTEGER PRIMARY KEY,
  head TEXT NOT NULL,
  prefix TEXT NOT NULL,
  roster TEXT NOT NULL,
  head_crc INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  content_crc INTEGER NOT NULL,
  content BLOB NOT NULL
);

-- due_at is null while the entry is held.
CREATE TABLE entries (
  message INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  site TEXT NOT NULL,
  sandbox INTEGER NOT NULL,
  recipient TEXT NOT NULL,
  crc INTEGER NOT NULL,
  due_at INTEGER,
  attempts INTEGER NOT NULL,
  held TEXT,
  progress TEXT,
  PRIMARY KEY (message, idx)
) WITHOUT ROWID;

CREATE INDEX entries_due ON entries (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX entries_site ON entries (site, due_at);
CREATE INDEX entries_held ON entries (message, idx) WHERE due_at IS NULL;

-- Content of messages larger than one row.
CREATE TABLE content (
  message INTEGER NOT NULL,
  row INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (message, row)
) WITHOUT ROWID;

-- Messages whose content is not sealed by a commit yet: swept at the next start.
CREATE TABLE arriving (
  message INTEGER PRIMARY KEY
);

CREATE TABLE attempts (
  message INTEGER NOT NULL,
  n INTEGER NOT NULL,
  at INTEGER NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (message, n)
) WITHOUT ROWID;

CREATE TABLE domains (
  name TEXT PRIMARY KEY,
  data TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE credentials (
  name TEXT PRIMARY KEY,
  data TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE captured (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  data TEXT NOT NULL,
  raw BLOB NOT NULL
);
