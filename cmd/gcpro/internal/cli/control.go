package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/render"
	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/cassette"
)

const defaultSandbox = "http://127.0.0.1:8080"

// sandboxTarget returns the running sandbox that the subcommands of gcpro sandbox work on.
func (a *app) sandboxTarget() (*target, error) {
	t := &target{env: gocardless.EnvironmentSandbox, base: strings.TrimSuffix(cmp.Or(a.baseURL(), defaultSandbox), "/")}
	if !t.local() {
		return nil, refuse("%s is not an address on this machine: these commands only work on a local gcpro sandbox", render.Safe(t.base))
	}
	t.token = cmp.Or(a.env("GOCARDLESS_ACCESS_TOKEN"), "local")
	return t, nil
}

// control calls the control API of a running sandbox.
func (a *app) control(ctx context.Context, t *target, method, path string, body map[string]any, reply *json.RawMessage) error {
	client, err := a.client(t, gocardless.WithRetries(0), gocardless.WithTimeout(10*time.Minute))
	if err != nil {
		return err
	}
	var sent any
	if body != nil {
		raw, err := encode(body)
		if err != nil {
			return err
		}
		sent = raw
	}
	if reply == nil {
		reply = new(json.RawMessage)
	}
	return client.Do(ctx, method, gocardlesstest.ControlPath+path, sent, reply)
}

// steer makes a command that calls the control API and prints the reply.
func (a *app) steer(c *cobra.Command, ask func(args []string) (method, path string, body map[string]any, err error)) *cobra.Command {
	c.RunE = func(c *cobra.Command, list []string) error {
		ctx, cancel := a.context(c.Context())
		defer cancel()
		method, path, body, err := ask(list)
		if err != nil {
			return err
		}
		t, err := a.sandboxTarget()
		if err != nil {
			return err
		}
		var reply json.RawMessage
		if err := a.control(ctx, t, method, path, body, &reply); err != nil {
			return err
		}
		if items, ok := onlyList(reply); ok && a.table() {
			return a.rows(ctx, items)
		}
		return a.one(ctx, reply, nil)
	}
	return c
}

// onlyList returns the items of a reply such as {"faults":[…]}.
func onlyList(reply json.RawMessage) ([]json.RawMessage, bool) {
	var members map[string]json.RawMessage
	if json.Unmarshal(reply, &members) != nil || len(members) != 1 {
		return nil, false
	}
	var items []json.RawMessage
	for _, member := range members {
		if json.Unmarshal(member, &items) != nil {
			return nil, false
		}
	}
	return items, true
}

func (a *app) addControls(c *cobra.Command) {
	post := http.MethodPost
	c.AddCommand(
		a.steer(&cobra.Command{Use: "advance SPAN|TIME|next", Short: "Move the clock forward", Args: args(ids("SPAN")),
			Long:    "Moves the clock forward by a span, to a time, or to the next step that is due. Every step on the way runs at its own time, in order.",
			Example: "  gcpro sandbox advance 14d\n  gcpro sandbox advance 36h\n  gcpro sandbox advance 2026-10-01T09:00:00Z\n  gcpro sandbox advance next",
		},
			func(list []string) (string, string, map[string]any, error) {
				switch span := list[0]; {
				case span == "next":
					return post, "clock", map[string]any{"next": true}, nil
				case strings.Contains(span, "T"):
					return post, "clock", map[string]any{"to": span}, nil
				default:
					return post, "clock", map[string]any{"advance": span}, nil
				}
			}),
		a.faultCommand(),
		a.payCommand(),
		a.emitCommand(),
		a.steer(&cobra.Command{Use: "world [NAME|FILE]", Short: "Load a world or list the worlds", Args: args(cobra.MaximumNArgs(1)),
			Long:    "Adds the customers, mandates and payments of a world: one of the sandbox's, or one in a JSON file. Without a name it lists the sandbox's worlds.",
			Example: "  gcpro sandbox world\n  gcpro sandbox world gym\n  gcpro sandbox world mine.json",
		}, worldRequest),
		a.steer(&cobra.Command{Use: "clock", Short: "Show the time in the sandbox", Args: args(cobra.NoArgs), Example: "  gcpro sandbox clock"},
			func([]string) (string, string, map[string]any, error) { return http.MethodGet, "clock", nil, nil }),
		a.steer(&cobra.Command{Use: "reset", Short: "Restore the initial state, but not the clock and the settings", Args: args(cobra.NoArgs), Example: "  gcpro sandbox reset"},
			func([]string) (string, string, map[string]any, error) { return post, "reset", nil, nil }),
		a.stateCommand(), a.requestsCommand(), a.recordCommand(), a.verifyCommand(),
	)
}

