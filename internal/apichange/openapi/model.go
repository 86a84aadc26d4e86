// Package openapi reads an OpenAPI 3.0 or 3.1 document, in any spelling, into one plain model: references are
// resolved, all spellings of null are one, wrappers around a single schema are removed, and everything has its
// JSON pointer. Comparing documents and adopting a foreign one start from this model; code is generated from
// the stricter model of generator/load.
package openapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// Document is a whole API description.
type Document struct {
	Root        *jsontree.Value
	OpenAPI     string // "3.1.0"
	Title       string
	Version     string // of the API: the value of the GoCardless-Version header
	Date        string // info/x-schema-date; "" in a foreign document
	Description string
	Servers     []Server
	Tags        []Tag
	Operations  []*Operation // in the document's order
	Problems    []Problem    // constructs that the model cannot hold

	components map[string]*Schema
	says       map[string]bool           // keywords that occur anywhere
	said       map[Place]map[string]bool // keywords in each kind of place; nil until it is needed
}

// Server is a base URL of the API.
type Server struct{ URL, Description string }

// Tag describes a resource.
type Tag struct{ Pointer, Name, Description string }

// Problem is a construct that is not understood.
type Problem struct{ Pointer, Message string }

// Error returns the place and the message.
func (p Problem) Error() string { return p.Pointer + ": " + p.Message }

// Operation is one method of one path.
type Operation struct {
	Pointer     string
	Method      string // "POST"
	Path        string // "/payments/{identity}"
	ID          string // operationId as written; may be ""
	Tags        []string
	Summary     string
	Description string
	Deprecated  bool
	Restricted  bool
	Params      []*Param
	Body        *Body    // nil without a request body
	Replies     []*Reply // of success, by status
	Failure     *Schema  // body of a refusal, or nil
	Refusals    []string // statuses of refusals that are listed one by one
	Media       []string // media types other than JSON that a body or a reply may have
	Beside      []string // descriptions of what the model has no field for, such as its own security
	Variants    []Variant
	Variant     string // name of the variant that this stands for alone; see SplitVariants
}

// SplitVariants returns an operation for each form of o's body, all with o's path.
func (o *Operation) SplitVariants() []*Operation {
	resource, _, _ := strings.Cut(o.ID, ".")
	var out []*Operation
	for _, v := range o.Variants {
		one := *o
		one.ID, one.Variant, one.Variants = resource+"."+v.Name, v.Name, nil
		one.Summary, one.Description = v.Summary, v.Description
		if body := o.Body.form(v.Params); body != nil {
			one.Body = body
		}
		out = append(out, &one)
	}
	return out
}

// form returns a body whose envelope has only one of its forms, or nil.
func (b *Body) form(component string) *Body {
	if b == nil || len(b.Schema.Def().Properties) != 1 {
		return nil
	}
	envelope := *b.Schema.Def()
	for _, form := range envelope.Properties[0].Schema.Def().OneOf {
		if form.Name() == component {
			envelope.Properties = []Property{{envelope.Properties[0].Name, form}}
			return &Body{Pointer: b.Pointer, Required: b.Required, Schema: &envelope}
		}
	}
	return nil
}

// Shape returns the path without the names of its variable segments, which servers ignore as well.
func (o *Operation) Shape() string { return Shape(o.Path) }

// Shape removes the names of a path's variable segments: /payments/{id} is /payments/{}.
func Shape(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}") {
			segments[i] = "{}"
		}
	}
	return strings.TrimSuffix(strings.Join(segments, "/"), "/")
}

// UsualRefusal reports whether at least half of the operations list a status of refusal. Such a status means
// nothing for a single operation.
func (d *Document) UsualRefusal(status string) bool {
	return d.usual(func(o *Operation) bool { return slices.Contains(o.Refusals, status) })
}

// UsuallyBeside does the same for one of the statements that the model has no field for.
func (d *Document) UsuallyBeside(words string) bool {
	return d.usual(func(o *Operation) bool { return slices.Contains(o.Beside, words) })
}

