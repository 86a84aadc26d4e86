package adopt

import (
	"slices"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// newUnion writes a choice between objects in our form: references, and a mapping from each value of the
// discriminator to one of them.
func (m *merger) newUnion(c scope, component string, raw *jsontree.Value, d *openapi.Schema) {
	raw.Set("oneOf", &jsontree.Value{Kind: jsontree.Array})
	raw.Set("discriminator", jsontree.NewObject(
		jsontree.Member{Name: "propertyName", Value: jsontree.NewString(d.Union.Property)},
		jsontree.Member{Name: "mapping", Value: jsontree.NewObject()},
	))
	c.owner = component
	for _, f := range d.Union.Forms {
		m.addForm(c, raw, f)
	}
}

func (m *merger) addForm(c scope, raw *jsontree.Value, f openapi.UnionForm) {
	if f.Value == "" {
		m.fail(f.Schema.Pointer, "no value of the discriminator stands for this object")
		return
	}
	c.member = f.Value
	use := m.build(c, f.Schema, false)
	raw.Get("discriminator").Get("mapping").Set(f.Value, use.Get("$ref").Clone())
	forms := raw.Get("oneOf")
	if !slices.ContainsFunc(forms.Items, func(have *jsontree.Value) bool { return jsontree.Equal(have, use) }) {
		forms.Items = append(forms.Items, use)
	}
}

// mergeUnion updates the objects of a choice.
func (m *merger) mergeUnion(c scope, raw *jsontree.Value, o, s *openapi.Schema) {
	if o.Union.Property != s.Union.Property {
		m.newUnion(c, o.Component, raw, s)
		return
	}
	mapping, forms := raw.Get("discriminator").Get("mapping"), raw.Get("oneOf")
	if mapping == nil {
		mapping = jsontree.NewObject()
		raw.Get("discriminator").Set("mapping", mapping)
	}
	for _, f := range o.Union.Forms {
		if s.Union.Form(f.Value) == nil {
			mapping.Delete(f.Value)
		} else if !mapping.Has(f.Value) {
			mapping.Set(f.Value, jsontree.NewString(ir.SchemaPrefix+f.Schema.Name()))
		}
	}
	for _, f := range s.Union.Forms {
		ours := o.Union.Form(f.Value)
		if ours == nil || !m.follows(ours.Name(), f.Schema.Def()) {
			inside := c
			inside.owner = o.Component
			m.addForm(inside, raw, f)
		}
	}
	used := map[string]bool{}
	for _, to := range mapping.Members {
		used[to.Value.Str()] = true
	}
	forms.Items = slices.DeleteFunc(forms.Items, func(form *jsontree.Value) bool { return !used[form.Get("$ref").Str()] })
}
