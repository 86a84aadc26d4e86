package adopt

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/generator/name"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// build returns a use of a schema that ours does not have yet.
func (m *merger) build(c scope, src *openapi.Schema, withWords bool) *jsontree.Value {
	if c.depth++; c.depth > maxDepth {
		m.fail(src.Pointer, "schemas nested too deeply")
		return jsontree.NewObject()
	}
	d := src.Def()
	m.refuseOther(d)
	m.refuseOther(src) // the keywords next to a reference
	use := jsontree.NewObject()
	switch kind(src) {
	case "enum", "object", "union":
		use.Set("$ref", jsontree.NewString(ir.SchemaPrefix+m.component(c, d)))
		m.buildLimits(use, src.UseLimits())
	case "array":
		use.Set("type", jsontree.NewString("array"))
		inside := c
		inside.member = strings.TrimSuffix(c.member, "s")
		use.Set("items", m.build(inside, d.Items, false))
		m.buildLimits(use, src.AllLimits())
	case "map":
		if other := m.knownMap(d); other != "" {
			use.Set("$ref", jsontree.NewString(ir.SchemaPrefix+other))
			m.buildLimits(use, src.UseLimits())
			break
		}
		use.Set("type", jsontree.NewString("object"))
		use.Set("additionalProperties", m.buildValues(c, d))
		m.buildLimits(use, src.AllLimits())
	case openapi.StringOrInteger:
		if m.foreign && d.Counted { // the vendor describes amounts like this
			use.Set("type", jsontree.NewString("integer"))
			use.Set("format", jsontree.NewString("int64"))
			break
		}
		use.Set("type", jsontree.NewStrings("string", "integer"))
		m.buildLimits(use, src.AllLimits())
	case "string", "integer", "number", "boolean":
		use.Set("type", jsontree.NewString(d.Type))
		if f := format(d); f != "" {
			use.Set("format", jsontree.NewString(f))
		}
		m.buildLimits(use, src.AllLimits())
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
		m.newWords(use, text, schemaKeys)
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

// buildValues returns the schema of a map's values.
func (m *merger) buildValues(c scope, d *openapi.Schema) *jsontree.Value {
	if d.Values == nil {
		return jsontree.NewBool(true)
	}
	c.member = name.Singular(c.member)
	return m.build(c, d.Values, false)
}

// buildLimits adds the restrictions on the values of a new schema.
func (m *merger) buildLimits(use *jsontree.Value, limits map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(limits)) {
		m.setLimit(use, key, limits[key])
	}
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

// alike finds a component that means the same as a new definition. Larger objects with the same members are
// one type wherever they appear. Small ones, such as links, can be alike by chance, so they count only if
// ours uses one type for that member in several places, as for meta. Two enums are one type only if they
// are one schema or belong to one member of one resource.
func (m *merger) alike(c scope, d *openapi.Schema, sig string) string {
	if kind(d) == "enum" {
		return m.sameEnum(c, d, sig)
	}
	distinct := len(d.Properties) > 2
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

// sameEnum finds an enum with the same values and the name that the new one would get.
func (m *merger) sameEnum(c scope, d *openapi.Schema, sig string) string {
	for _, candidate := range m.candidates(c, d) {
		if slices.Contains(m.bySig[sig], candidate) || m.named[sig] == candidate {
			return candidate
		}
	}
	return ""
}

// uses counts the places of ours where a member of that name refers to a component.
func (m *merger) uses(component, member string) int {
	if m.members == nil {
		m.members = map[[2]string]int{}
		m.ours.Root.Walk(func(pointer string, v *jsontree.Value) {
			if target, ok := strings.CutPrefix(v.Get("$ref").Str(), ir.SchemaPrefix); ok {
				m.members[[2]string{target, pointer[strings.LastIndexByte(pointer, '/')+1:]}]++
			}
		})
	}
	return m.members[[2]string{component, member}]
}

// newName returns the name for a new definition: the given one, or the first free candidate.
func (m *merger) newName(c scope, d *openapi.Schema) string {
	if given, ok := m.opts.Names[d.Pointer]; ok {
		m.claim(d, given)
		return given
	}
	candidates := m.candidates(c, d)
	for _, candidate := range candidates {
		if m.free(candidate) {
			return candidate
		}
	}
	m.failName(d.Pointer, "the name %s for this new schema is already used: name it with -name %s=NAME", strings.Join(candidates, " or "), d.Pointer)
	return candidates[len(candidates)-1]
}

// candidates returns the names that a new definition may get, the best first. In a document that shares our
// names, that is its own name. Otherwise it is the containing type's name followed by the member's. An enum
// that a resource shares with its params is named after the resource and the member, or after the member
// alone if that is distinctive.
func (m *merger) candidates(c scope, d *openapi.Schema) []string {
	var out []string
	own := d.Component
	if m.sharesNames() && goTypeName.MatchString(own) {
		out = append(out, own)
	}
	inResource := c.owner == pascal(name.Singular(c.resource)) || strings.Contains(c.owner, "Params")
	switch {
	case c.member == "" && c.verb != "":
		out = append(out, c.owner, c.owner+pascal(c.verb))
	case c.member == "":
		out = append(out, c.owner)
	case kind(d) == "enum" && strings.Count(c.member, "_") >= 2:
		out = append(out, pascal(c.member), c.owner+pascal(c.member))
	case kind(d) == "enum" && c.resource != "" && inResource:
		one := name.Singular(c.resource)
		if strings.HasPrefix(c.member, one+"_") {
			out = append(out, pascal(c.member))
		}
		out = append(out, pascal(one)+pascal(c.member), c.owner+pascal(c.member))
	default:
		out = append(out, c.owner+pascal(c.member))
	}
	if goTypeName.MatchString(own) {
		out = append(out, own)
	}
	return slices.Compact(out)
}

var goTypeName = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)

// sharesNames reports whether the source uses our names for most of our components.
func (m *merger) sharesNames() bool {
	same := 0
	for component, p := range m.pairs {
		if p.groups[0].defs[0].Component == component {
			same++
		}
	}
	return same*2 > len(m.pairs)
}

// free reports whether a new component may get a name: no Go identifier has it, except that of a component
// that goes away.
func (m *merger) free(candidate string) bool {
	identifier := name.Go(candidate)
	if m.opts.Reserved[identifier] != "" {
		return false
	}
	for _, other := range m.root.At("/components/schemas").Members {
		if name.Go(other.Name) != identifier {
			continue
		}
		if m.pairs[other.Name] != nil || m.ours.Component(other.Name) == nil || m.reachable()[other.Name] {
			return false
		}
	}
	return true
}

func (m *merger) claim(d *openapi.Schema, given string) {
	if !m.free(given) {
		m.failName(d.Pointer, "the name %s given by -name is already used by %s", given, cmp.Or(m.opts.Reserved[name.Go(given)], "another schema"))
	}
}

func (m *merger) addComponent(c scope, component string, d *openapi.Schema) {
	raw := jsontree.NewObject()
	schemas := m.root.At("/components/schemas")
	schemas.Delete(component) // one of ours that goes away
	schemas.SetSorted(component, raw)
	m.newWords(raw, d.Description, schemaKeys)
	if kind(d) == "enum" {
		raw.Set("type", jsontree.NewString("string"))
		raw.Set("enum", jsontree.NewStrings(d.Enum...))
		for _, value := range d.Enum {
			m.newValue(raw, value, d.EnumDescriptions[value])
		}
		return
	}
	if d.Union != nil {
		m.newUnion(c, component, raw, d)
		return
	}
	raw.Set("type", jsontree.NewString("object"))
	if len(d.Properties) == 0 {
		raw.Set("additionalProperties", jsontree.NewBool(false)) // without it, it would be a map
	}
	if len(d.Required) > 0 {
		raw.Set("required", jsontree.NewStrings(d.Required...))
	}
	properties := jsontree.NewObject()
	raw.Set("properties", properties)
	for _, p := range d.Properties {
		inside := scope{resource: c.resource, owner: component, member: p.Name, places: c.places, depth: c.depth}
		m.newMember(inside, properties, p)
	}
	for _, part := range conditionOf(d) {
		if part.Value != nil {
			raw.Set(part.Name, part.Value.Clone())
		}
	}
}