func (d *Document) usual(has func(o *Operation) bool) bool {
	n := 0
	for _, o := range d.Operations {
		if has(o) {
			n++
		}
	}
	return 2*n >= len(d.Operations)
}

// Security describes how calls are authenticated, without the names of the schemes, or returns "" if the
// document does not state it.
func (d *Document) Security() string {
	var ways []string
	schemes := d.Root.At("/components/securitySchemes")
	for _, way := range items(d.Root.Get("security")) {
		var parts []string
		for _, m := range way.Members {
			s := schemes.Get(m.Name)
			parts = append(parts, strings.Join(slices.DeleteFunc([]string{
				s.Get("type").Str(), s.Get("scheme").Str(), s.Get("in").Str(), s.Get("name").Str(),
			}, func(part string) bool { return part == "" }), " "))
		}
		slices.Sort(parts)
		ways = append(ways, strings.Join(parts, " and "))
	}
	slices.Sort(ways)
	return strings.Join(ways, " or ")
}

// LeftOut lists the places of the API that a document in our form leaves out.
func (d *Document) LeftOut() []string { return d.Root.Get("info").Get(ir.LeftOutKey).Names() }

// Param returns the parameter with the given place and name, or nil. Header names are case-insensitive.
func (o *Operation) Param(in, name string) *Param {
	for _, p := range o.Params {
		if p.In == in && (p.Name == name || in == "header" && strings.EqualFold(p.Name, name)) {
			return p
		}
	}
	return nil
}

// Reply returns the successful reply that the SDK reads, or nil if there is none: 204 or 202 without a body if
// the API may reply without one, else the one with the lowest status.
func (o *Operation) Reply() *Reply {
	for _, r := range o.Replies {
		if r.Status == "204" || r.Status == "202" && r.Schema == nil {
			return r
		}
	}
	if len(o.Replies) == 0 {
		return nil
	}
	return o.Replies[0]
}

// Param is a parameter in the path, query or header.
type Param struct {
	Pointer     string
	In, Name    string
	Description string
	Required    bool
	Deprecated  bool
	Style       string // with defaults filled in: "form", "simple", "deepObject"
	Explode     bool
	Schema      *Schema
}

// Body is a request body in JSON.
type Body struct {
	Pointer  string
	Required bool
	Schema   *Schema
}

// Reply is a successful reply.
type Reply struct {
	Pointer string
	Status  string  // "201" or AnyStatus
	Schema  *Schema // nil without a body
}

// AnyStatus stands for every status of success, in documents that do not distinguish them.
const AnyStatus = "2XX"

// Variant is one method of an operation that has several (x-variants).
type Variant struct {
	Pointer, Name, Params, Summary, Description string
}

// Schema is a use of a schema or its definition. A use refers to a definition by Ref and may add annotations,
// null and limits; everything else is in the definition. A component with readOnly or writeOnly properties is
// two definitions, one for requests and one for replies.
type Schema struct {
	Pointer   string
	Component string  // name of a component, or ""
	Ref       *Schema // definition that a use refers to, or nil

	Type       string // "string", "object"; several joined by |; "" if anything is allowed
	Nullable   bool
	Format     string
	Enum       []string // values, without null
	Properties []Property
	Required   []string // sorted
	Items      *Schema
	Values     *Schema // of members that are not in Properties
	Open       bool    // members that are not in Properties may be anything
	Closed     bool    // members that are not in Properties are not allowed
	OneOf      []*Schema
	Union      *Union            // of a choice between objects, whose Properties are those of all
	Counted    bool              // a number that is a choice between a string of digits and an integer
	Limits     map[string]string // "maxLength": "18", as JSON text
	Const      string            // as JSON text
	Default    string            // as JSON text
	If         *jsontree.Value
	Then       *jsontree.Value
	Else       *jsontree.Value

	Title            string
	Description      string
	Examples         []*jsontree.Value
	EnumDescriptions map[string]string
	Deprecated       bool
	Restricted       bool
	RequiredWhen     string
	Other            map[string]string // keywords without a field in the model, as JSON text

	hidden []string // members that this direction does not have
}

