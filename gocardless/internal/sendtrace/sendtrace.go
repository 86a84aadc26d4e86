// Package sendtrace watches an HTTP transport at work, to tell a request that was never sent
// from one that may have been, and to keep an action from being sent twice.
package sendtrace

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/errtree"
)

// ErrSentBefore ends an attempt of an action that the transport was about to send for the second
// time.
var ErrSentBefore = errors.New("the connection broke off after the request was sent")

// errInformational ends an attempt whose server sends informational replies without end.
var errInformational = errors.New("too many informational (1xx) replies")

// maxInformational is how many informational replies a request may have. The limit of net/http, on
// their size, does not apply to those who look at them.
const maxInformational = 100

// Progress is what one attempt has come to.
//
// Over HTTP/2 a [http.Transport] retries a request of any kind when its stream was refused, when
// the server sent GOAWAY without having seen it, and when its stream was reset with
// PROTOCOL_ERROR. The last of these can follow work that was done, as when a proxy rejects the
// reply. The transport does not tell which it was, so an action is not repeated after any.
type Progress struct {
	stop  context.CancelCauseFunc // ends the attempt of an action; nil for other requests
	trace httptrace.ClientTrace

	mu            sync.Mutex
	asked         bool // the transport looked for a connection
	connected     bool // and found one
	http2         bool // which speaks HTTP/2
	written       bool // a request was written to it
	answered      bool // and had a reply
	again         bool // it was lost, and the transport repeated it
	informational int  // replies before the reply
}

// Watch returns a context for an attempt, and its progress. The caller calls Done at its end.
// The context of an action ends with [ErrSentBefore] when the transport is about to repeat it.
func Watch(ctx context.Context, action bool) (context.Context, *Progress) {
	p := new(Progress)
	if action {
		ctx, p.stop = context.WithCancelCause(ctx)
	}
	p.trace = httptrace.ClientTrace{
		GetConn: func(string) { p.note(func() { p.asked = true }) },
		GotConn: p.gotConn,
		// Only HTTP/2 has header fields that start with a colon. TLS says nothing about the
		// protocol: HTTP/2 is spoken in cleartext as well.
		WroteHeaderField: func(name string, _ []string) {
			if strings.HasPrefix(name, ":") {
				p.note(func() { p.http2 = true })
			}
		},
		// A transport under ours may make requests of its own, for instance for a token: one
		// that has had its reply is not being retried. An informational reply does not count.
		// Over HTTP/2 the reply may be seen before the writing.
		WroteHeaders:         func() { p.note(func() { p.written = true }) },
		GotFirstResponseByte: func() { p.note(func() { p.answered = true }) },
		Got1xxResponse:       p.got1xx,
	}
	return httptrace.WithClientTrace(ctx, &p.trace), p
}

// Done releases what Watch set up. A nil Progress is fine.
func (p *Progress) Done() {
	if p != nil && p.stop != nil {
		p.stop(nil)
	}
}

func (p *Progress) note(fact func()) {
	p.mu.Lock()
	fact()
	p.mu.Unlock()
}

func (p *Progress) got1xx(int, textproto.MIMEHeader) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answered = false
	if p.informational++; p.informational > maxInformational {
		return errInformational
	}
	return nil
}

// gotConn is called before anything is written to a connection. Over HTTP/2 what is seen of the
// writing comes after it, so a request may have been sent from here on.
func (p *Progress) gotConn(info httptrace.GotConnInfo) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lost, http2 := p.written && !p.answered, p.http2
	p.connected, p.http2, p.written, p.answered = true, negotiatedHTTP2(info.Conn), false, false
	switch {
	case !lost:
	case p.stop == nil:
		p.again = true
	case http2:
		p.stop(ErrSentBefore)
	default:
		// Over HTTP/1.1 the transport does not retry an action that was written, because its
		// idempotency key has a name that the transport does not know. Its headers were in a
		// buffer, and the connection had gone.
	}
}

// negotiatedHTTP2 reports whether a connection agreed on HTTP/2 when it was made.
func negotiatedHTTP2(conn net.Conn) bool {
	secure, ok := conn.(interface{ ConnectionState() tls.ConnectionState })
	return ok && secure.ConnectionState().NegotiatedProtocol == "h2"
}

// SentBefore reports whether the transport sent the request more than once, so that the reply,
// or its absence, does not tell what came of all of it.
func (p *Progress) SentBefore() bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.again
}

// NeverSent reports whether the transport, which ended with the given error, wrote no request to
// any connection. The error alone does not tell: it may concern a second connection, or come
// from the middle of one. It has to do for a transport that does not support tracing.
func (p *Progress) NeverSent(err error) bool {
	if p == nil {
		return neverConnected(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.connected && (p.asked || neverConnected(err))
}

// neverConnected reports whether an error can only come from before there was a connection.
func neverConnected(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "dial" || op.Op == "proxyconnect") {
		return true
	}
	_, ok := errors.AsType[*net.DNSError](err)
	return ok || Permanent(err)
}

// Permanent reports whether the server cannot be trusted or does not speak TLS, which does not
// change from one attempt to the next.
func Permanent(err error) bool {
	return errtree.Find(err, func(err error) bool {
		switch err.(type) {
		case *tls.CertificateVerificationError, x509.UnknownAuthorityError, x509.HostnameError, x509.CertificateInvalidError, tls.RecordHeaderError:
			return true
		}
		return err == http.ErrSchemeMismatch
	})
}
