package gocardlesstest

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the tests expect into docs/sandbox.md")

// The documentation of the sandbox lists every control as in the table.
func TestDocsListTheControls(t *testing.T) {
	const page, begin, end = "../../docs/sandbox.md", "<!-- controls -->\n", "<!-- /controls -->"
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the controls", page)
	}
	var table strings.Builder
	table.WriteString("| call | in worlds | what it does |\n|---|---|---|\n")
	for _, c := range theControls() {
		table.WriteString("| `" + c.method + " " + ControlPath + c.path + "` | `sandbox." + c.name + "` | " + c.text + " |\n")
	}
	want := before + begin + table.String() + end + after
	if want == string(b) {
		return
	}
	if !*update {
		t.Fatalf("%s is not up to date: go test -run Docs -update ./gocardless/gocardlesstest", page)
	}
	if err := os.WriteFile(page, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
}
