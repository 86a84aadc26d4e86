package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// shutdownTime is how long requests under way may take when the sandbox is told to stop.
const shutdownTime = 5 * time.Second

const sandboxUsage = `usage: gcpro sandbox [flags]

A fake of the API, and beside it, for programs that test against it:

  GET    /_sandbox/clock              the time, and how many faults are to come
  POST   /_sandbox/clock              {"advance":"14d"} or {"to":"2030-01-01T00:00:00Z"}:
                                      does what falls due until then
  POST   /_sandbox/faults             {"operation":"payments.create","status":503}: makes the
                                      next such call fail; also skip, times, after, reason,
                                      header, body, content_type, bare, delay, drop, truncate
  DELETE /_sandbox/faults             takes all faults away
  POST   /_sandbox/reset              starts again; the clock stays where it is
  POST   /_sandbox/flows/{id}/finish  {"given_name":"Ada"}: plays the payer of a hosted flow

flags:
`

// runSandbox serves a sandbox until the context ends.
func runSandbox(ctx context.Context, args []string, out, errs io.Writer) (err error) {
	fs := flag.NewFlagSet("gcpro sandbox", flag.ContinueOnError)
	addr := fs.String("addr", "127.0.0.1:8080", "`address` to listen on; port 0 picks a free one")
	token := fs.String("token", "", "the only access `token` that is accepted (default any)")
	webhookURL := fs.String("webhook-url", "", "`URL` that webhooks are sent to")
	webhookSecret := fs.String("webhook-secret", "", "`secret` that webhooks are signed with")
	seed := fs.Uint64("seed", 1, "`number` that ids are made from")
	clock := fs.String("clock", "", "`time` at which the clock starts, such as 2026-09-14T09:00:00Z (default now)")
	state := fs.String("state", "", "`file` that keeps the state over restarts (default in memory)")
	limit := fs.Int("rate-limit", 1000, "requests per token and minute; 0 for no limit")
	quiet := fs.Bool("quiet", false, "do not log requests and webhooks")
	fs.Usage = func() {
		fmt.Fprint(errs, sandboxUsage)
		fs.PrintDefaults()
	}
	if err := parse(fs, args, errs); err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	if !*quiet {
		log = slog.New(slog.NewTextHandler(errs, nil))
	}
	opts := []gocardlesstest.Option{gocardlesstest.WithSeed(*seed), gocardlesstest.WithRateLimit(*limit), gocardlesstest.WithControl()}
	if *token != "" {
		opts = append(opts, gocardlesstest.WithToken(*token))
	}
	switch {
	case (*webhookURL == "") != (*webhookSecret == ""):
		return errors.New("-webhook-url and -webhook-secret belong together")
	case *webhookURL != "":
		w := gocardlesstest.Webhooks{URL: *webhookURL, Secret: gocardless.WebhookSecret(*webhookSecret)}
		if err := w.Validate(); err != nil {
			return err
		}
		opts = append(opts, gocardlesstest.WithWebhooks(w), gocardlesstest.WithDeliveryHook(func(d *gocardlesstest.Delivery) { logDelivery(log, d) }))
	}
	if *clock != "" {
		from, err := time.Parse(time.RFC3339, *clock)
		if err != nil {
			return fmt.Errorf("-clock: %q is not a time such as 2026-09-14T09:00:00Z", *clock)
		}
		began := time.Now()
		opts = append(opts, gocardlesstest.WithClock(func() time.Time { return from.Add(time.Since(began)) }))
	}
	if !*quiet {
		opts = append(opts, gocardlesstest.WithRequestHook(func(r *gocardlesstest.Request) { logRequest(log, r) }))
	}
	sandbox := gocardlesstest.New(opts...)
	if *state != "" {
		lost, err := sandbox.OpenState(*state)
		if err != nil {
			return err
		}
		if lost > 0 {
			fmt.Fprintf(errs, "warning: the end of the state file was damaged: %d bytes were dropped and kept in %s.damaged\n", lost, *state)
		}
	}
	server, err := sandbox.Listen(*addr)
	if err != nil {
		return errors.Join(err, sandbox.Close())
	}
	if host, _, err := net.SplitHostPort(*addr); err == nil && !loopback(host) {
		fmt.Fprintln(errs, "warning: the sandbox can be reached from other machines")
	}
	fmt.Fprintln(out, "listening on "+server.URL)
	<-ctx.Done()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	return server.Shutdown(stopping)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// logRequest writes a line for a request: never its query, headers or bodies.
func logRequest(log *slog.Logger, r *gocardlesstest.Request) {
	log.Info("request", "method", r.Method, "path", r.Path, "operation", r.Operation, "status", r.Status, "resource", r.Resource, "request_id", r.RequestID)
}

// logDelivery writes a line for an attempt to deliver a webhook: never its address, which may hold a
// secret, or its body.
func logDelivery(log *slog.Logger, d *gocardlesstest.Delivery) {
	about := []any{"webhook", d.Webhook, "attempt", d.Attempt, "events", strings.Join(d.EventIDs, ","), "types", strings.Join(d.Types, ",")}
	switch {
	case d.Accepted():
		log.Info("webhook", append(about, "status", d.Status)...)
	case d.Status != 0:
		log.Warn("webhook not accepted", append(about, "status", d.Status, "reason", http.StatusText(d.Status))...)
	default:
		log.Warn("webhook not delivered", append(about, "error", d.Error)...)
	}
}
