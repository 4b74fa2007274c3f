-- Version 1. Times are UTC microseconds since 1970.

CREATE TABLE messages (
	id          TEXT PRIMARY KEY,           -- also the send key
	store       TEXT    NOT NULL,
	flow        TEXT    NOT NULL,
	cause       TEXT    NOT NULL,
	customer_id TEXT    NOT NULL,
	state       TEXT    NOT NULL CHECK (state IN ('planned', 'claimed', 'accepted', 'rejected', 'unknown')),
	attempts    INTEGER NOT NULL,
	owner       TEXT    NOT NULL,           -- of the last claim
	claimed_at  INTEGER NOT NULL,
	provider_id TEXT    NOT NULL DEFAULT '',
	code        TEXT    NOT NULL DEFAULT '',
	created_at  INTEGER NOT NULL,
	updated_at  INTEGER NOT NULL
) STRICT;

CREATE INDEX messages_by_state ON messages (state, store);
CREATE INDEX messages_by_age   ON messages (created_at);

CREATE TABLE triggers (
	id          TEXT PRIMARY KEY,
	message_id  TEXT    NOT NULL REFERENCES messages (id),
	occurred_at INTEGER NOT NULL,
	attached_at INTEGER NOT NULL
) STRICT;

CREATE INDEX triggers_by_message ON triggers (message_id);
