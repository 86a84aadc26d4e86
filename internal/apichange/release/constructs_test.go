package release

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/generator"
	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/internal/apichange/compare"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/filetx"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
	"github.com/gocardless-community/gocardless-go/internal/testmodule"
)

// adopted returns the changes and notes of an update, without comparing the Go API.
func adopted(t *testing.T, dir string, change func(v *jsontree.Value)) (changes, notes []string, err error) {
	t.Helper()
	v := testmodule.Schema(t, dir)
	change(v)
	doc, err := openapi.Read(v)
	if err != nil {
		return nil, nil, err
	}
	u := updater{UpdateOptions: options(dir, "source.json"), tx: filetx.New(dir), out: &Updated{}}
	if err := u.normalise(doc); err != nil {
		return nil, nil, err
	}
	api, _, err := generator.Read(generator.Config{Root: dir}, u.root.Format())
	if err != nil {
		return nil, nil, err
	}
	after, err := openapi.Read(u.root)
	if err != nil {
		return nil, nil, err
	}
	report, err := compare.Compare(compare.Side{Doc: u.vendored, Names: u.names}, compare.Side{Doc: after, Names: compare.NamesOf(api)})
	if err != nil {
		return nil, nil, err
	}
	for _, c := range report.Changes {
		changes = append(changes, c.Class.String()+": "+c.Text)
	}
	return changes, u.out.Notes, nil
}

// construct adds a construct to a source.
type construct struct {
	name   string
	change func(v *jsontree.Value)
	want   string // a change, a note, or an error
}

