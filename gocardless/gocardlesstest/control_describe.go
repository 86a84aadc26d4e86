package gocardlesstest

import (
	"net/http"
	"strings"
	"sync"
)

// describeControls is the OpenAPI document of the control API.
func describeControls(base string) object {
	return append(object{
		{"openapi", "3.1.0"},
		{"info", object{{"title", "GoCardless sandbox control API"}, {"version", "1"},
			{"description", "Steers a sandbox: what a test in Go does with methods, programs in other languages do with these calls."}}},
		{"servers", []any{object{{"url", base}}}},
	}, controlDescription()...)
}

// controlDescription is the part of the document that is always the same.
var controlDescription = sync.OnceValue(func() object {
	schemas, paths := object{}, object{}
	for _, c := range theControls() {
		at := ControlPath + c.path
		paths = paths.with(at, append(paths.obj(at), member{strings.ToLower(c.method), c.describe(&schemas)}))
	}
	schemas = append(schemas, member{"Error", object{{"type", "object"}, {"description", "An error in the form of the API's."},
		{"properties", object{{"error", object{{"type", "object"}}}}}, {"required", []any{"error"}}}})
	return object{{"paths", paths}, {"components", object{{"schemas", schemas}, {"securitySchemes", object{
		{"bearer", object{{"type", "http"}, {"scheme", "bearer"}, {"description", "Needed when the sandbox knows its tokens."}}}}}}},
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
		for i := range c.body.fields {
			f := &c.body.fields[i]
			params = append(params, object{{"name", f.name}, {"in", "query"}, {"required", f.required}, {"description", f.text}, {"schema", describeField(f, schemas).without("description")}})
		}
	case c.body == nil:
		o = append(o, member{"requestBody", content("What to take over.", object{{"type", "object"}})})
	case len(c.body.fields) > 0:
		body := content("What to do.", describeType(c.body, schemas))
		o = append(o, member{"requestBody", append(body, member{"required", needsBody(c.body)})})
	}
	if len(params) > 0 {
		o = append(o, member{"parameters", params})
	}
	reply := object{{"type", "object"}}
	if c.reply != nil {
		reply = describeType(c.reply, schemas)
	}
	return append(o, member{"responses", object{
		{"200", content("It was done.", reply)},
		{"default", content("It was refused.", object{{"$ref", "#/components/schemas/Error"}})},
	}})
}

func content(text string, schema object) object {
	return object{{"description", text}, {"content", object{{"application/json", object{{"schema", schema}}}}}}
}

// describeType refers to the type's schema, which it adds to the others.
func describeType(t *typeSpec, schemas *object) object {
	ref := object{{"$ref", "#/components/schemas/" + t.name}}
	if schemas.has(t.name) {
		return ref
	}
	props, required := object{}, []any{}
	for i := range t.fields {
		f := &t.fields[i]
		props = append(props, member{f.name, describeField(f, schemas)})
		if f.required {
			required = append(required, f.name)
		}
	}
	s := object{{"type", "object"}, {"properties", props}, {"additionalProperties", false}}
	if len(required) > 0 {
		s = append(s, member{"required", required})
	}
	*schemas = append(*schemas, member{t.name, s})
	return ref
}

// describeField is the schema of a member.
func describeField(f *fieldSpec, schemas *object) object {
	var s object
	switch f.kind {
	case kInt:
		s = object{{"type", "integer"}}
	case kBool:
		s = object{{"type", "boolean"}}
	case kTime:
		s = object{{"type", "string"}, {"format", "date-time"}}
	case kObject:
		s = describeType(f.typ, schemas)
	case kArray:
		s = object{{"type", "array"}, {"items", describeField(f.elem, schemas)}}
	case kStringMap:
		s = object{{"type", "object"}, {"additionalProperties", object{{"type", "string"}}}}
	case kAnyMap:
		s = object{{"type", "object"}}
	default:
		s = object{{"type", "string"}}
	}
	if f.nullable {
		s = s.with("type", []any{s.get("type"), "null"})
	}
	if len(f.enum) > 0 {
		s = append(s, member{"enum", texts(f.enum)})
	}
	if f.lim != nil && f.lim.minimum != nil {
		s = append(s, member{"minimum", *f.lim.minimum})
	}
	if f.lim != nil && f.lim.maximum != nil {
		s = append(s, member{"maximum", *f.lim.maximum})
	}
	if f.text != "" {
		s = append(s, member{"description", f.text})
	}
	return s
}
