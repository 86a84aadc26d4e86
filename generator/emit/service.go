package emit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

// serviceSource holds a resource: its operations, its service, its methods and its own types.
func serviceSource(api *ir.API, s *ir.Service) *source {
	src := newSource(api, resourceFile(s.Resource))
	g := src.file
	for _, op := range s.Operations {
		operationVar(g, op)
	}
	doc := []string{fmt.Sprintf("%s provides the operations on %s. It is the %s field of a [Client] and is safe for concurrent use.",
		s.TypeName, spoken(s.Resource), s.GoName)}
	if s.Doc != "" {
		doc = append(doc, resourceDoc(api, s))
	}
	for _, line := range docLines(0, doc...) {
		g.Add(line)
	}
	g.Type().Id(s.TypeName).Struct(jen.Id("client").Op("*").Id("Client"))
	g.Line()
	for _, op := range s.Operations {
		for _, m := range op.Methods {
			method(g, s, op, m)
			if m.AllName != "" {
				iterator(g, s, op, m)
			}
			exportFuncs(g, op, m)
		}
		itemType(g, op)
		if inner := resourceInside(op); inner != nil {
			resourceIDFunc(g, op.Reply, inner)
		}
	}
	for _, t := range api.Types {
		if t.Home == s.Resource {
			typeDecl(src, t)
			if t.Role == ir.RoleParams && t.Kind == ir.Object {
				validateFunc(g, s, t)
				prepareFunc(src, t)
			}
		}
	}
	return src
}

// resourceDoc returns the description of a service's resource: a sentence about the resource's type, if
// there is one and the description fits it.
func resourceDoc(api *ir.API, s *ir.Service) string {
	name := strings.TrimSuffix(s.TypeName, "Service")
	isResource := func(t *ir.Type) bool { return t.GoName == name && t.Role == ir.RoleReply }
	if !slices.ContainsFunc(api.Types, isResource) || !continues(s.Doc) {
		return fullStop(s.Doc)
	}
	article := "A"
	if strings.ContainsAny(name[:1], "AEIO") {
		article = "An"
	}
	return fullStop(sentence(&ir.Type{GoName: article + " [" + name + "]", Doc: s.Doc}))
}

// operationVar emits the description of an operation. It is a variable of its own, so that a program links
// only what it calls.
func operationVar(g *jen.File, op *ir.Operation) {
	kinds := map[ir.Kind]string{
		ir.KindRead: "KindRead", ir.KindUpdate: "KindUpdate", ir.KindDelete: "KindDelete",
		ir.KindCreate: "KindCreate", ir.KindAction: "KindAction",
	}
	field := func(v *jen.Group, name string, value jen.Code) { v.Id(name).Op(":").Add(value) }
	g.Var().Id(op.Var).Op("=").Id("Operation").CustomFunc(jen.Options{Open: "{", Close: "}", Separator: ",", Multi: true}, func(v *jen.Group) {
		field(v, "Name", jen.Lit(op.ID))
		field(v, "Method", jen.Lit(op.HTTPMethod))
		field(v, "Path", jen.Lit(op.Path))
		field(v, "Kind", jen.Id(kinds[op.Kind]))
		if op.RequestEnvelope != "" {
			field(v, "RequestEnvelope", jen.Lit(op.RequestEnvelope))
		}
		if op.ReplyEnvelope != "" {
			field(v, "ReplyEnvelope", jen.Lit(op.ReplyEnvelope))
		}
		field(v, "Status", jen.Lit(op.Status))
		flags := []struct {
			name string
			set  bool
		}{{"identified", !op.List && (identified(op.Reply) || resourceInside(op) != nil)}, {"List", op.List}, {"Cursors", op.Cursors}, {"Deprecated", op.Deprecated}, {"Restricted", op.Restricted}}
		for _, f := range flags {
			if f.set {
				field(v, f.name, jen.True())
			}
		}
		if op.Read != nil {
			field(v, "read", jen.Op("&").Id(op.Read.Var))
		}
	})
	g.Line()
}

// resourceInside returns the field of a reply without an id that holds the operation's resource, such as
// the billing request among the results of the actions performed on it, or nil.
func resourceInside(op *ir.Operation) *ir.Field {
	if op.Reply == nil || op.List || identified(op.Reply) {
		return nil
	}
	f := op.Reply.Field(op.Service.Resource)
	if f == nil || !f.Type.IsObject() || !f.Pointered || !identified(f.Type.Type) {
		return nil
	}
	return f
}

