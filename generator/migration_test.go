package generator

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/generator/emit"
)

func official(t *testing.T) *emit.Official {
	t.Helper()
	o, err := readOfficial(repository)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// exported lists what package gocardless exports: functions, types, and the fields and methods of
// types as "Type.Name".
func exported(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	paths, err := filepath.Glob(filepath.Join(repository, "gocardless", "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				names[receiver(decl)+decl.Name.Name] = true
				names["."+decl.Name.Name] = true
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					if spec, ok := spec.(*ast.TypeSpec); ok {
						names[spec.Name.Name] = true
						addFields(names, spec)
					}
				}
			}
		}
	}
	return names
}

func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	name := ""
	ast.Inspect(f.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name + "."
		}
		return true
	})
	return name
}

func addFields(names map[string]bool, spec *ast.TypeSpec) {
	if i, ok := spec.Type.(*ast.InterfaceType); ok {
		for _, method := range i.Methods.List {
			for _, name := range method.Names {
				names["."+name.Name] = true
			}
		}
	}
	s, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, field := range s.Fields.List {
		for _, name := range field.Names {
			names[spec.Name.Name+"."+name.Name] = true
			names["."+name.Name] = true // as a field of any type
		}
	}
}

// Every name of the official client has its counterpart here, by the same name or in the tables.
func TestMigrationIsComplete(t *testing.T) {
	api, err := Load(Config{Root: repository})
	if err != nil {
		t.Fatal(err)
	}
	o := official(t)
	c := emit.CompareNames(api, o)
	for _, name := range c.Unknown {
		t.Errorf("generator/official.json: %s has no counterpart", name)
	}
	guide, err := os.ReadFile(filepath.Join(repository, filepath.FromSlash(emit.MigrationGuidePath)))
	if err != nil {
		t.Fatal(err)
	}
	for name, fields := range o.Written {
		names := []string{name}
		for f := range strings.FieldsSeq(fields) {
			names = append(names, name+"."+f)
		}
		for _, n := range names {
			if !regexp.MustCompile("`" + regexp.QuoteMeta(n) + `(\W|\b)`).Match(guide) {
				t.Errorf("the guide does not mention %s", n)
			}
		}
	}
}

var (
	tableRow = regexp.MustCompile(`(?m)^\| (.*) \| (.*) \|$`)
	quoted   = regexp.MustCompile("`([A-Za-z.]+)")
)

// Every old name in the tables is one of the official client, and every new one exists.
func TestMigrationNamesExist(t *testing.T) {
	o, ours := official(t), exported(t)
	services := map[string]string{}
	api, err := Load(Config{Root: repository})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range api.Services {
		services[s.GoName] = s.TypeName
	}
	theirs := map[string]bool{"SandboxEndpoint": true, "PagingIterator": true}
	for name, fields := range o.Types {
		theirs[name] = true
		for f := range strings.FieldsSeq(fields) {
			theirs[name+"."+f], theirs[f] = true, true
		}
	}
	for name, fields := range o.Written {
		theirs[name] = true
		for f := range strings.FieldsSeq(fields) {
			theirs[name+"."+f] = true
		}
	}
	for name, s := range o.Services {
		for m := range strings.FieldsSeq(s.Methods) {
			theirs[name+"."+m] = true
			if m == "All" { // what each list has
				for _, suffix := range []string{"ListResult", "ListResultMeta", "ListResultMetaCursors", "ListPagingIterator", "ListResultLinked"} {
					theirs[s.Type+suffix] = true
				}
				theirs[s.Type+"ListResult."+name] = true
			}
		}
		theirs[s.Type+"ServiceImpl"] = true
	}
	guide, err := os.ReadFile(filepath.Join(repository, filepath.FromSlash(emit.MigrationGuidePath)))
	if err != nil {
		t.Fatal(err)
	}
	_, tables, ok := strings.Cut(string(guide), "| Option, official client |")
	if !ok {
		t.Fatal("the guide's first table of names is gone")
	}
	rows := 0
	for _, row := range tableRow.FindAllStringSubmatch(tables, -1) {
		rows++
		for _, m := range quoted.FindAllStringSubmatch(row[1], -1) {
			if !theirs[m[1]] {
				t.Errorf("%s: the official client has no %s", row[0], m[1])
			}
		}
		for _, m := range quoted.FindAllStringSubmatch(row[2], -1) {
			service, method, _ := strings.Cut(m[1], ".")
			if lower := m[1][0] >= 'a' && m[1][0] <= 'z'; !lower && !ours[m[1]] && !ours["."+m[1]] && !ours[services[service]+"."+method] {
				t.Errorf("%s: package gocardless has no %s", row[0], m[1])
			}
		}
	}
	if rows < 150 {
		t.Errorf("%d rows only", rows)
	}
}
