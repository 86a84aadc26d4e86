package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/internal/testmodule"
)

const (
	before = "../../schema/history/2025-06-11.json"
	after  = "../../schema/history/2025-06-23.json" // a removed operation, nothing else
)

func lastLine(s string) string {
	s = strings.TrimSuffix(s, "\n")
	return s[strings.LastIndexByte(s, '\n')+1:]
}

// The report goes to stdout and ends with the bump, whatever the status; the status depends on the most
// severe change.
func TestDiffFailOn(t *testing.T) {
	if testing.Short() {
		t.Skip("compares many whole descriptions")
	}
	for _, c := range []struct {
		args   string
		status int
		bump   string
		stderr string
	}{
		{before + " " + after, 0, "major", ""},
		{"-fail-on breaking " + before + " " + after, 1, "major", "gen: the worst change is of class breaking\n"},
		{before + " -fail-on documentation " + after, 1, "major", "gen: the worst change is of class breaking\n"},
		{after + " " + before + " -fail-on breaking", 0, "minor", ""},
		{"-fail-on behaviour " + after + " " + before, 0, "minor", ""},
		{"-fail-on addition " + after + " " + before, 1, "minor", "gen: the worst change is of class addition\n"},
		{"-fail-on documentation " + after + " " + after, 0, "none", ""},
		{"-format markdown -fail-on=breaking " + before + " " + after, 1, "major", "gen: the worst change is of class breaking\n"},
	} {
		t.Run(c.args, func(t *testing.T) {
			status, stdout, stderr := gen(append([]string{"diff", "-go=false"}, strings.Fields(c.args)...)...)
			if status != c.status || lastLine(stdout) != "bump: "+c.bump || stderr != c.stderr {
				t.Errorf("status %d, stderr %q, want %d and %q; stdout:\n%s", status, stderr, c.status, c.stderr, stdout)
			}
		})
	}
}

func TestDiffJSON(t *testing.T) {
	status, stdout, stderr := gen("diff", before, "-format", "json", "-fail-on", "breaking", after)
	var report struct {
		Old, New, Bump string
		Changes        []struct{ Class, Text string }
		Go             struct{ Incompatible []string }
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	if status != 1 || stderr == "" || report.Old != "2025-06-11" || report.New != "2025-06-23" || report.Bump != "major" || len(report.Changes) != 1 {
		t.Errorf("status %d, stderr %q, report %+v", status, stderr, report)
	}
	if want := "(*NegativeBalanceLimitService).Create: removed"; !strings.Contains(strings.Join(report.Go.Incompatible, "\n"), want) {
		t.Errorf("%q is missing in %q", want, report.Go.Incompatible)
	}
}

func TestDiffUsage(t *testing.T) {
	for _, args := range [][]string{
		{}, {before}, {before, after, after}, {"-since", "HEAD", before},
		{"-format", "xml", before, after}, {"-fail-on", "bad", before, after}, {"-fail-on", "Breaking", before, after},
		{"-check-version", before, after}, {"-nonsense", before, after}, {before, after, "-format"},
	} {
		status, stdout, stderr := gen(append([]string{"diff"}, args...)...)
		if status != 2 || stdout != "" || stderr == "" {
			t.Errorf("diff %v: status %d, stdout %q, stderr %q", args, status, stdout, stderr)
		}
	}
}

// An unusable document is an error with the file's name and the place; stdout stays empty.
func TestDiffBadInput(t *testing.T) {
	good, err := os.ReadFile("../../schema/gocardless.json")
	if err != nil {
		t.Fatal(err)
	}
	edited := func(old, revised string) string {
		if !strings.Contains(string(good), old) {
			t.Fatalf("the document has no %s", old)
		}
		return strings.Replace(string(good), old, revised, 1)
	}
	dir := t.TempDir()
	for name, c := range map[string]struct{ content, want string }{
		"empty.json":     {"", "the document ends in the middle"},
		"truncated.json": {string(good[:100_000]), "the document ends in the middle"},
		"page.html":      {"<!DOCTYPE html>", "line 1, column 2"},
		"doc.yaml":       {"openapi: 3.1.0\n", "not a JSON document"},
		"array.json":     {"[]", "an object is expected"},
		"other.json":     {`{"a": 1}`, "/openapi is missing"},
		"swagger.json":   {`{"swagger": "2.0"}`, "Swagger 2 is not supported"},
		"newer.json":     {edited(`"openapi": "3.1.0"`, `"openapi": "3.2.0"`), `version "3.2.0" is not supported`},
		"deep.json":      {strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000), "nested more than 500 levels"},
		"broken.json":    {edited(`"schemas": {`, `"schemas": {"A": {"$ref": "#/components/schemas/B"},`), `/components/schemas/A/$ref: "#/components/schemas/B" leads nowhere`},
		"circle.json":    {edited(`"schemas": {`, `"schemas": {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"},`), "/components/schemas/A: refers to itself"},
		"cookie.json":    {edited(`"parameters": [`, `"parameters": [{"name": "s", "in": "cookie", "schema": {"type": "string"}},`), "/parameters/0: cookie parameters are not supported"},
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{file, after}, {before, file}} {
			status, stdout, stderr := gen("diff", "-go=false", args[0], args[1])
			if status != 1 || stdout != "" || !strings.Contains(stderr, name) || !strings.Contains(stderr, c.want) {
				t.Errorf("%s: status %d, stdout %q, stderr %q, want %q", name, status, stdout, stderr, c.want)
			}
		}
	}
	for _, file := range []string{dir, filepath.Join(dir, "missing.json")} {
		if status, stdout, stderr := gen("diff", "-go=false", before, file); status != 1 || stdout != "" || !strings.Contains(stderr, file) {
			t.Errorf("%s: status %d, stdout %q, stderr %q", file, status, stdout, stderr)
		}
	}
}

