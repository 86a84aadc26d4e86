package openapi

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func vendored(t *testing.T) map[string]*Document {
	t.Helper()
	files, _ := filepath.Glob("../../../schema/history/*.json")
	files = append(files, "../../../schema/gocardless.json")
	out := map[string]*Document{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Parse(data)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		out[filepath.Base(file)] = d
	}
	return out
}

// The model holds every keyword of the vendored documents: one without a field could change without a report.
func TestVendoredDocumentsAreHeldWhole(t *testing.T) {
	docs := vendored(t)
	if len(docs) < 8 {
		t.Fatalf("only %d documents", len(docs))
	}
	for name, d := range docs {
		for _, p := range d.Problems {
			t.Errorf("%s: %v", name, p)
		}
		for component, s := range d.components {
			check(t, name+" "+component, s, 0)
		}
	}
	d := docs["2026-06-17.json"]
	if len(d.Operations) != 137 || d.Date != "2026-06-17" || d.Version != "2015-07-06" || len(d.Servers) != 2 {
		t.Errorf("got %d operations of %s, version %s, %d servers", len(d.Operations), d.Date, d.Version, len(d.Servers))
	}
}

func check(t *testing.T, where string, s *Schema, depth int) {
	for key := range s.Other {
		t.Errorf("%s: keyword %s is not modelled", where, key)
	}
	if depth > 3 {
		return
	}
	for _, p := range s.Properties {
		check(t, where+"."+p.Name, p.Schema, depth+1)
	}
}

// document wraps component schemas and one operation that uses them.
func document(schemas string) []byte {
	return fmt.Appendf(nil, `{"openapi": "3.1.0", "info": {"title": "t", "version": "1"},
		"paths": {"/things/{id}": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
			"post": {"requestBody": {"$ref": "#/components/requestBodies/B"}, "responses": {"200": {"$ref": "#/components/responses/R"}}}}},
		"components": {
			"requestBodies": {"B": {"required": true, "content": {"application/json; charset=utf-8": {"schema": {"$ref": "#/components/schemas/A"}}}}},
			"responses": {"R": {"description": "", "content": {"application/vnd.api+json": {"schema": {"$ref": "#/components/schemas/A"}}}}},
			"schemas": %s}}`, schemas)
}

