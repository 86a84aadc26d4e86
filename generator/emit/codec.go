package emit

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

// decodeFunc writes the function that reads a reply object.
func decodeFunc(g *jen.File, t *ir.Type) {
	g.Func().Params(jen.Id("v").Op("*").Id(t.GoName)).Id("decode").Params(jen.Id("d").Op("*").Id("decoder")).Block(
		jen.For(jen.Id("d").Dot("object").Call(), jen.Id("d").Dot("more").Call(), jen.Empty()).Block(
			jen.Switch(jen.String().Call(jen.Id("d").Dot("key"))).BlockFunc(func(s *jen.Group) {
				for _, f := range t.Fields {
					s.Case(jen.Lit(f.Name)).Block(jen.Id("v").Dot(f.GoName).Op("=").Add(decodeValue(f)))
				}
				s.Default().BlockFunc(func(b *jen.Group) {
					if t.KeepsExtra {
						b.Id("d").Dot("extra").Call(jen.Op("&").Id("v").Dot("Extra"))
					} else {
						b.Id("d").Dot("unknown").Call()
					}
				})
			}),
		),
	)
	g.Line()
}

// decodeValue is the expression that reads a field of a reply.
func decodeValue(f *ir.Field) *jen.Statement {
	method := func(name string) *jen.Statement { return jen.Id("d").Dot(name).Call() }
	pointer := func(name string) *jen.Statement {
		if f.Pointered {
			name += "Ptr"
		}
		return method(name)
	}
	switch r := f.Type; r.Kind {
	case ir.Int:
		return pointer("int")
	case ir.Int64:
		return pointer("int64")
	case ir.Float:
		return pointer("float64")
	case ir.Bool:
		return pointer("bool")
	case ir.Date:
		return method("date")
	case ir.Time:
		return method("time")
	case ir.Metadata:
		return method("metadata")
	case ir.StringMap:
		return method("stringMap")
	case ir.AnyMap:
		return method("anyMap")
	case ir.Named:
		if r.IsEnum() {
			return jen.Id(r.Type.GoName).Call(method("enum"))
		}
		return jen.Id("decodeObject").Types(jen.Id(r.Type.GoName)).Call(jen.Id("d"))
	case ir.Array:
		switch {
		case r.Elem.IsEnum():
			return jen.Id("decodeEnums").Types(jen.Id(r.Elem.Type.GoName)).Call(jen.Id("d"))
		case r.Elem.IsObject():
			return jen.Id("decodeObjects").Types(jen.Id(r.Elem.Type.GoName)).Call(jen.Id("d"))
		case r.Elem.Kind == ir.Int64:
			return method("int64s")
		}
		return method("strings")
	}
	return method("string")
}

// encodeFunc writes the function that turns the body fields of params into a JSON object.
func encodeFunc(g *jen.File, t *ir.Type) {
	g.Func().Params(jen.Id("p").Op("*").Id(t.GoName)).Id("encode").Params(jen.Id("e").Op("*").Id("encoder")).BlockFunc(func(b *jen.Group) {
		b.Id("e").Dot("begin").Call()
		for _, f := range t.Fields {
			if f.In != ir.InBody {
				continue
			}
			value := jen.Id("p").Dot(f.GoName)
			if f.Pointered && !f.Type.IsObject() {
				value = jen.Op("*").Add(value)
			}
			if !f.Pointered && f.Type.IsObject() {
				value = jen.Op("&").Add(value)
			}
			write := encodeValue(f, value)
			if f.Required {
				b.Add(write)
			} else {
				b.If(jen.Id("p").Dot(f.GoName).Op("!=").Nil()).Block(write)
			}
		}
		b.Id("e").Dot("end").Call()
	})
	g.Line()
}

func encodeValue(f *ir.Field, value *jen.Statement) *jen.Statement {
	method := func(name string) *jen.Statement {
		return jen.Id("e").Dot(name).Call(jen.Lit(f.Name), value)
	}
	switch r := f.Type; r.Kind {
	case ir.Int:
		return method("int")
	case ir.Int64:
		return method("int64")
	case ir.Float:
		return method("float64")
	case ir.Bool:
		return method("bool")
	case ir.Date:
		return method("date")
	case ir.Time:
		return method("time")
	case ir.Metadata, ir.StringMap:
		return method("stringMap")
	case ir.AnyMap:
		return method("anyMap")
	case ir.Named:
		if r.IsEnum() {
			return jen.Id("e").Dot("string").Call(jen.Lit(f.Name), jen.String().Call(value))
		}
		return method("object")
	case ir.Array:
		switch {
		case r.Elem.IsEnum():
			return jen.Id("encodeEnums").Call(jen.Id("e"), jen.Lit(f.Name), value)
		case r.Elem.IsObject():
			return jen.Id("encodeObjects").Call(jen.Id("e"), jen.Lit(f.Name), value)
		case r.Elem.Kind == ir.Int64:
			return method("int64s")
		}
		return method("strings")
	}
	return method("string")
}

// queryFunc writes the function that adds the query fields of params to a request.
func queryFunc(g *jen.File, t *ir.Type) {
	g.Func().Params(jen.Id("p").Op("*").Id(t.GoName)).Id("query").Params(jen.Id("q").Op("*").Id("query")).BlockFunc(func(b *jen.Group) {
		for _, f := range t.Fields {
			if f.In == ir.InQuery {
				queryValue(b, f.Name, f, jen.Id("p").Dot(f.GoName))
			}
		}
	})
	g.Line()
}

func queryValue(b *jen.Group, wire string, f *ir.Field, value *jen.Statement) {
	method := func(name string, v jen.Code) { b.Id("q").Dot(name).Call(jen.Lit(wire), v) }
	switch r := f.Type; r.Kind {
	case ir.Int:
		method("int", value)
	case ir.Int64:
		method("int64", value)
	case ir.Bool:
		method("bool", value)
	case ir.Date:
		method("date", value)
	case ir.Time:
		method("time", value)
	case ir.Metadata, ir.StringMap:
		method("stringMap", value)
	case ir.Array:
		b.Id("queryList").Call(jen.Id("q"), jen.Lit(wire), value)
	case ir.Named:
		if r.IsEnum() {
			method("string", jen.String().Call(value))
			return
		}
		for _, inner := range r.Type.Fields {
			queryValue(b, fmt.Sprintf("%s[%s]", wire, inner.Name), inner, value.Clone().Dot(inner.GoName))
		}
	default:
		method("string", value)
	}
}

// headerFunc writes the function that adds the header fields of params to a request.
func headerFunc(g *jen.File, t *ir.Type) {
	g.Func().Params(jen.Id("p").Op("*").Id(t.GoName)).Id("header").Params(jen.Id("h").Qual("net/http", "Header")).BlockFunc(func(b *jen.Group) {
		for _, f := range t.Fields {
			if f.In == ir.InHeader {
				b.Id("setHeader").Call(jen.Id("h"), jen.Lit(f.Name), jen.Id("p").Dot(f.GoName))
			}
		}
	})
	g.Line()
}
