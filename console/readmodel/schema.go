package readmodel

// schemaVersion is that of schema, of what the feed makes of records, and of the places of FTS rows. A file of another version is removed.
const schemaVersion = 3

// schema are the tables. Times are milliseconds since 1970, 0 for none. Each table has the columns of one topic only, so that the order in which
// topics are read makes no difference.
const schema = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- next is the next offset to read; last and last_at are the last record that was read.
CREATE TABLE offsets (topic TEXT, partition INTEGER, next INTEGER NOT NULL, last INTEGER NOT NULL, last_at INTEGER NOT NULL,
  PRIMARY KEY (topic, partition)) WITHOUT ROWID;

CREATE TABLE stores (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

-- A kind is a type and status of the events of a store. count is the sum of its hours, last the id of its last event.
CREATE TABLE kinds (id INTEGER PRIMARY KEY, store INTEGER NOT NULL, fact INTEGER NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL,
  count INTEGER NOT NULL, last_at INTEGER NOT NULL, last INTEGER NOT NULL, UNIQUE (store, fact, type, status));
CREATE TABLE hours (kind INTEGER, hour INTEGER, count INTEGER NOT NULL, PRIMARY KEY (kind, hour)) WITHOUT ROWID;

-- The id of an event is its place: see eventID.
CREATE TABLE events (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, customer TEXT NOT NULL, at INTEGER NOT NULL, occurred_at INTEGER NOT NULL,
  fact_id BLOB NOT NULL, about TEXT NOT NULL, detail TEXT NOT NULL, amount TEXT NOT NULL, currency TEXT NOT NULL);
CREATE INDEX events_kind ON events (kind, at);
CREATE INDEX events_customer ON events (customer, at);

-- The key of a text is the beginning of its id: see textKey. changes has a JSON object per line.
CREATE TABLE texts (key INTEGER PRIMARY KEY, id BLOB NOT NULL, store INTEGER NOT NULL, customer TEXT NOT NULL, flow TEXT NOT NULL,
  status TEXT NOT NULL, reason TEXT NOT NULL, merged INTEGER NOT NULL, planned_at INTEGER NOT NULL, status_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL, release_at INTEGER NOT NULL, deferred INTEGER NOT NULL, attempt INTEGER NOT NULL, clicked_at INTEGER NOT NULL,
  provider_id TEXT NOT NULL, code TEXT NOT NULL, error TEXT NOT NULL, cause TEXT NOT NULL, triggers TEXT NOT NULL, changes TEXT NOT NULL);
CREATE INDEX texts_store ON texts (store, status_at, key);
CREATE INDEX texts_status ON texts (store, status, status_at, key);
CREATE INDEX texts_flow ON texts (store, flow, status_at, key);
CREATE INDEX texts_customer ON texts (store, customer, status_at, key);
CREATE INDEX texts_planned ON texts (store, planned_at, flow, status, clicked_at, merged); -- has all that Flows counts
CREATE INDEX texts_release ON texts (store, release_at) WHERE status = 'planned';

-- A body is a row of recharge.message-texts. doc is its row in bodies_fts, which is in the order of claimed_at. body and words are
-- searched.
CREATE TABLE bodies (doc INTEGER PRIMARY KEY, text INTEGER NOT NULL UNIQUE, scope TEXT NOT NULL, claimed_at INTEGER NOT NULL,
  recipient TEXT NOT NULL, sender TEXT NOT NULL, body TEXT NOT NULL, segments INTEGER NOT NULL, variables TEXT NOT NULL, words TEXT NOT NULL,
  masked TEXT NOT NULL);
CREATE VIRTUAL TABLE bodies_fts USING fts5(scope, words, content='', tokenize='unicode61 remove_diacritics 2');
INSERT INTO bodies_fts (bodies_fts, rank) VALUES ('secure-delete', 1);

-- phone_end has the digits of the number, last one first.
CREATE TABLE customers (key INTEGER PRIMARY KEY, store INTEGER NOT NULL, id TEXT NOT NULL, email TEXT NOT NULL, first_name TEXT NOT NULL,
  last_name TEXT NOT NULL, phone TEXT NOT NULL, phone_end TEXT NOT NULL, platform_id TEXT NOT NULL, active INTEGER,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, UNIQUE (store, id));
CREATE INDEX customers_phone ON customers (store, phone_end);
CREATE VIRTUAL TABLE customers_fts USING fts5(scope, email, name, content='', tokenize='unicode61 remove_diacritics 2');
INSERT INTO customers_fts (customers_fts, rank) VALUES ('secure-delete', 1);

-- The rows are JSON of Subscription and Charge.
CREATE TABLE subscriptions (store INTEGER, customer TEXT, id TEXT, updated_at INTEGER NOT NULL, data TEXT NOT NULL,
  PRIMARY KEY (store, customer, id)) WITHOUT ROWID;
CREATE TABLE charges (store INTEGER, customer TEXT, id TEXT, updated_at INTEGER NOT NULL, at INTEGER NOT NULL, data TEXT NOT NULL,
  PRIMARY KEY (store, customer, id)) WITHOUT ROWID;
CREATE INDEX charges_at ON charges (at);

CREATE TABLE letters (role TEXT, partition INTEGER, offset INTEGER, store TEXT NOT NULL, customer TEXT NOT NULL, about TEXT NOT NULL,
  type TEXT NOT NULL, reason TEXT NOT NULL, error TEXT NOT NULL, attempts INTEGER NOT NULL, at INTEGER NOT NULL, first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL, origin_topic TEXT NOT NULL, origin_offset INTEGER NOT NULL, PRIMARY KEY (role, partition, offset)) WITHOUT ROWID;
CREATE INDEX letters_at ON letters (at);
CREATE INDEX letters_customer ON letters (customer, at);
CREATE INDEX letters_about ON letters (about, at);

-- A replay is a record of a redrive topic, by the place of its dead letter.
CREATE TABLE replays (role TEXT, partition INTEGER, offset INTEGER, at INTEGER NOT NULL, PRIMARY KEY (role, partition, offset)) WITHOUT ROWID;
`
