package compare

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/generator/name"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// Names holds the names and types of the parts of a document in the SDK. With the generator's model of the
// document they are those in the code. A nil Names follows the same rules, but without the overlay's
// exceptions.
type Names struct {
	methods map[string][]string // by method and path
	params  map[string]string   // types of params, by method
	types   map[string]string   // types and values by pointer, with "#request" for the request side
	fields  map[owned]*ir.Field
}

// owned is a member of a Go type.
type owned struct{ owner, pointer string }

// NamesOf returns the names in the generator's model.
func NamesOf(api *ir.API) *Names {
	n := &Names{methods: map[string][]string{}, params: map[string]string{}, types: map[string]string{}, fields: map[owned]*ir.Field{}}
	for s, op := range api.Operations() {
		key := op.HTTPMethod + " " + openapi.Shape(op.Path)
		for _, m := range op.Methods {
			method := "client." + s.GoName + "." + m.GoName
			n.methods[key] = append(n.methods[key], method)
			if m.Params != nil {
				n.params[method] = m.Params.GoName
			}
		}
	}
	for _, t := range api.Types {
		pointer := t.Pointer
		if t.Role == ir.RoleNested {
			pointer += requestSide
		}
		n.types[pointer] = t.GoName
		for _, v := range t.Values {
			n.types[jsontree.Join(t.Pointer, "enum", v.Wire)] = v.GoName
		}
		for _, f := range t.Fields {
			n.fields[owned{t.GoName, f.Pointer}] = f
		}
	}
	return n
}

const requestSide = "#request"

// goName returns the Go name of a resource, field or value.
func goName(wire string) string { return name.Go(wire) }

func (n *Names) lookup(pointer, otherwise string) string {
	if n != nil {
		if s, ok := n.types[pointer]; ok {
			return s
		}
	}
	return otherwise
}

// operationID returns the operation's id in our form: the document's own, which includes the overlay's
// exceptions, or one by rule.
func operationID(o *openapi.Operation) string {
	if name.IsOperation(o.ID) {
		return o.ID
	}
	if id := name.ID(o.Method, o.Path, ""); id != "" {
		return id
	}
	resource := strings.Trim(o.Path, "/")
	if len(o.Tags) > 0 {
		resource = o.Tags[0]
	}
	resource, _, _ = strings.Cut(resource, "/")
	return strings.ToLower(resource) + "." + strings.ToLower(o.Method)
}

func resourceOf(o *openapi.Operation) string {
	resource, _, _ := strings.Cut(operationID(o), ".")
	return resource
}

// methodsOf returns the SDK's methods for an operation.
func (n *Names) methodsOf(o *openapi.Operation) []string {
	if n != nil {
		list := n.methods[o.Method+" "+o.Shape()]
		if o.Variant != "" {
			list = slices.DeleteFunc(slices.Clone(list), func(m string) bool { return !strings.HasSuffix(m, "."+goName(o.Variant)) })
		}
		if len(list) > 0 {
			return list
		}
	}
	resource, verb, _ := strings.Cut(operationID(o), ".")
	if len(o.Variants) == 0 {
		return []string{"client." + goName(resource) + "." + goName(verb)}
	}
	var list []string
	for _, v := range o.Variants {
		list = append(list, "client."+goName(resource)+"."+goName(v.Name))
	}
	return list
}

// paramsName returns the type that holds an operation's query and header parameters, even if there are none.
func (n *Names) paramsName(o *openapi.Operation) string {
	resource, verb, _ := strings.Cut(operationID(o), ".")
	return cmp.Or(n.paramsOf(o, n.methodsOf(o)[0]), name.Params(resource, verb))
}

