package emit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

// MigrationGuidePath is the guide for users of the official Go client.
const MigrationGuidePath = "docs/from-the-official-client.md"

const namesBegin = "<!-- generated: names -->\n"

// Official holds the names of the official Go client.
type Official struct {
	Version  string                     `json:"version"`
	Renamed  map[string]string          `json:"renamed"` // methods whose service or name differs here
	Services map[string]OfficialService `json:"services"`
	Types    map[string]string          `json:"types"`   // with their fields, separated by spaces
	Written  map[string]string          `json:"written"` // functions, and types that are not the API's, with their fields
}

// OfficialService is a field of the official client.
type OfficialService struct {
	Type    string `json:"type"`    // prefix of its types' names
	Methods string `json:"methods"` // separated by spaces
}

// ParseOfficial reads the names of the official client.
func ParseOfficial(data []byte) (*Official, error) {
	var o Official
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&o); err != nil {
		return nil, fmt.Errorf("official client: %w", err)
	}
	return &o, nil
}

// MigrationGuide returns the guide with updated tables of old and new names. The rest of it stays unchanged.
func MigrationGuide(api *ir.API, official *Official, text []byte) (File, error) {
	before, after, err := around(text, MigrationGuidePath, namesBegin)
	if err != nil {
		return File{}, err
	}
	c := CompareNames(api, official)
	var b bytes.Buffer
	b.Write(before)
	for _, t := range []struct {
		title string
		names map[string]string
	}{{"Method, official client", c.Methods}, {"Field, official client", c.Fields}, {"Type, official client", c.Types}} {
		fmt.Fprintf(&b, "\n| %s | here |\n|---|---|\n", t.title)
		for _, old := range slices.Sorted(maps.Keys(t.names)) {
			if revised := t.names[old]; revised == "" {
				fmt.Fprintf(&b, "| `%s` | none: the method takes no params |\n", old)
			} else {
				fmt.Fprintf(&b, "| `%s` | `%s` |\n", old, revised)
			}
		}
	}
	b.WriteByte('\n')
	b.Write(after)
	return File{Path: MigrationGuidePath, Content: b.Bytes()}, nil
}

// Comparison holds the official client's names that differ from ours, with ours. A type mapped to "" is that
// of params that the method here does not take.
type Comparison struct {
	Methods, Fields, Types map[string]string
	Unknown                []string // official names whose counterpart is not found

	official *Official
	seen     map[string]bool
}

// CompareNames follows both clients' methods to their types and fields. The official client is generated as
// well: each word of a name begins with one capital, and the type of a nested object is named after its
// path.
func CompareNames(api *ir.API, official *Official) *Comparison {
	c := &Comparison{Methods: map[string]string{}, Fields: map[string]string{}, Types: map[string]string{}, official: official, seen: map[string]bool{}}
	ours := map[string]*ir.Method{}
	operations := map[*ir.Method]*ir.Operation{}
	for s, op := range api.Operations() {
		for _, m := range op.Methods {
			ours[s.GoName+"."+m.GoName] = m
			operations[m] = op
			if m.AllName != "" {
				ours[s.GoName+"."+m.AllName] = m
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(official.Services)) {
		service := official.Services[name]
		for method := range strings.FieldsSeq(service.Methods) {
			old := name + "." + method
			revised := old
			if other, ok := official.Renamed[old]; ok {
				revised = other
				c.Methods[old] = other
			}
			m := ours[revised]
			switch {
			case m == nil:
				c.Unknown = append(c.Unknown, old)
			case method != m.AllName:
				c.method(service.Type, method, operations[m], m)
			}
		}
	}
	for _, t := range slices.Sorted(maps.Keys(official.Types)) {
		if !c.seen[t] {
			c.Unknown = append(c.Unknown, t)
		}
	}
	return c
}

// method compares the types that a method takes and returns.
func (c *Comparison) method(prefix, method string, op *ir.Operation, m *ir.Method) {
	params := prefix + method + "Params"
	if m.Params != nil {
		c.walk(params, m.Params)
	} else if _, ok := c.official.Types[params]; ok {
		c.Types[params] = ""
		c.seen[params] = true
	}
	if op.Reply == nil {
		return
	}
	// A result that is not the resource is a wrapper around it.
	if result := prefix + method + "Result"; c.official.Types[result] != "" {
		c.Types[result] = op.Reply.GoName
		c.seen[result] = true
		return
	}
	c.walk(prefix, op.Reply)
}

// walk compares the names of a type, its fields and their types.
func (c *Comparison) walk(old string, t *ir.Type) {
	fields, ok := c.official.Types[old]
	if !ok || c.seen[old] {
		return
	}
	c.seen[old] = true
	if old != t.GoName {
		c.Types[old] = t.GoName
	}
	missing := strings.Fields(fields)
	for _, f := range t.Fields {
		i := slices.Index(missing, camel(f.Name))
		if f.In == ir.InHeader || i < 0 {
			continue
		}
		missing = slices.Delete(missing, i, i+1)
		if camel(f.Name) != f.GoName {
			c.Fields[camel(f.Name)] = f.GoName
		}
		ref := f.Type
		for ref.Kind == ir.Array {
			ref = ref.Elem
		}
		if ref.IsObject() {
			c.walk(old+camel(f.Name), ref.Type)
		}
	}
	for _, name := range missing {
		c.Unknown = append(c.Unknown, old+"."+name)
	}
}

// camel returns the official client's form of a wire name.
func camel(wire string) string {
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(wire, func(r rune) bool { return r == '_' || r == '-' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}
