package migrate

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// officialStub writes a module with the names and types of the official client, but no working code,
// so that the tests do not have to download it.
func officialStub(t *testing.T, dir string) {
	t.Helper()
	raw, err := os.ReadFile("testdata/official.json")
	if err != nil {
		t.Fatal(err)
	}
	var facts struct {
		Funcs map[string]string
		Types map[string]struct {
			Kind            string
			Fields, Methods map[string]string
		}
	}
	if err := json.Unmarshal(raw, &facts); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	b.WriteString("package gocardless\n\nimport (\n\t\"context\"\n\t\"net/http\"\n)\n\nvar _ context.Context\n\ntype requestOptions struct{}\n\nconst (\n\tLiveEndpoint = \"live\"\n\tSandboxEndpoint = \"sandbox\"\n)\n\n")
	signature := func(s string) string { return strings.TrimPrefix(s, "func") }
	for _, name := range slices.Sorted(maps.Keys(facts.Funcs)) {
		fmt.Fprintf(&b, "func %s%s { panic(0) }\n", name, signature(facts.Funcs[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(facts.Types)) {
		f := facts.Types[name]
		switch f.Kind {
		case "struct":
			fmt.Fprintf(&b, "type %s struct {\n", name)
			for _, field := range slices.Sorted(maps.Keys(f.Fields)) {
				fmt.Fprintf(&b, "\t%s %s\n", field, f.Fields[field])
			}
			b.WriteString("}\n")
		case "interface":
			fmt.Fprintf(&b, "type %s interface {\n", name)
			for _, method := range slices.Sorted(maps.Keys(f.Methods)) {
				fmt.Fprintf(&b, "\t%s%s\n", method, signature(f.Methods[method]))
			}
			b.WriteString("}\n")
			continue
		default:
			fmt.Fprintf(&b, "type %s %s\n", name, f.Kind)
		}
		receiver := "*" + name
		if f.Kind != "struct" {
			receiver = name
		}
		for _, method := range slices.Sorted(maps.Keys(f.Methods)) {
			fmt.Fprintf(&b, "func (%s) %s%s { panic(0) }\n", receiver, method, signature(f.Methods[method]))
		}
	}
	writeFile(t, filepath.Join(dir, "go.mod"), "module github.com/gocardless/gocardless-pro-go/v6\n\ngo 1.20\n")
	writeFile(t, filepath.Join(dir, "gocardless.go"), b.String())
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// program lays out a module that uses the official client.
func program(t *testing.T, content string) (dir string) {
	t.Helper()
	t.Setenv("GOWORK", "off")
	t.Setenv("GOFLAGS", os.Getenv("GOFLAGS")+" -mod=mod")
	t.Setenv("GOPROXY", "off")
	root := t.TempDir()
	officialStub(t, filepath.Join(root, "official"))
	dir = filepath.Join(root, "program")
	writeFile(t, filepath.Join(dir, "go.mod"), "module example.com/program\n\ngo 1.26.0\n\nrequire github.com/gocardless/gocardless-pro-go/v6 v6.4.5\n\nreplace github.com/gocardless/gocardless-pro-go/v6 => ../official\n")
	writeFile(t, filepath.Join(dir, "main.go"), content)
	return dir
}

// compile builds a rewritten program with this SDK and returns what the compiler reports.
func compile(t *testing.T, dir string, files []File) string {
	t.Helper()
	for _, f := range files {
		writeFile(t, f.Path, string(f.New))
	}
	root, err := filepath.Abs("../../../..")
	if err != nil {
		t.Fatal(err)
	}
	module := strings.TrimSuffix(ourPath, "/gocardless")
	writeFile(t, filepath.Join(dir, "go.mod"), "module example.com/program\n\ngo 1.26.0\n\nrequire "+module+" v0.0.0\n\nreplace "+module+" => "+root+"\n")
	cmd := exec.Command("go", "build", "-gcflags=-e", "-o", os.DevNull, ".")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		return ""
	}
	return string(out)
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		writeFile(t, path, got)
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; run the test with -update and look at the difference\n%s", path, got)
	}
}

// Each program is rewritten as in its golden files. Its notes cover the remaining compile errors.
func TestPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the official client")
	}
	for name, left := range map[string]int{
		"club":  0, // 160 lines of everyday use compile without an edit by hand
		"edges": 8, // one for each construct that has no counterpart
	} {
		t.Run(name, func(t *testing.T) {
			testdata := filepath.Join("testdata", name)
			before, err := os.ReadFile(filepath.Join(testdata, "before.go.txt"))
			if err != nil {
				t.Fatal(err)
			}
			dir := program(t, string(before))
			res, err := Run(t.Context(), dir, "./...")
			if err != nil {
				t.Fatal(err)
			}
			if len(res.Files) != 1 {
				t.Fatalf("%d files", len(res.Files))
			}
			golden(t, filepath.Join(testdata, "after.go.txt"), string(res.Files[0].New))
			var notes strings.Builder
			for _, n := range res.Notes {
				n.Position.Filename = filepath.Base(n.Position.Filename)
				notes.WriteString(n.String() + "\n")
			}
			golden(t, filepath.Join(testdata, "notes.txt"), notes.String())
			problems := compile(t, dir, res.Files)
			if n := strings.Count(problems, "main.go:"); n != left {
				t.Errorf("%d compile errors, want %d:\n%s", n, left, problems)
			}
		})
	}
}

func TestRunRefusesWhatDoesNotCompile(t *testing.T) {
	dir := program(t, "package main\n\nfunc main() { undefined() }\n")
	if _, err := Run(t.Context(), dir, "./..."); err == nil || !strings.Contains(err.Error(), "must compile") || !strings.Contains(err.Error(), "undefined") {
		t.Errorf("%v", err)
	}
}

func TestRunLeavesOthersAlone(t *testing.T) {
	dir := program(t, "package main\n\nimport \"fmt\"\n\nfunc main() {  fmt.Println( 1 ) }\n")
	res, err := Run(t.Context(), dir, "./...")
	if err != nil || len(res.Files) != 0 || len(res.Notes) != 0 {
		t.Errorf("%v, %v", res, err)
	}
}
