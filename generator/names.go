package generator

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/emit"
	"github.com/gocardless-community/gocardless-go/generator/ir"
)

const lockPath = "generator/names.lock"

const lockHeader = `# Go name of every part of the API that users see, by its place on the wire: {} is the type at a
# place, {GBP} a value of that type. A type that has several places is listed at the first.
# Written by cmd/gen, which refuses to change a name without the flag -allow-renames.
`

// lockNames returns the lock file for an API. A name that differs from the recorded one is an error unless
// renames are allowed, because it would break every user of the old name.
func lockNames(api *ir.API, path string, allowRenames bool) (emit.File, error) {
	recorded, err := readLock(path)
	if err != nil {
		return emit.File{}, err
	}
	names := namesOf(api)
	if !allowRenames {
		if err := names.compare(recorded); err != nil {
			return emit.File{}, err
		}
	}
	var b strings.Builder
	b.WriteString(lockHeader)
	for _, place := range slices.Sorted(maps.Keys(names.listed)) {
		fmt.Fprintf(&b, "%s %s\n", place, names.at[place].name)
	}
	return emit.File{Path: lockPath, Content: []byte(b.String())}, nil
}

func readLock(path string) (map[string]string, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		i := strings.LastIndexByte(line, ' ')
		if i < 0 {
			return nil, fmt.Errorf("%s: %q is not a place and a name", path, line)
		}
		names[line[:i]] = line[i+1:]
	}
	return names, nil
}

// goNames holds the names that users write, each by its place on the wire:
// "POST /payments" is a method, "POST /payments request.links{}" the type of that member.
type goNames struct {
	at      map[string]pinned
	listed  map[string]bool   // the places that the lock lists
	methods map[string]string // places of methods by Go name
	seen    map[*ir.Type]bool // types that are listed
	inside  map[*ir.Type]bool // types on the way to the current place
}

type pinned struct{ name, pointer string }

func namesOf(api *ir.API) *goNames {
	n := &goNames{
		at: map[string]pinned{}, listed: map[string]bool{}, methods: map[string]string{},
		seen: map[*ir.Type]bool{}, inside: map[*ir.Type]bool{},
	}
	for _, home := range []bool{true, false} { // a resource lists its own types
		for s, op := range api.Operations() {
			for _, m := range op.Methods {
				n.method(s, op, m, home)
			}
		}
	}
	return n
}

func (n *goNames) method(s *ir.Service, op *ir.Operation, m *ir.Method, home bool) {
	place := op.HTTPMethod + " " + op.Path
	if m.Variant != "" {
		place += " " + m.Variant
	}
	n.add(place, s.GoName+"."+m.GoName, op.Pointer, true)
	n.methods[s.GoName+"."+m.GoName] = place
	lists := func(t *ir.Type) bool { return !home || t.Home == s.Resource }
	if m.Params != nil {
		n.params(place, m.Params, lists)
	}
	n.object(place+" reply", op.Reply, lists)
	n.object(place+" linked", op.Linked, lists)
}

// params lists the params of a method, whose fields travel in several parts of the request.
func (n *goNames) params(place string, t *ir.Type, lists func(*ir.Type) bool) {
	n.add(place+" params{}", t.GoName, t.Pointer, true)
	for _, f := range t.Fields {
		part := map[ir.Place]string{ir.InBody: " request.", ir.InQuery: " query.", ir.InHeader: " header."}[f.In]
		n.field(place+part+f.Name, t, f, true, lists)
	}
}

func (n *goNames) field(place string, owner *ir.Type, f *ir.Field, listed bool, lists func(*ir.Type) bool) {
	n.add(place, owner.GoName+"."+f.GoName, f.Pointer, listed)
	n.object(place, f.Type.Innermost().Type, lists)
}

// object lists a type and what is in it at the first of its places, and remembers all of them.
func (n *goNames) object(place string, t *ir.Type, lists func(*ir.Type) bool) {
	if t == nil || n.inside[t] {
		return
	}
	n.inside[t] = true
	defer delete(n.inside, t)
	listed := !n.seen[t] && lists(t)
	n.seen[t] = n.seen[t] || listed
	n.add(place+"{}", t.GoName, t.Pointer, listed)
	for _, v := range t.Values {
		n.add(place+"{"+v.Wire+"}", v.GoName, t.Pointer, listed)
	}
	for _, f := range t.Fields {
		n.field(place+"."+f.Name, t, f, listed, lists)
	}
}

func (n *goNames) add(place, name, pointer string, listed bool) {
	place = strings.ReplaceAll(place, "\n", "%0A")
	n.at[place] = pinned{name, pointer}
	if listed {
		n.listed[place] = true
	}
}

// compare reports every name that differs from the recorded one. It finds an operation that has moved by
// the name of its method.
func (n *goNames) compare(recorded map[string]string) error {
	moved := map[string]string{}
	for place, name := range recorded {
		if _, here := n.at[place]; !here && n.methods[name] != "" {
			moved[place] = n.methods[name]
		}
	}
	var renamed []error
	for _, place := range slices.Sorted(maps.Keys(recorded)) {
		now, here := n.at[place]
		for old, revised := range moved {
			if rest, inside := strings.CutPrefix(place, old+" "); inside && !here {
				now, here = n.at[revised+" "+rest]
			}
		}
		if old := recorded[place]; here && now.name != old {
			renamed = append(renamed, fmt.Errorf("%s: the Go name %s would become %s (%s): keep it with an entry in the overlay's names, or pass -allow-renames", now.pointer, old, now.name, place))
		}
	}
	return errors.Join(renamed...)
}
