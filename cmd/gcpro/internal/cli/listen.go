package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/param"
	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/relay"
	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/render"
	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/spec"
	"github.com/gocardless-community/gocardless-go/gocardless"
)

// listenOptions are the flags of gcpro listen.
type listenOptions struct {
	to, events, resend []string
	since              string
	every              time.Duration
	secret             bool
}

const listenLong = `Polls for new events and forwards each as a signed webhook to endpoints on your machine. The first run prints the secret that signs them, and stores it.

The first run forwards the events that are created from then on. Forwarded events are recorded on disk: after a network failure, a stop or a crash, gcpro listen resumes where it stopped, without missing an event or forwarding one twice. An event that was being sent when gcpro was killed may have arrived: the next run reports it, and --resend sends it again.`

func (a *app) listenCommand() *cobra.Command {
	var o listenOptions
	c := &cobra.Command{
		Use: "listen", Short: "Forward webhooks to your machine", Long: listenLong, Args: args(cobra.NoArgs),
		Example: "  gcpro listen --forward-to localhost:3000/webhooks\n  gcpro listen --forward-to localhost:3000/webhooks --events payments.failed,mandates --since 2h\n" +
			"  gcpro listen --forward-to localhost:3000/webhooks --resend EV123",
	}
	f := c.Flags()
	f.StringSliceVar(&o.to, "forward-to", nil, "Forward to the endpoint at this `URL`. May be given several times.")
	f.StringSliceVar(&o.events, "events", nil, "Forward only these `types` of event, such as payments.failed or mandates. The default is all.")
	f.StringVar(&o.since, "since", "", "Start with the events since this `time`, such as 2h or 2026-01-31, including those forwarded before.")
	f.StringSliceVar(&o.resend, "resend", nil, "Forward the events with these `ids` again, and no others.")
	f.DurationVar(&o.every, "every", 0, "Wait this `time` between polls. The default is 5s, or 500ms for a local sandbox.")
	f.BoolVar(&o.secret, "print-secret", false, "Print the secret and exit.")
	_ = c.RegisterFlagCompletionFunc("events", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var out []cobra.Completion
		for _, e := range spec.Events {
			out = append(out, cobra.CompletionWithDesc(e.Name, firstSentence(e.Doc)))
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	})
	c.RunE = func(c *cobra.Command, _ []string) error { return a.listen(c.Context(), &o) }
	return c
}

func (a *app) listen(ctx context.Context, o *listenOptions) error {
	endpoints, err := endpointURLs(o.to)
	if err != nil {
		return err
	}
	if len(endpoints) == 0 && !o.secret {
		return usagef("--forward-to is missing: pass the URL of your endpoint, such as localhost:3000/webhooks")
	}
	t, client, err := a.connect()
	if err != nil {
		return err
	}
	state, fresh, err := a.listenState(t)
	if err != nil {
		return err
	}
	if fresh && !o.secret {
		a.note("this secret signs the webhooks; --print-secret prints it again:")
	}
	if fresh || o.secret {
		fmt.Fprintln(a.out, state.Secret())
	}
	if o.secret {
		return state.Close()
	}
	r := a.newRelay(t, client, state, endpoints, o)
	if len(o.resend) > 0 {
		return errors.Join(a.resend(ctx, client, r, o.resend), state.Close())
	}
	if err := a.begin(ctx, client, state, t.local(), o.since); err != nil {
		return err
	}
	a.note("forwarding to %s; stop with Ctrl-C", strings.Join(endpoints, ", "))
	err = r.Run(ctx)
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, state.Close())
}

