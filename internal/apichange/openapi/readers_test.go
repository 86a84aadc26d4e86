package openapi

import (
	"fmt"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/gocardless-community/gocardless-go/generator/load"
)

// The tests here prove the reasons in docs/architecture.md for two readers of OpenAPI. If one fails after an
// update of kin-openapi or of the generator, check whether one reader is enough.

// around returns a document with one operation, which takes A. Other component schemas may follow the schema.
func around(schema string) []byte {
	return fmt.Appendf(nil, `{"openapi": "3.1.0", "info": {"title": "T", "version": "1", "x-schema-date": "2026-01-01"}, "paths": {
		"/things": {"post": {"operationId": "things.create",
			"requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "required": ["things"], "properties": {"things": {"$ref": "#/components/schemas/A"}}}}}},
			"responses": {"204": {"description": "Done."}}}}},
		"components": {"schemas": {"A": %s}}}`, schema)
}

func property(schema string) string {
	return `{"type": "object", "properties": {"b": {"type": "string"}, "a": ` + schema + `}}`
}

// Comparing and adopting need what kin-openapi does not keep: it reads each of these pairs as the same document.
func TestWhatTheOtherReaderLoses(t *testing.T) {
	for _, c := range []struct {
		name, one, other string
		seen             func(a *Schema) any
	}{
		{
			"the order of members", property(`{"type": "string"}`), `{"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}`,
			func(a *Schema) any { return a.Properties[0].Name },
		},
		{
			"the digits of a number", property(`{"type": "integer", "maximum": 9007199254740993}`), property(`{"type": "integer", "maximum": 9007199254740992}`),
			func(a *Schema) any { return a.Property("a").AllLimits()["maximum"] },
		},
		{
			"that something is null", property(`{"type": ["string", "null"], "default": null}`), property(`{"type": ["string", "null"]}`),
			func(a *Schema) any { return a.Property("a").Default },
		},
		{
			"a spelling of null", property(`{"anyOf": [{"type": "string"}, {"const": null}]}`), property(`{"anyOf": [{"type": "string"}, {}]}`),
			func(a *Schema) any { return a.Property("a").MayBeNull() },
		},
	} {
		var seen [2]any
		var text [2]string
		for i, schema := range []string{c.one, c.other} {
			doc, err := Parse(around(schema))
			if err != nil {
				t.Fatal(err)
			}
			seen[i] = c.seen(doc.Component("A"))
			other, err := openapi3.NewLoader().LoadFromData(around(schema))
			if err != nil {
				t.Fatal(err)
			}
			written, err := other.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			text[i] = string(written)
		}
		if seen[0] == seen[1] {
			t.Errorf("%s: also lost by this reader: %v", c.name, seen[0])
		}
		if text[0] != text[1] {
			t.Errorf("%s: no longer lost by kin-openapi", c.name)
		}
	}
}

// One malformed keyword makes kin-openapi refuse a document. This reader reads the rest.
func TestOddKeywordHidesNothing(t *testing.T) {
	for name, schema := range map[string]string{
		"a limit in quotes":      property(`{"type": "string", "maxLength": "12"}`),
		"required as in draft 3": property(`{"type": "string", "required": true}`),
	} {
		if _, err := openapi3.NewLoader().LoadFromData(around(schema)); err == nil {
			t.Errorf("%s: no longer refused by kin-openapi", name)
		}
		doc, err := Parse(around(schema))
		if err != nil || doc.Component("A").Property("b") == nil || len(doc.Operations) != 1 {
			t.Errorf("%s: not read: %v", name, err)
		}
	}
}

// The generator cannot use this reader: it must refuse spellings that it does not understand, and this reader
// reads all spellings alike.
func TestSpellingsAreReadAlike(t *testing.T) {
	const ofB = `{"$ref": "#/components/schemas/B"}`
	const whole = `{"type": "object", "required": ["a"], "properties": {"b": {"type": "string"}, "a": {"type": "string"}}}`
	for _, c := range []struct{ name, refused, taken string }{
		{"a constant", property(ofB) + `, "B": {"type": "string", "const": "x"}`, property(ofB) + `, "B": {"type": "string", "enum": ["x"]}`},
		{"an object in parts", `{"allOf": [` + property(`{"type": "string"}`) + `, {"type": "object", "required": ["a"]}]}`, whole},
		{"null as a choice", property(`{"oneOf": [{"type": "integer"}, {"type": "null"}]}`), property(`{"type": ["integer", "null"]}`)},
	} {
		var read [2]string
		for i, schema := range []string{c.refused, c.taken} {
			doc, err := Parse(around(schema))
			if err != nil {
				t.Fatal(err)
			}
			a := doc.Component("A").Def()
			read[i] = fmt.Sprint(a.Type, a.Required, len(doc.Problems))
			for _, p := range a.Properties {
				d := p.Schema.Def()
				read[i] += fmt.Sprint(" ", p.Name, d.Type, d.Enum, p.Schema.MayBeNull(), d.Other)
			}
		}
		if read[0] != read[1] {
			t.Errorf("%s: read as %s and as %s", c.name, read[0], read[1])
		}
		if _, _, err := load.Read(load.Input{Schema: around(c.refused)}); err == nil {
			t.Errorf("%s: the generator no longer refuses it", c.name)
		}
		if _, _, err := load.Read(load.Input{Schema: around(c.taken)}); err != nil {
			t.Errorf("%s: the generator refuses the spelling that it knows: %v", c.name, err)
		}
	}
}
