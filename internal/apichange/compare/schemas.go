package compare

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// spot is the field whose schemas are compared.
type spot struct {
	owner    string // Go type that has the field
	oldOwner string // Go type that had the field, whose name may have been different
	field    string // "PaymentCreateParams.Amount"
	member   string // on the wire
	required bool   // in the new document
	was      bool   // required in the old document
	root     bool   // a whole body or the element of a list, not a field
	params   bool   // the params of a method
	depth    int
}

// before returns the field in the code of the old document.
func (c *comparison) before(a at, s spot, use *openapi.Schema) *ir.Field {
	return c.old.Names.field(memberUse{s.oldOwner, use, a.side, s.was, s.member})
}

// after returns the field in the code of the new document.
func (c *comparison) after(a at, s spot, use *openapi.Schema) *ir.Field {
	return c.new.Names.field(memberUse{s.owner, use, a.side, s.required, s.member})
}

const maxDepth = 40

// bodyParams compares the body's part of a method's params.
func (c *comparison) bodyParams(a at, o, n *openapi.Schema) {
	owner := c.new.Names.typeName(n.Def(), query)
	if before := c.old.Names.typeName(o.Def(), query); before != owner && before != "" && owner != "" {
		c.renamed(a, n.Def().Pointer, before, owner)
	}
	s := spot{owner: owner, oldOwner: owner, field: owner, required: true, was: true, root: true, params: true}
	c.object(a, s, o.Def(), n.Def())
	c.limits(a, s, o, n)
	c.other(a, s, o, n)
}

func (c *comparison) renamed(a at, pointer, before, after string) {
	c.add(a, Change{
		Class: Breaking, Code: "type-renamed", Pointer: pointer, Subject: after,
		Text:   fmt.Sprintf("The type %s is now called %s.", before, after),
		Advice: "Use the new name.",
		Before: "var x gocardless." + before, After: "var x gocardless." + after,
	})
}

// schema compares two uses of a schema in the same place.
func (c *comparison) schema(a at, s spot, before, after *openapi.Schema) {
	if s.depth++; s.depth > maxDepth {
		return // a schema that contains itself
	}
	o, n := before.Def(), after.Def()
	if !s.root {
		c.use(a, s, before, after)
	}
	// An inline enum and a component with the same values are the same.
	if c.shape(before) != c.shape(after) && !(o.IsEnum() && n.IsEnum()) {
		c.typeChanged(a, s, before, after)
		return
	}
	c.rename(a, o, n)
	c.nullability(a, s, before, after)
	switch {
	case n.IsEnum():
		c.enum(a, s, o, n)
	case n.Type == "array" && o.Items != nil && n.Items != nil:
		inner := s
		inner.root, inner.params = true, false
		if had, has := o.Items.MayBeNull(), n.Items.MayBeNull(); had != has {
			c.nullItems(a, s, n, has)
		}
		c.schema(a.in("items"), inner, o.Items, n.Items)
	case n.IsObject():
		owner := c.new.Names.typeName(n, a.side)
		if owner == "" {
			owner = s.field
		}
		s.owner = owner
		c.object(a, s, o, n)
	}
	c.limits(a, s, before, after)
	c.other(a, s, before, after)
	if o.Component != "" && n.Component != "" && !sameText(o.Description, n.Description) {
		t := c.new.Names.typeName(n, a.side)
		c.describe(a, n.Pointer, t, t, "")
	}
}

// shape returns what decides the kind of Go type, without names, null and limits.
func (c *comparison) shape(use *openapi.Schema) string {
	d := use.Def()
	switch {
	case d.IsEnum() && d.Component != "":
		return "enum"
	case len(d.OneOf) > 0 && d.Union == nil:
		return "one of several"
	case d.Type == "array" && d.Items != nil:
		return "array of " + c.shape(d.Items)
	case d.IsObject():
		return "object"
	case d.Type == "object" && d.Values != nil:
		return "map of " + c.shape(d.Values)
	case d.Type == "object":
		return "map of anything"
	case d.Type == "integer" && d.Format == "int64":
		return "int64"
	case d.Type == "string" && (d.Format == "date" || d.Format == "date-time"):
		return d.Format
	case d.Type == "":
		return "anything"
	}
	return d.Type
}

