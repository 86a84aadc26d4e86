package compare

import (
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/generator/load"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
)

// visitor visits every name and Go type that a report on a document can print.
type visitor struct {
	Side
	method func(name, params, result string)
	field  func(owner string, f *ir.Field)
	value  func(typeName, name string)
	seen   map[owned]bool
}

func (v *visitor) document() {
	v.seen = map[owned]bool{}
	for _, o := range v.Doc.Operations {
		for _, method := range v.Names.methodsOf(o) {
			params := v.Names.paramsOf(o, method)
			v.method(method, params, v.result(o))
			for _, p := range o.Params {
				if fieldParam(p) {
					v.use(params, v.Names.parameter(params, p), p.Schema, query)
				}
			}
		}
		if o.Body != nil {
			_, inner := envelope(o.Body.Schema)
			for _, form := range formsOf(o, inner) {
				v.object(v.Names.typeName(form.Def(), query), form.Def(), body)
			}
		}
		if r := o.Reply(); r.Schema != nil && r.Schema.Name() == "" {
			for _, p := range r.Schema.Def().Properties {
				if p.Name != "meta" { // handwritten code reads it
					v.use("", nil, p.Schema, reply)
				}
			}
		} else if r.Schema != nil {
			v.use("", nil, r.Schema, reply)
		}
	}
}

// result returns the result type of an operation's methods besides the error.
func (v *visitor) result(o *openapi.Operation) string {
	use := o.Reply().Schema
	if use == nil {
		return ""
	}
	if use.Name() == "" { // an envelope
		use = use.Def().Property(use.Def().Required[0])
	}
	if items := use.Def().Items; items != nil {
		return "*Page[" + v.Names.typeName(items.Def(), reply) + "]"
	}
	return "*" + v.Names.typeName(use.Def(), reply)
}

func (v *visitor) object(owner string, def *openapi.Schema, where side) {
	if v.seen[owned{owner, def.Pointer}] {
		return
	}
	v.seen[owned{owner, def.Pointer}] = true
	for _, p := range def.Properties {
		m := memberUse{owner, p.Schema, where, def.Requires(p.Name), p.Name}
		v.use(owner, v.Names.field(m), p.Schema, where)
	}
}

// use visits a field, and its type or that of its elements.
func (v *visitor) use(owner string, f *ir.Field, use *openapi.Schema, where side) {
	if f != nil {
		v.field(owner, f)
	}
	d := use.Def()
	for d.Items != nil || d.Values != nil {
		if d.Items != nil {
			d = d.Items.Def()
		} else {
			d = d.Values.Def()
		}
	}
	switch goType := v.Names.typeName(d, where); {
	case d.IsEnum():
		for _, wire := range d.Enum {
			v.value(goType, v.Names.valueName(d, wire))
		}
	case d.IsObject():
		if where == query {
			where = filter
		}
		v.object(goType, d, where)
	}
}

// The names and types in reports are those in the code: every method with its params, every field with its
// type, and every value. By rule, without the generator's model, they are the same except for the overlay's
// exceptions.
func TestNamesAreThoseOfTheCode(t *testing.T) {
	overlay, err := load.ParseOverlay(whole(t).Overlay)
	if err != nil {
		t.Fatal(err)
	}
	files := snapshots(t)
	for _, file := range []string{files[0], files[len(files)-1]} {
		c := generated(t, parseFile(t, file), whole(t))
		byModel, byRule := c.told(t), code{Side: Side{Doc: c.Doc}, sdk: c.sdk}.names(t)
		if len(byModel) < 1000 {
			t.Errorf("%s: only %d names", file, len(byModel))
		}
		for _, e := range overlay.Types {
			if name := e.Schema + "." + goName(e.Property); byRule[name] == "string" && byModel[name] == e.Type {
				byRule[name] = e.Type
			}
		}
		for _, name := range slices.Sorted(maps.Keys(byModel)) {
			if goType, ok := byRule[name]; !ok || goType != byModel[name] {
				t.Errorf("%s: by rule %s is of type %q, by the model %q", file, name, goType, byModel[name])
			}
		}
		for _, name := range slices.Sorted(maps.Keys(byRule)) {
			if _, ok := byModel[name]; !ok {
				t.Errorf("%s: by rule there is %s, by the model not", file, name)
			}
		}
	}
}