// paramsOf returns the params type of a method, or "" if it takes none.
func (n *Names) paramsOf(o *openapi.Operation, method string) string {
	if n != nil {
		if t, ok := n.params[method]; ok {
			return t
		}
	}
	if o.Body != nil {
		if _, inner := envelope(o.Body.Schema); inner != nil {
			for variant, form := range formsOf(o, inner) {
				if variant != "" && strings.HasSuffix(method, "."+goName(variant)) {
					return n.typeName(form.Def(), query)
				}
			}
			return n.typeName(inner.Def(), query)
		}
	}
	if slices.ContainsFunc(o.Params, fieldParam) {
		resource, verb, _ := strings.Cut(operationID(o), ".")
		return name.Params(resource, verb)
	}
	return ""
}

// typeName returns the Go type of a definition on one side, or "" if it has none of its own.
func (n *Names) typeName(def *openapi.Schema, side side) string {
	if def.Component == "" {
		return n.lookup(def.Pointer, "") // of inline schemas, only the discriminator of a choice has a type
	}
	plain := n.lookup(def.Pointer, goName(def.Component))
	if side == body && def.IsObject() {
		return n.lookup(def.Pointer+requestSide, name.Request(def.Component, plain))
	}
	return plain
}

func (n *Names) valueName(def *openapi.Schema, wire string) string {
	return n.lookup(jsontree.Join(def.Pointer, "enum", wire), name.Value(n.typeName(def, reply), wire))
}

// side is the kind of place where a schema is used. It decides the Go types of fields.
type side int

const (
	reply side = iota
	body
	query
	filter // an object in the query
)

// memberUse is a use of a schema as a member of an object or as a parameter.
type memberUse struct {
	owner    string // Go type that has it
	use      *openapi.Schema
	side     side
	required bool
	name     string // on the wire
}

// field returns the field that the generator makes of a member.
func (n *Names) field(m memberUse) *ir.Field {
	if n != nil {
		for _, pointer := range []string{m.use.Pointer, strings.TrimSuffix(m.use.Pointer, "/schema")} { // that of a parameter
			if f := n.fields[owned{m.owner, pointer}]; f != nil {
				return f
			}
		}
	}
	f := &ir.Field{GoName: goName(m.name), Type: n.typeOf(m.use, m.side, m.name)}
	role := map[side]ir.Role{reply: ir.RoleReply, body: ir.RoleNested, query: ir.RoleParams, filter: ir.RoleFilter}[m.side]
	if m.side == query || m.side == filter {
		f.In = ir.InQuery
	}
	f.Pointered = ir.Pointered(role, f.In, f.Type, m.required, m.use.MayBeNull())
	return f
}

// parameter returns the field that the generator makes of a query or header parameter.
func (n *Names) parameter(owner string, p *openapi.Param) *ir.Field {
	return n.field(memberUse{owner, p.Schema, query, p.Required, p.Name})
}

// typeOf returns the type of a use by the loader's rules. A use that the loader refuses gets the nearest type,
// or one that shows that there is none.
func (n *Names) typeOf(use *openapi.Schema, where side, member string) *ir.Ref {
	d := use.Def()
	goType := n.typeName(d, where)
	switch {
	case len(d.Enum) > 0 && goType != "":
		return &ir.Ref{Kind: ir.Named, Type: &ir.Type{GoName: goType, Kind: ir.Enum, Values: []*ir.Value{{GoName: n.valueName(d, d.Enum[0])}}}}
	case use.IsObject():
		return &ir.Ref{Kind: ir.Named, Type: &ir.Type{GoName: cmp.Or(goType, "struct")}}
	case use.IsMap() && d.Values == nil:
		return ir.MapOf(member, nil)
	case use.IsMap():
		return ir.MapOf(member, n.typeOf(d.Values, where, member))
	case d.Type == "array" && d.Items != nil:
		return &ir.Ref{Kind: ir.Array, Elem: n.typeOf(d.Items, where, member)}
	case d.Counted:
		return anything
	}
	if ref := cmp.Or(ir.Scalar(d.Type, d.Format), ir.Scalar(d.Type, "")); ref != nil {
		return ref
	}
	return anything
}

// anything stands for a schema without a Go type.
var anything = &ir.Ref{Kind: ir.Named, Type: &ir.Type{GoName: "any", Kind: ir.Enum}}
