package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

// Overlay corrects and completes a document. Every entry has a reason, and an entry that matches
// nothing is an error. An entry with Since applies to documents of that date or later.
type Overlay struct {
	Operations []*OperationName `json:"operations"`
	Kinds      []*KindOf        `json:"kinds"`
	Notes      []*NoteOf        `json:"notes"`
	Types      []*TypeOf        `json:"types"`
	Extra      []*ExtraOf       `json:"extra"`
	Styles     []*StyleOf       `json:"styles"`
	Names      []*NameOf        `json:"names"`
	Ignore     []*Ignored       `json:"ignore"`
	Pins       []*Pin           `json:"pins"`
}

// Entry holds what all entries of an overlay have.
type Entry struct {
	Since  string `json:"since,omitempty"`
	Reason string `json:"reason"`
	used   bool
}

// OperationName names an operation whose method and path no rule covers.
type OperationName struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	ID     string `json:"id"`
	Entry
}

// KindOf sets the kind of an operation.
type KindOf struct {
	Operation string  `json:"operation"`
	Kind      ir.Kind `json:"kind"`
	Entry
}

// NoteOf adds a paragraph to the documentation of operations.
type NoteOf struct {
	Operations []string `json:"operations"`
	Note       string   `json:"note"`
	Entry
	unused []string // of Operations
}

// TypeOf gives a string property an open enum type with values from the catalogue.
type TypeOf struct {
	Schema   string `json:"schema"`
	Property string `json:"property"`
	Type     string `json:"type"`
	Values   string `json:"values"` // "actions" or "causes"
	Entry
}

// ExtraOf makes a reply type keep members that the schema does not name.
type ExtraOf struct {
	Schema string `json:"schema"`
	Entry
}

// StyleOf sets how a query parameter is written.
type StyleOf struct {
	Operation string `json:"operation"`
	Parameter string `json:"parameter"`
	Style     string `json:"style"`
	Entry
}

// NameOf gives a schema, property or enum value another Go name.
type NameOf struct {
	Pointer string `json:"pointer"`
	Name    string `json:"name"`
	Entry
}

// Ignored leaves an operation, or a member of a schema, out of the SDK.
type Ignored struct {
	Place string `json:"place"` // "POST /exports/upload", or the JSON pointer of a member
	Entry
}

// Pin keeps a part of our description that sources state differently. Package adopt applies pins; this
// package takes from them the reasons for places that are left out.
type Pin struct {
	Place string `json:"place"` // "POST /*/{identity}/actions/*", or the JSON pointer of a member
	Keep  string `json:"keep"`  // "envelope" or "member"
	Entry
}

// ParseOverlay reads an overlay. Unknown members and missing reasons are errors.
func ParseOverlay(data []byte) (*Overlay, error) {
	var o Overlay
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&o); err != nil {
		return nil, fmt.Errorf("overlay: %w", err)
	}
	for _, e := range o.Notes {
		e.unused = slices.Clone(e.Operations)
	}
	var errs problems
	o.each(func(pointer, _ string, e *Entry) {
		if strings.TrimSpace(e.Reason) == "" {
			errs.add(pointer, "overlay entry has no reason")
		}
	})
	for i, e := range o.Pins {
		pointer := fmt.Sprintf("/pins/%d", i)
		if strings.TrimSpace(e.Reason) == "" {
			errs.add(pointer, "overlay entry has no reason")
		}
		if e.Keep != "envelope" && e.Keep != "member" {
			errs.add(pointer, "keep is %q: envelope or member is expected", e.Keep)
		}
	}
	return &o, errs.err()
}

