package oasdiff

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

const schemaDir = "../../../../schema"

func plainDocument(t *testing.T, file string) *jsontree.Value {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsontree.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return plain(v)
}

// Removing the parts that are the same loses no finding.
func TestDiffering(t *testing.T) {
	if testing.Short() {
		t.Skip("compares many whole descriptions")
	}
	files, err := filepath.Glob(schemaDir + "/history/*.json")
	if err != nil || len(files) < 7 {
		t.Fatalf("history: %v, %v", files, err)
	}
	files = append(files, schemaDir+"/gocardless.json")
	for _, i := range []int{4, 6, len(files) - 1} { // steps with many findings
		old, revised := plainDocument(t, files[i-1]), plainDocument(t, files[i])
		want, err := findings(old, revised)
		if err != nil {
			t.Fatal(err)
		}
		before := len(old.Compact())
		differing(old, revised)
		got, err := findings(old, revised)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-whole +differing):\n%s", files[i], diff)
		}
		t.Logf("%s: %d findings in %d of %d bytes", filepath.Base(files[i]), len(got), len(old.Compact()), before)
	}
}
