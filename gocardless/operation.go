package gocardless

// OperationKind classifies what an operation does, and therefore when the client may
// retry it after a failure; see [DefaultRetry] for the rules.
type OperationKind string

// The kinds of operation.
const (
	// KindRead is a GET: it changes nothing.
	KindRead OperationKind = "read"
	// KindUpdate is a PUT: it sets fields to given values, so a retry changes nothing more.
	KindUpdate OperationKind = "update"
	// KindDelete is a DELETE.
	KindDelete OperationKind = "delete"
	// KindCreate is a POST that creates a resource and for which the API honours the Idempotency-Key
	// header, so that a retry creates nothing twice.
	KindCreate OperationKind = "create"
	// KindAction is a POST that carries out an action, such as a cancellation or a retry. The API
	// does not prevent a retry from carrying it out twice. A PATCH has this kind, too, because it
	// may change a value relative to the old one.
	KindAction OperationKind = "action"
)

// Operation describes one method and path of the API. The values are generated from the API's
// schema; [Operations] lists them.
type Operation struct {
	// Name is the resource and method, such as "payments.create".
	Name string
	// Method is the HTTP method.
	Method string
	// Path is the path below the base URL. A variable segment is in braces, as
	// in "/payments/{identity}".
	Path string
	// Kind decides when the operation may be retried after a failure.
	Kind OperationKind
	// RequestEnvelope is the one member of the request body, which holds the
	// parameters; empty when the operation sends no body.
	RequestEnvelope string
	// ReplyEnvelope is the member of the reply that holds the result; empty
	// when the reply has no envelope or no body.
	ReplyEnvelope string
	// List reports whether the result is a page of resources.
	List bool
	// Cursors reports whether a list has pages linked by cursors. A list
	// without them is complete in one reply.
	Cursors bool
	// Status is the HTTP status of a success: 200, 201, 202 or 204.
	Status int
	// Deprecated reports that the API discourages the operation.
	Deprecated bool
	// Restricted reports that the API allows the operation in live only to
	// accounts for which it has been enabled.
	Restricted bool

	// identified reports that the result is a resource with an id, or has one inside. A reply without
	// the id is unreadable.
	identified bool
	// read reads the resource that a create request made, after an idempotency conflict; nil if there
	// is no such operation.
	read *Operation
}

// Operations returns every operation of the API that this version of the
// package knows, sorted by name. The slice is the caller's to keep and change.
func Operations() []Operation {
	list := make([]Operation, len(operations))
	for i, op := range operations {
		list[i] = *op
	}
	return list
}
