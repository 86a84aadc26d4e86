// Package compare reports the changes between two descriptions of the API for users of the SDK: which method,
// type or field changed, whether their programs break, and what they must do.
//
// It compares twice: with the model of package openapi, to find what a change means for Go code, and with
// oasdiff, which knows all of OpenAPI. Findings that only oasdiff has are reported as well, so that a gap in
// our comparison cannot hide a change.
package compare

import (
	"cmp"
	"slices"
	"strings"
)

// Class is the consequence of a change for a program that uses the SDK.
type Class int

// The classes, the least severe first.
const (
	// Documentation changes descriptions, not behaviour.
	Documentation Class = iota + 1
	// Addition gives programs something new to use and does not affect them otherwise.
	Addition
	// Behaviour means that programs compile and their calls are accepted, but the API acts or replies
	// differently.
	Behaviour
	// Breaking means that a program no longer compiles with the new version, or that the API refuses or
	// reinterprets a call that used to work.
	Breaking
)

var classNames = map[Class]string{Documentation: "documentation", Addition: "addition", Behaviour: "behaviour", Breaking: "breaking"}

// String returns the name of the class in flags and reports.
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

// Classes lists the classes, the most severe first.
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
	Resource   string   `json:"resource,omitempty"`   // "payments"; "" if it concerns several or none
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

// place is the place of a change in an operation: the names of wire members, joined by slashes.
type place struct{ operation, at string }

// Report is the result of a comparison.
type Report struct {
	Old     string   `json:"old"` // dates of the documents
	New     string   `json:"new"`
	Changes []Change `json:"changes"`
	Go      *GoDiff  `json:"go,omitempty"` // differences of the Go API, if it was compared
	Bump    Bump     `json:"bump"`
}

// GoDiff holds the differences that apidiff finds between the code generated from the two documents.
type GoDiff struct {
	Incompatible []string `json:"incompatible,omitempty"`
	Compatible   []string `json:"compatible,omitempty"`
	Unavailable  string   `json:"unavailable,omitempty"` // why the code was not compared, or ""
}

// Bump returns the bump that the differences of the Go API call for.
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

// SetGo adds the differences of the Go API. The larger bump counts.
func (r *Report) SetGo(g *GoDiff) {
	r.Go = g
	r.Bump = max(r.Bump, g.Bump())
}

// Worst returns the most severe class among the changes, or 0 if there are none. An incompatible Go API counts
// as breaking.
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

// Group holds the changes that concern one resource.
type Group struct {
	Resource string // "" for the API as a whole and for types that several resources share
	Title    string // "client.Payments", "The API", "Shared types"
	Changes  []Change
}

// Groups arranges changes by resource: the API as a whole first, then the resources by name, then the types
// that several resources share. In a group the most severe changes come first.
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
