package main

import (
	"os"
	"strings"
	"testing"
)

func TestChangelogOfThisModule(t *testing.T) {
	if testing.Short() {
		t.Skip("compares all snapshots; make check does, too")
	}
	if status, stdout, stderr := gen("changelog", "-check"); status != 0 || stdout != "CHANGELOG.md is up to date\n" || stderr != "" {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

func TestChangelogUsage(t *testing.T) {
	for _, args := range [][]string{{"changelog", "extra"}, {"changelog", "-nonsense"}} {
		if status, stdout, stderr := gen(args...); status != 2 || stdout != "" || stderr == "" {
			t.Errorf("%v: status %d, stdout %q, stderr %q", args, status, stdout, stderr)
		}
	}
}

func TestChangelog(t *testing.T) {
	if testing.Short() {
		t.Skip("compares all snapshots")
	}
	module(t)
	whole := readFile(t, "CHANGELOG.md")

	// -check reports a stale section; without it, the command mends the section.
	writeFile(t, "CHANGELOG.md", strings.Replace(whole, "API description of", "A description of", 1))
	if status, stdout, stderr := gen("changelog", "-check"); status != 1 || stdout != "" || !strings.Contains(stderr, "CHANGELOG.md is not up to date: run go run ./cmd/gen changelog") {
		t.Errorf("stale: status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	if text := readFile(t, "CHANGELOG.md"); !strings.Contains(text, "A description of") {
		t.Error("-check wrote the file")
	}
	if status, stdout, stderr := gen("changelog"); status != 0 || stdout != "wrote CHANGELOG.md\n" || stderr != "" {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	if readFile(t, "CHANGELOG.md") != whole {
		t.Error("the text was not restored")
	}

	// A missing file is written from scratch.
	if err := os.Remove("CHANGELOG.md"); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := gen("changelog", "-check"); status != 1 || stderr == "" {
		t.Errorf("missing: status %d, stderr %q", status, stderr)
	}
	if status, _, stderr := gen("changelog"); status != 0 || stderr != "" {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
	if text := readFile(t, "CHANGELOG.md"); text != whole {
		t.Error("the rewritten file differs")
	}

	// A damaged mark is an error and leaves the file unchanged.
	damaged := strings.Replace(whole, "<!-- end of snapshot 2026-06-17 -->\n", "", 1)
	writeFile(t, "CHANGELOG.md", damaged)
	if status, stdout, stderr := gen("changelog"); status != 1 || stdout != "" || !strings.Contains(stderr, "CHANGELOG.md: line ") || !strings.Contains(stderr, "has no end") {
		t.Errorf("damaged: status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	if readFile(t, "CHANGELOG.md") != damaged {
		t.Error("the damaged file was changed")
	}

	// A description that cannot be read is an error too.
	writeFile(t, "CHANGELOG.md", whole)
	writeFile(t, "schema/history/2026-06-17.json", "{")
	if status, stdout, stderr := gen("changelog"); status != 1 || stdout != "" || !strings.Contains(stderr, "2026-06-17.json") {
		t.Errorf("broken description: status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}
