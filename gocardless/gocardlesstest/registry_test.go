package gocardlesstest

import (
	"slices"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// New and removed operations of the API must not break users' tests: the sandbox starts without them.
// Operations that other families are built from cannot be removed.
func TestOperationsMayComeAndGo(t *testing.T) {
	all := api.Operations
	defer func() { api.Operations = all }()
	needed := []string{
		"billing_requests.get", "billing_request_flows.create", "scheme_identifiers.create", "events.list", "payments.create", "scenario_simulators.run",
	}
	for i, op := range all {
		if slices.Contains(needed, op.Name) {
			continue
		}
		api.Operations = slices.Delete(slices.Clone(all), i, i+1)
		if r := buildRegistry(); r.handlers[op.Name] != nil && op.Name != "instalment_schedules.create" {
			t.Errorf("%s has gone and has a handler", op.Name)
		}
	}
	api.Operations = append(slices.Clone(all), api.Operation{Name: "widgets.polish", Method: "POST", Path: "/widgets/{identity}/actions/polish", Kind: api.OpAction, Status: 204})
	if buildRegistry().handlers["widgets.polish"] == nil {
		t.Error("a new operation has no handler")
	}
}
