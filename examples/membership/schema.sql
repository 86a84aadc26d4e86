-- A row is written before the API is called, and its id makes the idempotency key: after a crash
-- anywhere the call is made again, and finds what it made before.
CREATE TABLE IF NOT EXISTS members (
	id              INTEGER PRIMARY KEY,
	name            TEXT NOT NULL,
	email           TEXT NOT NULL,
	state           TEXT NOT NULL DEFAULT 'joining', -- joining, authorised, active, cancelled
	billing_request TEXT UNIQUE,
	mandate         TEXT UNIQUE,
	subscription    TEXT UNIQUE
);

-- What the club asks for, beside subscriptions. The form's token makes a double click one charge.
CREATE TABLE IF NOT EXISTS charges (
	id          INTEGER PRIMARY KEY,
	member      INTEGER NOT NULL REFERENCES members,
	token       TEXT NOT NULL UNIQUE,
	amount      INTEGER NOT NULL, -- in pence
	description TEXT NOT NULL,
	payment     TEXT UNIQUE
);

-- What became of payments, of charges and of subscriptions. A webhook may arrive before the reply
-- to the request that made the payment: its row does not need the charge's.
CREATE TABLE IF NOT EXISTS payments (
	id       TEXT PRIMARY KEY,
	status   TEXT NOT NULL,
	changed  TEXT NOT NULL, -- when the API says that it took this status
	amount   INTEGER,       -- in pence; null until it has been read
	refunded INTEGER NOT NULL DEFAULT 0,
	mandate  TEXT
);
