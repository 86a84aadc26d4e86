package adopt

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// habits turn our description into one with the habits of the vendor's published document. None of them
// means that the API has changed.
var habits = []variant{
	{"no query parameters and headers", func(r *jsontree.Value) {
		operations(r, func(op *jsontree.Value) {
			if list := op.Get("parameters"); list != nil {
				list.Items = slices.DeleteFunc(list.Items, func(p *jsontree.Value) bool { return p.Get("in").Str() != "path" })
			}
		})
	}},
	{"nothing is required", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) { s.Delete("required") })
	}},
	{"no limits in requests", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			for _, key := range []string{"maxLength", "minLength", "minimum", "maximum", "pattern", "if", "then", "propertyNames", "maxProperties", "default"} {
				s.Delete(key)
			}
		})
	}},
	{"amounts are strings or integers", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			if t := s.Get("type"); t == nil || !slices.Contains(append(t.Strings(), t.Str()), "integer") {
				return
			}
			text := `{"type": "string"}`
			if slices.Contains(s.Get("type").Strings(), "null") {
				text = `{"type": ["string", "null"]}`
			}
			s.Delete("type")
			s.Delete("format")
			for _, key := range []string{"minimum", "maximum", "multipleOf"} {
				s.Delete(key)
			}
			s.Set("oneOf", array(parse(text), parse(`{"type": "integer"}`)))
		})
	}},
	{"metadata is an object", func(r *jsontree.Value) {
		r.At("/components/schemas").Set("Metadata", parse(`{"type": "object"}`))
	}},
	{"actions are rooted in the plural", pluralRoots},
	{"whole resources for ids", wholeResources},
	{"dates are strings", func(r *jsontree.Value) {
		for _, component := range []string{"MandateConsentParameters", "MandateRequestConstraints", "Director"} {
			for _, p := range properties(r, component).Members {
				if p.Value.Get("format").Str() == "date" {
					p.Value.Delete("format")
				}
			}
		}
		properties(r, "Payout").Get("arrival_date").Delete("format")
	}},
	{"fewer enums, and narrower ones", func(r *jsontree.Value) {
		properties(r, "Mandate").Set("scheme", parse(`{"type": "string"}`))
		properties(r, "Refund").Set("currency", parse(`{"type": "string"}`))
		properties(r, "OutboundPayment").Set("scheme", parse(`{"type": "string", "enum": ["faster_payments"]}`))
	}},
	{"null is forgotten", func(r *jsontree.Value) {
		properties(r, "BillingRequestTemplate").Get("name").Set("type", jsontree.NewString("string"))
		properties(r, "Payment").Get("description").Set("type", jsontree.NewString("string"))
	}},
	{"refusals are flat and listed", func(r *jsontree.Value) {
		operations(r, func(op *jsontree.Value) {
			op.Get("responses").Delete("default")
			for _, status := range []string{"400", "401", "404", "422", "500"} {
				op.Get("responses").Set(status, parse(`{"description": "E", "content": {"application/json": {"schema": {"type": "object", "required": ["message"],
					"properties": {"message": {"type": "string"}, "errors": {"type": "array", "items": {"type": "object", "properties": {"reason": {"type": "string"}}}}}}}}}`))
			}
		})
	}},
	{"empty bodies", func(r *jsontree.Value) {
		for _, path := range r.Get("paths").Members {
			op := path.Value.Get("post")
			if op == nil || op.Has("requestBody") || !strings.Contains(path.Name, "/actions/") {
				continue
			}
			resource := strings.Split(path.Name, "/")[1]
			op.Set("requestBody", parse(fmt.Sprintf(`{"content": {"application/json": {"schema": {"type": "object", "properties": {%q: {"type": "object"}}}}}}`, resource)))
		}
	}},
	{"ids of operations", func(r *jsontree.Value) {
		operations(r, func(op *jsontree.Value) {
			resource, verb, _ := strings.Cut(op.Get("operationId").Str(), ".")
			op.Set("operationId", jsontree.NewString(verb+"_"+resource))
			op.Delete("tags")
		})
	}},
}

