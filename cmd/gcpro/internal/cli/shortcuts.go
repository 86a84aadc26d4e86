package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/param"
	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/render"
	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/spec"
	"github.com/gocardless-community/gocardless-go/gocardless"
)

// fetch gets a resource by its id alone. Some resources share a prefix: they are tried in turn.
func fetch(ctx context.Context, client *gocardless.Client, id string) (json.RawMessage, *spec.Operation, error) {
	var candidates []*spec.Operation
	for _, resource := range spec.ResourcesOf(id) {
		if op := spec.Find(resource, "get"); op != nil {
			candidates = append(candidates, op)
		}
	}
	if candidates == nil {
		return nil, nil, refuse("%q is not the id of a resource that can be fetched", render.Safe(id))
	}
	var err error
	for _, op := range candidates {
		var r *request
		if r, err = newRequest(op, []string{id}, nil); err != nil {
			return nil, nil, err
		}
		var reply json.RawMessage
		if reply, err = r.send(ctx, client, &gocardless.Response{}); err == nil {
			result, err := unwrap(op, reply)
			return result, op, err
		}
		if !errors.Is(err, gocardless.ErrNotFound) {
			break
		}
	}
	return nil, nil, err
}

func (a *app) getCommand() *cobra.Command {
	var tree bool
	c := &cobra.Command{
		Use: "get ID", Short: "Show any resource by its id", Args: args(ids("ID")),
		Long:    "Fetches a resource. The prefix of its id identifies its kind.",
		Example: "  gcpro get PM123\n  gcpro get PM123 --tree\n  gcpro get MD123 --jq .status",
	}
	c.Flags().BoolVar(&tree, "tree", false, "Also show the resources that it links to, and their links.")
	c.RunE = func(c *cobra.Command, ids []string) error {
		ctx, cancel := a.context(c.Context())
		defer cancel()
		_, client, err := a.connect()
		if err != nil {
			return err
		}
		raw, op, err := fetch(ctx, client, ids[0])
		if err != nil {
			return err
		}
		if tree {
			return a.tree(ctx, client, op, raw)
		}
		return a.one(ctx, raw, op.Result)
	}
	return c
}

// maxTree bounds how many resources a tree fetches.
const maxTree = 40

// tree prints a resource and, indented, the resources that it links to, each once.
func (a *app) tree(ctx context.Context, client *gocardless.Client, op *spec.Operation, raw json.RawMessage) error {
	seen := map[string]bool{}
	var walk func(label string, op *spec.Operation, raw json.RawMessage, indent string) error
	walk = func(label string, op *spec.Operation, raw json.RawMessage, indent string) error {
		v, err := render.Decode(raw)
		if err != nil {
			return err
		}
		id, _ := render.Lookup(v, "id").(string)
		seen[id] = true
		fmt.Fprintln(a.out, render.Clip(indent+label+a.brief(v, op), a.width()))
		links, _ := render.Lookup(v, "links").(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(links)) {
			linked, _ := links[name].(string)
			if linked == "" || seen[linked] || len(seen) >= maxTree {
				continue
			}
			raw, op, err := fetch(ctx, client, linked)
			if err != nil {
				fmt.Fprintf(a.out, "%s  %s: %s\n", indent, render.Safe(name), render.Safe(linked))
				seen[linked] = true
				continue
			}
			if err := walk(render.Safe(name)+": ", op, raw, indent+"  "); err != nil {
				return err
			}
		}
		return nil
	}
	return walk("", op, raw, "")
}

// brief returns a resource on one line.
func (a *app) brief(v any, op *spec.Operation) string {
	var b strings.Builder
	var parts []string
	for _, c := range render.DefaultColumns([]any{v}, op.Result) {
		if c != "links" {
			parts = append(parts, c)
		}
	}
	_ = render.Table(&b, []any{v}, op.Result, render.Look{Columns: parts})
	return strings.ReplaceAll(strings.TrimSpace(b.String()), "\t", "  ")
}

