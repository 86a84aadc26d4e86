package release

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/generator"
	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
	"github.com/gocardless-community/gocardless-go/internal/testmodule"
)

// A new schema may have the name of anything that the SDK exports: its type gets another name, and nothing is
// declared twice.
func TestNewSchemasWithTakenNames(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the SDK with 900 more types")
	}
	dir := wholeModule(t)
	schemas := testmodule.Schema(t, root).At("/components/schemas")
	var taken []string
	for name := range declarations(t, dir, "gocardless") {
		if ast.IsExported(name) && !strings.Contains(name, ".") && !schemas.Has(name) {
			taken = append(taken, name)
		}
	}
	slices.Sort(taken)
	if len(taken) < 900 {
		t.Fatalf("only %d names", len(taken))
	}
	file := source(t, dir, func(v *jsontree.Value) {
		members, schemas := v.At("/components/schemas/Payment/properties"), v.At("/components/schemas")
		for i, name := range taken {
			members.Set(fmt.Sprintf("new_%d", i), parseJSON(t, fmt.Sprintf(`{"$ref": "#/components/schemas/%s"}`, name)))
			text := fmt.Sprintf(`{"type": "string", "enum": ["value_%d"]}`, i)
			if i%2 == 0 {
				text = fmt.Sprintf(`{"type": "object", "properties": {"a_%d": {"type": "string"}}}`, i)
			}
			schemas.Set(name, parseJSON(t, text))
		}
	})
	result := generatedFrom(t, dir, file)
	payment := result.API.Types[slices.IndexFunc(result.API.Types, func(x *ir.Type) bool { return x.GoName == "Payment" })]
	added := 0
	for _, f := range payment.Fields {
		if strings.HasPrefix(f.Name, "new_") {
			added++
		}
	}
	if added != len(taken) {
		t.Errorf("%d of %d members were added", added, len(taken))
	}
}

// words are names of resources that have a meaning in Go, its tools or the SDK.
var words = []string{
	"any", "break", "cap", "clients", "error", "errors", "errs", "examples", "false", "func", "gen", "go", "init", "internal", "iota", "len", "main", "map", "new", "nil",
	"package", "param", "query", "range", "select", "string", "strings", "struct", "test", "tests", "true", "type", "types", "var", "vendor", "version",
	"windows", "linux", "darwin", "js", "wasm", "unix", "plan9", "amd64", "arm64", "windows_test", "linux_amd64", "ctx", "opts", "params", "pages", "options",
	"do", "rate_limits", "responses", "requests", "webhook", "event_types", "reasons", "metadata", "dates",
	"limits", "operations", "shared", "simulators",
}

// A new resource may have any name: its files are compiled on every system, nothing is declared twice, and a note
// gives the cure for a name that is already used.
func TestNewResourcesWithOddNames(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the SDK with many more resources")
	}
	dir := wholeModule(t)
	file := source(t, dir, func(v *jsontree.Value) {
		for i, word := range words {
			one := parseJSON(t, fmt.Sprintf(`{"type": "object", "properties": {"id": {"type": "string"}, "a_%d": {"type": "string"}, "type": {"type": "string"}, "func": {"type": "string"}}}`, i))
			reply := func(schema *jsontree.Value) *jsontree.Value {
				r := parseJSON(t, fmt.Sprintf(`{"200": {"description": "", "content": {"application/json": {"schema": {"type": "object", "required": [%[1]q], "properties": {%[1]q: {}}}}}}}`, word))
				r.At("/200/content/application~1json/schema/properties").Set(word, schema)
				return r
			}
			create := parseJSON(t, fmt.Sprintf(`{"requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "required": [%[1]q], "properties": {%[1]q: {"type": "object", "properties": {"b_%[2]d": {"type": "string"}}}}}}}}}`, word, i))
			create.Set("responses", reply(one))
			get := parseJSON(t, `{"parameters": [{"name": "identity", "in": "path", "required": true, "schema": {"type": "string"}}]}`)
			get.Set("responses", reply(one.Clone()))
			v.Get("paths").Set("/"+word, jsontree.NewObject(jsontree.Member{Name: "post", Value: create}))
			v.Get("paths").Set("/"+word+"/{identity}", jsontree.NewObject(jsontree.Member{Name: "get", Value: get}))
		}
	})
	result := generatedFrom(t, dir, file)
	out := map[string]string{}
	for _, l := range result.API.LeftOut {
		out[l.Place] = l.String()
	}
	for _, word := range words {
		place := "POST /" + word
		has := false
		for _, s := range result.API.Services {
			has = has || slices.ContainsFunc(s.Operations, func(o *ir.Operation) bool { return o.HTTPMethod+" "+o.Path == place })
		}
		if has == (out[place] != "") {
			t.Errorf("%s: there is %t, note is %q", place, has, out[place])
		}
		if !has && !strings.Contains(out[place], "operations of generator/overlay.json") && !strings.Contains(out[place], "name it with -name /") {
			t.Errorf("note without a cure: %s", out[place])
		}
	}
	for _, f := range result.Files {
		for _, goos := range []string{"linux", "windows", "js"} {
			ctx := build.Default
			ctx.GOOS, ctx.GOARCH = goos, "amd64"
			ctx.OpenFile = func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(string(f.Content))), nil }
			if match, err := ctx.MatchFile(path.Dir(f.Path), path.Base(f.Path)); strings.HasSuffix(f.Path, ".go") && (err != nil || !match) {
				t.Errorf("%s is not for %s: %v", f.Path, goos, err)
			}
		}
	}
}

// generatedFrom adopts a source and generates from the result, in memory. Nothing may be declared twice.
func generatedFrom(t *testing.T, dir, file string) *generator.Result {
	t.Helper()
	if _, err := Update(t.Context(), options(dir, file)); err != nil {
		t.Fatal(err)
	}
	result, err := generator.Generate(generator.Config{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"gocardless", "gocardless/gocardlesstest/internal/api", "internal/contract", "cmd/gcpro/internal/spec"} {
		for name, files := range declarations(t, dir, part) {
			if len(files) > 1 && name != "init" && name != "_" {
				t.Errorf("%s is declared in %q", name, files)
			}
		}
	}
	return result
}

// declarations lists what the files of a package declare, methods with their types, by name.
func declarations(t *testing.T, dir, part string) map[string][]string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, filepath.FromSlash(part)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, filepath.FromSlash(part), e.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f.Name.Name, "_test") {
			continue
		}
		for _, decl := range f.Decls {
			for _, name := range generator.Declared(decl) {
				out[name] = append(out[name], e.Name())
			}
		}
	}
	return out
}
