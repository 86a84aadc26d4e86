package release

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/generator"
	"github.com/gocardless-community/gocardless-go/internal/apichange/compare"
	"github.com/gocardless-community/gocardless-go/internal/testmodule"
)

// From the oldest snapshot on, each one is adopted by the command without a flag. The known breaks
// are major, each step type-checks, and the Go names at the end are the vendored ones.
func TestHistoryIsUpdatedTo(t *testing.T) {
	if testing.Short() {
		t.Skip("eight updates: left out by -short")
	}
	files, err := snapshots(root)
	if err != nil {
		t.Fatal(err)
	}
	dir := testmodule.Copy(t, testmodule.Everything(t)...)
	for _, path := range []string{"schema/history", "generator/names.lock", "CHANGELOG.md"} {
		if err := os.RemoveAll(filepath.Join(dir, path)); err != nil {
			t.Fatal(err)
		}
	}
	testmodule.Write(t, filepath.Join(dir, schemaFile), read(t, files[0]))
	first, err := generator.Generate(generator.Config{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Write(); err != nil {
		t.Fatal(err)
	}
	breaking := []string{"2025-05-21", "2025-06-11", "2025-06-23"}
	for _, file := range files[1:] {
		date := strings.TrimSuffix(filepath.Base(file), ".json")
		done, err := Update(t.Context(), UpdateOptions{Root: dir, Source: file, Words: true, Now: time.Now})
		if err != nil {
			t.Fatalf("%s: %v", date, err)
		}
		if slices.Contains(breaking, date) && done.Report.Bump != compare.Major {
			t.Errorf("%s: %s, want major", date, done.Report.Bump)
		}
		if done.Report.Go == nil || done.Report.Go.Unavailable != "" {
			t.Errorf("%s: the Go API was not compared: %+v", date, done.Report.Go)
		}
		t.Logf("%s: %s, %s -> %s, %d changes", date, done.Report.Bump, done.Old, done.New, len(done.Report.Changes))
	}
	got, want := read(t, filepath.Join(dir, "generator/names.lock")), read(t, filepath.Join(root, "generator/names.lock"))
	if string(got) != string(want) {
		t.Errorf("the names at the end differ:\n%s", lineDifferences(string(want), string(got)))
	}
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// lineDifferences lists the lines that only one of two strings has.
func lineDifferences(want, got string) string {
	has := func(text string) map[string]bool {
		lines := map[string]bool{}
		for line := range strings.Lines(text) {
			lines[line] = true
		}
		return lines
	}
	var b strings.Builder
	wanted, gotten := has(want), has(got)
	for line := range strings.Lines(want) {
		if !gotten[line] {
			b.WriteString("- " + line)
		}
	}
	for line := range strings.Lines(got) {
		if !wanted[line] {
			b.WriteString("+ " + line)
		}
	}
	return b.String()
}
