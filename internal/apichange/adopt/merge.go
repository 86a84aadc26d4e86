package adopt

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/name"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// scope is the place of a schema in the API, from which new types get their names.
type scope struct {
	resource string // "payments"
	owner    string // prefix of the name: "PaymentCreateParams"
	member   string // property or parameter
	verb     string // of the operation whose reply it is
	places   openapi.Place

	keepsEnvelope bool // the overlay pins the name of the body's envelope
	depth         int
}

// schemaKeys is the order of keywords where our document has none.
var schemaKeys = []string{
	"title", "$ref", "anyOf", "oneOf", "discriminator", "type", "format", "items", "additionalProperties", "description", SourceKey,
	"enum", "x-enum-descriptions", ValueSourceKey, "required", "properties", "pattern", "minLength", "maxLength",
	"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
	"propertyNames", "x-required-when", "x-restricted",
	"deprecated", "default", "examples", "if", "then", "else",
}

// coreKeys lists the keywords that define a schema; the others only annotate it.
var coreKeys = []string{
	"$ref", "anyOf", "oneOf", "discriminator", "allOf", "type", "format", "nullable", "items", "additionalProperties", "enum", "x-enum-descriptions",
	"required", "properties", "pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems",
	"minProperties", "maxProperties", "uniqueItems", "multipleOf", "propertyNames", "if", "then", "else", "const",
}

// mergeUse updates a use of a schema. withWords is false where the description belongs to something around
// the use, such as a parameter.
func (m *merger) mergeUse(c scope, raw *jsontree.Value, ours, src *openapi.Schema, withWords bool) {
	if c.depth++; c.depth > maxDepth || raw == nil {
		return
	}
	if m.wholeResource(ours, src) {
		m.note("%s: the source has a whole resource where a %s is: kept", src.Pointer, kind(ours))
		return
	}
	if withWords {
		m.words(raw, ours.Pointer, src.Description, schemaKeys)
	}
	if m.foreign && bare(src) && kind(ours) != "map" {
		return // the source does not describe it
	}
	m.mergeAnnotations(c, raw, ours, src)
	m.refuseOther(src)
	if kind(ours) == "forms" && kind(src) != "forms" {
		m.mergeOneForm(c, raw, ours, src)
		return
	}
	if !m.sameKind(c, ours, src) {
		if m.pinnedMember(ours) {
			return
		}
		m.replace(c, raw, src)
		return
	}
	o, s := ours.Def(), src.Def()
	if m.foreign && kind(ours) == "enum" && kind(src) == "string" {
		m.mergeNull(c, raw, ours, src) // its values are listed elsewhere
		return
	}
	if o.Component != "" && !bare(src) && !m.follows(o.Component, s) && !m.narrower(o, s) {
		// The source differs here than in the other places of this component.
		m.replace(c, raw, src)
		return
	}
	m.mergeNull(c, raw, ours, src)
	if ours.Ref != nil {
		m.mergeLimits(c, raw, ours.UseLimits(), src.UseLimits())
	} else if len(src.UseLimits()) > 0 {
		joint := *s
		joint.Limits = src.AllLimits()
		s = &joint
	}
	if o.Component == "" {
		m.mergeDef(c, inner(raw), o, s)
	}
}

const maxDepth = 60

// mergeNull adopts whether null is allowed. A foreign document that omits null in one place must not turn a
// pointer into a value, so only a document in our form removes it. Where requests and replies share
// descriptions, null applies to the replies.
func (m *merger) mergeNull(c scope, raw *jsontree.Value, ours, src *openapi.Schema) {
	if o, s := ours.MayBeNull(), src.MayBeNull(); o != s && m.says(c.places, "null") && (!m.foreign || s && c.places&openapi.InReply != 0) {
		setNull(raw, s)
	}
}

