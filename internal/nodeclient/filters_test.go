package nodeclient

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// needs are the members that a filter requires.
var needs = map[string]map[string]any{
	"events.list include": {"resource_type": "payments", "include": "payment"},
}

// existing maps examples in the API's description to resources that a list looks up.
var existing = map[any]string{"CR000123": "$creditors.creditors.0.id", "PO000123": "$payouts.payouts.0.id"}

// prelude creates the resources in existing.
const prelude = `[
	{"as": "creditors", "call": "creditors.list"},
	{"as": "customer", "call": "customers.create", "args": [{"given_name": "Ada", "family_name": "Byron", "email": "ada@example.com", "country_code": "GB"}]},
	{"as": "account", "call": "customerBankAccounts.create", "args": [{"account_holder_name": "Ada Byron", "branch_code": "200000", "account_number": "55779911", "country_code": "GB", "links": {"customer": "$customer.id"}}]},
	{"as": "mandate", "call": "mandates.create", "args": [{"scheme": "bacs", "links": {"customer_bank_account": "$account.id"}}]},
	{"call": "payments.create", "args": [{"amount": 1000, "currency": "GBP", "links": {"mandate": "$mandate.id"}}]},
	{"advance": "21d"},
	{"as": "payouts", "call": "payouts.list"}
]`

// schema is the part of a JSON schema that restricts a filter.
type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Format     string
	Enum       []string
	Items      *schema
	Properties map[string]*schema
	Examples   []any
}

type parameter struct {
	Name, In string
	Required bool
	Schema   *schema
}

type description struct {
	Paths      map[string]map[string]json.RawMessage
	Components struct{ Schemas map[string]*schema }
}

// sample returns a value that a filter accepts.
func (d *description) sample(s *schema) any {
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return d.sample(d.Components.Schemas[name])
	}
	switch {
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Items != nil:
		item := s.Items
		if name, ok := strings.CutPrefix(item.Ref, "#/components/schemas/"); ok {
			item = d.Components.Schemas[name]
		}
		if len(item.Enum) > 1 {
			return item.Enum[:2]
		}
		return []any{d.sample(item), d.sample(item)}
	case s.Properties["gte"] != nil:
		return map[string]any{"gte": d.sample(s.Properties["gte"])}
	case s.Format == "date-time":
		return "2026-01-01T00:00:00.000Z"
	case s.Format == "date":
		return "2026-01-01"
	case s.Type == "boolean":
		return true
	case s.Type == "integer":
		return 2
	case s.Type == "object":
		return map[string]any{"ref": "1"}
	case len(s.Examples) > 0 && existing[s.Examples[0]] != "":
		return existing[s.Examples[0]]
	case len(s.Examples) > 0:
		return s.Examples[0]
	}
	return "GB"
}

// filters returns a step for each filter of each list.
func filters(t *testing.T) []step {
	t.Helper()
	raw, err := os.ReadFile("../../schema/gocardless.json")
	if err != nil {
		t.Fatal(err)
	}
	var d description
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	var steps []step
	for path, methods := range d.Paths {
		var op struct {
			OperationID string `json:"operationId"`
			Parameters  []parameter
		}
		if methods["get"] == nil || strings.Contains(path, "{") {
			continue // lists below a resource are in scenario.json
		}
		if err := json.Unmarshal(methods["get"], &op); err != nil {
			t.Fatal(err)
		}
		resource, method, _ := strings.Cut(op.OperationID, ".")
		if method != "list" {
			continue
		}
		required := map[string]any{}
		for _, p := range op.Parameters {
			if p.Required && p.In == "query" {
				required[p.Name] = d.sample(p.Schema)
			}
		}
		for _, p := range op.Parameters {
			if p.In != "query" || p.Name == "after" || p.Name == "before" {
				continue // iterators send these
			}
			args := map[string]any{p.Name: d.sample(p.Schema)}
			for _, more := range []map[string]any{required, needs[op.OperationID+" "+p.Name]} {
				for name, value := range more {
					args[name] = value
				}
			}
			steps = append(steps, step{Call: camel(resource) + ".list", Args: []any{args}})
		}
	}
	slices.SortFunc(steps, func(a, b step) int { return strings.Compare(a.Call, b.Call) })
	return steps
}

// camel returns the client's name for a resource.
func camel(resource string) string {
	words := strings.Split(resource, "_")
	for i, w := range words[1:] {
		words[i+1] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "")
}

// The sandbox accepts every filter of every list in the form that the client sends.
func TestFilters(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Node.js, and may install a package")
	}
	modules := install(t)
	var steps []step
	if err := json.Unmarshal([]byte(prelude), &steps); err != nil {
		t.Fatal(err)
	}
	sandbox, err := gocardlesstest.Start("127.0.0.1:0", gocardlesstest.WithControl(), gocardlesstest.WithRequestLog(10_000),
		gocardlesstest.WithFrozenClock(time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sandbox.Shutdown(t.Context()) })
	lists := filters(t)
	calls := make([]string, len(lists))
	for i := range lists {
		calls[i] = lists[i].Call
	}
	known := has(t, modules, sandbox.URL, calls)
	steps = append(steps, slices.DeleteFunc(lists, func(s step) bool { return !known[s.Call] })...)
	lines := driveSteps(t, modules, sandbox.URL, steps)
	if len(lines) != len(steps) || len(steps) < 100 {
		t.Fatalf("the driver ran %d of %d steps", len(lines), len(steps))
	}
	sent := replies(sandbox)
	for i := range steps {
		switch problem := check(&steps[i], &lines[i], sent); {
		case problem == "":
		case strings.Contains(problem, "The sandbox does not filter "):
			t.Logf("%s %v: %s", steps[i].Call, steps[i].Args, problem) // new in the API, which gen check reports
		default:
			t.Errorf("%s %v: %s", steps[i].Call, steps[i].Args, problem)
		}
	}
}

// replies returns the replies that a sandbox has sent, by request id.
func replies(s *gocardlesstest.Server) map[string][]byte {
	m := map[string][]byte{}
	for _, r := range s.Requests() {
		m[r.RequestID] = r.Reply
	}
	return m
}