// module makes a git repository with the descriptions and templates of the small module the working
// directory.
func module(t *testing.T) (git func(args ...string)) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git")
	}
	t.Chdir(testmodule.Small(t, "schema", "templates", "generator", "gocardless/version.go"))
	writeFile(t, "go.mod", "module example.com/m\n")
	writeChangelog(t)
	git = func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git("init", "-q")
	git("add", ".")
	git("commit", "-q", "-m", "one")
	return git
}

func writeFile(t *testing.T, file, content string) {
	t.Helper()
	testmodule.Write(t, file, []byte(content))
}

// writeChangelog writes the changelog of the small module in the working directory.
func writeChangelog(t *testing.T) {
	t.Helper()
	if smallChangelog != "" {
		writeFile(t, "CHANGELOG.md", smallChangelog)
		return
	}
	if status, _, stderr := gen("changelog"); status != 0 {
		t.Fatalf("gen changelog: status %d, %s", status, stderr)
	}
	smallChangelog = readFile(t, "CHANGELOG.md")
}

var smallChangelog string // written once

func readFile(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestDiffSince(t *testing.T) {
	git := module(t)
	// Without a tag there is nothing to compare with, in every format.
	for _, format := range []string{"text", "json"} {
		status, stdout, stderr := gen("diff", "-since", "tag", "-check-version", "-format", format)
		if status != 0 || stderr != "gen: note: no version tag to compare with\n" || format == "json" && !json.Valid([]byte(stdout)) || format == "text" && lastLine(stdout) != "bump: none" {
			t.Errorf("%s: status %d, stdout %q, stderr %q", format, status, stdout, stderr)
		}
	}
	git("tag", "v0.1.0")
	if status, stdout, stderr := gen("diff", "-since", "tag"); status != 0 || lastLine(stdout) != "bump: none" || stderr != "" {
		t.Errorf("nothing changed: status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	// A new function is an addition to the Go API, so version 0.1.0 must rise.
	source := readFile(t, "gocardless/version.go")
	writeFile(t, "gocardless/version.go", source+"\n// F is new.\nfunc F() {}\n")
	if status, stdout, stderr := gen("diff", "-since", "tag", "-check-version"); status != 1 || lastLine(stdout) != "bump: minor" || !strings.Contains(stderr, "call for 0.1.1 (minor)") {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	if status, stdout, _ := gen("diff", "-go=false", "-since", "v0.1.0"); status != 0 || lastLine(stdout) != "bump: none" {
		t.Errorf("without the Go API: status %d, stdout %q", status, stdout)
	}
	if status, stdout, stderr := gen("diff", "-since", "HEAD", "-check-version"); status != 1 || lastLine(stdout) != "bump: minor" || !strings.Contains(stderr, "compare with a version tag") {
		t.Errorf("no version to compare with: status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	if status, stdout, stderr := gen("diff", "-since", "nowhere"); status != 1 || stdout != "" || !strings.Contains(stderr, "nowhere") {
		t.Errorf("unknown commit: status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}
