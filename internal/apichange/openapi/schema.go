package openapi

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// component reads a component schema once. Uses inside it may refer back to it.
func (r *reader) component(name string, v *jsontree.Value) *Schema {
	key := r.sideOf(ir.SchemaPrefix+name) + ir.SchemaPrefix + name
	if s := r.refs[key]; s != nil {
		return s
	}
	s := &Schema{}
	r.refs[key] = s
	read := r.schema(v, jsontree.Join("", "components", "schemas", name))
	*s = *read
	s.Component = name
	if s.Def().Ref != nil {
		s.Ref = nil
		r.broken = append(r.broken, Problem{s.Pointer, "refers to itself"})
	}
	return s
}

// target returns the definition that a reference leads to.
func (r *reader) target(ref, at string) *Schema {
	key := r.sideOf(ref) + ref
	if s := r.refs[key]; s != nil {
		return s
	}
	v, pointer := r.lookUp(ref, jsontree.Join(at, "$ref"))
	if v == nil {
		return &Schema{Pointer: at}
	}
	if name, ok := strings.CutPrefix("#"+pointer, ir.SchemaPrefix); ok && !strings.Contains(name, "/") {
		return r.component(jsontree.Unescape(name), v)
	}
	s := &Schema{}
	r.refs[key] = s
	*s = *r.schema(v, pointer)
	return s
}

// annotate reads annotations, which a use may have as well as a definition.
func (r *reader) annotate(s *Schema, v *jsontree.Value) {
	if d := v.Get("description"); d != nil {
		s.Description = d.Str()
	}
	if t := v.Get("title"); t != nil {
		s.Title = t.Str()
	}
	if e := v.Get("examples"); e != nil && e.Kind == jsontree.Array {
		s.Examples = e.Items
	} else if e := v.Get("example"); e != nil {
		s.Examples = []*jsontree.Value{e}
	}
	if v.Has("default") {
		s.Default = v.Get("default").Compact()
	}
	s.Deprecated = s.Deprecated || v.Get("deprecated").True()
	s.Restricted = s.Restricted || v.Get("x-restricted").True()
	if v.Get("nullable").True() {
		r.nullable(s)
	}
	if w := v.Get("x-required-when"); w != nil {
		s.RequiredWhen = w.Str()
	}
	for _, m := range v.Members {
		if m.Name == "format" {
			r.doc.says["format:"+m.Value.Str()] = true
		}
		if m.Name == "required" && len(m.Value.Strings()) == 0 {
			continue // an empty list, or true next to a property, requires nothing
		}
		r.doc.says[m.Name] = true
	}
}

// annotationKeys lists the keywords that may appear next to a reference or a wrapper without changing the schema.
var annotationKeys = []string{
	"description", "title", "example", "examples", "default", "deprecated", "nullable", "readOnly", "writeOnly",
	"externalDocs", "xml", "$comment", "x-restricted", "x-required-when",
}

// OnlyAnnotates reports whether a schema has only annotations besides the given keywords.
func OnlyAnnotates(v *jsontree.Value, besides ...string) bool {
	for _, m := range v.Members {
		if !slices.Contains(annotationKeys, m.Name) && !slices.Contains(besides, m.Name) && !strings.HasPrefix(m.Name, "x-") {
			return false
		}
	}
	return true
}

func isNull(v *jsontree.Value) bool {
	if e := v.Get("enum"); e != nil && len(e.Items) == 1 && e.Items[0].Kind == jsontree.Null {
		return true
	}
	c := v.Get("const")
	return v.Get("type").Str() == "null" || c != nil && c.Kind == jsontree.Null
}

func (r *reader) schema(v *jsontree.Value, at string) *Schema {
	s := &Schema{Pointer: at}
	if v.Kind == jsontree.Bool {
		s.Open = v.True()
		s.Closed = !s.Open
		return s
	}
	if v.Kind != jsontree.Object {
		r.problem(at, "a schema must be an object")
		return s
	}
	if r.depth++; r.depth > maxNesting {
		r.depth--
		r.problem(at, "schemas nested too deeply")
		return s
	}
	defer func() { r.depth-- }()
	if ref := v.Get("$ref"); ref != nil {
		s.Ref = r.target(ref.Str(), at)
		r.annotate(s, v)
		r.siblings(s, v)
		return s
	}
	if inner, innerAt, nullable := r.wrapped(v, at); inner != nil {
		return r.unwrap(v, at, inner, innerAt, nullable)
	}
	if all := v.Get("allOf"); all != nil && r.is(all, jsontree.Array, jsontree.Join(at, "allOf")) {
		return r.allOf(v, all, at)
	}
	r.definition(s, v, at)
	return s
}

