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

// Small copies this module as it would be if the API had payments and events alone: a tenth of the
// description, and everything that is generated from it. Of the sandbox it has what serves the two.
// Parts of the module are named from its root; none means all of it.
func Small(t testing.TB, parts ...string) (dir string) {
	t.Helper()
	small.once.Do(func() { small.files = makeSmall(t) })
	if small.files == nil {
		t.Fatal("there is no small module: see the first test that asked for it")
	}
	dir = t.TempDir()
	for name, content := range small.files {
		if len(parts) == 0 || slices.ContainsFunc(parts, func(part string) bool { return name == part || strings.HasPrefix(name, part+"/") }) {
			Write(t, filepath.Join(dir, filepath.FromSlash(name)), content)
		}
	}
	return dir
}

// small has the files of the small module, by path. Making them takes longer than writing them.
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

// smallPart leaves the resources that events may link to out of them: that is nearly the whole API.
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

// withoutStale takes the entries out of a module's overlay that its description gives nothing to do.
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