// eventsShortcut makes "gcpro events ID" list the events of a resource. The operations on events
// remain its subcommands.
func (a *app) eventsShortcut(root *cobra.Command) *cobra.Command {
	c := find(root, "events")
	root.RemoveCommand(c)
	var follow bool
	f := operationFlags{limit: defaultItems}
	c.Use, c.Short = "events [ID]", "List the events of a resource, or all events"
	c.Long += "\n\nWith an id, the command lists the events of that resource, otherwise the newest events of all. With --follow, --jq and --template receive one event at a time."
	c.Example = "  gcpro events MD123\n  gcpro events PM123 --follow\n  gcpro events list --created-at.gte 2d --resource-type payments"
	c.Flags().BoolVarP(&follow, "follow", "f", false, "Show the 10 newest events (or --limit), then new ones as they arrive.")
	c.Flags().IntVar(&f.limit, "limit", defaultItems, "Show at most this `number` of events.")
	c.Flags().BoolVar(&f.all, "all", false, "Show all events.")
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(c *cobra.Command, ids []string) error {
		if len(ids) > 1 || len(ids) == 1 && spec.ResourcesOf(ids[0]) == nil {
			return unknownCommand(c, ids[0])
		}
		if err := f.checkLimit(); err != nil {
			return err
		}
		filter, err := eventFilter(ids)
		if err != nil {
			return err
		}
		r := &request{op: spec.Find("events", "list"), path: "/events", query: filter}
		if follow {
			if !c.Flags().Changed("limit") {
				f.limit = 10
			}
			return a.follow(c.Context(), r, f.limit)
		}
		ctx, cancel := a.context(c.Context())
		defer cancel()
		return a.perform(ctx, r, &f)
	}
	return c
}

// eventFilter is the query for the events of a resource.
func eventFilter(ids []string) (url.Values, error) {
	query := url.Values{}
	if len(ids) == 0 {
		return query, nil
	}
	list := spec.Find("events", "list")
	for _, resource := range spec.ResourcesOf(ids[0]) {
		for _, name := range []string{strings.TrimSuffix(resource, "s"), resource} {
			if list.Params.Field(name) != nil {
				query.Set(name, ids[0])
				return query, nil
			}
		}
	}
	return nil, refuse("the API cannot list the events of %s", render.Safe(ids[0]))
}

// followEvery is the time between two polls.
const followEvery = 2 * time.Second

// follow writes the newest events, then new ones as they arrive, until it is interrupted.
func (a *app) follow(ctx context.Context, r *request, newest int) error {
	_, client, err := a.connect()
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	first := true
	out := a.liveSink(ctx, r.op.Result)
	for {
		var fresh []json.RawMessage
		enough := maxPage
		if first {
			enough = newest
		}
		err := pages(ctx, client, r, enough, func(items []json.RawMessage) error {
			fresh = append(fresh, unseen(items, seen)...)
			return nil
		})
		r.query.Del("after")
		if err != nil && ctx.Err() == nil && codeOf(err) != exitUnreachable {
			return err
		}
		slices.Reverse(fresh)
		if err := out.write(fresh); err != nil {
			return err
		}
		first = first && err != nil
		if sleep(ctx, followEvery) != nil {
			return nil // the user interrupted it
		}
	}
}

// sleep waits, or returns why the context ended.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// addPayoutItems adds "gcpro payouts items ID".
func (a *app) addPayoutItems(root *cobra.Command) {
	f := operationFlags{all: true}
	c := &cobra.Command{
		Use: "items ID", Short: "Lists the items of a payout", Args: args(ids("ID")),
		Example: "  gcpro payouts items PO123 -o csv",
	}
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "Print the request instead of sending it.")
	c.RunE = func(c *cobra.Command, ids []string) error {
		ctx, cancel := a.context(c.Context())
		defer cancel()
		if a.table() && !f.dryRun {
			// Items have no currency of their own.
			_, client, err := a.connect()
			if err != nil {
				return err
			}
			payout, _, err := fetch(ctx, client, ids[0])
			if err != nil {
				return err
			}
			var of struct {
				Currency string `json:"currency"`
			}
			if err := json.Unmarshal(payout, &of); err != nil {
				return err
			}
			a.currency = of.Currency
		}
		r := &request{op: spec.Find("payout_items", "list"), path: "/payout_items", query: url.Values{"payout": {ids[0]}}}
		return a.perform(ctx, r, &f)
	}
	find(root, "payouts").AddCommand(c)
}

func find(root *cobra.Command, name string) *cobra.Command {
	for _, c := range root.Commands() {
		if c.Name() == name {
			return c
		}
	}
	panic("no command " + name)
}

func (a *app) apiCommand() *cobra.Command {
	var fields []string
	var f operationFlags
	c := &cobra.Command{
		Use: "api METHOD PATH", Short: "Send any request, even one that has no command", Args: args(ids("METHOD", "PATH")),
		Long: "Sends a request without checking it. Retries, the rate limit and errors work as in other commands.\n\n" +
			"Fields given with -f become the query of a GET and the JSON body of other methods, where a dot separates levels, as in -f payments.links.mandate=MD123. " +
			"Numbers, true, false and null are sent as such; -f 'key=\"1\"' sends a string.",
		Example: "  gcpro api GET /payments -f limit=1\n  gcpro api POST /payments --data @payment.json",
	}
	c.Flags().StringArrayVarP(&fields, "field", "f", nil, "Add this `KEY=VALUE` to the query or the body. May be given several times.")
	c.Flags().StringVar(&f.data, "data", "", "Send this `JSON`, the JSON in @FILE, or stdin if it is -.")
	c.Flags().StringVar(&f.key, "idempotency-key", "", idempotencyUsage)
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "Print the request instead of sending it.")
	c.RunE = func(c *cobra.Command, given []string) error { return a.runAPI(c, given, fields, &f) }
	return c
}

