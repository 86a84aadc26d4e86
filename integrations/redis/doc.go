// Package redislimit shares the API's rate limit among all processes that use the same access token.
// It keeps the budgets in Redis:
//
//	limiter, err := redislimit.New(redis.NewClient(&redis.Options{Addr: "redis:6379"}), redislimit.Options{Budget: "acme-live"})
//	…
//	client, err := gocardless.New(token, gocardless.EnvironmentLive, gocardless.WithLimiter(limiter))
//
// It has the lanes of [gocardless.WithRateLimitWait]: interactive calls may use the whole limit,
// while bulk calls leave a reserve and are spread over the minute, across all processes. Each API
// request runs one short script in Redis (5.0 or later).
//
// If Redis cannot be reached, each process uses its own limiter and logs a warning; later it tries
// Redis again. Redis does not have to persist anything: each process passes the limits in the API's
// replies to it, which also restores a server that lost its data.
package redislimit
