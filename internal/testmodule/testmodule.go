// Package testmodule copies parts of this module for tests that change it. A copy is always at version
// 0.1.0, and no description in it is marked for rewriting, so that an update of the API does not break the
// tests.
package testmodule

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/generator"
	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/internal/apichange/adopt"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// Later is a date after that of every snapshot.
const Later = "2099-03-04"

const (
	schemaFile  = "schema/gocardless.json"
	historyDir  = "schema/history"
	versionFile = "gocardless/version.go"
)

// Everything lists what an update reads and writes. Of the history it has only the last snapshot, because
// each one slows the changelog down.
func Everything(t testing.TB) []string {
	t.Helper()
	history, err := filepath.Glob(filepath.Join(root(t), historyDir, "*.json"))
	if err != nil || len(history) == 0 {
		t.Fatalf("history: %v, %v", history, err)
	}
	return []string{
		"go.mod", "go.sum", "README.md", schemaFile, "schema/catalogue.json", path.Join(historyDir, filepath.Base(slices.Max(history))),
		"templates", "gocardless", "internal/contract", "docs", "generator/overlay.json", "generator/examples.json", "generator/official.json", "generator/names.lock",
		"cmd/gcpro/go.mod", "cmd/gcpro/internal/spec/operations_gen.go",
	}
}

// Copy copies the files and directories with the given paths below the module's root into a new directory.
// It leaves out handwritten tests, testdata and migration guides.
func Copy(t testing.TB, parts ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, part := range parts {
		err := filepath.WalkDir(filepath.Join(root(t), filepath.FromSlash(part)), func(file string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "testdata" || d.Name() == "migrations"):
				return fs.SkipDir
			case d.IsDir(), strings.HasSuffix(file, "_test.go") && !strings.HasSuffix(file, "_gen_test.go"):
				return nil
			}
			name, err := filepath.Rel(root(t), file)
			if err != nil {
				return err
			}
			Write(t, filepath.Join(dir, name), settled(t, filepath.ToSlash(name), readFile(t, file)))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var version = regexp.MustCompile(`(const Version = )"[^"]*"`)

// settled replaces what a file states of the current release and of unfinished descriptions.
func settled(t testing.TB, name string, data []byte) []byte {
	t.Helper()
	switch name {
	case versionFile:
		return version.ReplaceAll(data, []byte(`${1}"0.1.0"`))
	case schemaFile:
		v, err := jsontree.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		if len(adopt.Unwritten(v)) == 0 {
			return data
		}
		v.Walk(func(_ string, v *jsontree.Value) {
			v.Delete(adopt.SourceKey)
			v.Delete(adopt.ValueSourceKey)
		})
		return v.Format()
	}
	return data
}

// Releasable adds to a copy what a release after an update needs: an example for each method that has
// none, and the list filters that the sandbox does not serve.
func Releasable(t testing.TB, dir string) {
	t.Helper()
	api, err := generator.Load(generator.Config{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	missing, err := generator.MissingExamples(dir, api)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "generator", "examples.json")
	examples, err := jsontree.Parse(readFile(t, file))
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range missing {
		service, name, _ := strings.Cut(method, ".")
		if !examples.Has(service) {
			examples.Set(service, jsontree.NewObject())
		}
		examples.Get(service).Set(name, jsontree.NewObject(jsontree.Member{Name: "output", Value: jsontree.NewStrings("true")}))
	}
	Write(t, file, examples.Format())
	serveFilters(t, dir, api)
}

// serveFilters registers the list filters that the sandbox of a copy does not serve.
func serveFilters(t testing.TB, dir string, api *ir.API) {
	t.Helper()
	gaps, err := generator.SandboxGaps(dir, api)
	if err != nil {
		t.Fatal(err)
	}
	code := "package gocardlesstest\n\nfunc newFilters(r *registry) {\n"
	for _, f := range gaps.Filters {
		code += fmt.Sprintf("\tr.filter(%q, %q, nil)\n", f.Operation, f.Name)
	}
	if len(gaps.Filters) > 0 {
		Write(t, filepath.Join(dir, "gocardless", "gocardlesstest", "new_filters.go"), []byte(code+"}\n"))
	}
}

// Write writes a file, and creates its directory if there is none.
func Write(t testing.TB, file string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Digest returns the hash of every file below a directory, so that a test can compare them later.
func Digest(t testing.TB, dir string) map[string][32]byte {
	t.Helper()
	out := map[string][32]byte{}
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(file)
		out[file] = sha256.Sum256(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Schema reads a module's current snapshot.
func Schema(t testing.TB, dir string) *jsontree.Value {
	t.Helper()
	v, err := jsontree.Parse(readFile(t, filepath.Join(dir, filepath.FromSlash(schemaFile))))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Part returns a copy of a document with some of its paths and the schemas that they need.
func Part(document *jsontree.Value, keep func(path string) bool) *jsontree.Value {
	out := document.Clone()
	paths, schemas := out.Get("paths"), out.At("/components/schemas")
	paths.Members = slices.DeleteFunc(paths.Members, func(m jsontree.Member) bool { return !keep(m.Name) })
	used := map[string]bool{}
	var mark func(v *jsontree.Value)
	mark = func(v *jsontree.Value) {
		v.Walk(func(_ string, v *jsontree.Value) {
			if name, ok := strings.CutPrefix(v.Get("$ref").Str(), ir.SchemaPrefix); ok && !used[name] {
				used[name] = true
				mark(schemas.Get(name))
			}
		})
	}
	mark(paths)
	mark(out.At("/components/responses"))
	schemas.Members = slices.DeleteFunc(schemas.Members, func(m jsontree.Member) bool { return !used[m.Name] })
	return out
}

// Date returns the date of a module's current snapshot.
func Date(t testing.TB, dir string) string {
	t.Helper()
	return Schema(t, dir).At("/info/x-schema-date").Str()
}

// Path returns the path of this module.
func Path(t testing.TB) string {
	t.Helper()
	path, err := generator.ModulePath(readFile(t, filepath.Join(root(t), "go.mod")))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// root finds the directory of this module's go.mod. A test that has left its package's directory cannot
// make another copy.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod here or above")
		}
		dir = filepath.Dir(dir)
	}
}

// Main runs the tests of a package that generates much. As in cmd/gen, collecting garbage less often makes
// them faster.
func Main(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
