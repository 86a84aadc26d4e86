package request

import (
	"iter"
	"reflect"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
)

// Query builds the query string of a request from the fields of a params struct. It leaves out fields
// that are absent, such as filters that were not set. Names and values are escaped.
type Query struct {
	buf           []byte
	options       Options
	after, before string // the cursors in the params
	err           error
}

// Window adds parameters to a query. It is an interface so that programs without an export
// link no code for its windows.
type Window interface{ Write(*Query) }

// The paging parameters of a list.
const (
	After  = "after"
	Before = "before"
	Limit  = "limit"
)

// field adds the value of a field that is not absent, an object member by member.
func (q *Query) field(name string, v reflect.Value, f *field) {
	switch {
	case f.repeat:
		for i := range v.Len() {
			q.Add(name, v.Index(i).String())
		}
	case v.Kind() == reflect.Slice:
		q.list(name, v)
	case v.Kind() == reflect.Map:
		m, _ := stringMap(v)
		q.stringMap(name, m)
	case f.inner != nil:
		q.members(name, v, f.inner)
	default:
		if f.date && !pointer[jsonwire.Date](v).Valid() {
			q.err = &jsonwire.ValueError{Name: name, What: "no such date"}
		}
		q.text(name, f.text(v))
	}
}

// Object adds the object at v, a pointer to a struct, member by member.
func (q *Query) Object(name string, v any) {
	p, s := tagged(v)
	q.members(name, p, s)
}

func (q *Query) members(name string, v reflect.Value, s *structure) {
	for i := range s.fields {
		f := &s.fields[i]
		if value := v.Field(i); !f.isAbsent(value) {
			q.field(name+"["+f.name+"]", value, f)
		}
	}
}

// text adds a parameter, unless something replaces it, and keeps the caller's cursors.
func (q *Query) text(name, value string) {
	switch name {
	case After:
		q.after = value
	case Before:
		q.before = value
	}
	o := &q.options
	replaced := o.Cursor != "" && o.CursorName == name ||
		o.Window != nil && (name == Limit || strings.HasPrefix(name, "created_at["))
	if !replaced {
		q.Add(name, value)
	}
}

// Add adds a parameter.
func (q *Query) Add(name, value string) {
	q.name(name)
	q.buf = appendEscaped(q.buf, value)
}

// stringMap adds name[key]=value for each member, sorted by key, so that equal maps give equal
// queries.
func (q *Query) stringMap(name string, value map[string]string) {
	var few [8]string
	for _, key := range jsonwire.SortedKeys(few[:0], value) {
		q.Add(name+"["+key+"]", value[key])
	}
}

// list adds a list as one parameter, with commas between the values.
func (q *Query) list(name string, values reflect.Value) {
	for i := range values.Len() {
		if i == 0 {
			q.name(name)
		} else {
			q.buf = append(q.buf, ',')
		}
		q.buf = appendEscaped(q.buf, values.Index(i).String())
	}
}

func (q *Query) name(name string) {
	if len(q.buf) > 0 {
		q.buf = append(q.buf, '&')
	}
	q.buf = appendEscaped(q.buf, name)
	q.buf = append(q.buf, '=')
}

// finish returns the query string.
func (q *Query) finish() string {
	if w := q.options.Window; w != nil {
		q.options.Window = nil // what it writes is not replaced
		w.Write(q)
	}
	if q.options.Cursor != "" {
		q.Add(q.options.CursorName, q.options.Cursor)
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

// Pairs iterates over the parameters of a query string. The values are still escaped.
func Pairs(query string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for pair := range strings.SplitSeq(query, "&") {
			if name, value, _ := strings.Cut(pair, "="); name != "" && !yield(name, value) {
				return
			}
		}
	}
}