// Property is a member of an object.
type Property struct {
	Name   string
	Schema *Schema
}

// Def returns the definition behind a use.
func (s *Schema) Def() *Schema {
	for range maxReferences {
		if s.Ref == nil {
			return s
		}
		s = s.Ref
	}
	return s
}

// maxReferences ends a chain of references that loops.
const maxReferences = 64

// MayBeNull reports whether null is allowed, by the use or by the definition.
func (s *Schema) MayBeNull() bool {
	for range maxReferences {
		if s.Nullable {
			return true
		}
		if s.Ref == nil {
			return false
		}
		s = s.Ref
	}
	return false
}

// AllLimits returns the limits of the definition together with those that a use adds. Of two it returns the
// tighter one, because both hold.
func (s *Schema) AllLimits() map[string]string {
	return s.together(func(s *Schema) map[string]string { return s.Limits }, Tighter)
}

// UseLimits returns the limits that a use adds to those of the definition.
func (s *Schema) UseLimits() map[string]string {
	return s.together(func(s *Schema) map[string]string {
		if s.Ref == nil {
			return nil
		}
		return s.Limits
	}, Tighter)
}

// AllOther returns the keywords of Other in the definition together with those that a use adds.
func (s *Schema) AllOther() map[string]string {
	return s.together(func(s *Schema) map[string]string { return s.Other }, func(_, outer, _ string) bool { return outer == "" })
}

// together joins a part of the uses on the way to the definition and of the definition itself; wins reports
// whether the inner one of two counts.
func (s *Schema) together(part func(*Schema) map[string]string, wins func(key, outer, inner string) bool) map[string]string {
	all := maps.Clone(part(s))
	for range maxReferences {
		if s = s.Ref; s == nil {
			break
		}
		for key, text := range part(s) {
			if wins(key, all[key], text) {
				set(&all, key, text)
			}
		}
	}
	return all
}

// Name returns the name of the component that a use refers to, or "".
func (s *Schema) Name() string { return s.Def().Component }

// Property returns the member of that name, or nil.
func (s *Schema) Property(name string) *Schema {
	for _, p := range s.Properties {
		if p.Name == name {
			return p.Schema
		}
	}
	return nil
}

// Requires reports whether a member must be present.
func (s *Schema) Requires(name string) bool { return slices.Contains(s.Required, name) }

// IsObject reports whether a schema is an object with named members, which becomes a struct.
func (s *Schema) IsObject() bool {
	d := s.Def()
	return d.Type == "object" && (len(d.Properties) > 0 || d.Values == nil && !d.Open)
}

// IsMap reports whether a schema is an object without named members.
func (s *Schema) IsMap() bool {
	d := s.Def()
	return d.Type == "object" && !s.IsObject()
}

// IsEnum reports whether a schema has a list of values.
func (s *Schema) IsEnum() bool { return len(s.Def().Enum) > 0 }

// Operation returns the operation of a method and a path shape, or nil.
func (d *Document) Operation(method, shape string) *Operation {
	for _, o := range d.Operations {
		if o.Method == method && o.Shape() == shape {
			return o
		}
	}
	return nil
}

// ByID returns the operation with the given operationId, or nil.
func (d *Document) ByID(id string) *Operation {
	for _, o := range d.Operations {
		if o.ID == id && id != "" {
			return o
		}
	}
	return nil
}

// Component returns a component schema, or nil.
func (d *Document) Component(name string) *Schema { return d.components[name] }

// Says reports whether a keyword occurs anywhere in the document. "format:date" stands for a format,
// "header:idempotency-key" for a header, and "null" for every way to allow null. If a document never uses a
// keyword, its absence has no meaning: an author who writes no limits has not lifted them, and OpenAPI 3.0
// cannot express conditions.
func (d *Document) Says(keyword string) bool { return d.says[keyword] }
