package generator_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/generator"
	"github.com/gocardless-community/gocardless-go/generator/emit"
	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/generator/load"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// hostile holds strings that would do harm in Go source outside a literal.
var hostile = []string{
	"//go:generate rm -rf /",
	"x\n//go:generate rm -rf /\n",
	"*/ func init() { panic(1) } /*",
	"`\nfunc init() { panic(1) }\n`",
	`"} func init() { panic(1) }; var x = struct{a string "`,
	"../../escape",
	"a\x00b",
	"json:\"-\" ,string",
}

var directive = regexp.MustCompile(`(?m)^\s*//(go:|line |export |\+build)`)

// With a hostile string in place of any string or name, a document is refused or its code is harmless.
func TestHostileStrings(t *testing.T) {
	if testing.Short() {
		t.Skip("generates the SDK once for each string of two documents")
	}
	t.Run("kinds", func(t *testing.T) { hostileStrings(t, "kinds", hostile) })
	t.Run("constructs", func(t *testing.T) { hostileStrings(t, "constructs", hostile[1:2]) })
}

func hostileStrings(t *testing.T, name string, texts []string) {
	t.Parallel()
	base, err := jsontree.Parse(read(t, filepath.Join("testdata", "golden", name, "schema.json")))
	if err != nil {
		t.Fatal(err)
	}
	places, reached, refused := stringPlaces(base), map[string]bool{}, map[string]bool{}
	for _, text := range texts {
		for _, place := range places {
			if refused[place.pointer] {
				continue
			}
			root := base.Clone()
			place.set(root, text)
			files, err := generated(root)
			if err != nil {
				if place.closed {
					refused[place.pointer] = true
				}
				continue
			}
			reached[place.pointer] = true
			for _, f := range files {
				if problem := harm(f); problem != "" {
					t.Fatalf("%q at %s: %s: %s\n%s", text, place.pointer, f.Path, problem, f.Content)
				}
			}
		}
	}
	// Descriptions, examples and the like reach comments and literals; the rest must be refused.
	if len(reached) < 20 || reached["/info/x-schema-date"] {
		t.Errorf("of %d places %d were accepted: %v", len(places), len(reached), reached)
	}
}

type stringPlace struct {
	pointer string
	set     func(root *jsontree.Value, text string)
	closed  bool // OpenAPI lists the strings that are valid here: if one hostile string is refused, all are
}

// named are the members of OpenAPI whose own members have names that a document chooses.
var named = []string{"paths", "parameters", "responses", "schemas", "securitySchemes", "content", "properties", "mapping", "x-enum-descriptions", "x-variants"}

// keywords are the members whose value is one of a few strings or refers to a place in the document.
var keywords = []string{"$ref", "type", "format", "in", "style", "openapi"}

// stringPlaces lists the strings of a document and the names of its members.
func stringPlaces(base *jsontree.Value) []stringPlace {
	var out []stringPlace
	base.Walk(func(pointer string, v *jsontree.Value) {
		above, last := path.Split(pointer)
		chosen := slices.Contains(named, last) && !slices.Contains(named, path.Base(above))
		if v.Kind == jsontree.String {
			out = append(out, stringPlace{pointer, func(root *jsontree.Value, text string) { root.At(pointer).Text = text }, slices.Contains(keywords, last) && !slices.Contains(named, path.Base(above))})
		}
		for i := range v.Members {
			out = append(out, stringPlace{jsontree.Join(pointer, v.Members[i].Name) + " (name)", func(root *jsontree.Value, text string) {
				root.At(pointer).Members[i].Name = text
			}, !chosen})
		}
	})
	return out
}

func generated(doc *jsontree.Value) ([]emit.File, error) {
	api, err := load.Load(load.Input{Schema: doc.Format(), ModulePath: "example.com/test"})
	if err != nil {
		return nil, err
	}
	files, err := emit.SDK(api)
	if err != nil {
		return nil, err
	}
	tests, err := emit.ContractTests(api, os.DirFS(filepath.Join(root, "templates")))
	return append(files, tests...), err
}

// harm reports what is wrong with a generated file: a path that leads elsewhere, foreign code,
// a directive.
func harm(f emit.File) string {
	if !regexp.MustCompile(`^[a-z/_]+\.go$`).MatchString(f.Path) {
		return "an unexpected path"
	}
	tree, err := parser.ParseFile(token.NewFileSet(), f.Path, f.Content, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return err.Error()
	}
	for _, decl := range tree.Decls {
		if d, ok := decl.(*ast.FuncDecl); ok && d.Recv == nil && d.Name.Name == "init" {
			return "a function init"
		}
	}
	for _, group := range tree.Comments {
		for _, c := range group.List {
			if directive.MatchString(c.Text) {
				return "a directive"
			}
		}
	}
	return ""
}

