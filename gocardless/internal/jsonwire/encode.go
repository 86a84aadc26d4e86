package jsonwire

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

// Encoder writes one JSON document: Begin, for each member its name and then its value, End. The
// bytes are those that encoding/json writes without HTML escaping.
//
// The encoder keeps the first error; what is written after it has no meaning.
type Encoder struct {
	buf  []byte
	name string // of the member that is being written, for errors
	err  error
}

// NewEncoder returns an encoder for an empty document.
func NewEncoder() *Encoder { return &Encoder{buf: make([]byte, 0, 512)} }

// Bytes returns the document, or the first error.
func (e *Encoder) Bytes() ([]byte, error) {
	if e.err != nil {
		return nil, e.err
	}
	return e.buf, nil
}

// Begin starts an object.
func (e *Encoder) Begin() { e.buf = append(e.buf, '{') }

// End ends an object.
func (e *Encoder) End() { e.buf = append(e.buf, '}') }

// BeginArray starts an array. Elem separates its elements.
func (e *Encoder) BeginArray() { e.buf = append(e.buf, '[') }

// Elem starts an element of an array.
func (e *Encoder) Elem() { e.comma() }

// EndArray ends an array.
func (e *Encoder) EndArray() { e.buf = append(e.buf, ']') }

// ValueError is a value that cannot be sent.
type ValueError struct{ Name, What string }

func (e *ValueError) Error() string {
	return "gocardless: cannot send " + strconv.Quote(e.Name) + ": " + e.What
}

// fail records an error about the current member.
func (e *Encoder) fail(what string) {
	if e.err == nil {
		e.err = &ValueError{e.name, what}
	}
}

// comma separates a member or element from the one before it.
func (e *Encoder) comma() {
	switch e.buf[len(e.buf)-1] {
	case '{', '[':
	default:
		e.buf = append(e.buf, ',')
	}
}

// Name starts a member whose value follows.
func (e *Encoder) Name(name string) {
	e.name = name
	e.Key(name)
}

// Key writes the name of an entry of a map. Errors about its value name the map.
func (e *Encoder) Key(name string) {
	e.comma()
	e.buf = append(appendString(e.buf, name), ':')
}

// Text writes a string.
func (e *Encoder) Text(v string) { e.buf = appendString(e.buf, v) }

// Int64 writes an integer.
func (e *Encoder) Int64(v int64) { e.buf = strconv.AppendInt(e.buf, v, 10) }

// Bool writes a boolean.
func (e *Encoder) Bool(v bool) { e.buf = strconv.AppendBool(e.buf, v) }

// Float64 writes a number in the shortest form that reads as the same number, with an exponent
// only where JavaScript would write one.
func (e *Encoder) Float64(v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		e.fail("not a finite number")
		return
	}
	format := byte('f')
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	e.buf = strconv.AppendFloat(e.buf, v, format, -1, 64)
	if n := len(e.buf); format == 'e' && n >= 4 && e.buf[n-4] == 'e' && e.buf[n-3] == '-' && e.buf[n-2] == '0' {
		e.buf[n-2] = e.buf[n-1] // e-09 to e-9
		e.buf = e.buf[:n-1]
	}
}

// Time writes a timestamp as RFC 3339 with as many decimals as it has.
func (e *Encoder) Time(v time.Time) {
	e.buf = append(e.buf, '"')
	buf, err := v.AppendText(e.buf)
	if err != nil {
		e.fail("the year of the timestamp is not in 0..9999")
		buf = e.buf
	}
	e.buf = append(buf, '"')
}

// Date writes a date.
func (e *Encoder) Date(v Date) {
	if !v.Valid() {
		e.fail("no such date")
	}
	e.buf = append(e.buf, '"')
	e.buf = append(v.Append(e.buf), '"')
}

// StringMap writes an object of strings, sorted by name so that the same params always give the
// same bytes; nil is written as an empty one.
func (e *Encoder) StringMap(v map[string]string) {
	e.Begin()
	var few [fewKeys]string
	for _, key := range SortedKeys(few[:0], v) {
		e.Key(key)
		e.Text(v[key])
	}
	e.End()
}

// fewKeys is more than metadata may have.
const fewKeys = 8

// SortedKeys appends the keys of a map to a slice and sorts it. With room in the slice it does not
// allocate.
func SortedKeys(into []string, m map[string]string) []string {
	for key := range m {
		into = append(into, key)
	}
	slices.Sort(into)
	return into
}

// AnyMap writes an object of arbitrary values as encoding/json does; nil is written as an empty
// one. See WritesAnyMaps.
func (e *Encoder) AnyMap(v map[string]any) {
	if v == nil {
		v = map[string]any{}
	}
	text, err := marshal(v)
	if err != nil {
		e.fail(err.Error())
		return
	}
	e.buf = append(e.buf, text...)
}

var (
	marshal     func(any) ([]byte, error)
	marshalOnce sync.Once
)

// WritesAnyMaps prepares encoders for maps of arbitrary values. It is called for the types that have
// them: programs without need not link encoding/json.
func WritesAnyMaps() {
	marshalOnce.Do(func() { marshal = json.Marshal })
}

// safe marks the bytes that a string literal may hold as they are.
var safe = func() (table [256]bool) {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		table[c] = c != '"' && c != '\\'
	}
	return table
}()

const hexDigits = "0123456789abcdef"

// appendString appends a string literal. Invalid UTF-8 becomes U+FFFD; U+2028 and U+2029 are
// escaped, because they end a line in older JavaScript.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if safe[c] {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			b = append(b, s[start:i]...)
			b = appendEscape(b, c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(append(b, s[start:i]...), `\ufffd`...)
			start = i + 1
		case r == '\u2028' || r == '\u2029':
			b = append(append(b, s[start:i]...), `\u202`...)
			b = append(b, hexDigits[r&0xF])
			start = i + size
		}
		i += size
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// appendEscape appends the escape sequence of an ASCII character.
func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, '\\', 'b')
	case '\f':
		return append(b, '\\', 'f')
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xF])
}
