package eventsql

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Dialect is the kind of database.
type Dialect int

// The dialects.
const (
	// PostgreSQL 9.5 or later.
	PostgreSQL Dialect = iota + 1
	// SQLite 3.24 or later.
	SQLite
)

// String returns the name of the database.
func (d Dialect) String() string {
	switch d {
	case PostgreSQL:
		return "PostgreSQL"
	case SQLite:
		return "SQLite"
	}
	return fmt.Sprintf("Dialect(%d)", int(d))
}

// State is the state of an event, as the table has it.
type State string

// The states; see [gocardless.EventStore] for their meaning.
const (
	StateClaimed State = "claimed"
	StateDone    State = "done"
	StateFailed  State = "failed"
	StateParked  State = "parked"
)

// queries are the statements of a store.
type queries struct {
	look, insert, takeOver, park, renew, done, fail, who   string
	extend, endLease                                       string
	list, body, release, limits, purgeUpTo, purge, purgeLs string
	point, setPoint, deletePoint                           string
	schema                                                 []string
}

// syntax is the part of SQL that differs between the databases: PostgreSQL has timestamps, SQLite
// milliseconds since 1970.
type syntax struct {
	timeType string
	now      string
	lease    func(param string) string  // now plus a parameter in milliseconds
	at       func(param string) string  // a parameter in milliseconds, as a time
	millis   func(column string) string // a time, in milliseconds
}

func (d Dialect) syntax() (syntax, error) {
	switch d {
	case PostgreSQL:
		const now = "clock_timestamp()"
		const milli = "interval '1 millisecond'"
		return syntax{
			timeType: "timestamptz",
			now:      now,
			lease:    func(p string) string { return now + " + " + milli + " * " + p + "::bigint" },
			at:       func(p string) string { return "timestamptz 'epoch' + " + milli + " * " + p + "::bigint" },
			millis:   func(c string) string { return "(1000 * extract(epoch FROM " + c + "))::bigint" },
		}, nil
	case SQLite:
		const now = "CAST((julianday('now') - 2440587.5) * 86400000 AS integer)"
		return syntax{
			timeType: "integer",
			now:      now,
			lease:    func(p string) string { return now + " + " + p },
			at:       func(p string) string { return p },
			millis:   func(c string) string { return c },
		}, nil
	}
	return syntax{}, fmt.Errorf("eventsql: unknown dialect %d", int(d))
}

