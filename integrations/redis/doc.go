// Package redislimit shares the API's rate limit among all processes that use one
// access token. It keeps the budgets in Redis:
//
//	limiter, err := redislimit.New(redis.NewClient(&redis.Options{Addr: "redis:6379"}), redislimit.Options{Budget: "acme-live"})
//	…
//	client, err := gocardless.New(token, gocardless.EnvironmentLive, gocardless.WithLimiter(limiter))
//
// It has the lanes of [gocardless.WithRateLimitWait]: interactive calls may use the
// whole limit, bulk calls leave a reserve and are spread over the minute, over all
// processes together. Each request costs one short script in Redis (5.0 or later).
//
// When Redis cannot be reached, each process uses a limiter of its own and logs a
// warning; later it tries Redis again. Nothing has to survive in
// Redis: what the API's replies report is passed on, so that a server that has lost
// its memory learns what was used.
package redislimit
