package main

import (
	"testing"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/spec"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// Every scenario runs on what trigger makes for it, but for the one that needs a payer.
func TestEveryScenario(t *testing.T) {
	server := gocardlesstest.NewServer(t)
	config := t.TempDir()
	for _, s := range spec.Simulators {
		out, err := program(t, server.URL, config, "trigger", s.Name).CombinedOutput()
		if needsPayer := s.Name == "mandate_suspended_by_payer"; (err != nil) != needsPayer {
			t.Errorf("%s: %v\n%s", s.Name, err, out)
		}
	}
}
