package gocardlesstest

// The types of the generated tables (tables_gen.go, catalogue_gen.go). The tables say what the
// API's documents say: operations, members, limits, events, reasons. What the API does is
// written by hand in the files of the resource families.

// opKind is what an operation does to the store.
type opKind uint8

const (
	kindRead   opKind = iota // GET
	kindUpdate               // PUT
	kindDelete               // DELETE
	kindCreate               // POST that honours the idempotency key
	kindAction               // POST that acts on something
)

// opSpec is one operation of the API.
type opSpec struct {
	name   string // "payments.create"
	method string
	path   string // "/payments/{identity}"

	describedAt string // path in the API's description, when this one is an older name for it

	kind    opKind
	request string // envelope of the request body, "" when there is none
	reply   string // envelope of the reply body, "" when there is none
	list    bool   // the reply is a page
	cursors bool   // the page has cursors
	status  int

	bodies  []*typeSpec // schema of the request body; two when it has two forms
	query   []fieldSpec
	headers []fieldSpec
	result  *typeSpec // schema of one resource in the reply
	linked  *typeSpec // what a list carries alongside its items
}

// resource is the part of the name before the dot, such as "payments".
func (o *opSpec) resource() string {
	for i := range len(o.name) {
		if o.name[i] == '.' {
			return o.name[:i]
		}
	}
	return o.name
}

// typeSpec is an object of a request or a reply.
type typeSpec struct {
	name       string
	fields     []fieldSpec
	conditions []condSpec
}

// field finds a member by its name on the wire.
func (t *typeSpec) field(name string) *fieldSpec {
	if i := t.index(name); i >= 0 {
		return &t.fields[i]
	}
	return nil
}

// index is the position of a member, or -1. Objects have at most thirty members, so a scan is
// as fast as a map and costs no memory.
func (t *typeSpec) index(name string) int {
	for i := range t.fields {
		if t.fields[i].name == name {
			return i
		}
	}
	return -1
}

// fieldKind is the shape of a member.
type fieldKind uint8

const (
	kString fieldKind = iota
	kInt
	kFloat
	kBool
	kDate
	kTime
	kObject    // typ is its type
	kArray     // elem is its element
	kMetadata  // string map with limits
	kStringMap // string map
	kAnyMap    // any object
)

// queryStyle is how a query parameter is written.
type queryStyle uint8

const (
	plainStyle queryStyle = iota
	deepStyle             // created_at[gte]=
	commaStyle            // status=a,b
)

// fieldSpec is a member of an object, a query parameter or a header.
type fieldSpec struct {
	name     string
	kind     fieldKind
	style    queryStyle
	required bool
	nullable bool
	format   string   // "uri" or "email"
	enum     []string // allowed values
	def      string   // default as JSON, "" when there is none
	typ      *typeSpec
	elem     *fieldSpec
	lim      *limits
	text     string // what it means, in the control API
}

// limits of a member; a nil pointer means unlimited.
type limits struct {
	minLength, maxLength                     *int
	minimum, maximum                         *int64
	pattern                                  string
	maxMembers, maxKeyLength, maxValueLength *int
}

// condSpec is a requirement that depends on a value: when the member has it, the paths are
// required.
type condSpec struct {
	field string
	is    string
	then  [][]string
}
