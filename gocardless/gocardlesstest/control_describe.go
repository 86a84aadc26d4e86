package gocardlesstest

import (
	"net/http"
	"strings"
	"sync"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// describeControls returns the OpenAPI document of the control API.
func describeControls(base string) object {
	return append(object{
		{"openapi", "3.1.0"},
		{"info", object{{"title", "GoCardless sandbox control API"}, {"version", "1"},
			{"description", "Controls a sandbox over HTTP, as a test in Go does with the methods of Sandbox."}}},
		{"servers", []any{object{{"url", base}}}},
	}, controlDescription()...)
}

// controlDescription is the part of the document that never changes.
var controlDescription = sync.OnceValue(func() object {
	schemas, paths := object{}, object{}
	for _, c := range theControls() {
		at := ControlPath + c.path
		paths = paths.With(at, append(paths.Obj(at), member{strings.ToLower(c.method), c.describe(&schemas)}))
	}
	schemas = append(schemas, member{"Error", object{{"type", "object"}, {"description", "An error in the form of the API's."},
		{"properties", object{{"error", object{{"type", "object"}}}}}, {"required", []any{"error"}}}})
	return object{{"paths", paths}, {"components", object{{"schemas", schemas}, {"securitySchemes", object{
		{"bearer", object{{"type", "http"}, {"scheme", "bearer"}, {"description", "Required if the sandbox's access tokens are set."}}}}}}},
		{"security", []any{object{}, object{{"bearer", []any{}}}}}}
})

func (c *control) describe(schemas *object) object {
	o := object{{"operationId", c.name}, {"summary", c.text}, {"tags", []any{c.group}}}
	params := []any{}
	if strings.Contains(c.path, "{id}") {
		params = append(params, object{{"name", "id"}, {"in", "path"}, {"required", true}, {"schema", object{{"type", "string"}}}})
	}
	switch {
	case c.method == http.MethodGet:
		for i := range c.body.Fields {
			f := &c.body.Fields[i]
			params = append(params, object{{"name", f.Name}, {"in", "query"}, {"required", f.Required}, {"description", f.Text}, {"schema", describeField(f, schemas).Without("description")}})
		}
	case c.body == nil:
		o = append(o, member{"requestBody", content("The snapshot to restore.", object{{"type", "object"}})})
	case len(c.body.Fields) > 0:
		body := content("The parameters.", describeType(c.body, schemas))
		o = append(o, member{"requestBody", append(body, member{"required", c.body.NeedsAny()})})
	}
	if len(params) > 0 {
		o = append(o, member{"parameters", params})
	}
	reply := object{{"type", "object"}}
	if c.reply != nil {
		reply = describeType(c.reply, schemas)
	}
	return append(o, member{"responses", object{
		{"200", content("Success.", reply)},
		{"default", content("Error.", object{{"$ref", "#/components/schemas/Error"}})},
	}})
}

func content(text string, schema object) object {
	return object{{"description", text}, {"content", object{{"application/json", object{{"schema", schema}}}}}}
}

// describeType returns a reference to the type's schema, and adds the schema to the others.
func describeType(t *api.Type, schemas *object) object {
	ref := object{{"$ref", "#/components/schemas/" + t.Name}}
	if schemas.Has(t.Name) {
		return ref
	}
	props, required := object{}, []any{}
	for i := range t.Fields {
		f := &t.Fields[i]
		props = append(props, member{f.Name, describeField(f, schemas)})
		if f.Required {
			required = append(required, f.Name)
		}
	}
	s := object{{"type", "object"}, {"properties", props}, {"additionalProperties", false}}
	if len(required) > 0 {
		s = append(s, member{"required", required})
	}
	*schemas = append(*schemas, member{t.Name, s})
	return ref
}

// describeField returns the schema of a member.
func describeField(f *api.Field, schemas *object) object {
	var s object
	switch f.Kind {
	case api.KindInt:
		s = object{{"type", "integer"}}
	case api.KindBool:
		s = object{{"type", "boolean"}}
	case api.KindTime:
		s = object{{"type", "string"}, {"format", "date-time"}}
	case api.KindObject:
		s = describeType(f.Type, schemas)
	case api.KindArray:
		s = object{{"type", "array"}, {"items", describeField(f.Elem, schemas)}}
	case api.KindStringMap:
		s = object{{"type", "object"}, {"additionalProperties", object{{"type", "string"}}}}
	case api.KindAnyMap:
		s = object{{"type", "object"}}
	default:
		s = object{{"type", "string"}}
	}
	if f.Nullable {
		s = s.With("type", []any{s.Get("type"), "null"})
	}
	if len(f.Enum) > 0 {
		s = append(s, member{"enum", texts(f.Enum)})
	}
	if f.Limits != nil && f.Limits.Minimum != nil {
		s = append(s, member{"minimum", *f.Limits.Minimum})
	}
	if f.Limits != nil && f.Limits.Maximum != nil {
		s = append(s, member{"maximum", *f.Limits.Maximum})
	}
	if f.Text != "" {
		s = append(s, member{"description", f.Text})
	}
	return s
}
