package gocardless

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
)

// Values of headers that never change. They are shared by all requests; a slice
// without spare room is copied by whoever appends to it.
var (
	versionValue        = []string{apiVersion}
	jsonValue           = []string{"application/json"}
	libraryValue        = []string{libraryName}
	libraryVersionValue = []string{Version}
)

// attempt sends the request once, reads the reply and returns nil when all went
// well, or the error with which the call ends if there is no other attempt. It
// also reports whether the request surely did not reach the API.
func (x *exchange) attempt(ctx context.Context) (notSent bool, err error) {
	x.attempts++
	x.status, x.header, x.requestID, x.rateLimit, x.reply = 0, nil, "", RateLimit{}, nil
	// A transport that panics, or ends its goroutine, must not keep its share of the
	// budget.
	defer x.landed(RateLimit{})

	parent := ctx
	if x.settings.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, x.settings.timeout)
		defer cancel()
	}
	var progress *sendProgress
	if x.op.Kind != KindRead {
		progress = new(sendProgress)
		if x.op.Kind == KindAction {
			ctx, progress.stop = context.WithCancelCause(ctx)
			defer progress.stop(nil)
		}
		ctx = progress.watch(ctx)
	}
	req := x.request(ctx)
	if x.core.signer != nil {
		if err := x.core.signer.sign(req, x.body); err != nil {
			return true, &SigningError{Operation: x.op.Name, Err: err}
		}
	}
	resp, err := x.core.http.Do(req)
	x.mayHaveRun = x.mayHaveRun || progress.sentBefore()
	if err != nil {
		if resp != nil && resp.Body != nil {
			_ = resp.Body.Close()
		}
		notSent = progress.neverSent(err)
		x.mayHaveRun = x.mayHaveRun || !notSent
		return notSent, x.connectionError(x.cause(parent, ctx, err))
	}
	return false, x.receive(parent, ctx, resp)
}

// request makes a new request. Each attempt has its own, with its own body: a
// transport may still be reading the body of the attempt before when the next
// begins, and a request that was sent once must not be sent again.
func (x *exchange) request(ctx context.Context) *http.Request {
	base := x.core.base
	parts := &struct {
		url  url.URL
		body requestBody
	}{url: url.URL{Scheme: base.Scheme, Host: base.Host, Path: x.path, RawPath: x.escaped, RawQuery: x.query}}
	req := (&http.Request{
		Method:     x.op.Method,
		URL:        &parts.url,
		Host:       base.Host,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Header:     x.headers(),
	}).WithContext(ctx)
	if x.body != nil {
		parts.body.Reset(x.body)
		req.Body = &parts.body
		req.ContentLength = int64(len(x.body))
		// Lets the transport send the request again by itself when nothing of it has
		// been written. For what else it might repeat see keyHeaderOnWire and
		// sendProgress.
		body := x.body
		req.GetBody = func() (io.ReadCloser, error) {
			b := new(requestBody)
			b.Reset(body)
			return b, nil
		}
	}
	return req
}

// requestBody is a body over bytes.
type requestBody struct{ bytes.Reader }

func (*requestBody) Close() error { return nil }

// headers makes the headers of a request: ours, those of the params, and the
// caller's, which win.
func (x *exchange) headers() http.Header {
	h := make(http.Header, 8)
	h["Authorization"] = x.core.authorization()
	h["Gocardless-Version"] = versionValue
	h["Accept"] = jsonValue
	h["User-Agent"] = userAgent()
	h["Gocardless-Client-Library"] = libraryValue
	h["Gocardless-Client-Version"] = libraryVersionValue
	if x.body != nil {
		h["Content-Type"] = jsonValue
	}
	if x.key != nil {
		if x.op.Kind == KindAction {
			h[keyHeaderOnWire] = x.key
		} else {
			h[keyHeader] = x.key
		}
	}
	if x.params != nil {
		x.params.header(h)
	}
	for name, values := range x.settings.header {
		if name == otherKeyHeader && x.op.Kind == KindAction {
			name = otherKeyHeaderOnWire
		}
		if values == nil {
			delete(h, name)
			if name == "User-Agent" {
				// net/http puts its own in the place of a missing one.
				h[name] = []string{""}
			}
			continue
		}
		h[name] = values
	}
	return h
}

// setHeader sets a header from a params field; an empty value is not sent.
func setHeader(h http.Header, name, value string) {
	if value != "" {
		h.Set(name, value)
	}
}

