// Package ir is the generator's model of the API: plain structs, already named, sorted and
// checked. Emitters read it and nothing else; in particular they never see OpenAPI.
//
// Every slice is in output order, so that an emitter that ranges over it is deterministic.
package ir

import "iter"

// API is everything that the emitters need to know.
type API struct {
	Title       string
	Version     string // value of the GoCardless-Version header, such as "2015-07-06"
	SchemaDate  string // date of the vendored document, such as "2026-08-13"
	Description string
	ModulePath  string // from go.mod

	Services  []*Service // by resource name
	Types     []*Type    // objects and enums, by Go name
	Catalogue *Catalogue // nil when generated without a catalogue
	LeftOut   []LeftOut  // by place

	Taken map[string]string // Go names, such as Payment or Payment.ID, with the place that has each
}

// Operations iterates over the operations of all services, in order.
func (a *API) Operations() iter.Seq2[*Service, *Operation] {
	return func(yield func(*Service, *Operation) bool) {
		for _, s := range a.Services {
			for _, op := range s.Operations {
				if !yield(s, op) {
					return
				}
			}
		}
	}
}

// SchemaPrefix starts a reference to a component schema in an OpenAPI document.
const SchemaPrefix = "#/components/schemas/"

// LeftOutKey is the member of info that lists what the document leaves out or keeps in an older form: places
// with the reasons.
const LeftOutKey = "x-left-out"

// LeftOut is a part of the API that the SDK does not have, or has in an older form.
type LeftOut struct {
	Place  string // "POST /exports/upload", "GET /exports?colour", or the JSON pointer of a member
	Reason string
	Open   bool // the overlay does not list it: the maintainer must decide
	Kept   bool // the SDK has an older form of it
}

func (l LeftOut) String() string {
	text := l.Place + " is left out: " + l.Reason
	if l.Kept {
		text = l.Place + " stays as it was: " + l.Reason
	}
	switch {
	case l.Open && l.Kept:
		text += ". Extend the generator, or list the place in pins of generator/overlay.json with a reason"
	case l.Open:
		text += ". Extend the generator, or list the place in ignore of generator/overlay.json with a reason"
	}
	return text
}

// Service groups the operations of one resource.
type Service struct {
	Resource   string // "payments"
	GoName     string // field of the client: "Payments"
	TypeName   string // "PaymentService"
	Noun       string // for prose: "payment"
	Doc        string
	Operations []*Operation // in order of the document's paths
}

// Kind classifies the effect of an operation; it decides when the operation may be retried.
type Kind string

// The kinds of operation.
const (
	KindRead   Kind = "read"   // GET
	KindUpdate Kind = "update" // PUT
	KindDelete Kind = "delete" // DELETE
	KindCreate Kind = "create" // POST that creates and honours the idempotency key
	KindAction Kind = "action" // POST that acts, or whose key the API does not honour; PATCH
)

// Operation is one method and path of the API.
type Operation struct {
	Pointer string // JSON pointer into the document
	ID      string // "payments.create"
	Service *Service
	Var     string // Go variable that describes it: "opPaymentsCreate"

	HTTPMethod string
	Path       string // "/payments/{identity}"
	PathParams []PathParam
	Kind       Kind

	RequestEnvelope string // "payments", "data", or "" without a body
	ReplyEnvelope   string // "" when the reply has no envelope or there is none
	Reply           *Type  // nil when the reply has no body
	List            bool   // the reply is a page of Reply
	Cursors         bool   // the list has cursors
	Linked          *Type  // what a list carries besides its items ("linked" of events), or nil
	Status          int    // status of success: 200, 201, 202 or 204

	Deprecated bool
	Restricted bool
	Note       string // a paragraph for its documentation, or ""

	Read    *Operation // how a resource that this operation creates is read again, or nil
	Methods []*Method  // one, or one per variant
}

// PathParam is a variable segment of a path.
type PathParam struct {
	Name   string // "identity"
	GoName string // "id"; "creditorID" for one of several
	Doc    string
}

// Method is one Go method of an operation.
type Method struct {
	GoName  string // "Create"
	AllName string // "All" or "AllForBillingRequest" when there is an iterator, else ""
	Variant string // "create_with_dates" when the operation has a method for each form of its body
	Summary string
	Doc     string
	Params  *Type // nil when the method takes none
}

// HasParams reports whether the method takes params besides path segments.
func (m *Method) HasParams() bool { return m.Params != nil }

// TypeKind distinguishes the two sorts of named type.
type TypeKind int

// The kinds of named type.
const (
	Object TypeKind = iota
	Enum
)

// Role is the use of an object type: in requests or in replies. A schema used in both becomes two
// types, because optional fields differ.
type Role int

// The roles of an object type.
const (
	RoleReply  Role = iota // part of a reply
	RoleParams             // a method's params: body, query and header fields
	RoleNested             // object inside a request body
	RoleFilter             // object inside a query (created_at[gte])
)

// Type is a named Go type.
type Type struct {
	Pointer    string // JSON pointer of its schema
	Schema     string // name of its schema; "" for one made from query parameters
	GoName     string
	Doc        string
	Kind       TypeKind
	Role       Role
	Fields     []*Field // id first, then by name
	Values     []*Value // of an enum, in the document's order
	Conditions []*Condition
	Union      bool   // one of several objects: Fields are those of all, Conditions say which has what
	KeepsExtra bool   // unknown members are kept in a field Extra
	Home       string // resource whose file it lives in; "" when several share it
	Deprecated bool
}

