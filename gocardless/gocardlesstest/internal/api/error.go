package api

import (
	"fmt"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Error is an error of the API, which handlers return.
type Error struct {
	Status  int
	Type    string // "invalid_state"
	Reason  string // fragment of the documentation URL
	Message string
	Items   []ErrorItem
	Bare    string // if set, the whole body is {"error": bare}
}

// ErrorItem is one problem of an Error.
type ErrorItem struct {
	Reason   string
	Message  string
	Field    string
	Pointer  string
	Links    value.Object
	Metadata value.Object
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// Body renders the error envelope.
func (e *Error) Body(requestID string) []byte {
	if e.Bare != "" {
		return value.Append(nil, value.Object{{"error", e.Bare}})
	}
	items := make([]any, 0, len(e.Items))
	for _, it := range e.Items {
		o := value.Object{}
		add := func(key, val string) {
			if val != "" {
				o = append(o, value.Member{key, val})
			}
		}
		add("reason", it.Reason)
		add("field", it.Field)
		add("message", it.Message)
		add("request_pointer", it.Pointer)
		if it.Links != nil {
			o = append(o, value.Member{"links", it.Links})
		}
		if it.Metadata != nil {
			o = append(o, value.Member{"metadata", it.Metadata})
		}
		items = append(items, o)
	}
	return value.Append(nil, value.Object{{"error", value.Object{
		{"message", e.Message},
		{"type", e.Type},
		{"code", int64(e.Status)},
		{"request_id", requestID},
		{"documentation_url", "https://developer.gocardless.com/api-reference#" + e.Reason},
		{"errors", items},
	}}})
}

// Refuse returns an error with a reason, and with the status and type that the catalogue gives for it.
// The links are names and ids in turn.
func Refuse(reason, message string, links ...string) *Error {
	r := ReasonsByName()[reason]
	if r == nil {
		panic("gocardlesstest: no such reason: " + reason)
	}
	it := ErrorItem{Reason: reason, Message: message}
	for i := 0; i+1 < len(links); i += 2 {
		it.Links = append(it.Links, value.Member{links[i], links[i+1]})
	}
	return &Error{Status: r.Status, Type: r.Type, Reason: reason, Message: message, Items: []ErrorItem{it}}
}

// NotFound returns the error for an unknown id.
func NotFound() *Error { return Refuse("resource_not_found", "Resource not found") }

// NotServed returns the error for an operation that the sandbox does not serve.
func NotServed(op *Operation) *Error {
	return Refuse("resource_not_found", "The sandbox does not serve "+op.Name)
}

// LinkNotFound returns the error for a link to an unknown resource.
func LinkNotFound(envelope, noun, link string) *Error {
	e := Refuse("link_not_found", TitleCase(noun)+" not found")
	e.Items[0].Field = link + "_id"
	e.Items[0].Pointer = "/" + envelope + "/links/" + link
	return e
}

// TitleCase converts a name of the API into words: "bank_account" is "Bank account".
func TitleCase(s string) string {
	s = strings.ReplaceAll(s, "_", " ")
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// Problems collects the problems of a body's values, so that one reply lists them all.
type Problems struct {
	Prefix string // "/payments"
	Items  []ErrorItem
}

// Add adds a problem of a member. The path may lead to a nested member ("links/mandate").
func (p *Problems) Add(path, format string, args ...any) {
	field := path[strings.LastIndexByte(path, '/')+1:]
	p.Items = append(p.Items, ErrorItem{Field: field, Message: fmt.Sprintf(format, args...), Pointer: p.Prefix + "/" + path})
}

// AddWith is Add with metadata.
func (p *Problems) AddWith(metadata value.Object, path, format string, args ...any) {
	p.Add(path, format, args...)
	p.Items[len(p.Items)-1].Metadata = metadata
}

// Err returns the error that lists the problems, or nil.
func (p *Problems) Err() error {
	if len(p.Items) == 0 {
		return nil
	}
	return validationFailed(p.Items)
}

func validationFailed(items []ErrorItem) *Error {
	return &Error{Status: 422, Type: "validation_failed", Reason: "validation_failed", Message: "Validation failed", Items: items}
}

// Every invalid_state error of the API has a reason, which official clients rely on. For most actions
// the reason is not known; the sandbox then uses one of two from the catalogue.

// TooLate refuses an action that the resource is past.
func TooLate(message string) *Error { return Refuse("already_actioned", message) }

// TooEarly refuses an action that the resource is not ready for.
func TooEarly(message string) *Error { return Refuse("redirect_flow_incomplete", message) }
