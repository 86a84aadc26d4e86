package bulk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Dialect is the kind of database of a [SQLJournal].
type Dialect int

// The dialects.
const (
	// PostgreSQL 9.5 or later.
	PostgreSQL Dialect = iota + 1
	// SQLite 3.35 or later. Set a busy timeout if several connections write.
	SQLite
)

// DefaultTable is the table of a [SQLJournal] whose options name none.
const DefaultTable = "gocardless_bulk"

// SQLOptions locates a [SQLJournal].
type SQLOptions struct {
	// Run names the run; a table holds many.
	Run string
	// Table is the name of the table, optionally with a schema. A second table has the same name
	// with the suffix "_runs".
	Table string
}

// SQLJournal is a journal in a database. Processes that use the same table and run divide the lines
// among themselves. Their clocks should agree to about a minute: the claims of a process whose
// clock is behind expire early, which costs requests.
type SQLJournal struct {
	db      *sql.DB
	dialect Dialect
	run     string
	table   string
}

var tablePattern = regexp.MustCompile(`^(?:[A-Za-z_][A-Za-z0-9_]{0,39}\.)?[A-Za-z_][A-Za-z0-9_]{0,39}$`)

func quoteTable(table string) (string, error) {
	if table == "" {
		table = DefaultTable
	}
	if !tablePattern.MatchString(table) {
		return "", errors.New("bulk: SQLOptions.Table: must have up to 40 letters, digits and underscores, optionally after a schema")
	}
	return strings.ReplaceAll(table, ".", `"."`), nil // within quotes
}

// NewSQLJournal returns a journal in a database; see [SQLJournal.CreateSchema].
func NewSQLJournal(db *sql.DB, dialect Dialect, options SQLOptions) (*SQLJournal, error) {
	table, err := quoteTable(options.Table)
	switch {
	case err != nil:
		return nil, err
	case db == nil:
		return nil, errors.New("bulk: the database must not be nil")
	case dialect != PostgreSQL && dialect != SQLite:
		return nil, errors.New("bulk: the dialect must be PostgreSQL or SQLite")
	case options.Run == "":
		return nil, errors.New("bulk: SQLOptions.Run: must not be empty")
	}
	return &SQLJournal{db: db, dialect: dialect, run: options.Run, table: table}, nil
}

// Schema returns the statements that create the tables of a journal, for a migration
// of your own. An empty table means [DefaultTable].
func Schema(table string) (string, error) {
	name, err := quoteTable(table)
	if err != nil {
		return "", err
	}
	return strings.Join(schema(name), ";\n") + ";\n", nil
}

// schema returns the statements for the tables. Times are numbers, which are the same in each dialect.
func schema(table string) []string {
	return []string{
		`CREATE TABLE IF NOT EXISTS "` + table + `_runs" (
	run text NOT NULL PRIMARY KEY,
	operation text NOT NULL,
	environment text NOT NULL,
	started_ms bigint NOT NULL
)`,
		`CREATE TABLE IF NOT EXISTS "` + table + `" (
	run text NOT NULL,
	line_key text NOT NULL,
	state text NOT NULL CHECK (state IN ('created', 'existing', 'failed', 'open')),
	resource_id text NOT NULL DEFAULT '',
	error text NOT NULL DEFAULT '',
	message text NOT NULL DEFAULT '',
	request_id text NOT NULL DEFAULT '',
	attempts integer NOT NULL DEFAULT 0,
	at_ms bigint NOT NULL DEFAULT 0,
	fingerprint text NOT NULL,
	claimed_until_ms bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (run, line_key)
)`,
	}
}

