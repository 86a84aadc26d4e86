package oasdiff

import (
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// differing removes from two documents the paths and components that are the same in both and refer to nothing
// that differs. oasdiff finds nothing there, but spends most of its time on reading them.
func differing(old, revised *jsontree.Value) {
	d := difference{docs: [2]*jsontree.Value{old, revised}, places: map[string]*place{}}
	for _, doc := range d.docs {
		for group, v := range groups(doc) {
			for _, name := range v.Names() {
				if pointer := jsontree.Join(group, name); d.place(pointer).differs {
					d.keep(pointer)
				}
			}
		}
	}
	for _, doc := range d.docs {
		for group, v := range groups(doc) {
			v.Members = slices.DeleteFunc(v.Members, func(m jsontree.Member) bool { return !d.place(jsontree.Join(group, m.Name)).kept })
		}
	}
}

// groups returns the objects whose members are paths or components that a $ref can refer to.
func groups(doc *jsontree.Value) map[string]*jsontree.Value {
	out := map[string]*jsontree.Value{}
	if paths := doc.Get("paths"); paths != nil {
		out["/paths"] = paths
	}
	if components := doc.Get("components"); components != nil {
		for _, m := range components.Members {
			if m.Name != "securitySchemes" { // referred to by name
				out[jsontree.Join("/components", m.Name)] = m.Value
			}
		}
	}
	return out
}

type difference struct {
	docs   [2]*jsontree.Value
	places map[string]*place
}

// place is a path or a component.
type place struct {
	to            []string // the places that it refers to in either document
	differs, kept bool
}

func (d *difference) place(pointer string) *place {
	if p := d.places[pointer]; p != nil {
		return p
	}
	// Until the result is known, the place counts as different, so a circle may be kept needlessly.
	p := &place{differs: true}
	d.places[pointer] = p
	old, revised := d.docs[0].At(pointer), d.docs[1].At(pointer)
	p.to = references(revised, references(old, nil))
	differs := !jsontree.Equal(old, revised)
	for _, to := range p.to {
		differs = d.place(to).differs || differs
	}
	p.differs = differs
	return p
}

// keep keeps a place and everything that it refers to.
func (d *difference) keep(pointer string) {
	if p := d.place(pointer); !p.kept {
		p.kept = true
		for _, to := range p.to {
			d.keep(to)
		}
	}
}

// references appends the places that a value refers to.
func references(v *jsontree.Value, list []string) []string {
	if v == nil {
		return list
	}
	if pointer, ok := strings.CutPrefix(v.Get("$ref").Str(), "#"); ok {
		depth := 3 // "/components/schemas/Payment" and what is inside
		if strings.HasPrefix(pointer, "/paths/") {
			depth = 2
		}
		parts := strings.Split(pointer, "/")
		list = append(list, strings.Join(parts[:min(len(parts), depth+1)], "/"))
	}
	for _, item := range v.Items {
		list = references(item, list)
	}
	for _, m := range v.Members {
		list = references(m.Value, list)
	}
	return list
}
