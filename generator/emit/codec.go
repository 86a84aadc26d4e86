package emit

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

// wire refers to a name in the package that reads and writes JSON.
func (s *source) wire(name string) *jen.Statement {
	return jen.Qual(s.module+"/"+sdk+"/internal/jsonwire", name)
}

// wireMethods write the values that a map or a list may have.
var wireMethods = map[ir.RefKind]string{ir.Int: "Int", ir.Int64: "Int64", ir.Float: "Float64", ir.Bool: "Bool"}

// idField is the member of a resource that holds its id.
const idField = "id"

// identified reports whether a reply is a resource with an id.
func identified(t *ir.Type) bool {
	if t == nil {
		return false
	}
	id := t.Field(idField)
	return id != nil && id.Type.Kind == ir.String
}

// encodeFunc emits the method that writes a nested object of a request as JSON.
func encodeFunc(s *source, t *ir.Type) {
	s.file.Func().Params(jen.Id("p").Op("*").Id(t.GoName)).Id("encode").Params(jen.Id("e").Op("*").Add(s.wire("Encoder"))).BlockFunc(func(b *jen.Group) {
		s.encodeFields(b, t)
	})
	s.file.Line()
}

// writeFunc emits the method that adds params to a request: query, headers and body.
func writeFunc(s *source, t *ir.Type) {
	s.file.Func().Params(jen.Id("p").Op("*").Id(t.GoName)).Id("write").Params(jen.Id("w").Op("*").Id("requestParts")).BlockFunc(func(b *jen.Group) {
		for _, f := range t.Fields {
			switch f.In {
			case ir.InQuery:
				queryValue(b, f.Name, f, jen.Id("p").Dot(f.GoName))
			case ir.InHeader:
				b.Id("w").Dot("setHeader").Call(jen.Lit(f.Name), jen.Id("p").Dot(f.GoName))
			}
		}
		if t.HasBody() {
			b.Id("e").Op(":=").Id("w").Dot("body").Call()
			s.encodeFields(b, t)
		}
	})
	s.file.Line()
}

func (s *source) encodeFields(b *jen.Group, t *ir.Type) {
	b.Id("e").Dot("Begin").Call()
	for _, f := range t.Fields {
		if f.In != ir.InBody {
			continue
		}
		if f.Required {
			s.encodeField(b, f)
		} else {
			b.If(jen.Id("p").Dot(f.GoName).Op("!=").Nil()).BlockFunc(func(b *jen.Group) { s.encodeField(b, f) })
		}
	}
	b.Id("e").Dot("End").Call()
}

func (s *source) encodeField(b *jen.Group, f *ir.Field) {
	value := jen.Id("p").Dot(f.GoName)
	if f.Type.IsObject() {
		b.Id("e").Dot("Name").Call(jen.Lit(f.Name))
		b.Add(value.Dot("encode").Call(jen.Id("e")))
		return
	}
	if f.Pointered {
		value = jen.Op("*").Add(value)
	}
	b.Add(s.encodeValue(f, value))
}

// encodeValue returns the statement that writes a field that is not an object.
func (s *source) encodeValue(f *ir.Field, value *jen.Statement) *jen.Statement {
	method := func(name string) *jen.Statement {
		return jen.Id("e").Dot(name).Call(jen.Lit(f.Name), value)
	}
	switch r := f.Type; r.Kind {
	case ir.Int:
		return method("Int")
	case ir.Int64:
		return method("Int64")
	case ir.Float:
		return method("Float64")
	case ir.Bool:
		return method("Bool")
	case ir.Date:
		return jen.Id("e").Dot("Date").Call(jen.Lit(f.Name), s.wire("Date").Call(value))
	case ir.Time:
		return method("Time")
	case ir.Metadata, ir.StringMap:
		return method("StringMap")
	case ir.AnyMap:
		return method("AnyMap")
	case ir.Map:
		return s.encodeMap(f.Name, r.Elem, value)
	case ir.Named: // an enum
		return jen.Id("e").Dot("Text").Call(jen.Lit(f.Name), jen.String().Call(value))
	case ir.Array:
		switch {
		case r.Elem.IsEnum():
			return s.wire("EncodeEnums").Call(jen.Id("e"), jen.Lit(f.Name), value)
		case r.Elem.IsObject():
			return jen.Id("encodeObjects").Call(jen.Id("e"), jen.Lit(f.Name), value)
		case r.Elem.Kind == ir.Int64:
			return method("Int64s")
		case wireMethods[r.Elem.Kind] != "":
			return s.wire("EncodeList").Call(jen.Id("e"), jen.Lit(f.Name), value)
		}
		return method("Strings")
	}
	return method("Text")
}

func (s *source) encodeMap(name string, elem *ir.Ref, value *jen.Statement) *jen.Statement {
	args := []jen.Code{jen.Id("e"), jen.Lit(name), value}
	switch {
	case elem.IsObject():
		return jen.Id("encodeObjectMap").Call(args...)
	case elem.IsEnum():
		return s.wire("EncodeEnumMap").Call(args...)
	}
	return s.wire("EncodeMap").Call(append(args, jen.Parens(jen.Op("*").Add(s.wire("Encoder"))).Dot(wireMethods[elem.Kind]))...)
}

// queryValue emits the statements that add a field to the query, an object member by member.
func queryValue(b *jen.Group, wire string, f *ir.Field, value *jen.Statement) {
	method := func(name string, v jen.Code) { b.Id("w").Dot("query").Dot(name).Call(jen.Lit(wire), v) }
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
		write := "queryList"
		if f.Style == ir.Repeat {
			write = "queryRepeat"
		}
		b.Id(write).Call(jen.Op("&").Id("w").Dot("query"), jen.Lit(wire), value)
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
