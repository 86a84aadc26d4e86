package gocardless

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// encoder writes one JSON document. The generated encode methods drive it: begin, the
// members, end. The bytes are those that encoding/json writes without HTML escaping.
//
// The first error stays in err; what is written after it is of no use.
type encoder struct {
	buf   []byte
	err   error
	depth int // of any
}

// encodable can be written into a request.
type encodable interface{ encode(*encoder) }

// encodeDocument writes v as {"envelope": v}, or alone when there is no envelope.
func encodeDocument(envelope string, v encodable) ([]byte, error) {
	e := encoder{buf: make([]byte, 0, 512)}
	if envelope == "" {
		v.encode(&e)
	} else {
		e.begin()
		e.object(envelope, v)
		e.end()
	}
	if e.err != nil {
		return nil, e.err
	}
	return e.buf, nil
}

// begin starts an object.
func (e *encoder) begin() { e.buf = append(e.buf, '{') }

// end ends an object.
func (e *encoder) end() { e.buf = append(e.buf, '}') }

// fail records an error about a member.
func (e *encoder) fail(name, what string) {
	if e.err == nil {
		e.err = &encodeError{name, what}
	}
}

// encodeError is a value that cannot be sent.
type encodeError struct{ name, what string }

func (e *encodeError) Error() string {
	return "gocardless: cannot send " + strconv.Quote(e.name) + ": " + e.what
}

// comma separates an element from the one before it.
func (e *encoder) comma() {
	switch e.buf[len(e.buf)-1] {
	case '{', '[':
	default:
		e.buf = append(e.buf, ',')
	}
}

// name starts a member. The name comes from the schema and needs no escapes.
func (e *encoder) name(name string) {
	e.comma()
	e.buf = append(e.buf, '"')
	e.buf = append(e.buf, name...)
	e.buf = append(e.buf, '"', ':')
}

// anyName starts a member whose name comes from the caller.
func (e *encoder) anyName(name string) {
	e.comma()
	e.buf = append(appendString(e.buf, name), ':')
}

func (e *encoder) string(name, v string) {
	e.name(name)
	e.buf = appendString(e.buf, v)
}

func (e *encoder) int64(name string, v int64) {
	e.name(name)
	e.buf = strconv.AppendInt(e.buf, v, 10)
}

func (e *encoder) int(name string, v int) { e.int64(name, int64(v)) }

func (e *encoder) bool(name string, v bool) {
	e.name(name)
	e.buf = strconv.AppendBool(e.buf, v)
}

func (e *encoder) float64(name string, v float64) {
	e.name(name)
	e.floatValue(name, v, 64)
}

func (e *encoder) time(name string, v time.Time) {
	e.name(name)
	e.timeValue(name, v)
}

func (e *encoder) date(name string, v Date) {
	e.name(name)
	e.dateValue(name, v)
}

// object writes a nested object.
func (e *encoder) object(name string, v encodable) {
	e.name(name)
	v.encode(e)
}

// strings writes an array of strings; nil is written as an empty one.
func (e *encoder) strings(name string, v []string) { encodeEnums(e, name, v) }

// int64s writes an array of integers; nil is written as an empty one.
func (e *encoder) int64s(name string, v []int64) {
	e.name(name)
	e.buf = append(e.buf, '[')
	for i, n := range v {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		e.buf = strconv.AppendInt(e.buf, n, 10)
	}
	e.buf = append(e.buf, ']')
}

// stringMap writes an object of texts, sorted by name so that the same params always give the
// same bytes; nil is written as an empty one.
func (e *encoder) stringMap(name string, v map[string]string) {
	e.name(name)
	e.begin()
	for _, key := range slices.Sorted(maps.Keys(v)) {
		e.anyName(key)
		e.buf = appendString(e.buf, v[key])
	}
	e.end()
}

// anyMap writes an object of values as any takes them, sorted by name.
func (e *encoder) anyMap(name string, v map[string]any) {
	e.name(name)
	e.mapValue(name, v)
}

// encodeObjects writes an array of objects; nil is written as an empty one.
func encodeObjects[T any, P interface {
	*T
	encodable
}](e *encoder, name string, v []T) {
	e.name(name)
	e.buf = append(e.buf, '[')
	for i := range v {
		e.comma()
		P(&v[i]).encode(e)
	}
	e.buf = append(e.buf, ']')
}

// encodeEnums writes an array of texts; nil is written as an empty one.
func encodeEnums[T ~string](e *encoder, name string, v []T) {
	e.name(name)
	e.buf = append(e.buf, '[')
	for _, s := range v {
		e.comma()
		e.buf = appendString(e.buf, string(s))
	}
	e.buf = append(e.buf, ']')
}

// dateValue writes a date.
func (e *encoder) dateValue(name string, v Date) {
	if !v.IsValid() {
		e.fail(name, "no such date: "+v.String())
	}
	e.buf = append(e.buf, '"')
	e.buf = append(v.append(e.buf), '"')
}

// timeValue writes a timestamp as RFC 3339 with as many decimals as it has.
func (e *encoder) timeValue(name string, v time.Time) {
	e.buf = append(e.buf, '"')
	buf, err := v.AppendText(e.buf)
	if err != nil {
		e.fail(name, "the year of the timestamp is not in 0..9999")
		buf = e.buf
	}
	e.buf = append(buf, '"')
}

// floatValue writes a number in the shortest form that reads as the same number, with an
// exponent only where JavaScript would write one.
func (e *encoder) floatValue(name string, f float64, bits int) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		e.fail(name, "not a finite number")
		return
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 {
		if bits == 64 && (abs < 1e-6 || abs >= 1e21) ||
			bits == 32 && (float32(abs) < 1e-6 || float32(abs) >= 1e21) {
			format = 'e'
		}
	}
	e.buf = strconv.AppendFloat(e.buf, f, format, -1, bits)
	if n := len(e.buf); format == 'e' && n >= 4 && e.buf[n-4] == 'e' && e.buf[n-3] == '-' && e.buf[n-2] == '0' {
		e.buf[n-2] = e.buf[n-1] // e-09 to e-9
		e.buf = e.buf[:n-1]
	}
}

// safe tells the bytes that a string literal may hold as they are.
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
