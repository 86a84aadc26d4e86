package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
)

func (c *comparison) body(a at, o, n *openapi.Operation) {
	if o.Body == nil || n.Body == nil {
		if (o.Body == nil) != (n.Body == nil) {
			// A changed signature is reported elsewhere. With query params, only the request changes.
			c.add(a, Change{
				Class: Breaking, Code: "body-changed", Pointer: n.Pointer, Subject: a.methods[0],
				Text:   fmt.Sprintf("%s %s a request body.", list(a.methods), map[bool]string{true: "takes", false: "no longer takes"}[n.Body != nil]),
				Advice: "Upgrade: released versions send the old form.",
			})
		}
		return
	}
	if o.Body.Required != n.Body.Required {
		class, text := Addition, "may be called without a request body."
		if n.Body.Required {
			class, text = Breaking, "must have a request body."
		}
		c.add(a, Change{
			Class: class, Code: "body-required-changed", Pointer: n.Body.Pointer, Subject: a.methods[0],
			Text: fmt.Sprintf("%s %s", list(a.methods), text),
		})
	}
	a.side = body
	oldKey, oldInner := envelope(o.Body.Schema)
	newKey, newInner := envelope(n.Body.Schema)
	if oldInner == nil || newInner == nil {
		c.schema(a, spot{owner: a.methods[0], field: a.methods[0], required: true, root: true}, o.Body.Schema, n.Body.Schema)
		return
	}
	if oldKey != newKey {
		for _, key := range []string{oldKey, newKey} {
			c.add(a.in(key), Change{
				Class: Breaking, Code: "envelope-changed", Pointer: n.Body.Schema.Pointer, Subject: a.methods[0],
				Text:   fmt.Sprintf("The request body of %s is wrapped in `%s` instead of `%s`.", list(a.methods), newKey, oldKey),
				Advice: "Upgrade: the API refuses the body that released versions send. Your code does not change.",
			})
		}
	}
	a = a.in(newKey)
	if had, has := o.Body.Schema.Def().Requires(oldKey), n.Body.Schema.Def().Requires(newKey); had != has {
		c.add(a, Change{
			Class: Documentation, Code: "envelope-required-changed", Pointer: n.Body.Schema.Pointer, Subject: a.methods[0],
			Text: fmt.Sprintf("The request body of %s %s; the SDK always sends it.", list(a.methods),
				map[bool]string{true: "must now have `" + newKey + "`", false: "may now omit `" + newKey + "`"}[has]),
		})
	}
	oldForms, newForms := formsOf(o, oldInner), formsOf(n, newInner)
	for _, method := range slices.Sorted(maps.Keys(oldForms)) {
		before := oldForms[method]
		if after := newForms[method]; after != nil {
			a := a
			if len(newForms) > 1 {
				a.methods = slices.DeleteFunc(slices.Clone(a.methods), func(m string) bool { return !strings.HasSuffix(m, "."+goName(method)) })
			}
			c.bodyParams(a, before, after)
		}
	}
}

// formsOf returns the params of each method of an operation, by the variant's name.
func formsOf(o *openapi.Operation, inner *openapi.Schema) map[string]*openapi.Schema {
	d := inner.Def()
	if len(d.OneOf) == 0 || len(o.Variants) == 0 {
		return map[string]*openapi.Schema{"": inner}
	}
	out := map[string]*openapi.Schema{}
	for _, v := range o.Variants {
		for _, form := range d.OneOf {
			if form.Name() == v.Params {
				out[v.Name] = form
			}
		}
	}
	return out
}

func (c *comparison) replies(a at, o, n *openapi.Operation) {
	a.side = reply
	before, after := o.Reply(), n.Reply()
	if before == nil || after == nil {
		return
	}
	c.statuses(a, o, n)
	switch {
	case before.Schema == nil && after.Schema == nil:
	case before.Schema == nil || after.Schema == nil:
		text := "%s now returns a value: its signature changed."
		if after.Schema == nil {
			text = "%s no longer returns a value: its signature changed."
		}
		change := Change{
			Class: Breaking, Code: "reply-changed", Pointer: after.Pointer, Subject: a.methods[0],
			Text: fmt.Sprintf(text, list(a.methods)), Advice: "Change how your code uses the results of the call.",
		}
		c.add(a, change)
		c.add(a.in("application/json"), change) // oasdiff reports the new media type there
	default:
		c.reply(a, before.Schema, after.Schema)
	}
	if o.Failure != nil && n.Failure != nil {
		a.wire, a.internal = "", true
		c.schema(a, spot{owner: "Error", field: "Error", required: true, root: true}, o.Failure, n.Failure)
	}
}