// The same holds for constructs that today's description does not use: choices between objects on both sides,
// parameters next to a body, names from the overlay.
func TestNamesOfRareConstructs(t *testing.T) {
	root := part(t)
	e := edit{t, root}
	e.set(schemas, "Card", `{"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}, "digits": {"type": "integer"}, "expires_on": {"type": "string", "format": "date"}}}`)
	e.set(schemas, "Account", `{"type": "object", "required": ["type", "digits"], "properties": {"type": {"type": "string"}, "digits": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "string"}}}}`)
	e.set(schemas, "Source", `{"oneOf": [{"$ref": "#/components/schemas/Card"}, {"$ref": "#/components/schemas/Account"}], "discriminator": {"propertyName": "type"}}`)
	for _, owner := range []string{payment, create} {
		e.set(owner+"/properties", "source", `{"$ref": "#/components/schemas/Source"}`)
		e.set(owner+"/properties", "card", `{"$ref": "#/components/schemas/Card"}`)
	}
	e.append(pay+"/parameters", `{"name": "dry_run", "in": "query", "schema": {"type": "boolean"}}`)
	c := generated(t, root, load.Input{Overlay: []byte(`{"names": [
		{"pointer": "/components/schemas/Account/properties/tags", "name": "Labels", "reason": "a test"},
		{"pointer": "/components/schemas/PaymentCreateParams", "name": "NewPayment", "reason": "a test"}]}`)})
	told := c.told(t)
	for name, goType := range map[string]string{
		"Payment.Source": "*Source", "NewPayment.Source": "*SourceParams", "Source.Type": "SourceType", "SourceParams.Type": "SourceType",
		"Source.Digits": "*int", "Card.Digits": "int", "SourceParams.Digits": "*int", "Source.ExpiresOn": "Date", "SourceParams.ExpiresOn": "*Date",
		"Source.Labels": "[]string", "SourceTypeCard": "SourceType", "NewPayment.DryRun": "*bool", "client.Payments.Create": "(NewPayment) *Payment",
	} {
		if told[name] != goType {
			t.Errorf("%s is reported with type %q, want %q", name, told[name], goType)
		}
	}
}

// told returns names after comparing each with the code.
func (c code) told(t *testing.T) map[string]string {
	t.Helper()
	if c.err != nil {
		t.Fatal(c.err)
	}
	all := c.names(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if got := declared(c.sdk, name); got != all[name] {
			t.Errorf("a report would show %s as of type %q; in the code it is %q", name, all[name], got)
		}
	}
	return all
}

// names returns what a report can show: fields and values with their types, methods with their params and
// results.
func (c code) names(t *testing.T) map[string]string {
	all := map[string]string{}
	note := func(name, goType string) {
		if have, ok := all[name]; ok && have != goType {
			t.Errorf("%s is of type %q and of type %q", name, have, goType)
		}
		all[name] = goType
	}
	v := &visitor{
		Side:   c.Side,
		method: func(name, params, result string) { note(name, "("+params+") "+result) },
		field:  func(owner string, f *ir.Field) { note(owner+"."+f.GoName, f.GoType()) },
		value:  func(typeName, name string) { note(name, typeName) },
	}
	v.document()
	return all
}

// declared looks up the type of a field ("Payment.Amount") or constant, or the params and result of a
// method ("client.Payments.Create").
func declared(sdk *types.Package, name string) string {
	typeString := func(t types.Type) string {
		return types.TypeString(t, func(p *types.Package) string {
			if p == sdk {
				return ""
			}
			return p.Name()
		})
	}
	path := strings.Split(name, ".")
	if path[0] == "client" {
		path[0] = "Client"
	}
	o := sdk.Scope().Lookup(path[0])
	for _, part := range path[1:] {
		if o == nil {
			return "no " + path[0]
		}
		t := o.Type()
		if p, ok := t.(*types.Pointer); ok {
			t = p.Elem()
		}
		o, _, _ = types.LookupFieldOrMethod(t, true, sdk, part)
	}
	switch o := o.(type) {
	case *types.Func:
		params, result := "", ""
		for p := range o.Signature().Params().Variables() {
			if p.Name() == "params" {
				params = typeString(p.Type())
			}
		}
		if results := o.Signature().Results(); results.Len() == 2 {
			result = typeString(results.At(0).Type())
		}
		return "(" + params + ") " + result
	case *types.Var, *types.Const:
		return typeString(o.Type())
	}
	return "none such"
}
