package main

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/spec"
	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// Every scenario of the catalogue runs on the resources that trigger creates, and ends as the
// catalogue describes.
func TestEveryScenario(t *testing.T) {
	var catalogue struct {
		Simulators map[string]struct{ Result map[string]string }
	}
	raw, err := os.ReadFile("../../schema/catalogue.json")
	if err == nil {
		err = json.Unmarshal(raw, &catalogue)
	}
	if err != nil {
		t.Fatal(err)
	}
	server := gocardlesstest.NewServer(t, gocardlesstest.WithControl())
	config := t.TempDir()
	if len(catalogue.Simulators) != len(spec.Simulators) {
		t.Errorf("the catalogue has %d simulators, trigger %d", len(catalogue.Simulators), len(spec.Simulators))
	}
	made := map[string][]string{} // scenarios by type of event
	seen := map[string]bool{}
	for _, s := range spec.Simulators {
		id := output(t, server.URL, config, "trigger", s.Name)
		for member, want := range catalogue.Simulators[s.Name].Result {
			if got := output(t, server.URL, config, "get", id, "--jq", "."+member); got != want {
				t.Errorf("%s: %s of %s is %q, want %q", s.Name, member, id, got, want)
			}
		}
		for e, err := range server.Client().Events.All(t.Context(), gocardless.EventListParams{}) {
			if err != nil {
				t.Fatal(err)
			}
			if kind := string(e.ResourceType) + "." + string(e.Action); !seen[e.ID] {
				seen[e.ID] = true
				made[kind] = append(made[kind], s.Name)
			}
		}
	}
	// Every event type that a scenario causes selects such a scenario.
	for line := range strings.Lines(output(t, server.URL, config, "__complete", "trigger", "")) {
		if kind, scenario, ok := strings.Cut(strings.TrimSpace(line), "\tby "); ok {
			if !slices.Contains(made[kind], scenario) {
				t.Errorf("%s does not make %s; %v do", scenario, kind, made[kind])
			}
			delete(made, kind)
		}
	}
	for kind, scenarios := range made {
		t.Errorf("trigger does not know %s, which %v make", kind, scenarios)
	}
}

// output runs gcpro and returns what it writes to stdout.
func output(t *testing.T, url, config string, args ...string) string {
	t.Helper()
	var errs bytes.Buffer
	c := program(t, url, config, args...)
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		t.Errorf("%v: %v\n%s", args, err, errs.String())
	}
	return strings.TrimSpace(string(out))
}
