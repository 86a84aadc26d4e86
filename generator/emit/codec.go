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

// decodeFunc emits the method that reads a reply object: it hands the decoder the names of the
// members and pointers to their fields. A member without a pointer is read by the function between
// the two.
func decodeFunc(s *source, t *ir.Type) {
	var names, fields, cases []jen.Code
	for i, f := range t.Fields {
		names = append(names, jen.Id("`,\""+f.Name+"\":`"))
		field := s.decodePointer(f)
		if field == nil {
			field = jen.Nil()
			cases = append(cases, jen.Case(jen.Lit(i)).BlockFunc(func(b *jen.Group) { s.decodeField(b, f) }))
		}
		fields = append(fields, field)
	}
	if t.KeepsExtra {
		fields = append(fields, jen.Nil())
		cases = append(cases, jen.Default().Block(jen.Id("d").Dot("Extra").Call(jen.Op("&").Id("v").Dot("Extra"))))
	}
	own := jen.Nil()
	if len(cases) > 0 {
		own = jen.Func().Params(jen.Id("member").Int()).Block(jen.Switch(jen.Id("member")).Block(cases...))
	}
	members := "membersOf" + t.GoName
	s.file.Var().Id(members).Op("=").Index(jen.Op("...")).String().Values(names...)
	s.file.Line()
	s.file.Func().Params(jen.Id("v").Op("*").Id(t.GoName)).Id("decode").Params(jen.Id("d").Op("*").Add(s.wire("Decoder"))).Block(
		jen.Id("d").Dot("Members").Custom(
			jen.Options{Open: "(", Close: ")", Separator: ",", Multi: true},
			append([]jen.Code{jen.Id(members).Index(jen.Op(":")), own}, fields...)...,
		),
	)
	s.file.Line()
}

// decodePointer returns a pointer to a field, whose type selects how the decoder reads it, or nil for the
// types that the decoder's Members does not know.
func (s *source) decodePointer(f *ir.Field) *jen.Statement {
	field := jen.Op("&").Id("v").Dot(f.GoName)
	switch r := f.Type; {
	case r.Kind == ir.String && f.Name != idField, r.Kind == ir.Time, r.Kind == ir.Int64, r.Kind == ir.Bool && !f.Pointered:
		return field
	case r.IsEnum():
		return jen.Parens(jen.Op("*").Add(s.wire("Enum"))).Parens(field)
	}
	return nil
}

// decodeField emits the statement that reads a member for which decodePointer returns nil.
func (s *source) decodeField(b *jen.Group, f *ir.Field) {
	field := func() *jen.Statement { return jen.Id("v").Dot(f.GoName) }
	if !f.Type.IsObject() {
		b.Add(field().Op("=").Add(s.decodeValue(f)))
		return
	}
	b.If(field().Op("=").Nil(), jen.Id("d").Dot("HasObject").Call()).Block(
		field().Op("=").New(jen.Id(f.Type.Type.GoName)),
		field().Dot("decode").Call(jen.Id("d")),
	)
}

// decodeValue returns the expression that reads a field that is not an object.
func (s *source) decodeValue(f *ir.Field) *jen.Statement {
	method := func(name string) *jen.Statement { return jen.Id("d").Dot(name).Call() }
	pointer := func(name string) *jen.Statement {
		if f.Pointered {
			name += "Ptr"
		}
		return method(name)
	}
	switch r := f.Type; r.Kind {
	case ir.Int:
		return pointer("Int")
	case ir.Float:
		return pointer("Float64")
	case ir.Bool:
		return pointer("Bool")
	case ir.String:
		return method("ID")
	case ir.Date:
		return jen.Id("Date").Call(method("Date"))
	case ir.Metadata, ir.StringMap:
		return method("StringMap")
	case ir.AnyMap:
		return method("AnyMap")
	case ir.StringOrInt:
		return method("TextOrInt")
	case ir.Map:
		return s.decodeMap(r.Elem)
	default: // an array
		switch {
		case r.Elem.IsEnum():
			return s.wire("Enums").Types(jen.Id(r.Elem.Type.GoName)).Call(jen.Id("d"))
		case r.Elem.IsObject():
			return jen.Id("decodeObjects").Types(jen.Id(r.Elem.Type.GoName)).Call(jen.Id("d"))
		case r.Elem.Kind == ir.Int64:
			return method("Int64s")
		case wireMethods[r.Elem.Kind] != "":
			return s.wire("List").Call(jen.Id("d"), jen.Parens(jen.Op("*").Add(s.wire("Decoder"))).Dot(wireMethods[r.Elem.Kind]))
		}
		return method("Strings")
	}
}

// decodeMap returns the expression that reads a map of values that are not strings.
func (s *source) decodeMap(elem *ir.Ref) *jen.Statement {
	switch {
	case elem.IsObject():
		return jen.Id("decodeObjectMap").Types(jen.Id(elem.Type.GoName)).Call(jen.Id("d"))
	case elem.IsEnum():
		return s.wire("EnumMap").Types(jen.Id(elem.Type.GoName)).Call(jen.Id("d"))
	}
	return s.wire("Map").Call(jen.Id("d"), jen.Parens(jen.Op("*").Add(s.wire("Decoder"))).Dot(wireMethods[elem.Kind]))
}

// wireMethods read and write the values that a map or a list may have.
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
