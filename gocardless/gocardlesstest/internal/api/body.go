package api

import (
	"slices"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// ReadBody unwraps and checks a request body. root is the parsed JSON, and given reports whether there
// was any. form is the position among the operation's bodies.
func (o *Operation) ReadBody(root any, given bool) (body value.Object, form int, err *Error) {
	if root == nil && (!given || o.Kind == OpAction || o.Kind == OpDelete) {
		// Python sends null with actions and removals that take no body.
		return nil, 0, o.withoutBody()
	}
	envelope, ok := root.(value.Object)
	if !ok {
		return nil, 0, badStructure("The root of the document must be an object.")
	}
	if o.Request == "" {
		return nil, 0, checkEmpty(envelope)
	}
	for _, m := range envelope {
		if m.Key != o.Request {
			return nil, 0, wrongEnvelope(o.Request)
		}
	}
	content := envelope.Get(o.Request)
	if content == nil {
		return nil, 0, o.withoutBody()
	}
	body, ok = content.(value.Object)
	if !ok {
		return nil, 0, badStructure(`"` + o.Request + `" must be an object.`)
	}
	body, form = chooseForm(o.Bodies, body)
	return body, form, o.Bodies[form].Check(body, "/"+o.Request)
}

// badStructure refuses a body whose outermost structure is wrong.
func badStructure(message string) *Error {
	return &Error{Status: 400, Type: "invalid_api_usage", Reason: "invalid_document_structure",
		Message: "Invalid document structure", Items: []ErrorItem{{Message: message, Pointer: "/"}}}
}

// wrongEnvelope refuses a body that is not wrapped in the envelope of its operation.
func wrongEnvelope(name string) *Error {
	return Refuse("invalid_document_structure", "Data sent to this endpoint must be wrapped in a '"+name+"' envelope")
}

// withoutBody returns the error of a call without a body, if the operation needs one.
func (o *Operation) withoutBody() *Error {
	if o.NeedsBody() {
		return wrongEnvelope(o.Request)
	}
	return nil
}

// NeedsBody reports whether a call of the operation must have a body.
func (o *Operation) NeedsBody() bool {
	return o.Request != "" && (o.Kind == OpCreate || len(o.Bodies) > 0 && o.Bodies[0].NeedsAny())
}

// checkEmpty checks the body of an operation that takes none. Clients send {}, {"data":{}} or
// {"data":null}.
func checkEmpty(root value.Object) *Error {
	for _, m := range root {
		content, isObject := m.Val.(value.Object)
		if m.Key != "data" || m.Val != nil && !isObject || len(content) > 0 {
			return badStructure(`"` + value.Short(m.Key) + `" is not a permitted key.`)
		}
	}
	return nil
}

// NeedsAny reports whether the object has required members.
func (t *Type) NeedsAny() bool {
	return slices.ContainsFunc(t.Fields, func(f Field) bool { return f.Required })
}

// chooseForm reads a body as the one of the forms with the fewest problems.
func chooseForm(forms []*Type, body value.Object) (read value.Object, form int) {
	fewest := -1
	for i, t := range forms {
		o := t.readInts(body)
		if len(forms) == 1 {
			return o, 0
		}
		var c bodyCheck
		c.object(t, o, "", "")
		if n := len(c.structure) + len(c.types); fewest < 0 || n < fewest {
			read, form, fewest = o, i, n
		}
	}
	return read, form
}
