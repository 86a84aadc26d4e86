package gocardlesstest

import (
	"fmt"
	"strings"
)

// apiError is a refusal in the API's own terms. Handlers return it as an error.
type apiError struct {
	status  int
	typ     string // "invalid_state"
	reason  string // fragment of the documentation URL
	message string
	items   []errorItem
	bare    string // when set, the whole body is {"error": bare}
}

// errorItem is one problem of an apiError.
type errorItem struct {
	reason   string
	message  string
	field    string
	pointer  string
	links    object
	metadata object
}

// Error implements error.
func (e *apiError) Error() string { return e.message }

// body renders the error envelope.
func (e *apiError) body(requestID string) []byte {
	if e.bare != "" {
		return appendJSON(nil, object{{"error", e.bare}})
	}
	items := make([]any, 0, len(e.items))
	for _, it := range e.items {
		o := object{}
		add := func(key, val string) {
			if val != "" {
				o = append(o, member{key, val})
			}
		}
		add("reason", it.reason)
		add("field", it.field)
		add("message", it.message)
		add("request_pointer", it.pointer)
		if it.links != nil {
			o = append(o, member{"links", it.links})
		}
		if it.metadata != nil {
			o = append(o, member{"metadata", it.metadata})
		}
		items = append(items, o)
	}
	return appendJSON(nil, object{{"error", object{
		{"message", e.message},
		{"type", e.typ},
		{"code", int64(e.status)},
		{"request_id", requestID},
		{"documentation_url", "https://developer.gocardless.com/api-reference#" + e.reason},
		{"errors", items},
	}}})
}

// refuse makes the error of a reason; its status and type are the catalogue's. The links, when
// given, are name and id in turn.
func refuse(reason, message string, links ...string) *apiError {
	r := reasons()[reason]
	if r == nil {
		panic("gocardlesstest: no such reason: " + reason)
	}
	it := errorItem{reason: reason, message: message}
	for i := 0; i+1 < len(links); i += 2 {
		it.links = append(it.links, member{links[i], links[i+1]})
	}
	return &apiError{status: r.status, typ: r.typ, reason: reason, message: message, items: []errorItem{it}}
}

// notFound is the answer to an unknown id.
func notFound() *apiError { return refuse("resource_not_found", "Resource not found") }

// notServed is the answer to an operation that nothing here serves.
func notServed(op *opSpec) *apiError {
	return refuse("resource_not_found", "The sandbox does not serve "+op.name)
}

// linkNotFound is the answer to a link in a body that leads nowhere.
func linkNotFound(envelope, noun, link string) *apiError {
	e := refuse("link_not_found", titleCase(noun)+" not found")
	e.items[0].field = link + "_id"
	e.items[0].pointer = "/" + envelope + "/links/" + link
	return e
}

// titleCase writes a name of the API as words: "bank_account" is "Bank account".
func titleCase(s string) string {
	s = strings.ReplaceAll(s, "_", " ")
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// problems gathers what is wrong with the values of a body, so that one reply lists them all.
type problems struct {
	prefix string // "/payments"
	items  []errorItem
}

// add notes a problem with a member. The path may lead into nested members ("links/mandate").
func (p *problems) add(path, format string, args ...any) {
	field := path[strings.LastIndexByte(path, '/')+1:]
	p.items = append(p.items, errorItem{field: field, message: fmt.Sprintf(format, args...), pointer: p.prefix + "/" + path})
}

// addWith is add with metadata.
func (p *problems) addWith(metadata object, path, format string, args ...any) {
	p.add(path, format, args...)
	p.items[len(p.items)-1].metadata = metadata
}

// err is nil when nothing is wrong.
func (p *problems) err() error {
	if len(p.items) == 0 {
		return nil
	}
	return validationFailed(p.items)
}

func validationFailed(items []errorItem) *apiError {
	return &apiError{status: 422, typ: "validation_failed", reason: "validation_failed", message: "Validation failed", items: items}
}

// The API's reasons for most actions that do not fit the state of their resource are not known, but
// each of its errors of this type has one: official clients rely on it. The sandbox uses two from the
// catalogue.

// tooLate refuses an action on a resource that is past it.
func tooLate(message string) *apiError { return refuse("already_actioned", message) }

// tooEarly refuses an action on a resource that is not ready for it.
func tooEarly(message string) *apiError { return refuse("redirect_flow_incomplete", message) }
