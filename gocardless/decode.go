package gocardless

import (
	"math"
	"strings"
	"sync"
	"time"
)

// maxDepth is how deeply objects and arrays may be nested in a reply; encoding/json has the
// same limit. It bounds the stack that a hostile reply can make the decoder use.
const maxDepth = 10000

// decoder reads one JSON document. The generated decode methods drive it: one method a type,
// a switch on the key, no reflection.
//
// It accepts what encoding/json accepts and reads it alike, with these exceptions:
//   - null gives the zero value also after an earlier duplicate of the same key. The last
//     duplicate wins as a whole, where encoding/json merges objects and maps;
//   - an integer may be written "100", 100.0 or 1e2; metadata values may be numbers or
//     booleans; "" is the zero date and time; a date may be a timestamp and the reverse.
//
// The first error stops it: the remaining input then reads as empty, so that every method
// returns at once and no caller has to look at err before the end.
type decoder struct {
	data []byte // what is left to do after an error: nothing
	pos  int

	// key is the member name that more read last. It is valid until the next read.
	key []byte
	// spelt is the name as it stands in the document when key is its form in lower case, else
	// nil; see unknown.
	spelt []byte

	src   []byte // the whole document, for the path of an error
	err   *jsonError
	depth int
	state uint8 // what the next call of more or elem has to expect

	// pool holds the text of the item being read; see keep.
	pool     strings.Builder
	poolSize int // to set aside at a time
	poolUsed int // by the item

	scratch []byte // text with escapes resolved
	seen    [seenSize]string
}

// States of the decoder between two members.
const (
	stateNext   = iota // a comma or the end
	stateFirst         // the first member or the end
	stateAbsent        // there is no object or array: it was null, or an error
	stateAgain         // the same member, in lower case
)

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// newDecoder returns a decoder for a document. Nothing that it returns refers to data.
func newDecoder(data []byte) *decoder {
	d := decoders.Get().(*decoder)
	d.data, d.src = data, data
	d.poolSize = min(len(data)/2, poolFirst)
	return d
}

// finish ends the reading: it reports the first error, or that more than white space follows
// the value. The decoder must not be used afterwards.
func (d *decoder) finish() error {
	if d.err == nil {
		if d.next() != 0 || d.pos < len(d.data) {
			d.fail("unexpected data after the document")
		}
	}
	err := d.err
	seen, scratch := d.seen, d.scratch
	if cap(scratch) > 64<<10 {
		scratch = nil
	}
	*d = decoder{seen: seen, scratch: scratch}
	decoders.Put(d)
	if err == nil {
		return nil
	}
	return err
}

// decodeDocument reads a whole document into v.
func decodeDocument(data []byte, v interface{ decode(*decoder) }) error {
	d := newDecoder(data)
	v.decode(d)
	return d.finish()
}

// decodable is a pointer to a type that can be read from a reply.
type decodable[T any] interface {
	*T
	decode(*decoder)
}

// object starts to read an object; more reads its keys. A null reads as an object with no
// members.
func (d *decoder) object() {
	if d.next() == '{' {
		d.enter()
		return
	}
	d.state = stateAbsent
	if !d.null() {
		d.wrong("an object")
	}
}

// array starts to read an array; elem moves from element to element. A null reads as an array
// with no elements.
func (d *decoder) array() {
	if d.next() == '[' {
		d.enter()
		return
	}
	d.state = stateAbsent
	if !d.null() {
		d.wrong("an array")
	}
}

// enter steps over an opening bracket.
func (d *decoder) enter() {
	d.state = stateFirst
	d.pos++
	if d.depth++; d.depth > maxDepth {
		d.fail("nested too deeply")
		d.state = stateAbsent
	}
}

// more reads the next key of the object into d.key, up to its value. It returns false at the
// end of the object, when there is none, and after an error.
func (d *decoder) more() bool {
	if d.state == stateAgain {
		d.state = stateNext
		return true
	}
	if !d.follows('}') {
		return false
	}
	if d.next() != '"' {
		d.syntax("a member name")
		return false
	}
	d.key, d.spelt = d.text(), nil
	if d.next() != ':' {
		d.syntax("a colon")
		return false
	}
	d.pos++
	return true
}