// unwrap reads a wrapper and the schema in it as one.
func (r *reader) unwrap(v *jsontree.Value, at string, inner *jsontree.Value, innerAt string, nullable bool) *Schema {
	s := r.schema(inner, innerAt)
	if s.Ref != nil {
		s = &Schema{Ref: s.Ref, Nullable: s.Nullable, Description: s.Description, Examples: s.Examples, Title: s.Title, Default: s.Default}
	}
	s.Pointer = at
	s.Nullable = s.Nullable || nullable
	for _, part := range items(v.Get("allOf")) {
		if part != inner {
			r.annotate(s, part)
			s.limitsOf(part)
		}
	}
	r.annotate(s, v)
	s.limitsOf(v)
	s.exclude()
	return s
}

// definition reads a schema that is neither a reference nor a combination of others.
func (r *reader) definition(s *Schema, v *jsontree.Value, at string) {
	r.annotate(s, v)
	r.types(s, v)
	for _, m := range v.Members {
		r.keyword(s, m.Name, m.Value, at)
	}
	// A schema with members is an object even without a type.
	if s.Type == "" && (len(s.Properties) > 0 || s.Values != nil) {
		s.Type = "object"
	}
	s.dropHidden()
	s.exclude()
	r.discriminate(s, v)
	gatherValues(s)
	gatherNumber(s)
	if s.Type == "" && len(s.Enum) > 0 {
		s.Type = "string"
	}
}

// gatherValues turns a choice between strings into one enum, if any of them has values: an open enum, which
// also allows any string, or one whose values are constants with descriptions.
func gatherValues(s *Schema) {
	listed := false
	for _, form := range s.OneOf {
		d := form.Def()
		if d.Type != "string" || d.Format != "" || len(d.Other) > 0 {
			return
		}
		listed = listed || len(d.Enum) > 0
	}
	if !listed {
		return
	}
	for _, form := range s.OneOf {
		d := form.Def()
		s.Nullable = s.Nullable || form.MayBeNull()
		for _, value := range d.Enum {
			words := d.EnumDescriptions[value]
			if len(d.Enum) == 1 && words == "" {
				words = form.Description
			}
			s.addValue(value, words)
		}
	}
	s.Type, s.OneOf = "string", nil
}

// gatherNumber turns a choice between a string and an integer into the type that allows both: the API accepts
// amounts in either form.
func gatherNumber(s *Schema) {
	if len(s.OneOf) != 2 {
		return
	}
	var types []string
	for _, form := range s.OneOf {
		d := form.Def()
		if len(d.Enum) > 0 || len(d.Other) > 0 {
			return
		}
		types = append(types, d.Type)
	}
	slices.Sort(types)
	if !slices.Equal(types, []string{"integer", "string"}) {
		return
	}
	for _, form := range s.OneOf {
		s.Nullable = s.Nullable || form.MayBeNull()
	}
	s.Type, s.OneOf, s.Counted = StringOrInteger, nil, true
}

// StringOrInteger is the type of a schema that allows strings and integers, in either spelling.
const StringOrInteger = ir.StringOrInteger

// addValue adds a value to an enum, once.
func (s *Schema) addValue(value, words string) {
	if !slices.Contains(s.Enum, value) {
		s.Enum = append(s.Enum, value)
	}
	if words != "" {
		set(&s.EnumDescriptions, value, words)
	}
}

// siblings reads the keywords that OpenAPI 3.1 lets a use add to what it refers to.
func (r *reader) siblings(s *Schema, v *jsontree.Value) {
	if !strings.HasPrefix(r.doc.OpenAPI, "3.1") {
		return // OpenAPI 3.0 ignores keywords next to a reference
	}
	for _, m := range v.Members {
		switch {
		case s.limit(m.Name, m.Value):
		case m.Name != "$ref" && !slices.Contains(annotationKeys, m.Name) && !strings.HasPrefix(m.Name, "x-"):
			set(&s.Other, m.Name, m.Value.Compact())
		}
	}
}

// maxNesting keeps a hostile document from exhausting the stack; ours is 7 levels deep.
const maxNesting = 200

