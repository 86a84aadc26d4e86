package gocardless

import "strings"

// pathKeyMax is how much of a member name an error shows.
const pathKeyMax = 64

// fail records an error at the current place.
func (d *decoder) fail(what string) { d.failAt(d.pos, what) }

// failAt records an error unless there is one already, and ends the reading.
func (d *decoder) failAt(offset int, what string) {
	if d.err == nil {
		d.err = &jsonError{Path: pathAt(d.src, offset), Offset: offset, What: what}
	}
	d.data, d.pos, d.key, d.state = nil, 0, nil, stateAbsent
}

// syntax records that something else was expected than what is there.
func (d *decoder) syntax(expected string) {
	if d.pos >= len(d.data) {
		d.fail("unexpected end, expected " + expected)
		return
	}
	d.fail("invalid character, expected " + expected)
}

// wrong records that a value of another type was expected.
func (d *decoder) wrong(expected string) {
	var found string
	switch c := d.next(); {
	case c == '{':
		found = "an object"
	case c == '[':
		found = "an array"
	case c == '"':
		found = "a string"
	case c == 't' || c == 'f':
		found = "a boolean"
	case c == '-' || c-'0' <= 9:
		found = "a number"
	default:
		d.syntax(expected)
		return
	}
	d.fail("expected " + expected + ", found " + found)
}

// pathAt returns the path of the value at an offset, such as payments[3].links.mandate. It
// reads the document again, so that the reading that goes well pays nothing for it.
func pathAt(src []byte, offset int) string {
	type level struct {
		key   string
		index int
		array bool
	}
	var levels []level
	inKey := false // the next string is a member name
	for i := 0; i < offset && i < len(src); i++ {
		switch c := src[i]; c {
		case '{', '[':
			levels = append(levels, level{array: c == '['})
			inKey = c == '{'
		case '}', ']':
			if len(levels) > 0 {
				levels = levels[:len(levels)-1]
			}
			inKey = false
		case ',':
			if n := len(levels); n > 0 {
				levels[n-1].index++
				levels[n-1].key = ""
				inKey = !levels[n-1].array
			}
		case '"':
			start := i + 1
			for i++; i < len(src) && src[i] != '"'; i++ {
				if src[i] == '\\' {
					i++
				}
			}
			if inKey && i < offset && i < len(src) {
				levels[len(levels)-1].key = strings.ToValidUTF8(string(src[start:min(i, start+pathKeyMax)]), "\uFFFD")
				inKey = false
			}
		}
	}
	var b strings.Builder
	for i, l := range levels {
		switch {
		case i >= pathKeyMax:
			b.WriteString("…")
			return b.String()
		case l.array:
			b.WriteString("[" + itoa(l.index) + "]")
		case l.key != "":
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(l.key)
		}
	}
	return b.String()
}