func (c *comparison) typeChanged(a at, s spot, before, after *openapi.Schema) {
	oldField, newField := c.before(a, s, before), c.after(a, s, after)
	oldType, newType := oldField.GoType(), newField.GoType()
	from, to := oldType, newType
	if from == to {
		from, to = c.shape(before), c.shape(after)
		if before.IsMap() && after.IsMap() {
			// In the SDK, metadata is a map of strings even where a document allows anything.
			c.add(a, Change{
				Class: Documentation, Code: "map-described", Pointer: after.Pointer, Subject: s.field,
				Text: fmt.Sprintf("%s is described as a %s instead of a %s; its type in the SDK stays %s.", s.named(), to, from, newType),
			})
			return
		}
	}
	advice := "Read the field as its new type."
	if a.side != reply {
		advice = "Set the field to a value of its new type."
	}
	c.add(a, Change{
		Class: Breaking, Code: "type-changed", Pointer: after.Pointer, Subject: s.field,
		Text:   fmt.Sprintf("%s changed type from %s to %s.", s.named(), from, to),
		Advice: advice,
		Before: s.fieldUse(s.oldOwner, a, oldField), After: s.fieldUse(s.owner, a, newField),
	})
}

func (s spot) named() string {
	if s.member == "" || s.root {
		return s.field
	}
	return fmt.Sprintf("%s (`%s`)", s.field, s.member)
}

// rename compares the Go type names of paired definitions.
func (c *comparison) rename(a at, o, n *openapi.Schema) {
	if !n.IsEnum() && !n.IsObject() || o.Component == "" || n.Component == "" {
		return
	}
	before, after := c.old.Names.typeName(o, a.side), c.new.Names.typeName(n, a.side)
	if before != after && !a.internal {
		c.renamed(a, n.Pointer, before, after)
	}
}

// nullability compares whether null is allowed. In replies, that decides whether a number or a boolean is a
// pointer; other types have their zero value for null.
func (c *comparison) nullability(a at, s spot, before, after *openapi.Schema) {
	o, n := before.MayBeNull(), after.MayBeNull()
	if o == n || s.root {
		return
	}
	if a.side != reply {
		if n {
			c.add(a, Change{
				Class: Addition, Code: "request-null-allowed", Pointer: after.Pointer, Subject: s.field,
				Text: fmt.Sprintf("%s may be sent as null, with WithBodyField.", s.named()),
			})
			return
		}
		c.add(a, Change{
			Class: Breaking, Code: "request-null-refused", Pointer: after.Pointer, Subject: s.field,
			Text:   fmt.Sprintf("%s may no longer be null.", s.named()),
			Advice: "Do not set it to null with WithBodyField: omit it.",
		})
		return
	}
	oldField, newField := c.before(a, s, before), c.after(a, s, after)
	oldType, newType := oldField.GoType(), newField.GoType()
	class, code, text, advice := Behaviour, "reply-null-allowed", "%s can now be null", "The field then has its zero value."
	if !n {
		code, text, advice = "reply-null-gone", "%s can no longer be null", ""
	}
	text = fmt.Sprintf(text, s.named())
	change := Change{Code: code, Pointer: after.Pointer, Subject: s.field}
	if strings.HasPrefix(newType, "*") && oldType == newType {
		advice = "Check the field for nil before you use it."
		if !n {
			advice = ""
		}
	}
	if oldType != newType {
		class = Breaking
		text += fmt.Sprintf(": its type changed from %s to %s", oldType, newType)
		advice = "Check the pointer for nil before you use the value."
		if !n {
			advice = "Use the value directly."
		}
		change.Before, change.After = s.fieldUse(s.oldOwner, a, oldField), s.fieldUse(s.owner, a, newField)
	}
	change.Class, change.Text, change.Advice = class, text+".", advice
	c.add(a, change)
}

// nullItems reports that a list may now contain null, which the SDK reads as the zero value, or no longer.
func (c *comparison) nullItems(a at, s spot, n *openapi.Schema, may bool) {
	change := Change{Class: Behaviour, Code: "null-items", Pointer: n.Pointer, Subject: s.field,
		Text: fmt.Sprintf("%s may have null among its items.", s.named()), Advice: "Such items are zero values."}
	if !may {
		change.Text, change.Advice = fmt.Sprintf("%s no longer has null among its items.", s.named()), ""
	}
	c.add(a, change)
}