// cause finds out why there is no reply: the caller's context, the time limit of
// the attempt, or the network.
func (x *exchange) cause(parent, ctx context.Context, err error) error {
	if cause := parent.Err(); cause != nil {
		return cause
	}
	if context.Cause(ctx) == errSentBefore {
		return errSentBefore
	}
	if ctx.Err() != nil {
		return ErrTimeout
	}
	var e *url.Error
	if errors.As(err, &e) {
		// Its text repeats the address with the query.
		return e.Err
	}
	return err
}

// receive reads and judges a reply.
func (x *exchange) receive(parent, ctx context.Context, resp *http.Response) error {
	x.status, x.header = resp.StatusCode, resp.Header
	x.requestID = headerValue(resp.Header, requestIDHeader)
	x.rateLimit = parseRateLimit(resp.Header)
	if !x.rateLimit.IsZero() {
		seen := x.rateLimit
		x.core.rateLimit.Store(&seen)
	}
	x.landed(x.rateLimit)
	earlier := x.mayHaveRun
	x.mayHaveRun = earlier || mayHaveRun(resp)

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
	if x.op.Kind == KindDelete && earlier && resp.StatusCode == http.StatusGone {
		// The reply of an attempt before was lost, and its work was done.
		x.existing = true
		return nil
	}
	if !isSuccess(resp) {
		// A part of an error page is as good as all of it.
		return x.apiError(body)
	}
	switch {
	case x.out == nil:
		// Nothing is to be read: the status says all.
		return nil
	case err == ErrReplyTooLarge:
		return x.malformed(body, err)
	case err != nil && !isBodyCoding(err):
		return x.connectionError(x.cause(parent, ctx, err))
	case err != nil:
	case resp.StatusCode == http.StatusNoContent, resp.StatusCode == http.StatusResetContent:
		x.out.reset()
		return nil
	case len(body) == 0:
		err = errNoReply
	default:
		err = x.decode(body)
	}
	if err != nil && ctx.Err() != nil {
		// The end of a body that was cut off when time ran out can look like a
		// proper one.
		return x.connectionError(x.cause(parent, ctx, err))
	}
	if err != nil {
		return x.malformed(body, err)
	}
	return nil
}

// landed notifies the limiter that an attempt has ended. Only the first call does
// so for each attempt.
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

// mayHaveRun reports whether a request that had this reply may have been carried
// out: one that was refused, or not looked at, was not.
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
	if r, ok := x.out.(interface{ raw([]byte) error }); ok {
		return r.raw(body)
	}
	x.out.reset()
	d := newDecoder(body)
	found := true
	if envelope := x.op.ReplyEnvelope; envelope == "" {
		if d.next() != '{' {
			d.fail("not an object")
		}
		x.out.value(d)
	} else {
		if d.next() != '{' {
			d.fail("not an object")
		}
		found = false
		for d.object(); d.more(); {
			switch {
			case string(d.key) != envelope:
				x.out.sibling(d)
			case d.next() == 'n':
				d.skip()
				found = false
			default:
				found = true
				x.out.value(d)
			}
		}
	}
	if err := d.finish(); err != nil {
		return err
	}
	if !found {
		return errors.New("no member " + x.op.ReplyEnvelope)
	}
	return nil
}

func (x *exchange) apiError(body []byte) *Error {
	e := &Error{
		Operation:      x.op.Name,
		StatusCode:     x.status,
		RequestID:      x.requestID,
		RateLimit:      x.rateLimit,
		RetryAfter:     serverWait(x.status, x.header),
		Attempts:       x.attempts,
		IdempotencyKey: x.keyText(),
		Header:         x.header,
		Body:           bytes.Clone(body[:min(len(body), maxErrorBody)]),
		secret:         x.core.mask,
	}
	decodeError(e, body)
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
		IdempotencyKey: x.keyText(),
		Header:         x.header,
		Body:           bytes.Clone(body[:min(len(body), maxErrorBody)]),
		Err:            err,
	}
}

// buffers holds the memory for replies. Nothing that is decoded refers to it.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

func keepBuffer(b *[]byte) {
	// One large reply must not hold its memory for ever.
	if cap(*b) <= 1<<20 {
		buffers.Put(b)
	}
}

// maxErrorRead is how much of an unsuccessful reply is read to understand it.
const maxErrorRead = 1 << 20

