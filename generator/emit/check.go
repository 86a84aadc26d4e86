package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

// checks reports whether a request type has anything to check before sending.
func checks(t *ir.Type) bool {
	return checksOf(t, map[*ir.Type]bool{})
}

func checksOf(t *ir.Type, seen map[*ir.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	if len(t.Conditions) > 0 {
		return true
	}
	for _, f := range t.Fields {
		if f.Required && presence(f) != nil || limited(f) {
			return true
		}
		if nested := nestedType(f); nested != nil && checksOf(nested, seen) {
			return true
		}
	}
	return false
}

// nestedType returns the object type of a field or of what its list or map holds, or nil.
func nestedType(f *ir.Field) *ir.Type {
	r := f.Type
	if r.Kind == ir.Array || r.Kind == ir.Map {
		r = r.Elem
	}
	if r.IsObject() && r.Type.Role != ir.RoleFilter {
		return r.Type
	}
	return nil
}

func limited(f *ir.Field) bool {
	return f.MinLength != nil || f.MaxLength != nil || f.Minimum != nil || f.Maximum != nil || f.Pattern != "" ||
		f.MultipleOf != nil || f.MinItems != nil || f.MaxItems != nil || uniqueItems(f) ||
		f.MinMembers != nil || f.MaxMembers != nil || f.MaxKeyLength != nil || f.MaxValueLength != nil
}

// uniqueItems reports whether the items of a field must differ and can be compared. Objects are left to
// the API.
func uniqueItems(f *ir.Field) bool { return f.UniqueItems && !f.Type.Elem.IsObject() }

// presence returns the condition under which a required field counts as given, or nil if its zero value may
// be intended: whether an amount of 0 is valid is for the API to decide.
func presence(f *ir.Field) *jen.Statement {
	return given(f, jen.Id("p").Dot(f.GoName))
}

func given(f *ir.Field, value *jen.Statement) *jen.Statement {
	switch r := f.Type; {
	case f.Pointered:
		return value.Clone().Op("!=").Nil()
	case isText(r):
		return value.Clone().Op("!=").Lit("")
	case r.Kind == ir.Date || r.Kind == ir.Time:
		return jen.Op("!").Add(value).Dot("IsZero").Call()
	case r.Kind == ir.Array || isMap(r):
		return value.Clone().Op("!=").Nil()
	}
	return nil
}

// checkFunc emits the function that reports what the schema would refuse.
func checkFunc(g *jen.File, t *ir.Type) {
	g.Func().Params(jen.Id("p").Op("*").Id(t.GoName)).Id("check").Params(jen.Id("c").Op("*").Id("checker")).BlockFunc(func(b *jen.Group) {
		for _, f := range t.Fields {
			if f.Required {
				if present := presence(f); present != nil {
					b.Id("c").Dot("required").Call(jen.Lit(f.Name), present)
				}
			}
			limits(b, f)
			inside(b, f)
		}
		for _, c := range t.Conditions {
			condition(b, c)
		}
	})
	g.Line()
}

// limits emits the checks of lengths, ranges, patterns and sizes of a field that is given.
func limits(b *jen.Group, f *ir.Field) {
	if !limited(f) {
		return
	}
	value := jen.Id("p").Dot(f.GoName)
	if f.Pointered {
		value = jen.Op("*").Add(value)
	}
	list := limitCalls(f, value)
	// A missing required string is already reported; its length adds nothing.
	if present := presence(f); f.Pointered || (isText(f.Type) || f.MinItems != nil || f.MinMembers != nil) && present != nil {
		b.If(present).Block(list...)
		return
	}
	for _, code := range list {
		b.Add(code)
	}
}

// limitCalls returns a check for each limit that a field has.
func limitCalls(f *ir.Field, value *jen.Statement) []jen.Code {
	var list []jen.Code
	call := func(name string, args ...jen.Code) {
		list = append(list, jen.Id("c").Dot(name).Call(append([]jen.Code{jen.Lit(f.Name)}, args...)...))
	}
	text := value
	if f.Type.IsEnum() {
		text = jen.String().Call(value)
	}
	if f.MinLength != nil {
		call("minLength", text, jen.Lit(*f.MinLength))
	}
	if f.MaxLength != nil {
		call("maxLength", text, jen.Lit(*f.MaxLength))
	}
	if f.Pattern != "" {
		call("pattern", text, jen.Lit(f.Pattern))
	}
	number := value
	if f.Type.Kind != ir.Int64 {
		number = jen.Int64().Call(value)
	}
	if f.Minimum != nil {
		call("minimum", number, jen.Lit(int(*f.Minimum)))
	}
	if f.Maximum != nil {
		call("maximum", number, jen.Lit(int(*f.Maximum)))
	}
	if f.MultipleOf != nil {
		call("multipleOf", number, jen.Lit(int(*f.MultipleOf)))
	}
	if f.MinItems != nil || f.MaxItems != nil {
		call("items", jen.Len(value), limit(f.MinItems), limit(f.MaxItems))
	}
	if uniqueItems(f) {
		list = append(list, jen.Id("checkUnique").Call(jen.Id("c"), jen.Lit(f.Name), value))
	}
	if f.MinMembers != nil {
		call("members", jen.Len(value), jen.Lit(*f.MinMembers))
	}
	if f.Type.Kind == ir.Map || f.Type.Kind == ir.AnyMap {
		if f.MaxMembers != nil || f.MaxKeyLength != nil {
			list = append(list, jen.Id("checkMap").Call(jen.Id("c"), jen.Lit(f.Name), value, limit(f.MaxMembers), limit(f.MaxKeyLength)))
		}
	} else if f.MaxMembers != nil || f.MaxKeyLength != nil || f.MaxValueLength != nil {
		call("stringMap", value, limit(f.MaxMembers), limit(f.MaxKeyLength), limit(f.MaxValueLength))
	}
	return list
}

// limit emits a limit, or -1 if there is none.
func limit(n *int) jen.Code {
	if n == nil {
		return jen.Lit(-1)
	}
	return jen.Lit(*n)
}

// inside emits the checks of the objects that a field holds.
func inside(b *jen.Group, f *ir.Field) {
	nested := nestedType(f)
	if nested == nil || !checks(nested) {
		return
	}
	value := jen.Id("p").Dot(f.GoName)
	leave := jen.Id("c").Dot("leave").Call()
	if f.Type.Kind == ir.Array {
		b.For(jen.Id("i").Op(":=").Range().Add(value)).Block(
			jen.Id("c").Dot("enterIndex").Call(jen.Lit(f.Name), jen.Id("i")),
			value.Clone().Index(jen.Id("i")).Dot("check").Call(jen.Id("c")),
			leave,
		)
		return
	}
	if f.Type.Kind == ir.Map {
		b.For(jen.List(jen.Id("key"), jen.Id("v")).Op(":=").Range().Id("inOrder").Call(value)).Block(
			jen.Id("c").Dot("enterKey").Call(jen.Lit(f.Name), jen.Id("key")),
			jen.Id("v").Dot("check").Call(jen.Id("c")),
			leave,
		)
		return
	}
	visit := []jen.Code{
		jen.Id("c").Dot("enter").Call(jen.Lit(f.Name)),
		value.Clone().Dot("check").Call(jen.Id("c")),
		leave,
	}
	if f.Pointered {
		b.If(value.Clone().Op("!=").Nil()).Block(visit...)
		return
	}
	for _, code := range visit {
		b.Add(code)
	}
}

// condition emits the check of an if/then of the schema.
func condition(b *jen.Group, c *ir.Condition) {
	subject := jen.Id("p").Dot(c.Field.GoName)
	var when *jen.Statement
	if c.Field.Pointered {
		when = subject.Clone().Op("!=").Nil().Op("&&").Op("*").Add(subject).Op("==").Lit(c.Equals)
	} else {
		when = subject.Op("==").Lit(c.Equals)
	}
	b.If(when).BlockFunc(func(b *jen.Group) {
		for _, path := range c.Then {
			consequence(b, path, jen.Id("p"))
		}
		for _, f := range c.Not {
			b.Id("c").Dot("excluded").Call(jen.Lit(f.Name), given(f, jen.Id("p").Dot(f.GoName)), jen.Lit(c.Field.Name), jen.Lit(c.Equals))
		}
	})
}

func consequence(b *jen.Group, path ir.Path, owner *jen.Statement) {
	f := path[0]
	value := owner.Clone().Dot(f.GoName)
	if len(path) == 1 {
		if present := given(f, value); present != nil {
			b.Id("c").Dot("required").Call(jen.Lit(f.Name), present)
		}
		return
	}
	inner := func(b *jen.Group) {
		b.Id("c").Dot("enter").Call(jen.Lit(f.Name))
		consequence(b, path[1:], value)
		b.Id("c").Dot("leave").Call()
	}
	if f.Pointered {
		b.If(value.Clone().Op("!=").Nil()).BlockFunc(inner)
		return
	}
	inner(b)
}