// each visits all entries but the pins, with their pointers in the overlay and their targets.
func (o *Overlay) each(visit func(pointer, target string, e *Entry)) {
	for i, e := range o.Operations {
		visit(fmt.Sprintf("/operations/%d", i), e.Method+" "+e.Path, &e.Entry)
	}
	for i, e := range o.Kinds {
		visit(fmt.Sprintf("/kinds/%d", i), e.Operation, &e.Entry)
	}
	for i, e := range o.Notes {
		visit(fmt.Sprintf("/notes/%d", i), strings.Join(e.unused, ", "), &e.Entry)
	}
	for i, e := range o.Types {
		visit(fmt.Sprintf("/types/%d", i), e.Schema+"."+e.Property, &e.Entry)
	}
	for i, e := range o.Extra {
		visit(fmt.Sprintf("/extra/%d", i), e.Schema, &e.Entry)
	}
	for i, e := range o.Styles {
		visit(fmt.Sprintf("/styles/%d", i), e.Operation+"?"+e.Parameter, &e.Entry)
	}
	for i, e := range o.Names {
		visit(fmt.Sprintf("/names/%d", i), e.Pointer, &e.Entry)
	}
	for i, e := range o.Ignore {
		visit(fmt.Sprintf("/ignore/%d", i), e.Place, &e.Entry)
	}
}

// Stale is an entry of the overlay that matches nothing in the document, or a part of one.
type Stale struct {
	Pointer string // into the overlay
	Target  string // what it should match
}

// stale lists the entries that should have matched something in a document of the given date.
func (o *Overlay) stale(date string) []Stale {
	var out []Stale
	o.each(func(pointer, target string, e *Entry) {
		if !e.used && e.Since <= date {
			out = append(out, Stale{pointer, target})
		}
	})
	return out
}

// parts replaces a stale note that still matches an operation by those of its operations that are gone.
func (o *Overlay) parts(stale []Stale) []Stale {
	var out []Stale
	for _, s := range stale {
		var i int
		if n, _ := fmt.Sscanf(s.Pointer, "/notes/%d", &i); n != 1 || len(o.Notes[i].unused) == len(o.Notes[i].Operations) {
			out = append(out, s)
			continue
		}
		for j, id := range o.Notes[i].Operations {
			if slices.Contains(o.Notes[i].unused, id) {
				out = append(out, Stale{fmt.Sprintf("%s/operations/%d", s.Pointer, j), id})
			}
		}
	}
	return out
}

// Operation returns the id of the entry for an operation, or "".
func (o *Overlay) Operation(method, path string) string {
	for _, e := range o.Operations {
		if e.Method == method && e.Path == path {
			e.used = true
			return e.ID
		}
	}
	return ""
}

func (o *Overlay) kind(id string) ir.Kind {
	for _, e := range o.Kinds {
		if e.Operation == id {
			e.used = true
			return e.Kind
		}
	}
	return ""
}

func (o *Overlay) note(id string) string {
	for _, e := range o.Notes {
		if slices.Contains(e.Operations, id) {
			e.unused = slices.DeleteFunc(e.unused, func(s string) bool { return s == id })
			e.used = len(e.unused) == 0
			return e.Note
		}
	}
	return ""
}

func (o *Overlay) typeOf(schema, property string) *TypeOf {
	for _, e := range o.Types {
		if e.Schema == schema && e.Property == property {
			e.used = true
			return e
		}
	}
	return nil
}

func (o *Overlay) extra(schema string) bool {
	for _, e := range o.Extra {
		if e.Schema == schema {
			e.used = true
			return true
		}
	}
	return false
}

func (o *Overlay) style(operation, parameter string) string {
	for _, e := range o.Styles {
		if e.Operation == operation && e.Parameter == parameter {
			e.used = true
			return e.Style
		}
	}
	return ""
}

func (o *Overlay) name(pointer string) string {
	for _, e := range o.Names {
		if e.Pointer == pointer {
			e.used = true
			return e.Name
		}
	}
	return ""
}

// variable matches a variable segment of a path.
var variable = regexp.MustCompile(`\{[^{}]*\}`)

// Ignored returns the entry that leaves out a place, or nil. The names of variable segments do not count.
func (o *Overlay) Ignored(place string) *Ignored {
	for _, e := range o.Ignore {
		if variable.ReplaceAllString(e.Place, "{}") == variable.ReplaceAllString(place, "{}") {
			e.used = true
			return e
		}
	}
	return nil
}

// ReasonFor returns why an entry leaves a place out or keeps it, or "" if there is none.
func (o *Overlay) ReasonFor(place string) string {
	reason := ""
	if e := o.Ignored(place); e != nil {
		reason = e.Reason
	}
	for _, pin := range o.Pins {
		if pin.Keep == "member" && pin.Place == place {
			reason = pin.Reason
		}
	}
	return reason
}
