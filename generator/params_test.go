package generator_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// Parameters and members of a request that are sent as the schema says have a field; the generator refuses
// all others.
func TestParams(t *testing.T) {
	parse := func(text string) *jsontree.Value {
		v, err := jsontree.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	component := func(name, text string) func(*jsontree.Value) {
		return func(doc *jsontree.Value) { doc.At("/components/schemas").Set(name, parse(text)) }
	}
	parameter := func(operation, rest string) func(*jsontree.Value) {
		return func(doc *jsontree.Value) {
			list := doc.At("/paths/~1gadgets/" + operation + "/parameters")
			list.Items = append(list.Items, parse(`{"name": "odd", `+rest+`}`))
		}
	}
	filter := func(member string) func(*jsontree.Value) {
		return func(doc *jsontree.Value) {
			component("OddFilter", `{"type": "object", "properties": {"odd": `+member+`}}`)(doc)
			parameter("get", `"in": "query", "style": "deepObject", "schema": {"$ref": "#/components/schemas/OddFilter"}`)(doc)
		}
	}
	member := func(text string) func(*jsontree.Value) {
		return func(doc *jsontree.Value) {
			doc.At("/components/schemas/GadgetCreateParams/properties").Set("odd", parse(text))
		}
	}
	const (
		queryOf  = "/paths/~1gadgets/get/parameters/3/schema: parameters of this type are not supported"
		headerOf = `/paths/~1gadgets/get/parameters/3: a parameter of style`
		inFilter = "/components/schemas/OddFilter/properties/odd: members of this type are not supported in a parameter"
	)
	for name, c := range map[string]struct {
		change func(*jsontree.Value)
		want   string // in an error, or in the code
	}{
		"required boolean":        {parameter("get", `"in": "query", "required": true, "schema": {"type": "boolean"}`), "Odd bool `json:\"odd\"`"},
		"optional boolean":        {parameter("get", `"in": "query", "schema": {"type": "boolean"}`), "Odd *bool `json:\"odd,omitzero\"`"},
		"number":                  {parameter("get", `"in": "query", "schema": {"type": "number"}`), queryOf},
		"list of integers":        {parameter("get", `"in": "query", "schema": {"type": "array", "items": {"type": "integer"}}`), queryOf},
		"map of integers":         {parameter("get", `"in": "query", "style": "deepObject", "schema": {"type": "object", "additionalProperties": {"type": "integer"}}`), queryOf},
		"header of integers":      {parameter("get", `"in": "header", "schema": {"type": "integer"}`), "Odd int `json:\"-\" wire:\"header=odd\"`"},
		"list in a header":        {parameter("get", `"in": "header", "schema": {"type": "array", "items": {"type": "string"}}`), headerOf},
		"short list in a header":  {parameter("get", `"in": "header", "explode": false, "schema": {"type": "array", "items": {"type": "string"}}`), headerOf},
		"filter by boolean":       {filter(`{"type": "boolean"}`), "Odd *bool `json:\"odd,omitzero\"`"},
		"filter by list":          {filter(`{"type": "array", "items": {"type": "string"}}`), "Odd []string `json:\"odd,omitzero\"`"},
		"filter by number":        {filter(`{"type": "number"}`), inFilter},
		"filter by integers":      {filter(`{"type": "array", "items": {"type": "integer"}}`), inFilter},
		"filter by anything":      {filter(`{"type": "object", "additionalProperties": true}`), inFilter},
		"filter by map":           {filter(`{"type": "object", "additionalProperties": {"type": "integer"}}`), inFilter},
		"factor":                  {member(`{"type": "integer", "multipleOf": 0}`), "/components/schemas/GadgetCreateParams/properties/odd/multipleOf: a factor must be positive"},
		"limits of a date":        {member(`{"type": "string", "format": "date", "maxLength": 10}`), "Odd *Date `json:\"odd,omitzero\" limits:\"maxLength=10\"`"},
		"pattern":                 {member(`{"type": "string", "pattern": "^\\d\"` + "`" + `,$", "maxLength": 3}`), `Odd *string "json:\"odd,omitzero\" limits:\"maxLength=3,pattern=^\\\\d\\\"` + "`" + `,$\""`},
		"condition on an integer": {component("GadgetPatchParams", `{"type": "object", "properties": {"odd": {"type": "integer"}, "b": {"type": "string"}}, "if": {"required": ["odd"], "properties": {"odd": {"const": "x"}}}, "then": {"required": ["b"]}}`), "/components/schemas/GadgetPatchParams/if: a condition must compare a property"},
		"condition on a string":   {component("GadgetPatchParams", `{"type": "object", "properties": {"odd": {"type": ["string", "integer"]}, "b": {"type": "string"}}, "if": {"required": ["odd"], "properties": {"odd": {"const": "x: y,%"}}}, "then": {"required": ["b"]}}`), "Odd *string `json:\"odd,omitzero\" when:\"x%3A+y%2C%25: b\"`"},
		"query beside a body":     {parameter("post", `"in": "query", "schema": {"type": "string"}`), "Odd string `json:\"odd,omitzero\" wire:\"query\"`"},
		"query beside no members": {func(doc *jsontree.Value) {
			component("GadgetCreateParams", `{"type": "object"}`)(doc)
			parameter("post", `"in": "query", "schema": {"type": "string"}`)(doc)
		}, "Odd string `json:\"odd,omitzero\" wire:\"query\"`"},
	} {
		doc := parse(string(read(t, filepath.Join("testdata", "golden", "constructs", "schema.json"))))
		c.change(doc)
		files, err := generated(doc)
		var text strings.Builder
		if err != nil {
			text.WriteString(err.Error())
		}
		for _, f := range files {
			text.Write(f.Content)
		}
		if got := strings.Join(strings.Fields(text.String()), " "); !strings.Contains(got, c.want) {
			t.Errorf("%s: no %s in\n%s", name, c.want, oddLines(text.String()))
		}
	}
}

// oddLines returns the lines of code that have a field or an error of a test.
func oddLines(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if strings.Contains(line, "Odd") || strings.Contains(line, "odd") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}
