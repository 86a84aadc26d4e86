package generator_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gocardless-community/gocardless-go/generator/emit"
	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/generator/load"
)

var update = flag.Bool("update", false, "write golden files instead of comparing them")

// cases lists the directories below testdata/kind.
func cases(t *testing.T, kind string) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join("testdata", kind, "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no cases in testdata/%s: %v", kind, err)
	}
	return dirs
}

func loadCase(dir string) (*ir.API, error) {
	schema, err := os.ReadFile(filepath.Join(dir, "schema.json"))
	if err != nil {
		return nil, err
	}
	overlay, err := os.ReadFile(filepath.Join(dir, "overlay.json"))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	return load.Load(load.Input{Schema: schema, Overlay: overlay, ModulePath: "example.com/test"})
}

// TestGolden compares the code of small documents with the files next to them. Run it with -update after an
// intended change.
func TestGolden(t *testing.T) {
	for _, dir := range cases(t, "golden") {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			api, err := loadCase(dir)
			if err != nil {
				t.Fatal(err)
			}
			files, err := emit.SDK(api)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				want := filepath.Join(dir, "want", filepath.Base(f.Path)+".golden")
				if *update {
					if err := os.MkdirAll(filepath.Dir(want), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(want, f.Content, 0o644); err != nil {
						t.Fatal(err)
					}
					continue
				}
				golden, err := os.ReadFile(want)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(golden), string(f.Content)); diff != "" {
					t.Errorf("%s (-golden +generated):\n%s", f.Path, diff)
				}
			}
		})
	}
}

// OpenAPI 3.0 and 3.1 spell null differently; both spellings become the same code.
func TestBothSpellingsOfNull(t *testing.T) {
	var sources [2]string
	for i, dir := range []string{"null_3_0", "null_3_1"} {
		api, err := loadCase(filepath.Join("testdata", "golden", dir))
		if err != nil {
			t.Fatal(err)
		}
		files, err := emit.SDK(api)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			sources[i] += string(f.Content)
		}
	}
	if diff := cmp.Diff(sources[0], sources[1]); diff != "" {
		t.Errorf("(-3.0 +3.1):\n%s", diff)
	}
}

// TestRefused loads documents that the generator must refuse. The error contains the line in
// want.txt.
func TestRefused(t *testing.T) {
	for _, dir := range cases(t, "errors") {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			want, err := os.ReadFile(filepath.Join(dir, "want.txt"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = loadCase(dir)
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), strings.TrimSpace(string(want))) {
				t.Errorf("error is\n%v\nwant\n%s", err, want)
			}
		})
	}
}
