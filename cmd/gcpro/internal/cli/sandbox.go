package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// shutdownTime is how long requests in progress may take when the sandbox stops.
const shutdownTime = 5 * time.Second

// sandboxOptions are the flags of gcpro sandbox.
type sandboxOptions struct {
	addr, token, clock, state, world, certificate string
	webhookURLs, webhookSecrets, hosts            []string
	seed                                          uint64
	limit                                         int
	quiet                                         bool
}

const sandboxLong = `Serves a fake of the API to programs in any language. It stores the resources that they create, takes mandates and payments through their life cycles, and sends signed webhooks. It needs no account and moves no money. Open its address in a browser for a dashboard.

The subcommands control a running sandbox: the one at --base-url, GOCARDLESS_BASE_URL or else http://127.0.0.1:8080. Programs can do the same with the API under /_sandbox/, which /_sandbox/openapi.json describes.

Make up the token and the webhook secret of a sandbox. Never use real ones: process lists and the shell's history show arguments. @FILE reads a value from a file.`

func (a *app) sandboxCommand() *cobra.Command {
	var o sandboxOptions
	c := &cobra.Command{
		Use: "sandbox", Short: "Serve a sandbox of the API or control a running one", Long: sandboxLong,
		Example: "  gcpro sandbox --world gym\n  gcpro sandbox advance 14d\n  gcpro sandbox fault payments.create --status 503",
	}
	f := c.Flags()
	f.StringVar(&o.addr, "addr", "127.0.0.1:8080", "Listen on this `address` or on unix:PATH. Port 0 picks a free one.")
	f.StringSliceVar(&o.hosts, "allow-host", nil, "Accept requests to this host `name`, by which other machines and containers reach the sandbox; * for any.")
	f.StringVar(&o.certificate, "tls-cert", "", "Serve HTTPS and write the certificate to this `file`.")
	f.StringVar(&o.token, "token", "", "Accept only this access `token`, or the one in @FILE, for the API, the control API and the dashboard. The default is any.")
	f.StringArrayVar(&o.webhookURLs, "webhook-url", nil, "Send webhooks to this `URL`. May be given several times.")
	f.StringArrayVar(&o.webhookSecrets, "webhook-secret", nil, "Sign webhooks with this `secret`, or the one in @FILE: one for all URLs, or one for each.")
	f.Uint64Var(&o.seed, "seed", 1, "Derive ids from this `number`.")
	f.StringVar(&o.clock, "clock", "", "Start the clock at this `time`, such as 2026-09-14T09:00:00Z. The default is now.")
	f.StringVar(&o.state, "state", "", "Keep the state in this `file` across restarts. By default it is lost.")
	f.StringVar(&o.world, "world", "", "Start with this `world`: the name of one of the sandbox's, such as gym, or a JSON file. An existing state file is loaded instead.")
	f.IntVar(&o.limit, "rate-limit", gocardless.GroupGeneral.DefaultLimit(), "Allow this `number` of requests per token and minute; 0 for no limit.")
	f.BoolVar(&o.quiet, "quiet", false, "Do not log requests and webhooks.")
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
	server, err := a.start(gocardlesstest.New(opts...), o)
	if err != nil {
		return err
	}
	if o.certificate != "" {
		err = os.WriteFile(o.certificate, server.CertificatePEM(), 0o644) //nolint:gosec // a certificate is public
	}
	if err == nil {
		a.announce(server.URL, o)
		<-ctx.Done()
	}
	return errors.Join(err, shutdown(server))
}

// start puts a sandbox behind a socket, with the state in the file or else with the world. It
// creates the state file only when the world is complete: if an earlier step fails, the next start
// loads the world again.
func (a *app) start(sandbox *gocardlesstest.Sandbox, o *sandboxOptions) (*gocardlesstest.Server, error) {
	saved := holdsState(o.state)
	if saved {
		if err := a.openState(sandbox, o.state); err != nil {
			return nil, err
		}
	}
	server, err := sandbox.Listen(o.addr)
	if err != nil {
		return nil, errors.Join(err, sandbox.Close())
	}
	if !saved && o.world != "" {
		err = loadWorld(sandbox, o.world)
	}
	if !saved && o.state != "" && err == nil {
		err = a.openState(sandbox, o.state)
	}
	if err != nil {
		return nil, errors.Join(err, shutdown(server))
	}
	return server, nil
}

// shutdown stops a server. The context of the command has usually ended by then.
func shutdown(server *gocardlesstest.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	return server.Shutdown(ctx)
}

// holdsState reports whether a state file has anything in it.
func holdsState(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0
}