// CreateSchema creates the tables of the journal where they do not exist.
func (j *SQLJournal) CreateSchema(ctx context.Context) error {
	tx, err := j.db.BeginTx(ctx, nil)
	if err != nil {
		return j.failed(err)
	}
	defer func() { _ = tx.Rollback() }()
	if j.dialect == PostgreSQL {
		// IF NOT EXISTS alone does not keep two sessions from creating the same table.
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext('gocardless bulk'))`); err != nil {
			return j.failed(err)
		}
	}
	for _, statement := range schema(j.table) {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return j.failed(err)
		}
	}
	return j.failed(tx.Commit())
}

func (j *SQLJournal) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("bulk: the journal's database: %w", err)
}

// statement is SQL with its parameters.
type statement struct {
	text strings.Builder
	args []any
	sign string
}

func (j *SQLJournal) statement() *statement {
	s := &statement{sign: "$"}
	if j.dialect == SQLite {
		s.sign = "?" // followed by a number, which all drivers understand
	}
	return s
}

// add appends SQL in which each "?" is a parameter.
func (s *statement) add(text string, args ...any) {
	for i, part := range strings.Split(text, "?") {
		if i > 0 {
			s.args = append(s.args, args[i-1])
			s.text.WriteString(s.sign + strconv.Itoa(len(s.args)))
		}
		s.text.WriteString(part)
	}
}

// Begin implements [Journal].
func (j *SQLJournal) Begin(ctx context.Context, h Header) (Header, error) {
	s := j.statement()
	s.add(`INSERT INTO "`+j.table+`_runs" (run, operation, environment, started_ms) VALUES (?, ?, ?, ?) ON CONFLICT (run) DO NOTHING`,
		j.run, h.Operation, h.Environment, h.Started.UnixMilli())
	if _, err := j.db.ExecContext(ctx, s.text.String(), s.args...); err != nil {
		return Header{}, j.failed(err)
	}
	s = j.statement()
	s.add(`SELECT operation, environment, started_ms FROM "`+j.table+`_runs" WHERE run = ?`, j.run)
	var stored Header
	var started int64
	err := j.db.QueryRowContext(ctx, s.text.String(), s.args...).Scan(&stored.Operation, &stored.Environment, &started)
	stored.Started = time.UnixMilli(started).UTC()
	return stored, j.failed(err)
}

// Claim implements [Journal]. It has the rule of record.verdict in SQL.
func (j *SQLJournal) Claim(ctx context.Context, claims []Claim, until time.Time, retryFailed bool) ([]Verdict, error) {
	if len(claims) == 0 {
		return nil, nil
	}
	// In one order, so that processes cannot wait for each other's rows.
	sorted := slices.SortedFunc(slices.Values(claims), func(a, b Claim) int { return strings.Compare(a.Key, b.Key) })
	s := j.statement()
	s.add(`INSERT INTO "` + j.table + `" AS l (run, line_key, state, fingerprint, claimed_until_ms) VALUES `)
	for i, c := range sorted {
		s.add(comma(i)+`(?, ?, 'open', ?, ?)`, j.run, c.Key, c.Fingerprint, until.UnixMilli())
	}
	retry := ""
	if !retryFailed {
		retry = " AND l.fingerprint <> excluded.fingerprint"
	}
	s.add(` ON CONFLICT (run, line_key) DO UPDATE SET state = 'open', fingerprint = excluded.fingerprint, claimed_until_ms = excluded.claimed_until_ms
		WHERE l.state = 'failed'`+retry+`
		OR l.state = 'open' AND l.fingerprint = excluded.fingerprint AND l.claimed_until_ms <= ? RETURNING line_key, state, fingerprint`, time.Now().UnixMilli())
	granted, err := j.lines(ctx, s)
	if err != nil || len(granted) == len(claims) {
		return make([]Verdict, len(claims)), err
	}
	s = j.statement()
	s.add(`SELECT line_key, state, fingerprint FROM "`+j.table+`" WHERE run = ? AND line_key IN (`, j.run)
	for i, c := range claims {
		s.add(comma(i)+"?", c.Key)
	}
	s.add(")")
	found, err := j.lines(ctx, s)
	verdicts := make([]Verdict, len(claims))
	for i, c := range claims {
		if _, ok := granted[c.Key]; !ok {
			verdicts[i] = found[c.Key].refusal(c)
		}
	}
	return verdicts, err
}

func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ", "
}

// refusal returns the reason why a claim was not granted.
func (r record) refusal(c Claim) Verdict {
	switch {
	case r.Fingerprint != c.Fingerprint:
		return Changed
	case r.State == Open:
		return Busy
	}
	return Settled
}

// lines reads keys, states and fingerprints.
func (j *SQLJournal) lines(ctx context.Context, s *statement) (map[string]record, error) {
	rows, err := j.db.QueryContext(ctx, s.text.String(), s.args...)
	if err != nil {
		return nil, j.failed(err)
	}
	defer func() { _ = rows.Close() }()
	found := map[string]record{}
	for rows.Next() {
		var r record
		if err := rows.Scan(&r.Key, &r.State, &r.Fingerprint); err != nil {
			return nil, j.failed(err)
		}
		found[r.Key] = r
	}
	return found, j.failed(rows.Err())
}

// Record implements [Journal].
func (j *SQLJournal) Record(ctx context.Context, entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	sorted := slices.SortedFunc(slices.Values(entries), func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
	s := j.statement()
	s.add(`INSERT INTO "` + j.table + `" AS l (run, line_key, state, resource_id, error, message, request_id, attempts, at_ms, fingerprint) VALUES `)
	for i, e := range sorted {
		s.add(comma(i)+`(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, j.run, e.Key, string(e.State), e.ID, e.Error, e.Message, e.RequestID, e.Attempts, e.At.UnixMilli(), e.Fingerprint)
	}
	s.add(` ON CONFLICT (run, line_key) DO UPDATE SET state = excluded.state, resource_id = excluded.resource_id, error = excluded.error,
		message = excluded.message, request_id = excluded.request_id, attempts = excluded.attempts, at_ms = excluded.at_ms,
		fingerprint = excluded.fingerprint, claimed_until_ms = 0
		WHERE l.state NOT IN ('created', 'existing')`)
	_, err := j.db.ExecContext(ctx, s.text.String(), s.args...)
	return j.failed(err)
}

// Entries implements [Journal], in the order of the keys.
func (j *SQLJournal) Entries(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		s := j.statement()
		s.add(`SELECT line_key, state, resource_id, error, message, request_id, attempts, at_ms, fingerprint FROM "`+j.table+`" WHERE run = ? ORDER BY line_key`, j.run)
		rows, err := j.db.QueryContext(ctx, s.text.String(), s.args...)
		if err != nil {
			yield(Entry{}, j.failed(err))
			return
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var e Entry
			var at int64
			if err := rows.Scan(&e.Key, &e.State, &e.ID, &e.Error, &e.Message, &e.RequestID, &e.Attempts, &at, &e.Fingerprint); err != nil {
				yield(Entry{}, j.failed(err))
				return
			}
			if at > 0 {
				e.At = time.UnixMilli(at).UTC()
			}
			if !yield(e, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Entry{}, j.failed(err))
		}
	}
}
