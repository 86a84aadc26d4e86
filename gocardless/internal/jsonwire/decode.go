// Package jsonwire reads and writes the JSON of requests and replies.
//
// A [Decoder] reads into structs, whose fields carry the names of the members. An [Encoder] writes
// member by member.
package jsonwire

import (
	"math"
	"sync"
	"time"
)

// MaxDepth is how deeply objects and arrays may be nested; encoding/json has the same limit. It
// bounds the stack that a hostile reply can make the decoder use.
const MaxDepth = 10000

// Decoder reads one JSON document: Read reads an object into a struct, and the other methods read
// what no struct describes.
//
// It accepts what encoding/json accepts and reads it the same way, with these exceptions:
//   - null gives the zero value even after an earlier duplicate of the key. The last duplicate
//     wins as a whole, where encoding/json merges objects and maps;
//   - a number may be a string, and an integer may be written 100.0 or 1e2; a boolean may be the
//     string "true" or "false"; metadata values may be numbers or booleans; "" is the zero date
//     and time; a date may be a timestamp and the reverse; times are in UTC.
//
// A value of the wrong type does not stop the decoder: the field keeps its zero value, and the
// decoder records a [Misfit]. A syntax error stops it: the remaining input then reads as empty,
// so that every method returns at once and no caller has to check for an error before the end.
type Decoder struct {
	reading

	// What outlives a document, since documents are alike.
	scratch []byte // a string with its escapes resolved
	seen    [seenSize]string
	turn    uint // of the two places of a string, which is used next
}

// reading is the reading of one document.
type reading struct {
	data []byte // what is left to read: nothing after a syntax error
	pos  int

	// Key is the member name that More read last. It is valid until the next read.
	Key []byte
	// spelt is the name as the document spells it when Key is its lower-case form, else nil;
	// see Unknown.
	spelt []byte

	src   []byte // the whole document, for the path of an error
	err   *SyntaxError
	depth int
	state uint8 // what the next call of More or Elem expects

	resource        // the one being read
	essential  bool // see Essential
	misfits    []Misfit
	fatal      *Misfit // the first misfit that must not pass for a zero value
	fatalStart int     // where its resource starts

	// pool holds the strings that were read last; see keep.
	pool     []byte
	poolSize int // bytes to allocate next
}

// States of the decoder between two members.
const (
	stateNext   = iota // expects a comma or the end
	stateFirst         // expects the first member or the end
	stateAbsent        // there is no object or array: it was null, a misfit or an error
	stateAgain         // returns the same member again, in lower case
)

var decoders = sync.Pool{New: func() any { return new(Decoder) }}

// NewDecoder returns a decoder for a document. Nothing that it returns refers to data.
func NewDecoder(data []byte) *Decoder {
	d := decoders.Get().(*Decoder)
	d.data, d.src = data, data
	d.poolSize = min(len(data)/2, poolFirst)
	return d
}

// Finish ends the reading. It reports the first syntax error, or that more than white space
// follows the value; the outcome is empty then. The decoder must not be used afterwards.
func (d *Decoder) Finish() (Outcome, error) {
	if d.err == nil && (d.Next() != 0 || d.pos < len(d.data)) {
		d.fail("unexpected data after the document")
	}
	err := d.err
	var outcome Outcome
	if err == nil {
		outcome = d.outcome()
	}
	d.reading = reading{}
	if cap(d.scratch) > 64<<10 {
		d.scratch = nil
	}
	decoders.Put(d)
	if err == nil {
		return outcome, nil
	}
	return outcome, err
}

// Object starts to read an object; More reads its keys. Null reads as an object without members.
func (d *Decoder) Object() {
	if d.HasObject() {
		d.enter()
		return
	}
	d.state = stateAbsent
}

// HasObject reports whether an object follows. It steps over null, and over anything else as a
// misfit.
func (d *Decoder) HasObject() bool { return d.has('{', "an object") }

// Array starts to read an array; Elem moves from element to element. Null reads as an array
// without elements.
func (d *Decoder) Array() {
	if d.HasArray() {
		d.enter()
		return
	}
	d.state = stateAbsent
}

// HasArray reports whether an array follows. It steps over null, and over anything else as a
// misfit.
func (d *Decoder) HasArray() bool { return d.has('[', "an array") }

