package gocardless

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
	"github.com/gocardless-community/gocardless-go/gocardless/internal/sendtrace"
)

// Header values that never change. All requests share them. The slices have no spare capacity, so an
// append copies them.
var (
	versionValue        = []string{apiVersion}
	jsonValue           = []string{"application/json"}
	libraryValue        = []string{libraryName}
	libraryVersionValue = []string{Version}
)

// attempt sends the request once and reads the reply. The call fails with its error unless there is
// another attempt. It also reports whether the request is known not to have reached the API.
func (x *exchange) attempt(ctx context.Context) (notSent bool, err error) {
	x.attempts++
	x.status, x.header, x.requestID, x.rateLimit, x.reply = 0, nil, "", RateLimit{}, nil
	x.misfits, x.resourceID = nil, ""

	parent := ctx
	if x.settings.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, x.settings.timeout)
		defer cancel()
	}
	var progress *sendtrace.Progress
	if x.op.Kind != KindRead {
		ctx, progress = sendtrace.Watch(ctx, x.op.Kind == KindAction)
		defer progress.Done()
	}
	req := x.request(ctx)
	if x.core.signer != nil {
		if err := x.core.signer.sign(req, x.body); err != nil {
			return true, &SigningError{Operation: x.op.Name, Err: err}
		}
	}
	resp, err := x.core.send(req)
	x.mayHaveRun = x.mayHaveRun || progress.SentBefore()
	if err != nil {
		if resp != nil && resp.Body != nil {
			_ = resp.Body.Close()
		}
		notSent = progress.NeverSent(err)
		x.mayHaveRun = x.mayHaveRun || !notSent
		return notSent, x.connectionError(x.cause(parent, ctx, err))
	}
	return false, x.receive(parent, ctx, resp)
}

// request makes a new request. Each attempt has its own request and body, because a transport may
// still be reading the previous attempt's body when the next attempt begins.
func (x *exchange) request(ctx context.Context) *http.Request {
	base := x.core.base
	req := (&http.Request{
		Method:     x.op.Method,
		URL:        &url.URL{Scheme: base.Scheme, Host: base.Host, Path: x.path, RawPath: x.escaped, RawQuery: x.query},
		Host:       base.Host,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Header:     x.headers(),
	}).WithContext(ctx)
	if x.body != nil {
		body := x.body
		req.Body = newRequestBody(body)
		req.ContentLength = int64(len(body))
		// GetBody lets the transport resend a request if none of it has been written. For the
		// other cases in which a transport resends, see keyHeaderOnWire and package sendtrace.
		req.GetBody = func() (io.ReadCloser, error) { return newRequestBody(body), nil }
	}
	return req
}

// requestBody is a body over bytes.
type requestBody struct{ bytes.Reader }

func newRequestBody(data []byte) *requestBody {
	b := new(requestBody)
	b.Reset(data)
	return b
}

func (*requestBody) Close() error { return nil }

// headers makes the headers of a request: ours, then those of the params, then the caller's. Later
// ones replace earlier ones.
func (x *exchange) headers() http.Header {
	h := make(http.Header, 8)
	h["Authorization"] = x.core.authorization()
	h["Gocardless-Version"] = versionValue
	h["Accept"] = jsonValue
	h["User-Agent"] = userAgent
	h["Gocardless-Client-Library"] = libraryValue
	h["Gocardless-Client-Version"] = libraryVersionValue
	if x.body != nil {
		h["Content-Type"] = jsonValue
	}
	if x.key[0] != "" {
		if x.op.Kind == KindAction {
			h[keyHeaderOnWire] = x.key[:]
		} else {
			h[keyHeader] = x.key[:]
		}
	}
	maps.Copy(h, x.paramHeader)
	for name, values := range x.settings.header {
		if name == otherKeyHeader && x.op.Kind == KindAction {
			name = otherKeyHeaderOnWire
		}
		if values == nil {
			delete(h, name)
			if name == "User-Agent" {
				// net/http would add its own if the header were missing.
				h[name] = []string{""}
			}
			continue
		}
		h[name] = values
	}
	return h
}

