package load

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/generator/name"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// understood reports every keyword of a schema besides the given fields and the annotations.
// Reflection also finds keywords that a new version of the parser adds.
func (l *document) understood(s *openapi3.Schema, pointer string, fields ...string) {
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if v.Field(i).IsZero() || slices.Contains(fields, field.Name) {
			continue
		}
		switch field.Name {
		case "Title", "Example", "Examples", "Comment", "Origin":
			continue
		case "Extensions":
			for _, key := range sorted(s.Extensions) {
				if !strings.HasPrefix(key, "x-") {
					l.errs.add(jsontree.Join(pointer, key), "unknown keyword")
				}
			}
			continue
		}
		keyword, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		l.errs.add(jsontree.Join(pointer, keyword), "keyword %s is not supported here", keyword)
	}
}

var (
	annotations = []string{"Description", "Default", "Deprecated", "Nullable", "Type"}
	ofEnum      = append([]string{"Enum"}, annotations...)
	ofObject    = append([]string{"Properties", "Required", "If", "Then", "AdditionalProperties"}, annotations...)
	ofUnion     = append([]string{"OneOf", "Discriminator"}, annotations...)
	ofNullable  = append([]string{"AnyOf", "AllOf"}, annotations...)
)

// use reads the schema of a property, parameter or item. It returns nil after reporting a problem.
// The property name distinguishes metadata from other maps.
func (l *document) use(sr *openapi3.SchemaRef, pointer string, role ir.Role, property string) (ref *ir.Ref, nullable bool) {
	if sr == nil || sr.Value == nil {
		l.errs.add(pointer, "no schema")
		return nil, false
	}
	s := sr.Value
	nullable = isNullable(s)
	if sr.Ref != "" {
		schema, ok := strings.CutPrefix(sr.Ref, ir.SchemaPrefix)
		if !ok {
			l.errs.add(jsontree.Join(pointer, "$ref"), "%q is not a component schema", sr.Ref)
			return nil, false
		}
		if isEnum(s) || isObject(s) || isUnion(s) {
			l.alone(s, pointer)
			if t := l.named(schema, role); t != nil {
				if message := l.undecidable[t]; message != "" {
					l.errs.add(pointer, "%s", message)
				}
				return &ir.Ref{Kind: ir.Named, Type: t}, nullable
			}
			return nil, false
		}
		return l.plain(l.alone(s, pointer), pointer, role, property), nullable
	}
	// {"anyOf": [X, {"type": "null"}]} and, before OpenAPI 3.1, {"allOf": [X], "nullable": true}.
	if inner := nullableOf(s); inner != nil {
		l.understood(s, pointer, slices.Concat(ofNullable, limiting(inner.Value))...)
		ref, _ := l.use(inner, jsontree.Join(pointer, wrapperOf(s), "0"), role, property)
		return ref, nullable || len(s.AnyOf) > 0
	}
	if isEnum(s) || isObject(s) || isUnion(s) {
		l.errs.add(pointer, "inline enums and objects have no name: move it to /components/schemas")
		return nil, false
	}
	return l.plain(s, pointer, role, property), nullable
}

func wrapperOf(s *openapi3.Schema) string {
	if len(s.AnyOf) > 0 {
		return "anyOf"
	}
	return "allOf"
}

// nullableOf returns what a schema wraps to allow null or to describe a use, or nil.
func nullableOf(s *openapi3.Schema) *openapi3.SchemaRef {
	if len(s.AnyOf) == 2 && s.AnyOf[1].Ref == "" && s.AnyOf[1].Value.Type.Is("null") {
		return s.AnyOf[0]
	}
	if len(s.AllOf) == 1 && s.AllOf[0].Ref != "" && s.Type == nil && len(s.Properties) == 0 {
		return s.AllOf[0]
	}
	return nil
}

func isEnum(s *openapi3.Schema) bool { return len(s.Enum) > 0 }

func isObject(s *openapi3.Schema) bool {
	return s.Type.Includes("object") && (len(s.Properties) > 0 || (s.AdditionalProperties.Has == nil || !*s.AdditionalProperties.Has) && s.AdditionalProperties.Schema == nil)
}

