package emit

import (
	"bytes"
	"fmt"
	"path"

	"github.com/dave/jennifer/jen"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

// sandboxPackage is the package of the in-process fake, below the SDK's directory.
const sandboxPackage = "gocardlesstest"

// Sandbox emits the tables that the in-process fake is driven by: every operation with its
// filters and bodies, every object with its members and limits, and the catalogue. They are
// private to that package.
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
		f := jen.NewFilePathName(api.ModulePath+"/"+sdk+"/"+sandboxPackage, sandboxPackage)
		f.HeaderComment(Header)
		file.body(f)
		var b bytes.Buffer
		if err := f.Render(&b); err != nil {
			return nil, fmt.Errorf("%s: %w", file.name, err)
		}
		out = append(out, File{Path: path.Join(sdk, sandboxPackage, file.name), Content: b.Bytes()})
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

// rows writes a list with one element on a line.
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
	for _, s := range api.Services {
		for _, op := range s.Operations {
			ops = append(ops, t.operation(op))
		}
	}
	f.Comment("operations are those of the API, by resource.")
	f.Var().Id("operations").Op("=").Index().Id("opSpec").Add(rows(ops))
}

func (t *tables) operation(op *ir.Operation) jen.Code {
	var l literal
	l.text("name", op.ID)
	l.text("method", op.HTTPMethod)
	l.text("path", op.Path)
	l.set("kind", jen.Id(opKind(op.Kind)))
	l.text("request", op.RequestEnvelope)
	l.text("reply", op.ReplyEnvelope)
	l.flag("list", op.List)
	l.flag("cursors", op.Cursors)
	l.set("status", jen.Lit(op.Status))
	var bodies, query, headers []jen.Code
	for i, m := range op.Methods {
		if m.Params == nil {
			continue
		}
		if m.Params.HasBody() || op.RequestEnvelope != "" {
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
		l.set("bodies", jen.Index().Op("*").Id("typeSpec").Values(bodies...))
	}
	if query != nil {
		l.set("query", jen.Index().Id("fieldSpec").Add(rows(query)))
	}
	if headers != nil {
		l.set("headers", jen.Index().Id("fieldSpec").Values(headers...))
	}
	if op.Reply != nil {
		l.set("result", jen.Op("&").Id(t.use(op.Reply)))
	}
	if op.Linked != nil {
		l.set("linked", jen.Op("&").Id(t.use(op.Linked)))
	}
	return l.code()
}

func opKind(k ir.Kind) string {
	switch k {
	case ir.KindRead:
		return "kindRead"
	case ir.KindUpdate:
		return "kindUpdate"
	case ir.KindDelete:
		return "kindDelete"
	case ir.KindCreate:
		return "kindCreate"
	}
	return "kindAction"
}

// use notes a type and returns the name of its variable.
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

// types writes the gathered types; writing one may gather more.
func (t *tables) types(f *jen.File) {
	var later []jen.Code
	for i := 0; i < len(t.order); i++ {
		typ := t.order[i]
		if typ.Kind == ir.Enum {
			var values []string
			for _, v := range typ.Values {
				values = append(values, v.Wire)
			}
			f.Var().Id(t.use(typ)).Op("=").Add(stringsLit(values))
			continue
		}
		var l literal
		l.text("name", typ.GoName)
		var fields []jen.Code
		for _, field := range typ.Fields {
			if field.In == ir.InBody {
				fields = append(fields, t.field(field))
			}
		}
		if fields != nil || typ.Role == ir.RoleFilter {
			if typ.Role == ir.RoleFilter {
				fields = nil
				for _, field := range typ.Fields {
					fields = append(fields, t.field(field))
				}
			}
			list := jen.Index().Id("fieldSpec").Add(rows(fields))
			if recursive(typ) {
				// A variable may not refer to itself while it is made.
				later = append(later, jen.Id(t.use(typ)).Dot("fields").Op("=").Add(list))
			} else {
				l.set("fields", list)
			}
		}
		if c := conditions(typ.Conditions); c != nil {
			l.set("conditions", jen.Index().Id("condSpec").Values(c...))
		}
		f.Var().Id(t.use(typ)).Op("=").Id("typeSpec").Add(l.code())
	}
	if later != nil {
		f.Func().Id("init").Params().Block(later...)
	}
}

// recursive reports whether a value of a type may have another one somewhere in it.
func recursive(typ *ir.Type) bool {
	seen := map[*ir.Type]bool{}
	var visit func(t *ir.Type)
	visit = func(t *ir.Type) {
		for _, field := range t.Fields {
			ref := field.Type
			for ref.Kind == ir.Array {
				ref = ref.Elem
			}
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
		l.text("field", c.Field.Name)
		l.text("is", c.Equals)
		l.set("then", jen.Index().Index().String().Values(paths...))
		out = append(out, l.code())
	}
	return out
}

func (t *tables) field(field *ir.Field) jen.Code {
	var l literal
	l.text("name", field.Name)
	if field.Type.Kind == ir.Metadata {
		// Metadata has its limits wherever it is used.
		l.set("kind", jen.Id("kMetadata"))
	} else {
		t.ref(&l, field.Type)
	}
	switch field.Style {
	case ir.DeepObject:
		l.set("style", jen.Id("deepStyle"))
	case ir.Comma:
		l.set("style", jen.Id("commaStyle"))
	}
	l.flag("required", field.Required)
	l.flag("nullable", field.Nullable)
	l.text("def", field.Default)
	if lim := fieldLimits(field); lim != nil {
		l.set("lim", jen.Op("&").Id("limits").Add(lim.code()))
	}
	return l.code()
}

// ref describes the shape of a value.
func (t *tables) ref(l *literal, r *ir.Ref) {
	kinds := map[ir.RefKind]string{ir.Int: "kInt", ir.Int64: "kInt", ir.Float: "kFloat", ir.Bool: "kBool", ir.Date: "kDate", ir.Time: "kTime",
		ir.Array: "kArray", ir.Metadata: "kMetadata", ir.StringMap: "kStringMap", ir.AnyMap: "kAnyMap"}
	if k := kinds[r.Kind]; k != "" {
		l.set("kind", jen.Id(k))
	}
	l.text("format", r.Format)
	switch {
	case r.Kind == ir.Array:
		var elem literal
		t.ref(&elem, r.Elem)
		l.set("elem", jen.Op("&").Id("fieldSpec").Add(elem.code()))
	case r.Kind == ir.Named && r.Type.Kind == ir.Enum:
		l.set("enum", jen.Id(t.use(r.Type)))
	case r.Kind == ir.Named:
		l.set("kind", jen.Id("kObject"))
		l.set("typ", jen.Op("&").Id(t.use(r.Type)))
	}
}

func fieldLimits(f *ir.Field) *literal {
	var l literal
	count := func(name string, v *int) {
		if v != nil {
			l.set(name, jen.New(jen.Lit(*v)))
		}
	}
	count("minLength", f.MinLength)
	count("maxLength", f.MaxLength)
	count("maxMembers", f.MaxMembers)
	count("maxKeyLength", f.MaxKeyLength)
	count("maxValueLength", f.MaxValueLength)
	amount := func(name string, v *int64) {
		if v != nil {
			l.set(name, jen.New(jen.Int64().Call(jen.Lit(int(*v)))))
		}
	}
	amount("minimum", f.Minimum)
	amount("maximum", f.Maximum)
	l.text("pattern", f.Pattern)
	if l == nil {
		return nil
	}
	return &l
}

// catalogueTables writes what the documentation lists besides the schema.
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
		l.text("resource", e.Resource)
		l.text("action", e.Action)
		var causes []jen.Code
		for _, cause := range e.Causes {
			causes = append(causes, jen.Values(jen.Lit(cause.Name), jen.Lit(cause.Doc), stringsLit(cause.Origins)))
		}
		if causes != nil {
			l.set("causes", jen.Index().Id("causeSpec").Add(rows(causes)))
		}
		events = append(events, l.code())
	}
	list("catalogueEvents", "eventSpec", "are the pairs of resource type and action, with their causes.", events)
	var reasons []jen.Code
	for _, r := range c.Reasons {
		var l literal
		l.text("name", r.Name)
		l.set("status", jen.Lit(r.Status))
		l.text("typ", r.Type)
		l.text("link", r.Link)
		l.text("text", r.Doc)
		reasons = append(reasons, l.code())
	}
	list("catalogueReasons", "reasonSpec", "are the codes of API errors.", reasons)
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
	list("catalogueSimulators", "simulatorSpec", "are the scenario simulators.", simulators)
	var prefixes, rates, schemes []jen.Code
	for _, p := range c.Prefixes {
		prefixes = append(prefixes, jen.Values(jen.Lit(p.Resource), jen.Lit(p.Prefix)))
	}
	list("cataloguePrefixes", "prefixSpec", "are the id prefixes of the resources.", prefixes)
	for _, r := range c.RateLimits {
		rates = append(rates, jen.Values(jen.Lit(r.Paths), jen.Lit(r.PerMinute)))
	}
	list("catalogueRates", "rateSpec", "are the budgets of requests per minute.", rates)
	for _, s := range c.Schemes {
		schemes = append(schemes, jen.Values(jen.Lit(s.Name), jen.Lit(s.Currency), stringsLit(s.Countries)))
	}
	list("catalogueSchemes", "schemeSpec", "are the bank payment schemes.", schemes)
}