// resourceIDFunc emits the method that returns the id of the resource inside a reply.
func resourceIDFunc(g *jen.File, t *ir.Type, inner *ir.Field) {
	g.Func().Params(jen.Id("v").Op("*").Id(t.GoName)).Id("resourceID").Params().String().Block(
		jen.If(jen.Id("v").Dot(inner.GoName).Op("==").Nil()).Block(jen.Return(jen.Lit(""))),
		jen.Return(jen.Id("v").Dot(inner.GoName).Dot("ID")),
	)
	g.Line()
}

// signature returns the parameters of a method and the input that it passes on.
func signature(op *ir.Operation, m *ir.Method) (params []jen.Code, input jen.Code) {
	params = append(params, jen.Id("ctx").Qual("context", "Context"))
	var parts []jen.Code
	var ids []jen.Code
	for _, p := range op.PathParams {
		params = append(params, jen.Id(p.GoName).String())
		ids = append(ids, jen.Id(p.GoName))
	}
	switch len(ids) {
	case 0:
	case 1:
		parts = append(parts, jen.Id("id").Op(":").Add(ids[0]))
	default:
		parts = append(parts, jen.Id("ids").Op(":").Index().String().Values(ids...))
	}
	if m.HasParams() {
		params = append(params, jen.Id("params").Id(m.Params.GoName))
		parts = append(parts, jen.Id("params").Op(":").Id("given").Call(jen.Op("&").Id("params")))
	}
	params = append(params, jen.Id("opts").Op("...").Id("RequestOption"))
	return params, jen.Id("input").Values(parts...)
}

func methodDoc(op *ir.Operation, name string, first string) []jen.Code {
	if first == "" {
		first = fmt.Sprintf("%s calls %s.", name, op.ID)
	}
	paragraphs := []string{fullStop(first)}
	if op.Restricted {
		paragraphs = append(paragraphs, "Restricted: GoCardless must enable this operation for your account.")
	}
	paragraphs = append(paragraphs, op.Note)
	if op.Deprecated {
		paragraphs = append(paragraphs, "Deprecated: GoCardless advises against this operation and may withdraw it.")
	}
	paragraphs = append(paragraphs, fmt.Sprintf("%s %s", op.HTTPMethod, op.Path))
	if op.Deprecated {
		// Tools find a deprecation only in the last paragraph.
		n := len(paragraphs)
		paragraphs[n-2], paragraphs[n-1] = paragraphs[n-1], paragraphs[n-2]
	}
	return docLines(0, paragraphs...)
}

// method emits the function that calls an operation.
func method(g *jen.File, s *ir.Service, op *ir.Operation, m *ir.Method) {
	for _, line := range methodDoc(op, m.GoName, action(m.GoName, m.Doc)) {
		g.Add(line)
	}
	params, input := signature(op, m)
	f := g.Func().Params(jen.Id("s").Op("*").Id(s.TypeName)).Id(m.GoName).Params(params...)
	args := []jen.Code{jen.Id("ctx"), jen.Id("s").Dot("client"), jen.Op("&").Id(op.Var), input, jen.Id("opts")}
	switch {
	case op.Reply == nil:
		f.Error().Block(jen.Return(jen.Id("doNoReply").Call(args...)))
	case op.List:
		f.Params(jen.Op("*").Id("Page").Types(jen.Id(op.Reply.GoName)), jen.Error()).
			Block(jen.Return(jen.Id("list").Types(jen.Id(op.Reply.GoName)).Call(append(args, itemArg(op))...)))
	default:
		f.Params(jen.Op("*").Id(op.Reply.GoName), jen.Error()).
			Block(jen.Return(jen.Id("do").Call(append(args, jen.New(jen.Id(op.Reply.GoName)))...)))
	}
	g.Line()
}

// itemType declares what an item of a list is the start of, if that is more than the item: room for
// the small objects that it points to and that come with it. They are one allocation.
func itemType(g *jen.File, op *ir.Operation) {
	if room := itemRoom(op); room != nil {
		fields := []jen.Code{jen.Id("_").Id(op.Reply.GoName)}
		for _, t := range room {
			fields = append(fields, jen.Id("_").Id(t.GoName))
		}
		g.Type().Id(itemName(op)).Struct(fields...)
		g.Line()
	}
}