func (d *Decoder) has(open byte, expected string) bool {
	if d.Next() == open {
		return true
	}
	if !d.Null() {
		d.wrong(expected)
	}
	return false
}

// enter steps over an opening bracket.
func (d *Decoder) enter() {
	d.state = stateFirst
	d.pos++
	if d.depth++; d.depth > MaxDepth {
		d.fail("nested too deeply")
		d.state = stateAbsent
	}
}

// More reads the next key of the object into d.Key, up to its value. It returns false at the
// end of the object, when there is none, and after an error.
func (d *Decoder) More() bool {
	if d.state == stateAgain {
		d.state = stateNext
		return true
	}
	if !d.follows('}') {
		return false
	}
	if d.Next() != '"' {
		d.syntax("a member name")
		return false
	}
	d.Key, d.spelt = d.quoted(), nil
	if d.Next() != ':' {
		d.syntax("a colon")
		return false
	}
	d.pos++
	return true
}

// Name returns the member name that More read last, for longer than Key is valid.
func (d *Decoder) Name() string { return d.intern(d.Key) }

// Elem moves to the next element of the array. It returns false at the end of the array, when
// there is none, and after an error.
func (d *Decoder) Elem() bool { return d.follows(']') }

// follows reports whether another member or element follows, and steps over the comma before
// it or over the closing bracket.
func (d *Decoder) follows(end byte) bool {
	state := d.state
	d.state = stateNext
	if state == stateAbsent {
		return false
	}
	c := d.Next()
	if c == end {
		d.pos++
		d.depth--
		return false
	}
	if state == stateFirst {
		if c == 0 {
			d.syntax("a value")
			return false
		}
		return true
	}
	if c != ',' {
		d.syntax("a comma or the end of the list")
		return false
	}
	d.pos++
	return true
}

// Next moves to the next byte that is not white space and returns it, or 0 at the end.
func (d *Decoder) Next() byte {
	if d.pos < len(d.data) {
		if c := d.data[d.pos]; c > ' ' {
			return c
		}
	}
	return d.space()
}

// space is the part of Next that steps over white space.
func (d *Decoder) space() byte {
	for ; d.pos < len(d.data); d.pos++ {
		switch c := d.data[d.pos]; c {
		case ' ', '\n', '\t', '\r':
		default:
			return c
		}
	}
	return 0
}

// Null steps over null and reports whether it was there.
func (d *Decoder) Null() bool {
	return d.Next() == 'n' && d.literal("null")
}

// literal steps over a word.
func (d *Decoder) literal(word string) bool {
	if end := d.pos + len(word); end <= len(d.data) && string(d.data[d.pos:end]) == word {
		d.pos = end
		return true
	}
	d.fail("invalid literal")
	return false
}

// Text reads a string.
func (d *Decoder) Text() string {
	if d.Next() == '"' {
		return d.keep(d.quoted())
	}
	if !d.Null() {
		d.wrong("a string")
	}
	return ""
}

// Bool reads a boolean.
func (d *Decoder) Bool() bool {
	v, _ := d.boolean()
	return v
}

// BoolPtr reads a boolean; null is nil.
func (d *Decoder) BoolPtr() *bool {
	v, ok := d.boolean()
	if !ok {
		return nil
	}
	return new(v)
}

// boolean reads a boolean, and returns false for null and for a misfit.
func (d *Decoder) boolean() (value, ok bool) {
	switch d.Next() {
	case 't':
		return true, d.literal("true")
	case 'f':
		return false, d.literal("false")
	case '"':
		start := d.pos
		switch string(d.quoted()) {
		case "true":
			return true, true
		case "false":
			return false, true
		}
		d.misfit(start, "a boolean", "a string")
	default:
		if !d.Null() {
			d.wrong("a boolean")
		}
	}
	return false, false
}

// Int64 reads an integer.
func (d *Decoder) Int64() int64 {
	n, _ := d.integer()
	return n
}

// Int64Ptr reads an integer; null is nil.
func (d *Decoder) Int64Ptr() *int64 {
	n, ok := d.integer()
	if !ok {
		return nil
	}
	return new(n)
}

// Int reads an integer that fits an int.
func (d *Decoder) Int() int {
	n, _ := d.shortInt()
	return n
}

// IntPtr reads an integer; null is nil.
func (d *Decoder) IntPtr() *int {
	n, ok := d.shortInt()
	if !ok {
		return nil
	}
	return new(n)
}

