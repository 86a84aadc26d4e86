package main

import (
	"os"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/internal/testmodule"
)

func TestReleaseUsage(t *testing.T) {
	for _, args := range [][]string{{"release", "v0.1.0"}, {"release", "-nonsense"}, {"release", "-tag"}} {
		if status, stdout, stderr := gen(args...); status != 2 || stdout != "" || stderr == "" {
			t.Errorf("%v: status %d, stdout %q, stderr %q", args, status, stdout, stderr)
		}
	}
}

// The notes of a release are the changelog's section for its version, with handwritten and generated parts.
func TestRelease(t *testing.T) {
	if testing.Short() {
		t.Skip("compares all snapshots")
	}
	module(t)
	testmodule.Releasable(t, ".")
	whole := readFile(t, "CHANGELOG.md")
	date := testmodule.Date(t, ".")
	writeFile(t, "CHANGELOG.md", strings.Replace(whole, "## [0.1.0] - "+date+"\n", "## [0.1.0] - "+date+"\n\nThe first release.\n", 1))
	for _, args := range [][]string{{"release"}, {"release", "-tag", "v0.1.0"}} {
		status, stdout, stderr := gen(args...)
		if status != 0 || stderr != "" || !strings.HasPrefix(stdout, "The first release.\n\nAPI description of "+date+",") || strings.Contains(stdout, "<!--") || strings.Contains(stdout, "## [") {
			t.Errorf("%v: status %d, stderr %q, stdout:\n%s", args, status, stderr, stdout)
		}
	}
	for tag, want := range map[string]string{
		"v0.2.0": "the tag is v0.2.0, but gocardless/version.go has 0.1.0",
		"0.1.0":  "the tag is 0.1.0, but",
		"vnext":  "the tag is vnext, but",
	} {
		if status, stdout, stderr := gen("release", "-tag", tag); status != 1 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d, stdout %q, stderr %q", tag, status, stdout, stderr)
		}
	}
	writeFile(t, "CHANGELOG.md", strings.Replace(whole, "API description of", "A description of", 1))
	if status, stdout, stderr := gen("release"); status != 1 || stdout != "" || !strings.Contains(stderr, "CHANGELOG.md is not up to date") {
		t.Errorf("stale changelog: status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	if err := os.Remove("CHANGELOG.md"); err != nil {
		t.Fatal(err)
	}
	if status, stdout, stderr := gen("release"); status != 1 || stdout != "" || !strings.Contains(stderr, "CHANGELOG.md") {
		t.Errorf("no changelog: status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}