// Constructs that the generator understands are adopted. A new operation with any other construct is left out,
// and other changes are adopted without it.
func TestConstructs(t *testing.T) {
	dir := module(t)
	operation := func(path, method, text string) func(v *jsontree.Value) {
		return func(v *jsontree.Value) {
			item := v.Get("paths").Get(path)
			if item == nil {
				item = jsontree.NewObject()
				v.Get("paths").Set(path, item)
			}
			item.Set(method, parseJSON(t, text))
		}
	}
	member := func(schema, name, text string) func(v *jsontree.Value) {
		return func(v *jsontree.Value) {
			v.At("/components/schemas/"+schema+"/properties").Set(name, parseJSON(t, text))
		}
	}
	body := func(schema string) string {
		return `"requestBody": {"required": true, "content": {"application/json": {"schema": ` + schema + `}}}`
	}
	const (
		id      = `{"name": "identity", "in": "path", "required": true, "schema": {"type": "string"}}`
		parent  = `{"name": "creditor_id", "in": "path", "required": true, "schema": {"type": "string"}}`
		payment = `"responses": {"200": {"description": "", "content": {"application/json": {"schema": {"type": "object", "required": ["payments"], "properties": {"payments": {"$ref": "#/components/schemas/Payment"}}}}}}}`
		nothing = `"responses": {"204": {"description": ""}}`
	)
	const listIt = "Extend the generator, or list the place in ignore of generator/overlay.json with a reason"
	supported := []construct{
		{"PATCH", operation("/payments/{identity}", "patch", `{"parameters": [`+id+`], `+body(`{"type": "object", "required": ["payments"], "properties": {"payments": {"$ref": "#/components/schemas/PaymentUpdateParams2"}}}`)+`, `+payment+`}`),
			"addition: client.Payments.Patch was added (PATCH /payments/{identity})."},
		{"HEAD", operation("/payments/{identity}", "head", `{"parameters": [`+id+`], `+nothing+`}`),
			"HEAD /payments/{identity} is ignored: it only describes a resource and needs no method"},
		{"two ids", operation("/creditors/{a}/payments/{b}", "get", `{"operationId": "payments.get_of_creditor", "parameters": [`+strings.ReplaceAll(parent, "creditor_id", "a")+`, `+strings.ReplaceAll(id, "identity", "b")+`], `+payment+`}`),
			"addition: client.Payments.GetOfCreditor was added (GET /creditors/{creditor_id}/payments/{identity})."},
		{"202", operation("/payments/{identity}/actions/weigh", "post", `{"parameters": [`+id+`], `+strings.Replace(payment, "200", "202", 1)+`}`),
			"addition: client.Payments.Weigh was added (POST /payments/{identity}/actions/weigh)."},
		{"202 without a body", operation("/payments/{identity}/actions/paint", "post", `{"parameters": [`+id+`], "responses": {"202": {"description": ""}}}`),
			"addition: client.Payments.Paint was added (POST /payments/{identity}/actions/paint)."},
		{"202 without a body instead of one", func(v *jsontree.Value) {
			v.At("/paths/~1payments~1{identity}~1actions~1retry/post/responses").Set("202", parseJSON(t, `{"description": ""}`))
		}, "breaking: client.Payments.Retry"},
		{"repeated filter", func(v *jsontree.Value) {
			list := v.At("/paths/~1payments/get/parameters")
			list.Items = append(list.Items, parseJSON(t, `{"name": "colour", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}`))
		}, "addition: PaymentListParams.Colour (`colour`) was added."},
		{"union in a reply", func(v *jsontree.Value) {
			addPower(t, v)
			member("Payment", "power", `{"$ref": "#/components/schemas/Power"}`)(v)
		}, "addition: Payment.Power (`power`) was added."},
		{"union in a request", func(v *jsontree.Value) {
			addPower(t, v)
			member("PaymentCreateParams", "power", `{"$ref": "#/components/schemas/Power"}`)(v)
		}, "addition: PaymentCreateParams.Power (`power`) was added."},
		{"union in place", member("Payment", "drive", `{"oneOf": [
			{"type": "object", "required": ["type"], "properties": {"type": {"const": "battery", "type": "string"}, "cells": {"type": "integer"}}},
			{"type": "object", "required": ["type"], "properties": {"type": {"const": "motor", "type": "string"}, "watts": {"type": "integer"}}}]}`),
			"addition: Payment.Drive (`drive`) was added."},
		{"string or integer", member("Payment", "colour", `{"type": ["string", "integer"]}`), "addition: Payment.Colour (`colour`) was added."},
		{"string or integer in a request", member("PaymentCreateParams", "colour", `{"type": ["integer", "string"]}`), "addition: PaymentCreateParams.Colour (`colour`) was added."},
		{"string becomes either", member("Payment", "description", `{"type": ["string", "integer", "null"]}`), "Payment.Description (`description`)"},
		{"map of integers", member("Payment", "weights", `{"type": "object", "additionalProperties": {"type": "integer"}}`), "addition: Payment.Weights (`weights`) was added."},
		{"map of objects", member("PaymentCreateParams", "parts", `{"type": "object", "additionalProperties": {"type": "object", "properties": {"a": {"type": "string"}}}}`), "addition: PaymentCreateParams.Parts (`parts`) was added."},
		{"map changes its values", func(v *jsontree.Value) {
			member("PaymentUpdateParams", "metadata", `{"type": "object", "additionalProperties": {"type": "integer"}}`)(v)
		}, "PaymentUpdateParams.Metadata (`metadata`) changed type from Metadata to map[string]int."},
		{"uniqueItems", member("PaymentCreateParams", "colours", `{"type": "array", "uniqueItems": true, "minItems": 2, "items": {"type": "string"}}`), "addition: PaymentCreateParams.Colours (`colours`) was added."},
		{"uniqueItems of what is there", func(v *jsontree.Value) {
			v.At("/components/schemas/PaymentRetryParams/properties").Set("colours", parseJSON(t, `{"type": "array", "items": {"type": "string"}, "uniqueItems": true}`))
		}, "addition: PaymentRetryParams.Colours (`colours`) was added."},
		{"multipleOf", func(v *jsontree.Value) {
			v.At("/components/schemas/PaymentCreateParams/properties/amount").Set("multipleOf", parseJSON(t, "5"))
		}, "breaking: PaymentCreateParams.Amount (`amount`) must now obey multipleOf 5."},
	}
	left := []construct{
		{"multipart", operation("/exports/uploada", "post", `{"operationId": "exports.uploada", "requestBody": {"content": {"multipart/form-data": {"schema": {"type": "object"}}}}, `+nothing+`}`),
			"POST /exports/uploada is left out: /paths/~1exports~1uploada/post/requestBody/content: no JSON content with a schema, only multipart/form-data. " + listIt},
		{"open object", operation("/exports/uploadb", "post", `{"operationId": "exports.uploadb", `+body(`{"type": "object", "additionalProperties": true}`)+`, `+nothing+`}`),
			"POST /exports/uploadb is left out: /paths/~1exports~1uploadb/post/requestBody/content/application~1json/schema: a request body must be an inline object"},
		{"open object in an envelope", operation("/exports/uploadc", "post", `{"operationId": "exports.uploadc", `+body(`{"type": "object", "required": ["exports"], "properties": {"exports": {"type": "object", "additionalProperties": true}}}`)+`, `+nothing+`}`),
			"POST /exports/uploadc is left out: "},
		{"reply that is no JSON", operation("/exports/{identity}/file", "get", `{"operationId": "exports.file", "parameters": [`+id+`], "responses": {"200": {"description": "", "content": {"text/csv": {"schema": {"type": "string"}}}}}}`),
			"GET /exports/{identity}/file is left out: "},
		{"207", operation("/exports/uploadd", "post", `{"operationId": "exports.uploadd", `+strings.Replace(payment, "200", "207", 1)+`}`), "POST /exports/uploadd is left out: "},
		{"cookie", operation("/exports/uploade", "post", `{"operationId": "exports.uploade", "parameters": [{"name": "a", "in": "cookie", "schema": {"type": "string"}}], `+nothing+`}`), "POST /exports/uploade is left out: "},
		{"no name", operation("/a/b/c/d", "get", `{`+nothing+`}`), "GET /a/b/c/d is left out: /paths/~1a~1b~1c~1d/get: no rule names GET /a/b/c/d"},
		{"new component", func(v *jsontree.Value) {
			v.At("/components/schemas").Set("Odd", parseJSON(t, `{"type": "object", "properties": {"a": {"type": "string", "contentEncoding": "base64"}}}`))
			operation("/exports/uploadf", "post", `{"operationId": "exports.uploadf", "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"type": "object", "required": ["exports"], "properties": {"exports": {"$ref": "#/components/schemas/Odd"}}}}}}}}`)(v)
		}, "POST /exports/uploadf is left out: /components/schemas/Odd/properties/a: keyword contentEncoding is not understood"},
	}
	for name, group := range map[string][]construct{"supported": supported, "left out": left} {
		t.Run(name, func(t *testing.T) {
			changes, notes, err := adopted(t, dir, func(v *jsontree.Value) {
				v.At("/components/schemas").Set("PaymentUpdateParams2", parseJSON(t, `{"type": "object", "properties": {"retry_if_possible": {"type": "boolean"}}}`))
				member("PaymentLinks", "shade", `{"type": "string"}`)(v)
				for _, c := range group {
					c.change(v)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			said := slices.Concat(changes, notes)
			for _, c := range append(group, construct{"the other change", nil, "addition: PaymentLinks.Shade (`shade`) was added."}) {
				if !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, c.want) }) {
					t.Errorf("%s: no change or note %q:\n%s", c.name, c.want, strings.Join(said, "\n"))
				}
			}
		})
	}
}

