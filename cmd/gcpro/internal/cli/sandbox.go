package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// shutdownTime is how long requests under way may take when the sandbox is told to stop.
const shutdownTime = 5 * time.Second

// sandboxOptions are the flags of gcpro sandbox.
type sandboxOptions struct {
	addr, token, webhookURL, webhookSecret, clock, state, world string
	seed                                                        uint64
	limit                                                       int
	quiet                                                       bool
}

const sandboxLong = `Serves a fake of the API to programs in any language: it keeps what they create, moves
mandates and payments along, and sends signed webhooks. No account is needed, and no
money moves. Its address in a browser is a dashboard.

The commands below it work on a running one, at GOCARDLESS_BASE_URL, --base-url, or else
http://127.0.0.1:8080. Programs control it under /_sandbox/, which
/_sandbox/openapi.json describes.`

func (a *app) sandboxCommand() *cobra.Command {
	var o sandboxOptions
	c := &cobra.Command{
		Use: "sandbox", Short: "Serve a sandbox of the API, and control a running one", Long: sandboxLong,
		Example: "  gcpro sandbox --world gym\n  gcpro sandbox advance 14d\n  gcpro sandbox fault payments.create --status 503",
	}
	f := c.Flags()
	f.StringVar(&o.addr, "addr", "127.0.0.1:8080", "`address` to listen on; port 0 picks a free one")
	f.StringVar(&o.token, "token", "", "the only access `token` that is accepted (default any)")
	f.StringVar(&o.webhookURL, "webhook-url", "", "`URL` that webhooks are sent to")
	f.StringVar(&o.webhookSecret, "webhook-secret", "", "`secret` that webhooks are signed with")
	f.Uint64Var(&o.seed, "seed", 1, "`number` that ids are made from")
	f.StringVar(&o.clock, "clock", "", "`time` at which the clock starts, such as 2026-09-14T09:00:00Z (default now)")
	f.StringVar(&o.state, "state", "", "`file` that keeps the state over restarts (default in memory)")
	f.StringVar(&o.world, "world", "", "`name` of a world to start with, such as gym")
	f.IntVar(&o.limit, "rate-limit", 1000, "requests per token and minute; 0 for no limit")
	f.BoolVar(&o.quiet, "quiet", false, "do not log requests and webhooks")
	c.Args = func(c *cobra.Command, list []string) error {
		if len(list) > 0 {
			return unknownCommand(c, list[0])
		}
		return nil
	}
	c.RunE = func(c *cobra.Command, _ []string) error { return a.serve(c.Context(), &o) }
	a.addControls(c)
	return c
}

// serve runs a sandbox until the context ends.
func (a *app) serve(ctx context.Context, o *sandboxOptions) error {
	log := slog.New(slog.DiscardHandler)
	if !o.quiet {
		log = slog.New(slog.NewTextHandler(a.errs, nil))
	}
	opts, err := o.options(log)
	if err != nil {
		return err
	}
	sandbox := gocardlesstest.New(opts...)
	if o.state != "" {
		lost, err := sandbox.OpenState(o.state)
		if err != nil {
			return err
		}
		if lost > 0 {
			fmt.Fprintf(a.errs, "warning: the end of the state file was damaged: %d bytes were dropped and kept in %s.damaged\n", lost, o.state)
		}
	}
	server, err := sandbox.Listen(o.addr)
	if err != nil {
		return errors.Join(err, sandbox.Close())
	}
	if host, _, err := net.SplitHostPort(o.addr); err == nil && !isLoopback("http://"+net.JoinHostPort(host, "0")) {
		fmt.Fprintln(a.errs, "warning: the sandbox can be reached from other machines")
	}
	a.announce(a.out, server.URL, o)
	if o.world != "" {
		t := &target{env: gocardless.EnvironmentSandbox, base: server.URL, token: defaultTo(o.token, "local")}
		if err := a.control(ctx, t, http.MethodPost, "worlds", map[string]any{"ready": o.world}, nil); err != nil {
			return errors.Join(err, server.Close())
		}
	}
	<-ctx.Done()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	return server.Shutdown(stopping)
}

// announce prints the address, the dashboard and what to export.
func (a *app) announce(w io.Writer, address string, o *sandboxOptions) {
	token := "any"
	if o.token != "" {
		token = "TOKEN"
	}
	fmt.Fprintf(w, "listening on %s\ndashboard: %s/\n\nexport GOCARDLESS_BASE_URL=%s\nexport GOCARDLESS_ACCESS_TOKEN=%s\nexport GOCARDLESS_ENVIRONMENT=sandbox\n",
		address, address, address, token)
}

func (o *sandboxOptions) options(log *slog.Logger) ([]gocardlesstest.Option, error) {
	opts := []gocardlesstest.Option{gocardlesstest.WithSeed(o.seed), gocardlesstest.WithRateLimit(o.limit), gocardlesstest.WithControl()}
	if o.token != "" {
		opts = append(opts, gocardlesstest.WithToken(o.token))
	}
	switch {
	case (o.webhookURL == "") != (o.webhookSecret == ""):
		return nil, usagef("--webhook-url and --webhook-secret belong together")
	case o.webhookURL != "":
		w := gocardlesstest.Webhooks{URL: o.webhookURL, Secret: gocardless.WebhookSecret(o.webhookSecret)}
		if err := w.Validate(); err != nil {
			return nil, usageError{err}
		}
		opts = append(opts, gocardlesstest.WithWebhooks(w), gocardlesstest.WithDeliveryHook(func(d *gocardlesstest.Delivery) { logDelivery(log, d) }))
	}
	if o.clock != "" {
		from, err := time.Parse(time.RFC3339, o.clock)
		if err != nil {
			return nil, usagef("--clock: %q is not a time such as 2026-09-14T09:00:00Z", o.clock)
		}
		began := time.Now()
		opts = append(opts, gocardlesstest.WithClock(func() time.Time { return from.Add(time.Since(began)) }))
	}
	if !o.quiet {
		opts = append(opts, gocardlesstest.WithRequestHook(func(r *gocardlesstest.Request) { logRequest(log, r) }))
	}
	return opts, nil
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
