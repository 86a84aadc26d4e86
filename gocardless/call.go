package gocardless

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"
)

// Every call of the API goes through one function, core.call. The generic
// functions in this file and in page.go give a call its types and hold no logic,
// because what is generic is compiled once for each type.

// input is what a generated method knows about a call.
type input struct {
	id     string // for the variable segment of the path
	params any    // pointer to a params struct, or nil

	// The cursor of a following page, which takes the place of the caller's.
	cursorName, cursor string

	raw *rawInput // instead of all the above, for Client.Do
}

// rawInput is the request of a [Client.Do] call.
type rawInput struct {
	escaped, query string
	body           []byte
}

// What a params type may implement.
type (
	queryable interface{ query(*query) }
	headered  interface{ header(http.Header) }
)

// replyReader reads a reply of one type. A reply may be read more than once when
// a request is repeated, so reset makes it as new.
type replyReader interface {
	reset()
	// value reads the result itself.
	value(*decoder)
	// sibling reads a member beside the result; its name is in the decoder's key.
	sibling(*decoder)
}

// do makes a call that returns a resource.
func do[T any, P decodable[T]](ctx context.Context, c *Client, op *Operation, in input, opts []RequestOption) (*T, error) {
	r := new(result[T, P])
	if err := c.core.call(ctx, op, in, opts, r); err != nil {
		return nil, err
	}
	return &r.v, nil
}

// doNoReply makes a call of which the reply has no body.
func doNoReply(ctx context.Context, c *Client, op *Operation, in input, opts []RequestOption) error {
	return c.core.call(ctx, op, in, opts, nil)
}

// result reads the reply of a single resource.
type result[T any, P decodable[T]] struct{ v T }

func (r *result[T, P]) reset()             { r.v = *new(T) }
func (r *result[T, P]) value(d *decoder)   { P(&r.v).decode(d) }
func (r *result[T, P]) sibling(d *decoder) { d.unknown() }

// exchange is the state of one call.
type exchange struct {
	core     *core
	op       *Operation
	settings settings
	out      replyReader

	// The request, the same for each attempt.
	path, escaped, query string
	body                 []byte // nil for none
	params               headered
	key                  []string // of idempotency, or nil

	context operationContext // of the attempts

	// What is known so far.
	limiterWait time.Duration // before the last attempt
	attempts    int
	mayHaveRun  bool
	counted     bool // by the limiter, which has not been notified of the end
	existing    bool
	status      int
	header      http.Header
	requestID   string
	rateLimit   RateLimit
	reply       []byte // kept for the response record only
}

// call makes a request, again if it fails in a way that allows it, and reads the
// reply into out, which may be nil.
func (c *core) call(ctx context.Context, op *Operation, in input, opts []RequestOption, out replyReader) error {
	if ctx == nil {
		return &ParamsError{Operation: op.Name, Problems: []Problem{{Field: "ctx", Message: "must not be nil"}}}
	}
	x := &exchange{core: c, op: op, settings: c.settings, out: out}
	for _, o := range opts {
		if o != nil {
			o.applyRequest(&x.settings)
		}
	}
	var began time.Time
	if x.settings.logger != nil {
		began = time.Now()
	}
	err := x.performObserved(ctx, &in)
	x.record()
	if logger := x.settings.logger; logger != nil {
		if err != nil {
			logger.failed(ctx, x, began, err)
		} else {
			logger.succeeded(ctx, x, began)
		}
	}
	return err
}

// perform prepares the call and runs it.
func (x *exchange) perform(ctx context.Context, in *input) error {
	if err := x.prepare(in); err != nil {
		return err
	}
	return x.run(ctx)
}

// prepare checks the input and makes everything of the request that is the same
// for each attempt.
func (x *exchange) prepare(in *input) error {
	problems := x.settings.problems
	if in.raw != nil {
		if x.settings.kind != "" {
			op := *x.op
			op.Kind = x.settings.kind
			x.op = &op
		}
		x.path, x.escaped, _ = join(x.core.base, x.op.Path, in.raw.escaped)
		x.query, x.body = in.raw.query, in.raw.body
	} else {
		var problem string
		x.path, x.escaped, problem = expandPath(x.core.base, x.op.Path, in.id)
		if problem != "" {
			problems = append(slices.Clip(problems), Problem{Field: "id", Message: problem})
		}
		if p, ok := in.params.(checkable); ok && !x.settings.unchecked {
			c := checker{envelope: x.op.RequestEnvelope}
			p.check(&c)
			problems = append(slices.Clip(problems), c.problems...)
		}
	}
	if len(problems) > 0 {
		return &ParamsError{Operation: x.op.Name, Problems: problems}
	}
	if err := x.encode(in); err != nil {
		return err
	}
	if x.op.Method == http.MethodPost {
		// One key for all attempts: made here, before the loop.
		key := x.settings.key
		if key == "" {
			key = newKey()
		}
		x.key = []string{key}
	}
	return nil
}

