package adopt

import (
	"maps"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/name"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// build writes a use of a schema that ours does not have yet.
func (m *merger) build(c scope, src *openapi.Schema, withWords bool) *jsontree.Value {
	if c.depth++; c.depth > maxDepth {
		m.fail(src.Pointer, "schemas nested too deeply")
		return jsontree.NewObject()
	}
	d := src.Def()
	m.refuseOther(d)
	use := jsontree.NewObject()
	switch kind(src) {
	case "enum", "object":
		use.Set("$ref", jsontree.NewString(schemaPrefix+m.component(c, d)))
	case "array":
		use.Set("type", jsontree.NewString("array"))
		inside := c
		inside.member = strings.TrimSuffix(c.member, "s")
		use.Set("items", m.build(inside, d.Items, false))
	case "map":
		if other := m.knownMap(d); other != "" {
			use.Set("$ref", jsontree.NewString(schemaPrefix+other))
			break
		}
		use.Set("type", jsontree.NewString("object"))
		use.Set("additionalProperties", jsontree.NewBool(true))
		if d.Values != nil && kind(d.Values) == "string" {
			use.Set("additionalProperties", jsontree.NewObject(jsontree.Member{Name: "type", Value: jsontree.NewString("string")}))
		}
	case "string", "integer", "number", "boolean":
		use.Set("type", jsontree.NewString(d.Type))
		if f := format(d); f != "" {
			use.Set("format", jsontree.NewString(f))
		}
		for _, key := range slices.Sorted(maps.Keys(d.Limits)) {
			v, _ := jsontree.Parse([]byte(d.Limits[key]))
			use.SetOrdered(key, v, schemaKeys)
		}
	case "forms":
		m.fail(d.Pointer, "a choice between several schemas is not supported here")
	default:
		m.fail(d.Pointer, "a schema of type %q is not supported", kind(src))
	}
	if src.MayBeNull() {
		setNull(use, true)
	}
	if withWords {
		text := src.Description
		if text == "" {
			text = d.Description
		}
		m.fresh1(use, text, schemaKeys)
	}
	if src.Deprecated {
		use.SetOrdered("deprecated", jsontree.NewBool(true), schemaKeys)
	}
	if src.Restricted {
		use.SetOrdered("x-restricted", jsontree.NewBool(true), schemaKeys)
	}
	if src.RequiredWhen != "" {
		use.SetOrdered("x-required-when", jsontree.NewString(src.RequiredWhen), schemaKeys)
	}
	if src.Default != "" {
		v, _ := jsontree.Parse([]byte(src.Default))
		use.SetOrdered("default", v, schemaKeys)
	}
	if m.opts.Words && len(src.Examples) > 0 {
		use.SetOrdered("examples", &jsontree.Value{Kind: jsontree.Array, Items: src.Examples}, schemaKeys)
	}
	return use
}

// knownMap finds a map of ours that means the same, such as Metadata.
func (m *merger) knownMap(d *openapi.Schema) string {
	if component, ok := m.byDef[d]; ok {
		return component
	}
	for _, component := range m.bySig[m.sigDef(d)] {
		return component
	}
	return ""
}

// component returns the name of the component for a definition: one of ours that means the same,
// or a new one.
func (m *merger) component(c scope, d *openapi.Schema) string {
	if component, ok := m.byDef[d]; ok {
		return component
	}
	if component, ok := m.built[d]; ok {
		return component
	}
	sig := m.sigDef(d)
	if component := m.alike(c, d, sig); component != "" {
		m.built[d] = component
		return component
	}
	component := m.newName(c, d)
	m.built[d], m.named[sig] = component, component
	m.addComponent(c, component, d)
	return component
}

// alike finds a component that means the same as a new definition. Enums of the same values and
// objects of some size are the same thing wherever they stand; small objects, such as links,
// resemble each other by chance, so they count only where ours uses one type for that member in
// several places, as for meta.
func (m *merger) alike(c scope, d *openapi.Schema, sig string) string {
	distinct := kind(d) == "enum" && len(d.Enum) > 1 || len(d.Properties) > 2
	best := ""
	for _, component := range m.bySig[sig] {
		if strings.Contains(component, "Params") && !strings.Contains(c.owner, "Params") {
			continue
		}
		if !distinct && m.uses(component, c.member) < 2 {
			continue
		}
		if best == "" || component == pascal(name.Singular(c.member)) {
			best = component
		}
	}
	if best == "" && distinct {
		best = m.named[sig]
	}
	return best
}

// uses counts the places of ours where a member of that name refers to a component.
func (m *merger) uses(component, member string) int {
	if m.members == nil {
		m.members = map[[2]string]int{}
		m.ours.Root.Walk(func(pointer string, v *jsontree.Value) {
			if target, ok := strings.CutPrefix(v.Get("$ref").Str(), schemaPrefix); ok {
				m.members[[2]string{target, pointer[strings.LastIndexByte(pointer, '/')+1:]}]++
			}
		})
	}
	return m.members[[2]string{component, member}]
}

// newName makes a name by rule: the type that contains it and the member's name; for an enum, which
// requests and replies share, the resource and the member's name, or the latter alone when it says
// enough.
func (m *merger) newName(c scope, d *openapi.Schema) string {
	if given, ok := m.opts.Names[d.Pointer]; ok {
		m.claim(d, given)
		return given
	}
	var candidates []string
	switch {
	case c.member == "" && c.verb != "":
		candidates = append(candidates, c.owner, c.owner+pascal(c.verb))
	case c.member == "":
		candidates = append(candidates, c.owner)
	case kind(d) == "enum" && strings.Count(c.member, "_") >= 2:
		candidates = append(candidates, pascal(c.member), c.owner+pascal(c.member))
	case kind(d) == "enum" && c.resource != "":
		one := name.Singular(c.resource)
		if strings.HasPrefix(c.member, one+"_") {
			candidates = append(candidates, pascal(c.member))
		}
		candidates = append(candidates, pascal(one)+pascal(c.member), c.owner+pascal(c.member))
	default:
		candidates = append(candidates, c.owner+pascal(c.member))
	}
	schemas := m.root.At("/components/schemas")
	for _, candidate := range candidates {
		if !schemas.Has(candidate) {
			return candidate
		}
	}
	m.fail(d.Pointer, "the name %s for this new schema is taken by another one: give it a name with -name %s=NAME", candidates[len(candidates)-1], d.Pointer)
	return candidates[len(candidates)-1]
}

func (m *merger) claim(d *openapi.Schema, given string) {
	if m.root.At("/components/schemas").Has(given) {
		m.fail(d.Pointer, "the name %s given by -name is taken by another schema", given)
	}
}

func (m *merger) addComponent(c scope, component string, d *openapi.Schema) {
	raw := jsontree.NewObject()
	m.root.At("/components/schemas").SetSorted(component, raw)
	m.fresh1(raw, d.Description, schemaKeys)
	if kind(d) == "enum" {
		raw.Set("type", jsontree.NewString("string"))
		raw.Set("enum", jsontree.NewStrings(d.Enum...))
		for _, value := range d.Enum {
			m.newValue(raw, value, d.EnumDescriptions[value])
		}
		return
	}
	raw.Set("type", jsontree.NewString("object"))
	if len(d.Required) > 0 {
		raw.Set("required", jsontree.NewStrings(d.Required...))
	}
	properties := jsontree.NewObject()
	raw.Set("properties", properties)
	for _, p := range d.Properties {
		inside := scope{resource: c.resource, owner: component, member: p.Name, depth: c.depth}
		insertProperty(properties, p.Name, m.build(inside, p.Schema, true))
	}
	for _, part := range []jsontree.Member{{Name: "if", Value: d.If}, {Name: "then", Value: d.Then}, {Name: "else", Value: d.Else}} {
		if part.Value != nil {
			raw.Set(part.Name, part.Value.Clone())
		}
	}
}