// worldRequest loads one of the sandbox's worlds, or one in a file.
func worldRequest(list []string) (string, string, map[string]any, error) {
	if len(list) == 0 {
		return http.MethodGet, "worlds", nil, nil
	}
	if !strings.HasSuffix(list[0], ".json") {
		return http.MethodPost, "worlds", map[string]any{"ready": list[0]}, nil
	}
	body, err := readObject(list[0])
	return http.MethodPost, "worlds", body, err
}

// maxFile is the largest file that is sent to the sandbox.
const maxFile = 256 << 20

func readObject(name string) (map[string]any, error) {
	raw, err := readFile(name, maxFile)
	if err != nil {
		return nil, err
	}
	v, err := render.Decode(raw)
	body, ok := v.(map[string]any)
	if err != nil || !ok {
		return nil, refuse("%s is not a JSON object", name)
	}
	return body, nil
}

func (a *app) faultCommand() *cobra.Command {
	var clear, list, after, drop bool
	var reason, delay, body string
	var status, times, skip int
	c := &cobra.Command{
		Use: "fault [OPERATION]", Short: "Make the next calls fail", Args: args(cobra.MaximumNArgs(1)),
		Long:    "Makes the next calls fail: those of an operation such as payments.create, of a resource (payments.*), or of any operation.",
		Example: "  gcpro sandbox fault payments.create --status 503\n  gcpro sandbox fault 'payments.*' --after --drop --times 2\n  gcpro sandbox fault --clear",
	}
	f := c.Flags()
	f.IntVar(&status, "status", 0, "Reply with this HTTP `status`.")
	f.StringVar(&reason, "reason", "", "Reply with the API's error of this `name`, such as rate_limit_exceeded.")
	f.StringVar(&body, "body", "", "Reply with this `body`.")
	f.StringVar(&delay, "delay", "", "Wait this `time` before the reply, such as 2s.")
	f.BoolVar(&drop, "drop", false, "Close the connection without a reply.")
	f.BoolVar(&after, "after", false, "Carry out the request first, then fail.")
	f.IntVar(&times, "times", 0, "Fail this `number` of calls, -1 for all. The default is 1.")
	f.IntVar(&skip, "skip", 0, "Let this `number` of calls pass first.")
	f.BoolVar(&list, "list", false, "List the faults that are not used up.")
	f.BoolVar(&clear, "clear", false, "Remove all faults.")
	return a.steer(c, func(names []string) (string, string, map[string]any, error) {
		switch {
		case clear:
			return http.MethodDelete, "faults", nil, nil
		case list:
			return http.MethodGet, "faults", nil, nil
		}
		fault := map[string]any{}
		if len(names) > 0 {
			fault["operation"] = names[0]
		}
		for name, v := range map[string]any{"status": status, "reason": reason, "body": body, "delay": delay, "drop": drop, "after": after, "times": times, "skip": skip} {
			if v != "" && v != 0 && v != false {
				fault[name] = v
			}
		}
		return http.MethodPost, "faults", fault, nil
	})
}

func (a *app) payCommand() *cobra.Command {
	var as string
	var leave bool
	c := &cobra.Command{
		Use: "pay FLOW", Short: "Play the payer of a hosted flow", Args: args(ids("FLOW")),
		Long:    "Completes a billing request flow or redirect flow as its payer would. The given name of the payer decides what happens later: Successful, Penniless, Fickle, Late, Invalid, Expired or Switching.",
		Example: "  gcpro sandbox pay BRF123 --as Penniless",
	}
	c.Flags().StringVar(&as, "as", "", "Give the payer this given `name`.")
	c.Flags().BoolVar(&leave, "exit", false, "Exit the flow instead of completing it.")
	return a.steer(c, func(list []string) (string, string, map[string]any, error) {
		path := "flows/" + url.PathEscape(list[0])
		if leave {
			return http.MethodPost, path + "/exit", nil, nil
		}
		body := map[string]any{}
		if as != "" {
			body["given_name"] = as
		}
		return http.MethodPost, path + "/finish", body, nil
	})
}

