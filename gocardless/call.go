package gocardless

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
	"github.com/gocardless-community/gocardless-go/gocardless/internal/request"
	"github.com/gocardless-community/gocardless-go/gocardless/internal/scrub"
)

// Every API call goes through one function, exchange.call. The generic functions here and in
// page.go add only the types of a call: generic code is compiled once for each type, so it contains
// no logic.

// input is the part of a call that a generated method supplies.
type input struct {
	id     string   // for the variable segment of the path
	ids    []string // instead of id, if the path has several such segments
	params params   // none if the method takes none

	// The cursor of a following page, which replaces the caller's.
	cursorName, cursor string

	raw *rawInput // replaces all of the above in Client.Do
}

// rawInput is the request of a [Client.Do] call.
type rawInput struct {
	escaped, query string
	body           []byte
}

// params are what a caller passes to a method.
type params struct {
	v   any // a pointer to a generated params struct, or nil
	use paramsUse
}

// paramsUse is what is done with params. It is an interface so that a program whose calls take no
// params does not link what that needs.
type paramsUse interface {
	// Check returns what params break of the schema's rules.
	Check(v any, envelope string) []request.Problem
	// Write returns the parts of a request that come from params.
	Write(v any, o request.Options) (request.Parts, error)
}

// given returns the params at v, a pointer to a generated params struct. It is not inlined: every
// method would hold a copy.
//
//go:noinline
func given(v any) params {
	if v, ok := v.(interface{ prepare() }); ok {
		v.prepare() // for what few types have
	}
	return params{v, request.ByTags{}}
}

// replyReader reads a reply of one type.
type replyReader interface {
	// reset discards the values that an earlier attempt read.
	reset()
	// value reads the result itself. It returns false if there is none.
	value(*jsonwire.Decoder) bool
	// sibling reads a member next to the result. The decoder's key is its name.
	sibling(*jsonwire.Decoder)
}

// do makes a call that returns a resource, which it reads into v. All pointers share one
// instance of the function.
func do[P any](ctx context.Context, c *Client, op *Operation, in input, opts []RequestOption, v P) (P, error) {
	x := &exchange{core: c.core, op: op, resource: resourceReply{v}}
	x.out = &x.resource
	if err := x.call(ctx, &in, opts); err != nil {
		var none P
		return none, err
	}
	return v, nil
}

// doNoReply makes a call whose reply has no body.
func doNoReply(ctx context.Context, c *Client, op *Operation, in input, opts []RequestOption) error {
	return c.core.call(ctx, op, in, opts, nil)
}

// resourceReply reads the reply of a single resource.
type resourceReply struct{ v any } // a pointer to a generated reply struct

func (r *resourceReply) reset() { reflect.ValueOf(r.v).Elem().SetZero() }

func (r *resourceReply) value(d *jsonwire.Decoder) bool {
	if !d.Resource() {
		return false
	}
	d.Read(r.v)
	return true
}

func (r *resourceReply) sibling(d *jsonwire.Decoder) { d.Unknown() }

// exchange is the state of one call.
type exchange struct {
	core     *core
	op       *Operation
	settings *settings // the client's if the call has no options
	out      replyReader

	// The request, the same for each attempt.
	path, escaped, query string
	body                 []byte      // nil for none
	paramHeader          http.Header // from the params, or nil
	key                  [1]string   // idempotency key; "" for none

	resource resourceReply // out of most calls; a field, to save an allocation

	context operationContext // of the attempts

	// The state after the attempts so far.
	limiterWait time.Duration // before the last attempt
	attempts    int
	mayHaveRun  bool
	counted     bool // the limiter has not been notified yet that the attempt ended
	existing    bool
	status      int
	header      http.Header
	requestID   string
	rateLimit   RateLimit
	reply       []byte // only for the response record
	misfits     []Misfit
	resourceID  string // from the reply
}

// call sends a request, retries it if that is safe, and reads the reply into out, which may be nil.
func (c *core) call(ctx context.Context, op *Operation, in input, opts []RequestOption, out replyReader) error {
	x := &exchange{core: c, op: op, out: out}
	return x.call(ctx, &in, opts)
}

