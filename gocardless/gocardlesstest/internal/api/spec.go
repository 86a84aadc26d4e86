// Package api contains the API's description in generated tables: operations, members, limits, events and
// reasons. It finds the operation of a path, reads and checks the query and body of a request, and makes
// the errors that refuse it. It does not contain what an operation does.
package api

// OpKind is what an operation does to the store.
type OpKind uint8

const (
	OpRead   OpKind = iota // GET
	OpUpdate               // PUT
	OpDelete               // DELETE
	OpCreate               // POST that respects the idempotency key
	OpAction               // POST that acts on something, and PATCH
)

// Operation is one operation of the API.
type Operation struct {
	Name   string // "payments.create"
	Method string
	Path   string // "/payments/{identity}"

	DescribedAt string // path in the API's description, if this one is an alias

	Kind    OpKind
	Request string // envelope of the request body, or ""
	Reply   string // envelope of the reply body, or ""
	List    bool   // the reply is a page
	Cursors bool   // the page has cursors
	Status  int

	Bodies  []*Type // schemas of the request body, one for each of its forms
	Query   []Field
	Headers []Field
	Result  *Type // schema of one resource in the reply
	Linked  *Type // what a list contains alongside its items
}

// Op finds an operation by name. It panics if there is none.
func Op(name string) *Operation {
	for i := range Operations {
		if Operations[i].Name == name {
			return &Operations[i]
		}
	}
	panic("gocardlesstest: no operation " + name)
}

// Resource returns the part of the name before the dot, such as "payments".
func (o *Operation) Resource() string {
	for i := range len(o.Name) {
		if o.Name[i] == '.' {
			return o.Name[:i]
		}
	}
	return o.Name
}

// Type is an object of a request or a reply.
type Type struct {
	Name       string
	Fields     []Field
	Conditions []Condition
	Union      bool // one of several objects; Fields are those of all, and Conditions select
}

// Field finds a member by name, or returns nil.
func (t *Type) Field(name string) *Field {
	if i := t.Index(name); i >= 0 {
		return &t.Fields[i]
	}
	return nil
}

// Index returns the position of a member, or -1. Objects have at most thirty members, so a scan is as
// fast as a map and needs no memory.
func (t *Type) Index(name string) int {
	for i := range t.Fields {
		if t.Fields[i].Name == name {
			return i
		}
	}
	return -1
}

// Kind is the shape of a member.
type Kind uint8

const (
	KindString Kind = iota
	KindInt
	KindFloat
	KindBool
	KindDate
	KindTime
	KindObject    // of type Type
	KindArray     // of Elem
	KindMetadata  // string map with limits
	KindStringMap // string map
	KindAnyMap    // any object
	KindMap       // object with values of Elem
	KindStringOrInt
)

// Style is how a query parameter is written.
type Style uint8

const (
	StylePlain  Style = iota
	StyleDeep         // created_at[gte]=
	StyleComma        // status=a,b
	StyleRepeat       // status=a&status=b
)

// Field is a member of an object, a query parameter or a header.
type Field struct {
	Name     string
	Kind     Kind
	Style    Style
	Required bool
	Nullable bool
	Format   string   // "uri" or "email"
	Enum     []string // allowed values
	Default  string   // default as JSON, or ""
	Type     *Type
	Elem     *Field
	Limits   *Limits
	Text     string // description, in the control API
}

// Limits of a member; a nil pointer means unlimited.
type Limits struct {
	MinLength, MaxLength                                 *int
	Minimum, Maximum, MultipleOf                         *int64
	MinItems, MaxItems                                   *int
	UniqueItems                                          bool
	Pattern                                              string
	MinMembers, MaxMembers, MaxKeyLength, MaxValueLength *int
}

// Condition makes members required or forbidden if Field has the value Is.
type Condition struct {
	Field string
	Is    string
	Then  [][]string // paths of members that are then required
	Not   []string   // members that are then refused
}
