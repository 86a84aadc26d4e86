// Package spec has the operations of the API, their parameters and results as generated tables, from
// which gcpro makes its commands.
package spec

import "strings"

// Operation is a command: an operation of the API with one variant of its parameters.
type Operation struct {
	Name   string // "instalment_schedules.create"
	Verb   string // "create_with_dates"
	Method string
	Path   string // "/payments/{identity}"
	Kind   string // as gocardless.OperationKind

	Request string // envelope of the request body, or ""
	Reply   string // envelope of the reply, or ""

	List, Cursors          bool
	Deprecated, Restricted bool

	Doc    string
	Params *Object // nil when there are none
	Result *Object // nil when the reply has no body
}

// Resource returns the resource of the operation, such as "payments".
func (o *Operation) Resource() string {
	resource, _, _ := strings.Cut(o.Name, ".")
	return resource
}

// PathParams returns the names of the variable segments of the path.
func (o *Operation) PathParams() []string {
	var names []string
	for segment := range strings.SplitSeq(o.Path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}

// Resource is a kind of resource of the API.
type Resource struct{ Name, Doc string }

// Kind is the type of a value.
type Kind int

// The kinds.
const (
	String Kind = iota
	Int
	Money // integer in the minor unit of a currency
	Float
	Bool
	Date
	Time
	List  // Field.Elem
	Map   // of strings
	JSON  // any object
	Group // Field.Object
)

// Place is the part of a request that holds a parameter.
type Place int

// The places.
const (
	InBody Place = iota
	InQuery
	InQueryDeep   // created_at[gte]
	InQueryRepeat // status=a&status=b
	InHeader
)

// Object describes the members of a JSON object, or the parameters of an operation.
type Object struct {
	Fields     []Field
	Conditions []Condition
}

// Field returns a member by name, or nil.
func (o *Object) Field(name string) *Field {
	if o == nil {
		return nil
	}
	for i := range o.Fields {
		if o.Fields[i].Name == name {
			return &o.Fields[i]
		}
	}
	return nil
}

// Field is a member of an object.
type Field struct {
	Name   string
	Kind   Kind
	Doc    string
	In     Place
	Enum   []Value
	Elem   *Field
	Object *Object

	Required, Nullable, Deprecated bool

	RequiredWhen string
	Default      string // JSON
	Example      string // JSON
	Pattern      string

	// Zero when there is no limit.
	MinLength, MaxLength                     int
	MaxMembers, MaxKeyLength, MaxValueLength int
	Minimum, Maximum                         *int64
}

// Condition is a conditional requirement: when Field has the value Is, the members Then are
// required, as dotted paths.
type Condition struct {
	Field, Is string
	Then      []string
}

// Value is one value of an enum.
type Value struct{ Name, Doc string }

// Simulator is a scenario simulator of the sandbox environment.
type Simulator struct{ Name, Resource, Doc, Requires string }

// Prefix is the prefix of a resource's ids.
type Prefix struct{ Prefix, Resource string }

// ResourcesOf returns the resources that an id may belong to, by its longest known prefix. Some
// resources share a prefix.
func ResourcesOf(id string) []string {
	best := 0
	var resources []string
	for _, p := range Prefixes {
		switch {
		case !strings.HasPrefix(id, p.Prefix) || len(p.Prefix) < best:
		case len(p.Prefix) > best:
			best, resources = len(p.Prefix), []string{p.Resource}
		default:
			resources = append(resources, p.Resource)
		}
	}
	return resources
}

// Find returns the operation with a resource and verb, or nil.
func Find(resource, verb string) *Operation {
	for i := range Operations {
		if o := &Operations[i]; o.Verb == verb && o.Resource() == resource {
			return o
		}
	}
	return nil
}
