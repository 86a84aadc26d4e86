package emit

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/generator/name"
)

// MigrationGuidePath is the guide for users of the official Go client.
const MigrationGuidePath = "docs/from-the-official-client.md"

const namesBegin = "<!-- generated: names -->\n"

// MigrationGuide returns the guide for users of the official Go client with its tables of old and
// new names brought up to date. The rest of the text stays as it is.
func MigrationGuide(api *ir.API, text []byte) (File, error) {
	before, after, err := around(text, MigrationGuidePath, namesBegin)
	if err != nil {
		return File{}, err
	}
	o := officialNames(api)
	var b bytes.Buffer
	b.Write(before)
	for _, t := range []struct {
		title string
		names map[string]string
	}{{"Field of the client", o.services}, {"Method", o.methods}, {"Field of a type", o.fields}, {"Type", o.types}} {
		if len(t.names) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n| %s, official client | here |\n|---|---|\n", t.title)
		for _, old := range slices.Sorted(maps.Keys(t.names)) {
			fmt.Fprintf(&b, "| `%s` | `%s` |\n", old, t.names[old])
		}
	}
	b.WriteByte('\n')
	b.Write(after)
	return File{Path: MigrationGuidePath, Content: b.Bytes()}, nil
}

// official holds the official client's names that differ from ours, with ours. That client is
// generated as well: each word of a name begins with one capital, and the type of a nested object
// is called after the path that leads to it.
type official struct{ services, methods, fields, types map[string]string }

func officialNames(api *ir.API) official {
	o := official{map[string]string{}, map[string]string{}, map[string]string{}, map[string]string{}}
	for _, s := range api.Services {
		service := camel(s.Resource)
		note(o.services, service, s.GoName)
		one := camel(name.Singular(s.Resource))
		for _, op := range s.Operations {
			if op.Reply != nil && op.Reply.Home == s.Resource && op.ID == s.Resource+".get" {
				o.walk(one, op.Reply, 0)
			}
			for _, m := range op.Methods {
				verb := op.ID[strings.IndexByte(op.ID, '.')+1:]
				if len(op.Methods) > 1 {
					verb = m.GoName
				}
				if service+camel(verb) != service+m.GoName {
					note(o.methods, service+"."+camel(verb), s.GoName+"."+m.GoName)
				}
				if m.Params != nil {
					o.walk(one+camel(verb)+"Params", m.Params, 0)
				}
			}
		}
	}
	return o
}

// walk compares the names of a type, its fields and the types of these.
func (o official) walk(old string, t *ir.Type, depth int) {
	if depth > maxNesting {
		return
	}
	note(o.types, old, t.GoName)
	for _, f := range t.Fields {
		if f.In != ir.InHeader {
			note(o.fields, camel(f.Name), f.GoName)
		}
		ref := f.Type
		for ref.Kind == ir.Array {
			ref = ref.Elem
		}
		if ref.Kind == ir.Named && ref.Type.Kind == ir.Object {
			o.walk(old+camel(f.Name), ref.Type, depth+1)
		}
	}
}

// maxNesting ends the walk through a type that contains itself.
const maxNesting = 20

func note(names map[string]string, old, revised string) {
	if old != revised {
		names[old] = revised
	}
}

func camel(wire string) string {
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(wire, func(r rune) bool { return r == '_' || r == '-' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}
