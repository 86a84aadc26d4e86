package generator_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gocardless-community/gocardless-go/generator"
	"github.com/gocardless-community/gocardless-go/generator/emit"
	"github.com/gocardless-community/gocardless-go/internal/testmodule"
)

const root = ".."

func generate(t *testing.T, cfg generator.Config) *generator.Result {
	t.Helper()
	cfg.Root = root
	result, err := generator.Generate(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

var made *generator.Result

// current returns what the generator makes of the committed schema.
func current(t *testing.T) *generator.Result {
	t.Helper()
	if made == nil {
		made = generate(t, generator.Config{})
	}
	return made
}

// The committed files are what the generator makes of the committed schema.
func TestUpToDate(t *testing.T) {
	differences, err := current(t).Check()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range differences {
		t.Errorf("%s: run go generate and commit the result", d)
	}
}

func TestDeterministic(t *testing.T) {
	first, second := current(t), generate(t, generator.Config{})
	for i, f := range first.Files {
		if !bytes.Equal(f.Content, second.Files[i].Content) {
			t.Errorf("%s differs between two runs", f.Path)
		}
	}
}

// The counts of an old snapshot never change, so that a lost operation is noticed.
func TestSummary(t *testing.T) {
	got := generate(t, generator.Config{Schema: "../schema/history/2026-06-17.json", Out: t.TempDir()}).Summary()
	if want := "137 operations, 138 methods, 45 services, 29 iterators, "; !strings.HasPrefix(got, want) {
		t.Errorf("summary is %q, want it to start with %q", got, want)
	}
}

// A change of one field makes the check fail, and writing mends it. The change is made in a copy.
func TestDriftIsFoundAndMended(t *testing.T) {
	dir := testmodule.Small(t)
	run := func() *generator.Result {
		result, err := generator.Generate(generator.Config{Root: dir})
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	if _, err := run().Write(); err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(dir, "gocardless", "old_gen.go")
	byHand := filepath.Join(dir, "gocardless", "mine_gen.go")
	firstLine, _, _ := strings.Cut(string(read(t, filepath.Join(dir, "gocardless", "api_payments_gen.go"))), "\n")
	write(t, stale, firstLine+"\n\npackage gocardless\n")
	write(t, byHand, "package gocardless\n")

	schema := filepath.Join(dir, "schema", "gocardless.json")
	edit(t, schema, func(doc map[string]any) {
		payment := doc["components"].(map[string]any)["schemas"].(map[string]any)["Payment"].(map[string]any)
		payment["properties"].(map[string]any)["shade"] = map[string]any{"type": "string"}
	})
	differences, err := run().Check()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, d := range differences {
		found[d.Path] = d.What
	}
	want := map[string]string{
		"gocardless/api_payments_gen.go": "differs", "internal/contract/payments_gen_test.go": "differs",
		"generator/names.lock": "differs", "gocardless/old_gen.go": "is no longer generated",
		"gocardless/gocardlesstest/internal/api/tables_gen.go": "differs",
		"cmd/gcpro/internal/spec/operations_gen.go":            "differs",
	}
	for path, what := range want {
		if found[path] != what {
			t.Errorf("%s: reported %q, want %q", path, found[path], what)
		}
	}
	for path := range found {
		if want[path] == "" {
			t.Errorf("%s reported without cause", path)
		}
	}
	changed, err := run().Write()
	if err != nil {
		t.Fatal(err)
	}
	if len(changed) != len(want) {
		t.Errorf("wrote %v", changed)
	}
	if differences, err = run().Check(); err != nil || len(differences) > 0 {
		t.Errorf("after writing: %v, %v", differences, err)
	}
	if _, err := os.Stat(stale); !os.IsNotExist(err) {
		t.Errorf("the stale file is still there: %v", err)
	}
	if _, err := os.Stat(byHand); err != nil {
		t.Errorf("a file without the generator's line was removed: %v", err)
	}
}

// A name that users know may not change by accident.
func TestRenameIsRefused(t *testing.T) {
	dir := testmodule.Small(t, "go.mod", "schema", "generator", "templates")
	edit(t, filepath.Join(dir, "generator", "overlay.json"), func(doc map[string]any) {
		doc["names"] = []any{map[string]any{"pointer": "/components/schemas/Payment/properties/amount", "name": "Sum", "reason": "test"}}
	})
	_, err := generator.Generate(generator.Config{Root: dir})
	if err == nil || !strings.Contains(err.Error(), "/components/schemas/Payment/properties/amount: the Go name Payment.Amount would become Payment.Sum") {
		t.Errorf("error is %v", err)
	}
	if _, err := generator.Generate(generator.Config{Root: dir, AllowRenames: true}); err != nil {
		t.Errorf("with renames allowed: %v", err)
	}
}

// Query parameters are identified by their wire names: adding or removing one leaves the names of the
// others unchanged.
func TestParametersAreKnownByTheirName(t *testing.T) {
	dir := testmodule.Small(t, "go.mod", "schema", "generator", "templates")
	edit(t, filepath.Join(dir, "schema", "gocardless.json"), func(doc map[string]any) {
		list := doc["paths"].(map[string]any)["/payments"].(map[string]any)["get"].(map[string]any)
		parameters := slices.DeleteFunc(list["parameters"].([]any), func(p any) bool { return p.(map[string]any)["name"] == "customer" })
		list["parameters"] = append([]any{map[string]any{"name": "bank_test", "in": "query", "schema": map[string]any{"type": "string"}}}, parameters...)
	})
	result, err := generator.Generate(generator.Config{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(result.Files, func(f emit.File) bool { return f.Path == "generator/names.lock" })
	want := strings.Replace(string(read(t, filepath.Join(dir, "generator", "names.lock"))), "GET /payments query.customer PaymentListParams.Customer\n", "", 1)
	want = strings.Replace(want, "GET /payments query.before ", "GET /payments query.bank_test PaymentListParams.BankTest\nGET /payments query.before ", 1)
	if got := string(result.Files[i].Content); got != want {
		t.Errorf("names.lock differs (-want +got):\n%s", cmp.Diff(want, got))
	}
}

// A broken schema is an error with its place, and nothing is written.
func TestBrokenSchemaWritesNothing(t *testing.T) {
	dir := t.TempDir()
	copyTree(t, dir, "go.mod", "schema", "generator/overlay.json", "generator/examples.json", "generator/official.json", "templates")
	schema := filepath.Join(dir, "schema", "gocardless.json")
	whole := read(t, schema)
	for name, c := range map[string]struct {
		content string
		want    string
	}{
		"truncated":       {string(whole[:len(whole)/2]), "not JSON"},
		"broken ref":      {strings.Replace(string(whole), "#/components/schemas/PaymentLinks", "#/components/schemas/Nothing", 1), "/components/schemas/Payment/properties/links/$ref"},
		"not OpenAPI":     {`{"hello": "world"}`, "schema"},
		"empty":           {"", "not JSON"},
		"unknown keyword": {strings.Replace(string(whole), `"minLength": 6`, `"minLength": 6, "contentEncoding": "base64"`, 1), "contentEncoding is not supported here"},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, schema, c.content)
			_, err := generator.Generate(generator.Config{Root: dir})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one with %q", err, c.want)
			}
			if _, err := os.Stat(filepath.Join(dir, "gocardless")); !os.IsNotExist(err) {
				t.Errorf("something was written: %v", err)
			}
		})
	}
}

// copyTree copies files and directories of the module.
func copyTree(t *testing.T, to string, paths ...string) {
	t.Helper()
	for _, path := range paths {
		source, target := filepath.Join(root, path), filepath.Join(to, path)
		info, err := os.Stat(source)
		if err != nil {
			t.Fatal(err)
		}
		if info.IsDir() {
			if err := os.CopyFS(target, os.DirFS(source)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		write(t, target, string(read(t, source)))
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func edit(t *testing.T, path string, change func(map[string]any)) {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(read(t, path), &doc); err != nil {
		t.Fatal(err)
	}
	change(doc)
	data, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(data))
}
