package gocardless

import (
	"context"
	"log/slog"
	"time"
)

// Log lines are built from this list of facts and nothing else: operation,
// method, status, attempt, wait, reason, error class, request id, duration. The
// address, headers, bodies and messages stay out, because they hold tokens, ids
// of people and what people typed.

// logReply notes a successful call.
func (x *exchange) logReply(ctx context.Context, began time.Time) {
	logger := x.settings.logger
	if logger == nil || !logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	logger.LogAttrs(ctx, slog.LevelDebug, "gocardless: done",
		slog.String("operation", x.op.Name),
		slog.Int("status", x.status),
		slog.Int("attempts", x.attempts),
		slog.Bool("existing", x.existing),
		slog.String("request_id", safeID(x.requestID)),
		slog.Duration("duration", time.Since(began)))
}

// logRetry notes that an attempt failed and another follows.
func (x *exchange) logRetry(ctx context.Context, decision RetryDecision) {
	logger := x.settings.logger
	if logger == nil {
		return
	}
	logger.LogAttrs(ctx, slog.LevelWarn, "gocardless: trying again",
		slog.String("operation", x.op.Name),
		slog.Int("status", x.status),
		slog.Int("attempt", x.attempts),
		slog.Duration("wait", decision.Wait),
		slog.String("reason", scrub(decision.Reason)),
		slog.String("request_id", safeID(x.requestID)))
}

// logFailure notes that a call ends with an error.
func (x *exchange) logFailure(ctx context.Context, began time.Time, err error) {
	logger := x.settings.logger
	if logger == nil {
		return
	}
	logger.LogAttrs(ctx, slog.LevelError, "gocardless: failed",
		slog.String("operation", x.op.Name),
		slog.String("error", errorClass(err)),
		slog.Int("status", x.status),
		slog.Int("attempts", x.attempts),
		slog.String("request_id", safeID(x.requestID)),
		slog.Duration("duration", time.Since(began)))
}

// errorClass names an error without its text.
func errorClass(err error) string {
	switch err := err.(type) {
	case *Error:
		for _, d := range err.Details {
			if d.Reason != "" {
				return scrub(string(d.Reason))
			}
		}
		if err.Type != "" {
			return scrub(string(err.Type))
		}
		return "unsuccessful reply"
	case *ConnectionError:
		if err.Timeout() {
			return "timeout"
		}
		return "connection"
	case *MalformedResponseError:
		return "unreadable reply"
	case *ParamsError:
		return "refused before sending"
	}
	return "other"
}
