package adopt

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
)

// pairing gathers what the source has in the places where we refer to one component. A document with inline
// schemas has a copy in every place; normally they mean the same.
type pairing struct {
	def    *openapi.Schema // ours
	places openapi.Place   // where both refer to it
	groups []*group
}

// group holds definitions of the source that mean the same.
type group struct {
	sig  string
	defs []*openapi.Schema
}

// kind returns the kind of Go type that a schema becomes.
func kind(s *openapi.Schema) string {
	d := s.Def()
	switch {
	case d.Union != nil:
		return "union"
	case len(d.OneOf) > 0:
		return "forms"
	case len(d.Enum) > 0:
		return "enum"
	case d.Type == "array" && d.Items == nil:
		return "array of anything"
	case s.IsObject() && (len(d.Properties) > 0 || d.Closed):
		return "object"
	case d.Type == "object":
		return "map"
	}
	return d.Type
}

// sort returns the kind of a schema as far as the source distinguishes kinds: in a document without integers,
// an integer of ours is a number.
func (m *merger) sort(s *openapi.Schema) string {
	if k := kind(s); k != "integer" || m.src.Says("type:integer") {
		return k
	}
	return "number"
}

// bare reports whether a schema is an object without members and without any statement about further ones.
func bare(s *openapi.Schema) bool {
	d := s.Def()
	return kind(s) == "map" && d.Values == nil && !d.Open
}

// pair records that a schema of the source corresponds to one of ours, and pairs their parts.
func (m *merger) pair(place openapi.Place, ours, src *openapi.Schema) {
	o, s := ours.Def(), src.Def()
	if kind(ours) == "enum" && kind(src) == "string" {
		m.unlisted[o.Component] = true
	}
	if m.foreign && kind(ours) == "forms" && kind(src) == "object" {
		m.pair(place, matchForms([]*openapi.Schema{src}, o.OneOf)[0][1], src)
		return
	}
	if m.sort(ours) != m.sort(src) || bare(src) {
		return
	}
	if o.Component == "" || m.pairComponent(place, o, s) {
		m.pairParts(place, o, s)
	}
}

// pairComponent records a definition of the source for a component of ours. It reports whether their parts
// must still be paired for the place.
func (m *merger) pairComponent(place openapi.Place, o, s *openapi.Schema) bool {
	p := m.pairs[o.Component]
	if p == nil {
		p = &pairing{def: o}
		m.pairs[o.Component] = p
	}
	seen := p.places&place != 0
	p.places |= place
	return p.add(s, m.sigDef(s)) || !seen
}

// pairParts pairs the parts of two definitions of the same kind.
func (m *merger) pairParts(place openapi.Place, o, s *openapi.Schema) {
	switch kind(o) {
	case "array":
		m.pair(place, o.Items, s.Items)
	case "map":
		if o.Values != nil && s.Values != nil {
			m.pair(place, o.Values, s.Values)
		}
	case "union":
		for _, f := range o.Union.Forms {
			if form := s.Union.Form(f.Value); form != nil {
				m.pair(place, f.Schema, form)
			}
		}
	case "object":
		for _, p := range o.Properties {
			if q := s.Property(p.Name); q != nil {
				m.pairMember(place, p.Schema, q)
			}
		}
	case "forms":
		for _, f := range matchForms(o.OneOf, s.OneOf) {
			m.pair(place, f[0], f[1])
		}
	}
}

func (m *merger) pairMember(place openapi.Place, ours, src *openapi.Schema) {
	if have := m.counterparts[src.Pointer]; !slices.Contains(have, ours.Pointer) {
		m.counterparts[src.Pointer] = append(have, ours.Pointer)
	}
	m.pair(place, ours, src)
}

// add adds a definition to its group and reports whether it is new there.
func (p *pairing) add(s *openapi.Schema, sig string) bool {
	for _, g := range p.groups {
		if g.sig == sig {
			if slices.Contains(g.defs, s) {
				return false
			}
			g.defs = append(g.defs, s)
			return true
		}
	}
	p.groups = append(p.groups, &group{sig, []*openapi.Schema{s}})
	return true
}

// matchForms pairs the forms of a oneOf by the members that they share.
func matchForms(ours, src []*openapi.Schema) [][2]*openapi.Schema {
	var out [][2]*openapi.Schema
	taken := map[int]bool{}
	for _, o := range ours {
		best, most := -1, -1
		for i, s := range src {
			if taken[i] {
				continue
			}
			if n := likeness(o, s); n > most {
				best, most = i, n
			}
		}
		if best >= 0 {
			taken[best] = true
			out = append(out, [2]*openapi.Schema{o, src[best]})
		}
	}
	return out
}

// likeness counts the members that two forms share; members of the same kind count three times.
func likeness(o, s *openapi.Schema) int {
	n := 0
	for _, p := range o.Def().Properties {
		q := s.Def().Property(p.Name)
		if q == nil {
			continue
		}
		if n++; kind(p.Schema) == kind(q) {
			n += 2
		}
	}
	return n
}

