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
		before, after := old.Def(), form.Schema.Def()
		for _, p := range n.Properties {
			if o.Property(p.Name) == nil {
				continue // a new field, whose comment names its variant
			}
			had, has := before.Property(p.Name) != nil, after.Property(p.Name) != nil
			required, was := after.Requires(p.Name), before.Requires(p.Name)
			field := fmt.Sprintf("%s.%s (`%s`)", s.owner, c.new.Names.field(memberUse{owner: s.owner, use: p.Schema, name: p.Name}).GoName, p.Name)
			change := Change{Class: Addition, Code: "union-changed", Pointer: after.Pointer, Subject: s.field}
			when := fmt.Sprintf("when `%s` is `%s`", n.Union.Property, form.Value)
			switch {
			case had && !has:
				change.Class, change.Text = Breaking, field+" was removed "+when+"."
				change.Advice = "Do not set it in that case."
			case !had && has:
				change.Text = field + " is now also allowed " + when + "."
			case p.Name == n.Union.Property || required == was:
				continue
			case required && a.side == body:
				change.Class, change.Text = Breaking, field+" is required "+when+"."
				change.Advice = "Set it in every such call."
			default:
				change.Class, change.Text = Behaviour, field+" is always present "+when+"."
				if !required {
					change.Text = field + " is optional " + when + "."
				}
			}
			c.add(a, change)
			if !had && has && required && a.side == body {
				change.Class, change.Text, change.Advice = Breaking, field+" is required "+when+".", "Set it in every such call."
				c.add(a, change)
			}
		}
	}
}
