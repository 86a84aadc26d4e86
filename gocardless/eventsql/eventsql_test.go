package eventsql

import (
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// Tests without a database. The module eventsqltest has the others.

func TestNewRefuses(t *testing.T) {
	db := new(sql.DB)
	for name, c := range map[string]struct {
		db      *sql.DB
		dialect Dialect
		options Options
		word    string
	}{
		"no database":      {nil, PostgreSQL, Options{}, "database"},
		"no dialect":       {db, 0, Options{}, "dialect"},
		"another dialect":  {db, 3, Options{}, "dialect"},
		"negative lease":   {db, SQLite, Options{Lease: -1}, "Lease"},
		"injection":        {db, SQLite, Options{Table: `x"; DROP TABLE y; --`}, "Table"},
		"space":            {db, SQLite, Options{Table: "a b"}, "Table"},
		"digit first":      {db, SQLite, Options{Table: "1a"}, "Table"},
		"two schemas":      {db, PostgreSQL, Options{Table: "a.b.c"}, "Table"},
		"empty schema":     {db, PostgreSQL, Options{Table: ".c"}, "Table"},
		"too long":         {db, PostgreSQL, Options{Table: strings.Repeat("a", 41)}, "Table"},
		"schema in SQLite": {db, SQLite, Options{Table: "a.b"}, "Table"},
	} {
		if s, err := New(c.db, c.dialect, c.options); s != nil || err == nil || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%s: %v", name, err)
		}
		if c.word == "Table" || c.word == "dialect" {
			if _, err := Schema(c.dialect, c.options.Table); err == nil {
				t.Errorf("%s: Schema gives no error", name)
			}
		}
	}
	s, err := New(db, PostgreSQL, Options{})
	if err != nil || s.options.Lease != DefaultLease || s.options.MaxAttempts != 10 {
		t.Errorf("defaults: %+v, %v", s.options, err)
	}
}

// Every placeholder is filled in, and the parameters are numbered without a gap.
func TestQueriesAreComplete(t *testing.T) {
	n, err := tableNames("billing.events")
	if err != nil {
		t.Fatal(err)
	}
	postgres, err := PostgreSQL.queries(n)
	if err != nil {
		t.Fatal(err)
	}
	n, _ = tableNames("")
	lite, err := SQLite.queries(n)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		q    queries
		mark string
		not  string
	}{{postgres, `\$`, "?"}, {lite, `\?`, "$"}} {
		all := append([]string{
			c.q.look, c.q.insert, c.q.takeOver, c.q.park, c.q.renew, c.q.done, c.q.fail, c.q.who, c.q.list,
			c.q.release, c.q.limits, c.q.purgeUpTo, c.q.purge, c.q.point, c.q.setPoint, c.q.deletePoint,
		}, c.q.schema...)
		for _, s := range all {
			if s == "" || strings.ContainsAny(s, "{}"+c.not) {
				t.Errorf("%q", s)
			}
			numbers := map[string]bool{}
			for _, m := range regexp.MustCompile(c.mark+`(\d)`).FindAllStringSubmatch(s, -1) {
				numbers[m[1]] = true
			}
			for i := range len(numbers) {
				if !numbers[fmt.Sprint(i+1)] {
					t.Errorf("parameter %d is missing in %q", i+1, s)
				}
			}
		}
	}
	if !strings.Contains(postgres.look, `"billing"."events"`) || !strings.Contains(lite.look, `"gocardless_events"`) {
		t.Errorf("names: %s, %s", postgres.look, lite.look)
	}
}

type stateError string

func (e stateError) Error() string    { return "failed" }
func (e stateError) SQLState() string { return string(e) }

type codeError int

func (e codeError) Error() string { return "failed" }
func (e codeError) Code() int     { return int(e) }

func TestInTheWay(t *testing.T) {
	for _, c := range []struct {
		d    Dialect
		err  error
		want bool
	}{
		{PostgreSQL, stateError("40001"), true},
		{PostgreSQL, fmt.Errorf("wrapped: %w", stateError("40P01")), true},
		{PostgreSQL, stateError("23505"), false},
		{PostgreSQL, errors.New("database is locked"), false},
		{SQLite, codeError(5), true},
		{SQLite, codeError(5 | 2<<8), true}, // SQLITE_BUSY_SNAPSHOT
		{SQLite, codeError(6), true},
		{SQLite, codeError(19), false},
		{SQLite, errors.New("database is locked"), true}, // mattn/go-sqlite3
		{SQLite, errors.New("no such table"), false},
	} {
		if got := c.d.inTheWay(c.err); got != c.want {
			t.Errorf("%s, %v (%T): %v", c.d, c.err, c.err, got)
		}
	}
}

func TestClip(t *testing.T) {
	long := clip(strings.Repeat("é", 600) + "\x00")
	if len(long) > 1000 || !utf8.ValidString(long) || len(long) < 999 {
		t.Errorf("%d bytes, valid: %v", len(long), utf8.ValidString(long))
	}
	if got := clip("a\x00b\xffc"); got != "abc" {
		t.Errorf("%q", got)
	}
}

func TestDialectTime(t *testing.T) {
	at := time.Date(2026, 5, 4, 11, 0, 0, 5e6, time.FixedZone("", 7200))
	if v := SQLite.time(at); v != at.UnixMilli() {
		t.Errorf("SQLite: %v", v)
	}
	if v, ok := PostgreSQL.time(at).(time.Time); !ok || !v.Equal(at) || v.Location() != time.UTC {
		t.Errorf("PostgreSQL: %v", v)
	}
	for _, d := range []Dialect{PostgreSQL, SQLite} {
		if v := d.time(time.Time{}); v != nil {
			t.Errorf("%s: zero time is %v", d, v)
		}
	}
	if s := fmt.Sprint(PostgreSQL, SQLite, Dialect(9)); s != "PostgreSQL SQLite Dialect(9)" {
		t.Errorf("names: %s", s)
	}
}
