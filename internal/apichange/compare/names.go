package compare

import (
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/generator/name"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// Names gives the parts of a document their names in the SDK. With the generator's model of the
// document they are the very names in the code; without it they follow the same rules, but know
// nothing of the overlay's exceptions.
type Names struct {
	methods map[string][]string // by method and path
	types   map[string]string   // by pointer, with "#request" for the request side
}

// NamesOf takes the names from the generator's model.
func NamesOf(api *ir.API) *Names {
	n := &Names{methods: map[string][]string{}, types: map[string]string{}}
	for _, s := range api.Services {
		for _, op := range s.Operations {
			key := op.HTTPMethod + " " + openapi.Shape(op.Path)
			for _, m := range op.Methods {
				n.methods[key] = append(n.methods[key], "client."+s.GoName+"."+m.GoName)
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
			n.types[f.Pointer] = f.GoName
		}
	}
	return n
}

const requestSide = "#request"

// goName is the name of a resource, field or value.
func goName(wire string) string { return name.Go(wire) }

func (n *Names) lookup(pointer, otherwise string) string {
	if n != nil {
		if s, ok := n.types[pointer]; ok {
			return s
		}
	}
	return otherwise
}

// operationID returns the operation's id in our form: the document's own, or one by rule.
func operationID(o *openapi.Operation) string {
	if name.IsOperation(o.ID) {
		return o.ID
	}
	if id := name.Operation(o.Method, o.Path); id != "" {
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

// paramsName returns the type that holds an operation's query and header parameters.
func (n *Names) paramsName(o *openapi.Operation) string {
	resource, verb, _ := strings.Cut(operationID(o), ".")
	return n.lookup(jsontree.Join(o.Pointer, "parameters"), goName(name.Singular(resource))+goName(verb)+"Params")
}

// typeName returns the Go type of a definition on one side, or "" when it has none of its own.
func (n *Names) typeName(def *openapi.Schema, side side) string {
	if def.Component == "" {
		return n.lookup(def.Pointer, "") // the discriminator of a choice has a type, others in place do not
	}
	goType := goName(def.Component)
	if side == body && def.IsObject() {
		if !strings.Contains(def.Component, "Params") {
			goType += "Params"
		}
		if n != nil {
			if s, ok := n.types[def.Pointer+requestSide]; ok {
				return s
			}
		}
	}
	return n.lookup(def.Pointer, goType)
}

func (n *Names) valueName(def *openapi.Schema, wire string) string {
	return n.lookup(jsontree.Join(def.Pointer, "enum", wire), n.typeName(def, reply)+goName(wire))
}

// side is where a schema is used; it decides the Go types of fields.
type side int

const (
	reply side = iota
	body
	query
)

// goType returns the Go type of a field, as the generator makes it.
func (n *Names) goType(use *openapi.Schema, where side, required bool, member string) string {
	base, scalar, structure := n.baseType(use, where, member)
	collection := strings.HasPrefix(base, "[]") || strings.HasPrefix(base, "map[") || base == "Metadata"
	switch where {
	case reply:
		if structure || scalar && use.MayBeNull() {
			return "*" + base
		}
	case body:
		if !required && !collection {
			return "*" + base
		}
	case query:
		if base == "bool" && !required {
			return "*" + base
		}
	}
	return base
}

// baseType returns the Go type without a pointer. A scalar is a type whose zero value means
// something, so that null needs a pointer.
func (n *Names) baseType(use *openapi.Schema, where side, member string) (goType string, scalar, structure bool) {
	d := use.Def()
	switch {
	case len(d.Enum) > 0 && n.typeName(d, where) != "":
		return n.typeName(d, where), false, false
	case d.Type == openapi.StringOrInteger && !d.Counted:
		return "string", false, false
	case d.Type == "string":
		switch d.Format {
		case "date":
			return "Date", false, false
		case "date-time":
			return "time.Time", false, false
		}
		return "string", false, false
	case d.Type == "integer":
		if d.Format == "int64" {
			return "int64", true, false
		}
		return "int", true, false
	case d.Type == "number":
		return "float64", true, false
	case d.Type == "boolean":
		return "bool", true, false
	case d.Type == "array" && d.Items != nil:
		elem, _, _ := n.baseType(d.Items, where, member)
		return "[]" + elem, false, false
	case use.IsObject():
		if t := n.typeName(d, where); t != "" {
			return t, false, true
		}
		return "struct", false, true
	case d.Type == "object":
		isString := d.Values != nil && d.Values.Def().Type == "string" && !d.Values.IsEnum()
		switch {
		case (isString || d.Open) && (member == "metadata" || strings.HasSuffix(member, "_metadata")):
			return "Metadata", false, false
		case isString:
			return "map[string]string", false, false
		case d.Values != nil:
			elem, _, _ := n.baseType(d.Values, where, member)
			return "map[string]" + elem, false, false
		}
		return "map[string]any", false, false
	}
	return "any", false, false
}
