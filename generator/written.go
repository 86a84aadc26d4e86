package generator

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

// The generator reads the written files of the SDK for two things: which Go names they have, so that
// nothing generated gets the same, and which operations the sandbox serves by hand.

// writtenFiles parses the files of a package that are not generated, without tests.
func writtenFiles(root, dir string) (map[string]*ast.File, error) {
	entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(dir)))
	if os.IsNotExist(err) {
		return nil, nil // generating for a directory without an SDK
	}
	if err != nil {
		return nil, err
	}
	files := map[string]*ast.File{}
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_gen.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, filepath.FromSlash(dir), name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files[path.Join(dir, name)] = f
	}
	return files, nil
}

// Reserved returns the Go names in the written files of the SDK, such as Page and Client.Do, each
// with its file.
func Reserved(root string) (map[string]string, error) {
	files, err := writtenFiles(root, "gocardless")
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for file, f := range files {
		for _, decl := range f.Decls {
			for _, name := range Declared(decl) {
				names[name] = file
			}
		}
	}
	return names, nil
}

// Declared returns the names that a declaration adds to its package, a method as Client.Do.
func Declared(decl ast.Decl) []string {
	var names []string
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return []string{d.Name.Name}
		}
		receiver := d.Recv.List[0].Type
		if star, ok := receiver.(*ast.StarExpr); ok {
			receiver = star.X
		}
		if id, ok := receiver.(*ast.Ident); ok {
			return []string{id.Name + "." + d.Name.Name}
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, s.Name.Name)
			case *ast.ValueSpec:
				for _, id := range s.Names {
					names = append(names, id.Name)
				}
			}
		}
	}
	return names
}

// sandboxAliases holds operations at older paths, which the description no longer has.
const sandboxAliases = "gocardless/gocardlesstest/internal/api/alias.go"

// SandboxGaps lists what the written files of the sandbox say about operations that the API does
// not have. The sandbox leaves it aside when it starts, so that an operation that goes away breaks no
// test of a user's; here it is found.
func SandboxGaps(root string, api *ir.API) ([]string, error) {
	files, err := writtenFiles(root, "gocardless/gocardlesstest")
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, s := range api.Services {
		for _, op := range s.Operations {
			known[op.ID] = true
		}
	}
	tables, err := writtenFiles(root, path.Dir(sandboxAliases))
	if err != nil {
		return nil, err
	}
	if f := tables[sandboxAliases]; f != nil {
		ast.Inspect(f, func(n ast.Node) bool {
			known[literal(n)] = true
			return true
		})
	}
	var gaps []string
	for file, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			for _, op := range registered(n) {
				if op != "" && !known[op] {
					gaps = append(gaps, file+": the API has no operation "+op)
				}
			}
			return true
		})
	}
	slices.Sort(gaps)
	return gaps, nil
}

// Filter is a parameter by which a list operation filters.
type Filter struct{ Operation, Name string }

func (f Filter) String() string {
	return "the sandbox does not know what the filter " + f.Name + " of " + f.Operation + " compares: add it to gocardless/gocardlesstest"
}

// UnservedFilters lists the list filters that the sandbox refuses: the resource has no member or link
// of that name, and no written file serves it. A release needs them.
func UnservedFilters(root string, api *ir.API) ([]Filter, error) {
	files, err := writtenFiles(root, "gocardless/gocardlesstest")
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, nil // no sandbox, no filters
	}
	served := map[string]bool{}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			for _, filter := range servedFilters(n) {
				served[filter] = true
			}
			return true
		})
	}
	var unserved []Filter
	for s, op := range api.Operations() {
		if !op.List || !op.Cursors {
			continue
		}
		for _, f := range op.Methods[0].Params.Fields {
			switch f.Name {
			case "after", "before", "limit", "sort_field", "sort_direction", "include":
				continue
			}
			if !hasMember(op.Reply, f.Name) && !served[op.ID+" "+f.Name] && !served[op.ID+" "] && !served[s.Resource+" "+f.Name] {
				unserved = append(unserved, Filter{op.ID, f.Name})
			}
		}
	}
	return unserved, nil
}

// hasMember reports whether a resource has a member or a link of the given name.
func hasMember(resource *ir.Type, name string) bool {
	for _, f := range resource.Fields {
		if f.Name == name || f.Name == "links" && f.Type.Type != nil && hasMember(f.Type.Type, name) {
			return true
		}
	}
	return false
}

// servedFilters returns the filters that a call of the registry or the private members of a collection
// serve, such as "customers.list currency" and "payments creditor". Without a name, a call serves all of
// its list.
func servedFilters(n ast.Node) []string {
	switch n := n.(type) {
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "filter" && len(n.Args) == 3 {
			return []string{literal(n.Args[0]) + " " + literal(n.Args[1])}
		}
	case *ast.CompositeLit:
		var name string
		var filters []string
		for _, e := range n.Elts {
			kv, ok := e.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			key, _ := kv.Key.(*ast.Ident)
			if key != nil && key.Name == "Name" {
				name = literal(kv.Value)
			}
			if list, ok := kv.Value.(*ast.CompositeLit); ok && key != nil && key.Name == "Private" {
				for _, member := range list.Elts {
					filters = append(filters, name+" "+literal(member))
				}
			}
		}
		return filters
	}
	return nil
}

// registered returns the operations that a call of the registry or a look-up names: r.on("payments.create", …).
func registered(n ast.Node) []string {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return nil
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	of, _ := f.X.(*ast.Ident)
	switch {
	case of == nil:
	case of.Name == "api" && f.Sel.Name == "Op", of.Name == "r" && slices.Contains([]string{"on", "filter", "owner"}, f.Sel.Name):
		return []string{literal(call.Args[0])}
	}
	return nil
}

// literal returns the value of a string literal, or "".
func literal(n ast.Node) string {
	lit, ok := n.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	s, err := strconv.Unquote(lit.Value)
	if err != nil {
		return ""
	}
	return s
}
