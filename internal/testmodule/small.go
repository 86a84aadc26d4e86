package testmodule

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gocardless-community/gocardless-go/generator"
	"github.com/gocardless-community/gocardless-go/generator/emit"
	"github.com/gocardless-community/gocardless-go/generator/load"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// Small copies this module as if the API had only payments and events: a tenth of the description, the code
// generated from it, and the sandbox's handlers of the two. It copies the parts with the given paths below
// the module's root, or everything if there are none.
func Small(t testing.TB, parts ...string) (dir string) {
	t.Helper()
	small.once.Do(func() { small.files = makeSmall(t) })
	if small.files == nil {
		t.Fatal("there is no small module: see the first failing test")
	}
	dir = t.TempDir()
	for name, content := range small.files {
		if len(parts) == 0 || slices.ContainsFunc(parts, func(part string) bool { return name == part || strings.HasPrefix(name, part+"/") }) {
			Write(t, filepath.Join(dir, filepath.FromSlash(name)), content)
		}
	}
	return dir
}

// small holds the files of the small module by path. Generating them takes longer than writing them.
var small struct {
	once  sync.Once
	files map[string][]byte
}

func makeSmall(t testing.TB) map[string][]byte {
	t.Helper()
	dir := Copy(t, "go.mod", "go.sum", "README.md", emit.MigrationGuidePath, schemaFile, historyDir, "schema/catalogue.json", "templates", "cmd/gcpro/go.mod",
		"gocardless/gocardlesstest/event.go", "gocardless/gocardlesstest/payment.go", "gocardless/internal", "generator/overlay.json", "generator/examples.json", "generator/official.json")
	written, err := filepath.Glob(filepath.Join(root(t), "gocardless", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range written {
		name := path.Join("gocardless", filepath.Base(file))
		if !strings.HasSuffix(name, "_test.go") && !strings.HasSuffix(name, "_gen.go") {
			Write(t, filepath.Join(dir, name), settled(t, name, readFile(t, file)))
		}
	}
	history, err := filepath.Glob(filepath.Join(dir, historyDir, "*.json"))
	if err != nil || len(history) < 7 {
		t.Fatalf("history: %v, %v", history, err)
	}
	for _, file := range append(history, filepath.Join(dir, schemaFile)) {
		whole, err := jsontree.Parse(readFile(t, file))
		if err != nil {
			t.Fatal(err)
		}
		Write(t, file, smallPart(whole).Format())
	}
	withoutStale(t, dir)
	result, err := generator.Generate(generator.Config{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := result.Write(); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	tree := os.DirFS(dir)
	err = fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name], err = fs.ReadFile(tree, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// smallPart reduces a document to payments and events. It drops the linked resources of events, which are
// nearly the whole API.
func smallPart(document *jsontree.Value) *jsontree.Value {
	resources := []string{"events", "payments"}
	document.Get("paths").Walk(func(_ string, v *jsontree.Value) { v.Delete("linked") })
	tags := document.Get("tags")
	tags.Items = slices.DeleteFunc(tags.Items, func(tag *jsontree.Value) bool { return !slices.Contains(resources, tag.Get("name").Str()) })
	return Part(document, func(path string) bool {
		resource, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		return slices.Contains(resources, resource)
	})
}

// withoutStale removes the entries of a module's overlay that match nothing in its description.
func withoutStale(t testing.TB, dir string) {
	t.Helper()
	_, stale, err := generator.Read(generator.Config{Root: dir}, readFile(t, filepath.Join(dir, schemaFile)))
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "generator", "overlay.json")
	text, err := load.Without(readFile(t, overlay), stale)
	if err != nil {
		t.Fatal(err)
	}
	Write(t, overlay, text)
}

func readFile(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