// All these spellings mean an object whose member x is a string or null.
func TestSpellingsOfTheSame(t *testing.T) {
	for name, schemas := range map[string]string{
		"3.1 type array":      `{"A": {"type": "object", "properties": {"x": {"type": ["string", "null"], "description": "d"}}}}`,
		"3.0 nullable":        `{"A": {"type": "object", "properties": {"x": {"type": "string", "nullable": true, "description": "d"}}}}`,
		"anyOf null":          `{"A": {"type": "object", "properties": {"x": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "d"}}}}`,
		"oneOf null first":    `{"A": {"type": "object", "properties": {"x": {"oneOf": [{"type": "null"}, {"type": "string"}], "description": "d"}}}}`,
		"3.0 allOf":           `{"A": {"type": "object", "properties": {"x": {"allOf": [{"$ref": "#/components/schemas/S"}], "nullable": true, "description": "d"}}}, "S": {"type": "string"}}`,
		"3.1 reference":       `{"A": {"type": "object", "properties": {"x": {"anyOf": [{"$ref": "#/components/schemas/S"}, {"type": "null"}], "description": "d"}}}, "S": {"type": "string"}}`,
		"null in the target":  `{"A": {"type": "object", "properties": {"x": {"$ref": "#/components/schemas/S", "description": "d"}}}, "S": {"type": ["null", "string"]}}`,
		"no object type":      `{"A": {"properties": {"x": {"type": ["string", "null"], "description": "d"}}}}`,
		"two allOf":           `{"A": {"allOf": [{"$ref": "#/components/schemas/B"}, {"type": "object", "properties": {"x": {"type": ["string", "null"], "description": "d"}}}]}, "B": {"type": "object"}}`,
		"chain of references": `{"A": {"$ref": "#/components/schemas/B"}, "B": {"type": "object", "properties": {"x": {"type": ["string", "null"], "description": "d"}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Parse(document(schemas))
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Problems) > 0 {
				t.Fatal(d.Problems)
			}
			o := d.Operation("POST", "/things/{}")
			if o == nil || o.Param("path", "id") == nil || !o.Body.Required {
				t.Fatalf("operation not read: %+v", o)
			}
			for side, s := range map[string]*Schema{"body": o.Body.Schema, "reply": o.Reply().Schema} {
				x := s.Def().Property("x")
				if x == nil || x.Def().Type != "string" || !x.MayBeNull() || x.Description != "d" || !s.IsObject() {
					t.Errorf("%s: x is %+v", side, x)
				}
			}
		})
	}
}

func TestBrokenDocuments(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"text", "hello", "not a JSON document"},
		{"array", "[]", "an object is expected"},
		{"no version", `{"paths": {}}`, "/openapi is missing"},
		{"swagger", `{"swagger": "2.0", "paths": {"/a": {}}}`, "Swagger 2 is not supported"},
		{"future", `{"openapi": "4.0.0", "paths": {"/a": {}}}`, `version "4.0.0" is not supported`},
		{"empty", `{"openapi": "3.1.0", "paths": {}}`, "without operations"},
		{"dangling", string(document(`{"A": {"$ref": "#/components/schemas/Nope"}}`)), `/components/schemas/A/$ref: "#/components/schemas/Nope" leads nowhere`},
		{"external", string(document(`{"A": {"$ref": "other.json#/X"}}`)), "leads nowhere in this document"},
		{"itself", string(document(`{"A": {"$ref": "#/components/schemas/A"}}`)), "refers to itself"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.in))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

// A schema may contain itself, and two schemas may refer to each other.
func TestCircles(t *testing.T) {
	d, err := Parse(document(`{"A": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/A"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	a := d.Component("A")
	if a.Property("next").Def() != a {
		t.Error("next does not lead back to A")
	}
	if d, err = Parse(document(`{"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}}`)); err == nil {
		d.Component("A").Def() // must end
		d.Component("A").MayBeNull()
	}
}

func TestProblems(t *testing.T) {
	for name, c := range map[string]struct{ schemas, want string }{
		"scalars combined": {`{"A": {"type": "object", "properties": {"x": {"allOf": [{"type": "string"}, {"type": "integer"}]}}}}`, "/components/schemas/A/properties/x/allOf/0"},
		"not a schema":     {`{"A": {"type": "object", "properties": {"x": 3}}}`, "/components/schemas/A/properties/x"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Parse(document(c.schemas))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(d.Problems, func(p Problem) bool { return strings.HasPrefix(p.Error(), c.want) }) {
				t.Errorf("got %v, want one at %s", d.Problems, c.want)
			}
		})
	}
}

func TestSays(t *testing.T) {
	docs := vendored(t)
	old, current := docs["2025-05-20.json"], docs["gocardless.json"]
	for _, keyword := range []string{"examples", "if", "x-restricted", "default", "format:email"} {
		if old.Says(keyword) {
			t.Errorf("2025-05-20 has no %s", keyword)
		}
		if !current.Says(keyword) {
			t.Errorf("the current document has %s", keyword)
		}
	}
	if !old.Says("format:date") || !current.Says("format:uri") {
		t.Error("formats are not distinguished")
	}
}

// A schema with readOnly or writeOnly properties is a different one in each direction.
func TestSides(t *testing.T) {
	doc, err := Parse([]byte(`{"openapi": "3.0.3", "info": {"title": "x", "version": "1"}, "paths": {"/things": {"post": {
		"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
		"responses": {"201": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}}}}},
		"components": {"schemas": {
			"Base": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "readOnly": true}}},
			"Thing": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "required": ["name", "secret"], "properties": {
				"name": {"type": "string", "readOnly": false}, "secret": {"type": "string", "writeOnly": true}, "inner": {"$ref": "#/components/schemas/Base"}}}]}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	describe := func(s *Schema) string {
		var names []string
		for _, p := range s.Def().Properties {
			names = append(names, p.Name)
		}
		return strings.Join(names, " ") + "; required " + strings.Join(s.Def().Required, " ")
	}
	post := doc.Operations[0]
	for got, want := range map[string]string{
		describe(post.Body.Schema):                            "name secret inner; required name secret",
		describe(post.Reply().Schema):                         "id name inner; required id name",
		describe(post.Body.Schema.Def().Property("inner")):    "; required ",
		describe(post.Reply().Schema.Def().Property("inner")): "id; required id",
		describe(doc.Component("Thing")):                      "id name secret inner; required id name secret",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
