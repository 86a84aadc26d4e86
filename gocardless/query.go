package gocardless

import (
	"strconv"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
)

// query builds the query string of a request from the fields of a params struct. It leaves out zero
// values, which are filters that were not set. Names and values are escaped.
type query struct {
	buf []byte
	// cursor, if not empty, replaces the caller's cursor named cursorName. It selects a following page
	// without a change to the caller's params.
	cursor, cursorName string
	// window, if set, replaces the caller's created_at filter and limit.
	window queryWriter
	// The caller's own cursors.
	after, before string
	// noDate names a parameter with a date that does not exist.
	noDate string
}

// queryWriter adds parameters to a query. It is an interface so that programs without an export
// link no code for its windows.
type queryWriter interface{ write(*query) }

// The paging parameters of a list.
const (
	afterParam  = "after"
	beforeParam = "before"
	limitParam  = "limit"
)

// string adds a string parameter, and keeps the caller's cursors.
//
//go:noinline
func (q *query) string(name, value string) {
	switch name {
	case afterParam:
		q.after = value
	case beforeParam:
		q.before = value
	}
	if q.cursor != "" && q.cursorName == name {
		// Written by finish, whether or not the caller set one.
		return
	}
	if value != "" {
		q.name(name)
		q.buf = appendEscaped(q.buf, value)
	}
}

// int adds an integer parameter.
//
//go:noinline
func (q *query) int(name string, value int) {
	if q.window != nil && name == limitParam {
		return
	}
	q.int64(name, int64(value))
}

// int64 adds an integer parameter.
//
//go:noinline
func (q *query) int64(name string, value int64) {
	if value != 0 {
		q.name(name)
		q.buf = strconv.AppendInt(q.buf, value, 10)
	}
}

// bool adds a boolean parameter.
//
//go:noinline
func (q *query) bool(name string, value *bool) {
	if value != nil {
		q.name(name)
		q.buf = strconv.AppendBool(q.buf, *value)
	}
}

// time adds an instant, in UTC and without rounding.
//
//go:noinline
func (q *query) time(name string, value time.Time) {
	if q.window != nil && strings.HasPrefix(name, "created_at[") {
		return
	}
	if !value.IsZero() {
		q.name(name)
		q.buf = appendEscaped(q.buf, value.UTC().Format(time.RFC3339Nano))
	}
}

// date adds a date parameter.
//
//go:noinline
func (q *query) date(name string, value Date) {
	if value != (Date{}) {
		if !value.IsValid() {
			q.noDate = name
		}
		q.name(name)
		q.buf = appendEscaped(q.buf, value.String())
	}
}

// stringMap adds name[key]=value for each member, sorted by key, so that equal maps give equal
// queries.
//
//go:noinline
func (q *query) stringMap(name string, value map[string]string) {
	var few [8]string
	for _, key := range jsonwire.SortedKeys(few[:0], value) {
		q.name(name + "[" + key + "]")
		q.buf = appendEscaped(q.buf, value[key])
	}
}

// queryList adds a list as one parameter, with commas between the values.
func queryList[T ~string](q *query, name string, values []T) {
	for i, v := range values {
		if i == 0 {
			q.name(name)
		} else {
			q.buf = append(q.buf, ',')
		}
		q.buf = appendEscaped(q.buf, string(v))
	}
}

// queryRepeat adds a list as one parameter for each value.
func queryRepeat[T ~string](q *query, name string, values []T) {
	for _, v := range values {
		q.name(name)
		q.buf = appendEscaped(q.buf, string(v))
	}
}

func (q *query) name(name string) {
	if len(q.buf) > 0 {
		q.buf = append(q.buf, '&')
	}
	q.buf = appendEscaped(q.buf, name)
	q.buf = append(q.buf, '=')
}

// finish returns the query string, without the question mark.
func (q *query) finish() string {
	if w := q.window; w != nil {
		q.window = nil
		w.write(q)
	}
	if q.cursor != "" {
		q.name(q.cursorName)
		q.buf = appendEscaped(q.buf, q.cursor)
	}
	return string(q.buf)
}

// appendEscaped appends s as a query component, as [url.QueryEscape] would, but
// with %20 for a space, which every server reads as a space.
func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~':
			dst = append(dst, c)
		default:
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}