// queries returns the statements for tables of the given names.
func (d Dialect) queries(names names) (queries, error) {
	x, err := d.syntax()
	if err != nil {
		return queries{}, err
	}
	if d == SQLite && names.schema != "" {
		return queries{}, errors.New("eventsql: Options.Table must not have a schema: SQLite has none")
	}
	// The first lease is in the event's row, its extensions in their own table: with stricter
	// isolation, a transaction cannot mark the event as done if its row has changed since it began.
	expired := `claimed_until < ` + x.now + ` AND NOT EXISTS (SELECT 1 FROM {leases} l
			WHERE l.claim = {events}.claim AND l.claimed_until >= ` + x.now + `)`
	q := queries{
		look: `SELECT state, attempts, ` + expired + ` FROM {events} WHERE id = $1`,
		insert: `INSERT INTO {events} (id, type, organisation, state, attempts, claim, claimed_until,
			event_created_at, first_seen_at, updated_at, body)
			VALUES ($1, $2, $3, 'claimed', 1, $4, ` + x.lease("$5") + `, $6, ` + x.now + `, ` + x.now + `, $7)
			ON CONFLICT (id) DO NOTHING`,
		takeOver: `UPDATE {events} SET state = 'claimed', attempts = attempts + 1, claim = $2,
			claimed_until = ` + x.lease("$3") + `, updated_at = ` + x.now + `
			WHERE id = $1 AND attempts = $4
			AND (state = 'failed' OR state = 'claimed' AND ` + expired + `)`,
		park: `UPDATE {events} SET state = 'parked', updated_at = ` + x.now + `, last_error =
			CASE WHEN state = 'claimed' THEN 'the worker stopped while handling the event' ELSE last_error END
			WHERE id = $1 AND attempts = $2
			AND (state = 'failed' OR state = 'claimed' AND ` + expired + `)`,
		extend: `INSERT INTO {leases} (claim, claimed_until) SELECT claim, ` + x.lease("$3") + ` FROM {events}
			WHERE id = $1 AND claim = $2 AND state = 'claimed'
			ON CONFLICT (claim) DO UPDATE SET claimed_until = excluded.claimed_until`,
		endLease: `DELETE FROM {leases} WHERE claim = $1`,
		purgeLs:  `DELETE FROM {leases} WHERE claimed_until < ` + x.at("$1"),
		renew: `UPDATE {events} SET claimed_until = ` + x.lease("$3") + `
			WHERE id = $1 AND claim = $2 AND state = 'claimed'`,
		// The claim stays in the row, so that a worker can tell its own mark from another's.
		done: `UPDATE {events} SET state = 'done', last_error = '', body = '', updated_at = ` + x.now + `
			WHERE id = $1 AND claim = $2 AND state = 'claimed'`,
		fail: `UPDATE {events} SET last_error = $3, updated_at = ` + x.now + `, attempts = attempts - $5,
			state = CASE WHEN $4 > 0 AND attempts - $5 >= $4 THEN 'parked' ELSE 'failed' END
			WHERE id = $1 AND claim = $2 AND state = 'claimed'`,
		who: `SELECT state, claim FROM {events} WHERE id = $1`,
		list: `SELECT id, type, organisation, state, attempts, last_error, ` + x.millis("event_created_at") + `,
			` + x.millis("first_seen_at") + `, ` + x.millis("updated_at") + `
			FROM {events} WHERE state = 'failed' OR state = 'parked' OR state = 'claimed' AND ` + expired + `
			ORDER BY updated_at, id LIMIT $1`,
		body: `SELECT body FROM {events} WHERE id = $1 AND body <> ''`,
		release: `UPDATE {events} SET state = 'failed', attempts = 0, updated_at = ` + x.now + `
			WHERE id = $1 AND state = 'parked'`,
		limits: `SELECT ` + x.millis(x.now) + `, ` + x.millis("min(created_at)") + ` FROM {points} WHERE name <> $1`,
		purgeUpTo: `SELECT ` + x.millis("max(event_created_at)") + ` FROM {events}
			WHERE state = 'done' AND updated_at < ` + x.at("$1") + `
			AND (event_created_at IS NULL OR event_created_at < ` + x.at("$2") + `)`,
		purge: `DELETE FROM {events} WHERE id IN (SELECT id FROM {events}
			WHERE state = 'done' AND updated_at < ` + x.at("$1") + `
			AND (event_created_at IS NULL OR event_created_at < ` + x.at("$2") + `) LIMIT $3)`,
		point: `SELECT ` + x.millis("created_at") + `, event_id FROM {points} WHERE name = $1`,
		setPoint: `INSERT INTO {points} AS p (name, created_at, event_id) VALUES ($1, ` + x.at("$2") + `, $3)
			ON CONFLICT (name) DO UPDATE SET created_at = excluded.created_at, event_id = excluded.event_id
			WHERE p.created_at <= excluded.created_at`,
		deletePoint: `DELETE FROM {points} WHERE name = $1`,
		schema: []string{
			`CREATE TABLE IF NOT EXISTS {events} (
	id text NOT NULL PRIMARY KEY,
	type text NOT NULL,
	organisation text NOT NULL,
	state text NOT NULL CHECK (state IN ('claimed', 'done', 'failed', 'parked')),
	attempts integer NOT NULL,
	claim text NOT NULL,
	claimed_until ` + x.timeType + ` NOT NULL,
	event_created_at ` + x.timeType + `,
	first_seen_at ` + x.timeType + ` NOT NULL,
	updated_at ` + x.timeType + ` NOT NULL,
	last_error text NOT NULL DEFAULT '',
	body text NOT NULL DEFAULT ''
)`,
			`CREATE TABLE IF NOT EXISTS {leases} (
	claim text NOT NULL PRIMARY KEY,
	claimed_until ` + x.timeType + ` NOT NULL
)`,
			`CREATE INDEX IF NOT EXISTS {index} ON {events} (state, updated_at)`,
			`CREATE TABLE IF NOT EXISTS {points} (
	name text NOT NULL PRIMARY KEY,
	created_at ` + x.timeType + ` NOT NULL,
	event_id text NOT NULL
)`,
		},
	}
	replacements := []string{"{events}", names.events, "{points}", names.points, "{leases}", names.leases, "{index}", names.index}
	if d == SQLite {
		// SQLite's own form of numbered parameters, which all drivers understand.
		replacements = append(replacements, "$", "?")
	}
	replacer := strings.NewReplacer(replacements...)
	for _, s := range []*string{
		&q.look, &q.insert, &q.takeOver, &q.park, &q.renew, &q.done, &q.fail, &q.who, &q.extend, &q.endLease, &q.purgeLs,
		&q.list, &q.body, &q.release, &q.limits, &q.purgeUpTo, &q.purge, &q.point, &q.setPoint, &q.deletePoint,
	} {
		*s = replacer.Replace(*s)
	}
	for i := range q.schema {
		q.schema[i] = replacer.Replace(q.schema[i])
	}
	return q, nil
}

// time returns a time as a parameter; the zero time is null.
func (d Dialect) time(t time.Time) any {
	switch {
	case t.IsZero():
		return nil
	case d == SQLite:
		return t.UnixMilli()
	}
	return t.UTC()
}

// inTheWay reports whether a statement failed, without effect, only because of a concurrent
// transaction. It recognises the errors of drivers by their methods and messages, because this
// package does not import a driver.
func (d Dialect) inTheWay(err error) bool {
	if d == PostgreSQL {
		var pg interface{ SQLState() string } // pgx, lib/pq
		return errors.As(err, &pg) && (pg.SQLState() == "40001" || pg.SQLState() == "40P01")
	}
	var lite interface{ Code() int } // modernc.org/sqlite
	if errors.As(err, &lite) {
		primary := lite.Code() & 0xff
		return primary == 5 || primary == 6 // SQLITE_BUSY, SQLITE_LOCKED
	}
	text := err.Error()
	return strings.Contains(text, "database is locked") || strings.Contains(text, "database table is locked")
}

// names are the tables, quoted.
type names struct{ schema, events, points, leases, index string }

var namePattern = regexp.MustCompile(`^(?:([A-Za-z_][A-Za-z0-9_]{0,39})\.)?([A-Za-z_][A-Za-z0-9_]{0,39})$`)

func tableNames(table string) (names, error) {
	if table == "" {
		table = DefaultTable
	}
	m := namePattern.FindStringSubmatch(table)
	if m == nil {
		return names{}, fmt.Errorf("eventsql: Options.Table %q: must have up to 40 letters, digits and underscores, optionally after a schema", table)
	}
	schema := ""
	if m[1] != "" {
		schema = `"` + m[1] + `".`
	}
	return names{
		schema: m[1],
		events: schema + `"` + m[2] + `"`,
		points: schema + `"` + m[2] + `_checkpoints"`,
		leases: schema + `"` + m[2] + `_leases"`,
		index:  `"` + m[2] + `_state"`,
	}, nil
}