func (c *comparison) enum(a at, s spot, o, n *openapi.Schema) {
	typeName := c.new.Names.typeName(n, a.side)
	for _, wire := range o.Enum {
		if !slices.Contains(n.Enum, wire) {
			c.add(a, c.valueRemoved(s, typeName, o, n, wire))
		}
	}
	for _, wire := range n.Enum {
		if !slices.Contains(o.Enum, wire) {
			c.add(a, c.valueAdded(s, typeName, n, wire))
			continue
		}
		if !sameText(o.EnumDescriptions[wire], n.EnumDescriptions[wire]) {
			c.describe(a, n.Pointer, cmp.Or(typeName, s.field), cmp.Or(typeName, s.field), wire)
		}
	}
}

// valueRemoved reports a value that an enum no longer has. An inline enum has no type of its own: the report
// names its field.
func (c *comparison) valueRemoved(s spot, typeName string, o, n *openapi.Schema, wire string) Change {
	change := Change{Class: Breaking, Code: "enum-value-removed", Pointer: n.Pointer}
	if typeName == "" {
		change.Subject, change.Text = s.field, fmt.Sprintf("The value `%s` was removed from %s.", wire, s.named())
		change.Advice = "Remove it from your code."
		return change
	}
	constant := c.old.Names.valueName(o, wire)
	change.Subject, change.Text = constant, fmt.Sprintf("The value %s (`%s`) was removed from %s.", constant, wire, typeName)
	change.Advice = "Remove the constant from your code. To compare values from old data, convert the string."
	change.Before, change.After = "gocardless."+constant, fmt.Sprintf("gocardless.%s(%q) // only for old data", typeName, wire)
	return change
}

// valueAdded reports a new value of an enum.
func (c *comparison) valueAdded(s spot, typeName string, n *openapi.Schema, wire string) Change {
	change := Change{Class: Addition, Code: "enum-value-added", Pointer: n.Pointer, Subject: s.field}
	if typeName == "" {
		change.Text = fmt.Sprintf("%s has a new value `%s`.", s.named(), wire)
		return change
	}
	change.Subject = c.new.Names.valueName(n, wire)
	change.Text = fmt.Sprintf("%s has a new value %s (`%s`).", typeName, change.Subject, wire)
	return change
}

// object compares the members of two objects.
func (c *comparison) object(a at, s spot, o, n *openapi.Schema) {
	s.oldOwner = c.old.Names.typeName(o, c.ownerSide(a, s))
	if s.oldOwner == "" {
		s.oldOwner = s.owner
	}
	if a.side == query && !s.params {
		a.side = filter
	}
	for _, p := range o.Properties {
		if n.Property(p.Name) == nil {
			c.memberRemoved(a.in(p.Name), s, p, o.Requires(p.Name))
		}
	}
	for _, p := range n.Properties {
		inner := spot{owner: s.owner, oldOwner: s.oldOwner, member: p.Name, required: n.Requires(p.Name), was: o.Requires(p.Name), depth: s.depth}
		inner.field = s.owner + "." + c.after(a, inner, p.Schema).GoName
		before := o.Property(p.Name)
		if before == nil {
			c.memberAdded(a.in(p.Name), inner, p.Schema)
			continue
		}
		c.required(a.in(p.Name), inner, before, p.Schema)
		c.schema(a.in(p.Name), inner, before, p.Schema)
	}
	c.conditions(a, s, o, n)
	c.union(a, s, o, n)
	if o.Union == nil && n.Union == nil && len(o.OneOf) > 0 && len(n.OneOf) > 0 && len(o.OneOf) != len(n.OneOf) {
		c.add(a, Change{
			Class: Breaking, Code: "forms-changed", Pointer: n.Pointer, Subject: s.field,
			Text: fmt.Sprintf("%s may take %d forms instead of %d.", s.named(), len(n.OneOf), len(o.OneOf)),
		})
	}
}

// ownerSide returns the side for looking up an object's own name: the params of a method have the plain name.
func (c *comparison) ownerSide(a at, s spot) side {
	if s.params {
		return query
	}
	return a.side
}

func (c *comparison) memberRemoved(a at, s spot, p openapi.Property, required bool) {
	s.member, s.was = p.Name, required
	old := c.before(a, s, p.Schema)
	field := s.oldOwner + "." + old.GoName
	change := Change{
		Class: Breaking, Code: "reply-field-removed", Pointer: p.Schema.Pointer, Subject: field,
		Text:   fmt.Sprintf("%s (`%s`) was removed.", field, p.Name),
		Advice: "Remove it from your code: the API no longer sends it.",
		Before: "v." + old.GoName, After: "// removed",
	}
	if a.side != reply {
		change.Code, change.Advice = "request-field-removed", "Remove it from your code: the API refuses requests that contain it."
		change.Before, change.After = literal(s.oldOwner, old.GoName, sample(old)), literal(s.owner, "", "")
	}
	c.add(a, change)
}

