package gocardless

import (
	"errors"
	"strconv"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
)

// A Misfit is a value in a reply or webhook whose type does not fit its field, such as a date in
// another format. The field keeps its zero value, and everything else is read. The raw body
// (Response.Body, WebhookDelivery.Body) contains the value.
//
// A number that cannot be read is different, because it must never pass for zero. The call fails
// with a [MalformedResponseError] that names the resource, and is not retried. Only in the events of
// a webhook, an [EventCatchUp] and [EventService.Since] it is a Misfit, too, so that one event does
// not hold up the others.
type Misfit struct {
	// Path is the path of the value, such as "payments[3].charge_date".
	Path string
	// Expected is the kind of value that the field takes, such as "a date".
	Expected string
	// Found is the kind of value that was there, such as "a number".
	Found string
}

// String describes the misfit in one line.
func (m Misfit) String() string {
	return (&jsonwire.Misfit{Path: m.Path, Expected: m.Expected, Found: m.Found}).Error()
}

// ErrMisfit marks a [MalformedResponseError] whose reply is well-formed JSON with a value that the
// SDK cannot accept. Such a call is not retried.
var ErrMisfit = errors.New("gocardless: a value in the reply does not fit its field")

// misfitError is the error of a reply that is valid JSON but does not fit its target. A retry would
// not change that.
type misfitError struct{ error }

func (misfitError) Is(target error) bool { return target == ErrMisfit }

func (e misfitError) Unwrap() error { return e.error }

// misfitsOf copies the misfits of a document.
func misfitsOf(found []jsonwire.Misfit) []Misfit {
	if len(found) == 0 {
		return nil
	}
	list := make([]Misfit, len(found))
	for i, m := range found {
		list[i] = Misfit{Path: m.Path, Expected: m.Expected, Found: m.Found}
	}
	return list
}

// insideList splits the path of a value inside an element of a list, such as
// "events[3].links.payment", into the element's index and the rest.
func insideList(path, list string) (index int, rest string, ok bool) {
	path, ok = strings.CutPrefix(path, list+"[")
	if !ok {
		return 0, "", false
	}
	number, rest, _ := strings.Cut(path, "]")
	index, err := strconv.Atoi(number)
	return index, strings.TrimPrefix(rest, "."), err == nil
}

// Problems of a successful reply that is well-formed.
var (
	errNoReply = errors.New("the reply is empty")
	errNoID    = errors.New("the resource has no id")
)

// judge returns an error if a reply without syntax errors is not acceptable.
func (x *exchange) judge(found bool, o jsonwire.Outcome) error {
	x.misfits = misfitsOf(o.Misfits)
	if keeper, ok := x.out.(interface{ keepMisfits([]Misfit) }); ok && len(x.misfits) > 0 {
		keeper.keepMisfits(x.misfits)
	}
	if outer, ok := x.resource.v.(interface{ resourceID() string }); ok {
		// The resource is inside the result.
		o.ID = outer.resourceID()
		o.UnreadableID = o.ID
	}
	x.resourceID = o.ID
	switch {
	case o.Unreadable != nil && (x.settings.tolerates == nil || !x.settings.tolerates(x.misfits)):
		x.resourceID = o.UnreadableID
		return misfitError{o.Unreadable}
	case !found && x.op.ReplyEnvelope == "":
		return errors.New("not an object")
	case !found:
		return errors.New("no member " + x.op.ReplyEnvelope)
	case x.op.identified && o.ID == "":
		return errNoID
	case x.settings.strict && len(o.Misfits) > 0:
		return misfitError{&o.Misfits[0]}
	}
	return nil
}

// WithStrictReplies turns every [Misfit] into an error: the call fails with a
// [MalformedResponseError] that matches [ErrMisfit]. Use it in tests to notice replies that the SDK
// does not expect.
func WithStrictReplies() Option {
	return option(func(s *settings) { s.strict = true })
}