// elem moves to the next element of the array. It returns false at the end of the array, when
// there is none, and after an error.
func (d *decoder) elem() bool { return d.follows(']') }

// follows reports whether another member or element follows, and steps over the comma before
// it or over the closing bracket.
func (d *decoder) follows(end byte) bool {
	state := d.state
	d.state = stateNext
	if state == stateAbsent {
		return false
	}
	c := d.next()
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

// next moves to the next byte that is not white space and returns it, or 0 at the end.
func (d *decoder) next() byte {
	if d.pos < len(d.data) {
		if c := d.data[d.pos]; c > ' ' {
			return c
		}
	}
	return d.space()
}

// space is the part of next that steps over white space.
func (d *decoder) space() byte {
	for ; d.pos < len(d.data); d.pos++ {
		switch c := d.data[d.pos]; c {
		case ' ', '\n', '\t', '\r':
		default:
			return c
		}
	}
	return 0
}

// null steps over a null and reports whether there was one.
func (d *decoder) null() bool {
	return d.next() == 'n' && d.literal("null")
}

// literal steps over a word.
func (d *decoder) literal(word string) bool {
	if len(d.data)-d.pos < len(word) || string(d.data[d.pos:d.pos+len(word)]) != word {
		d.fail("invalid literal")
		return false
	}
	d.pos += len(word)
	return true
}

// string reads a string.
func (d *decoder) string() string {
	if d.next() == '"' {
		return d.keep(d.text())
	}
	if !d.null() {
		d.wrong("a string")
	}
	return ""
}

// enum reads a string of which there are few different ones, and gives every occurrence the
// same memory.
func (d *decoder) enum() string {
	if d.next() == '"' {
		return d.intern(d.text())
	}
	if !d.null() {
		d.wrong("a string")
	}
	return ""
}

// bool reads a boolean.
func (d *decoder) bool() bool {
	switch d.next() {
	case 't':
		return d.literal("true")
	case 'f':
		d.literal("false")
	default:
		if !d.null() {
			d.wrong("a boolean")
		}
	}
	return false
}

// boolPtr reads a boolean; null is nil.
func (d *decoder) boolPtr() *bool {
	if d.null() {
		return nil
	}
	return new(d.bool())
}

// int64 reads an integer, also in the forms "100", 100.0 and 1e2.
func (d *decoder) int64() int64 {
	n, _ := d.integer()
	return n
}

// int64Ptr reads an integer; null is nil.
func (d *decoder) int64Ptr() *int64 {
	n, ok := d.integer()
	if !ok {
		return nil
	}
	return new(n)
}

// int reads an integer that has the size of an int.
func (d *decoder) int() int {
	start := d.pos
	n := d.int64()
	if n < math.MinInt || n > math.MaxInt {
		d.failAt(start, "integer out of range")
		return 0
	}
	return int(n)
}

// intPtr reads an integer; null is nil.
func (d *decoder) intPtr() *int {
	if d.null() {
		return nil
	}
	return new(d.int())
}

// float64Ptr reads a number; null is nil.
func (d *decoder) float64Ptr() *float64 {
	if d.null() {
		return nil
	}
	return new(d.float64())
}

// time reads a timestamp.
func (d *decoder) time() time.Time {
	if d.next() != '"' {
		if !d.null() {
			d.wrong("a timestamp")
		}
		return time.Time{}
	}
	start := d.pos
	t, ok := parseTime(d.text())
	if !ok {
		d.failAt(start, "not a timestamp")
	}
	return t
}

// date reads a date.
func (d *decoder) date() Date {
	if d.next() != '"' {
		if !d.null() {
			d.wrong("a date")
		}
		return Date{}
	}
	start := d.pos
	v, ok := parseDate(d.text())
	if !ok {
		d.failAt(start, "not a date")
	}
	return v
}

// strings reads an array of strings. A null is nil, an empty array is empty.
func (d *decoder) strings() []string {
	if d.null() {
		return nil
	}
	list := []string{}
	for d.array(); d.elem(); {
		list = append(list, d.string())
	}
	return list
}

// int64s reads an array of integers. A null is nil, an empty array is empty.
func (d *decoder) int64s() []int64 {
	if d.null() {
		return nil
	}
	list := []int64{}
	for d.array(); d.elem(); {
		list = append(list, d.int64())
	}
	return list
}

// metadata reads an object of texts. Numbers and booleans are taken as they are written;
// objects and arrays, which the API does not send, as their JSON text: a surprise in one
// resource's metadata must not lose a page.
func (d *decoder) metadata() Metadata { return d.stringMap() }

// stringMap reads an object of texts as metadata does.
func (d *decoder) stringMap() map[string]string {
	if d.null() {
		return nil
	}
	m := map[string]string{}
	for d.object(); d.more(); {
		name := d.intern(d.key)
		switch d.next() {
		case '"', 'n':
			m[name] = d.string()
		default:
			start := d.pos
			d.skip()
			if d.err == nil {
				m[name] = strings.ToValidUTF8(d.keep(d.data[start:d.pos]), "\uFFFD")
			}
		}
	}
	return m
}

// anyMap reads an object of which the members are not known.
func (d *decoder) anyMap() map[string]any {
	if d.null() {
		return nil
	}
	m := map[string]any{}
	for d.object(); d.more(); {
		name := d.intern(d.key)
		m[name] = d.any()
	}
	return m
}

// unknown steps over a member whose key, read last, the type does not have. When the key has
// capitals, more returns it a second time in lower case instead: the API writes all names so,
// and encoding/json finds them whatever their case.
func (d *decoder) unknown() {
	if !d.again() {
		d.skip()
	}
}

// again makes more return the key that was read last once more in lower case, and reports
// false when that is how it was returned already.
func (d *decoder) again() bool {
	lower := lowerKey(d.key)
	if lower == nil {
		return false
	}
	d.key, d.spelt, d.state = lower, d.key, stateAgain
	return true
}

// extra reads the member whose key was read last into *m, unless it is known in lower case.
func (d *decoder) extra(m *map[string]any) {
	if d.again() {
		return
	}
	key := d.key
	if d.spelt != nil {
		key = d.spelt
	}
	name := d.intern(key)
	if *m == nil {
		*m = map[string]any{}
	}
	(*m)[name] = d.any()
}

// any reads a value of unknown shape into what encoding/json would make of it: nil, bool,
// float64, string, []any or map[string]any.
func (d *decoder) any() any {
	switch d.next() {
	case '{':
		return d.anyMap()
	case '[':
		list := []any{}
		for d.array(); d.elem(); {
			list = append(list, d.any())
		}
		return list
	case '"':
		return d.string()
	case 't', 'f':
		return d.bool()
	case 'n':
		d.null()
		return nil
	default:
		return d.float64()
	}
}

// skip steps over a value, which must be valid.
func (d *decoder) skip() {
	switch d.next() {
	case '{':
		for d.object(); d.more(); {
			d.skip()
		}
	case '[':
		for d.array(); d.elem(); {
			d.skip()
		}
	case '"':
		d.text()
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

// decodeObject reads an object; null is nil.
func decodeObject[T any, P decodable[T]](d *decoder) *T {
	if d.null() {
		return nil
	}
	v := new(T)
	P(v).decode(d)
	return v
}

// decodeObjects reads an array of objects. A null is nil, an empty array is empty.
func decodeObjects[T any, P decodable[T]](d *decoder) []T {
	if d.null() {
		return nil
	}
	list := []T{}
	for d.array(); d.elem(); {
		var zero T
		list = append(list, zero)
		P(&list[len(list)-1]).decode(d)
	}
	return list
}

// decodeItems reads the items of a page. Each has its own memory, so that a caller who keeps
// one does not keep the page.
func decodeItems[T any, P decodable[T]](d *decoder) []*T {
	var list []*T
	for d.array(); d.elem(); {
		d.nextItem()
		v := new(T)
		P(v).decode(d)
		list = append(list, v)
	}
	// What follows, such as the cursors, shares nothing with the last item.
	d.nextItem()
	d.poolSize = 0
	return list
}

// decodeEnums reads an array of enum values. A null is nil, an empty array is empty.
func decodeEnums[T ~string](d *decoder) []T {
	if d.null() {
		return nil
	}
	list := []T{}
	for d.array(); d.elem(); {
		list = append(list, T(d.enum()))
	}
	return list
}
