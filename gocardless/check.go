package gocardless

import (
	"fmt"
	"io"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/scrub"
)

// A Problem describes one invalid input of a call.
type Problem struct {
	// Pointer is the JSON pointer of the invalid member of the request body, beginning with the
	// envelope, such as "/payments/links/mandate". It has the form of request_pointer in the API's
	// errors. It is empty for input that is not in the body.
	Pointer string
	// Field names the input: a member in dotted form ("links.mandate"), a query parameter, the id in
	// the path, a header or an option.
	Field string
	// Message describes the problem, without the value itself.
	Message string
}

// ParamsError reports that a call was refused before anything was sent, because of its parameters,
// its path or its options. It matches [ErrValidation], as a refusal by the API does.
type ParamsError struct {
	// Operation is the operation that was called, such as "payments.create". It
	// is empty in an error from a Validate method.
	Operation string
	// Problems has at least one element.
	Problems []Problem
}

// Error lists the problems. The message contains no values, and masks names as [Error.Error] does,
// because the caller may choose them, as in metadata.
func (e *ParamsError) Error() string {
	var b strings.Builder
	writeSet(&b, "", e.Operation, ": ")
	writeAll(&b, "refused before sending: ")
	for i, p := range e.Problems {
		if i > 0 {
			writeAll(&b, "; ")
		}
		writeAll(&b, scrub.Text(p.Field), " ", p.Message)
		writeSet(&b, " (", scrub.Text(p.Pointer), ")")
	}
	return b.String()
}

// GoString is like Error.
func (e ParamsError) GoString() string { return "&gocardless.ParamsError{" + e.Error() + "}" }

// Format is like Error, whatever the verb, and whether by pointer or value.
func (e ParamsError) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.Error()) }

// MarshalText is like Error. To encode the problems separately, use the field Problems.
func (e ParamsError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Is reports whether target is [ErrValidation].
func (e *ParamsError) Is(target error) bool { return target == ErrValidation }

// validate checks params without a call, for the Validate methods.
func validate(envelope string, v any) error {
	problems := given(v).problems(envelope)
	if len(problems) == 0 {
		return nil
	}
	return &ParamsError{Problems: problems}
}

// problems returns what params break of the schema's rules.
func (p params) problems(envelope string) []Problem {
	var problems []Problem
	for _, found := range p.use.Check(p.v, envelope) {
		problems = append(problems, Problem(found))
	}
	return problems
}