// cause returns the error that explains a missing reply: the error of the caller's context,
// ErrTimeout, or the network's error.
func (x *exchange) cause(parent, ctx context.Context, err error) error {
	if cause := parent.Err(); cause != nil {
		return cause
	}
	if errors.Is(context.Cause(ctx), sendtrace.ErrSentBefore) {
		return sendtrace.ErrSentBefore
	}
	if ctx.Err() != nil {
		return ErrTimeout
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		// The message of a url.Error contains the query.
		return e.Err
	}
	return err
}

// receive reads a reply and judges it.
func (x *exchange) receive(parent, ctx context.Context, resp *http.Response) error {
	lost := x.mayHaveRun // an earlier attempt may have run, and its reply was lost
	x.note(resp)
	buffer := buffers.Get().(*[]byte)
	defer keepBuffer(buffer)
	limit := x.settings.maxReply
	if !isSuccess(resp) {
		limit = min(limit, maxErrorRead)
	}
	body, err := readBody(ctx, resp, (*buffer)[:0], limit)
	*buffer = body
	if x.settings.response != nil {
		x.reply = bytes.Clone(body)
	}
	switch {
	case x.op.Kind == KindDelete && lost && x.status == http.StatusGone:
		// The earlier attempt removed it.
		x.existing = true
		return nil
	case !isSuccess(resp):
		// The status is what counts, so an incomplete body is fine.
		return x.apiError(body)
	case x.out == nil:
		return nil // the status is the result
	}
	tooLarge := errors.Is(err, ErrReplyTooLarge)
	cutOff := err != nil && !tooLarge && !isBodyCoding(err)
	if err == nil {
		err = x.decode(body)
	}
	misfit := errors.Is(err, ErrMisfit)
	switch {
	case err == nil:
		return nil
	case cutOff, ctx.Err() != nil && !tooLarge && !misfit:
		// If time ran out, a body that was cut off can look complete.
		return x.connectionError(x.cause(parent, ctx, err))
	}
	return x.malformed(body, err)
}

// note keeps the status and headers of a reply.
func (x *exchange) note(resp *http.Response) {
	x.status, x.header = resp.StatusCode, resp.Header
	x.requestID = headerValue(resp.Header, requestIDHeader)
	x.rateLimit = x.core.rateLimit.read(resp.Header)
	x.landed(x.rateLimit)
	x.mayHaveRun = x.mayHaveRun || mayHaveRun(resp)
}

// landed notifies the limiter that an attempt has ended. Only the first call does so for each
// attempt.
func (x *exchange) landed(limit RateLimit) {
	if !x.counted {
		return
	}
	x.counted = false
	if !limit.Reset.IsZero() {
		limit.Reset = onOurClock(limit.Reset, x.header)
	}
	x.core.limiter.Observe(*x.op, x.settings.lane, limit)
}

func isSuccess(resp *http.Response) bool { return resp.StatusCode >= 200 && resp.StatusCode <= 299 }

// mayHaveRun reports whether the API may have carried out a request that had this reply. It has not
// if it refused the request or did not look at it.
func mayHaveRun(resp *http.Response) bool {
	switch code := resp.StatusCode; {
	case code == http.StatusRequestTimeout:
		return true
	case code == http.StatusServiceUnavailable:
		_, later := retryAfter(resp.Header)
		return !later
	default:
		return code < 400 || code > 499
	}
}

// decode reads a successful reply.
func (x *exchange) decode(body []byte) error {
	raw, isRaw := x.out.(interface{ raw([]byte) error })
	noContent := x.status == http.StatusNoContent || x.status == http.StatusResetContent
	switch {
	case isRaw && noContent:
		return nil
	case len(body) == 0 || noContent:
		return errNoReply
	case isRaw:
		return raw.raw(body)
	}
	d := jsonwire.NewDecoder(body)
	found := x.decodeEnvelope(d)
	outcome, err := d.Finish()
	if err != nil {
		return err
	}
	return x.judge(found, outcome)
}

