package emit

import (
	"bytes"
	"fmt"
	"path"

	"github.com/dave/jennifer/jen"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

// sandboxTables is the package of the sandbox that holds its tables, below the SDK's directory.
const sandboxTables = "gocardlesstest/internal/api"

// Sandbox emits the tables that drive the sandbox: every operation with its filters and bodies, every object
// with its members and limits, and the catalogue.
func Sandbox(api *ir.API) ([]File, error) {
	t := &tables{seen: map[*ir.Type]bool{}}
	files := []struct {
		name string
		body func(*jen.File)
	}{
		{"tables_gen.go", func(f *jen.File) { t.operations(f, api); t.types(f) }},
		{"catalogue_gen.go", func(f *jen.File) { catalogueTables(f, api.Catalogue) }},
	}
	var out []File
	for _, file := range files {
		f := jen.NewFilePath(api.ModulePath + "/" + sdk + "/" + sandboxTables)
		f.HeaderComment(Header)
		file.body(f)
		var b bytes.Buffer
		if err := f.Render(&b); err != nil {
			return nil, fmt.Errorf("%s: %w", file.name, err)
		}
		out = append(out, File{Path: path.Join(sdk, sandboxTables, file.name), Content: b.Bytes()})
	}
	return out, nil
}

// tables gathers the types that the operations reach, in the order of their first use.
type tables struct {
	seen  map[*ir.Type]bool
	order []*ir.Type
}

// literal is a composite literal whose members keep their order (jennifer's Dict sorts them).
type literal []jen.Code

func (l *literal) set(name string, value jen.Code) {
	*l = append(*l, jen.Id(name).Op(":").Add(value))
}

func (l *literal) text(name, value string) {
	if value != "" {
		l.set(name, jen.Lit(value))
	}
}

func (l *literal) flag(name string, value bool) {
	if value {
		l.set(name, jen.True())
	}
}

func (l literal) code() *jen.Statement { return jen.Values(l...) }

// rows emits a list with one element per line.
func rows(items []jen.Code) *jen.Statement {
	return jen.Custom(jen.Options{Open: "{", Close: "}", Separator: ",", Multi: true}, items...)
}

func stringsLit(values []string) *jen.Statement {
	var items []jen.Code
	for _, v := range values {
		items = append(items, jen.Lit(v))
	}
	return jen.Index().String().Values(items...)
}

func (t *tables) operations(f *jen.File, api *ir.API) {
	var ops []jen.Code
	for _, op := range api.Operations() {
		ops = append(ops, t.operation(op))
	}
	f.Comment("Operations are those of the API, by resource.")
	f.Var().Id("Operations").Op("=").Index().Id("Operation").Add(rows(ops))
}

func (t *tables) operation(op *ir.Operation) jen.Code {
	var l literal
	l.text("Name", op.ID)
	l.text("Method", op.HTTPMethod)
	l.text("Path", op.Path)
	l.set("Kind", jen.Id(opKind(op.Kind)))
	l.text("Request", op.RequestEnvelope)
	l.text("Reply", op.ReplyEnvelope)
	l.flag("List", op.List)
	l.flag("Cursors", op.Cursors)
	l.set("Status", jen.Lit(op.Status))
	var bodies, query, headers []jen.Code
	for i, m := range op.Methods {
		if m.Params == nil {
			continue
		}
		if op.RequestEnvelope != "" {
			bodies = append(bodies, jen.Op("&").Id(t.use(m.Params)))
		}
		if i > 0 {
			continue
		}
		for _, field := range m.Params.Fields {
			switch field.In {
			case ir.InQuery:
				query = append(query, t.field(field))
			case ir.InHeader:
				headers = append(headers, t.field(field))
			}
		}
	}
	if bodies != nil {
		l.set("Bodies", jen.Index().Op("*").Id("Type").Values(bodies...))
	}
	if query != nil {
		l.set("Query", jen.Index().Id("Field").Add(rows(query)))
	}
	if headers != nil {
		l.set("Headers", jen.Index().Id("Field").Values(headers...))
	}
	if op.Reply != nil {
		l.set("Result", jen.Op("&").Id(t.use(op.Reply)))
	}
	if op.Linked != nil {
		l.set("Linked", jen.Op("&").Id(t.use(op.Linked)))
	}
	return l.code()
}

func opKind(k ir.Kind) string {
	switch k {
	case ir.KindRead:
		return "OpRead"
	case ir.KindUpdate:
		return "OpUpdate"
	case ir.KindDelete:
		return "OpDelete"
	case ir.KindCreate:
		return "OpCreate"
	}
	return "OpAction"
}

// use records a type and returns the name of its variable.
func (t *tables) use(typ *ir.Type) string {
	if !t.seen[typ] {
		t.seen[typ] = true
		t.order = append(t.order, typ)
	}
	if typ.Kind == ir.Enum {
		return "enum" + typ.GoName
	}
	return "type" + typ.GoName
}

// types emits the recorded types; emitting one may record more.
func (t *tables) types(f *jen.File) {
	var later []jen.Code
	for i := 0; i < len(t.order); i++ {
		typ := t.order[i]
		variable := f.Var().Id(t.use(typ)).Op("=")
		if typ.Kind == ir.Enum {
			variable.Add(enumValues(typ))
			continue
		}
		fields := t.bodyFields(typ)
		if fields != nil && recursive(typ) {
			// A variable cannot refer to itself in its initializer.
			later = append(later, jen.Id(t.use(typ)).Dot("Fields").Op("=").Add(fields))
			fields = nil
		}
		var l literal
		l.text("Name", typ.GoName)
		if fields != nil {
			l.set("Fields", fields)
		}
		l.flag("Union", typ.Union)
		if c := conditions(typ.Conditions); c != nil {
			l.set("Conditions", jen.Index().Id("Condition").Values(c...))
		}
		variable.Id("Type").Add(l.code())
	}
	if later != nil {
		f.Func().Id("init").Params().Block(later...)
	}
}

func enumValues(typ *ir.Type) jen.Code {
	var values []string
	for _, v := range typ.Values {
		values = append(values, v.Wire)
	}
	return stringsLit(values)
}

// bodyFields returns the fields of a type that are part of a body, or nil if there are none. A filter has all
// its fields in the query; they count as well.
func (t *tables) bodyFields(typ *ir.Type) jen.Code {
	var fields []jen.Code
	for _, field := range typ.Fields {
		if field.In == ir.InBody || typ.Role == ir.RoleFilter {
			fields = append(fields, t.field(field))
		}
	}
	if fields == nil && typ.Role != ir.RoleFilter {
		return nil
	}
	return jen.Index().Id("Field").Add(rows(fields))
}

// recursive reports whether a value of a type may contain another value of the type.
func recursive(typ *ir.Type) bool {
	seen := map[*ir.Type]bool{}
	var visit func(t *ir.Type)
	visit = func(t *ir.Type) {
		for _, field := range t.Fields {
			ref := field.Type.Innermost()
			if ref.Kind == ir.Named && !seen[ref.Type] {
				seen[ref.Type] = true
				visit(ref.Type)
			}
		}
	}
	visit(typ)
	return seen[typ]
}

func conditions(list []*ir.Condition) []jen.Code {
	var out []jen.Code
	for _, c := range list {
		var paths []jen.Code
		for _, p := range c.Then {
			var steps []jen.Code
			for _, field := range p {
				steps = append(steps, jen.Lit(field.Name))
			}
			paths = append(paths, jen.Values(steps...))
		}
		var l literal
		l.text("Field", c.Field.Name)
		l.text("Is", c.Equals)
		l.set("Then", jen.Index().Index().String().Values(paths...))
		if len(c.Not) > 0 {
			var not []string
			for _, field := range c.Not {
				not = append(not, field.Name)
			}
			l.set("Not", stringsLit(not))
		}
		out = append(out, l.code())
	}
	return out
}

func (t *tables) field(field *ir.Field) jen.Code {
	var l literal
	l.text("Name", field.Name)
	if field.Type.Kind == ir.Metadata {
		// Metadata has its limits wherever it is used.
		l.set("Kind", jen.Id("KindMetadata"))
	} else {
		t.ref(&l, field.Type)
	}
	switch field.Style {
	case ir.DeepObject:
		l.set("Style", jen.Id("StyleDeep"))
	case ir.Comma:
		l.set("Style", jen.Id("StyleComma"))
	case ir.Repeat:
		l.set("Style", jen.Id("StyleRepeat"))
	}
	l.flag("Required", field.Required)
	l.flag("Nullable", field.Nullable)
	l.text("Default", field.Default)
	if lim := fieldLimits(field); lim != nil {
		l.set("Limits", jen.Op("&").Id("Limits").Add(lim.code()))
	}
	return l.code()
}

// ref describes the shape of a value.
func (t *tables) ref(l *literal, r *ir.Ref) {
	kinds := map[ir.RefKind]string{ir.Int: "KindInt", ir.Int64: "KindInt", ir.Float: "KindFloat", ir.Bool: "KindBool", ir.Date: "KindDate", ir.Time: "KindTime",
		ir.Array: "KindArray", ir.Metadata: "KindMetadata", ir.StringMap: "KindStringMap", ir.AnyMap: "KindAnyMap", ir.Map: "KindMap", ir.StringOrInt: "KindStringOrInt"}
	if k := kinds[r.Kind]; k != "" {
		l.set("Kind", jen.Id(k))
	}
	l.text("Format", r.Format)
	switch {
	case r.Elem != nil:
		var elem literal
		t.ref(&elem, r.Elem)
		l.set("Elem", jen.Op("&").Id("Field").Add(elem.code()))
	case r.Kind == ir.Named && r.Type.Kind == ir.Enum:
		l.set("Enum", jen.Id(t.use(r.Type)))
	case r.Kind == ir.Named:
		l.set("Kind", jen.Id("KindObject"))
		l.set("Type", jen.Op("&").Id(t.use(r.Type)))
	}
}

func fieldLimits(f *ir.Field) *literal {
	var l literal
	count := func(name string, v *int) {
		if v != nil {
			l.set(name, jen.New(jen.Lit(*v)))
		}
	}
	count("MinLength", f.MinLength)
	count("MaxLength", f.MaxLength)
	count("MinItems", f.MinItems)
	count("MaxItems", f.MaxItems)
	l.flag("UniqueItems", f.UniqueItems)
	count("MinMembers", f.MinMembers)
	count("MaxMembers", f.MaxMembers)
	count("MaxKeyLength", f.MaxKeyLength)
	count("MaxValueLength", f.MaxValueLength)
	amount := func(name string, v *int64) {
		if v != nil {
			l.set(name, jen.New(jen.Int64().Call(jen.Lit(int(*v)))))
		}
	}
	amount("Minimum", f.Minimum)
	amount("Maximum", f.Maximum)
	amount("MultipleOf", f.MultipleOf)
	l.text("Pattern", f.Pattern)
	if l == nil {
		return nil
	}
	return &l
}

// catalogueTables emits what the documentation lists besides the schema.
func catalogueTables(f *jen.File, c *ir.Catalogue) {
	if c == nil {
		c = &ir.Catalogue{}
	}
	list := func(name, typ, doc string, items []jen.Code) {
		f.Comment(name + " " + doc)
		f.Var().Id(name).Op("=").Index().Id(typ).Add(rows(items))
	}
	var events []jen.Code
	for _, e := range c.Events {
		var l literal
		l.text("Resource", e.Resource)
		l.text("Action", e.Action)
		var causes []jen.Code
		for _, cause := range e.Causes {
			causes = append(causes, jen.Values(jen.Lit(cause.Name), jen.Lit(cause.Doc), stringsLit(cause.Origins)))
		}
		if causes != nil {
			l.set("Causes", jen.Index().Id("Cause").Add(rows(causes)))
		}
		events = append(events, l.code())
	}
	list("Events", "Event", "are the pairs of resource type and action, with their causes.", events)
	var reasons []jen.Code
	for _, r := range c.Reasons {
		var l literal
		l.text("Name", r.Name)
		l.set("Status", jen.Lit(r.Status))
		l.text("Type", r.Type)
		l.text("Link", r.Link)
		l.text("Text", r.Doc)
		reasons = append(reasons, l.code())
	}
	list("Reasons", "Reason", "are the codes of API errors.", reasons)
	var simulators []jen.Code
	for _, s := range c.Simulators {
		var pairs []jen.Code
		for _, p := range s.Result {
			pairs = append(pairs, jen.Values(jen.Lit(p.Name), jen.Lit(p.Value)))
		}
		simulators = append(simulators, literal{
			jen.Lit(s.Name), jen.Lit(s.Resource), jen.Lit(s.Requires), jen.Index().Index(jen.Lit(2)).String().Values(pairs...),
		}.code())
	}
	list("Simulators", "Simulator", "are the scenario simulators.", simulators)
	var prefixes, schemes []jen.Code
	for _, p := range c.Prefixes {
		prefixes = append(prefixes, jen.Values(jen.Lit(p.Resource), jen.Lit(p.Prefix)))
	}
	list("Prefixes", "Prefix", "are the id prefixes of the resources.", prefixes)
	for _, s := range c.Schemes {
		schemes = append(schemes, jen.Values(jen.Lit(s.Name), jen.Lit(s.Currency), stringsLit(s.Countries)))
	}
	list("Schemes", "Scheme", "are the bank payment schemes.", schemes)
}