// readBody reads a reply of at most limit bytes, counted after decompression, and
// closes it.
func readBody(ctx context.Context, resp *http.Response, buf []byte, limit int64) ([]byte, error) {
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		// What follows is the other protocol. net/http hands the connection over, and
		// no context would end a read from it.
		return buf, nil
	}
	var r io.Reader = resp.Body
	if !resp.Uncompressed && strings.EqualFold(headerValue(resp.Header, "Content-Encoding"), "gzip") {
		// The transport decompresses what it asked to be compressed. This is for
		// others that hand the reply on as it came.
		unzipped, err := gzip.NewReader(r)
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf, codingError{err}
		}
		r = unzipped
	} else if n := resp.ContentLength; n > int64(cap(buf)) && n <= 1<<20 {
		buf = make([]byte, 0, n+1) // one more shows the end without growing
	}
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if int64(len(buf)) > limit {
			return buf[:limit], ErrReplyTooLarge
		}
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
		if ctx.Err() != nil {
			// A transport of net/http ends the body by itself. Others may let it
			// drip for ever.
			return buf, ctx.Err()
		}
	}
}

// codingError is a reply that is not compressed as it says.
type codingError struct{ error }

func isBodyCoding(err error) bool {
	_, ok := err.(codingError)
	return ok || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum)
}

// errSentBefore ends an attempt of an action that the transport was about to send
// for the second time.
var errSentBefore = errors.New("the connection broke off after the request was sent")

// sendProgress watches a transport work, to tell a request that was never sent
// from one that may have been, and to keep an action from being sent twice.
//
// Over HTTP/2 a [net/http.Transport] repeats a request of any kind when its stream
// was refused, when the server said goodbye without having seen it, and when its
// stream was reset with PROTOCOL_ERROR. Of these the last can follow upon work that
// was done, as when a proxy does not like the reply. A transport does not tell which
// of them it was, so an action is not repeated after any.
type sendProgress struct {
	stop  context.CancelCauseFunc // ends the attempt of an action
	trace httptrace.ClientTrace

	mu        sync.Mutex
	asked     bool // the transport looked for a connection
	connected bool // and found one
	written   bool // a request was written to it
	answered  bool // and had a reply
	again     bool // it was lost, and the transport repeated it
}

func (p *sendProgress) watch(ctx context.Context) context.Context {
	p.trace = httptrace.ClientTrace{
		GetConn: func(string) { p.note(func() { p.asked = true }) },
		GotConn: p.gotConn,
		// A transport under ours may make requests of its own, such as for a token:
		// what has had its reply is not being repeated. An informational reply is none.
		// Over HTTP/2 the reply may be seen before the writing.
		WroteHeaders:         func() { p.note(func() { p.written = true }) },
		GotFirstResponseByte: func() { p.note(func() { p.answered = true }) },
		Got1xxResponse: func(int, textproto.MIMEHeader) error {
			p.note(func() { p.answered = false })
			return nil
		},
	}
	return httptrace.WithClientTrace(ctx, &p.trace)
}

func (p *sendProgress) note(fact func()) {
	p.mu.Lock()
	fact()
	p.mu.Unlock()
}

// gotConn is called before anything is written to a connection. Over HTTP/2 what is
// seen of the writing comes after it, so that a request may have been sent from here
// on.
func (p *sendProgress) gotConn(info httptrace.GotConnInfo) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lost := p.written && !p.answered
	p.connected, p.written, p.answered = true, false, false
	switch {
	case !lost:
	case p.stop == nil:
		p.again = true
	case isHTTP2(info.Conn):
		p.stop(errSentBefore)
	default:
		// Over HTTP/1.1 a written action is not repeated, see keyHeaderOnWire: its
		// headers were in a buffer, and the connection had gone.
	}
}

func isHTTP2(conn net.Conn) bool {
	secure, ok := conn.(interface{ ConnectionState() tls.ConnectionState })
	return ok && secure.ConnectionState().NegotiatedProtocol == "h2"
}

// sentBefore reports whether the transport sent the request more than once, so that
// the reply, or its absence, does not tell what came of all of it.
func (p *sendProgress) sentBefore() bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.again
}

// neverSent reports whether the transport, which ended with the given error, wrote a
// request to no connection. The error alone does not tell: it may be of the second
// connection, or from the middle of one. It has to do for a transport that shows
// nothing.
func (p *sendProgress) neverSent(err error) bool {
	if p == nil {
		return neverConnected(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.connected && (p.asked || neverConnected(err))
}

// neverConnected reports whether an error can only come from before there was a
// connection.
func neverConnected(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect") {
		return true
	}
	var dns *net.DNSError
	return errors.As(err, &dns) || isPermanent(err)
}

// isPermanent reports whether the server cannot be trusted or does not speak TLS:
// that does not change from one attempt to the next.
func isPermanent(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		hostname     x509.HostnameError
		invalid      x509.CertificateInvalidError
		record       tls.RecordHeaderError
	)
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &hostname) ||
		errors.As(err, &invalid) || errors.As(err, &record) || errors.Is(err, http.ErrSchemeMismatch)
}