// decodeEnvelope reads a reply and reports whether it holds a result.
func (x *exchange) decodeEnvelope(d *jsonwire.Decoder) (found bool) {
	envelope := x.op.ReplyEnvelope
	if envelope == "" {
		return x.out.value(d)
	}
	for d.Object(); d.More(); {
		if string(d.Key) == envelope {
			found = x.out.value(d)
		} else {
			x.out.sibling(d)
		}
	}
	return found
}

func (x *exchange) apiError(body []byte) *Error {
	e := &Error{
		Operation:      x.op.Name,
		StatusCode:     x.status,
		RequestID:      x.requestID,
		RateLimit:      x.rateLimit,
		RetryAfter:     serverWait(x.status, x.header),
		Attempts:       x.attempts,
		IdempotencyKey: x.key[0],
		Header:         x.header,
		Body:           bytes.Clone(body[:min(len(body), maxErrorBody)]),
		secret:         x.core.mask,
	}
	e.unreadable = !decodeError(e, body)
	if e.unreadableConflict(x.op.Kind) {
		x.mayHaveRun = true // the conflict may be with an earlier attempt
	}
	if x.status >= 300 && x.status <= 399 {
		e.hint = "redirects are followed for GET within the same host only"
	}
	e.MayHaveRun = x.mayHaveRun
	return e
}

func (x *exchange) malformed(body []byte, err error) error {
	return &MalformedResponseError{
		Operation:      x.op.Name,
		StatusCode:     x.status,
		RequestID:      x.requestID,
		RateLimit:      x.rateLimit,
		Attempts:       x.attempts,
		IdempotencyKey: x.key[0],
		Header:         x.header,
		Body:           bytes.Clone(body[:min(len(body), maxErrorBody)]),
		ResourceID:     x.resourceID,
		Err:            err,
	}
}

// buffers holds memory for replies. Decoded values do not refer to it.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

func keepBuffer(b *[]byte) {
	// The pool must not keep the memory of a large reply.
	if cap(*b) <= 1<<20 {
		buffers.Put(b)
	}
}

// maxErrorRead is the most that is read of an unsuccessful reply.
const maxErrorRead = 1 << 20

// readBody reads a reply of at most limit bytes, counted after decompression, and
// closes it.
func readBody(ctx context.Context, resp *http.Response, buf []byte, limit int64) ([]byte, error) {
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		// The rest is another protocol. net/http hands over the connection, and a read from it
		// would not end with the context.
		return buf, nil
	}
	var r io.Reader = resp.Body
	if !resp.Uncompressed && strings.ToLower(headerValue(resp.Header, "Content-Encoding")) == "gzip" {
		// This is for transports that pass on a compressed reply; net/http's decompresses it.
		// ToLower, unlike EqualFold, is linked into every program that uses net/http.
		unzipped, err := gzip.NewReader(r)
		if errors.Is(err, io.EOF) {
			return buf, nil
		}
		if err != nil {
			return buf, &codingError{err}
		}
		r = unzipped
	} else if n := resp.ContentLength; n > int64(cap(buf)) && n <= 1<<20 {
		buf = make([]byte, 0, n+1) // one more shows the end without growing
	}
	return readAll(ctx, r, buf, limit)
}

// readAll appends to buf until the end of r, the limit or the end of the context.
func readAll(ctx context.Context, r io.Reader, buf []byte, limit int64) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return buf[:limit], ErrReplyTooLarge
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return buf, err
		case ctx.Err() != nil:
			// The transport of net/http ends the body with the context. Others may not.
			return buf, ctx.Err()
		}
	}
}

// codingError is the error of a reply that is not compressed as its Content-Encoding declares.
type codingError struct{ error }

func isBodyCoding(err error) bool {
	_, ok := errors.AsType[*codingError](err)
	return ok || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum)
}