// mergeOneForm merges a body if the source describes only one of our forms of it.
func (m *merger) mergeOneForm(c scope, raw *jsontree.Value, ours, src *openapi.Schema) {
	forms := ours.Def().OneOf
	if !m.foreign || kind(src) != "object" {
		m.fail(src.Pointer, "one form where the vendored document has %d: change x-variants by hand first", len(forms))
		return
	}
	best := matchForms([]*openapi.Schema{src}, forms)[0][1]
	m.note("%s: the source describes one of %d forms: the others are kept", src.Pointer, len(forms))
	m.mergeUse(c, raw.Get("oneOf").Items[slices.Index(forms, best)], best, src, false)
}

// wholeResource reports whether the source has a whole resource in the place of its id or of one of its
// members.
func (m *merger) wholeResource(ours, src *openapi.Schema) bool {
	s := src.Def()
	return m.foreign && !ours.IsObject() && kind(ours) != "map" && src.IsObject() && s.Property("id") != nil && s.Property("created_at") != nil
}

// narrower reports whether an enum of the source stands for one of ours although its values differ: authors
// list the values that are possible in each place. See mergeEnum.
func (m *merger) narrower(o, s *openapi.Schema) bool {
	return m.foreign && kind(o) == "enum" && kind(s) == "enum" && m.pairs[o.Component] != nil
}

// sameKind reports whether both become the same kind of Go type, as far as the source distinguishes kinds.
func (m *merger) sameKind(c scope, ours, src *openapi.Schema) bool {
	a, b := m.sort(ours), m.sort(src)
	switch {
	case a == b:
		return true
	case b == openapi.StringOrInteger:
		return m.foreign && src.Def().Counted && (a == "integer" || a == "string")
	case a == "enum" && b == "string":
		return m.foreign || !m.says(c.places, "enum")
	}
	return false
}

// inner returns what a use allows besides null: the first form of anyOf with null, or the use itself.
func inner(raw *jsontree.Value) *jsontree.Value {
	if forms := raw.Get("anyOf"); forms != nil && len(forms.Items) > 0 {
		return forms.Items[0]
	}
	return raw
}

// setNull allows or refuses null in our spelling.
func setNull(raw *jsontree.Value, allowed bool) {
	switch {
	case allowed && raw.Has("$ref"):
		ref := jsontree.NewObject(jsontree.Member{Name: "$ref", Value: raw.Get("$ref")})
		forms := &jsontree.Value{Kind: jsontree.Array, Items: []*jsontree.Value{ref, jsontree.NewObject(jsontree.Member{Name: "type", Value: jsontree.NewString("null")})}}
		replaceMember(raw, "$ref", "anyOf", forms)
	case allowed && raw.Get("type").Str() != "":
		raw.Set("type", jsontree.NewStrings(raw.Get("type").Str(), "null"))
	case allowed && raw.Get("type") != nil:
		raw.Set("type", jsontree.NewStrings(append(raw.Get("type").Strings(), "null")...))
	case !allowed && raw.Has("anyOf"):
		replaceMember(raw, "anyOf", "$ref", inner(raw).Get("$ref"))
	case !allowed && raw.Has("type"):
		types := slices.DeleteFunc(raw.Get("type").Strings(), func(name string) bool { return name == "null" })
		raw.Set("type", jsontree.NewStrings(types...))
		if len(types) == 1 {
			raw.Set("type", jsontree.NewString(types[0]))
		}
	}
}

// replaceMember replaces a member by another one.
func replaceMember(raw *jsontree.Value, old, name string, value *jsontree.Value) {
	for i := range raw.Members {
		if raw.Members[i].Name == old {
			raw.Members[i] = jsontree.Member{Name: name, Value: value}
		}
	}
}

// replace gives a use another schema and keeps its annotations.
func (m *merger) replace(c scope, raw *jsontree.Value, src *openapi.Schema) {
	fresh := m.build(c, src, false)
	for _, key := range coreKeys {
		raw.Delete(key)
	}
	raw.Members = append(slices.Clone(fresh.Members), slices.DeleteFunc(raw.Members, func(o jsontree.Member) bool { return fresh.Has(o.Name) })...)
}