// statuses compares the statuses of success and refusal of an operation, and its media types.
func (c *comparison) statuses(a at, o, n *openapi.Operation) {
	before, after := successes(o), successes(n)
	if before != after {
		c.add(a, Change{
			Class: Behaviour, Code: "status-changed", Pointer: n.Reply().Pointer, Subject: a.methods[0],
			Text:   fmt.Sprintf("%s replies with %s instead of %s.", list(a.methods), after, before),
			Advice: "Your code does not change, unless it reads the status with WithResponse.",
		})
	}
	for _, status := range n.Refusals {
		// In a document that lists no refusals, or the same ones everywhere, a refusal has no meaning.
		if !slices.Contains(o.Refusals, status) && !c.new.Doc.UsualRefusal(status) && !c.old.Doc.UsualRefusal(status) {
			c.add(a, Change{
				Class: Documentation, Code: "refusal-added", Pointer: n.Pointer, Subject: a.methods[0],
				Text: fmt.Sprintf("%s may be refused with status %s.", list(a.methods), status),
			})
		}
	}
	for _, media := range n.Media {
		if !slices.Contains(o.Media, media) {
			c.add(a, Change{
				Class: Documentation, Code: "media-added", Pointer: n.Pointer, Subject: a.methods[0],
				Text: fmt.Sprintf("%s: the API also accepts or returns %s; the SDK uses JSON.", list(a.methods), media),
			})
		}
	}
}

func successes(o *openapi.Operation) string {
	var out []string
	for _, r := range o.Replies {
		out = append(out, r.Status)
	}
	return strings.Join(out, " or ")
}

// reply compares the members around the reply: the envelope, meta, linked.
func (c *comparison) reply(a at, before, after *openapi.Schema) {
	o, n := before.Def(), after.Def()
	if o.Component != "" || n.Component != "" { // no envelope
		c.schema(a, spot{owner: a.methods[0], field: a.methods[0], root: true}, before, after)
		return
	}
	for _, p := range o.Properties {
		if n.Property(p.Name) != nil {
			continue
		}
		class, text := Breaking, "The reply of %s no longer has `%s`."
		if p.Name == "meta" {
			class = Behaviour
		}
		c.add(a.in(p.Name), Change{
			Class: class, Code: "reply-member-removed", Pointer: p.Schema.Pointer, Subject: a.methods[0],
			Text:   fmt.Sprintf(text, list(a.methods), p.Name),
			Advice: "Upgrade: released versions expect it.",
		})
	}
	for _, p := range n.Properties {
		before := o.Property(p.Name)
		if before == nil {
			// If the envelope has a new name, the removal of the old one is reported.
			c.add(a.in(p.Name), Change{
				Class: Addition, Code: "reply-member-added", Pointer: p.Schema.Pointer, Subject: a.methods[0],
				Text: fmt.Sprintf("The reply of %s has a new member `%s`.", list(a.methods), p.Name),
			})
			continue
		}
		a := a.in(p.Name)
		a.internal = p.Name == "meta"
		if had, has := o.Requires(p.Name), n.Requires(p.Name); had != has {
			c.replyMemberRequired(a, p, has)
		}
		c.schema(a, spot{owner: a.methods[0], field: "the reply of " + list(a.methods), member: p.Name, root: true}, before, p.Schema)
	}
}

// replyMemberRequired reports that a member around the reply is now always present, or no longer always.
func (c *comparison) replyMemberRequired(a at, p openapi.Property, always bool) {
	if always {
		c.add(a, Change{
			Class: Documentation, Code: "reply-member-required", Pointer: p.Schema.Pointer, Subject: a.methods[0],
			Text: fmt.Sprintf("The reply of %s now always has `%s`.", list(a.methods), p.Name),
		})
		return
	}
	change := Change{
		Class: Breaking, Code: "reply-member-optional", Pointer: p.Schema.Pointer, Subject: a.methods[0],
		Text:   fmt.Sprintf("The reply of %s may now omit `%s`.", list(a.methods), p.Name),
		Advice: "Upgrade: released versions treat a reply without it as malformed.",
	}
	if a.internal {
		change.Class, change.Advice = Behaviour, "Your code does not change: a page without cursors counts as the last one."
	}
	c.add(a, change)
}