// wrapped returns the schema that a wrapper wraps, or nil if v is not a wrapper: allOf with one entry besides
// those that only annotate or limit it, or anyOf or oneOf with one entry besides null.
func (r *reader) wrapped(v *jsontree.Value, at string) (inner *jsontree.Value, innerAt string, nullable bool) {
	for _, wrapper := range []struct {
		key     string
		besides func(*jsontree.Value) bool
	}{{"allOf", onlyLimits}, {"anyOf", isNull}, {"oneOf", isNull}} {
		parts := v.Get(wrapper.key)
		if parts == nil || !OnlyAnnotates(v, slices.Concat(limitKeys, []string{wrapper.key, "type"})...) {
			continue
		}
		i := sole(parts.Items, wrapper.besides)
		if i < 0 {
			continue
		}
		if wrapper.key == "allOf" {
			nullable = slices.Contains(v.Get("type").Strings(), "null")
		} else if nullable = len(parts.Items) > 1; nullable {
			r.doc.says["null"] = true
		}
		return parts.Items[i], jsontree.Join(at, wrapper.key, itoa(i)), nullable
	}
	return nil, "", false
}

func onlyLimits(v *jsontree.Value) bool {
	return v.Kind == jsontree.Object && OnlyAnnotates(v, limitKeys...)
}

