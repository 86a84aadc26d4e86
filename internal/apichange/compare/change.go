// Package compare reports what changed between two descriptions of the API, in the words of the SDK's
// users: which method, type or field, whether their programs break, and what they must do.
//
// The comparison is made twice. Once over the model of package openapi, which knows what a change
// means for Go code; and once by oasdiff, which knows OpenAPI. Whatever only oasdiff finds is
// reported too, so that a gap in the first cannot hide a change.
package compare

import (
	"cmp"
	"slices"
	"strings"
)

// Class is the consequence of a change for a program that uses the SDK.
type Class int

// The classes, from the mildest.
const (
	// Documentation changes words, not behaviour.
	Documentation Class = iota + 1
	// Addition gives programs something new and leaves them alone otherwise.
	Addition
	// Behaviour leaves programs compiling and their calls accepted, but the API answers or acts
	// differently than before.
	Behaviour
	// Breaking stops a program from compiling with the new version, or the API from accepting or
	// meaning the same by a call that used to work.
	Breaking
)

var classNames = map[Class]string{Documentation: "documentation", Addition: "addition", Behaviour: "behaviour", Breaking: "breaking"}

// String returns the name of the class as flags and reports spell it.
func (c Class) String() string { return classNames[c] }

// MarshalText writes the name.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// ParseClass reads the name of a class.
func ParseClass(s string) (Class, bool) {
	for c, name := range classNames {
		if name == s {
			return c, true
		}
	}
	return 0, false
}

// Classes lists the classes, the worst first.
func Classes() []Class { return []Class{Breaking, Behaviour, Addition, Documentation} }

// Bump is the part of the version that must rise.
type Bump int

// The bumps, in order.
const (
	None Bump = iota
	Patch
	Minor
	Major
)

// String returns the name of the bump.
func (b Bump) String() string { return [...]string{"none", "patch", "minor", "major"}[b] }

// MarshalText writes the name.
func (b Bump) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// BumpOf returns the bump that a change of that class calls for.
func BumpOf(c Class) Bump {
	switch c {
	case Breaking:
		return Major
	case Behaviour, Addition:
		return Minor
	case Documentation:
		return Patch
	}
	return None
}

// Change is one difference that a user of the SDK may notice.
type Change struct {
	Class      Class    `json:"class"`
	Code       string   `json:"code"`                 // stable name of the kind of change
	Resource   string   `json:"resource,omitempty"`   // "payments"; "" when it concerns several or none
	Operations []string `json:"operations,omitempty"` // "client.Payments.Create"
	Subject    string   `json:"subject,omitempty"`    // Go name of what changed
	Text       string   `json:"text"`
	Advice     string   `json:"advice,omitempty"` // what a caller must do
	Before     string   `json:"before,omitempty"` // Go code that used to work
	After      string   `json:"after,omitempty"`  // Go code that works now
	Details    []string `json:"details,omitempty"`
	Pointer    string   `json:"pointer,omitempty"` // in the new document, or in the old one if gone
	Rules      []string `json:"rules,omitempty"`   // oasdiff's rules that found it as well

	resources map[string]bool
	places    map[place]bool
}

// place is where in an operation a change was seen: the names of wire members, joined by slashes.
type place struct{ operation, at string }

// Report is the result of a comparison.
type Report struct {
	Old     string   `json:"old"` // dates of the documents
	New     string   `json:"new"`
	Changes []Change `json:"changes"`
	Go      *GoDiff  `json:"go,omitempty"` // difference of the Go API, when it was compared
	Bump    Bump     `json:"bump"`
}

// GoDiff is what apidiff reports of the code generated from the two documents.
type GoDiff struct {
	Incompatible []string `json:"incompatible,omitempty"`
	Compatible   []string `json:"compatible,omitempty"`
	Unavailable  string   `json:"unavailable,omitempty"` // why there is no comparison, when there is none
}

// Bump returns the bump that the Go API's difference calls for.
func (g *GoDiff) Bump() Bump {
	switch {
	case g == nil:
		return None
	case len(g.Incompatible) > 0:
		return Major
	case len(g.Compatible) > 0:
		return Minor
	}
	return None
}

// SetGo adds the Go API's difference; the larger bump counts.
func (r *Report) SetGo(g *GoDiff) {
	r.Go = g
	r.Bump = max(r.Bump, g.Bump())
}

// Worst returns the worst class among the changes, or 0 without changes. A Go API that is no
// longer compatible counts as breaking.
func (r *Report) Worst() Class {
	var worst Class
	for _, c := range r.Changes {
		worst = max(worst, c.Class)
	}
	if r.Go.Bump() == Major {
		worst = Breaking
	}
	return worst
}

// Of returns the changes of one class.
func (r *Report) Of(class Class) []Change {
	var out []Change
	for _, c := range r.Changes {
		if c.Class == class {
			out = append(out, c)
		}
	}
	return out
}

// Group is the changes that concern one resource.
type Group struct {
	Resource string // "" for the API as a whole and for types that several resources share
	Title    string // "client.Payments", "The API", "Shared types"
	Changes  []Change
}

// Groups arranges changes by resource: the API as a whole first, then the resources by name, then
// the types that several resources share. Inside a group the worst come first.
func Groups(changes []Change) []Group {
	titles := map[string]*Group{}
	var out []*Group
	for _, c := range changes {
		title := "Shared types"
		switch {
		case c.Resource != "":
			title = "client." + goName(c.Resource)
		case len(c.Operations) == 0:
			title = "The API"
		}
		g := titles[title]
		if g == nil {
			g = &Group{Resource: c.Resource, Title: title}
			titles[title] = g
			out = append(out, g)
		}
		g.Changes = append(g.Changes, c)
	}
	rank := func(g *Group) int {
		return map[string]int{"The API": 0, "Shared types": 2}[g.Title] + b2i(g.Resource != "")
	}
	slices.SortStableFunc(out, func(a, b *Group) int {
		return cmp.Or(rank(a)-rank(b), strings.Compare(a.Title, b.Title))
	})
	groups := make([]Group, len(out))
	for i, g := range out {
		slices.SortStableFunc(g.Changes, func(a, b Change) int {
			return cmp.Or(int(b.Class)-int(a.Class), strings.Compare(a.Subject, b.Subject), strings.Compare(a.Text, b.Text))
		})
		groups[i] = *g
	}
	return groups
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
