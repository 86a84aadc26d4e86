package adopt

import (
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/name"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// transport lists the headers that the SDK's pipeline sets. Some documents list them as parameters.
var transport = []string{"authorization", "accept", "content-type", "gocardless-version", "user-agent", "gocardless-client-library", "gocardless-client-version"}

const idempotencyKey = "Idempotency-Key"

var paramKeys = []string{"name", "in", "required", "schema", "description", "x-description-source", "required", "deprecated", "style", "explode"}

func (m *merger) mergeParams(c scope, raw *jsontree.Value, o, s *openapi.Operation) {
	list := raw.Get("parameters")
	for _, p := range o.Params {
		q := s.Param(p.In, p.Name)
		if p.In == "path" {
			continue // identified by its position, not by its name
		}
		if q == nil {
			if !m.left.keeps[paramPlace(o, p)] && m.dropsParam(p) {
				m.removeParam(list, p)
			}
			continue
		}
		if strings.EqualFold(p.Name, idempotencyKey) {
			continue
		}
		m.mergeParam(c, p, q)
	}
	for _, q := range s.Params {
		if q.In == "path" || o.Param(q.In, q.Name) != nil || q.In == "header" && slices.Contains(transport, strings.ToLower(q.Name)) {
			continue
		}
		if list == nil {
			list = &jsontree.Value{Kind: jsontree.Array}
			raw.SetOrdered("parameters", list, operationKeys)
		}
		insertParam(list, m.newParam(c, q))
	}
	if list != nil && len(list.Items) == 0 {
		raw.Delete("parameters")
	}
}

// dropsParam reports whether the absence of a parameter of ours means that it is gone. It has no meaning in a
// document that lists no query parameters, or the header nowhere.
func (m *merger) dropsParam(p *openapi.Param) bool {
	if p.In == "header" {
		return m.src.Says("header:" + strings.ToLower(p.Name))
	}
	return m.src.Says("in:" + p.In)
}

func (m *merger) removeParam(list *jsontree.Value, p *openapi.Param) {
	at := m.raw[p.Pointer]
	list.Items = slices.DeleteFunc(list.Items, func(v *jsontree.Value) bool {
		return v == at || v.Get("$ref").Str() == "#"+p.Pointer
	})
}

func insertParam(list, param *jsontree.Value) {
	at := len(list.Items)
	for i, p := range list.Items {
		if paramOrder(p, param) > 0 {
			at = i
			break
		}
	}
	list.Items = slices.Insert(list.Items, at, param)
}

func (m *merger) mergeParam(c scope, p, q *openapi.Param) {
	raw := m.raw[p.Pointer]
	if p.Required != q.Required && m.says(openapi.InQuery, "required") {
		if q.Required {
			raw.SetOrdered("required", jsontree.NewBool(true), paramKeys)
		} else {
			raw.Delete("required")
		}
	}
	if m.says(openapi.InQuery, "deprecated") {
		flag(raw, "deprecated", q.Deprecated || q.Schema.Deprecated, paramKeys)
	}
	if p.Style != q.Style && m.src.Says("style") || p.Explode != q.Explode && m.src.Says("explode") {
		raw.SetOrdered("style", jsontree.NewString(q.Style), paramKeys)
		raw.SetOrdered("explode", jsontree.NewBool(q.Explode), paramKeys)
	}
	text := q.Description
	if text == "" {
		text = q.Schema.Description
	}
	m.words(raw, p.Pointer, text, paramKeys)
	c.member, c.places = p.Name, openapi.InQuery
	c.owner += "Params"
	m.mergeUse(c, raw.Get("schema"), p.Schema, q.Schema, false)
}

// newParam returns a parameter in our form.
func (m *merger) newParam(c scope, q *openapi.Param) *jsontree.Value {
	if strings.EqualFold(q.Name, idempotencyKey) {
		return jsontree.NewObject(jsontree.Member{Name: "$ref", Value: jsontree.NewString("#/components/parameters/IdempotencyKey")})
	}
	c.member, c.places = q.Name, openapi.InQuery
	c.owner += "Params"
	p := jsontree.NewObject(
		jsontree.Member{Name: "name", Value: jsontree.NewString(q.Name)},
		jsontree.Member{Name: "in", Value: jsontree.NewString(q.In)},
		jsontree.Member{Name: "schema", Value: m.build(c, q.Schema, false)},
	)
	text := q.Description
	if text == "" {
		text = q.Schema.Description
	}
	m.newWords(p, text, paramKeys)
	if q.Required {
		p.Set("required", jsontree.NewBool(true))
	}
	if q.Deprecated {
		p.Set("deprecated", jsontree.NewBool(true))
	}
	if q.In != "query" {
		return p
	}
	switch {
	case q.Schema.IsObject() || q.Schema.IsMap():
		p.Set("style", jsontree.NewString("deepObject"))
		p.Set("explode", jsontree.NewBool(true))
	case q.Schema.Def().Type == "array":
		p.Set("style", jsontree.NewString("form"))
		p.Set("explode", jsontree.NewBool(m.src.Says("explode") && q.Explode))
	}
	return p
}

// pathParam returns the parameter for a variable segment of a path, given the segment before it.
func pathParam(collection, segment string) *jsontree.Value {
	return jsontree.NewObject(
		jsontree.Member{Name: "name", Value: jsontree.NewString(segment)},
		jsontree.Member{Name: "in", Value: jsontree.NewString("path")},
		jsontree.Member{Name: "required", Value: jsontree.NewBool(true)},
		jsontree.Member{Name: "schema", Value: jsontree.NewObject(
			jsontree.Member{Name: "type", Value: jsontree.NewString("string")},
			jsontree.Member{Name: "minLength", Value: &jsontree.Value{Kind: jsontree.Number, Text: "1"}},
		)},
		jsontree.Member{Name: "description", Value: jsontree.NewString("Identifier of the " + name.Noun(collection) + ".")},
	)
}