// encode writes the params into the query and the body. The body is encoded
// once: what is repeated is the same request, byte for byte.
func (x *exchange) encode(in *input) error {
	if p, ok := in.params.(queryable); ok {
		q := query{cursorName: in.cursorName, cursor: in.cursor, window: x.settings.window}
		p.query(&q)
		if q.noDate != "" {
			return &ParamsError{Operation: x.op.Name, Problems: []Problem{{Field: q.noDate, Message: "cannot be sent: no such date"}}}
		}
		x.query = q.finish()
	}
	x.params, _ = in.params.(headered)
	if p, ok := in.params.(encodable); ok && x.op.RequestEnvelope != "" {
		body, err := encodeDocument(x.op.RequestEnvelope, p)
		if err != nil {
			return x.unencodable(err)
		}
		x.body = body
	}
	if edit := x.settings.edit; edit != nil {
		if x.op.Method == http.MethodGet || x.op.Method == http.MethodDelete {
			return &ParamsError{Operation: x.op.Name, Problems: []Problem{{Field: "WithBodyField", Message: "is for operations with a body"}}}
		}
		body, err := edit.apply(x.body, x.op.RequestEnvelope, edit.fields)
		if err != nil {
			return x.unencodable(err)
		}
		x.body = body
	}
	return nil
}

func (x *exchange) unencodable(err error) error {
	if e, ok := err.(*encodeError); ok {
		return &ParamsError{Operation: x.op.Name, Problems: []Problem{{Field: e.name, Message: "cannot be sent: " + scrub(e.what)}}}
	}
	return &ParamsError{Operation: x.op.Name, Problems: []Problem{{Field: "body", Message: "cannot be encoded: " + scrub(err.Error())}}}
}

// run makes attempts until one succeeds or there is to be no other.
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
			if existing, ok := x.conflict(ctx, err); ok {
				return x.readExisting(ctx, existing, err.(*Error))
			}
			return err
		}
		if x.settings.logger != nil {
			x.settings.logger.retrying(ctx, x, decision)
		}
		if cause := sleep(ctx, decision.Wait); cause != nil {
			return x.interrupted(cause, err)
		}
		previous = err
	}
}

// tryOnce makes an attempt and decides whether there is to be another.
func (x *exchange) tryOnce(ctx context.Context) (RetryDecision, error) {
	notSent, err := x.attempt(ctx)
	if err == nil || ctx.Err() != nil || x.attempts > x.settings.retries {
		return RetryDecision{}, err
	}
	if _, ok := x.conflict(ctx, err); ok {
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
		// The wait could only end in the context's error; the reason of the
		// failure is worth more, and now.
		return RetryDecision{}, err
	}
	return decision, err
}

// allow ends the call when its context has ended, and waits for the rate limit
// when the client is to.
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
		IdempotencyKey: x.keyText(),
		MayHaveRun:     x.mayHaveRun,
		Err:            cause,
		secret:         x.core.mask,
	}
}

func (x *exchange) keyText() string {
	if x.key == nil {
		return ""
	}
	return x.key[0]
}

// conflict returns the id of the resource that an earlier request with the same
// key has created, if there is a way to read it.
func (x *exchange) conflict(ctx context.Context, err error) (string, bool) {
	e, ok := err.(*Error)
	if !ok || ctx.Err() != nil || x.settings.conflictError || x.op.Kind != KindCreate || x.op.read == nil {
		return "", false
	}
	if !e.HasReason(reasonConflict) {
		return "", false
	}
	id := e.Link(conflictLink)
	return id, id != ""
}

// readExisting reads the resource that an earlier request created. It is a clean
// GET: the caller's headers go with it, the key, the body and the query of the
// create do not.
func (x *exchange) readExisting(ctx context.Context, id string, conflict *Error) error {
	read := &exchange{core: x.core, op: x.op.read, settings: x.settings, out: x.out}
	read.settings.edit = nil
	err := read.prepare(&input{id: id})
	if err == nil {
		err = read.run(ctx)
	}
	x.attempts += read.attempts
	if read.status != 0 {
		x.status, x.header, x.requestID, x.rateLimit, x.reply = read.status, read.header, read.requestID, read.rateLimit, read.reply
	}
	x.existing = true
	if err != nil {
		// What the caller needs to know first: it was created before, as this.
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
			IdempotencyKey: x.keyText(),
			Existing:       x.existing,
			Body:           x.reply,
		}
	}
}

// errNoReply is what is wrong with an empty 200.
var errNoReply = errors.New("the reply is empty")