func itemName(op *ir.Operation) string { return "itemOf" + strings.TrimPrefix(op.Var, "op") }

// itemRoom returns the types of the objects that share the memory of a list's items.
func itemRoom(op *ir.Operation) []*ir.Type {
	const maxFields = 5
	var room []*ir.Type
	if op.List {
		for _, f := range op.Reply.Fields {
			if f.Type.IsObject() && !f.Nullable && len(f.Type.Type.Fields) <= maxFields {
				room = append(room, f.Type.Type)
			}
		}
	}
	return room
}

// itemArg is a nil pointer to what an item of a list is the start of.
func itemArg(op *ir.Operation) jen.Code {
	name := op.Reply.GoName
	if itemRoom(op) != nil {
		name = itemName(op)
	}
	return jen.Parens(jen.Op("*").Id(name)).Parens(jen.Nil())
}

// iterator emits the function that ranges over all pages of a list.
func iterator(g *jen.File, s *ir.Service, op *ir.Operation, m *ir.Method) {
	doc := fmt.Sprintf("%s returns an iterator over the items of every page of %s, starting at the cursor in params, if any. It requests each page when the loop "+
		"reaches it and stops at the first error. Each range over the iterator starts again from the beginning.", m.AllName, m.GoName)
	for _, line := range methodDoc(op, m.AllName, doc) {
		g.Add(line)
	}
	params, input := signature(op, m)
	g.Func().Params(jen.Id("s").Op("*").Id(s.TypeName)).Id(m.AllName).Params(params...).
		Qual("iter", "Seq2").Types(jen.Op("*").Id(op.Reply.GoName), jen.Error()).
		Block(jen.Return(jen.Id("all").Types(jen.Op("*").Id(op.Reply.GoName)).Call(
			jen.Id("ctx"), jen.Id("s").Dot("client"), jen.Op("&").Id(op.Var), input, jen.Id("opts"), itemArg(op))))
	g.Line()
}

// validateFunc emits the exported check of a method's params.
func validateFunc(g *jen.File, s *ir.Service, t *ir.Type) {
	for _, line := range docLines(0, "Validate checks p against the API's schema. It returns nil, or a [*ParamsError] that lists every problem. Methods make the same check before they send a request.") {
		g.Add(line)
	}
	g.Func().Params(jen.Id("p").Id(t.GoName)).Id("Validate").Params().Error().Block(
		jen.Return(jen.Id("validate").Call(jen.Lit(requestEnvelope(s.Operations, t)), jen.Op("&").Id("p"))),
	)
	g.Line()
}

// prepareFunc emits the method that makes rare features of params available, if they have any. Only
// programs with such params link what these need.
func prepareFunc(s *source, t *ir.Type) {
	var calls []jen.Code
	for _, feature := range []struct {
		where, function string
		of              func(f *ir.Field) bool
	}{
		{"request", "Patterns", func(f *ir.Field) bool { return f.Pattern != "" }},
		{"jsonwire", "WritesAnyMaps", func(f *ir.Field) bool { return f.Type.Innermost().Kind == ir.AnyMap }},
	} {
		if anyField(t, map[*ir.Type]bool{}, feature.of) {
			calls = append(calls, jen.Qual(s.module+"/"+sdk+"/internal/"+feature.where, feature.function).Call())
		}
	}
	if calls != nil {
		s.file.Func().Params(jen.Op("*").Id(t.GoName)).Id("prepare").Params().Block(calls...)
		s.file.Line()
	}
}

// anyField reports whether a field of a type, or of an object in it, has a property.
func anyField(t *ir.Type, seen map[*ir.Type]bool, has func(*ir.Field) bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	return slices.ContainsFunc(t.Fields, func(f *ir.Field) bool {
		inner := f.Type.Innermost()
		return has(f) || inner.IsObject() && anyField(inner.Type, seen, has)
	})
}

// requestEnvelope returns the envelope of the operations that take params, or "" if they have no body.
func requestEnvelope(operations []*ir.Operation, params *ir.Type) string {
	for _, op := range operations {
		for _, m := range op.Methods {
			if m.Params == params {
				return op.RequestEnvelope
			}
		}
	}
	return ""
}

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