// A name that hand-written code has is a clear error, not code that does not compile.
func TestReservedNames(t *testing.T) {
	reserved, err := generator.Reserved(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Page", "Error", "Client.Do", "Date"} {
		if reserved[name] == "" {
			t.Errorf("%s is not among the names of written files", name)
		}
	}
	schema := strings.ReplaceAll(string(read(t, filepath.Join("testdata", "golden", "kinds", "schema.json"))), "widget", "page")
	schema = strings.ReplaceAll(schema, "Widget", "Page")
	_, err = load.Load(load.Input{Schema: []byte(schema), ModulePath: "example.com/test", Reserved: reserved})
	if err == nil || !strings.Contains(err.Error(), "/components/schemas/Page: the Go name Page is already used by gocardless/") {
		t.Errorf("error is %v", err)
	}
}

// The sandbox serves no operation that the API does not have; a removed one is reported.
func TestSandboxGaps(t *testing.T) {
	api, err := generator.Load(generator.Config{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	if gaps, err := generator.SandboxGaps(root, api); err != nil || len(gaps.Gone) > 0 {
		t.Errorf("%v, %v", gaps, err)
	}
	for _, s := range api.Services {
		for i, op := range s.Operations {
			if op.ID == "payments.retry" {
				s.Operations = append(s.Operations[:i:i], s.Operations[i+1:]...)
				break
			}
		}
	}
	gaps, err := generator.SandboxGaps(root, api)
	if want := "gocardless/gocardlesstest/payment.go: the API has no operation payments.retry"; err != nil || len(gaps.Gone) != 1 || gaps.Gone[0] != want {
		t.Errorf("%v, %v", gaps, err)
	}
}

// A filter that no member, link or handwritten file serves is reported, and a release needs it. All filters
// of the previous snapshot are served.
func TestUnservedFilters(t *testing.T) {
	api, err := generator.Load(generator.Config{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	before, err := generator.SandboxGaps(root, api)
	if err != nil {
		t.Fatal(err)
	}
	old := listParameters(t)
	for _, f := range before.Filters {
		if old[f] {
			t.Error(f)
		}
	}
	for _, op := range api.Operations() {
		if op.ID == "payments.list" {
			params := op.Methods[0].Params
			params.Fields = append(params.Fields, &ir.Field{Name: "colour"})
		}
	}
	after, err := generator.SandboxGaps(root, api)
	if err != nil || len(after.Filters) != len(before.Filters)+1 || !slices.Contains(after.Filters, generator.Filter{Operation: "payments.list", Name: "colour"}) {
		t.Errorf("%v, %v", after, err)
	}
}

// A call of filter without its second argument, which does not compile, serves nothing.
func TestIncompleteFilter(t *testing.T) {
	api, err := generator.Load(generator.Config{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	sandbox := filepath.Join(t.TempDir(), "gocardless", "gocardlesstest")
	text := "package gocardlesstest\n\nfunc serve(r *registry) { r.filter(\"customers.list\") }\n"
	if err := errors.Join(os.MkdirAll(sandbox, 0o755), os.WriteFile(filepath.Join(sandbox, "customer.go"), []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
	gaps, err := generator.SandboxGaps(filepath.Dir(filepath.Dir(sandbox)), api)
	if err != nil || !slices.Contains(gaps.Filters, generator.Filter{Operation: "customers.list", Name: "currency"}) {
		t.Errorf("%v, %v", gaps.Filters, err)
	}
}

// listParameters returns the query parameters of lists in the last snapshot of the history.
func listParameters(t *testing.T) map[generator.Filter]bool {
	t.Helper()
	snapshots, err := filepath.Glob(filepath.Join(root, "schema", "history", "*.json"))
	if err != nil || len(snapshots) == 0 {
		t.Fatal(snapshots, err)
	}
	document, err := jsontree.Parse(read(t, slices.Max(snapshots)))
	if err != nil {
		t.Fatal(err)
	}
	found := map[generator.Filter]bool{}
	for _, path := range document.Get("paths").Members {
		list := path.Value.Get("get")
		if parameters := list.Get("parameters"); parameters != nil {
			for _, p := range parameters.Items {
				found[generator.Filter{Operation: list.Get("operationId").Str(), Name: p.Get("name").Str()}] = true
			}
		}
	}
	for _, known := range []generator.Filter{{"payments.list", "customer"}, {"customers.list", "currency"}, {"events.list", "export"}} {
		if !found[known] {
			t.Errorf("the snapshot does not have the filter %s of %s", known.Name, known.Operation)
		}
	}
	return found
}
