package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/internal/testmodule"
)

func TestMain(m *testing.M) { testmodule.Main(m) }

func gen(args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(args, &out, &errs)
	return status, out.String(), errs.String()
}

func TestCheckOfThisModule(t *testing.T) {
	status, stdout, stderr := gen("check")
	if status != 0 || !regexp.MustCompile(`^up to date: \d{3} operations, \d{3} methods, `).MatchString(stdout) {
		t.Errorf("status %d, printed %q and %q", status, stdout, stderr)
	}
}

func TestUsageErrors(t *testing.T) {
	for _, args := range [][]string{{"chek"}, {"-no-such-flag"}, {"check", "extra"}} {
		if status, _, stderr := gen(args...); status != 2 || stderr == "" {
			t.Errorf("gen %v: status %d, printed %q", args, status, stderr)
		}
	}
}

func TestGenerateElsewhere(t *testing.T) {
	out := t.TempDir()
	status, stdout, stderr := gen("-schema", "../../schema/history/2025-05-20.json", "-out", out)
	if status != 0 || !strings.Contains(stdout, "126 operations, 127 methods, ") {
		t.Fatalf("status %d, printed %q and %q", status, stdout, stderr)
	}
	if _, err := os.Stat(filepath.Join(out, "gocardless", "api_payments_gen.go")); err != nil {
		t.Error(err)
	}
	// A second run changes nothing.
	if status, stdout, _ = gen("-schema", "../../schema/history/2025-05-20.json", "-out", out); status != 0 || strings.Contains(stdout, "wrote") {
		t.Errorf("second run: status %d, printed %q", status, stdout)
	}
}

// A broken schema is an error with its place, and nothing is written.
func TestBrokenSchema(t *testing.T) {
	dir := t.TempDir()
	schema := filepath.Join(dir, "broken.json")
	doc := `{"openapi":"3.1.0","info":{"title":"x","version":"1","x-schema-date":"2026-01-01"},"paths":{},"components":{"schemas":{"A":{"$ref":"#/components/schemas/B"}}}}`
	if err := os.WriteFile(schema, []byte(doc), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	status, _, stderr := gen("-schema", schema, "-out", out)
	if status != 1 || !strings.Contains(stderr, "/components/schemas/A/$ref") {
		t.Errorf("status %d, printed %q", status, stderr)
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("output was written: %v", err)
	}
	if status, _, stderr = gen("-schema", filepath.Join(dir, "none.json"), "-out", out); status != 1 || !strings.Contains(stderr, "none.json") {
		t.Errorf("missing file: status %d, printed %q", status, stderr)
	}
}
