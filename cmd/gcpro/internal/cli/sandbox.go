package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
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
	addr, token, clock, state, world, certificate string
	webhookURLs, webhookSecrets, hosts            []string
	seed                                          uint64
	limit                                         int
	quiet                                         bool
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
	f.StringVar(&o.addr, "addr", "127.0.0.1:8080", "`address` to listen on, or unix:PATH; port 0 picks a free one")
	f.StringSliceVar(&o.hosts, "allow-host", nil, "host `name` under which other machines or containers may call, * for any")
	f.StringVar(&o.certificate, "tls-cert", "", "serve HTTPS, and write the certificate to this `file`")
	f.StringVar(&o.token, "token", "", "the only access `token` that is accepted, by the API, the control API and the dashboard (default any)")
	f.StringArrayVar(&o.webhookURLs, "webhook-url", nil, "`URL` that webhooks are sent to; can be repeated")
	f.StringArrayVar(&o.webhookSecrets, "webhook-secret", nil, "`secret` that webhooks are signed with: one for all, or one for each URL")
	f.Uint64Var(&o.seed, "seed", 1, "`number` that ids are made from")
	f.StringVar(&o.clock, "clock", "", "`time` at which the clock starts, such as 2026-09-14T09:00:00Z (default now)")
	f.StringVar(&o.state, "state", "", "`file` that keeps the state over restarts (default in memory)")
	f.StringVar(&o.world, "world", "", "`name` of a world to start with, such as gym, or a file")
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
	if host, _, err := net.SplitHostPort(o.addr); err == nil && !strings.HasPrefix(o.addr, "unix:") && !isLoopback("http://"+net.JoinHostPort(host, "0")) {
		fmt.Fprintln(a.errs, "warning: the sandbox can be reached from other machines")
	}
	a.announce(a.out, server.URL, o)
	if o.certificate != "" {
		err = os.WriteFile(o.certificate, server.CertificatePEM(), 0o644) //nolint:gosec // a certificate is public
	}
	if err == nil && o.world != "" {
		err = loadWorld(sandbox, o.world)
	}
	if err != nil {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		return errors.Join(err, server.Shutdown(stopping))
	}
	<-ctx.Done()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	return server.Shutdown(stopping)
}

// loadWorld loads a world that comes with the sandbox, or one from a file.
func loadWorld(sandbox *gocardlesstest.Sandbox, name string) error {
	world, err := gocardlesstest.ReadyWorld(name)
	if err != nil {
		b, fileErr := os.ReadFile(name) //nolint:gosec // the caller's own file
		if fileErr != nil {
			return usageError{errors.Join(err, fileErr)}
		}
		world = b
	}
	_, err = sandbox.LoadWorld(world)
	return err
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
	if len(o.hosts) > 0 {
		opts = append(opts, gocardlesstest.WithAllowedHosts(o.hosts...))
	}
	if o.certificate != "" {
		opts = append(opts, gocardlesstest.WithTLS())
	}
	if len(o.webhookSecrets) != len(o.webhookURLs) && (len(o.webhookSecrets) != 1 || len(o.webhookURLs) == 0) {
		return nil, usagef("--webhook-url and --webhook-secret belong together")
	}
	for i, address := range o.webhookURLs {
		w := gocardlesstest.Webhooks{URL: address, Secret: gocardless.WebhookSecret(o.webhookSecrets[min(i, len(o.webhookSecrets)-1)])}
		if err := w.Validate(); err != nil {
			return nil, usageError{err}
		}
		opts = append(opts, gocardlesstest.WithWebhooks(w))
	}
	opts = append(opts, gocardlesstest.WithDeliveryHook(func(d *gocardlesstest.Delivery) { logDelivery(log, d) }))
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
