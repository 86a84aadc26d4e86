package gocardlesstest

import (
	"slices"
	"testing"
)

// An operation that goes away from the API, or comes, must not stop the tests of users: the sandbox
// starts without it. Those that other families are built from cannot go.
func TestOperationsMayComeAndGo(t *testing.T) {
	all := operations
	defer func() { operations = all }()
	needed := []string{
		"billing_requests.get", "billing_request_flows.create", "scheme_identifiers.create", "events.list", "payments.create", "scenario_simulators.run",
	}
	for i, op := range all {
		if slices.Contains(needed, op.name) {
			continue
		}
		operations = slices.Delete(slices.Clone(all), i, i+1)
		if r := buildRegistry(); r.handlers[op.name] != nil && op.name != "instalment_schedules.create" {
			t.Errorf("%s has gone and has a handler", op.name)
		}
	}
	operations = append(slices.Clone(all), opSpec{name: "widgets.polish", method: "POST", path: "/widgets/{identity}/actions/polish", kind: kindAction, status: 204})
	if buildRegistry().handlers["widgets.polish"] == nil {
		t.Error("a new operation has no handler")
	}
}