// openState opens the state file, and warns if its end was damaged.
func (a *app) openState(sandbox *gocardlesstest.Sandbox, path string) error {
	lost, err := sandbox.OpenState(path)
	if lost > 0 && err == nil {
		fmt.Fprintf(a.errs, "warning: the end of the state file was damaged: %d bytes were dropped and kept in %s.damaged\n", lost, path)
	}
	return err
}

// loadWorld loads one of the sandbox's worlds, or one from a file.
func loadWorld(sandbox *gocardlesstest.Sandbox, name string) error {
	world, err := gocardlesstest.ReadyWorld(name)
	if err != nil {
		var fileErr error
		if world, fileErr = readFile(name, maxFile); fileErr != nil {
			return usageError{errors.Join(err, fileErr)}
		}
	}
	_, err = sandbox.LoadWorld(world)
	return err
}

// announce prints the address, the dashboard and the variables to export.
func (a *app) announce(address string, o *sandboxOptions) {
	if host, _, err := net.SplitHostPort(o.addr); err == nil && !strings.HasPrefix(o.addr, "unix:") && !isLoopback("http://"+net.JoinHostPort(host, "0")) {
		fmt.Fprintln(a.errs, "warning: the sandbox can be reached from other machines")
	}
	token := "any"
	if o.token != "" {
		token = "TOKEN"
	}
	export := "export %s=%s\n"
	if runtime.GOOS == "windows" {
		export = "$env:%s = '%s'\n" // PowerShell
	}
	fmt.Fprintf(a.out, "listening on %s\ndashboard: %[1]s/\n\n"+strings.Repeat(export, 3), address,
		"GOCARDLESS_BASE_URL", address, "GOCARDLESS_ACCESS_TOKEN", token, "GOCARDLESS_ENVIRONMENT", "sandbox")
}

// options returns the options of the sandbox.
func (o *sandboxOptions) options(log *slog.Logger) ([]gocardlesstest.Option, error) {
	opts, err := o.webhooks()
	if err != nil {
		return nil, err
	}
	opts = append(opts, gocardlesstest.WithSeed(o.seed), gocardlesstest.WithRateLimit(o.limit), gocardlesstest.WithControl(),
		gocardlesstest.WithDeliveryHook(func(d *gocardlesstest.Delivery) { logDelivery(log, d) }))
	if o.token != "" {
		token, err := madeUp("--token", o.token)
		if err != nil {
			return nil, err
		}
		opts = append(opts, gocardlesstest.WithToken(token))
	}
	if len(o.hosts) > 0 {
		opts = append(opts, gocardlesstest.WithAllowedHosts(o.hosts...))
	}
	if o.certificate != "" {
		opts = append(opts, gocardlesstest.WithTLS())
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

// webhooks returns the options for the webhook endpoints.
func (o *sandboxOptions) webhooks() ([]gocardlesstest.Option, error) {
	if len(o.webhookSecrets) != len(o.webhookURLs) && (len(o.webhookSecrets) != 1 || len(o.webhookURLs) == 0) {
		return nil, usagef("--webhook-url and --webhook-secret must be given together: one secret for all URLs or one for each")
	}
	var opts []gocardlesstest.Option
	for i, address := range o.webhookURLs {
		secret, err := madeUp("--webhook-secret", o.webhookSecrets[min(i, len(o.webhookSecrets)-1)])
		if err != nil {
			return nil, err
		}
		w := gocardlesstest.Webhooks{URL: address, Secret: gocardless.WebhookSecret(secret)}
		if err := w.Validate(); err != nil {
			return nil, usageError{err}
		}
		opts = append(opts, gocardlesstest.WithWebhooks(w))
	}
	return opts, nil
}

// madeUp returns the value of a flag for a token or secret of the sandbox, or the content of the file
// that it names. It refuses a live access token, because others on the machine can read arguments.
func madeUp(flag, value string) (string, error) {
	if name, isFile := strings.CutPrefix(value, "@"); isFile {
		content, err := readFile(name, 4<<10)
		if err != nil {
			return "", fmt.Errorf("%s: %w", flag, err)
		}
		value = strings.TrimSpace(string(content))
	}
	switch {
	case value == "":
		return "", usagef("%s is empty", flag)
	case strings.HasPrefix(value, "live_"):
		return "", refuse("%s looks like a live access token: make up a value instead, and revoke that token if others may have seen it", flag)
	}
	return value, nil
}

// logRequest logs a request, but not its query, headers or body.
func logRequest(log *slog.Logger, r *gocardlesstest.Request) {
	log.Info("request", "method", r.Method, "path", r.Path, "operation", r.Operation, "status", r.Status, "resource", r.Resource, "request_id", r.RequestID)
}

// logDelivery logs an attempt to deliver a webhook, but not its address, which may hold a secret, or
// its body.
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
