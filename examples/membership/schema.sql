-- A row is written before the API is called, and the idempotency key derives from its id. After a
-- crash the call is made again, and returns the resource that the first call created.
CREATE TABLE IF NOT EXISTS members (
	id              INTEGER PRIMARY KEY,
	name            TEXT NOT NULL,
	email           TEXT NOT NULL,
	state           TEXT NOT NULL DEFAULT 'joining', -- joining, authorised, active, cancelled
	billing_request TEXT UNIQUE,
	mandate         TEXT UNIQUE,
	subscription    TEXT UNIQUE
);

-- Charges besides the subscription. The form's token makes a double click charge once.
CREATE TABLE IF NOT EXISTS charges (
	id          INTEGER PRIMARY KEY,
	member      INTEGER NOT NULL REFERENCES members,
	token       TEXT NOT NULL UNIQUE,
	amount      INTEGER NOT NULL, -- in pence
	description TEXT NOT NULL,
	payment     TEXT UNIQUE
);

-- The payments of charges and subscriptions. A webhook may arrive before the reply to the request
-- that creates the payment, so a row here does not depend on a charge.
CREATE TABLE IF NOT EXISTS payments (
	id       TEXT PRIMARY KEY,
	status   TEXT NOT NULL,
	changed  TEXT NOT NULL, -- the time of the event with this status
	amount   INTEGER,       -- in pence; null until read from the API
	refunded INTEGER NOT NULL DEFAULT 0,
	mandate  TEXT
);
