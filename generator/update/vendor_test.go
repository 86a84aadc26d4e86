package update

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/jsontree"
)

// vendorVariants are habits of documents that vendors publish and ours does not have.
var vendorVariants = []variant{
	{"words beside references by allOf", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			ref := s.Get("$ref")
			if ref == nil {
				return
			}
			words := s.Clone()
			words.Delete("$ref")
			if len(words.Members) == 0 {
				words.Set("title", jsontree.NewString("A title"))
			}
			s.Members = []jsontree.Member{{Name: "allOf", Value: array(object("$ref", ref), words)}}
		})
	}},
	{"objects composed of two", func(r *jsontree.Value) {
		components := r.At("/components/schemas")
		for _, m := range slices.Clone(components.Members) {
			halve(components, m.Name, m.Value)
		}
	}},
	{"null by nullable beside oneOf", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			if forms := s.Get("anyOf"); forms != nil {
				replaceMember(s, "anyOf", "oneOf", array(forms.Items[0]))
				s.Set("nullable", jsontree.NewBool(true))
			}
		})
	}},
	{"null among the values of enums", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			forms := s.Get("anyOf")
			if forms == nil {
				return
			}
			enum := r.At(strings.TrimPrefix(forms.Items[0].Get("$ref").Str(), "#"))
			if enum.Get("enum") == nil {
				return
			}
			values := enum.Get("enum").Clone()
			values.Items = append(values.Items, &jsontree.Value{})
			s.Delete("anyOf")
			s.Set("type", jsontree.NewStrings("string", "null"))
			s.Set("enum", values)
		})
	}},
	{"keywords that say nothing", noise},
	{"objects open or closed", func(r *jsontree.Value) {
		i := 0
		schemasIn(r, func(s *jsontree.Value) {
			if s.Has("properties") {
				i++
				s.Set("additionalProperties", []*jsontree.Value{jsontree.NewBool(true), jsontree.NewBool(false), jsontree.NewObject()}[i%3])
			}
		})
	}},
	{"several media types", func(r *jsontree.Value) {
		contents(r, func(c *jsontree.Value) {
			media := c.Get("application/json")
			other := parse(`{"schema": {"type": "string", "format": "binary"}}`)
			c.Members = []jsontree.Member{{Name: "application/xml", Value: other}, {Name: "application/json; charset=utf-8", Value: media}, {Name: "multipart/form-data", Value: other}}
		})
	}},
	{"2XX for every success with a body", func(r *jsontree.Value) {
		operations(r, func(op *jsontree.Value) {
			for i, m := range op.Get("responses").Members {
				if strings.HasPrefix(m.Name, "20") && m.Value.Has("content") {
					op.Get("responses").Members[i].Name = "2XX"
				}
			}
		})
	}},
	{"success as the default reply", func(r *jsontree.Value) {
		operations(r, func(op *jsontree.Value) {
			responses := op.Get("responses")
			if responses.Has("204") {
				return
			}
			for _, m := range slices.Clone(responses.Members) {
				if strings.HasPrefix(m.Name, "20") && m.Value.Has("content") {
					responses.Members = []jsontree.Member{{Name: "default", Value: m.Value}}
				}
			}
		})
	}},
	{"everything in components", componentise},
	{"a slash at the end of paths", func(r *jsontree.Value) {
		for i := range r.Get("paths").Members {
			r.Get("paths").Members[i].Name += "/"
		}
	}},
	{"references escaped as in URLs", func(r *jsontree.Value) {
		renameSchemas(r)
		r.Walk(func(_ string, v *jsontree.Value) {
			if ref := v.Get("$ref").Str(); ref != "" {
				v.Set("$ref", jsontree.NewString("#"+strings.NewReplacer("_", "%5F", ".", "%2e").Replace(ref[1:])))
			}
		})
	}},
	{"references into paths", func(r *jsontree.Value) {
		const place = "/paths/~1payments~1{identity}/get/responses/200/content/application~1json/schema/properties/payments"
		payment := r.At("/components/schemas/Payment")
		r.Walk(func(pointer string, v *jsontree.Value) {
			if v.Get("$ref").Str() == schemaPrefix+"Payment" && pointer != place {
				v.Set("$ref", jsontree.NewString("#"+strings.NewReplacer("{", "%7B", "}", "%7D").Replace(place)))
			}
		})
		at := r.At(place)
		at.Members = payment.Members
		r.At("/components/schemas").Delete("Payment")
	}},
	{"enums open by anyOf", func(r *jsontree.Value) {
		for _, m := range r.At("/components/schemas").Members {
			if s := m.Value; s.Has("enum") {
				words := s.Get("description")
				s.Delete("description")
				closed := s.Clone()
				s.Members = []jsontree.Member{{Name: "anyOf", Value: array(object("type", jsontree.NewString("string")), closed)}}
				if words != nil {
					s.Set("description", words)
				}
			}
		}
	}},
	{"enums as a choice of constants", func(r *jsontree.Value) {
		for _, m := range r.At("/components/schemas").Members {
			if s := m.Value; s.Has("enum") {
				var forms []*jsontree.Value
				for _, value := range s.Get("enum").Items {
					forms = append(forms, object("const", value, "description", jsontree.NewString("Words.")))
				}
				s.Delete("enum")
				s.Delete("x-enum-descriptions")
				s.Set("oneOf", array(forms...))
			}
		}
	}},
	{"enums of one value as constants", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			if e := s.Get("enum"); e != nil && len(e.Items) == 1 {
				replaceMember(s, "enum", "const", e.Items[0])
			}
		})
	}},
	{"nothing required", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) { s.Delete("required"); s.Delete("if"); s.Delete("then") })
	}},
	{"numbers for integers", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			switch t := s.Get("type"); {
			case t.Str() == "integer":
				s.Set("type", jsontree.NewString("number"))
			case slices.Contains(t.Strings(), "integer"):
				s.Set("type", jsontree.NewStrings("number", "null"))
			default:
				return
			}
			s.Delete("format")
		})
	}},
	{"formats of others", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			if s.Has("format") || s.Has("enum") {
				return
			}
			switch t := append(s.Get("type").Strings(), s.Get("type").Str()); {
			case slices.Contains(t, "integer"):
				s.Set("format", jsontree.NewString("int32"))
			case slices.Contains(t, "string"):
				s.Set("format", jsontree.NewString("uuid"))
			case slices.Contains(t, "number"):
				s.Set("format", jsontree.NewString("decimal"))
			}
		})
	}},
	{"maps as bare objects", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			s.Delete("additionalProperties")
			s.Delete("propertyNames")
		})
	}},
	{"filters without explode", func(r *jsontree.Value) {
		r.Walk(func(_ string, v *jsontree.Value) {
			if v.Get("style").Str() == "deepObject" {
				v.Delete("explode")
			}
		})
	}},
	{"no types where they are plain", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			if s.Get("type").Str() != "" && (s.Has("properties") || s.Has("enum")) {
				s.Delete("type")
			}
		})
	}},
	{"empty bodies described", func(r *jsontree.Value) {
		operations(r, func(op *jsontree.Value) {
			if !op.Has("requestBody") {
				op.Set("requestBody", parse(`{"content": {"application/json": {"schema": {"type": "object"}}}}`))
			}
			for _, m := range op.Get("responses").Members {
				if m.Name == "204" {
					m.Value.Set("content", jsontree.NewObject())
				}
			}
		})
	}},
	{"empty lists of what is required", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			if s.Has("properties") && !s.Has("required") {
				s.Set("required", array())
			}
		})
	}},
}

