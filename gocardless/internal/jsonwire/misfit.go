package jsonwire

// A Misfit is a value whose type does not fit the field it is for. It holds nothing of the
// value, which may be personal data.
type Misfit struct {
	Path     string // such as payments[3].links.mandate; "" for the whole document
	Offset   int    // in bytes, from 0
	Expected string // such as "an integer"
	Found    string // such as "a string"
}

// Description returns what was expected and found.
func (m *Misfit) Description() string { return "expected " + m.Expected + ", found " + m.Found }

// Error reports where the misfit is, and what was expected and found.
func (m *Misfit) Error() string { return located(m.Path, m.Description()) }

// MaxMisfits is how many misfits an outcome lists at most.
const MaxMisfits = 1000

// Outcome is what a decoder has to say about a document without syntax errors.
type Outcome struct {
	// ID is the id of the resource that was read last.
	ID string
	// Misfits are the values that did not fit, in the order of the document, at most 1000. Their
	// fields have the zero value.
	Misfits []Misfit
	// Unreadable is the first misfit that must not pass for a zero value: a number, or the id of
	// a resource. It is nil if there is none.
	Unreadable *Misfit
	// UnreadableID is the id of the resource that Unreadable belongs to, if it has a readable
	// one.
	UnreadableID string
}

// resource is the resource being read.
type resource struct {
	start int    // its offset
	level int    // the depth of its members
	id    string // if it has been read
}

// Resource starts to read a resource. It reports whether an object follows, and steps over
// anything else.
func (d *Decoder) Resource() bool {
	c := d.Next()
	d.resource = resource{start: d.pos, level: d.depth + 1}
	if c == '{' {
		return true
	}
	d.Skip()
	return false
}

// Item starts to read a resource of a page. It reports whether an object follows; anything else
// makes the page unreadable.
func (d *Decoder) Item() bool {
	c := d.Next()
	d.resource = resource{start: d.pos, level: d.depth + 1}
	if c == '{' {
		return true
	}
	if d.err == nil {
		start, found := d.pos, kindOf(c)
		d.Skip()
		d.unreadable(start, "a resource", found)
	}
	return false
}

// EndItems ends the reading of items: what follows belongs to none of them.
func (d *Decoder) EndItems() { d.resource = resource{} }

// ID reads the id of a resource. One that is not a string makes the reply unreadable, unless it
// belongs to an object inside the resource.
func (d *Decoder) ID() string {
	if d.Next() == '"' {
		return d.keepID(d.quoted())
	}
	if d.depth == d.level {
		d.id = "" // of an earlier duplicate
	}
	switch {
	case d.Null():
	case d.depth == d.level:
		start, found := d.pos, kindOf(d.Next())
		d.Skip()
		d.unreadable(start, "a string", found)
	default:
		d.wrong("a string")
	}
	return ""
}

// keepID keeps an id, and remembers it if it is that of the resource being read.
func (d *Decoder) keepID(text []byte) string {
	id := d.keep(text)
	if d.depth == d.level {
		d.id = id
	}
	return id
}

// wrong records that a value of another type was expected, and steps over what is there.
func (d *Decoder) wrong(expected string) {
	start, found := d.pos, kindOf(d.Next())
	if found == "" {
		d.syntax(expected)
		return
	}
	d.Skip()
	d.misfit(start, expected, found)
}

// kindOf names the kind of value that starts with c, or returns "".
func kindOf(c byte) string {
	switch {
	case c == '{':
		return "an object"
	case c == '[':
		return "an array"
	case c == '"':
		return "a string"
	case c == 't' || c == 'f':
		return "a boolean"
	case c == '-' || c-'0' <= 9:
		return "a number"
	case c == 'n':
		return "null"
	}
	return ""
}

// Essential sets whether the values that follow are needed to make sense of the reply: a misfit
// among them makes it unreadable.
func (d *Decoder) Essential(on bool) { d.essential = on }

// misfit records a misfit at an offset. It is not inlined: every method that reads a value would
// hold a copy.
//
//go:noinline
func (d *Decoder) misfit(offset int, expected, found string) {
	if d.essential && d.fatal == nil {
		d.fatal, d.fatalStart = &Misfit{Offset: offset, Expected: expected, Found: found}, d.start
	}
	if d.err == nil && len(d.misfits) < MaxMisfits {
		d.misfits = append(d.misfits, Misfit{Offset: offset, Expected: expected, Found: found})
	}
}

// unreadable records a misfit that must not pass for a zero value.
func (d *Decoder) unreadable(offset int, expected, found string) {
	if d.err != nil {
		return
	}
	essential := d.essential
	d.essential = true
	d.misfit(offset, expected, found)
	d.essential = essential
}

// outcome gathers what the decoder has noted. It finds the paths by reading the document again,
// so that a reply without misfits pays nothing for them.
func (d *Decoder) outcome() Outcome {
	o := Outcome{ID: d.id, Misfits: d.misfits, Unreadable: d.fatal}
	if len(o.Misfits) > 0 {
		paths := newPaths(d.src)
		for i := range o.Misfits {
			o.Misfits[i].Path = paths.at(o.Misfits[i].Offset)
		}
	}
	if o.Unreadable != nil {
		o.Unreadable.Path = newPaths(d.src).at(o.Unreadable.Offset)
		if d.fatalStart > 0 {
			o.UnreadableID = idOf(d.src[d.fatalStart:])
		}
	}
	return o
}

// idOf returns the id of the object at the start of a document, or "".
func idOf(src []byte) string {
	d := NewDecoder(src)
	id := ""
	for d.Object(); d.More(); {
		if string(d.Key) != "id" {
			d.Unknown()
			continue
		}
		id = ""
		if d.Next() == '"' {
			id = string(d.quoted())
			continue
		}
		d.Skip()
	}
	_, _ = d.Finish() // what follows the object does not matter here
	return id
}