// newRelay returns the relay of a run, which reports to the terminal.
func (a *app) newRelay(t *target, client *gocardless.Client, state *relay.State, endpoints []string, o *listenOptions) *relay.Relay {
	every := 5 * time.Second
	if t.local() {
		every = time.Second / 2
	}
	return &relay.Relay{
		Source: eventSource(client), Endpoints: endpoints, Filter: o.events, State: state, Every: cmp.Or(o.every, every),
		Client: &http.Client{
			Transport:     &http.Transport{DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		Delivered: a.showDelivery, Retryable: worthRetrying,
		Lost: func(err error) { a.note("%s; retrying", firstLine(err.Error())) },
		Doubtful: func(id, endpoint string) {
			a.note("%s was being sent to %s when gcpro was killed, and may have arrived; --resend %s sends it again", id, endpoint, id)
		},
	}
}

func endpointURLs(texts []string) ([]string, error) {
	var out []string
	for _, text := range texts {
		if !strings.Contains(text, "://") {
			text = "http://" + text
		}
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, usagef("--forward-to must be a URL such as localhost:3000/webhooks")
		}
		out = append(out, u.String())
	}
	return out, nil
}

// listenState opens the state for a server and an account, and reports whether it is new.
func (a *app) listenState(t *target) (state *relay.State, fresh bool, err error) {
	dir, err := a.configDir()
	if err != nil {
		return nil, false, err
	}
	// A token from the environment variable distinguishes accounts. Its hash does not reveal it.
	sum := sha256.Sum256([]byte(t.url() + "\n" + t.profile + "\n" + t.token))
	return relay.Open(filepath.Join(dir, "listen", string(t.env)+"-"+hex.EncodeToString(sum[:6])+".json"))
}

// begin sets where the first poll starts: at --since, where the last run ended, or after the newest
// event. The time of that event comes from the API's clock, so the local clock does not matter. A
// local sandbox may be a new one, with its clock before the end of the last run.
func (a *app) begin(ctx context.Context, client *gocardless.Client, state *relay.State, local bool, since string) error {
	if since != "" {
		from, err := param.Time(since, a.now(), true)
		if err != nil {
			return usagef("--since %w", err)
		}
		return state.Restart(from)
	}
	cursor := state.Cursor()
	if local || cursor.IsZero() {
		next, err := afterNewest(ctx, client)
		switch {
		case err != nil && cursor.IsZero():
			return err
		case cursor.IsZero():
			return state.From(next)
		case err == nil && next.Before(cursor): // the polls report an error, and retry if that can help
			a.note("the newest event is older than the last run, as in a new sandbox; continuing after %s", next.Format(time.RFC3339))
			return state.Restart(next)
		}
	}
	a.note("continuing after %s", cursor.Format(time.RFC3339))
	return nil
}

// afterNewest returns the earliest time after the newest event.
func afterNewest(ctx context.Context, client *gocardless.Client) (time.Time, error) {
	newest := time.Unix(0, 0)
	events, err := listEvents(ctx, client, url.Values{}, 1)
	if len(events) > 0 {
		newest = events[0].CreatedAt
	}
	return newest.Add(time.Millisecond), err
}

// eventSource lists events from the API.
func eventSource(client *gocardless.Client) relay.Source {
	return func(ctx context.Context, since time.Time) ([]relay.Event, error) {
		return listEvents(ctx, client, url.Values{"created_at[gte]": {param.Stamp(since)}}, 0)
	}
}

// listEvents returns the newest events that a query selects: up to a number, or all if it is 0.
func listEvents(ctx context.Context, client *gocardless.Client, query url.Values, enough int) ([]relay.Event, error) {
	var events []relay.Event
	r := &request{op: spec.Find("events", "list"), path: "/events", query: query}
	err := pages(ctx, client, r, enough, func(items []json.RawMessage) error {
		for _, item := range items {
			e, err := relay.ParseEvent(item)
			if err != nil {
				return err
			}
			events = append(events, e)
		}
		return nil
	})
	return events, err
}

// worthRetrying reports whether an error is temporary: the network, the API or an endpoint is
// unavailable.
func worthRetrying(err error) bool {
	code := codeOf(err)
	return is[*relay.EndpointError](err) || code == exitUnreachable || code == exitRateLimited
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// showDelivery prints an event and the reply of the endpoint.
func (a *app) showDelivery(d relay.Delivery) {
	result := fmt.Sprintf("%d (%s)", d.Status, d.Elapsed.Round(100*time.Microsecond))
	if d.Err != nil && d.Status == 0 {
		result = "no reply: " + d.Err.Error()
	}
	fmt.Fprintf(a.out, "%s %s -> %s %s\n", render.Safe(d.Event.Type), render.Safe(d.Event.ID), d.Endpoint, render.Safe(result))
	if body := strings.TrimSpace(d.Body); body != "" {
		fmt.Fprintln(a.out, "  "+strings.ReplaceAll(render.SafeText(shorten(body, 500)), "\n", "\n  "))
	}
}

func shorten(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}

// resend forwards events again.
func (a *app) resend(ctx context.Context, client *gocardless.Client, r *relay.Relay, ids []string) error {
	for _, id := range ids {
		raw, op, err := fetch(ctx, client, id)
		if err != nil {
			return err
		}
		if op.Resource() != "events" {
			return refuse("%s is not an event", render.Safe(id))
		}
		e, err := relay.ParseEvent(raw)
		if err != nil {
			return err
		}
		for _, endpoint := range r.Endpoints {
			d := r.Send(ctx, e, endpoint)
			a.showDelivery(d)
			if d.Status == 0 {
				return fmt.Errorf("%s was not delivered", id)
			}
		}
	}
	return nil
}
