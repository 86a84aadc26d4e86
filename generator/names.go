package generator

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/emit"
	"github.com/gocardless-community/gocardless-go/generator/ir"
)

const lockPath = "generator/names.lock"

const lockHeader = `# Go name of every part of the API that users see, by its place in schema/gocardless.json.
# Written by cmd/gen, which refuses to change a name without the flag -allow-renames.
`

// lockNames returns the lock file for an API. A name that differs from the one on record is an
// error unless renames are allowed: it would break every user of the old one.
func lockNames(api *ir.API, path string, allowRenames bool) (emit.File, error) {
	recorded, err := readLock(path)
	if err != nil {
		return emit.File{}, err
	}
	names := goNames(api)
	var renamed []error
	for _, n := range names {
		if old, ok := recorded[n.pointer]; ok && old != n.name && !allowRenames {
			renamed = append(renamed, fmt.Errorf("%s: the Go name %s would become %s: keep it with an entry in the overlay's names, or pass -allow-renames", n.pointer, old, n.name))
		}
	}
	if err := errors.Join(renamed...); err != nil {
		return emit.File{}, err
	}
	var b strings.Builder
	b.WriteString(lockHeader)
	for _, n := range names {
		fmt.Fprintf(&b, "%s %s\n", n.pointer, n.name)
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
		pointer, name, ok := strings.Cut(line, " ")
		if !ok {
			return nil, fmt.Errorf("%s: not a pointer and a name: %q", path, line)
		}
		names[pointer] = name
	}
	return names, nil
}

type pinned struct{ pointer, name string }

// goNames lists the names that users write, each by the place it comes from. A schema that is used
// in requests and in replies has two types; the request's places end in "#request". Enum values
// are listed by value, because their index is no lasting address.
func goNames(api *ir.API) []pinned {
	var out []pinned
	add := func(pointer, name string) { out = append(out, pinned{strings.ReplaceAll(pointer, " ", "%20"), name}) }
	for _, s := range api.Services {
		for _, op := range s.Operations {
			for i, m := range op.Methods {
				pointer := op.Pointer
				if len(op.Methods) > 1 {
					pointer = fmt.Sprintf("%s/x-variants/%d", op.Pointer, i)
				}
				add(pointer, s.GoName+"."+m.GoName)
			}
		}
	}
	for _, t := range api.Types {
		side := ""
		if t.Role == ir.RoleNested {
			side = "#request"
		}
		pointer := t.Pointer
		if t.Schema == "" && t.Kind == ir.Enum {
			pointer += "#type" // named by the overlay: the place is that of the property
		}
		add(pointer+side, t.GoName)
		for _, v := range t.Values {
			add(t.Pointer+"/enum/"+v.Wire, v.GoName)
		}
		for _, f := range t.Fields {
			add(f.Pointer+side, t.GoName+"."+f.GoName)
		}
	}
	slices.SortFunc(out, func(a, b pinned) int { return strings.Compare(a.pointer, b.pointer) })
	return out
}
