package gocardless

import (
	"context"
	"log/slog"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/errtree"
	"github.com/gocardless-community/gocardless-go/gocardless/internal/scrub"
)

// Log lines contain only: operation, status, attempts, whether a resource existed, wait, reason,
// error class, number of misfits and the path of the first, request id, duration. They leave out
// headers, queries, bodies and messages, which may contain tokens and personal data.

// callLogger is the pipeline's view of a logger. It is an interface, implemented only for
// [WithLogger], so that programs without a logger do not link log/slog, which takes 300 kB.
type callLogger interface {
	succeeded(ctx context.Context, x *exchange, began time.Time)
	retrying(ctx context.Context, x *exchange, decision RetryDecision)
	misfits(ctx context.Context, x *exchange)
	failed(ctx context.Context, x *exchange, began time.Time, err error)
}

// WithLogger logs calls: success at level debug; each retry, with its reason, and a reply with
// misfits at level warn; failure at level error. Tokens, query strings, bodies and messages are never
// logged.
func WithLogger(logger *slog.Logger) Option {
	return option(func(s *settings) {
		if logger == nil {
			s.refuse("WithLogger", "must not be nil")
			return
		}
		s.logger = slogLogger{logger}
	})
}

type slogLogger struct{ *slog.Logger }

func (l slogLogger) succeeded(ctx context.Context, x *exchange, began time.Time) {
	if !l.Enabled(ctx, slog.LevelDebug) {
		return
	}
	l.LogAttrs(ctx, slog.LevelDebug, "gocardless: done",
		slog.String("operation", x.op.Name),
		slog.Int("status", x.status),
		slog.Int("attempts", x.attempts),
		slog.Bool("existing", x.existing),
		slog.String("request_id", scrub.ID(x.requestID)),
		slog.Duration("duration", time.Since(began)))
}

func (l slogLogger) retrying(ctx context.Context, x *exchange, decision RetryDecision) {
	l.LogAttrs(ctx, slog.LevelWarn, "gocardless: trying again",
		slog.String("operation", x.op.Name),
		slog.Int("status", x.status),
		slog.Int("attempt", x.attempts),
		slog.Duration("wait", decision.Wait),
		slog.String("reason", scrub.Text(decision.Reason)),
		slog.String("request_id", scrub.ID(x.requestID)))
}

func (l slogLogger) misfits(ctx context.Context, x *exchange) {
	l.LogAttrs(ctx, slog.LevelWarn, "gocardless: reply does not fit",
		slog.String("operation", x.op.Name),
		slog.Int("misfits", len(x.misfits)),
		slog.String("first", x.misfits[0].String()),
		slog.String("request_id", scrub.ID(x.requestID)))
}

func (l slogLogger) failed(ctx context.Context, x *exchange, began time.Time, err error) {
	l.LogAttrs(ctx, slog.LevelError, "gocardless: failed",
		slog.String("operation", x.op.Name),
		slog.String("error", errorClass(err)),
		slog.Int("status", x.status),
		slog.Int("attempts", x.attempts),
		slog.String("request_id", scrub.ID(x.requestID)),
		slog.Duration("duration", time.Since(began)))
}

// errorClass returns the class of an error that is neither nil nor a cancellation; see [ErrorClass].
func errorClass(err error) string {
	class := "other"
	// The outermost of our errors counts: one may wrap another.
	errtree.Find(err, func(err error) bool {
		switch e := any(err).(type) {
		case *Error:
			class = e.class()
		case *ConnectionError:
			if class = "connection"; e.Timeout() {
				class = "timeout"
			}
		case *MalformedResponseError:
			class = "unreadable reply"
		case *ParamsError:
			class = "refused before sending"
		case *SigningError:
			class = "not signed"
		default:
			return false
		}
		return true
	})
	return class
}

// class returns the first reason that the API gave, or else the type of the error.
func (e *Error) class() string {
	for _, d := range e.Details {
		if d.Reason != "" {
			return e.scrub(string(d.Reason))
		}
	}
	if e.Type != "" {
		return e.scrub(string(e.Type))
	}
	return "unsuccessful reply"
}