// mergeAnnotations adopts the annotations of a use, of the kinds that the source uses at all.
func (m *merger) mergeAnnotations(c scope, raw *jsontree.Value, ours, src *openapi.Schema) {
	if m.says(c.places, "deprecated") && ours.Deprecated != src.Deprecated {
		flag(raw, "deprecated", src.Deprecated, schemaKeys)
	}
	if m.says(c.places, "x-restricted") && ours.Restricted != src.Restricted {
		flag(raw, "x-restricted", src.Restricted, schemaKeys)
	}
	if m.says(c.places, "x-required-when") && !sameWords(ours.RequiredWhen, src.RequiredWhen) {
		set(raw, "x-required-when", jsontree.NewString(src.RequiredWhen), src.RequiredWhen == "")
	}
	if m.says(c.places, "default") && !jsontree.EqualText(ours.Default, src.Default) {
		v, _ := jsontree.Parse([]byte(src.Default)) // was written by Compact
		set(raw, "default", v, src.Default == "")
	}
}

func set(raw *jsontree.Value, key string, value *jsontree.Value, remove bool) {
	if remove {
		raw.Delete(key)
		return
	}
	raw.SetOrdered(key, value, schemaKeys)
}

// mergeComponents updates every component of ours that has counterparts in the source.
func (m *merger) mergeComponents() {
	for _, component := range slices.Sorted(maps.Keys(m.pairs)) {
		p := m.pairs[component]
		main := p.groups[0].defs[0]
		raw := m.raw[p.def.Pointer]
		if main.Component != "" {
			m.words(raw, p.def.Pointer, main.Description, schemaKeys)
		}
		m.mergeDef(scope{resource: m.resourceNamed(component), owner: component, places: p.places}, inner(raw), p.def, main)
	}
}

// resourceNamed returns the resource after which a component is named, or "".
func (m *merger) resourceNamed(component string) string {
	best := ""
	for _, t := range m.ours.Tags {
		if strings.HasPrefix(component, pascal(name.Singular(t.Name))) && len(t.Name) > len(best) {
			best = t.Name
		}
	}
	return best
}

// mergeDef updates a definition.
func (m *merger) mergeDef(c scope, raw *jsontree.Value, o, s *openapi.Schema) {
	switch kind(o) {
	case "enum":
		m.mergeEnum(raw, o, s)
	case "array":
		m.mergeUse(c, raw.Get("items"), o.Items, s.Items, false)
	case "object":
		m.mergeObject(c, raw, o, s)
	case "map":
		m.mergeMap(c, raw, o, s)
	case "forms":
		m.mergeForms(c, raw, o, s)
	case "union":
		m.mergeUnion(c, raw, o, s)
		return
	default:
		// A date that a foreign document describes as a string stays a date.
		if f := format(s); s.Type != openapi.StringOrInteger && o.Format != f && (f != "" || !m.foreign && m.src.Says("format:"+o.Format)) {
			set(raw, "format", jsontree.NewString(f), f == "")
		}
	}
	m.mergeLimits(c, raw, o.Limits, s.Limits)
	m.refuseOther(s)
}

// refuseOther fails for the keywords of a definition that this package does not understand, apart from
// extensions, and for an object that is a map as well.
func (m *merger) refuseOther(s *openapi.Schema) {
	for _, key := range slices.Sorted(maps.Keys(s.Other)) {
		if !strings.HasPrefix(key, "x-") {
			m.fail(s.Pointer, "keyword %s is not understood: %s", key, s.Other[key])
		}
	}
	if s.Values != nil && len(s.Properties) > 0 {
		m.errs = append(m.errs, keywordProblem{openapi.Problem{Pointer: s.Values.Pointer, Message: "an object with named members cannot be a map as well"}})
	}
}

// format returns the format of a definition if it changes the generated code, or "". Vendors use many other
// formats as documentation.
func format(d *openapi.Schema) string {
	if slices.Contains([]string{"date", "date-time", "int64", "uri", "email"}, d.Format) {
		return d.Format
	}
	return ""
}

