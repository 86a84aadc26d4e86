package main

import (
	"bytes"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

func TestDemo(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out, func(string) string { return "" }); err != nil || !strings.Contains(out.String(), "payouts.paid") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestDemoRunsOnlyInTheSandbox(t *testing.T) {
	server := gocardlesstest.NewServer(t)
	env := map[string]string{"GOCARDLESS_ACCESS_TOKEN": "t", "GOCARDLESS_BASE_URL": server.URL}
	get := func(k string) string { return env[k] }
	var out bytes.Buffer
	if err := run(t.Context(), &out, get); err != nil {
		t.Fatal(err)
	}
	if n := len(server.Requests()); n < 10 {
		t.Errorf("the account that the environment names got %d requests", n)
	}
	env["GOCARDLESS_ENVIRONMENT"] = "live"
	server.Reset()
	if err := run(t.Context(), &out, get); err == nil || !strings.Contains(err.Error(), "only in the sandbox") {
		t.Errorf("live: %v", err)
	}
	if n := len(server.Requests()); n != 0 {
		t.Errorf("live: %d requests were sent", n)
	}
}

// The tour runs from a checkout that has downloaded nothing: it imports this module and the
// standard library.
func TestDemoDownloadsNothing(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	module := strings.TrimSuffix(reflect.TypeFor[gocardless.Client]().PkgPath(), "gocardless")
	for path := range strings.FieldsSeq(string(out)) {
		if !strings.HasPrefix(path, module) {
			t.Errorf("%s is a dependency", path)
		}
	}
}
