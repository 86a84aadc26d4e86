package gocardlesstest

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// What this package brings into a program: the standard library without its test packages, and the
// SDK.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".", "../../internal/demo/cmd").Output()
	if err != nil {
		t.Fatal(err)
	}
	for path := range strings.FieldsSeq(string(out)) {
		own := strings.HasPrefix(path, "github.com/gocardless-community/gocardless-go/")
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