// isUnion reports whether a schema is a choice between objects with a discriminator.
func isUnion(s *openapi3.Schema) bool { return len(s.OneOf) > 0 && s.Discriminator != nil }

func isNullable(s *openapi3.Schema) bool {
	return s.Nullable || s.Type != nil && s.Type.Includes("null")
}

// soleType returns the one type of a schema besides null, or the one choice between types that a Go
// string can hold.
func soleType(s *openapi3.Schema) string {
	types := slices.DeleteFunc(slices.Clone(s.Type.Slice()), func(t string) bool { return t == "null" })
	slices.Sort(types)
	if joined := strings.Join(types, "|"); len(types) == 1 || joined == ir.StringOrInteger {
		return joined
	}
	return ""
}

// plain reads a schema that needs no Go type of its own.
func (l *document) plain(s *openapi3.Schema, pointer string, role ir.Role, property string) *ir.Ref {
	jsonType := soleType(s)
	understood := slices.Concat(annotations, limiting(s))
	switch jsonType {
	case "string", "integer", "number", "boolean", ir.StringOrInteger:
		l.understood(s, pointer, append(understood, "Format")...)
	case "array":
		l.understood(s, pointer, append(understood, "Items")...)
		return l.array(s, pointer, role, property)
	case "object":
		l.understood(s, pointer, append(understood, "AdditionalProperties")...)
		return l.mapping(s, pointer, role, property)
	default:
		l.errs.add(jsontree.Join(pointer, "type"), "exactly one type is needed, or one and null")
		return nil
	}
	ref := ir.Scalar(jsonType, s.Format)
	if ref == nil {
		l.errs.add(jsontree.Join(pointer, "format"), "%s format %q is not supported", jsonType, s.Format)
	}
	return ref
}

func (l *document) array(s *openapi3.Schema, pointer string, role ir.Role, property string) *ir.Ref {
	elem, _ := l.use(s.Items, jsontree.Join(pointer, "items"), role, property)
	switch {
	case elem == nil:
	case elem.Kind == ir.String || elem.Kind == ir.Int64 || elem.Kind == ir.Int || elem.Kind == ir.Float || elem.Kind == ir.Bool || elem.Kind == ir.Named:
		return &ir.Ref{Kind: ir.Array, Elem: elem}
	default:
		l.errs.add(jsontree.Join(pointer, "items"), "arrays of this type are not supported: strings, numbers, booleans, enums and objects are")
	}
	return nil
}

func (l *document) mapping(s *openapi3.Schema, pointer string, role ir.Role, property string) *ir.Ref {
	values := s.AdditionalProperties
	if values.Has != nil && *values.Has {
		return ir.MapOf(property, nil)
	}
	at := jsontree.Join(pointer, "additionalProperties")
	if values.Schema == nil {
		l.errs.add(at, "a map must hold values of a type, or anything (true)")
		return nil
	}
	if v := values.Schema.Value; soleType(v) == "string" && v.Format == "" && !isEnum(v) {
		return ir.MapOf(property, ir.Scalar("string", ""))
	}
	elem, _ := l.use(values.Schema, at, role, property)
	switch {
	case elem == nil:
	case elem.Kind == ir.Int || elem.Kind == ir.Int64 || elem.Kind == ir.Float || elem.Kind == ir.Bool || elem.Kind == ir.Named:
		return ir.MapOf(property, elem)
	default:
		l.errs.add(at, "maps of this type are not supported: strings, numbers, booleans, enums and objects are")
	}
	return nil
}

// named returns the Go type of a component schema in a role, and reads the schema on first use.
func (l *document) named(schema string, role ir.Role) *ir.Type {
	s := l.doc.Components.Schemas[schema].Value
	pointer := jsontree.Join("", "components", "schemas", schema)
	if isEnum(s) {
		role = ir.RoleReply // enums are open on both sides: one type serves
	}
	key := typeKey{schema, role}
	if t := l.types[key]; t != nil {
		return t
	}
	t := &ir.Type{Pointer: pointer, Schema: schema, GoName: name.Go(schema), Doc: s.Description, Role: role, Deprecated: s.Deprecated}
	if other := l.overlay.name(pointer); other != "" {
		t.GoName = other
	}
	l.types[key] = t
	if isEnum(s) {
		l.enum(t, s)
		return t
	}
	if role == ir.RoleNested {
		t.GoName = name.Request(schema, t.GoName)
	}
	if isUnion(s) {
		l.union(t, s, role)
	} else {
		l.object(t, s, role)
	}
	return t
}