func array(items ...*jsontree.Value) *jsontree.Value {
	return &jsontree.Value{Kind: jsontree.Array, Items: items}
}

// object makes an object from names and values in turn.
func object(members ...any) *jsontree.Value {
	v := jsontree.NewObject()
	for i := 0; i < len(members); i += 2 {
		v.Set(members[i].(string), members[i+1].(*jsontree.Value))
	}
	return v
}

// halve writes an object as one with half of its properties and, in turn, by a second object and
// by keywords beside allOf, one with the other half.
func halve(components *jsontree.Value, name string, s *jsontree.Value) {
	properties := s.Get("properties")
	if properties == nil || len(properties.Members) < 2 || s.Has("if") {
		return
	}
	half := len(properties.Members) / 2
	base := object("type", jsontree.NewString("object"), "properties", &jsontree.Value{Kind: jsontree.Object, Members: properties.Members[:half]})
	rest := object("properties", &jsontree.Value{Kind: jsontree.Object, Members: properties.Members[half:]})
	if required := s.Get("required"); required != nil {
		rest.Set("required", required)
	}
	components.Set(name+"Base", base)
	whole := object("allOf", array(object("$ref", jsontree.NewString(schemaPrefix+name+"Base"))))
	if half%2 == 0 {
		whole.Get("allOf").Items = append(whole.Get("allOf").Items, rest)
		whole.Set("type", jsontree.NewString("object"))
	} else {
		whole.Members = append(whole.Members, rest.Members...)
	}
	if d := s.Get("description"); d != nil {
		whole.Set("description", d)
	}
	s.Members = whole.Members
}