// A part of an operation of ours that is not understood is left out or stays as it was. Everything else is
// adopted.
func TestConstructsOfOurOperations(t *testing.T) {
	const odd = `{"oneOf": [{"type": "string"}, {"type": "boolean"}]}`
	const because = "a choice between several schemas is not supported here. Extend the generator, or list the place in "
	dir := module(t)
	changes, notes, err := adopted(t, dir, func(v *jsontree.Value) {
		properties := func(schema string) *jsontree.Value { return v.At("/components/schemas/" + schema + "/properties") }
		properties("Payment").Set("colour", parseJSON(t, odd))
		properties("Payment").Set("amount", parseJSON(t, odd))
		properties("Payment").Set("reference", parseJSON(t, `{"type": "number", "minimum": 1, "format": "odd", "not": {}}`))
		properties("PaymentCreateParams").Set("colour", parseJSON(t, odd))
		required := v.At("/components/schemas/PaymentCreateParams/required")
		required.Items = append(required.Items, jsontree.NewString("colour"))
		v.At("/components/schemas").Set("Odd", parseJSON(t, odd))
		properties("Payment").Set("tint", parseJSON(t, `{"$ref": "#/components/schemas/Odd"}`))
		properties("Event").Set("colour", parseJSON(t, `{"$ref": "#/components/schemas/Odd"}`))
		properties("Event").Set("shade", parseJSON(t, `{"type": "string"}`))
		list := v.At("/paths/~1payments/get/parameters")
		list.Items = append(list.Items,
			parseJSON(t, `{"name": "colour", "in": "query", "schema": {"type": "array", "items": {"type": "number"}}}`),
			parseJSON(t, `{"name": "session", "in": "cookie", "schema": {"type": "string"}}`))
		for _, p := range list.Items {
			if p.Get("name").Str() == "status" {
				p.Set("schema", parseJSON(t, odd))
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := "addition: Event.Shade (`shade`) was added."; !slices.Contains(changes, want) {
		t.Errorf("no change %q", want)
	}
	for _, c := range changes {
		if !strings.HasPrefix(c, "addition: Event.Shade") && !strings.HasPrefix(c, "documentation: ") {
			t.Errorf("change %q", c)
		}
	}
	for place, want := range map[string]string{
		"/components/schemas/Payment/properties/colour":             "left out: /components/schemas/Payment/properties/colour: " + because + "ignore",
		"/components/schemas/Payment/properties/amount":             "stays as it was: /components/schemas/Payment/properties/amount: " + because + "pins",
		"/components/schemas/Payment/properties/reference":          "stays as it was: /components/schemas/Payment/properties/reference: keyword not is not understood",
		"/components/schemas/PaymentCreateParams/properties/colour": "left out: /components/schemas/PaymentCreateParams/properties/colour: " + because + "ignore",
		"/components/schemas/Payment/properties/tint":               "left out: /components/schemas/Odd: " + because + "ignore",
		"/components/schemas/Event/properties/colour":               "left out: /components/schemas/Odd: " + because + "ignore",
		"GET /payments?colour":                                      "left out: /paths/~1payments/get/parameters/",
		"GET /payments?session":                                     "left out: /paths/~1payments/get/parameters/",
		"GET /payments?status":                                      "stays as it was: /paths/~1payments/get/parameters/",
	} {
		if !slices.ContainsFunc(notes, func(n string) bool { return strings.HasPrefix(n, place+" ") && strings.Contains(n, want) }) {
			t.Errorf("no note %s … %s among\n%s", place, want, strings.Join(notes, "\n"))
		}
	}
}

// addPower adds a choice between two objects to a document.
func addPower(t *testing.T, v *jsontree.Value) {
	schemas := v.At("/components/schemas")
	schemas.Set("Power", parseJSON(t, `{"oneOf": [{"$ref": "#/components/schemas/Battery"}, {"$ref": "#/components/schemas/Motor"}],
		"discriminator": {"propertyName": "type", "mapping": {"battery": "#/components/schemas/Battery", "motor": "#/components/schemas/Motor"}}}`))
	schemas.Set("Battery", parseJSON(t, `{"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}, "cells": {"type": "integer"}}}`))
	schemas.Set("Motor", parseJSON(t, `{"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}, "watts": {"type": "integer"}}}`))
}

// One update adopts all constructs, and leaves out what it must. The code that it writes compiles, the contract
// tests of the new methods pass, and the sandbox serves them. Overlay entries whose operation is gone are
// removed.
func TestConstructsGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the SDK and its sandbox")
	}
	dir := wholeModule(t)
	constructs, err := jsontree.Parse(read(t, filepath.Join(root, "generator/testdata/golden/constructs/schema.json")))
	if err != nil {
		t.Fatal(err)
	}
	file := source(t, dir, func(v *jsontree.Value) {
		for _, m := range constructs.Get("paths").Members {
			v.Get("paths").Set(m.Name, m.Value)
		}
		for _, m := range constructs.At("/components/schemas").Members {
			if !v.At("/components/schemas").Has(m.Name) {
				v.At("/components/schemas").Set(m.Name, m.Value)
			}
		}
		v.Get("paths").Set("/gadgets/upload", parseJSON(t, `{"post": {"operationId": "gadgets.upload", "requestBody": {"content": {"multipart/form-data": {"schema": {"type": "object"}}}}, "responses": {"204": {"description": ""}}}}`))
		withKeywords(t)(v)
		v.Get("paths").Delete("/branding/logos")
		v.Get("paths").Delete("/creditors/{identity}")
	})
	o := options(dir, file)
	o.Words = true
	done, err := Update(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"POST /gadgets/upload is left out: /paths/~1gadgets~1upload/post/requestBody/content: no JSON content with a schema, only multipart/form-data. Extend the generator, or list the place in ignore of generator/overlay.json with a reason",
		"/operations/2 of generator/overlay.json (POST /branding/logos) matches nothing now: removed",
		"/notes/1/operations/1 of generator/overlay.json (creditors.update) matches nothing now: removed",
	} {
		if !slices.Contains(done.Notes, want) {
			t.Errorf("no note %q among\n%s", want, strings.Join(done.Notes, "\n"))
		}
	}
	if doc := string(read(t, filepath.Join(dir, "schema/gocardless.json"))); !strings.Contains(doc, `"name": "gadget_id"`) || strings.Count(doc, `"description": "Identifier of the gadget."`) < 4 {
		t.Error("the ids of a nested path are not described")
	}
	overlay := string(read(t, filepath.Join(dir, "generator/overlay.json")))
	if strings.Contains(overlay, "branding/logos") || strings.Contains(overlay, "creditors.update") || !strings.Contains(overlay, `"operations": ["creditors.create", "creditor_bank_accounts.create"`) {
		t.Errorf("the overlay is\n%s", overlay)
	}
	result, err := generator.Generate(generator.Config{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	if differences, err := result.Check(); err != nil || len(differences) > 0 {
		t.Errorf("not up to date: %v, %v", differences, err)
	}
	if out := upload(result.API); out == nil || !out.Open {
		t.Errorf("left out: %v", result.API.LeftOut)
	}
	if err := Check(dir, "v"+done.New.String()); err == nil || !strings.Contains(err.Error(), "POST /gadgets/upload is left out") {
		t.Errorf("a release is refused for %v", err)
	}
	ignored(t, dir, file)
	runConstructs(t, dir)
}

// ignored adds the omitted operation to the overlay: the note then has the overlay's reason, and the next update
// changes nothing.
func ignored(t *testing.T, dir, file string) {
	t.Helper()
	overlay := filepath.Join(dir, "generator/overlay.json")
	text := strings.Replace(string(read(t, overlay)), `"names": [],`, `"names": [],
  "ignore": [{"place": "POST /gadgets/upload", "reason": "files are sent by hand"}],`, 1)
	testmodule.Write(t, overlay, []byte(text))
	api, err := generator.Load(generator.Config{Root: dir})
	if err != nil || upload(api).String() != "POST /gadgets/upload is left out: files are sent by hand" {
		t.Errorf("left out: %v, %v", api, err)
	}
	o := options(dir, file)
	o.Words = true
	done, err := Update(t.Context(), o)
	if err != nil || done.Report != nil || !slices.Contains(done.Notes, "POST /gadgets/upload is left out: files are sent by hand") {
		t.Errorf("the second update: %+v, %v", done, err)
	}
}

// upload returns the record of the omitted operation.
func upload(api *ir.API) *ir.LeftOut {
	for _, out := range api.LeftOut {
		if out.Place == "POST /gadgets/upload" {
			return &out
		}
	}
	return nil
}

// runConstructs runs the tests of the new operations in the updated module.
func runConstructs(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"internal/contract/contract_test.go", "gocardless/gocardlesstest/helper_test.go", "gocardless/gocardlesstest/schema_test.go", "gocardless/gocardlesstest/operations_test.go", "gocardless/gocardlesstest/zz_rest_test.go"} {
		testmodule.Write(t, filepath.Join(dir, name), read(t, filepath.Join(root, name)))
	}
	testmodule.Write(t, filepath.Join(dir, "gocardless/gocardlesstest/constructs_test.go"), read(t, "testdata/constructs_test.go.txt"))
	others, err := filepath.Glob(filepath.Join(dir, "internal/contract/*_gen_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range others {
		if base := filepath.Base(other); !strings.HasPrefix(base, "gadget") && base != "payments_gen_test.go" {
			if err := os.Remove(other); err != nil {
				t.Fatal(err)
			}
		}
	}
	// Without optimisation, vetting and debug information, this takes half the time.
	cmd := exec.Command("go", "test", "-gcflags=./...=-N -l", "-ldflags=-s -w", "-vet=off", "-run", "Constructs|ContractGadget|ContractPayments", "./gocardless/gocardlesstest", "./internal/contract")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
