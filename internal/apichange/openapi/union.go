package openapi

import (
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// Union distinguishes the objects of a choice by the value of a member.
type Union struct {
	Property string
	Forms    []UnionForm
}

// UnionForm is one of the objects with its value.
type UnionForm struct {
	Value  string
	Schema *Schema
}

// Form returns the object with the given value, or nil.
func (u *Union) Form(value string) *Schema {
	for _, f := range u.Forms {
		if f.Value == value {
			return f.Schema
		}
	}
	return nil
}

// discriminate records which form of a choice each value of the discriminator stands for. The schemas of the
// forms may not be read yet.
func (r *reader) discriminate(s *Schema, v *jsontree.Value) {
	d := v.Get("discriminator")
	if d == nil || len(s.OneOf) < 2 {
		return
	}
	s.Union = &Union{Property: d.Get("propertyName").Str()}
	forms := v.Get("oneOf")
	if forms == nil {
		forms = v.Get("anyOf")
	}
	i := 0
	for _, form := range forms.Items {
		if isNull(form) {
			continue
		}
		ref, mapped := form.Get("$ref").Str(), false
		if mapping := d.Get("mapping"); mapping != nil {
			for _, m := range mapping.Members {
				if to := m.Value.Str(); ref != "" && (to == ref || ir.SchemaPrefix+to == ref) {
					s.Union.Forms = append(s.Union.Forms, UnionForm{m.Name, s.OneOf[i]})
					mapped = true
				}
			}
		}
		if !mapped {
			s.Union.Forms = append(s.Union.Forms, UnionForm{strings.TrimPrefix(ref, ir.SchemaPrefix), s.OneOf[i]})
		}
		i++
	}
}

// unions completes the choices between objects once every schema is read: each is an object with the
// members of all.
func (d *Document) unions() {
	done := map[*Schema]bool{}
	var visit func(s *Schema)
	visit = func(s *Schema) {
		if s == nil || done[s] {
			return
		}
		done[s] = true
		for _, form := range s.OneOf {
			visit(form)
		}
		for _, p := range s.Properties {
			visit(p.Schema)
		}
		visit(s.Ref)
		visit(s.Items)
		visit(s.Values)
		s.unite()
	}
	for _, s := range d.components {
		visit(s)
	}
	for _, o := range d.Operations {
		if o.Body != nil {
			visit(o.Body.Schema)
		}
		for _, p := range o.Params {
			visit(p.Schema)
		}
		for _, r := range o.Replies {
			visit(r.Schema)
		}
	}
}

// unite turns a choice between objects into an object, if they have a discriminator or a member with a
// different constant in each.
func (s *Schema) unite() {
	if len(s.OneOf) < 2 || slices.ContainsFunc(s.OneOf, func(f *Schema) bool { return !f.IsObject() || len(f.Def().OneOf) > 0 }) {
		s.Union = nil
		return
	}
	if s.Union == nil {
		s.Union = constants(s.OneOf)
	}
	if s.Union == nil {
		return
	}
	kind := &Schema{Pointer: jsontree.Join(s.Pointer, "discriminator"), Type: "string"}
	for i := range s.Union.Forms {
		f := &s.Union.Forms[i]
		if own := f.Schema.Def().Property(s.Union.Property); own != nil && f.Value == "" && len(own.Def().Enum) == 1 {
			f.Value = own.Def().Enum[0]
		}
		kind.addValue(f.Value, f.Schema.Def().Description)
	}
	s.Type = "object"
	s.Properties, s.Required = []Property{{s.Union.Property, kind}}, []string{s.Union.Property}
	for _, f := range s.Union.Forms {
		for _, p := range f.Schema.Def().Properties {
			if s.Property(p.Name) == nil && s.Union.agree(p) {
				use := *p.Schema
				use.Nullable = true // the other objects do not have it
				s.Properties = append(s.Properties, Property{p.Name, &use})
			}
		}
	}
}

// agree reports whether a member has the same type in all objects that have it, because no field can hold
// several types.
func (u *Union) agree(p Property) bool {
	for _, f := range u.Forms {
		if other := f.Schema.Def().Property(p.Name); other != nil && !alike(other.Def(), p.Schema.Def()) {
			return false
		}
	}
	return true
}

// alike reports whether two definitions seem to become the same Go type, without following their properties.
func alike(a, b *Schema) bool {
	if a.Type != b.Type || typeFormat(a) != typeFormat(b) || !slices.Equal(a.Enum, b.Enum) || len(a.Properties) != len(b.Properties) || (a.Items == nil) != (b.Items == nil) {
		return false
	}
	return a.Items == nil || alike(a.Items.Def(), b.Items.Def())
}

// typeFormat returns the format if it decides the Go type, or "".
func typeFormat(s *Schema) string {
	if slices.Contains([]string{"date", "date-time", "int64"}, s.Format) {
		return s.Format
	}
	return ""
}

// constants finds a member with a different constant in each of the objects.
func constants(forms []*Schema) *Union {
	for _, p := range forms[0].Def().Properties {
		u := &Union{Property: p.Name}
		for _, f := range forms {
			own := f.Def().Property(p.Name)
			if own == nil || len(own.Def().Enum) != 1 || !f.Def().Requires(p.Name) || u.Form(own.Def().Enum[0]) != nil {
				break
			}
			u.Forms = append(u.Forms, UnionForm{own.Def().Enum[0], f})
		}
		if len(u.Forms) == len(forms) {
			return u
		}
	}
	return nil
}