func (a *app) emitCommand() *cobra.Command {
	var resource, cause, origin string
	c := &cobra.Command{
		Use: "emit TYPE", Short: "Create an event and send it to the webhook endpoints", Args: args(ids("TYPE")),
		Long:    "Creates an event of any type. The resource itself does not change.",
		Example: "  gcpro sandbox emit payments.failed --resource PM123 --cause insufficient_funds",
	}
	c.Flags().StringVar(&resource, "resource", "", "Create the event for the resource with this `id`. The default is the newest of its kind.")
	c.Flags().StringVar(&cause, "cause", "", "Give the event this `cause`.")
	c.Flags().StringVar(&origin, "origin", "", "Give the event this `origin`.")
	return a.steer(c, func(list []string) (string, string, map[string]any, error) {
		body := map[string]any{"type": list[0]}
		for name, v := range map[string]string{"resource": resource, "cause": cause, "origin": origin} {
			if v != "" {
				body[name] = v
			}
		}
		return http.MethodPost, "events", body, nil
	})
}

func (a *app) stateCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "state save FILE | load FILE", Short: "Save the whole state to a file or load it from one", Args: args(ids("save|load", "FILE")),
		Example: "  gcpro sandbox state save before.json\n  gcpro sandbox state load before.json",
	}
	c.RunE = func(c *cobra.Command, list []string) error {
		work := map[string]func(context.Context, *target, string) error{"save": a.saveState, "load": a.loadState}[list[0]]
		if work == nil {
			return usagef("the first argument must be save or load")
		}
		ctx, cancel := a.context(c.Context())
		defer cancel()
		t, err := a.sandboxTarget()
		if err != nil {
			return err
		}
		return work(ctx, t, list[1])
	}
	return c
}

func (a *app) saveState(ctx context.Context, t *target, file string) error {
	var reply json.RawMessage
	if err := a.control(ctx, t, http.MethodGet, "snapshot", nil, &reply); err != nil {
		return err
	}
	if err := os.WriteFile(file, append(reply, '\n'), 0o600); err != nil {
		return err
	}
	a.note("saved the state to %s", file)
	return nil
}

func (a *app) loadState(ctx context.Context, t *target, file string) error {
	body, err := readObject(file)
	if err != nil {
		return err
	}
	if err := a.control(ctx, t, http.MethodPut, "snapshot", body, nil); err != nil {
		return err
	}
	a.note("loaded the state from %s", file)
	return nil
}

func (a *app) requestsCommand() *cobra.Command {
	var follow bool
	c := &cobra.Command{Use: "requests", Short: "List the requests that the sandbox received", Args: args(cobra.NoArgs),
		Long:    "Lists the latest requests, the oldest first. -o json shows them with their headers and bodies.",
		Example: "  gcpro sandbox requests\n  gcpro sandbox requests --follow\n  gcpro sandbox requests -o ndjson",
	}
	c.Flags().BoolVarP(&follow, "follow", "f", false, "Continue with new requests as they arrive.")
	c.RunE = func(c *cobra.Command, _ []string) error {
		t, err := a.sandboxTarget()
		if err != nil {
			return err
		}
		items, err := a.requests(c.Context(), t)
		if err != nil {
			return err
		}
		if !follow {
			return a.rows(c.Context(), items, requestColumns...)
		}
		return a.followRequests(c.Context(), t, items)
	}
	return c
}

var requestColumns = []string{"time", "method", "path", "status", "resource"}

