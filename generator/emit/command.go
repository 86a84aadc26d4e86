package emit

import (
	"bytes"
	"fmt"
	"path"
	"strings"
	"unicode"

	"github.com/dave/jennifer/jen"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

// commandDir is the package of gcpro that describes the API, in a module of its own.
const commandDir = "cmd/gcpro/internal/spec"

// Command emits the table from which gcpro builds its commands: every operation with its parameters and the
// members of its result, and the catalogue's events, simulators and id prefixes.
func Command(api *ir.API) ([]File, error) {
	t := &commandTable{vars: map[*ir.Type]string{}}
	f := jen.NewFilePathName(api.ModulePath+"/"+commandDir, "spec")
	f.HeaderComment(Header)
	t.operations(f, api)
	t.declare(f)
	commandCatalogue(f, api.Catalogue)
	var b bytes.Buffer
	if err := f.Render(&b); err != nil {
		return nil, fmt.Errorf("%s: %w", commandDir, err)
	}
	return []File{{Path: path.Join(commandDir, "operations_gen.go"), Content: b.Bytes()}}, nil
}

// commandTable gathers the types that the operations reach, in the order of their first use.
type commandTable struct {
	vars  map[*ir.Type]string
	order []*ir.Type
}

func (t *commandTable) operations(f *jen.File, api *ir.API) {
	var ops []jen.Code
	for _, op := range api.Operations() {
		for _, m := range op.Methods {
			ops = append(ops, t.operation(op, m))
		}
	}
	f.Comment("Operations are those of the API, one for each variant of its parameters, by resource.")
	f.Var().Id("Operations").Op("=").Index().Id("Operation").Add(rows(ops))
	var resources []jen.Code
	for _, s := range api.Services {
		resources = append(resources, jen.Values(jen.Lit(s.Resource), jen.Lit(s.Doc)))
	}
	f.Comment("Resources are those of the API, by name.")
	f.Var().Id("Resources").Op("=").Index().Id("Resource").Add(rows(resources))
}

func (t *commandTable) operation(op *ir.Operation, m *ir.Method) jen.Code {
	var l literal
	l.text("Name", op.ID)
	verb := op.ID[strings.IndexByte(op.ID, '.')+1:]
	if len(op.Methods) > 1 {
		verb = snake(m.GoName)
	}
	l.text("Verb", verb)
	l.text("Method", op.HTTPMethod)
	l.text("Path", op.Path)
	l.text("Kind", string(op.Kind))
	l.text("Request", op.RequestEnvelope)
	l.text("Reply", op.ReplyEnvelope)
	l.flag("List", op.List)
	l.flag("Cursors", op.Cursors)
	l.flag("Deprecated", op.Deprecated)
	l.flag("Restricted", op.Restricted)
	l.text("Doc", m.Doc)
	if m.Params != nil {
		l.set("Params", jen.Op("&").Id(t.use(m.Params)))
	}
	if op.Reply != nil {
		l.set("Result", jen.Op("&").Id(t.use(op.Reply)))
	}
	return l.code()
}

// snake returns the wire form of a Go name without initialisms: "create_with_dates".
func snake(goName string) string {
	var b strings.Builder
	for i, r := range goName {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// use records a type and returns the name of its variable.
func (t *commandTable) use(typ *ir.Type) string {
	if t.vars[typ] == "" {
		prefix := "object"
		if typ.Kind == ir.Enum {
			prefix = "enum"
		}
		t.vars[typ] = prefix + typ.GoName
		t.order = append(t.order, typ)
	}
	return t.vars[typ]
}

// declare emits the recorded types; emitting one may record more.
func (t *commandTable) declare(f *jen.File) {
	var later []jen.Code
	for i := 0; i < len(t.order); i++ {
		typ := t.order[i]
		if typ.Kind == ir.Enum {
			f.Var().Id(t.use(typ)).Op("=").Index().Id("Value").Add(rows(values(typ.Values)))
			continue
		}
		var fields []jen.Code
		for _, field := range typ.Fields {
			fields = append(fields, t.field(typ, field))
		}
		list := jen.Index().Id("Field").Add(rows(fields))
		var l literal
		switch {
		case fields == nil:
		case recursive(typ):
			// A variable cannot refer to itself in its initializer.
			later = append(later, jen.Id(t.use(typ)).Dot("Fields").Op("=").Add(list))
		default:
			l.set("Fields", list)
		}
		if c := commandConditions(typ.Conditions); c != nil {
			l.set("Conditions", jen.Index().Id("Condition").Values(c...))
		}
		f.Var().Id(t.use(typ)).Op("=").Id("Object").Add(l.code())
	}
	if later != nil {
		f.Func().Id("init").Params().Block(later...)
	}
}

func values(list []*ir.Value) []jen.Code {
	var out []jen.Code
	for _, v := range list {
		out = append(out, jen.Values(jen.Lit(v.Wire), jen.Lit(v.Doc)))
	}
	return out
}

func commandConditions(list []*ir.Condition) []jen.Code {
	var out []jen.Code
	for _, c := range list {
		var paths []string
		for _, p := range c.Then {
			var steps []string
			for _, field := range p {
				steps = append(steps, field.Name)
			}
			paths = append(paths, strings.Join(steps, "."))
		}
		out = append(out, jen.Values(jen.Lit(c.Field.Name), jen.Lit(c.Equals), stringsLit(paths)))
	}
	return out
}

func (t *commandTable) field(owner *ir.Type, field *ir.Field) jen.Code {
	var l literal
	l.text("Name", field.Name)
	t.ref(&l, field.Type)
	if owner.Role == ir.RoleReply {
		return l.code() // tables need no more
	}
	l.text("Doc", field.Doc)
	switch {
	case field.In == ir.InHeader:
		l.set("In", jen.Id("InHeader"))
	case field.In == ir.InQuery && field.Style == ir.Repeat:
		l.set("In", jen.Id("InQueryRepeat"))
	case field.In == ir.InQuery && field.Style == ir.DeepObject:
		l.set("In", jen.Id("InQueryDeep"))
	case field.In == ir.InQuery:
		l.set("In", jen.Id("InQuery"))
	}
	l.flag("Required", field.Required)
	l.flag("Nullable", field.Nullable)
	l.flag("Deprecated", field.Deprecated)
	l.text("RequiredWhen", strings.TrimSuffix(lowerFirst(field.RequiredWhen), "."))
	l.text("Default", field.Default)
	l.text("Example", field.Example)
	l.text("Pattern", field.Pattern)
	for _, limit := range []struct {
		name  string
		value *int
	}{
		{"MinLength", field.MinLength}, {"MaxLength", field.MaxLength},
		{"MaxMembers", field.MaxMembers}, {"MaxKeyLength", field.MaxKeyLength}, {"MaxValueLength", field.MaxValueLength},
	} {
		if limit.value != nil {
			l.set(limit.name, jen.Lit(*limit.value))
		}
	}
	for _, limit := range []struct {
		name  string
		value *int64
	}{{"Minimum", field.Minimum}, {"Maximum", field.Maximum}} {
		if limit.value != nil {
			l.set(limit.name, jen.New(jen.Int64().Call(jen.Lit(int(*limit.value)))))
		}
	}
	return l.code()
}

// ref describes the shape of a value.
func (t *commandTable) ref(l *literal, r *ir.Ref) {
	kinds := map[ir.RefKind]string{ir.Int: "Int", ir.Int64: "Money", ir.Float: "Float", ir.Bool: "Bool", ir.Date: "Date", ir.Time: "Time",
		ir.Array: "List", ir.Metadata: "Map", ir.StringMap: "Map", ir.AnyMap: "JSON", ir.Map: "JSON"}
	if k := kinds[r.Kind]; k != "" {
		l.set("Kind", jen.Id(k))
	}
	switch {
	case r.Kind == ir.Array:
		var elem literal
		t.ref(&elem, r.Elem)
		l.set("Elem", jen.Op("&").Id("Field").Add(elem.code()))
	case r.IsEnum():
		l.set("Enum", jen.Id(t.use(r.Type)))
	case r.Kind == ir.Named:
		l.set("Kind", jen.Id("Group"))
		l.set("Object", jen.Op("&").Id(t.use(r.Type)))
	}
}

// commandCatalogue emits what the documentation lists alongside the schema.
func commandCatalogue(f *jen.File, c *ir.Catalogue) {
	if c == nil {
		c = &ir.Catalogue{}
	}
	var simulators, prefixes, events []jen.Code
	for _, s := range c.Simulators {
		simulators = append(simulators, jen.Values(jen.Lit(s.Name), jen.Lit(s.Resource), jen.Lit(s.Doc), jen.Lit(s.Requires)))
	}
	for _, p := range c.Prefixes {
		prefixes = append(prefixes, jen.Values(jen.Lit(p.Prefix), jen.Lit(p.Resource)))
	}
	for _, e := range c.Events {
		events = append(events, jen.Values(jen.Lit(e.Resource+"."+e.Action), jen.Lit(e.Doc)))
	}
	f.Comment("Simulators are the scenario simulators of the sandbox environment.")
	f.Var().Id("Simulators").Op("=").Index().Id("Simulator").Add(rows(simulators))
	f.Comment("Prefixes are what the ids of resources start with.")
	f.Var().Id("Prefixes").Op("=").Index().Id("Prefix").Add(rows(prefixes))
	f.Comment("Events are the types of event, such as \"payments.failed\".")
	f.Var().Id("Events").Op("=").Index().Id("Value").Add(rows(events))
}
