package emit

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

// tags returns the tags of a field. With those of a request, the SDK checks the value and sends it; they
// are described in gocardless/internal/request.
func tags(t *ir.Type, f *ir.Field) map[string]string {
	tags := map[string]string{"json": f.Name + ",omitzero"}
	if t.Role == ir.RoleReply {
		if f.Type.Kind == ir.StringOrInt {
			tags["wire"] = "string-or-integer" // for jsonwire
		}
		return tags
	}
	if f.Required {
		tags["json"] = f.Name
	}
	var wire []string
	switch {
	case f.In == ir.InHeader:
		tags["json"] = "-"
		wire = append(wire, "header="+f.Name)
		if f.Required {
			wire = append(wire, "required") // json has no place for it
		}
	case f.In == ir.InQuery && t.Role == ir.RoleParams && t.Schema != "": // the schema is that of a body
		wire = append(wire, "query")
	}
	if f.Style == ir.Repeat {
		wire = append(wire, "repeat")
	}
	set := func(key string, parts []string, separator string) {
		if len(parts) > 0 {
			tags[key] = strings.Join(parts, separator)
		}
	}
	set("wire", wire, ",")
	set("limits", limits(f), ",")
	set("when", cases(t, f), "; ")
	return tags
}

// limits returns the limits of a field by their keywords. The pattern is the last, because it may have
// commas.
func limits(f *ir.Field) []string {
	var out []string
	count := func(keyword string, n *int) {
		if n != nil {
			out = append(out, keyword+"="+strconv.Itoa(*n))
		}
	}
	number := func(keyword string, n *int64) {
		if n != nil {
			out = append(out, keyword+"="+strconv.FormatInt(*n, 10))
		}
	}
	count("minLength", f.MinLength)
	count("maxLength", f.MaxLength)
	number("minimum", f.Minimum)
	number("maximum", f.Maximum)
	number("multipleOf", f.MultipleOf)
	count("minItems", f.MinItems)
	count("maxItems", f.MaxItems)
	if f.UniqueItems && !f.Type.Elem.IsObject() {
		out = append(out, "uniqueItems")
	}
	count("minProperties", f.MinMembers)
	count("maxProperties", f.MaxMembers)
	count("keyLength", f.MaxKeyLength)
	count("valueLength", f.MaxValueLength)
	if f.Pattern != "" {
		out = append(out, "pattern="+f.Pattern)
	}
	return out
}

// cases returns what the values of a field demand of the other fields.
func cases(t *ir.Type, f *ir.Field) []string {
	var out []string
	for _, c := range t.Conditions {
		if c.Field != f {
			continue
		}
		var members []string
		for _, path := range c.Then {
			steps := make([]string, len(path))
			for i, step := range path {
				steps[i] = url.QueryEscape(step.Name)
			}
			members = append(members, strings.Join(steps, "/"))
		}
		for _, not := range c.Not {
			members = append(members, "!"+url.QueryEscape(not.Name))
		}
		if len(members) > 0 {
			out = append(out, url.QueryEscape(c.Equals)+": "+strings.Join(members, ","))
		}
	}
	return out
}
