package gocardless_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// The documentation of each kind of option lists every function that returns one, so that
// "go doc gocardless.ClientOption" leads to all of them.
func TestOptionsAreListed(t *testing.T) {
	docs := map[string]string{}
	options := map[string][]string{}
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				if kind := optionKind(decl); kind != "" && !strings.HasSuffix(path, "_test.go") {
					options[kind] = append(options[kind], decl.Name.Name)
				}
			case *ast.GenDecl:
				if spec, ok := decl.Specs[0].(*ast.TypeSpec); ok {
					docs[spec.Name.Name] = decl.Doc.Text()
				}
			}
		}
	}
	if len(options["Option"]) < 5 || len(options["ClientOption"]) < 5 || len(options["RequestOption"]) < 3 {
		t.Fatalf("found %v", options)
	}
	for kind, names := range options {
		for _, name := range names {
			if !strings.Contains(docs[kind], "["+name+"]") {
				t.Errorf("the documentation of %s does not list %s", kind, name)
			}
		}
	}
}

// optionKind returns the type of option that an exported function returns.
func optionKind(f *ast.FuncDecl) string {
	if f.Recv != nil || !f.Name.IsExported() || f.Type.Results == nil || len(f.Type.Results.List) != 1 {
		return ""
	}
	if id, ok := f.Type.Results.List[0].Type.(*ast.Ident); ok && strings.HasSuffix(id.Name, "Option") {
		return id.Name
	}
	return ""
}
