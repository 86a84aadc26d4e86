package gocardlesstest

import (
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The path of this package and, with a slash, that of the module.
var (
	sandbox = reflect.TypeFor[Sandbox]().PkgPath()
	module  = strings.TrimSuffix(sandbox, "gocardless/gocardlesstest")
)

// This package adds only the standard library, without its test packages, and the SDK to a program.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".", "../../internal/demo/cmd").Output()
	if err != nil {
		t.Fatal(err)
	}
	for path := range strings.FieldsSeq(string(out)) {
		own := strings.HasPrefix(path, module)
		first, _, _ := strings.Cut(path, "/")
		switch {
		case slices.Contains([]string{"testing", "net/http/httptest"}, path), strings.HasPrefix(path, "testing/"):
			t.Errorf("%s is linked into programs", path)
		case own && strings.Contains(path, "/generator"):
			t.Errorf("%s is used outside the generator", path)
		case !own && strings.Contains(first, ".") && !strings.HasPrefix(path, "vendor/"):
			t.Errorf("%s is a dependency", path)
		}
	}
}

// Each internal package imports only the listed ones. None imports the sandbox.
func TestRooms(t *testing.T) {
	here := sandbox + "/internal/"
	rooms := map[string][]string{
		"bank":      nil,
		"value":     {"bank"},
		"api":       {"bank", "value"},
		"store":     {"api", "value"},
		"page":      {"api"},
		"gate":      {"api"},
		"statefile": {"value"},
	}
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}}{{range .Imports}} {{.}}{{end}}", "./internal/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		imports := strings.Fields(line)
		room := strings.TrimPrefix(imports[0], here)
		allowed, known := rooms[room]
		if !known {
			t.Errorf("internal/%s: add the package to this test, with what it may import", room)
		}
		for _, path := range imports[1:] {
			if strings.HasPrefix(path, sandbox) && !slices.Contains(allowed, strings.TrimPrefix(path, here)) {
				t.Errorf("internal/%s imports %s", room, path)
			}
		}
	}
}
