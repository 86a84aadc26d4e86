package compare

import (
	"fmt"

	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
)

// union compares which members the objects of a choice have and require. The members themselves and the set of
// objects are compared as the fields and the enum that they become.
func (c *comparison) union(a at, s spot, o, n *openapi.Schema) {
	if o.Union == nil || n.Union == nil || o.Union.Property != n.Union.Property {
		return
	}
	for _, form := range n.Union.Forms {
		old := o.Union.Form(form.Value)
		if old == nil {
			continue
		}
		for _, p := range n.Properties {
			if o.Property(p.Name) != nil { // the comment of a new field names its variant
				c.form(a, s, n.Union.Property, form, old.Def(), p)
			}
		}
	}
}

// form compares whether an object of a choice has and requires a member.
func (c *comparison) form(a at, s spot, discriminator string, form openapi.UnionForm, before *openapi.Schema, p openapi.Property) {
	after := form.Schema.Def()
	field := fmt.Sprintf("%s.%s (`%s`)", s.owner, c.new.Names.field(memberUse{owner: s.owner, use: p.Schema, name: p.Name}).GoName, p.Name)
	report := func(class Class, what, advice string) {
		c.add(a, Change{
			Class: class, Code: "union-changed", Pointer: after.Pointer, Subject: s.field,
			Text: fmt.Sprintf("%s %s when `%s` is `%s`.", field, what, discriminator, form.Value), Advice: advice,
		})
	}
	had, has := before.Property(p.Name) != nil, after.Property(p.Name) != nil
	was, required := before.Requires(p.Name), after.Requires(p.Name)
	mustSend := required && a.side == body
	switch {
	case had && !has:
		report(Breaking, "was removed", "Do not set it in that case.")
		return
	case !had && has:
		report(Addition, "is now also allowed", "")
		if !mustSend {
			return
		}
	case p.Name == discriminator || required == was:
		return
	}
	switch {
	case mustSend:
		report(Breaking, "is required", "Set it in every such call.")
	case required:
		report(Behaviour, "is always present", "")
	default:
		report(Behaviour, "is optional", "")
	}
}