// sole returns the index of the one item that besides does not match, or -1 if there are none or several.
func sole(items []*jsontree.Value, besides func(*jsontree.Value) bool) int {
	found := -1
	for i, item := range items {
		if besides(item) {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = i
	}
	return found
}

// allOf merges objects into one.
func (r *reader) allOf(v, all *jsontree.Value, at string) *Schema {
	s := &Schema{Pointer: at, Type: "object"}
	for i, part := range all.Items {
		r.combine(s, part, jsontree.Join(at, "allOf", itoa(i)))
	}
	r.annotate(s, v)
	own := &Schema{Pointer: at}
	r.types(own, v)
	for _, m := range v.Members {
		if m.Name != "allOf" && !slices.Contains(annotationKeys, m.Name) {
			r.keyword(own, m.Name, m.Value, at)
		}
	}
	if len(own.OneOf) > 0 {
		r.problem(at, "a choice between several schemas cannot be combined by allOf")
	}
	s.Nullable = s.Nullable || own.Nullable
	r.adopt(s, own)
	s.dropHidden()
	return s
}

// combine adds an entry of allOf to an object.
func (r *reader) combine(s *Schema, part *jsontree.Value, at string) {
	p := r.schema(part, at)
	d := p.Def()
	switch {
	case part.Kind == jsontree.Object && OnlyAnnotates(part):
		r.annotate(s, part)
	case d.Pointer == "":
		r.problem(at, "a schema cannot be combined with one that it is a part of")
	case len(d.OneOf) > 0:
		r.problem(at, "a choice between several schemas cannot be combined by allOf")
	case d.Type != "object" && (d.Type != "" || len(d.Required) == 0):
		r.problem(at, "only objects can be combined by allOf, this is %q", d.Type)
	default:
		r.adopt(s, d)
		s.Nullable = s.Nullable || p.Nullable
		if s.Description == "" {
			s.Description = d.Description
		}
	}
}

// dropHidden removes from the required members those that this side does not have.
func (s *Schema) dropHidden() {
	s.Required = slices.DeleteFunc(s.Required, func(name string) bool { return slices.Contains(s.hidden, name) })
}

func (r *reader) adopt(s, part *Schema) {
	for _, p := range part.Properties {
		if i := slices.IndexFunc(s.Properties, func(q Property) bool { return q.Name == p.Name }); i >= 0 {
			s.Properties[i] = p
		} else {
			s.Properties = append(s.Properties, p)
		}
	}
	for _, name := range part.Required {
		if !s.Requires(name) {
			s.Required = append(s.Required, name)
		}
	}
	slices.Sort(s.Required)
	s.hidden = append(s.hidden, part.hidden...)
	if part.Values != nil {
		s.Values = part.Values
	}
	s.Open, s.Closed = s.Open || part.Open, s.Closed || part.Closed
	if part.If != nil {
		s.If, s.Then, s.Else = part.If, part.Then, part.Else
	}
	for k, text := range part.Limits {
		set(&s.Limits, k, text)
	}
	for k, text := range part.Other {
		set(&s.Other, k, text)
	}
}

func (r *reader) types(s *Schema, v *jsontree.Value) {
	t := v.Get("type")
	var list []string
	switch {
	case t == nil:
	case t.Kind == jsontree.String:
		list = []string{t.Text}
	default:
		list = t.Strings()
	}
	var rest []string
	for _, name := range list {
		if name == "null" {
			r.nullable(s)
		} else {
			rest = append(rest, name)
			r.doc.says["type:"+name] = true
		}
	}
	slices.Sort(rest)
	s.Type = strings.Join(rest, "|")
}

// keyword reads one member of a schema.
func (r *reader) keyword(s *Schema, key string, v *jsontree.Value, at string) {
	inner := jsontree.Join(at, key)
	r.hasKind(key, v, inner)
	switch key {
	case "type", "description", "title", "example", "examples", "default", "deprecated", "nullable", "x-restricted", "x-required-when":
	case "readOnly", "writeOnly", "externalDocs", "xml", "discriminator", "$comment", "$schema", "$id", "$defs", "x-description-source", "x-enum-descriptions-source":
	case "format":
		s.Format = v.Str()
	case "enum":
		r.enum(s, v)
	case "x-enum-descriptions":
		for _, m := range v.Members {
			set(&s.EnumDescriptions, m.Name, m.Value.Str())
		}
	case "properties":
		r.properties(s, v, inner)
	case "required":
		s.Required = v.Strings()
		slices.Sort(s.Required)
		s.Required = slices.Compact(s.Required)
	case "items":
		s.Items = r.schema(v, inner)
	case "additionalProperties":
		r.additional(s, v, inner)
	case "unevaluatedProperties":
		if v.Kind != jsontree.Bool {
			set(&s.Other, key, v.Compact())
		}
	case "const":
		if v.Kind == jsontree.String {
			r.doc.says["enum"] = true
			s.addValue(v.Text, "") // an enum of one value
			return
		}
		s.Const = v.Compact()
	case "if":
		s.If = v
	case "then":
		s.Then = v
	case "else":
		s.Else = v
	case "oneOf", "anyOf":
		r.choice(s, v, inner)
	default:
		if !s.limit(key, v) {
			set(&s.Other, key, v.Compact())
		}
	}
}

// hasKind records a problem if the value of a keyword does not have the right JSON kind.
func (r *reader) hasKind(key string, v *jsontree.Value, at string) {
	switch key {
	case "enum", "oneOf", "anyOf":
		r.is(v, jsontree.Array, at)
	case "properties":
		r.is(v, jsontree.Object, at)
	case "required":
		// Older documents have true next to a required property.
		if v.Kind != jsontree.Bool {
			r.is(v, jsontree.Array, at)
		}
	}
}

func (r *reader) enum(s *Schema, v *jsontree.Value) {
	for _, e := range v.Items {
		switch e.Kind {
		case jsontree.Null:
			r.nullable(s)
		case jsontree.String:
			s.addValue(e.Text, "")
		default:
			set(&s.Other, "enum", v.Compact()) // a list of numbers or booleans
		}
	}
}

func (r *reader) nullable(s *Schema) {
	s.Nullable = true
	r.doc.says["null"] = true
}

func (r *reader) properties(s *Schema, v *jsontree.Value, at string) {
	for _, m := range v.Members {
		if r.hides(m.Value) {
			s.hidden = append(s.hidden, m.Name)
			continue
		}
		s.Properties = append(s.Properties, Property{m.Name, r.schema(m.Value, jsontree.Join(at, m.Name))})
	}
}

func (r *reader) choice(s *Schema, v *jsontree.Value, at string) {
	for i, form := range v.Items {
		if isNull(form) {
			r.nullable(s)
			continue
		}
		s.OneOf = append(s.OneOf, r.schema(form, jsontree.Join(at, itoa(i))))
	}
}

func (r *reader) additional(s *Schema, v *jsontree.Value, at string) {
	switch {
	case v.Kind == jsontree.Bool:
		s.Open = v.True()
		s.Closed = !s.Open
	case len(v.Members) == 0:
		s.Open = true
	default:
		s.Values = r.schema(v, at)
		for key, text := range s.Values.Limits {
			set(&s.Limits, "additionalProperties/"+key, text)
		}
	}
}

func set(m *map[string]string, key, value string) {
	if *m == nil {
		*m = map[string]string{}
	}
	(*m)[key] = value
}

func itoa(i int) string { return strconv.Itoa(i) }