func (d *Decoder) shortInt() (int, bool) {
	start := d.pos
	n, ok := d.integer()
	if n < math.MinInt || n > math.MaxInt {
		d.unreadable(start, anInteger, outOfRange)
		return 0, false
	}
	return int(n), ok
}

// Float64Ptr reads a number; null is nil.
func (d *Decoder) Float64Ptr() *float64 {
	f, ok := d.float()
	if !ok {
		return nil
	}
	return new(f)
}

// Time reads a timestamp.
func (d *Decoder) Time() time.Time {
	if d.Next() != '"' {
		if !d.Null() {
			d.wrong("a timestamp")
		}
		return time.Time{}
	}
	start := d.pos
	t, ok := ParseTime(d.quoted())
	if !ok {
		d.misfit(start, "a timestamp", "another string")
	}
	return t
}

// Date reads a date.
func (d *Decoder) Date() Date {
	if d.Next() != '"' {
		if !d.Null() {
			d.wrong("a date")
		}
		return Date{}
	}
	start := d.pos
	v, ok := ParseDate(d.quoted())
	if !ok {
		d.misfit(start, "a date", "another string")
	}
	return v
}

// StringMap reads an object of strings, such as metadata. Numbers and booleans are kept as they
// are written, and objects and arrays, which the API does not send, as their JSON: one surprise
// in the metadata of one resource must not lose a page.
func (d *Decoder) StringMap() map[string]string {
	if !d.HasObject() {
		return nil
	}
	m := map[string]string{}
	for d.Object(); d.More(); {
		name := d.intern(d.Key)
		switch d.Next() {
		case '"', 'n':
			m[name] = d.Text()
		default:
			start := d.pos
			d.Skip()
			if d.err == nil {
				m[name] = d.keep(validText(d.data[start:d.pos]))
			}
		}
	}
	return m
}

// TextOrInt reads a string, or an integer as it is written.
func (d *Decoder) TextOrInt() string {
	if c := d.Next(); c == '-' || c-'0' <= 9 {
		return d.keep(d.number())
	}
	return d.Text()
}

// AnyMap reads an object whose members are not known.
func (d *Decoder) AnyMap() map[string]any {
	if !d.HasObject() {
		return nil
	}
	m := map[string]any{}
	for d.Object(); d.More(); {
		name := d.intern(d.Key)
		m[name] = d.any()
	}
	return m
}

// any reads a value of unknown shape into what encoding/json would make of it: nil, bool,
// float64, string, []any or map[string]any. A number that no float64 holds becomes a string.
func (d *Decoder) any() any {
	switch d.Next() {
	case '{':
		return d.AnyMap()
	case '[':
		list := []any{}
		for d.Array(); d.Elem(); {
			list = append(list, d.any())
		}
		return list
	case '"':
		return d.Text()
	case 't', 'f':
		return d.Bool()
	case 'n':
		d.Null()
		return nil
	}
	return d.anyNumber()
}

// Unknown steps over a member whose key, read last, the type does not have. When the key has
// capitals, More returns it a second time in lower case: all names of the API are lower case,
// and encoding/json finds them in any case.
func (d *Decoder) Unknown() {
	if !d.again() {
		d.Skip()
	}
}

// again makes More return the last key once more in lower case. It returns false if the key was
// in lower case already.
func (d *Decoder) again() bool {
	lower := lowerKey(d.Key)
	if lower == nil {
		return false
	}
	d.Key, d.spelt, d.state = lower, d.Key, stateAgain
	return true
}

// Extra reads the member whose key was read last into *m, unless it is known in lower case.
func (d *Decoder) Extra(m *map[string]any) {
	if d.again() {
		return
	}
	key := d.Key
	if d.spelt != nil {
		key = d.spelt
	}
	name := d.intern(key)
	if *m == nil {
		*m = map[string]any{}
	}
	(*m)[name] = d.any()
}

// Skip steps over a value, which must be valid.
func (d *Decoder) Skip() {
	switch d.Next() {
	case '{':
		for d.Object(); d.More(); {
			d.Skip()
		}
	case '[':
		for d.Array(); d.Elem(); {
			d.Skip()
		}
	case '"':
		d.quoted()
	case 't':
		d.literal("true")
	case 'f':
		d.literal("false")
	case 'n':
		d.literal("null")
	default:
		d.number()
	}
}
