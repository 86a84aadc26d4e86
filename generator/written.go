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

// The generator reads the handwritten files of the SDK for two things: the Go names that generated code
// must not use, and the operations and filters that the sandbox serves.

// writtenFiles parses the handwritten files of a package, without tests.
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

// Reserved returns the Go names in the handwritten files of the SDK, such as Page and Client.Do, each with
// its file.
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

// sandboxAliases is the file with operations at older paths, which the description no longer has.
const sandboxAliases = "gocardless/gocardlesstest/internal/api/alias.go"

// Gaps are the differences between the API and what the handwritten files of the sandbox serve.
type Gaps struct {
	// Gone reports the handlers of operations that the API does not have. The sandbox ignores them, so that
	// the removal of an operation does not break its users' tests.
	Gone []string
	// Filters are the list filters that the sandbox refuses: the resource has no member or link of that
	// name, and no handwritten file serves it. A release needs all filters.
	Filters []Filter
}

// Filter is a parameter by which a list operation filters.
type Filter struct{ Operation, Name string }

func (f Filter) String() string {
	return "the sandbox does not know what the filter " + f.Name + " of " + f.Operation + " compares: add it to gocardless/gocardlesstest"
}

// All describes all gaps.
func (g Gaps) All() []string {
	all := slices.Clone(g.Gone)
	for _, f := range g.Filters {
		all = append(all, f.String())
	}
	return all
}

// SandboxGaps compares the handwritten files of the sandbox with the API. A module without a sandbox has no
// gaps.
func SandboxGaps(root string, api *ir.API) (gaps Gaps, err error) {
	files, err := writtenFiles(root, "gocardless/gocardlesstest")
	if err != nil || len(files) == 0 {
		return gaps, err
	}
	known, err := knownOperations(root, api)
	if err != nil {
		return gaps, err
	}
	served := map[Filter]bool{}
	for file, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			if op := registered(n); op != "" && !known[op] {
				gaps.Gone = append(gaps.Gone, file+": the API has no operation "+op)
			}
			for _, filter := range servedFilters(n) {
				served[filter] = true
			}
			return true
		})
	}
	slices.Sort(gaps.Gone)
	gaps.Filters = unservedFilters(api, served)
	return gaps, nil
}

// knownOperations returns the ids of the API's operations, including those at older paths.
func knownOperations(root string, api *ir.API) (map[string]bool, error) {
	known := map[string]bool{}
	for _, op := range api.Operations() {
		known[op.ID] = true
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
	return known, nil
}

// pageParams are the parameters of lists that are not filters.
var pageParams = []string{"after", "before", "limit", "sort_field", "sort_direction", "include"}

// unservedFilters returns the list filters that neither a member or link of the resource nor an entry of
// served explains; see servedFilters.
func unservedFilters(api *ir.API, served map[Filter]bool) []Filter {
	var unserved []Filter
	for s, op := range api.Operations() {
		if !op.List || !op.Cursors || served[Filter{op.ID, ""}] {
			continue
		}
		for _, f := range op.Methods[0].Params.Fields {
			known := slices.Contains(pageParams, f.Name) || hasMember(op.Reply, f.Name)
			if !known && !served[Filter{op.ID, f.Name}] && !served[Filter{s.Resource, f.Name}] {
				unserved = append(unserved, Filter{op.ID, f.Name})
			}
		}
	}
	return unserved
}

// hasMember reports whether a resource has a member or a link of the given name.
func hasMember(resource *ir.Type, name string) bool {
	if resource.Field(name) != nil {
		return true
	}
	links := resource.Field("links")
	return links != nil && links.Type.Type != nil && links.Type.Type.Field(name) != nil
}

// methodCall returns the parts of a call such as r.on("payments.create", …), or "" for other nodes.
func methodCall(n ast.Node) (receiver, method string, args []ast.Expr) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return "", "", nil
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", "", nil
	}
	if of, ok := f.X.(*ast.Ident); ok {
		return of.Name, f.Sel.Name, call.Args
	}
	return "", "", nil
}

// registered returns the operation that a call of the registry or of api.Op names, or "".
func registered(n ast.Node) string {
	switch of, method, args := methodCall(n); {
	case of == "api" && method == "Op", of == "r" && slices.Contains([]string{"on", "filter", "owner"}, method):
		return literal(args[0])
	}
	return ""
}

// servedFilters returns the filters that a call of the registry or the private members of a collection
// serve, such as {customers.list currency} and, for all operations of a resource, {payments creditor}. A
// call without a name serves all filters of its list.
func servedFilters(n ast.Node) []Filter {
	if of, method, args := methodCall(n); of == "r" && method == "filter" && len(args) > 1 {
		return []Filter{{literal(args[0]), literal(args[1])}}
	}
	collection, ok := n.(*ast.CompositeLit)
	if !ok {
		return nil
	}
	members := map[string]ast.Expr{}
	for _, e := range collection.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok {
				members[key.Name] = kv.Value
			}
		}
	}
	private, ok := members["Private"].(*ast.CompositeLit)
	if !ok {
		return nil
	}
	var filters []Filter
	for _, member := range private.Elts {
		filters = append(filters, Filter{literal(members["Name"]), literal(member)})
	}
	return filters
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
