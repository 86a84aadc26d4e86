package cli

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/account"
	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/render"
	"github.com/gocardless-community/gocardless-go/gocardless"
)

const (
	sandboxAPI = "https://api-sandbox.gocardless.com"
	liveAPI    = "https://api.gocardless.com"
)

// target is the server that a command calls, with the access token for it.
type target struct {
	env     gocardless.Environment
	base    string // "" for the environment's own
	token   string
	profile string // "" when the token comes from the environment variable
}

// url returns the address of the server.
func (t *target) url() string {
	switch {
	case t.base != "":
		return t.base
	case t.env == gocardless.EnvironmentLive:
		return liveAPI
	}
	return sandboxAPI
}

// local reports whether the server is on this machine, such as a gcpro sandbox.
func (t *target) local() bool { return t.base != "" && isLoopback(t.base) }

// isLoopback reports whether the host of a URL is this machine. It asks the SDK, which allows plain
// HTTP for such hosts alone.
func isLoopback(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	_, err = gocardless.New("token", gocardless.EnvironmentSandbox, gocardless.WithBaseURL("http://"+net.JoinHostPort(u.Hostname(), "80")))
	return err == nil
}

// isLive reports whether a URL leads to the live API.
func isLive(base string) bool {
	u, err := url.Parse(base)
	return err == nil && strings.EqualFold(strings.TrimSuffix(u.Hostname(), "."), strings.TrimPrefix(liveAPI, "https://"))
}

// server returns the server that the flags and the environment variables select, without a token.
// Only --live selects the live API.
func (a *app) server() (*target, error) {
	t := &target{env: a.environment(), base: a.baseURL()}
	switch {
	case a.flags.live:
	case a.env("GOCARDLESS_ENVIRONMENT") == string(gocardless.EnvironmentLive):
		return nil, refuse("GOCARDLESS_ENVIRONMENT is live, but --live is not given: pass it or unset the variable")
	case isLive(t.base):
		return nil, refuse("%s is the live API; pass --live to call it", render.Safe(t.base))
	}
	return t, nil
}

// target returns the server to call. The access token is from the environment variable or else from
// the profile. A stored token is sent only to GoCardless.
func (a *app) target() (*target, error) {
	t, err := a.server()
	if err != nil {
		return nil, err
	}
	if t.token = a.env("GOCARDLESS_ACCESS_TOKEN"); t.token != "" {
		return t, nil
	}
	if t.base != "" {
		if !t.local() {
			return nil, noToken{errors.New("GOCARDLESS_ACCESS_TOKEN is not set; a stored token is only sent to GoCardless")}
		}
		t.token = "local" // gcpro sandbox accepts any token unless --token names one
		return t, nil
	}
	return t, a.storedToken(t)
}

// targetWithoutToken returns the server that a command would call, even if there is no access token
// for it.
func (a *app) targetWithoutToken() (*target, error) {
	t, err := a.target()
	if is[noToken](err) {
		return a.server()
	}
	return t, err
}

// environment returns the environment that the flags select.
func (a *app) environment() gocardless.Environment {
	if a.flags.live {
		return gocardless.EnvironmentLive
	}
	return gocardless.EnvironmentSandbox
}

// baseURL returns the address of the server, or "" for GoCardless's.
func (a *app) baseURL() string {
	return cmp.Or(a.flags.baseURL, a.env("GOCARDLESS_BASE_URL"))
}

func (a *app) storedToken(t *target) error {
	store, profile, err := a.storeAndProfile()
	if err != nil {
		return err
	}
	t.profile = profile
	if t.token, err = store.Token(t.profile, string(t.env)); err != nil {
		return err
	}
	if t.token == "" {
		return noToken{fmt.Errorf("there is no access token for %s in profile %q: run gcpro login%s, or set GOCARDLESS_ACCESS_TOKEN",
			t.env, t.profile, map[bool]string{true: " --live"}[a.flags.live])}
	}
	return nil
}

// storeAndProfile returns the store of tokens and the name of the profile in use.
func (a *app) storeAndProfile() (*account.Store, string, error) {
	store, err := a.store()
	if err != nil {
		return nil, "", err
	}
	name := cmp.Or(a.flags.profile, a.env("GCPRO_PROFILE"))
	if name == "" {
		name, err = store.Current()
		return store, name, err
	}
	if err := account.CheckName(name); err != nil {
		return nil, "", usageError{err}
	}
	return store, name, nil
}

// client returns a client for a target.
func (a *app) client(t *target, more ...gocardless.ClientOption) (*gocardless.Client, error) {
	var opts []gocardless.ClientOption
	if !t.local() {
		// A sandbox on this machine needs no pacing: it has no other users.
		opts = append(opts, gocardless.WithRateLimitWait())
	}
	if t.base != "" {
		opts = append(opts, gocardless.WithBaseURL(t.base))
	}
	if a.flags.verbose {
		opts = append(opts, gocardless.WithLogger(slog.New(slog.NewTextHandler(a.errs, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	}
	return gocardless.New(t.token, t.env, append(opts, more...)...)
}

// connect returns the target and a client for it.
func (a *app) connect() (*target, *gocardless.Client, error) {
	t, err := a.target()
	if err != nil {
		return nil, nil, err
	}
	c, err := a.client(t)
	return t, c, err
}

// context returns a context that ends after --timeout.
func (a *app) context(ctx context.Context) (context.Context, context.CancelFunc) {
	if a.flags.timeout > 0 {
		return context.WithTimeout(ctx, a.flags.timeout)
	}
	return context.WithCancel(ctx)
}

// confirm asks for consent before a write to live: at a terminal for the name of the creditor, in a
// script for --yes.
func (a *app) confirm(ctx context.Context, t *target, client *gocardless.Client, what string) error {
	if t.env != gocardless.EnvironmentLive || a.flags.yes {
		return nil
	}
	if !a.inTTY || !a.errTTY {
		return refuse("%s would write to live; pass --yes to consent", what)
	}
	name, err := creditorName(ctx, client)
	if err != nil {
		return err
	}
	if name == "" {
		return refuse("%s would write to live, and the account has no creditor whose name could confirm it; pass --yes to consent", what)
	}
	fmt.Fprintf(a.errs, "%s writes to LIVE, as %s. Type that name to continue: ", what, render.Safe(name))
	line, err := bufio.NewReader(io.LimitReader(a.in, 1<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if strings.TrimSpace(line) != strings.TrimSpace(name) {
		return refuse("the name does not match; nothing was sent")
	}
	return nil
}

// creditorName returns the name of the first creditor.
func creditorName(ctx context.Context, client *gocardless.Client) (string, error) {
	var reply struct {
		Creditors []struct {
			Name string `json:"name"`
		} `json:"creditors"`
	}
	var raw json.RawMessage
	if err := client.Do(ctx, "GET", "/creditors?limit=1", nil, &raw); err != nil {
		return "", err
	}
	if err := json.Unmarshal(raw, &reply); err != nil || len(reply.Creditors) == 0 {
		return "", err
	}
	return reply.Creditors[0].Name, nil
}
