package jsonwire

import "strconv"

// pathKeyMax is how much of a member name a path shows, and how many levels.
const pathKeyMax = 64

// fail records a syntax error at the current place.
func (d *Decoder) fail(what string) { d.failAt(d.pos, what) }

// failAt records a syntax error unless there is one already, and ends the reading.
func (d *Decoder) failAt(offset int, what string) {
	if d.err == nil {
		d.err = &SyntaxError{Path: newPaths(d.src).at(offset), Offset: offset, What: what}
	}
	d.data, d.pos, d.Key, d.state = nil, 0, nil, stateAbsent
}

// syntax records that something else was expected than what is there.
func (d *Decoder) syntax(expected string) {
	if d.pos >= len(d.data) {
		d.fail("unexpected end, expected " + expected)
		return
	}
	d.fail("invalid character, expected " + expected)
}

// SyntaxError reports what is wrong with a document and where. It holds nothing of the values,
// which may be personal data.
type SyntaxError struct {
	Path   string // such as payments[3].links.mandate; "" for the whole document
	Offset int    // in bytes, from 0
	What   string
}

// Description returns what is wrong, without the path.
func (e *SyntaxError) Description() string { return e.What + " at byte " + strconv.Itoa(e.Offset) }

func (e *SyntaxError) Error() string { return located(e.Path, e.Description()) }

func located(path, text string) string {
	if path == "" {
		return text
	}
	return path + ": " + text
}

// paths finds the paths of values in a document. It reads forwards, so the offsets asked for
// must not decrease.
type paths struct {
	src    []byte
	pos    int
	inKey  bool // the next string is a member name
	levels []level
}

// level is an object or array around the current place.
type level struct {
	key   string
	index int
	array bool
}

func newPaths(src []byte) *paths { return &paths{src: src} }

// at returns the path of the value at an offset, such as payments[3].links.mandate.
func (p *paths) at(offset int) string {
	for ; p.pos < offset && p.pos < len(p.src); p.pos++ {
		switch c := p.src[p.pos]; c {
		case '{', '[':
			p.levels = append(p.levels, level{array: c == '['})
			p.inKey = c == '{'
		case '}', ']':
			p.levels = p.levels[:max(len(p.levels)-1, 0)]
			p.inKey = false
		case ',':
			if n := len(p.levels); n > 0 {
				p.levels[n-1].index++
				p.levels[n-1].key = ""
				p.inKey = !p.levels[n-1].array
			}
		case '"':
			p.string(offset)
		}
	}
	return p.String()
}

// string steps over the string that starts at the current place, and notes it if it is a member
// name that ends before the offset.
func (p *paths) string(offset int) {
	start := p.pos + 1
	for p.pos++; p.pos < len(p.src) && p.src[p.pos] != '"'; p.pos++ {
		if p.src[p.pos] == '\\' {
			p.pos++
		}
	}
	if p.inKey && p.pos < offset && p.pos < len(p.src) {
		p.levels[len(p.levels)-1].key = shownKey(p.src[start:p.pos])
		p.inKey = false
	}
}

// shownKey returns a member name if it looks like one of the API, else "…": a name that another
// party chose may give something away.
func shownKey(key []byte) string {
	if len(key) > pathKeyMax {
		return "…"
	}
	digits := 0
	for _, c := range key {
		switch {
		case c-'0' <= 9:
			digits++
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_':
			digits = 0
		default:
			return "…"
		}
		if digits > 4 {
			return "…"
		}
	}
	return string(key)
}

// String returns the path of the current place.
func (p *paths) String() string {
	path := ""
	for i, l := range p.levels {
		switch {
		case i >= pathKeyMax:
			return path + "…"
		case l.array:
			path += "[" + strconv.Itoa(l.index) + "]"
		case path == "":
			path = l.key
		case l.key != "":
			path += "." + l.key
		}
	}
	return path
}
