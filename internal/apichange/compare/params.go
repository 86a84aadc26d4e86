package compare

import (
	"fmt"
	"strings"

	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
)

// fieldParam reports whether a parameter is a field of the params. Path parameters are arguments, and the
// pipeline sends the idempotency key.
func fieldParam(p *openapi.Param) bool {
	return p.In == "query" || p.In == "header" && !strings.EqualFold(p.Name, "Idempotency-Key")
}

func (c *comparison) params(a at, o, n *openapi.Operation) {
	had, has := o.Param("header", "Idempotency-Key"), n.Param("header", "Idempotency-Key")
	if (had == nil) != (has == nil) {
		text := "%s no longer takes an idempotency key, so it is retried only if it is known not to have run."
		if has != nil {
			text = "%s now takes an idempotency key, so it is safe to retry."
		}
		c.add(a.in("Idempotency-Key"), Change{
			Class: Behaviour, Code: "idempotency-changed", Pointer: n.Pointer + "/parameters", Subject: a.methods[0],
			Text: fmt.Sprintf(text, list(a.methods)),
		})
	}
	segments := func(o *openapi.Operation) int { return strings.Count(o.Path, "{") }
	if segments(o) != segments(n) {
		c.add(a, Change{
			Class: Breaking, Code: "path-arguments-changed", Pointer: n.Pointer, Subject: a.methods[0],
			Text:   fmt.Sprintf("%s takes %d ids in its path instead of %d.", list(a.methods), segments(n), segments(o)),
			Advice: "Pass the ids that the new signature requires.",
			Before: c.old.call(o, a.methods[0]), After: c.new.call(n, a.methods[0]),
		})
	}
	hadParams, hasParams := c.old.Names.paramsOf(o, c.old.Names.methodsOf(o)[0]), c.new.Names.paramsOf(n, a.methods[0])
	if hadParams != "" && hasParams != "" || hadParams == "" && hasParams == "" {
		hadParams, hasParams = "", ""
	}
	if hadParams != hasParams {
		text, advice := "%s now takes params: its signature changed.", "Pass params; an empty value is enough."
		if hasParams == "" {
			text, advice = "%s no longer takes params: its signature changed.", "Leave the params out of the call."
		}
		c.add(a, Change{
			Class: Breaking, Code: "signature-changed", Pointer: n.Pointer, Subject: a.methods[0],
			Text: fmt.Sprintf(text, list(a.methods)), Advice: advice,
			Before: c.old.call(o, c.old.Names.methodsOf(o)[0]), After: c.new.call(n, a.methods[0]),
		})
	}
	owner, oldOwner := c.new.Names.paramsName(n), c.old.Names.paramsName(o)
	for _, p := range o.Params {
		if fieldParam(p) && n.Param(p.In, p.Name) == nil {
			old := c.old.Names.parameter(oldOwner, p)
			field := oldOwner + "." + old.GoName
			c.add(a.in(p.Name), Change{
				Class: Breaking, Code: "parameter-removed", Pointer: p.Pointer, Subject: field,
				Text:   fmt.Sprintf("%s (`%s`) was removed.", field, p.Name),
				Advice: "Remove it from your code: the API no longer accepts this " + kindOf(p) + ".",
				Before: literal(oldOwner, old.GoName, sample(old)), After: literal(owner, "", ""),
			})
		}
	}
	for _, p := range n.Params {
		if !fieldParam(p) {
			continue
		}
		a := a.in(p.Name)
		a.side = query
		field := owner + "." + c.new.Names.parameter(owner, p).GoName
		before := o.Param(p.In, p.Name)
		if before == nil {
			c.parameterAdded(a, p, oldOwner, owner, field)
			continue
		}
		c.parameter(a, before, p, oldOwner, owner, field)
	}
}

func kindOf(p *openapi.Param) string {
	if p.In == "header" {
		return "header"
	}
	return "filter"
}

func (c *comparison) parameterAdded(a at, p *openapi.Param, oldOwner, owner, field string) {
	if p.Required {
		f := c.new.Names.parameter(owner, p)
		c.add(a, Change{
			Class: Breaking, Code: "parameter-added-required", Pointer: p.Pointer, Subject: field,
			Text:   fmt.Sprintf("%s (`%s`) was added and is required.", field, p.Name),
			Advice: "Set it in every call.",
			Before: literal(oldOwner, "", ""), After: literal(owner, f.GoName, sample(f)),
		})
		return
	}
	c.add(a, Change{
		Class: Addition, Code: "parameter-added", Pointer: p.Pointer, Subject: field,
		Text: fmt.Sprintf("%s (`%s`) was added.", field, p.Name),
	})
}

func (c *comparison) parameter(a at, o, n *openapi.Param, oldOwner, owner, field string) {
	switch {
	case !o.Required && n.Required:
		f := c.new.Names.parameter(owner, n)
		c.add(a, Change{
			Class: Breaking, Code: "became-required", Pointer: n.Pointer, Subject: field,
			Text:   fmt.Sprintf("%s (`%s`) is now required.", field, n.Name),
			Advice: "Set it in every call.",
			Before: literal(oldOwner, "", ""), After: literal(owner, f.GoName, sample(f)),
		})
	case o.Required && !n.Required:
		c.add(a, Change{
			Class: Addition, Code: "became-optional", Pointer: n.Pointer, Subject: field,
			Text: fmt.Sprintf("%s (`%s`) is now optional.", field, n.Name),
		})
	}
	if o.Style != n.Style || o.Explode != n.Explode {
		c.add(a, Change{
			Class: Breaking, Code: "style-changed", Pointer: n.Pointer, Subject: field,
			Text:   fmt.Sprintf("%s (`%s`) is encoded differently in the query (style %s, explode %t; before: style %s, explode %t).", field, n.Name, n.Style, n.Explode, o.Style, o.Explode),
			Advice: "Upgrade: released versions use the old encoding, which the API may ignore. Your code does not change.",
		})
	}
	c.deprecated(a, n.Pointer, field, o.Deprecated || o.Schema.Deprecated, n.Deprecated || n.Schema.Deprecated)
	if !sameText(o.Description, n.Description) {
		c.describe(a, n.Pointer+"/description", owner, owner, n.Name)
	}
	c.schema(a, spot{owner: owner, oldOwner: oldOwner, field: field, member: n.Name, required: n.Required, was: o.Required}, o.Schema, n.Schema)
}
