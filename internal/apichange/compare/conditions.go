package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// statement is one requirement of an if/then/else: which member must be present, and when.
type statement struct {
	when  string   // "scheme=pay_to", one per line
	needs []string // wire path of the required member, or nil
	other string   // a consequence of another kind, as JSON
}

func (s statement) key() string {
	return s.when + "\x00" + strings.Join(s.needs, "/") + "\x00" + s.other
}

// conditions compares the conditional requirements of an object. oasdiff reports only that they are added or
// removed as a whole.
func (c *comparison) conditions(a at, s spot, o, n *openapi.Schema) {
	before, after := statements(o), statements(n)
	for _, st := range after {
		if !slices.ContainsFunc(before, func(x statement) bool { return x.key() == st.key() }) {
			c.condition(a, s, n, c.new, st, true)
		}
	}
	for _, st := range before {
		if !slices.ContainsFunc(after, func(x statement) bool { return x.key() == st.key() }) {
			c.condition(a, s, o, c.old, st, false)
		}
	}
}

func (c *comparison) condition(a at, s spot, def *openapi.Schema, in Side, st statement, added bool) {
	owner := in.Names.typeName(def, c.ownerSide(a, s))
	if owner == "" {
		owner = s.owner
	}
	subject := owner
	fields := in.path(def, owner, st.needs)
	for i, name := range st.needs {
		if name = goName(name); fields != nil {
			name = fields[i].GoName
		}
		subject += "." + name
	}
	what := fmt.Sprintf("%s (`%s`)", subject, strings.Join(st.needs, "."))
	if st.other != "" {
		what = fmt.Sprintf("%s must satisfy `%s`, which", owner, st.other)
	}
	when := in.when(def, owner, st.when)
	change := Change{Subject: subject, Pointer: def.Pointer + "/then"}
	switch {
	case added:
		change.Class, change.Code = Breaking, "condition-added"
		change.Text = fmt.Sprintf("%s is now required %s.", what, when)
		change.Advice = "Set it in that case."
		change.Before, change.After = c.conditionCode(in, def, owner, st)
	default:
		change.Class, change.Code = Behaviour, "condition-removed"
		change.Text = fmt.Sprintf("%s is no longer required %s.", what, when)
	}
	if a.side == reply {
		change.Class, change.Before, change.After = Documentation, "", ""
	}
	for line := range strings.SplitSeq(st.when, "\n") {
		if member, _, ok := strings.Cut(line, "="); ok {
			c.add(a.in(member), change)
		}
	}
	for i := range st.needs {
		c.add(a.in(strings.Join(st.needs[:i+1], "/")), change)
	}
	c.add(a, change)
}

// when describes a condition: "when Scheme is SchemePayTo" and the wire names.
func (s Side) when(def *openapi.Schema, owner, conditions string) string {
	var parts []string
	for line := range strings.SplitSeq(conditions, "\n") {
		property, value, ok := strings.Cut(line, "=")
		if !ok {
			parts = append(parts, "if `"+line+"`")
			continue
		}
		goField, goValue := goName(property), "`"+value+"`"
		if p := def.Property(property); p != nil {
			goField = s.Names.field(memberUse{owner: owner, use: p, name: property}).GoName
			if p.IsEnum() {
				goValue = s.Names.valueName(p.Def(), value)
			}
		}
		parts = append(parts, fmt.Sprintf("when %s is %s (`%s` = `%s`)", goField, goValue, property, value))
	}
	return strings.Join(parts, " and ")
}

// conditionCode returns the smallest params that used to be valid and those that are valid now.
func (c *comparison) conditionCode(in Side, def *openapi.Schema, owner string, st statement) (before, after string) {
	property, value, ok := strings.Cut(st.when, "=")
	p := def.Property(property)
	fields := in.path(def, owner, st.needs)
	if !ok || p == nil || len(fields) == 0 || st.needs[0] == property || strings.Contains(st.when, "\n") {
		return "", ""
	}
	setting := fmt.Sprintf("%q", value)
	if p.IsEnum() {
		setting = "gocardless." + in.Names.valueName(p.Def(), value)
	}
	condition := in.Names.field(memberUse{owner, p, body, def.Requires(property), property})
	if condition.Pointered {
		setting = "new(" + setting + ")"
	}
	needed := sample(fields[len(fields)-1])
	for i := len(fields) - 2; i >= 0; i-- {
		needed = strings.Replace(sample(fields[i]), " /* … */ ", fields[i+1].GoName+": "+needed, 1)
	}
	return literal(owner, condition.GoName, setting), fmt.Sprintf("gocardless.%s{%s: %s, %s: %s}", owner, condition.GoName, setting, fields[0].GoName, needed)
}

// path returns the fields on the way from an object of a request to a member, or nil if it leads nowhere.
func (s Side) path(def *openapi.Schema, owner string, wire []string) []*ir.Field {
	var out []*ir.Field
	for _, name := range wire {
		use := def.Property(name)
		if use == nil {
			return nil
		}
		out = append(out, s.Names.field(memberUse{owner, use, body, def.Requires(name), name}))
		def = use.Def()
		owner = s.Names.typeName(def, body)
	}
	return out
}

// statements returns the conditional requirements of a definition.
func statements(d *openapi.Schema) []statement {
	if d.If == nil {
		return nil
	}
	var out []statement
	when := strings.Join(comparisons(d.If), "\n")
	out = consequences(out, when, nil, d.Then)
	return consequences(out, "not "+d.If.Compact(), nil, d.Else)
}

// comparisons reads an if that compares members with constants.
func comparisons(v *jsontree.Value) []string {
	var out []string
	rest := v.Clone()
	rest.Delete("required")
	properties := v.Get("properties")
	rest.Delete("properties")
	if properties != nil {
		for _, m := range properties.Members {
			if constant := m.Value.Get("const"); constant != nil && len(m.Value.Members) == 1 && constant.Kind == jsontree.String {
				out = append(out, m.Name+"="+constant.Text)
				continue
			}
			if values := m.Value.Get("enum"); values != nil && len(values.Items) == 1 && values.Items[0].Kind == jsontree.String {
				out = append(out, m.Name+"="+values.Items[0].Text)
				continue
			}
			out = append(out, m.Name+" "+m.Value.Compact())
		}
	}
	if len(rest.Members) > 0 || len(out) == 0 {
		out = append(out, rest.Compact())
	}
	slices.Sort(out)
	return out
}

func consequences(out []statement, when string, path []string, v *jsontree.Value) []statement {
	if v == nil {
		return out
	}
	for _, name := range v.Get("required").Strings() {
		out = append(out, statement{when: when, needs: append(slices.Clone(path), name)})
	}
	for _, m := range v.Members {
		switch m.Name {
		case "required", "description":
		case "properties":
			for _, p := range m.Value.Members {
				out = consequences(out, when, append(slices.Clone(path), p.Name), p.Value)
			}
		default:
			other := strings.Join(append(slices.Clone(path), m.Name), "/") + ": " + m.Value.Compact()
			out = append(out, statement{when: when, other: other})
		}
	}
	return out
}