// noise adds what OpenAPI allows and a client need not read.
func noise(r *jsontree.Value) {
	docs := parse(`{"url": "https://example.com"}`)
	schemasIn(r, func(s *jsontree.Value) {
		s.Set("x-internal-id", jsontree.NewString("7"))
		if s.Has("$ref") {
			return
		}
		s.Set("title", jsontree.NewString("Some title"))
		s.Set("externalDocs", docs)
		s.Set("readOnly", jsontree.NewBool(false))
		s.Set("writeOnly", jsontree.NewBool(false))
		s.Set("nullable", jsontree.NewBool(false))
		s.Set("xml", parse(`{"name": "x"}`))
		if s.Has("oneOf") {
			s.Set("discriminator", parse(`{"propertyName": "kind"}`))
		}
	})
	r.Set("externalDocs", docs)
	r.Set("x-generator", jsontree.NewBool(true))
	r.Set("webhooks", parse(`{"paid": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}, "responses": {"200": {"description": ""}}}}}`))
	r.Set("servers", parse(`[{"url": "https://{host}.gocardless.com/", "variables": {"host": {"default": "api"}}}]`))
	r.Get("paths").Set("x-note", jsontree.NewString("none"))
	for _, path := range r.Get("paths").Members {
		if path.Value.Kind == jsontree.Object {
			for _, op := range path.Value.Members {
				op.Value.Set("security", parse(`[{"oauth": ["read"]}]`))
				op.Value.Set("servers", r.Get("servers"))
				op.Value.Set("externalDocs", docs)
				op.Value.Set("callbacks", parse(`{"done": {"{$request.body#/url}": {"post": {"responses": {"200": {"description": ""}}}}}}`))
				op.Value.Set("x-code-samples", array())
				for _, m := range op.Value.Get("responses").Members {
					m.Value.Set("headers", parse(`{"RateLimit-Limit": {"schema": {"type": "integer"}}}`))
					m.Value.Set("links", jsontree.NewObject())
				}
			}
			path.Value.Set("summary", jsontree.NewString("A path"))
			path.Value.Set("x-area", jsontree.NewString("money"))
		}
	}
	r.At("/paths").Delete("x-note")
}

// contents visits the content of every body and reply.
func contents(r *jsontree.Value, do func(c *jsontree.Value)) {
	r.Walk(func(pointer string, v *jsontree.Value) {
		if strings.HasSuffix(pointer, "/content") && v.Kind == jsontree.Object && v.Has("application/json") {
			do(v)
		}
	})
}

// componentise moves parameters, bodies, replies and path items to the components.
func componentise(r *jsontree.Value) {
	components := r.Get("components")
	for _, part := range []string{"parameters", "requestBodies", "responses", "pathItems"} {
		if !components.Has(part) {
			components.Set(part, jsontree.NewObject())
		}
	}
	n := 0
	move := func(part string, v *jsontree.Value) {
		if v.Has("$ref") {
			return
		}
		n++
		name := fmt.Sprintf("Shared%d", n)
		components.Get(part).Set(name, v.Clone())
		v.Members = object("$ref", jsontree.NewString("#/components/"+part+"/"+name)).Members
	}
	for _, path := range r.Get("paths").Members {
		for _, op := range path.Value.Members {
			if body := op.Value.Get("requestBody"); body != nil {
				move("requestBodies", body)
			}
			for _, m := range op.Value.Get("responses").Members {
				move("responses", m.Value)
			}
			var own, shared []*jsontree.Value
			if list := op.Value.Get("parameters"); list != nil {
				for _, p := range list.Items {
					if p.Get("in").Str() == "path" {
						shared = append(shared, p)
						continue
					}
					move("parameters", p)
					own = append(own, p)
				}
				list.Items = own
			}
			if shared != nil {
				path.Value.Set("parameters", array(shared...))
			}
		}
		move("pathItems", path.Value)
	}
}