func (m *merger) mergeEnum(raw *jsontree.Value, o, s *openapi.Schema) {
	if kind(s) != "enum" {
		return
	}
	listed, complete := m.valuesOf(o, s)
	values, words := raw.Get("enum"), raw.Get("x-enum-descriptions")
	values.Items = slices.DeleteFunc(values.Items, func(v *jsontree.Value) bool {
		gone := complete && v.Kind == jsontree.String && !slices.Contains(listed, v.Text)
		if gone && words != nil {
			words.Delete(v.Text)
		}
		return gone
	})
	for _, value := range listed {
		if slices.Contains(o.Enum, value) {
			continue
		}
		values.Items = append(values.Items, jsontree.NewString(value))
		m.newValue(raw, value, s.EnumDescriptions[value])
	}
}

// valuesOf returns the values that the source lists for an enum of ours, and whether they are complete: a
// foreign document may list different values in different places and describe a third place as a string.
func (m *merger) valuesOf(o, s *openapi.Schema) (values []string, complete bool) {
	p := m.pairs[o.Component]
	if !m.foreign || p == nil {
		return s.Enum, true
	}
	for _, g := range p.groups {
		for _, value := range g.defs[0].Enum {
			if !slices.Contains(values, value) {
				values = append(values, value)
			}
		}
	}
	return values, !m.unlisted[o.Component]
}

// newValue adds the description of a value, or the mark that it must be written.
func (m *merger) newValue(raw *jsontree.Value, value, text string) {
	key := ValueSourceKey
	if text = Plain(text); m.opts.Words && text != "" {
		key = "x-enum-descriptions"
	}
	words := raw.Get(key)
	if words == nil {
		words = &jsontree.Value{Kind: jsontree.Object}
		raw.SetOrdered(key, words, schemaKeys)
	}
	words.Set(value, jsontree.NewString(text))
}

func (m *merger) mergeObject(c scope, raw *jsontree.Value, o, s *openapi.Schema) {
	properties := raw.Get("properties")
	for _, p := range o.Properties {
		if s.Property(p.Name) == nil && !m.left.keeps[p.Schema.Pointer] && !m.pinnedMember(p.Schema) {
			properties.Delete(p.Name)
		}
	}
	for _, q := range s.Properties {
		inside := c
		inside.member = q.Name
		if o.Property(q.Name) != nil {
			m.mergeUse(inside, properties.Get(q.Name), o.Property(q.Name), q.Schema, true)
			continue
		}
		if properties == nil {
			properties = &jsontree.Value{Kind: jsontree.Object}
			raw.SetOrdered("properties", properties, schemaKeys)
		}
		m.newMember(inside, properties, q)
	}
	if m.says(c.places, "required") && !slices.Equal(o.Required, s.Required) {
		set(raw, "required", jsontree.NewStrings(s.Required...), len(s.Required) == 0)
	}
	if m.says(c.places, "if") {
		mergeCondition(raw, o, s)
	}
}

// mergeCondition replaces the condition of an object if it has changed.
func mergeCondition(raw *jsontree.Value, o, s *openapi.Schema) {
	if canonical(o.If) == canonical(s.If) && canonical(o.Then) == canonical(s.Then) && canonical(o.Else) == canonical(s.Else) {
		return
	}
	for _, part := range conditionOf(s) {
		raw.Delete(part.Name)
		if part.Value != nil {
			raw.Set(part.Name, part.Value.Clone())
		}
	}
}

// conditionOf returns the parts of an object's condition, which may be nil.
func conditionOf(s *openapi.Schema) []jsontree.Member {
	return []jsontree.Member{{Name: "if", Value: s.If}, {Name: "then", Value: s.Then}, {Name: "else", Value: s.Else}}
}

