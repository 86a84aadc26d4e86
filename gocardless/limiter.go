package gocardless

import "context"

// A Limiter holds requests back before the API's rate limit is reached. Many
// processes that use one access token can share a budget by an implementation
// that keeps its state in a place they all reach. It must be safe for concurrent
// use.
type Limiter interface {
	// Wait returns when a request of the operation may be sent, or the context's
	// error when that ends first. It is called before each attempt.
	Wait(ctx context.Context, op Operation) error
	// Observe tells what a reply to the operation said of the rate limit; the
	// value is zero when it said nothing.
	Observe(op Operation, limit RateLimit)
}

// WithLimiter asks the given limiter before each attempt.
func WithLimiter(l Limiter) ClientOption {
	return clientOption(func(c *clientConfig) {
		if c.limiter = l; l == nil {
			c.refuse("WithLimiter", "must not be nil")
		}
	})
}
