package cassette

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
)

// kind is the type of a JSON value.
type kind string

const (
	null    kind = "null"
	boolean kind = "boolean"
	number  kind = "number"
	text    kind = "string"
	list    kind = "array"
	object  kind = "object"
)

// value is a JSON value. Objects keep the order of their members, so that a cassette is easy to read
// next to the API's documentation.
type value struct {
	kind    kind
	text    string // of a string; the literal of a number or a boolean
	members []member
	items   []*value
}

type member struct {
	name  string
	value *value
}

// get returns a member of an object, or nil.
func (v *value) get(name string) *value {
	if v != nil {
		for _, m := range v.members {
			if m.name == name {
				return m.value
			}
		}
	}
	return nil
}

// maxDepth is far beyond what the API nests, and far below what would exhaust the stack.
const maxDepth = 100

var errTooDeep = errors.New("nested too deeply")

// parse reads one JSON document.
func parse(raw []byte) (*value, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	v, err := parseValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more than one document")
	}
	return v, nil
}

func parseValue(d *json.Decoder, depth int) (*value, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case nil:
		return &value{kind: null}, nil
	case bool:
		return &value{kind: boolean, text: strconv.FormatBool(t)}, nil
	case json.Number:
		return &value{kind: number, text: t.String()}, nil
	case string:
		return &value{kind: text, text: t}, nil
	case json.Delim:
		return parseComposite(d, t, depth)
	}
	return nil, errors.New("not a JSON value")
}

func parseComposite(d *json.Decoder, open json.Delim, depth int) (*value, error) {
	v := &value{kind: list}
	if open == '{' {
		v.kind = object
	}
	for d.More() {
		var name string
		if v.kind == object {
			token, err := d.Token()
			if err != nil {
				return nil, err
			}
			name, _ = token.(string) // the decoder accepts nothing else here
		}
		item, err := parseValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		if v.kind == object {
			v.members = append(v.members, member{name, item})
		} else {
			v.items = append(v.items, item)
		}
	}
	_, err := d.Token() // the closing delimiter
	return v, err
}

// encode writes a value as compact JSON.
func (v *value) encode(out []byte) []byte {
	switch v.kind {
	case null:
		return append(out, "null"...)
	case boolean, number:
		return append(out, v.text...)
	case text:
		return appendString(out, v.text)
	case list:
		out = append(out, '[')
		for i, item := range v.items {
			if i > 0 {
				out = append(out, ',')
			}
			out = item.encode(out)
		}
		return append(out, ']')
	}
	out = append(out, '{')
	for i, m := range v.members {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendString(out, m.name)
		out = append(out, ':')
		out = m.value.encode(out)
	}
	return append(out, '}')
}

func appendString(out []byte, s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string cannot fail
	return append(out, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

// place is the position of a value in a document, as the names that lead to it. The items of a list
// have no name of their own: what holds for one holds for all.
type place []string

func (p place) name() string   { return p.at(0) }
func (p place) parent() string { return p.at(1) }

// at returns the i-th name from the end.
func (p place) at(i int) string {
	if i >= len(p) {
		return ""
	}
	return p[len(p)-1-i]
}

// eachString replaces every string of a document with what f returns for it.
func (v *value) eachString(at place, f func(at place, s string) string) {
	if v.kind == text {
		v.text = f(at, v.text)
	}
	for _, item := range v.items {
		item.eachString(at, f)
	}
	for _, m := range v.members {
		m.value.eachString(append(at[:len(at):len(at)], m.name), f)
	}
}