// pluralRoots wraps the bodies of actions in the resource's name.
func pluralRoots(r *jsontree.Value) {
	for _, path := range r.Get("paths").Members {
		for _, op := range path.Value.Members {
			envelope := op.Value.At("/requestBody/content/application~1json/schema")
			if envelope == nil || !envelope.Get("properties").Has("data") {
				continue
			}
			envelope.Get("properties").Members[0].Name = strings.Split(path.Name, "/")[1]
			envelope.Delete("required")
		}
	}
}

// wholeResources describes ids, and other members, by the resource that they belong to.
func wholeResources(r *jsontree.Value) {
	for component, members := range map[string]map[string]string{
		"PayoutItemLinks":          {"mandate": "Mandate"},
		"MandateImportEntryLinks":  {"mandate": "Mandate", "customer": "Customer"},
		"RefundCreateParamsLinks":  {"mandate": "Mandate"},
		"BillingRequestTemplate":   {"mandate_request_currency": "BillingRequest"},
		"CustomerBankAccountLinks": {"customer": "Customer"},
	} {
		for member, resource := range members {
			properties(r, component).Set(member, parse(fmt.Sprintf(`{"allOf": [{"$ref": "#/components/schemas/%s"}, {"description": "Its id."}]}`, resource)))
		}
	}
}

// asVendor rewrites a document in the vendor's form.
func asVendor(r *jsontree.Value) {
	for _, habit := range habits {
		habit.vary(r)
	}
	r.Get("info").Delete("x-schema-date")
	renamePathParameters(r)
	toOpenAPI30(r)
	inlineAll(r)
	operations(r, func(op *jsontree.Value) { // inlining restored the parameters that were references
		if list := op.Get("parameters"); list != nil {
			list.Items = slices.DeleteFunc(list.Items, func(p *jsontree.Value) bool { return p.Get("in").Str() != "path" })
		}
	})
}

// A keyword that the vendor never uses in a kind of place has not changed: each habit alone, and all of them
// together, result in the vendored document, byte for byte.
func TestVendorsHabitsSayNothing(t *testing.T) {
	want := string(vendored().Format())
	for _, v := range append(slices.Clone(habits), variant{"all of them", asVendor}) {
		t.Run(v.name, func(t *testing.T) {
			source := vendored().Clone()
			v.vary(source)
			source.Get("info").Delete("x-schema-date")
			if source.Compact() == vendored().Compact() {
				t.Fatal("nothing changed")
			}
			got, err := Normalise(ours(), document(t, source), Options{Rules: overlay(t)})
			if err != nil {
				t.Fatal(err)
			}
			if text := string(got.Root.Format()); text != want {
				t.Errorf("the result differs:\n%s", firstDifferences(want, text))
			}
		})
	}
}

// The change of September 2026 has the same result from our form and from the vendor's.
func TestSeptemberFromBothForms(t *testing.T) {
	data, err := os.ReadFile(root + "/schema/history/2026-08-13.json")
	if err != nil {
		t.Fatal(err)
	}
	before := document(t, parse(string(data)))
	var results [2]string
	for i, vary := range []func(*jsontree.Value){func(*jsontree.Value) {}, asVendor} {
		source := september(t)
		vary(source)
		got, err := Normalise(before, document(t, source), Options{Rules: overlay(t)})
		if err != nil {
			t.Fatal(err)
		}
		// The source descriptions are those of the place in one form, and of the definition in the other.
		got.Root.Walk(func(_ string, v *jsontree.Value) {
			if v.Has(SourceKey) {
				v.Set(SourceKey, jsontree.NewString(""))
			}
		})
		results[i] = string(got.Root.Format())
	}
	if results[0] != results[1] {
		t.Errorf("the vendor's form gives something else:\n%s", firstDifferences(results[0], results[1]))
	}
	if results[0] == string(data) {
		t.Error("nothing changed")
	}
}

func september(t *testing.T) *jsontree.Value {
	t.Helper()
	steps := history(t)
	for _, s := range steps {
		if s.At("/info/x-schema-date").Str() != "2026-09-23" {
			continue
		}
		s = s.Clone()
		// The vendor's document does not have customer bank account tokens.
		for _, path := range []string{"/customer_bank_account_tokens", "/customer_bank_account_tokens/{identity}"} {
			s.Get("paths").Delete(path)
		}
		return s
	}
	t.Fatal("no snapshot of September")
	return nil
}
