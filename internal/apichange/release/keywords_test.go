package release

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

const (
	taken = "taken" // a new field
	gone  = "gone"  // this side does not have it: readOnly in a request
)

// keywords are schemas of a new member with the expected result: the reason for leaving it out, or one of the
// constants above. request is "" if it is the same as reply.
var keywords = []struct{ name, schema, reply, request string }{
	{"any", `{}`, `a schema of type "" is not supported`, ""},
	{"true", `true`, `a schema of type "" is not supported`, ""},
	{"null", `{"type": "null"}`, `a schema of type "" is not supported`, ""},
	{"string", `{"type": "string", "minLength": 2, "maxLength": 5, "pattern": "^[a-z]+$"}`, taken, taken},
	{"lookahead", `{"type": "string", "pattern": "^(?=x)"}`, taken, taken},
	{"title", `{"type": "string", "title": "A title", "externalDocs": {"url": "https://example.com"}, "xml": {"name": "x"}, "$comment": "c"}`, taken, taken},
	{"default", `{"type": "string", "default": "x"}`, taken, taken},
	{"deprecated", `{"type": "string", "deprecated": true}`, taken, taken},
	{"read_only", `{"type": "string", "readOnly": true}`, taken, gone},
	{"write_only", `{"type": "string", "writeOnly": true}`, gone, taken},
	{"uuid", `{"type": "string", "format": "uuid"}`, taken, taken},
	{"uri", `{"type": "string", "format": "uri"}`, taken, taken},
	{"email", `{"type": "string", "format": "email"}`, taken, taken},
	{"byte", `{"type": "string", "format": "byte"}`, taken, taken},
	{"binary", `{"type": "string", "format": "binary"}`, taken, taken},
	{"time", `{"type": "string", "format": "time"}`, taken, taken},
	{"content_encoding", `{"type": "string", "contentEncoding": "base64"}`, "keyword contentEncoding is not understood", ""},
	{"content_media_type", `{"type": "string", "contentMediaType": "image/png"}`, "keyword contentMediaType is not understood", ""},
	{"not", `{"type": "string", "not": {"const": "a"}}`, "keyword not is not understood", ""},
	{"const", `{"type": "string", "const": "a"}`, taken, taken},
	{"const_integer", `{"type": "integer", "const": 3}`, taken, taken},
	{"enum", `{"type": "string", "enum": ["a", "b"]}`, taken, taken},
	{"enum_null", `{"type": ["string", "null"], "enum": ["a", "b", null]}`, taken, taken},
	{"enum_empty", `{"type": "string", "enum": ["", "a"]}`, taken, taken},
	{"enum_integers", `{"type": "integer", "enum": [1, 2]}`, "keyword enum is not understood: [1,2]", ""},
	{"enum_booleans", `{"type": "boolean", "enum": [true]}`, "keyword enum is not understood: [true]", ""},
	{"enum_mixed", `{"enum": ["a", 1]}`, `keyword enum is not understood: ["a",1]`, ""},
	{"minimum", `{"type": "integer", "minimum": 2, "maximum": 10, "multipleOf": 2}`, taken, taken},
	{"exclusive", `{"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 10}`, taken, taken},
	{"exclusive_number", `{"type": "number", "exclusiveMinimum": 0, "maximum": 1.5, "multipleOf": 0.01}`, taken, taken},
	{"beyond_int64", `{"type": "integer", "maximum": 1e20}`, taken, taken},
	{"half", `{"type": "integer", "minimum": 0.5}`, "/minimum: bounds must be whole numbers", ""},
	{"uint32", `{"type": "integer", "format": "uint32"}`, taken, taken},
	{"double", `{"type": "number", "format": "double"}`, taken, taken},
	{"string_or_integer", `{"type": ["string", "integer"]}`, taken, taken},
	{"any_of_string_or_integer", `{"anyOf": [{"type": "string"}, {"type": "integer"}]}`, taken, taken},
	{"bounded_string_or_integer", `{"type": ["string", "integer"], "minimum": 3}`, "/minimum: keyword minimum is not supported here", ""},
	{"three_types", `{"type": ["string", "integer", "boolean"]}`, `a schema of type "boolean|integer|string" is not supported`, ""},
	{"object_or_string", `{"type": ["object", "string"]}`, `a schema of type "object|string" is not supported`, ""},
	{"any_of_null", `{"anyOf": [{"type": "string"}, {"type": "null"}]}`, taken, taken},
	{"any_of_objects", `{"anyOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"type": "object", "properties": {"b": {"type": "string"}}}]}`, "a choice between several schemas is not supported here", ""},
	{"one_of", `{"oneOf": [{"type": "string"}, {"type": "boolean"}]}`, "a choice between several schemas is not supported here", ""},
	{"one_of_list", `{"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}`, "a choice between several schemas is not supported here", ""},
	{"array_strings", `{"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3, "uniqueItems": true}`, taken, taken},
	{"array_integers", `{"type": "array", "items": {"type": "integer"}}`, taken, taken},
	{"array_numbers", `{"type": "array", "items": {"type": "number"}, "uniqueItems": true}`, taken, taken},
	{"array_booleans", `{"type": "array", "items": {"type": "boolean"}}`, taken, taken},
	{"array_enums", `{"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}`, taken, taken},
	{"array_objects", `{"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 3}}}}`, taken, taken},
	{"array_dates", `{"type": "array", "items": {"type": "string", "format": "date"}}`, "arrays of this type are not supported", ""},
	{"array_arrays", `{"type": "array", "items": {"type": "array", "items": {"type": "string"}}}`, "arrays of this type are not supported", ""},
	{"array_metadata", `{"type": "array", "items": {"$ref": "#/components/schemas/Metadata"}}`, "arrays of this type are not supported", ""},
	{"array_any", `{"type": "array"}`, `a schema of type "array of anything" is not supported`, ""},
	{"prefix_items", `{"type": "array", "items": {"type": "string"}, "prefixItems": [{"type": "string"}]}`, "keyword prefixItems is not understood", ""},
	{"contains", `{"type": "array", "items": {"type": "string"}, "contains": {"const": "a"}}`, "keyword contains is not understood", ""},
	{"map_any", `{"type": "object", "additionalProperties": true, "maxProperties": 3}`, taken, taken},
	{"map_strings", `{"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1}`, taken, taken},
	{"map_integers", `{"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1, "maxProperties": 2}`, taken, taken},
	{"map_arrays", `{"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}`, "maps of this type are not supported", ""},
	{"pattern_properties", `{"type": "object", "patternProperties": {"^x": {"type": "string"}}}`, "keyword patternProperties is not understood", ""},
	{"metadata", `{"$ref": "#/components/schemas/Metadata", "maxProperties": 2}`, taken, taken},
	{"metadata_null", `{"anyOf": [{"$ref": "#/components/schemas/Metadata"}, {"type": "null"}], "maxProperties": 2}`, taken, taken},
	{"metadata_all_of", `{"allOf": [{"$ref": "#/components/schemas/Metadata"}, {"propertyNames": {"maxLength": 20}}]}`, taken, taken},
	{"object_any", `{"type": "object"}`, taken, taken},
	{"object_closed", `{"type": "object", "additionalProperties": false}`, taken, taken},
	{"object_open", `{"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": true}`, taken, taken},
	{"object_and_map", `{"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "integer"}}`, taken, taken},
	{"object_unevaluated", `{"type": "object", "properties": {"a": {"type": "string"}}, "unevaluatedProperties": false}`, taken, taken},
	{"object_condition", `{"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "if": {"properties": {"a": {"const": "x"}}, "required": ["a"]}, "then": {"required": ["b"]}}`, taken, taken},
	{"object_else", `{"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "if": {"properties": {"a": {"const": "x"}}, "required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["a"]}}`, "/else: keyword else is not supported here", ""},
	{"dependent_required", `{"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "dependentRequired": {"a": ["b"]}}`, "keyword dependentRequired is not understood", ""},
	{"union", `{"oneOf": [
		{"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string", "const": "dot"}, "size": {"type": "integer"}, "x": {"type": "integer"}}},
		{"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string", "const": "line"}, "size": {"type": "string"}, "y": {"type": "integer"}}}]}`,
		taken, `one field cannot hold both types of "size"`},
	{"reference", `{"$ref": "#/components/schemas/Currency", "maxLength": 3, "description": "d"}`, taken, taken},
}

