package openapi

import (
	"maps"
	"strings"
)

// Place is a set of kinds of place in a description. If the author never uses a keyword in a kind of place,
// such as limits in replies, its absence there has no meaning.
type Place uint8

// The kinds of place.
const (
	InQuery   Place = 1 << iota // query and header parameters
	InRequest                   // inside the envelope of a request
	InReply                     // inside the envelope of a reply
	InMeta                      // alongside the envelope, and in refusals
)

// BesideEnvelope reports whether a member of a reply appears next to its envelope.
func BesideEnvelope(member string) bool { return member == "meta" || member == "linked" }

// SaysIn reports whether a keyword occurs in every one of the places. The keywords are the same
// as for the whole document.
func (d *Document) SaysIn(places Place, keyword string) bool {
	if d.said == nil {
		d.listen()
	}
	for p := InQuery; p <= InMeta; p <<= 1 {
		if places&p != 0 && !d.said[p][keyword] {
			return false
		}
	}
	return places != 0
}

// SaysInAny reports whether a keyword occurs in one of the places.
func (d *Document) SaysInAny(places Place, keyword string) bool {
	for p := InQuery; p <= InMeta; p <<= 1 {
		if places&p != 0 && d.SaysIn(p, keyword) {
			return true
		}
	}
	return false
}

// listen gathers the keywords of every kind of place.
func (d *Document) listen() {
	d.said = map[Place]map[string]bool{InQuery: {}, InRequest: {}, InReply: {}, InMeta: {}}
	l := listener{d, map[heard]bool{}}
	for _, o := range d.Operations {
		for _, p := range o.Params {
			if p.In == "path" {
				continue
			}
			if p.Required {
				d.said[InQuery]["required"] = true
			}
			if p.Deprecated {
				d.said[InQuery]["deprecated"] = true
			}
			l.schema(InQuery, p.Schema)
		}
		if o.Body != nil {
			l.envelope(InRequest, o.Body.Schema)
		}
		for _, r := range o.Replies {
			l.envelope(InReply, r.Schema)
		}
		l.schema(InMeta, o.Failure)
	}
}

type listener struct {
	doc  *Document
	done map[heard]bool
}

type heard struct {
	place  Place
	schema *Schema
}

// envelope gathers the keywords of the members of the object around a body, but not the object's own, such as a
// required envelope.
func (l listener) envelope(place Place, s *Schema) {
	if s == nil {
		return
	}
	if d := s.Def(); len(d.Properties) > 0 && (place == InReply || len(d.Properties) == 1) {
		for _, p := range d.Properties {
			if place == InReply && BesideEnvelope(p.Name) {
				l.schema(InMeta, p.Schema)
			} else {
				l.schema(place, p.Schema)
			}
		}
		return
	}
	l.schema(place, s)
}

func (l listener) schema(place Place, s *Schema) {
	if s == nil || l.done[heard{place, s}] {
		return
	}
	l.done[heard{place, s}] = true
	said := l.doc.said[place]
	for keyword, present := range map[string]bool{
		"required": len(s.Required) > 0, "enum": len(s.Enum) > 0, "format:" + s.Format: s.Format != "", "null": s.Nullable,
		"default": s.Default != "", "deprecated": s.Deprecated, "x-restricted": s.Restricted, "x-required-when": s.RequiredWhen != "", "if": s.If != nil,
	} {
		if present {
			said[keyword] = true
		}
	}
	for limit := range maps.Keys(s.Limits) {
		said[LimitKeyword(limit)] = true
	}
	l.schema(place, s.Ref)
	for _, form := range s.OneOf {
		l.schema(place, form)
	}
	if s.Union != nil {
		return // its members are those of the forms
	}
	l.schema(place, s.Items)
	l.schema(place, s.Values)
	for _, p := range s.Properties {
		l.schema(place, p.Schema)
	}
}

// LimitKeyword returns the keyword of a limit: maxLength for additionalProperties/maxLength.
func LimitKeyword(limit string) string {
	first, rest, nested := strings.Cut(limit, "/")
	if nested && first == "additionalProperties" {
		return rest
	}
	return first
}
