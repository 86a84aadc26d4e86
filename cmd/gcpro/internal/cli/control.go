package cli

import (
	"bytes"
	"context"
	"encoding/json"
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

// sandboxTarget is the running sandbox that the commands below gcpro sandbox work on.
func (a *app) sandboxTarget() (*target, error) {
	t := &target{env: gocardless.EnvironmentSandbox, base: defaultTo(a.flags.baseURL, a.env("GOCARDLESS_BASE_URL"))}
	t.base = strings.TrimSuffix(defaultTo(t.base, defaultSandbox), "/")
	if !t.local() {
		return nil, refuse("%s is not a sandbox of gcpro on this machine", render.Safe(t.base))
	}
	t.token = defaultTo(a.env("GOCARDLESS_ACCESS_TOKEN"), "local")
	return t, nil
}

// control asks a running sandbox for something.
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

// steer makes a command that asks a running sandbox for something and prints what it replies.
func (a *app) steer(c *cobra.Command, ask func(args []string) (method, path string, body map[string]any, err error)) *cobra.Command {
	c.RunE = func(c *cobra.Command, list []string) error {
		if err := a.checkOutput(); err != nil {
			return err
		}
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
		if a.flags.output == "" && a.flags.jq == "" && a.flags.template == "" && bytes.ContainsRune(reply, '[') {
			a.flags.output = "json" // lists have no table of their own
		}
		return a.one(ctx, reply, nil)
	}
	return c
}

func (a *app) addControls(c *cobra.Command) {
	post := http.MethodPost
	c.AddCommand(
		a.steer(&cobra.Command{Use: "advance SPAN", Short: "Move the clock: 36h, 14d, next, or up to a time", Args: args(ids("SPAN"))},
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
		a.steer(&cobra.Command{Use: "world [NAME|FILE]", Short: "Load a world; without a name, list them", Args: args(cobra.MaximumNArgs(1))}, worldRequest),
		a.steer(&cobra.Command{Use: "clock", Short: "Show the time", Args: args(cobra.NoArgs)},
			func([]string) (string, string, map[string]any, error) { return http.MethodGet, "clock", nil, nil }),
		a.steer(&cobra.Command{Use: "reset", Short: "Start again; the clock stays", Args: args(cobra.NoArgs)},
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

// maxFile is how large a file for the sandbox may be.
const maxFile = 256 << 20

func readObject(name string) (map[string]any, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := readAll(f, maxFile, name)
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
		Example: "  gcpro sandbox fault payments.create --status 503\n  gcpro sandbox fault 'payments.*' --after --drop --times 2\n  gcpro sandbox fault --clear",
	}
	f := c.Flags()
	f.IntVar(&status, "status", 0, "answer with this `status`")
	f.StringVar(&reason, "reason", "", "answer with the API's error of that `name`, such as rate_limit_exceeded")
	f.StringVar(&body, "body", "", "`body` of the reply")
	f.StringVar(&delay, "delay", "", "wait for a `time`, such as 2s")
	f.BoolVar(&drop, "drop", false, "close the connection without a reply")
	f.BoolVar(&after, "after", false, "do the work first, then spoil the reply")
	f.IntVar(&times, "times", 0, "`number` of calls to hit (default 1; -1 for all)")
	f.IntVar(&skip, "skip", 0, "let a `number` of calls pass first")
	f.BoolVar(&list, "list", false, "list the faults to come")
	f.BoolVar(&clear, "clear", false, "remove all faults")
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
		Long:    "Finishes a billing request flow or redirect flow as its payer would. The given name decides how things go: Successful, Penniless, Fickle, Late, Invalid, Expired, Switching.",
		Example: "  gcpro sandbox pay BRF123 --as Penniless",
	}
	c.Flags().StringVar(&as, "as", "", "given `name` of the payer")
	c.Flags().BoolVar(&leave, "exit", false, "leave the flow instead")
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
		Use: "emit TYPE", Short: "Make an event and send it to the endpoints", Args: args(ids("TYPE")),
		Example: "  gcpro sandbox emit payments.failed --resource PM123 --cause insufficient_funds",
	}
	c.Flags().StringVar(&resource, "resource", "", "`id` of the resource (default the newest of its type)")
	c.Flags().StringVar(&cause, "cause", "", "`cause` of the event")
	c.Flags().StringVar(&origin, "origin", "", "`origin` of the event")
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
		Use: "state save FILE | load FILE", Short: "Save the whole state into a file, or load it", Args: args(ids("save|load", "FILE")),
		Example: "  gcpro sandbox state save before.json\n  gcpro sandbox state load before.json",
	}
	c.RunE = func(c *cobra.Command, list []string) error {
		ctx, cancel := a.context(c.Context())
		defer cancel()
		t, err := a.sandboxTarget()
		if err != nil {
			return err
		}
		switch list[0] {
		case "save":
			var reply json.RawMessage
			if err := a.control(ctx, t, http.MethodGet, "snapshot", nil, &reply); err != nil {
				return err
			}
			return os.WriteFile(list[1], append(reply, '\n'), 0o600)
		case "load":
			body, err := readObject(list[1])
			if err != nil {
				return err
			}
			return a.control(ctx, t, http.MethodPut, "snapshot", body, nil)
		}
		return usagef("needs save or load, and a file")
	}
	return c
}

func (a *app) requestsCommand() *cobra.Command {
	var follow bool
	c := &cobra.Command{Use: "requests", Short: "Show the requests that programs made", Args: args(cobra.NoArgs)}
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on with new requests as they come")
	c.RunE = func(c *cobra.Command, _ []string) error {
		t, err := a.sandboxTarget()
		if err != nil {
			return err
		}
		seen := map[string]bool{}
		for {
			var raw json.RawMessage
			if err := a.control(c.Context(), t, http.MethodGet, "requests", nil, &raw); err != nil {
				return err
			}
			if err := a.printRequests(raw, seen); err != nil || !follow {
				return err
			}
			if sleep(c.Context(), time.Second/2) != nil {
				return nil // that is how it ends
			}
		}
	}
	return c
}

// printRequests writes a line for each request that has not been seen.
func (a *app) printRequests(raw json.RawMessage, seen map[string]bool) error {
	var reply struct {
		Requests []json.RawMessage `json:"requests"`
	}
	if err := json.Unmarshal(raw, &reply); err != nil {
		return err
	}
	for _, item := range reply.Requests {
		v, err := render.Decode(item)
		if err != nil {
			return err
		}
		id := fmt.Sprint(render.Lookup(v, "id"))
		if seen[id] {
			continue
		}
		seen[id] = true
		if a.flags.output == "ndjson" || a.flags.output == "json" {
			if err := render.Line(a.out, item); err != nil {
				return err
			}
			continue
		}
		look := a.look()
		look.Aligned, look.Columns = false, []string{"time", "method", "path", "status", "resource", "id"}
		if err := render.Table(a.out, []any{v}, nil, look); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) recordCommand() *cobra.Command {
	var addr string
	c := &cobra.Command{
		Use: "record DIR", Short: "Record what GoCardless's sandbox answers, as a proxy", Args: args(ids("DIR")),
		Long: "Passes requests on to GoCardless's sandbox environment, or to --base-url, and writes them with the replies into a directory, without tokens and personal data. It refuses live.",
	}
	c.Flags().StringVar(&addr, "addr", "127.0.0.1:8081", "`address` to listen on")
	c.RunE = func(c *cobra.Command, list []string) error {
		recorder, err := cassette.NewRecorder(defaultTo(defaultTo(a.flags.baseURL, a.env("GOCARDLESS_BASE_URL")), sandboxAPI), list[0], nil)
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
		Use: "verify DIR", Short: "Compare the sandbox with what was recorded", Args: args(ids("DIR")),
		Long: "Sends the recorded requests to a running sandbox, or to a new one when none is named, and lists the differences. It fails if there are unexpected ones.",
	}
	c.Flags().StringVar(&known, "known", "", "JSON `FILE` with the differences that are expected")
	c.Flags().BoolVar(&junit, "junit", false, "report in the XML form of JUnit")
	c.RunE = func(c *cobra.Command, list []string) error {
		exchanges, err := cassette.Read(os.DirFS(list[0]))
		if err != nil {
			return err
		}
		options := cassette.VerifyOptions{BaseURL: defaultTo(a.flags.baseURL, a.env("GOCARDLESS_BASE_URL")), Token: defaultTo(a.env("GOCARDLESS_ACCESS_TOKEN"), "local")}
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
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return cassette.ReadKnown(f)
}
