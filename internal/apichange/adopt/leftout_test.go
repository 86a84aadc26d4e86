package adopt

import (
	"slices"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/generator/load"
	"github.com/gocardless-community/gocardless-go/internal/apichange/compare"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// Places that the overlay ignores or pins may contain any construct: a new member is left out, our form of a
// changed one stays, and an ignored operation is removed. The rest of the source is adopted.
func TestIgnoredAndPinned(t *testing.T) {
	const odd = `{"type": "string", "contentEncoding": "base64"}`
	rules, err := load.ParseOverlay([]byte(`{
		"ignore": [
			{"place": "/components/schemas/PaymentCreateParams/properties/scan", "reason": "a picture"},
			{"place": "POST /mandates/{id}/actions/cancel", "reason": "not for us"},
			{"place": "/components/schemas/Payment/properties/nowhere", "reason": "is not there"}],
		"pins": [{"place": "/components/schemas/Payment/properties/amount", "keep": "member", "reason": "a number"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	source := vendored().Clone()
	properties(source, "PaymentCreateParams").Set("scan", parse(odd))
	required := source.At("/components/schemas/PaymentCreateParams/required")
	required.Items = append(required.Items, jsontree.NewString("scan"))
	properties(source, "Payment").Set("amount", parse(odd))
	properties(source, "Payment").Set("shade", parse(`{"type": "string"}`))
	got, err := Normalise(ours(), document(t, source), Options{Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	report, err := compare.Compare(compare.Side{Doc: ours()}, compare.Side{Doc: document(t, got.Root)})
	if err != nil {
		t.Fatal(err)
	}
	var changes []string
	for _, c := range report.Changes {
		changes = append(changes, c.Class.String()+": "+c.Text)
	}
	slices.Sort(changes)
	if want := []string{
		"addition: Payment.Shade (`shade`) was added.",
		"breaking: client.Mandates.Cancel was removed (POST /mandates/{identity}/actions/cancel).",
		"documentation: The API has /components/schemas/PaymentCreateParams/properties/scan, which this library leaves out.",
		"documentation: The API has POST /mandates/{identity}/actions/cancel, which this library leaves out.",
	}; !slices.Equal(changes, want) {
		t.Errorf("changes are\n%s", strings.Join(changes, "\n"))
	}
	if want := "/components/schemas/PaymentCreateParams/properties/scan is left out: a picture"; !slices.Contains(got.Notes, want) {
		t.Errorf("notes are %q", got.Notes)
	}
	again, err := Normalise(document(t, got.Root), document(t, source), Options{Rules: rules, Lock: got.Lock})
	if err != nil || string(again.Root.Format()) != string(got.Root.Format()) {
		t.Errorf("the second time differs: %v\n%s", err, firstDifferences(string(got.Root.Format()), string(again.Root.Format())))
	}
}

// A choice between objects is adopted and its changes are reported: a new object, a new member of one, and a
// removed object.
func TestUnions(t *testing.T) {
	battery := `{"type": "object", "required": ["type", "cells"], "properties": {"type": {"type": "string", "const": "battery"}, "cells": {"type": "integer"}}}`
	motor := `{"type": "object", "required": ["type"], "properties": {"type": {"type": "string", "const": "motor"}, "watts": {"type": "integer"}}}`
	sail := `{"type": "object", "required": ["type"], "properties": {"type": {"type": "string", "const": "sail"}, "area": {"type": "integer"}}}`
	with := func(forms ...string) *jsontree.Value {
		v := vendored().Clone()
		properties(v, "Payment").Set("power", parse(`{"oneOf": [`+strings.Join(forms, ", ")+`]}`))
		return v
	}
	adopt := func(ours, source *jsontree.Value) *jsontree.Value {
		t.Helper()
		n, err := Normalise(document(t, ours), document(t, source), Options{Words: true})
		if err != nil {
			t.Fatal(err)
		}
		return n.Root
	}
	first := adopt(vendored(), with(battery, motor))
	power := first.At("/components/schemas/PaymentPower")
	if got, want := power.Get("discriminator").Compact(), `{"propertyName":"type","mapping":{"battery":"#/components/schemas/PaymentPowerBattery","motor":"#/components/schemas/PaymentPowerMotor"}}`; got != want {
		t.Errorf("the discriminator is %s", got)
	}
	if again := adopt(first, with(battery, motor)); string(again.Format()) != string(first.Format()) {
		t.Errorf("the second time differs:\n%s", firstDifferences(string(first.Format()), string(again.Format())))
	}
	for _, c := range []struct {
		source *jsontree.Value
		want   []string
	}{
		{with(battery, motor, sail), []string{
			"addition: PaymentPower.Area (`area`) was added.", "addition: PaymentPower.Type (`type`) has a new value `sail`."}},
		{with(battery, strings.Replace(motor, `"watts"`, `"cells": {"type": "integer"}, "watts"`, 1)), []string{
			"addition: PaymentPower.Cells (`cells`) is now also allowed when `type` is `motor`."}},
		{with(battery, strings.Replace(motor, `["type"]`, `["type", "watts"]`, 1)), []string{
			"behaviour: PaymentPower.Watts (`watts`) is always present when `type` is `motor`."}},
		{with(sail, motor), []string{
			"addition: PaymentPower.Area (`area`) was added.", "addition: PaymentPower.Type (`type`) has a new value `sail`.",
			"breaking: PaymentPower.Cells (`cells`) was removed.", "breaking: The value `battery` was removed from PaymentPower.Type (`type`)."}},
	} {
		report, err := compare.Compare(compare.Side{Doc: document(t, first)}, compare.Side{Doc: document(t, adopt(first, c.source))})
		if err != nil {
			t.Fatal(err)
		}
		var changes []string
		for _, change := range report.Changes {
			changes = append(changes, change.Class.String()+": "+change.Text)
		}
		slices.Sort(changes)
		if !slices.Equal(changes, c.want) {
			t.Errorf("changes are\n%s\nwant\n%s", strings.Join(changes, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// A statement about an operation that our form cannot express is a note.
func TestForeignNotes(t *testing.T) {
	const create = "/paths/~1payments/post"
	for _, c := range []struct {
		change func(r *jsontree.Value)
		want   string
	}{
		{func(r *jsontree.Value) { r.At(create).Set("security", parse(`[]`)) }, create + ": has an authentication of its own, []: not followed"},
		{func(r *jsontree.Value) { r.At(create).Set("callbacks", parse(`{"done": {}}`)) }, create + ": has callbacks: not followed"},
		{func(r *jsontree.Value) { r.At(create).Set("servers", parse(`[{"url": "https://files.example.com"}]`)) }, create + ": is served at addresses of its own: not followed"},
		{func(r *jsontree.Value) {
			r.At(create+"/responses/201").Set("headers", parse(`{"X-Colour": {"schema": {"type": "string"}}}`))
		}, create + ": replies with the header X-Colour: not followed"},
		{func(r *jsontree.Value) {
			r.At(create+"/responses").Set("409", parse(`{"$ref": "#/components/responses/Error"}`))
		}, create + ": may be refused with status 409, which needs no code of its own"},
		{func(r *jsontree.Value) {
			properties(r, "PaymentCreateParams").Set("colour", parse(`{"type": "string", "pattern": "^(?=a)"}`))
		}, `Go cannot match the pattern "^(?=a)": it is left to the API`},
	} {
		source := vendored().Clone()
		source.Get("info").Delete("x-schema-date") // not in our form
		plain, err := Normalise(document(t, vendored()), document(t, source), Options{})
		if err != nil {
			t.Fatal(err)
		}
		c.change(source)
		got, err := Normalise(document(t, vendored()), document(t, source), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(plain.Notes, c.want) || !slices.Contains(got.Notes, c.want) {
			t.Errorf("notes are %q, want %q", got.Notes, c.want)
		}
	}
}

// An object with named members cannot be a map as well: the values of further members are left out, and the named
// ones are adopted.
func TestNamedMembersAndAMap(t *testing.T) {
	const component, member = "/components/schemas/Payment/additionalProperties", "/components/schemas/PaymentCreateParams/properties/extras/additionalProperties"
	source := vendored().Clone()
	source.At("/components/schemas/Payment").Set("additionalProperties", parse(`{"type": "string", "maxLength": 5}`))
	properties(source, "PaymentCreateParams").Set("extras", parse(`{"type": "object", "properties": {"colour": {"type": "string"}}, "additionalProperties": {"type": "integer"}}`))
	got, err := Normalise(ours(), document(t, source), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{component, member} {
		want := place + " is left out: " + place + ": an object with named members cannot be a map as well. Extend the generator"
		if !slices.ContainsFunc(got.Notes, func(n string) bool { return strings.HasPrefix(n, want) }) {
			t.Errorf("notes are %q, want %q", got.Notes, want)
		}
		if got.Root.Get("info").Get(ir.LeftOutKey).Get(place) == nil {
			t.Errorf("%s is not recorded", place)
		}
		if got.Source.Root.At(place) != nil {
			t.Errorf("%s is still in the source", place)
		}
	}
	if !properties(got.Root, "PaymentCreateParamsExtras").Has("colour") {
		t.Error("the named member is not adopted")
	}
	again, err := Normalise(document(t, got.Root), document(t, source), Options{Lock: got.Lock})
	if err != nil || string(again.Root.Format()) != string(got.Root.Format()) {
		t.Errorf("the second time differs: %v\n%s", err, firstDifferences(string(got.Root.Format()), string(again.Root.Format())))
	}
	rules, err := load.ParseOverlay([]byte(`{"ignore": [{"place": "` + component + `", "reason": "not sent"}, {"place": "` + member + `", "reason": "not needed"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	listed, err := Normalise(ours(), document(t, source), Options{Rules: rules})
	if want := component + " is left out: not sent"; err != nil || !slices.Contains(listed.Notes, want) {
		t.Errorf("notes are %v, %q, want %q", err, listed.Notes, want)
	}
}