// canonical returns a value as a string that does not depend on the order of members and required names.
func canonical(v *jsontree.Value) string {
	if v == nil {
		return ""
	}
	c := v.Clone()
	c.Walk(func(_ string, v *jsontree.Value) {
		slices.SortFunc(v.Members, func(a, b jsontree.Member) int { return strings.Compare(a.Name, b.Name) })
		if required := v.Get("required"); required != nil && required.Kind == jsontree.Array {
			slices.SortFunc(required.Items, func(a, b *jsontree.Value) int { return strings.Compare(a.Text, b.Text) })
		}
	})
	return c.Compact()
}

// newMember adds a member that ours does not have yet.
func (m *merger) newMember(c scope, properties *jsontree.Value, p openapi.Property) {
	use := m.build(c, p.Schema, true)
	m.origin[use] = p.Schema.Pointer
	insertProperty(properties, p.Name, use)
}

// insertProperty adds a property in our order: id first, the rest by name.
func insertProperty(properties *jsontree.Value, name string, value *jsontree.Value) {
	at := len(properties.Members)
	for i, p := range properties.Members {
		if name == "id" || p.Name != "id" && p.Name > name {
			at = i
			break
		}
	}
	properties.Members = slices.Insert(properties.Members, at, jsontree.Member{Name: name, Value: value})
}

func (m *merger) mergeMap(c scope, raw *jsontree.Value, o, s *openapi.Schema) {
	switch {
	case o.Values == nil && s.Values == nil:
	case o.Values != nil && s.Values != nil:
		m.mergeUse(c, raw.Get("additionalProperties"), o.Values, s.Values, false)
	case s.Values == nil && !s.Open:
	case s.Values == nil:
		raw.SetOrdered("additionalProperties", jsontree.NewBool(true), schemaKeys)
	default:
		raw.SetOrdered("additionalProperties", m.build(c, s.Values, false), schemaKeys)
	}
}

func (m *merger) mergeForms(c scope, raw *jsontree.Value, o, s *openapi.Schema) {
	if len(o.OneOf) != len(s.OneOf) {
		m.fail(s.Pointer, "%d forms where the vendored document has %d: change x-variants by hand first", len(s.OneOf), len(o.OneOf))
		return
	}
	for _, f := range matchForms(o.OneOf, s.OneOf) {
		i := slices.Index(o.OneOf, f[0])
		m.mergeUse(c, raw.Get("oneOf").Items[i], f[0], f[1], false)
	}
}

// mergeLimits adopts the restrictions on values, of the kinds that the source uses at all.
func (m *merger) mergeLimits(c scope, raw *jsontree.Value, had, has map[string]string) {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(had)), maps.Keys(has))
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		if m.says(c.places, openapi.LimitKeyword(key)) && !jsontree.EqualText(had[key], has[key]) {
			m.setLimit(raw, key, has[key])
		}
	}
}

// setLimit writes or removes a restriction. The schema of a map's values has its own restrictions, and a
// pattern that Go cannot match is left to the API.
func (m *merger) setLimit(raw *jsontree.Value, key, text string) {
	parent, member, nested := strings.Cut(key, "/")
	switch {
	case parent == "additionalProperties":
	case nested:
		m.nestedLimit(raw, parent, member, text)
	case key == "pattern" && !matchable(text):
		if m.foreign { // in a document in our form, the comparison finds it
			m.note("Go cannot match the pattern %s: it is left to the API", text)
		}
	default:
		v, _ := jsontree.Parse([]byte(text))
		set(raw, key, v, text == "")
	}
}

// matchable reports whether Go can match a pattern, which is given as JSON.
func matchable(pattern string) bool {
	v, err := jsontree.Parse([]byte(pattern))
	if err != nil {
		return true
	}
	_, err = regexp.Compile(v.Str())
	return err == nil
}

func (m *merger) nestedLimit(raw *jsontree.Value, parent, member, text string) {
	at := raw.Get(parent)
	if at == nil {
		at = &jsontree.Value{Kind: jsontree.Object}
		raw.SetOrdered(parent, at, schemaKeys)
	}
	v, _ := jsontree.Parse([]byte(text))
	set(at, member, v, text == "")
	if len(at.Members) == 0 {
		raw.Delete(parent)
	}
}