func (a *app) runAPI(c *cobra.Command, given, fields []string, f *operationFlags) error {
	if a.table() && a.flags.output == "" {
		a.flags.output = "json"
	}
	method, path := strings.ToUpper(given[0]), given[1]
	if !slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, method) || !strings.HasPrefix(path, "/") {
		return usagef("needs a method, GET, POST, PUT, PATCH or DELETE, and a path that starts with a slash")
	}
	path, rawQuery, _ := strings.Cut(path, "?")
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return usagef("the query in the path is not valid")
	}
	op := operationOf(method, path)
	r := &request{op: op, path: path, query: query, key: f.key}
	set := param.New(&spec.Operation{}, a.now())
	if err := a.data(set, f.data); err != nil {
		return refusal{err}
	}
	for _, field := range fields {
		key, value, ok := strings.Cut(field, "=")
		switch {
		case !ok || key == "":
			return usagef("-f must have the form KEY=VALUE")
		case method == http.MethodGet:
			r.query.Set(key, value)
		default:
			set.Assign(key, literal(value))
		}
	}
	if body := set.Values(); method != http.MethodGet && len(body) > 0 {
		if r.body, err = encode(body); err != nil {
			return err
		}
	}
	ctx, cancel := a.context(c.Context())
	defer cancel()
	return a.perform(ctx, r, f)
}

// operationOf describes a raw request. The kind of the operation with the same path decides whether
// it may be retried. Its reply is shown whole.
func operationOf(method, path string) *spec.Operation {
	kinds := map[string]gocardless.OperationKind{"GET": gocardless.KindRead, "PUT": gocardless.KindUpdate, "PATCH": gocardless.KindUpdate, "DELETE": gocardless.KindDelete}
	raw := &spec.Operation{Name: method + " " + path, Method: method, Kind: string(kinds[method]), Result: &spec.Object{}}
	if raw.Kind == "" {
		raw.Kind = string(gocardless.KindAction)
	}
	for _, op := range spec.Operations {
		if op.Method == method && op.Path == path {
			raw.Kind = op.Kind
		}
	}
	return raw
}

// literal reads a value of -f: JSON for numbers, true, false, null and quoted strings, otherwise a
// string.
func literal(text string) any {
	if text != "" && strings.ContainsRune(`-0123456789tfn"`, rune(text[0])) {
		if v, err := render.Decode([]byte(text)); err == nil && json.Valid([]byte(text)) {
			return v
		}
	}
	return text
}

func (a *app) openCommand() *cobra.Command {
	var show bool
	c := &cobra.Command{
		Use: "open ID", Short: "Open a resource in the dashboard", Args: args(ids("ID")),
		Long:    "Opens the page of a resource in a browser: in GoCardless's dashboard, or in that of a running gcpro sandbox. If stdout is not a terminal, it prints the address.",
		Example: "  gcpro open PM123\n  gcpro open PM123 --print",
	}
	c.Flags().BoolVar(&show, "print", false, "Print the address instead of opening a browser.")
	c.RunE = func(_ *cobra.Command, ids []string) error {
		resources := spec.ResourcesOf(ids[0])
		if resources == nil || strings.ContainsFunc(ids[0], func(r rune) bool { return r < '0' || r > 'z' }) {
			return refuse("%q is not an id", render.Safe(ids[0]))
		}
		t, err := a.targetWithoutToken()
		if err != nil {
			return err
		}
		address := dashboard(t) + "/" + strings.ReplaceAll(resources[0], "_", "-") + "/" + ids[0]
		if t.local() {
			address = t.base + "/_sandbox/ui/resources/" + resources[0] + "/" + ids[0]
		}
		if show || !a.outTTY {
			fmt.Fprintln(a.out, address)
			return nil
		}
		a.note("opening %s", address)
		if err := browse(address); err != nil {
			return fmt.Errorf("no browser can be started (%w): open the address yourself", err)
		}
		return nil
	}
	return c
}

func dashboard(t *target) string {
	if t.env == gocardless.EnvironmentLive {
		return "https://manage.gocardless.com"
	}
	return "https://manage-sandbox.gocardless.com"
}

func browse(address string) error {
	switch runtime.GOOS {
	case "windows":
		return exec.Command("rundll32", "url.dll,FileProtocolHandler", address).Start()
	case "darwin":
		return exec.Command("open", address).Start()
	}
	return exec.Command("xdg-open", address).Start()
}