func (c *comparison) memberAdded(a at, s spot, schema *openapi.Schema) {
	change := Change{Class: Addition, Code: "field-added", Pointer: schema.Pointer, Subject: s.field, Text: fmt.Sprintf("%s (`%s`) was added.", s.field, s.member)}
	if a.side == body && s.required {
		change.Class, change.Code = Breaking, "request-field-added-required"
		change.Text = fmt.Sprintf("%s (`%s`) was added and is required.", s.field, s.member)
		change.Advice = "Set it in every call."
		f := c.after(a, s, schema)
		change.Before, change.After = literal(s.oldOwner, "", ""), literal(s.owner, f.GoName, sample(f))
	}
	c.add(a, change)
}

// required compares whether a member must be sent, or is always present in replies.
func (c *comparison) required(a at, s spot, before, after *openapi.Schema) {
	if s.was == s.required {
		return
	}
	if a.side == reply {
		text := "%s may now be missing from replies."
		if s.required {
			text = "%s is now always present in replies."
		}
		c.add(a, Change{Class: Behaviour, Code: "reply-required-changed", Pointer: after.Pointer, Subject: s.field, Text: fmt.Sprintf(text, s.named())})
		return
	}
	oldField, newField := c.before(a, s, before), c.after(a, s, after)
	oldType, newType := oldField.GoType(), newField.GoType()
	if s.required {
		change := Change{
			Class: Breaking, Code: "became-required", Pointer: after.Pointer, Subject: s.field,
			Text:   fmt.Sprintf("%s is now required.", s.named()),
			Advice: "Set it in every call.",
			Before: literal(s.oldOwner, "", ""), After: literal(s.owner, newField.GoName, sample(newField)),
		}
		if oldType != newType {
			change.Text = fmt.Sprintf("%s is now required: its type changed from %s to %s.", s.named(), oldType, newType)
		}
		c.add(a, change)
		return
	}
	change := Change{Class: Addition, Code: "became-optional", Pointer: after.Pointer, Subject: s.field, Text: fmt.Sprintf("%s is now optional.", s.named())}
	if oldType != newType {
		change.Class = Breaking
		change.Text = fmt.Sprintf("%s is now optional: its type changed from %s to %s.", s.named(), oldType, newType)
		change.Advice = "Pass a pointer: wrap the value in new()."
		change.Before = literal(s.oldOwner, oldField.GoName, sample(oldField))
		change.After = literal(s.owner, newField.GoName, sample(newField))
	}
	c.add(a, change)
}

// use compares the annotations of a use: deprecation, restrictions, defaults, examples, descriptions.
func (c *comparison) use(a at, s spot, o, n *openapi.Schema) {
	c.deprecated(a, n.Pointer, s.field, o.Deprecated, n.Deprecated)
	c.restricted(a, n.Pointer, s.field, o.Restricted, n.Restricted)
	if !sameText(o.RequiredWhen, n.RequiredWhen) {
		class := Behaviour
		if !c.old.Doc.Says("x-required-when") || !c.new.Doc.Says("x-required-when") {
			class = Documentation
		}
		change := Change{Class: class, Code: "required-when-changed", Pointer: n.Pointer, Subject: s.field,
			Text: fmt.Sprintf("%s is required when: %s", s.named(), strings.TrimSuffix(n.RequiredWhen, ".")+"."), Advice: "Set it in that case."}
		if n.RequiredWhen == "" {
			change.Text, change.Advice = fmt.Sprintf("%s is no longer required when: %s", s.named(), strings.TrimSuffix(o.RequiredWhen, ".")+"."), ""
		}
		if class == Documentation {
			c.describe(a, n.Pointer, s.owner, s.owner, s.member)
		} else {
			c.add(a, change)
		}
	}
	if !jsontree.EqualText(o.Default, n.Default) {
		c.defaultChanged(a, s, o, n)
	}
	if !sameText(o.Description, n.Description) || !sameText(o.Title, n.Title) || !sameExamples(o, n) {
		c.describe(a, n.Pointer, s.owner, s.owner, s.member)
	}
}

