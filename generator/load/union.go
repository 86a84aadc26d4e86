package load

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/generator/name"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// union turns a choice between objects into one struct with the members of all. Only the discriminator is
// always present; conditions state which members each object has and requires. A new object, or a new
// member of one, therefore adds fields and changes none.
func (l *document) union(t *ir.Type, s *openapi3.Schema, role ir.Role) {
	l.understood(s, t.Pointer, ofUnion...)
	if role == ir.RoleFilter {
		l.errs.add(t.Pointer, "a choice between objects is not supported in a query")
		return
	}
	t.Union = true
	t.KeepsExtra = role == ir.RoleReply // the members of objects that this version does not know
	property := s.Discriminator.PropertyName
	forms := l.forms(s, jsontree.Join(t.Pointer, "discriminator"))
	kind := &ir.Field{
		Pointer: jsontree.Join(t.Pointer, "discriminator"), Name: property, GoName: name.Go(property), Required: true,
		Doc: "Kind of the object, which decides what else it has.", Type: &ir.Ref{Kind: ir.Named, Type: l.discriminator(t, property, forms)},
	}
	t.Fields = []*ir.Field{kind}
	members := make([]*ir.Type, len(forms))
	for i, f := range forms {
		members[i] = l.member(t, f, property, role)
	}
	if slices.Contains(members, nil) {
		return
	}
	l.undecided(t, kind, members)
	for _, field := range t.Fields[1:] {
		var having []string
		for i, f := range forms {
			if members[i].Field(field.Name) != nil {
				having = append(having, strconv.Quote(f.value))
			}
		}
		if len(having) < len(forms) {
			field.Doc = strings.TrimSpace(field.Doc + " Only if " + property + " is " + strings.Join(having, " or ") + ".")
		}
	}
	for i, f := range forms {
		c := &ir.Condition{Pointer: kind.Pointer, Field: kind, Equals: f.value}
		for _, field := range t.Fields[1:] {
			switch own := members[i].Field(field.Name); {
			case own == nil:
				c.Not = append(c.Not, field)
			case own.Required:
				c.Then = append(c.Then, ir.Path{field})
			}
		}
		t.Conditions = append(t.Conditions, c)
	}
}

// form is one of the objects of a union, with the value of the discriminator that stands for it.
type form struct{ value, schema string }

// forms lists the objects of a union in their order in the document. A value comes from the mapping; without
// one, it is the name of the schema.
func (l *document) forms(s *openapi3.Schema, pointer string) []form {
	var out []form
	for i, ref := range s.OneOf {
		schema, ok := strings.CutPrefix(ref.Ref, ir.SchemaPrefix)
		if !ok || !isObject(ref.Value) {
			l.errs.add(fmt.Sprintf("%s/%d", strings.TrimSuffix(pointer, "/discriminator")+"/oneOf", i), "a choice must be between objects among the component schemas")
			continue
		}
		mapped := false
		for _, value := range sorted(s.Discriminator.Mapping) {
			if to := s.Discriminator.Mapping[value].Ref; to == ref.Ref || to == schema {
				out, mapped = append(out, form{value, schema}), true
			}
		}
		if !mapped {
			out = append(out, form{schema, schema})
		}
	}
	return out
}

// discriminator makes the enum of a union's kinds; requests and replies share it.
func (l *document) discriminator(t *ir.Type, property string, forms []form) *ir.Type {
	key := typeKey{"discriminator of " + t.Schema, ir.RoleReply}
	if have := l.types[key]; have != nil {
		return have
	}
	goName := name.Go(t.Schema) + name.Go(property)
	e := &ir.Type{Pointer: jsontree.Join(t.Pointer, "discriminator"), GoName: goName, Kind: ir.Enum, Doc: "Kind of a " + name.Go(t.Schema) + ", which decides what else it has."}
	for _, f := range forms {
		doc := l.doc.Components.Schemas[f.schema].Value.Description
		e.Values = append(e.Values, &ir.Value{Wire: f.value, GoName: name.Value(goName, f.value), Doc: doc})
	}
	l.types[key] = e
	return e
}

// member reads one of the objects of a union and adds its members to those of the others. It returns nil
// after reporting a problem.
func (l *document) member(t *ir.Type, f form, property string, role ir.Role) *ir.Type {
	pointer := jsontree.Join("", "components", "schemas", f.schema)
	s := l.doc.Components.Schemas[f.schema].Value
	own := &ir.Type{Pointer: pointer, Schema: f.schema, GoName: t.GoName, Role: role}
	l.object(own, s, role)
	if len(own.Conditions) > 0 {
		l.errs.add(jsontree.Join(pointer, "if"), "conditions inside a choice between objects are not supported")
		return nil
	}
	if sr := s.Properties[property]; sr == nil || soleType(sr.Value) != "string" {
		l.errs.add(pointer, "the discriminator %q must be a string of every object", property)
		return nil
	}
	own.Fields = slices.DeleteFunc(own.Fields, func(field *ir.Field) bool { return field.Name == property })
	for _, field := range own.Fields {
		have := t.Field(field.Name)
		switch {
		case have == nil:
			t.Fields = append(t.Fields, optional(field, role))
		case !sameShape(have.Type, field.Type):
		default:
			have.Nullable = have.Nullable || field.Nullable
			if !reflect.DeepEqual(have.Limits, field.Limits) {
				have.Limits = ir.Limits{} // what one object refuses, another accepts
			}
		}
	}
	return own
}

// undecided removes from a union the members whose type differs between its objects, because one field
// cannot hold both. In replies, Extra has them. A request has no such place, so the use of the union is an
// error.
func (l *document) undecided(t *ir.Type, kind *ir.Field, members []*ir.Type) {
	var names []string
	for _, field := range slices.Clone(t.Fields[1:]) {
		var other *ir.Field
		for _, m := range members {
			if own := m.Field(field.Name); own != nil && !sameShape(own.Type, field.Type) {
				other = own
			}
		}
		if other == nil {
			continue
		}
		if t.Role != ir.RoleReply {
			l.undecidable[t] = fmt.Sprintf("one field cannot hold both types of %q, that of %s and that of %s", field.Name, field.Pointer, other.Pointer)
			continue
		}
		t.Fields = slices.DeleteFunc(t.Fields, func(f *ir.Field) bool { return f == field })
		names = append(names, strconv.Quote(field.Name))
	}
	if names != nil {
		kind.Doc += " Extra has " + strings.Join(names, " and ") + ", whose type depends on it."
	}
}

// optional returns a member as an optional field of a union.
func optional(f *ir.Field, role ir.Role) *ir.Field {
	o := *f
	o.Required, o.Pointered = false, ir.Pointered(role, f.In, f.Type, false, true)
	return &o
}

func sameShape(a, b *ir.Ref) bool {
	if a.Kind != b.Kind || a.Type != b.Type || (a.Elem == nil) != (b.Elem == nil) {
		return false
	}
	return a.Elem == nil || sameShape(a.Elem, b.Elem)
}
