// Package sendtrace watches an HTTP transport, to distinguish a request that was never sent from one
// that may have been, and to keep the transport from sending an action twice.
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

// ErrSentBefore ends an attempt of an action that the transport was about to resend.
var ErrSentBefore = errors.New("the connection broke off after the request was sent")

// errInformational ends an attempt whose server sends informational replies without end.
var errInformational = errors.New("too many informational (1xx) replies")

// maxInformational is how many informational replies a request may have. Because a trace looks at
// them, net/http does not limit their size.
const maxInformational = 100

// Progress records how far one attempt has come.
//
// Over HTTP/2 a [http.Transport] retries a request of any kind when its stream was refused, when
// the server sent GOAWAY without having seen it, and when its stream was reset with
// PROTOCOL_ERROR. In the last case the request may have been carried out, as when a proxy rejects
// the reply. The transport does not report which case it was, so an action is resent in none.
type Progress struct {
	stop  context.CancelCauseFunc // ends the attempt of an action; nil for other requests
	trace httptrace.ClientTrace

	mu            sync.Mutex
	asked         bool // the transport looked for a connection
	connected     bool // and got one
	http2         bool // which speaks HTTP/2
	written       bool // a request was written to it
	answered      bool // and had a reply
	again         bool // a request without a reply was resent
	informational int  // replies before the reply
}

// Watch returns a context for an attempt, and its progress. The caller calls Done at its end.
// The context of an action ends with [ErrSentBefore] when the transport is about to resend it.
func Watch(ctx context.Context, action bool) (context.Context, *Progress) {
	p := new(Progress)
	if action {
		ctx, p.stop = context.WithCancelCause(ctx)
	}
	p.trace = httptrace.ClientTrace{
		GetConn: func(string) { p.note(func() { p.asked = true }) },
		GotConn: p.gotConn,
		// Only HTTP/2 has header fields that start with a colon. The connection does not show the
		// protocol if it is in cleartext.
		WroteHeaderField: func(name string, _ []string) {
			if strings.HasPrefix(name, ":") {
				p.note(func() { p.http2 = true })
			}
		},
		// The user's transport may make requests of its own, for instance for a token. A request
		// that has had its reply is not being resent. An informational reply does not count. Over
		// HTTP/2 the trace may report the reply before the writing.
		WroteHeaders:         func() { p.note(func() { p.written = true }) },
		GotFirstResponseByte: func() { p.note(func() { p.answered = true }) },
		Got1xxResponse:       p.got1xx,
	}
	return httptrace.WithClientTrace(ctx, &p.trace), p
}

// Done ends the watch. A nil Progress is fine.
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

// gotConn is called before anything is written to a connection. Over HTTP/2 the trace reports the
// writing late, so from here on a request may have been sent.
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
		// Over HTTP/1.1 the transport does not resend an action that reached the connection, because
		// its idempotency key has a name that the transport does not know. The request was only in
		// a buffer when the connection broke.
	}
}

// negotiatedHTTP2 reports whether a connection agreed on HTTP/2 when it was made.
func negotiatedHTTP2(conn net.Conn) bool {
	secure, ok := conn.(interface{ ConnectionState() tls.ConnectionState })
	return ok && secure.ConnectionState().NegotiatedProtocol == "h2"
}

// SentBefore reports whether the transport sent the request more than once, so that one of them may
// have been carried out whatever the reply to the last.
func (p *Progress) SentBefore() bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.again
}

// NeverSent reports whether the transport, which returned the given error, wrote no request to any
// connection. The trace decides, because the error may concern a second connection. For a transport
// that does not support tracing, the error decides.
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

// Permanent reports whether an error means that the server cannot be trusted or does not speak TLS,
// which a retry would not change.
func Permanent(err error) bool {
	return errtree.Find(err, func(err error) bool {
		switch err.(type) {
		case *tls.CertificateVerificationError, x509.UnknownAuthorityError, x509.HostnameError, x509.CertificateInvalidError, tls.RecordHeaderError:
			return true
		}
		return err == http.ErrSchemeMismatch
	})
}
