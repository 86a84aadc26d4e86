package bulk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// Line is one create of a run.
type Line[P any] struct {
	// Key is the idempotency key: unique for the resource to create and stable across runs, such as
	// "2026-11-invoice-42". Do not use a key of one kind of resource again in a later run, which
	// would return the resources of the earlier one.
	Key    string
	Params P
	// Err ends the run: the line could not be read.
	Err error
}

// Create is an operation that can be run in bulk, with the types of its params and its result. Use
// the variables of this package.
type Create[P, R any] struct {
	operation string
	method    func(*gocardless.Client) func(context.Context, P, ...gocardless.RequestOption) (*R, error)
	id        func(*R) string // nil when the resource has no id
}

// Operation is a [Create] without its types, for params in JSON.
type Operation interface {
	// Operation returns the name of the operation, such as "payments.create".
	Operation() string
	// StepJSON is [Create.Step] with the params in JSON.
	StepJSON(ctx context.Context, client *gocardless.Client, key string, params json.RawMessage, opts ...gocardless.RequestOption) Entry
	// RunJSON is [Run] with the params in JSON.
	RunJSON(ctx context.Context, client *gocardless.Client, lines iter.Seq[Line[json.RawMessage]], journal Journal, options Options, opts ...gocardless.RequestOption) (Report, error)
}

// Operations returns all creates, by resource.
func Operations() []Operation { return append([]Operation(nil), creates...) }

// Find returns the create of that name, such as "payments.create".
func Find(operation string) (Operation, bool) {
	for _, c := range creates {
		if c.Operation() == operation {
			return c, true
		}
	}
	return nil, false
}

// Operation returns the name of the operation, such as "payments.create".
func (c Create[P, R]) Operation() string { return c.operation }

// Step sends the create request of one line and returns its outcome, without a journal. It is for
// programs with their own queue: make each line a job, which is done unless the state is Open. The
// state is never empty. For the queue River, see integrations/river/riverbulk.
func (c Create[P, R]) Step(ctx context.Context, client *gocardless.Client, line Line[P], opts ...gocardless.RequestOption) Entry {
	return c.job(client, line, opts).send(ctx)
}

// StepJSON is Step with the params in JSON.
func (c Create[P, R]) StepJSON(ctx context.Context, client *gocardless.Client, key string, params json.RawMessage, opts ...gocardless.RequestOption) Entry {
	return c.job(client, c.line(Line[json.RawMessage]{Key: key, Params: params}), opts).send(ctx)
}

// RunJSON is [Run] with the params in JSON.
func (c Create[P, R]) RunJSON(ctx context.Context, client *gocardless.Client, lines iter.Seq[Line[json.RawMessage]], journal Journal, options Options, opts ...gocardless.RequestOption) (Report, error) {
	typed := func(yield func(Line[P]) bool) {
		for line := range lines {
			if !yield(c.line(line)) {
				return
			}
		}
	}
	return Run(ctx, client, c, typed, journal, options, opts...)
}

// line reads params from JSON. A member that the params do not have is an error: it
// would not be sent.
func (c Create[P, R]) line(raw Line[json.RawMessage]) Line[P] {
	line := Line[P]{Key: raw.Key, Err: raw.Err}
	d := json.NewDecoder(bytes.NewReader(raw.Params))
	d.DisallowUnknownFields()
	err := d.Decode(&line.Params)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("more than one value")
		}
	}
	if err != nil && line.Err == nil {
		line.Err = fmt.Errorf("bulk: the params of the line with key %q: %w", raw.Key, withoutValue(err))
	}
	return line
}

// withoutValue describes an error of encoding/json without the value, which may be
// personal data.
func withoutValue(err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s: does not fit", e.Field)
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("not valid JSON at byte %d", e.Offset)
	}
	if strings.HasPrefix(err.Error(), "json: unknown field") {
		return err // names the member
	}
	return errors.New("cannot be read")
}