// chooseGroups decides for every component of ours which of the source's differing definitions it follows:
// those that mean the same as ours, else the most common ones.
func (m *merger) chooseGroups() {
	m.bySig = map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(m.pairs)) {
		p := m.pairs[name]
		mine := m.sigDef(p.def)
		slices.SortStableFunc(p.groups, func(a, b *group) int {
			if (a.sig == mine) != (b.sig == mine) {
				if a.sig == mine {
					return -1
				}
				return 1
			}
			return len(b.defs) - len(a.defs)
		})
		main := p.groups[0]
		for _, s := range main.defs {
			if _, ok := m.byDef[s]; !ok {
				m.byDef[s] = name
			}
		}
		m.bySig[main.sig] = append(m.bySig[main.sig], name)
	}
}

// follows reports whether a component of ours follows a definition of the source.
func (m *merger) follows(component string, s *openapi.Schema) bool {
	p := m.pairs[component]
	return p != nil && len(p.groups) > 0 && slices.Contains(p.groups[0].defs, s)
}

// sigDef returns a fingerprint of what a definition means: definitions with the same one become the same Go
// type. It leaves out descriptions, and the keywords that the source never uses.
func (m *merger) sigDef(d *openapi.Schema) string {
	if s, ok := m.sigs[d]; ok {
		return s
	}
	m.sigs[d] = "circle" // until it is known, for a schema that contains itself
	var b strings.Builder
	fmt.Fprintf(&b, "%s;", m.sort(d))
	switch kind(d) {
	case "enum":
		values := slices.Clone(d.Enum)
		slices.Sort(values)
		fmt.Fprintf(&b, "%q", values)
	case "array":
		b.WriteString(m.sigUse(d.Items))
	case "object":
		properties := slices.Clone(d.Properties)
		slices.SortFunc(properties, func(p, q openapi.Property) int { return strings.Compare(p.Name, q.Name) })
		for _, p := range properties {
			fmt.Fprintf(&b, "%s:%s,", p.Name, m.sigUse(p.Schema))
		}
		if m.speaks("required") {
			fmt.Fprintf(&b, "required %q", d.Required)
		}
		if m.speaks("if") && d.If != nil {
			fmt.Fprintf(&b, "if %s then %s", canonical(d.If), canonical(d.Then))
		}
	case "map":
		if d.Values != nil {
			b.WriteString(m.sigUse(d.Values))
		}
	case "union":
		var forms []string
		for _, f := range d.Union.Forms {
			forms = append(forms, f.Value+":"+m.sigUse(f.Schema))
		}
		slices.Sort(forms)
		fmt.Fprintf(&b, "%s %q", d.Union.Property, forms)
	case "forms":
		var forms []string
		for _, f := range d.OneOf {
			forms = append(forms, m.sigUse(f))
		}
		slices.Sort(forms)
		fmt.Fprintf(&b, "%q", forms)
	}
	b.WriteString(m.saidFormat(d))
	b.WriteString(m.sigLimits(d.Limits))
	sum := sha256.Sum256([]byte(b.String()))
	m.sigs[d] = hex.EncodeToString(sum[:12])
	return m.sigs[d]
}

func (m *merger) sigUse(s *openapi.Schema) string {
	out := m.sigDef(s.Def())
	if m.speaks("null") && s.MayBeNull() {
		out += "?"
	}
	if m.speaks("default") && s.Default != "" {
		out += "=" + s.Default
	}
	return out + m.sigLimits(s.UseLimits())
}

// sigLimits returns the limits of the kinds that the source uses at all.
func (m *merger) sigLimits(limits map[string]string) string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(limits)) {
		if m.speaks(openapi.LimitKeyword(key)) {
			fmt.Fprintf(&b, ";%s=%s", key, limits[key])
		}
	}
	return b.String()
}

// saidFormat returns the format of a definition if the source uses such formats at all.
func (m *merger) saidFormat(d *openapi.Schema) string {
	if f := format(d); f != "" && m.speaks("format:"+f) {
		return ";" + f
	}
	return ""
}

// speaks reports whether the source uses a keyword in its queries, requests or replies, where whole
// definitions are compared.
func (m *merger) speaks(keyword string) bool {
	if !m.foreign {
		return m.src.Says(keyword)
	}
	return m.src.SaysInAny(openapi.InQuery|openapi.InRequest|openapi.InReply, keyword)
}

// says reports whether the source uses a keyword in all of the given kinds of place, so that its absence has
// a meaning. A document in our form is one kind of place.
func (m *merger) says(places openapi.Place, keyword string) bool {
	if !m.foreign {
		return m.src.Says(keyword)
	}
	return m.src.SaysIn(places, keyword)
}
