package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/param"
	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/spec"
	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// program returns a command that runs gcpro against a server, with its own configuration directory.
func program(t testing.TB, url, config string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command("gcpro", args...)
	c.Env = append(c.Environ(), "GOCARDLESS_BASE_URL="+url, "GCPRO_CONFIG_DIR="+config, "GCPRO_KEYRING=off", "GOCARDLESS_ACCESS_TOKEN=t")
	return c
}

// The SDK and the command have the same operations.
func TestOperationsAreThoseOfTheSDK(t *testing.T) {
	have := map[string]bool{}
	for _, op := range spec.Operations {
		have[op.Name] = true
	}
	for _, op := range gocardless.Operations() {
		if !have[op.Name] {
			t.Errorf("no command for %s", op.Name)
		}
	}
	if len(have) != len(gocardless.Operations()) {
		t.Errorf("%d operations, want %d", len(have), len(gocardless.Operations()))
	}
}

// Every command, called with its required parameters, calls its own operation. A short test calls
// every tenth, because each takes a process.
func TestEveryOperation(t *testing.T) {
	server := gocardlesstest.NewServer(t)
	config := t.TempDir()
	step := 1
	if testing.Short() {
		step = 10
	}
	for i := 0; i < len(spec.Operations); i += step {
		op := &spec.Operations[i]
		args := []string{strings.ReplaceAll(op.Resource(), "_", "-"), strings.ReplaceAll(op.Verb, "_", "-")}
		for range op.PathParams() {
			args = append(args, "XX123")
		}
		if op.Params != nil {
			args = append(args, needed(op)...)
		}
		server.ClearRequests()
		var errs bytes.Buffer
		c := program(t, server.URL, config, append(args, "-o", "json")...)
		c.Stderr = &errs
		err := c.Run()
		requests := server.Requests()
		if len(requests) == 0 {
			t.Errorf("%s: %v: nothing was sent: %v\n%s", op.Name, args, err, errs.String())
			continue
		}
		if got := requests[0].Operation; got != op.Name {
			t.Errorf("%s: %v arrived as %q", op.Name, args, got)
		}
		if s := requests[0].Status; s == 400 || s >= 500 {
			t.Errorf("%s: %v: status %d\n%s", op.Name, args, s, errs.String())
		}
	}
}

// needed returns flags for the required parameters, with JSON for lists of objects.
func needed(op *spec.Operation) []string {
	var args []string
	for _, l := range param.Leaves(op) {
		if l.Needed {
			args = append(args, "--"+strings.ReplaceAll(l.Path, "_", "-"), value(l.Field))
		}
	}
	return args
}

func value(f *spec.Field) string {
	var example any
	switch {
	case f.Example != "" && json.Unmarshal([]byte(f.Example), &example) == nil:
		if s, ok := example.(string); ok {
			return s
		}
		return f.Example
	case len(f.Enum) > 0:
		return f.Enum[0].Name
	case f.Kind == spec.List && f.Elem.Kind == spec.Group:
		object := map[string]any{}
		for _, m := range f.Elem.Object.Fields {
			if m.Required {
				var v any = value(&m)
				if m.Kind == spec.Money || m.Kind == spec.Int {
					v = json.Number(value(&m))
				}
				object[m.Name] = v
			}
		}
		b, _ := json.Marshal(object)
		return string(b)
	case f.Kind == spec.Money, f.Kind == spec.Int:
		return "100"
	case f.Kind == spec.Date:
		return "2030-01-31"
	case f.Kind == spec.Bool:
		return "true"
	case f.Kind == spec.Map:
		return "a=b"
	}
	return "XX123"
}
