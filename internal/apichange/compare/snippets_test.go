package compare

import (
	"os"
	"testing"

	"github.com/gocardless-community/gocardless-go/generator/load"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

func parseFile(t testing.TB, file string) *jsontree.Value {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	root, err := jsontree.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// whole returns the overlay and the catalogue with which the SDK is generated.
func whole(t testing.TB) load.Input {
	t.Helper()
	overlay, err := os.ReadFile("../../../generator/overlay.json")
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := os.ReadFile(schemaDir + "/catalogue.json")
	if err != nil {
		t.Fatal(err)
	}
	return load.Input{Overlay: overlay, Catalogue: catalogue}
}

// The code in the reports on the API's history compiles with the SDK of its day.
func TestHistorySnippets(t *testing.T) {
	if testing.Short() {
		t.Skip("generates the SDK once for each snapshot")
	}
	var before *code
	for _, file := range snapshots(t) {
		after := generated(t, parseFile(t, file), whole(t))
		if after.err != nil {
			t.Fatalf("%s: %v", file, after.err)
		}
		if before != nil {
			compileSnippets(t, ours(*before, after), *before, after)
			compileSnippets(t, ours(after, *before), after, *before)
		}
		before = &after
	}
}

// The code in the reports on the mutations compiles as well, in both directions.
func TestMutationSnippets(t *testing.T) {
	if testing.Short() {
		t.Skip("generates the SDK once for each mutation")
	}
	base := part(t)
	old := generated(t, base, load.Input{})
	if old.err != nil {
		t.Fatal(old.err)
	}
	for _, m := range mutations {
		if m.class != Breaking && m.class != Addition {
			continue // no code to show, this way or back
		}
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			root := base.Clone()
			m.edit(edit{t, root})
			revised := generated(t, root, load.Input{})
			compileSnippets(t, ours(old, revised), old, revised)
			compileSnippets(t, ours(revised, old), revised, old)
		})
	}
}
