package gocardlessgo_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

// Some rules are short enough to be written again by accident. Each has its place; everything else calls
// that place.
func TestRulesStandInOnePlace(t *testing.T) {
	path := `"` + regexp.QuoteMeta(module) + `[/"]`
	rules := []struct {
		name   string
		form   *regexp.Regexp // gives it away
		places []string
	}{
		// The SDK imports nothing from outside its directory, and what is outside cannot import its internals.
		{"escaping a JSON pointer", regexp.MustCompile(`"~[01]"`), []string{"gocardless/internal/jsonpointer", "internal/jsontree"}},
		// A description comes over plain HTTP only from an address, whatever the names of this machine.
		{"what is loopback", regexp.MustCompile(`\.IsLoopback\(|"\.localhost"`), []string{"gocardless/internal/loopback", "internal/apichange/adopt"}},
		// Neither the command nor an example to copy from can import the SDK's internals, so all three have the same line.
		{"what a spreadsheet executes", regexp.MustCompile(regexp.QuoteMeta(`(strings.TrimLeft(cell, " \u00a0\u3000"), "=+-@\t\r\n＝＋－＠") == 0 {`)),
			[]string{"cmd/gcpro/internal/render", "examples/membership", "gocardless/reconcile"}},
		// It is in go.mod and in imports. The scope of telemetry is a name for its readers.
		{"the path of the module", regexp.MustCompile(`(?m)^[^"\n]*[=(,{+][^"\n]*` + path + `|^\s*` + path + `[^"\n]*"[^\n]`), []string{"integrations/otel"}},
	}
	found := make([][]string, len(rules))
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if name := d.Name(); err == nil && d.IsDir() && (name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") && path != ".") {
			return fs.SkipDir
		}
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_gen.go") || strings.HasSuffix(path, "_gen_test.go") || path == "architecture_test.go" {
			return err
		}
		text, err := os.ReadFile(path)
		for i, rule := range rules {
			if dir := filepath.ToSlash(filepath.Dir(path)); rule.form.Match(text) && !slices.Contains(found[i], dir) {
				found[i] = append(found[i], dir)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, rule := range rules {
		if !slices.Equal(found[i], rule.places) {
			t.Errorf("%s: written in %q, and should be in %q alone", rule.name, found[i], rule.places)
		}
	}
}