func (x *exchange) call(ctx context.Context, in *input, opts []RequestOption) error {
	if ctx == nil {
		return nilContext(x.op.Name)
	}
	x.settings = x.core.with(opts)
	var began time.Time
	if x.settings.logger != nil {
		began = time.Now()
	}
	err := x.performObserved(ctx, in)
	x.record()
	if logger := x.settings.logger; logger != nil {
		if len(x.misfits) > 0 {
			logger.misfits(ctx, x)
		}
		if err != nil {
			logger.failed(ctx, x, began, err)
		} else {
			logger.succeeded(ctx, x, began)
		}
	}
	return err
}

func nilContext(operation string) error {
	return &ParamsError{Operation: operation, Problems: []Problem{{Field: "ctx", Message: "must not be nil"}}}
}

// perform prepares the call and runs it.
func (x *exchange) perform(ctx context.Context, in *input) error {
	if err := x.prepare(in); err != nil {
		return err
	}
	return x.run(ctx)
}

// prepare checks the input and builds the parts of the request that all attempts share.
func (x *exchange) prepare(in *input) error {
	problems := x.settings.problems
	if in.raw != nil {
		if x.settings.kind != "" {
			op := *x.op
			op.Kind = x.settings.kind
			x.op = &op
		}
		x.path, x.escaped = join(x.core.base, x.op.Path, in.raw.escaped)
		x.query, x.body = in.raw.query, in.raw.body
	} else {
		ids := in.ids
		if ids == nil {
			ids = []string{in.id}
		}
		var wrong []Problem
		x.path, x.escaped, wrong = expandPath(x.core.base, x.op.Path, ids)
		problems = append(slices.Clip(problems), wrong...)
		if in.params.use != nil && !x.settings.unchecked {
			problems = append(slices.Clip(problems), in.params.problems(x.op.RequestEnvelope)...)
		}
	}
	if len(problems) > 0 {
		return &ParamsError{Operation: x.op.Name, Problems: problems}
	}
	if err := x.encode(in); err != nil {
		return err
	}
	if x.op.Method == http.MethodPost || x.op.Kind == KindCreate {
		// All attempts share one key.
		if x.key[0] = x.settings.key; x.key[0] == "" {
			x.key[0] = newKey()
		}
	}
	return nil
}

// encode writes the params into the query, the headers and the body. The body is encoded once, so a
// retry sends the same bytes.
func (x *exchange) encode(in *input) error {
	if in.params.use != nil {
		parts, err := in.params.use.Write(in.params.v, request.Options{
			Envelope: x.op.RequestEnvelope, CursorName: in.cursorName, Cursor: in.cursor, Window: x.settings.window,
		})
		if err != nil {
			return x.unencodable(err)
		}
		x.query, x.paramHeader, x.body = parts.Query, parts.Header, parts.Body
	}
	return x.editBody()
}

// editBody applies the caller's body fields.
func (x *exchange) editBody() error {
	edit := x.settings.edit
	if edit == nil {
		return nil
	}
	if x.op.Method == http.MethodGet || x.op.Method == http.MethodDelete {
		return x.refuse("WithBodyField", "cannot be used for a GET or DELETE, which has no body")
	}
	body, err := edit.apply(x.body, x.op.RequestEnvelope, edit.fields)
	if err != nil {
		return x.unencodable(err)
	}
	x.body = body
	return nil
}

func (x *exchange) refuse(field, message string) error {
	return &ParamsError{Operation: x.op.Name, Problems: []Problem{{Field: field, Message: message}}}
}

func (x *exchange) unencodable(err error) error {
	if e, ok := errors.AsType[*jsonwire.ValueError](err); ok {
		return x.refuse(e.Name, "cannot be sent: "+scrub.Text(e.What))
	}
	return x.refuse("body", "cannot be encoded: "+scrub.Text(err.Error()))
}