// A member with any keyword is adopted, or left out with the reason. One update has all of them, so none affects
// the others.
func TestKeywords(t *testing.T) {
	changes, notes, err := adopted(t, module(t), withKeywords(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keywords {
		request := k.request
		if request == "" {
			request = k.reply
		}
		for schema, want := range map[string]string{"Payment": k.reply, "PaymentCreateParams": request} {
			place := "/components/schemas/" + schema + "/properties/new_" + k.name
			added := slices.ContainsFunc(changes, func(c string) bool {
				return strings.HasPrefix(c, "addition: "+schema+".") && strings.Contains(c, "(`new_"+k.name+"`) was added")
			})
			i := slices.IndexFunc(notes, func(n string) bool { return strings.HasPrefix(n, place+" is left out: ") })
			switch {
			case want == taken && (!added || i >= 0), want == gone && (added || i >= 0), want != taken && want != gone && (added || i < 0):
				t.Errorf("%s in %s: added is %t, notes are %q, want %q", k.name, schema, added, notes[max(i, 0):], want)
			case i >= 0 && (!strings.Contains(notes[i], want) || !strings.HasSuffix(notes[i], ". Extend the generator, or list the place in ignore of generator/overlay.json with a reason")):
				t.Errorf("%s in %s: note is %s", k.name, schema, notes[i])
			}
		}
	}
}

// withKeywords adds a member with each of the schemas to a reply and to a request.
func withKeywords(t *testing.T) func(v *jsontree.Value) {
	return func(v *jsontree.Value) {
		for _, k := range keywords {
			for _, schema := range []string{"Payment", "PaymentCreateParams"} {
				v.At(fmt.Sprintf("/components/schemas/%s/properties", schema)).Set("new_"+k.name, parseJSON(t, k.schema))
			}
		}
	}
}
