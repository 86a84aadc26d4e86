package gocardlessgo_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The tables of docs/architecture.md name each directory that has Go code, and nothing that is not there.
func TestArchitectureNamesEveryPackage(t *testing.T) {
	page, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, cell := range regexp.MustCompile("(?m)^\\| (`[^|]+`) \\|").FindAllStringSubmatch(string(page), -1) {
		for _, path := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cell[1], -1) {
			named[strings.TrimSuffix(path[1], "/")] = true
		}
	}
	if len(named) == 0 {
		t.Fatal("docs/architecture.md has no table of packages")
	}
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || path == "." {
			return err
		}
		if name := d.Name(); name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") {
			return fs.SkipDir
		}
		code, err := filepath.Glob(filepath.Join(path, "*.go"))
		if path = filepath.ToSlash(path); len(code) > 0 && !named[path] {
			t.Errorf("docs/architecture.md does not name %s: add it to a table, with what is in it", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for path := range named {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("docs/architecture.md names %s: %v", path, err)
		}
	}
}