func (c *comparison) defaultChanged(a at, s spot, o, n *openapi.Schema) {
	class, text := Behaviour, ""
	switch {
	case n.Default == "":
		text = fmt.Sprintf("%s no longer has a default (it was %s).", s.named(), o.Default)
	case o.Default == "":
		text = fmt.Sprintf("%s has the default %s.", s.named(), n.Default)
	default:
		text = fmt.Sprintf("The default of %s changed from %s to %s.", s.named(), o.Default, n.Default)
	}
	if a.side == reply || !c.old.Doc.Says("default") || !c.new.Doc.Says("default") {
		class = Documentation
	}
	c.add(a, Change{Class: class, Code: "default-changed", Pointer: n.Pointer, Subject: s.field, Text: text, Advice: "Set the field where you rely on the old default."})
}

func sameExamples(o, n *openapi.Schema) bool {
	if len(o.Examples) != len(n.Examples) {
		return false
	}
	for i := range o.Examples {
		if o.Examples[i].Compact() != n.Examples[i].Compact() {
			return false
		}
	}
	return true
}

// limit describes a restriction as what a value must do.
func limit(key, value string) string {
	forms := map[string]string{
		"maxLength": "have at most %s characters", "minLength": "have at least %s characters",
		"maximum": "be at most %s", "minimum": "be at least %s", "exclusiveMaximum": "be below %s", "exclusiveMinimum": "be above %s",
		"maxItems": "have at most %s items", "minItems": "have at least %s items",
		"maxProperties": "have at most %s members", "minProperties": "have at least %s members",
		"pattern": "have the form %s",
	}
	if form, ok := forms[key]; ok {
		return fmt.Sprintf(form, value)
	}
	return "obey " + key + " " + value
}

// limits compares the restrictions on values. A tighter one refuses requests that used to be valid.
func (c *comparison) limits(a at, s spot, o, n *openapi.Schema) {
	had, has := o.AllLimits(), n.AllLimits()
	for _, key := range keysOf(had, has) {
		before, after := had[key], has[key]
		if jsontree.EqualText(before, after) {
			continue
		}
		change := Change{Code: "limit-changed", Pointer: n.Pointer, Subject: s.field}
		switch {
		case after == "":
			change.Text = fmt.Sprintf("%s no longer has to %s.", s.named(), limit(key, before))
		case before == "":
			change.Text = fmt.Sprintf("%s must now %s.", s.named(), limit(key, after))
		default:
			change.Text = fmt.Sprintf("%s must now %s; before, it had to %s.", s.named(), limit(key, after), limit(key, before))
		}
		switch {
		case a.side == reply:
			change.Class = Documentation
		case openapi.Tighter(key, before, after):
			change.Class, change.Code = Breaking, "limit-tightened"
			change.Advice = "The SDK and the API refuse other values."
		default:
			change.Class, change.Code = Behaviour, "limit-loosened"
		}
		c.add(a, change)
	}
}

// other compares formats that do not decide the Go type, and keywords without a field in the model.
func (c *comparison) other(a at, s spot, before, after *openapi.Schema) {
	o, n := before.Def(), after.Def()
	if o.Format != n.Format {
		c.add(a, Change{
			Class: Documentation, Code: "format-changed", Pointer: n.Pointer, Subject: s.field,
			Text: fmt.Sprintf("The format of %s changed from %s to %s.", s.named(), orNone(o.Format), orNone(n.Format)),
		})
	}
	if !jsontree.EqualText(o.Const, n.Const) {
		c.keyword(a, s, n, "const", o.Const, n.Const)
	}
	if o.Closed != n.Closed && n.IsMap() {
		c.keyword(a, s, n, "additionalProperties", fmt.Sprint(!o.Closed), fmt.Sprint(!n.Closed))
	}
	had, has := before.AllOther(), after.AllOther()
	for _, key := range keysOf(had, has) {
		if !jsontree.EqualText(had[key], has[key]) {
			c.keyword(a, s, n, key, had[key], has[key])
		}
	}
}

// keysOf lists the keys of both maps, sorted.
func keysOf(a, b map[string]string) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// keyword reports a change that the model does not understand. In a request it may make the API refuse calls.
func (c *comparison) keyword(a at, s spot, n *openapi.Schema, key, before, after string) {
	class := Behaviour
	if a.side != reply && after != "" {
		class = Breaking
	}
	if strings.HasPrefix(key, "x-") {
		class = Documentation
	}
	c.add(a, Change{
		Class: class, Code: "keyword-changed", Pointer: n.Pointer, Subject: s.field,
		Text:   fmt.Sprintf("The schema of %s changed in `%s`: from %s to %s.", s.named(), key, orNone(before), orNone(after)),
		Advice: "Read the API's documentation of this field.",
	})
}