// job is a line without its types. Generic code is compiled once for each create, so there is little
// of it.
type job struct {
	key         string
	err         error
	fingerprint func() (string, error)
	validate    func() error
	create      func(context.Context, []gocardless.RequestOption) (id string, err error)
	opts        []gocardless.RequestOption
}

func (c Create[P, R]) job(client *gocardless.Client, line Line[P], opts []gocardless.RequestOption) job {
	return job{
		key: line.Key, err: line.Err, opts: opts,
		fingerprint: func() (string, error) { return Fingerprint(line.Params) },
		validate: func() error {
			if p, ok := any(line.Params).(interface{ Validate() error }); ok {
				return p.Validate()
			}
			return nil
		},
		create: func(ctx context.Context, opts []gocardless.RequestOption) (string, error) {
			r, err := c.method(client)(ctx, line.Params, opts...)
			if err != nil || c.id == nil {
				return "", err
			}
			return c.id(r), nil
		},
	}
}

// Fingerprint identifies params without holding them; see [Entry.Fingerprint].
func Fingerprint(params any) (string, error) {
	text, err := json.Marshal(params)
	if err != nil {
		return "", errors.New("the params cannot be encoded")
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:12]), nil
}

// send sends the create request and classifies the outcome.
func (j job) send(ctx context.Context) Entry {
	if j.err != nil {
		return j.entry(Failed, j.err)
	}
	if err := gocardless.CheckIdempotencyKey(j.key); err != nil {
		return j.entry(Failed, err)
	}
	var r gocardless.Response
	opts := append(j.opts[:len(j.opts):len(j.opts)], gocardless.WithBulkLane(), gocardless.WithIdempotencyKey(j.key), gocardless.WithResponse(&r))
	id, err := j.create(ctx, opts)
	e := j.entry(outcome(err, r.Existing), err)
	e.ID, e.RequestID, e.Attempts = id, r.RequestID, r.Attempts
	if e.State == Existing && err != nil {
		e.ID, e.Error, e.Message = conflicting(err), "", ""
	}
	return e
}

// entry is the record of an outcome.
func (j job) entry(state State, err error) Entry {
	e := Entry{Key: j.key, State: state, At: time.Now().UTC().Truncate(time.Millisecond), cause: err}
	if err != nil {
		e.Error, e.Message = gocardless.ErrorClass(err), message(err)
	}
	return e
}

// maxMessage is how much of an error message is recorded, in bytes.
const maxMessage = 500

// message returns the message of an SDK error, shortened. It contains no personal data.
func message(err error) string {
	text := err.Error()
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + "…"
	}
	return text
}

// conflicting returns the id of the resource that an earlier request with the same key created, for a
// resource that cannot be read again.
func conflicting(err error) string {
	if e, ok := errors.AsType[*gocardless.Error](err); ok {
		return e.Link("conflicting_resource_id")
	}
	return ""
}

// outcome returns the state of a line after a request.
func outcome(err error, existing bool) State {
	switch {
	case err == nil && existing, errors.Is(err, gocardless.ErrIdempotencyConflict):
		return Existing
	case err == nil:
		return Created
	}
	if _, ok := errors.AsType[*gocardless.ParamsError](err); ok {
		return Failed
	}
	e, ok := errors.AsType[*gocardless.Error](err)
	switch {
	case !ok || e.MayHaveRun:
		return Open
	case e.StatusCode == http.StatusUnauthorized, e.StatusCode == http.StatusForbidden,
		e.StatusCode == http.StatusRequestTimeout, e.StatusCode == http.StatusTooManyRequests:
		return Open // not about the line
	case e.StatusCode >= 400 && e.StatusCode <= 499:
		return Failed
	}
	return Open
}

// hopeless reports whether every other line would fail with the same error.
func hopeless(err error) bool {
	return errors.Is(err, gocardless.ErrAuthentication) || errors.Is(err, gocardless.ErrPermission)
}