// run makes attempts until one succeeds or the policy does not ask for another.
func (x *exchange) run(ctx context.Context) error {
	x.context = operationContext{ctx, x.op}
	ctx = &x.context
	var previous error
	for {
		if err := x.allow(ctx, previous); err != nil {
			return err
		}
		decision, err := x.tryObserved(ctx)
		if !decision.Retry {
			if conflict, existing := x.conflict(ctx, err); existing != "" {
				return x.readExisting(ctx, existing, conflict)
			}
			if _, unsigned := errors.AsType[*SigningError](err); unsigned && previous != nil {
				// Alone, it would deny that an earlier attempt may have run.
				return x.interrupted(err, previous)
			}
			return err
		}
		if x.settings.logger != nil {
			x.settings.logger.retrying(ctx, x, decision)
		}
		if cause := sleep(ctx, decision.Wait); cause != nil {
			return x.interrupted(cause, err)
		}
		if x.out != nil {
			x.out.reset()
		}
		previous = err
	}
}

// tryOnce makes an attempt and decides whether to make another.
func (x *exchange) tryOnce(ctx context.Context) (RetryDecision, error) {
	notSent, err := x.attempt(ctx)
	if err == nil || ctx.Err() != nil || x.attempts > x.settings.retries {
		return RetryDecision{}, err
	}
	if _, existing := x.conflict(ctx, err); existing != "" {
		return RetryDecision{}, err
	}
	decision := x.settings.policy(RetryAttempt{
		Operation:  *x.op,
		Attempt:    x.attempts,
		StatusCode: x.status,
		Header:     x.header,
		Err:        err,
		NotSent:    notSent,
	})
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= decision.Wait {
		// The wait could only end in the context's error. The failure itself is more useful, and
		// available now.
		return RetryDecision{}, err
	}
	return decision, err
}

// allow returns an error if the context has ended, and otherwise waits for the limiter, if there is
// one.
func (x *exchange) allow(ctx context.Context, previous error) error {
	err := ctx.Err()
	if err == nil && x.core.limiter != nil {
		began := time.Now()
		err = x.core.limiter.Wait(ctx, *x.op, x.settings.lane)
		x.limiterWait = time.Since(began)
		x.counted = err == nil
	}
	if err != nil {
		return x.interrupted(err, previous)
	}
	return nil
}

func (x *exchange) interrupted(cause, previous error) error {
	err := x.connectionError(cause)
	err.Previous = previous
	return err
}

func (x *exchange) connectionError(cause error) *ConnectionError {
	return &ConnectionError{
		Operation:      x.op.Name,
		Attempts:       x.attempts,
		IdempotencyKey: x.key[0],
		MayHaveRun:     x.mayHaveRun,
		Err:            cause,
		secret:         x.core.mask,
	}
}

// conflict returns the error of a reused key and the id of the resource that the earlier request
// created. The id is "" if err is another error or the caller wants it, or if the resource cannot
// be read.
func (x *exchange) conflict(ctx context.Context, err error) (*Error, string) {
	if err == nil || ctx.Err() != nil || x.settings.conflictError || x.op.Kind != KindCreate || x.op.read == nil {
		return nil, ""
	}
	e, ok := errors.AsType[*Error](err)
	if !ok || !e.HasReason(reasonConflict) {
		return nil, ""
	}
	return e, e.Link(conflictLink)
}

// readExisting reads the resource that an earlier request created. The GET has the caller's headers,
// but not the key, body and query of the create request.
func (x *exchange) readExisting(ctx context.Context, id string, conflict *Error) error {
	settings := *x.settings
	settings.edit = nil
	read := &exchange{core: x.core, op: x.op.read, settings: &settings, out: x.out}
	err := read.prepare(&input{id: id})
	if err == nil {
		err = read.run(ctx)
	}
	x.attempts += read.attempts
	if read.status != 0 {
		x.status, x.header, x.requestID, x.rateLimit, x.reply = read.status, read.header, read.requestID, read.rateLimit, read.reply
		x.misfits = read.misfits
	}
	x.existing = true
	if err != nil {
		// The conflict is returned because it names the existing resource. The failed read is its
		// cause.
		conflict.Attempts = x.attempts
		conflict.cause = err
		return conflict
	}
	return nil
}

// record fills the caller's response record.
func (x *exchange) record() {
	if r := x.settings.response; r != nil {
		*r = Response{
			StatusCode:     x.status,
			Header:         x.header,
			RequestID:      x.requestID,
			RateLimit:      x.rateLimit,
			Attempts:       x.attempts,
			IdempotencyKey: x.key[0],
			Existing:       x.existing,
			Body:           x.reply,
			Misfits:        x.misfits,
		}
	}
}