func (l *document) enum(t *ir.Type, s *openapi3.Schema) {
	t.Kind = ir.Enum
	l.understood(s, t.Pointer, ofEnum...)
	docs, _ := s.Extensions["x-enum-descriptions"].(map[string]any)
	for i, raw := range s.Enum {
		at := fmt.Sprintf("%s/enum/%d", t.Pointer, i)
		if raw == nil || raw == "" {
			continue // null among the values makes the property nullable, and "" is the zero value
		}
		wire, ok := raw.(string)
		if !ok {
			l.errs.add(at, "enum values must be strings")
			continue
		}
		goName := name.Value(t.GoName, wire)
		if other := l.overlay.name(jsontree.Join(t.Pointer, "enum", wire)); other != "" {
			goName = other
		}
		doc, _ := docs[wire].(string)
		t.Values = append(t.Values, &ir.Value{Wire: wire, GoName: goName, Doc: doc})
	}
	for _, key := range sorted(docs) {
		if key != "" && !slices.ContainsFunc(t.Values, func(v *ir.Value) bool { return v.Wire == key }) {
			l.errs.add(jsontree.Join(t.Pointer, "x-enum-descriptions", key), "describes a value that the enum does not have")
		}
	}
}

func (l *document) object(t *ir.Type, s *openapi3.Schema, role ir.Role) {
	l.understood(s, t.Pointer, ofObject...)
	if s.AdditionalProperties.Schema != nil || s.AdditionalProperties.Has != nil && *s.AdditionalProperties.Has {
		l.errs.add(jsontree.Join(t.Pointer, "additionalProperties"), "an object with named properties cannot be a map as well")
	}
	for _, property := range sorted(s.Properties) {
		if f := l.property(t, s, property, role); f != nil {
			t.Fields = append(t.Fields, f)
		}
	}
	for i, required := range s.Required {
		if s.Properties[required] == nil {
			l.errs.add(fmt.Sprintf("%s/required/%d", t.Pointer, i), "required property %q is not declared", required)
		}
	}
	t.KeepsExtra = role == ir.RoleReply && l.overlay.extra(t.Schema)
	l.condition(t, s)
}

// property reads a property of an object. It returns nil for one that the SDK does not have.
func (l *document) property(t *ir.Type, s *openapi3.Schema, property string, role ir.Role) *ir.Field {
	at := jsontree.Join(t.Pointer, "properties", property)
	if l.overlay.Ignored(at) != nil {
		l.leaveOut(ir.LeftOut{Place: at})
		return nil
	}
	inner := role
	if role == ir.RoleParams {
		inner = ir.RoleNested
	}
	sr := s.Properties[property]
	ref, nullable := l.use(sr, at, inner, property)
	switch {
	case ref == nil:
		return nil
	case role == ir.RoleFilter && !fitsParameter(ref):
		l.errs.add(at, "members of this type are not supported in a parameter")
		return nil
	}
	if to := l.overlay.typeOf(t.Schema, property); to != nil {
		ref = l.catalogued(to, at)
	}
	f := l.field(property, sr, ref, at)
	f.Nullable = nullable
	f.Required = slices.Contains(s.Required, property)
	if f.Required {
		f.RequiredWhen = "" // nothing to add: the object cannot do without it
	}
	if role == ir.RoleFilter {
		f.In = ir.InQuery
	}
	f.Pointered = ir.Pointered(role, f.In, ref, f.Required, nullable)
	return f
}