// Field returns the field with the given name on the wire, or nil.
func (t *Type) Field(wire string) *Field {
	for _, f := range t.Fields {
		if f.Name == wire {
			return f
		}
	}
	return nil
}

// Value is one value of an enum.
type Value struct {
	Wire   string
	GoName string // "PaymentStatusPaidOut"
	Doc    string
}

// Place is the part of a request or reply that contains a field.
type Place int

// The places of a field.
const (
	InBody Place = iota
	InQuery
	InHeader
)

// Style is how a query parameter is written.
type Style int

// The query styles.
const (
	Plain      Style = iota
	DeepObject       // created_at[gte]=
	Comma            // status=a,b
	Repeat           // status=a&status=b
)

// Field is a member of an object type.
type Field struct {
	Pointer      string
	Name         string // on the wire
	GoName       string
	Doc          string
	In           Place
	Style        Style
	Type         *Ref
	Pointered    bool // Go type is a pointer
	Required     bool
	Nullable     bool
	Deprecated   bool
	Restricted   bool
	RequiredWhen string // condition, or "" if Required
	Default      string // JSON text, or ""
	Example      string // JSON text, or ""

	Limits
}

// Limits restrict the values of a field.
type Limits struct {
	MinLength, MaxLength *int
	Minimum, Maximum     *int64
	MultipleOf           *int64
	Pattern              string
	// Limits of an array.
	MinItems, MaxItems *int
	UniqueItems        bool
	// Limits of a map: number of members, length of keys, length of values that are strings.
	MinMembers, MaxMembers, MaxKeyLength, MaxValueLength *int
}

// RefKind is the shape of a field's type.
type RefKind int

// The shapes.
const (
	String      RefKind = iota
	Int                 // Go int
	Int64               // Go int64, money in minor units
	Float               // Go float64
	Bool                // Go bool
	Date                // Date
	Time                // time.Time
	Named               // object or enum: Ref.Type
	Array               // slice of Ref.Elem: String, a number, Bool or Named
	Metadata            // Metadata
	StringMap           // map[string]string
	AnyMap              // map[string]any
	Map                 // map of Ref.Elem by string
	StringOrInt         // string; on the wire a string or an integer
)

// Ref is a use of a type.
type Ref struct {
	Kind   RefKind
	Type   *Type  // for Named
	Elem   *Ref   // for Array and Map
	Format string // "uri", "email" or "": what the string holds
}

// IsEnum reports whether the type is a named enum.
func (r *Ref) IsEnum() bool { return r.Kind == Named && r.Type.Kind == Enum }

// IsObject reports whether the type is a named object.
func (r *Ref) IsObject() bool { return r.Kind == Named && r.Type.Kind == Object }

// Innermost returns the type of what an array or a map holds, however deep, or the type itself.
func (r *Ref) Innermost() *Ref {
	for r.Elem != nil {
		r = r.Elem
	}
	return r
}

// Condition is an if/then of an object: when Field has the value Equals, Then is required and Not must be
// absent.
type Condition struct {
	Pointer string
	Field   *Field
	Equals  string
	Then    []Path
	Not     []*Field
}

// Path leads from an object to a member, possibly of a member.
type Path []*Field

// Catalogue is what the API's documentation lists besides its schema.
type Catalogue struct {
	ResourceTypes []*EventResource
	Actions       []*Value // over all resource types, by name
	Causes        []*Value
	Events        []*Event
	Reasons       []*Reason
	Simulators    []*Simulator
	Prefixes      []Prefix
	RateLimits    []RateLimit
	Schemes       []*Scheme
	NameTriggers  []*Value
}

// EventResource is a resource type with its actions.
type EventResource struct {
	Name    string
	Actions []string
}

// Event is a pair of resource type and action.
type Event struct {
	GoName   string // "EventPaymentsFailed"
	Resource string
	Action   string
	Doc      string
	Causes   []EventCause
}

// EventCause is a cause of an event and who may trigger it.
type EventCause struct {
	Name    string
	Doc     string
	Origins []string
}

// Reason is a stable code of an API error.
type Reason struct {
	GoName string // "ReasonMandateIsInactive"
	Name   string
	Doc    string
	Status int
	Type   string
	Link   string // link that the error carries, or ""
}

// Simulator is a scenario simulator of the sandbox environment.
type Simulator struct {
	GoName   string
	Name     string
	Resource string
	Doc      string
	Requires string
	Result   []Pair
}

// Pair is a name and a value.
type Pair struct{ Name, Value string }

// Prefix is the id prefix of a resource.
type Prefix struct{ Resource, Prefix string }

// RateLimit is a budget of requests per clock minute.
type RateLimit struct {
	Group     string // "balances"; that of all requests is "general"
	Paths     string // "*", or methods and a path: "GET,PUT /outbound_payments*"
	PerMinute int
	Doc       string
}

// Scheme is a bank payment scheme.
type Scheme struct {
	Name      string
	Currency  string
	Countries []string
	Doc       string
}
