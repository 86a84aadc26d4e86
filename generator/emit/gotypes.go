package emit

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

// goType refers to a Go type, with the import that it needs.
func goType(typ string) *jen.Statement {
	if prefix, ok := strings.CutSuffix(typ, "time.Time"); ok {
		return jen.Op(prefix).Qual("time", "Time")
	}
	return jen.Id(typ)
}

// fieldDecl declares a struct field with its documentation and tags.
func fieldDecl(t *ir.Type, f *ir.Field) []jen.Code {
	doc, advice, _ := strings.Cut(f.Doc, " Deprecated: ")
	notes := fullStop(doc)
	if f.RequiredWhen != "" {
		notes += " Required when " + fullStop(lowerFirst(f.RequiredWhen))
	}
	if f.Required && t.Role != ir.RoleReply {
		notes += " Required."
	}
	if f.UniqueItems && t.Role != ir.RoleReply {
		notes += " No item may occur twice."
	}
	if f.Restricted {
		notes += " Restricted: GoCardless must enable it for your account."
	}
	if f.Default != "" && t.Role != ir.RoleReply {
		notes += " Default: " + f.Default + "."
	}
	var deprecated string
	if f.Deprecated {
		if advice == "" {
			advice = "GoCardless advises against this field"
		}
		deprecated = "Deprecated: " + fullStop(advice)
	}
	out := docLines(4, notes, deprecated)
	return append(out, jen.Id(f.GoName).Add(goType(f.GoType())).Tag(tags(t, f)))
}

// sentence makes the first paragraph of an object type's doc comment. That of params leads to the
// methods that take them.
func (s *source) sentence(t *ir.Type) string {
	if !strings.HasPrefix(t.Doc, "Parameters of ") {
		return sentence(t)
	}
	var methods []string
	for service, op := range s.api.Operations() {
		for _, m := range op.Methods {
			if m.Params != t {
				continue
			}
			methods = append(methods, "["+service.TypeName+"."+m.GoName+"]")
			if m.AllName != "" {
				methods = append(methods, "["+service.TypeName+"."+m.AllName+"]")
			}
		}
	}
	if len(methods) == 0 {
		return sentence(t)
	}
	return t.GoName + " holds the parameters of " + strings.Join(methods, " and ") + "."
}

// structDecl declares an object type.
func structDecl(src *source, t *ir.Type) {
	g := src.file
	doc := src.sentence(t)
	if doc == "" {
		doc = t.GoName + " is part of the API's schema."
	}
	var deprecated string
	if t.Deprecated {
		deprecated = "Deprecated: GoCardless advises against this type."
	}
	for _, line := range docLines(0, doc, deprecated) {
		g.Add(line)
	}
	g.Type().Id(t.GoName).StructFunc(func(s *jen.Group) {
		for _, f := range t.Fields {
			for _, code := range fieldDecl(t, f) {
				s.Add(code)
			}
		}
		if t.KeepsExtra {
			s.Comment("Extra holds the members that this version of the library does not know, by name.")
			s.Id("Extra").Map(jen.String()).Any().Tag(map[string]string{"json": "-"})
		}
		if t.GoName == "Event" && t.Role == ir.RoleReply {
			for _, line := range docLines(4, "Misfits lists the values of the event that do not fit their fields, which keep their zero value. Paths are relative to the event.") {
				s.Add(line)
			}
			s.Id("Misfits").Index().Id("Misfit").Tag(map[string]string{"json": "-"})
		}
	})
	g.Line()
}

// enumDecl declares an open enum: a string type, its known values, and Known.
func enumDecl(g *jen.File, t *ir.Type) {
	doc := sentence(t)
	if doc == "" {
		doc = t.GoName + " is an enumeration of the API."
	}
	for _, line := range docLines(0, doc+" The API may add values without notice, so handle values that are not listed.") {
		g.Add(line)
	}
	g.Type().Id(t.GoName).String()
	g.Line()
	g.Commentf("Known values of %s.", t.GoName)
	g.Const().DefsFunc(func(c *jen.Group) {
		for _, v := range t.Values {
			valueDecl(c, t.GoName, v)
		}
	})
	g.Line()
	g.Commentf("Known reports whether this version of the library lists v.")
	g.Func().Params(jen.Id("v").Id(t.GoName)).Id("Known").Params().Bool().Block(
		jen.Return(jen.Id("isOneOf").Call(jen.String().Call(jen.Id("v")), jen.Id("valuesOf"+t.GoName).Index(jen.Op(":")))))
	g.Line()
	g.Var().Id("valuesOf"+t.GoName).Op("=").Index(jen.Op("...")).String().CustomFunc(
		jen.Options{Open: "{", Close: "}", Separator: ",", Multi: len(t.Values) > 0}, func(c *jen.Group) {
			for _, v := range t.Values {
				c.String().Call(jen.Id(v.GoName))
			}
		})
	g.Line()
}

// valueDecl declares one typed constant with its meaning.
func valueDecl(c *jen.Group, typeName string, v *ir.Value) {
	if v.Doc != "" {
		for _, line := range docLines(4, v.GoName+": "+fullStop(lowerFirst(v.Doc))) {
			c.Add(line)
		}
	}
	c.Id(v.GoName).Id(typeName).Op("=").Lit(v.Wire)
}