// catalogued gives a string property the open enum that the overlay asks for, with the values that
// the catalogue lists.
func (l *document) catalogued(to *TypeOf, pointer string) *ir.Ref {
	key := typeKey{"catalogue " + to.Type, ir.RoleReply}
	t := l.types[key]
	if t == nil {
		t = &ir.Type{Pointer: pointer, GoName: to.Type, Kind: ir.Enum}
		if l.catalogue != nil {
			switch to.Values {
			case "actions":
				t.Doc, t.Values = "What happened to the resource of an event.", l.catalogue.Actions
			case "causes":
				t.Doc, t.Values = "Why an event happened.", l.catalogue.Causes
			default:
				l.errs.add(pointer, "the overlay asks for values %q; the catalogue has actions and causes", to.Values)
			}
		}
		l.types[key] = t
	}
	return &ir.Ref{Kind: ir.Named, Type: t}
}

// field returns a field with what properties, parameters and headers have in common.
func (l *document) field(wire string, sr *openapi3.SchemaRef, ref *ir.Ref, pointer string) *ir.Field {
	s := sr.Value
	f := &ir.Field{
		Pointer: pointer, Name: wire, GoName: name.Go(wire), Doc: s.Description, Type: ref, Deprecated: s.Deprecated,
		Restricted: flag(s.Extensions, "x-restricted") || flag(sr.Extensions, "x-restricted"),
	}
	if other := l.overlay.name(pointer); other != "" {
		f.GoName = other
	}
	f.RequiredWhen = text(s.Extensions, "x-required-when")
	if f.RequiredWhen == "" {
		f.RequiredWhen = text(sr.Extensions, "x-required-when")
	}
	if len(s.Examples) > 0 {
		f.Example = jsonText(s.Examples[0])
	} else if s.Example != nil {
		f.Example = jsonText(s.Example)
	}
	if s.Default != nil {
		f.Default = jsonText(s.Default)
	}
	var words string
	f.Limits, words = l.limits(s, ref, pointer)
	f.Doc = strings.TrimSpace(f.Doc + " " + words)
	return f
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// condition reads the one form of if/then that the API uses: when a property has a value, others
// are required.
func (l *document) condition(t *ir.Type, s *openapi3.Schema) {
	if s.If == nil && s.Then == nil {
		return
	}
	at := jsontree.Join(t.Pointer, "if")
	if s.If == nil || s.Then == nil {
		l.errs.add(at, "if and then go together")
		return
	}
	cond := s.If.Value
	l.understood(cond, at, "Required", "Properties")
	if len(cond.Properties) != 1 || len(cond.Required) != 1 {
		l.errs.add(at, "a condition must require one property and compare it with a constant")
		return
	}
	property := cond.Required[0]
	subject := t.Field(property)
	var want string
	if compared := cond.Properties[property]; compared != nil {
		l.understood(compared.Value, jsontree.Join(at, "properties", property), "Const")
		want, _ = compared.Value.Const.(string)
	}
	if subject == nil || want == "" || subject.Type.Kind != ir.String && subject.Type.Kind != ir.StringOrInt && !subject.Type.IsEnum() {
		l.errs.add(at, "a condition must compare a property of the same object with a string")
		return
	}
	c := &ir.Condition{Pointer: at, Field: subject, Equals: want}
	l.consequences(t, s.Then.Value, nil, c, jsontree.Join(t.Pointer, "then"))
	t.Conditions = append(t.Conditions, c)
}

func (l *document) consequences(t *ir.Type, s *openapi3.Schema, path ir.Path, c *ir.Condition, pointer string) {
	l.understood(s, pointer, "Required", "Properties")
	for i, required := range s.Required {
		f := t.Field(required)
		if f == nil {
			l.errs.add(fmt.Sprintf("%s/required/%d", pointer, i), "required property %q is not declared", required)
			continue
		}
		c.Then = append(c.Then, append(slices.Clone(path), f))
	}
	for _, property := range sorted(s.Properties) {
		f := t.Field(property)
		at := jsontree.Join(pointer, "properties", property)
		if f == nil || !f.Type.IsObject() {
			l.errs.add(at, "a consequence must be about an object of the same schema")
			continue
		}
		l.consequences(f.Type.Type, s.Properties[property].Value, append(slices.Clone(path), f), c, at)
	}
}
