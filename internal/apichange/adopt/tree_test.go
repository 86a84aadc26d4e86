package adopt_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/generator"
	"github.com/gocardless-community/gocardless-go/internal/apichange/adopt"
	"github.com/gocardless-community/gocardless-go/internal/apichange/release"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
	"github.com/gocardless-community/gocardless-go/internal/testmodule"
)

// The change of September 2026 results in the same files, byte for byte, from a description in our form and
// from one in the vendor's form and in YAML. Applied again, as JSON, it changes nothing more.
func TestSeptemberGivesTheSameTree(t *testing.T) {
	if testing.Short() {
		t.Skip("several updates")
	}
	ours := adopt.September(t)
	adopt.StripWords(ours) // they differ: in one form they belong to the place, in the other to the schema
	theirs := ours.Clone()
	adopt.AsVendor(theirs)
	ours.Get("info").Set("x-schema-date", jsontree.NewString("2026-09-23")) // the mark of our form

	first, second := beforeSeptember(t), t.TempDir()
	if err := os.CopyFS(second, os.DirFS(first)); err != nil {
		t.Fatal(err)
	}
	before := tree(t, first)
	source := filepath.Join(t.TempDir(), "source")
	update := func(dir string, text []byte) *release.Updated {
		t.Helper()
		testmodule.Write(t, source, text)
		day := func() time.Time { return time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) }
		done, err := release.Update(t.Context(), release.UpdateOptions{Root: dir, Source: source, Date: "2026-09-23", Now: day})
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	update(first, ours.Format())
	done := update(second, adopt.ToYAML(t, theirs))
	want, got := tree(t, first), tree(t, second)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if want[name] != got[name] {
			t.Errorf("%s differs", name)
		}
	}
	if len(want) != len(got) {
		t.Errorf("%d files from our form, %d from the vendor's", len(want), len(got))
	}
	if maps.Equal(want, before) || len(done.Report.Changes) < 20 {
		t.Errorf("the update reports %d changes", len(done.Report.Changes))
	}
	if again := update(second, theirs.Format()); again.Report != nil || !maps.Equal(tree(t, second), got) {
		t.Errorf("the second time, the update changes %v", again.Files)
	}
}

// beforeSeptember returns a copy of the module with the description before the change.
func beforeSeptember(t *testing.T) string {
	t.Helper()
	dir := testmodule.Copy(t, testmodule.Everything(t)...)
	past, err := os.ReadFile("../../../schema/history/2026-08-13.json")
	if err != nil {
		t.Fatal(err)
	}
	testmodule.Write(t, filepath.Join(dir, "schema", "gocardless.json"), past)
	for _, name := range []string{"schema/history", "generator/names.lock"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	result, err := generator.Generate(generator.Config{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := result.Write(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tree returns the digest of every file by its name in the module.
func tree(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	out := map[string][32]byte{}
	for name, digest := range testmodule.Digest(t, dir) {
		out[strings.TrimPrefix(name, dir)] = digest
	}
	return out
}