// followRequests writes the requests of a sandbox, and new ones as they arrive.
func (a *app) followRequests(ctx context.Context, t *target, items []json.RawMessage) error {
	out := a.liveSink(ctx, nil, requestColumns...)
	seen := map[string]bool{}
	for {
		if err := out.write(unseen(items, seen)); err != nil {
			return err
		}
		if sleep(ctx, time.Second/2) != nil {
			return nil // the user interrupted it
		}
		var err error
		if items, err = a.requests(ctx, t); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// requests returns the requests that a sandbox received.
func (a *app) requests(ctx context.Context, t *target) ([]json.RawMessage, error) {
	var raw json.RawMessage
	if err := a.control(ctx, t, http.MethodGet, "requests", nil, &raw); err != nil {
		return nil, err
	}
	items, ok := onlyList(raw)
	if !ok {
		return nil, errors.New("the reply of the sandbox is not a list of requests")
	}
	return items, nil
}

// unseen returns the items whose id is new, and adds their ids to seen.
func unseen(items []json.RawMessage, seen map[string]bool) []json.RawMessage {
	var fresh []json.RawMessage
	for _, item := range items {
		var named struct {
			ID string `json:"id"`
		}
		if json.Unmarshal(item, &named) == nil && !seen[named.ID] {
			seen[named.ID] = true
			fresh = append(fresh, item)
		}
	}
	return fresh
}

func (a *app) recordCommand() *cobra.Command {
	var addr string
	c := &cobra.Command{
		Use: "record DIR", Short: "Record the replies of GoCardless's sandbox environment", Args: args(ids("DIR")),
		Long:    "Serves a proxy that forwards requests to GoCardless's sandbox environment, or to --base-url, and records them with their replies in a directory, without tokens and personal data. It refuses live.",
		Example: "  gcpro sandbox record tape\n  GOCARDLESS_BASE_URL=http://127.0.0.1:8081 gcpro customers list",
	}
	c.Flags().StringVar(&addr, "addr", "127.0.0.1:8081", "Listen on this `address`.")
	c.RunE = func(c *cobra.Command, list []string) error {
		recorder, err := cassette.NewRecorder(cmp.Or(a.baseURL(), sandboxAPI), list[0], nil)
		if err != nil {
			return refusal{err}
		}
		socket, err := net.Listen("tcp", addr)
		if err != nil {
			return err
		}
		server := &http.Server{Handler: recorder, ReadHeaderTimeout: 10 * time.Second}
		stop := context.AfterFunc(c.Context(), func() { _ = server.Close() })
		defer stop()
		fmt.Fprintf(a.out, "recording at http://%s\n", socket.Addr())
		if err := server.Serve(socket); c.Context().Err() == nil {
			return err
		}
		a.note("recorded %d exchanges", recorder.Count())
		return recorder.Err()
	}
	return c
}

func (a *app) verifyCommand() *cobra.Command {
	var known string
	var junit bool
	c := &cobra.Command{
		Use: "verify DIR", Short: "Compare the sandbox with recorded replies", Args: args(ids("DIR")),
		Long:    "Sends the recorded requests to the sandbox at --base-url or GOCARDLESS_BASE_URL, or else to a new one, and lists the differences between the replies. It fails on an unexpected difference, and if an expected one is missing.",
		Example: "  gcpro sandbox verify tape\n  gcpro sandbox verify tape --known known.json --junit",
	}
	c.Flags().StringVar(&known, "known", "", "Expect the differences in this JSON `FILE`.")
	c.Flags().BoolVar(&junit, "junit", false, "Report in JUnit's XML format.")
	c.RunE = func(c *cobra.Command, list []string) error {
		exchanges, err := cassette.Read(os.DirFS(list[0]))
		if err != nil {
			return fmt.Errorf("%s: %w", list[0], err)
		}
		options := cassette.VerifyOptions{BaseURL: a.baseURL(), Token: cmp.Or(a.env("GOCARDLESS_ACCESS_TOKEN"), "local")}
		if options.BaseURL == "" {
			options.BaseURL, options.Transport = defaultSandbox, gocardlesstest.New().Transport()
		}
		if options.Known, err = readKnown(known); err != nil {
			return err
		}
		report, err := cassette.Verify(c.Context(), exchanges, options)
		if err != nil {
			return err
		}
		write := report.WriteTable
		switch {
		case junit:
			write = report.WriteJUnit
		case a.flags.output == "json":
			write = report.WriteJSON
		}
		if err := write(a.out); err != nil {
			return err
		}
		if !report.OK() {
			return fmt.Errorf("%w: the sandbox differs", errQuiet)
		}
		return nil
	}
	return c
}

func readKnown(name string) ([]cassette.Known, error) {
	if name == "" {
		return nil, nil
	}
	raw, err := readFile(name, maxFile)
	if err != nil {
		return nil, err
	}
	return cassette.ReadKnown(bytes.NewReader(raw))
}
