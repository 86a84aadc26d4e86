package release

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/generator"
)

// tree is a copy of the module that tests update.
type tree struct {
	*testing.T
	dir string
}

func (t tree) read(name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(t.dir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func (t tree) write(name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(t.dir, filepath.FromSlash(name)), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// update updates the tree, which must work.
func (t tree) update(file string) *Updated {
	t.Helper()
	done, err := Update(t.Context(), options(t.dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// checkWhole fails the test if the tree is not what a full run writes, or not complete.
func (t tree) checkWhole() {
	t.Helper()
	result, err := generator.Generate(generator.Config{Root: t.dir})
	if err != nil {
		t.Fatal(err)
	}
	if differences, err := result.Check(); err != nil || len(differences) > 0 {
		t.Errorf("not up to date: %v, %v", differences, err)
	}
	if text, err := Changelog(t.dir); err != nil || string(text) != t.read("CHANGELOG.md") {
		t.Errorf("the changelog is not what a full run writes: %v", err)
	}
	if err := Complete(t.dir); err != nil {
		t.Errorf("an update is not complete: %v", err)
	}
}

// checkMissing fails the test if a commit may lack the new content of a file: if it still has the old one,
// or does not exist.
func (t tree) checkMissing(name, old string) {
	t.Helper()
	whole := t.read(name)
	if old != "" {
		t.write(name, old)
	} else if err := os.Remove(filepath.Join(t.dir, filepath.FromSlash(name))); err != nil {
		t.Fatal(err)
	}
	if err := Complete(t.dir); err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("without the new %s: %v", name, err)
	}
	t.write(name, whole)
}
