package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/param"
	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/spec"
	"github.com/gocardless-community/gocardless-go/gocardless"
)

// resourceCommands makes a command for each resource, with one for each operation below it.
func (a *app) resourceCommands() []*cobra.Command {
	byResource := map[string]*cobra.Command{}
	var list []*cobra.Command
	for _, r := range spec.Resources {
		c := &cobra.Command{
			Use: kebab(r.Name), Aliases: aliases(r.Name), GroupID: "api",
			Short: firstSentence(r.Doc), Long: r.Doc,
		}
		byResource[r.Name] = c
		list = append(list, c)
	}
	for i := range spec.Operations {
		op := &spec.Operations[i]
		c := byResource[op.Resource()]
		if c.Example != "" {
			c.Example += "\n"
		}
		c.Example += example(op)
		c.AddCommand(a.operationCommand(op))
	}
	return list
}

// aliases returns other names of a command: the API's and the singular.
func aliases(wire string) []string {
	var out []string
	if strings.Contains(wire, "_") {
		out = append(out, wire)
	}
	if one, ok := strings.CutSuffix(kebab(wire), "s"); ok && !strings.HasSuffix(one, "ie") {
		out = append(out, one)
	} else if one, ok := strings.CutSuffix(kebab(wire), "ies"); ok {
		out = append(out, one+"y")
	}
	return out
}

func firstSentence(doc string) string {
	first, _, _ := strings.Cut(doc, ". ")
	return strings.TrimSuffix(strings.ReplaceAll(first, "`", "'"), ".")
}

// operationFlags are the flags of an operation that are not parameters.
type operationFlags struct {
	data, key, from, keyColumn, journal string
	dryRun, lax, all                    bool
	limit, lanes                        int
	stopAfter                           float64
}

// reserved are the flags of the program, whose names parameters cannot have.
var reserved = map[string]bool{
	"output": true, "columns": true, "jq": true, "template": true, "profile": true, "base-url": true, "live": true, "yes": true, "verbose": true,
	"no-color": true, "timeout": true, "help": true, "data": true, "dry-run": true, "idempotency-key": true, "no-validation": true,
	"all": true, "from": true, "key-column": true, "journal": true, "lanes": true, "stop-after": true,
}

// flagName is the flag of a parameter: its path, unless a flag of the program has that name.
func flagName(l param.Leaf) string {
	name := kebab(l.Path)
	if reserved[name] {
		return "param." + name
	}
	return name
}

const idempotencyUsage = "Send this idempotency `key`, with which a create request can be retried safely. The default is random."

func (a *app) operationCommand(op *spec.Operation) *cobra.Command {
	var f operationFlags
	c := &cobra.Command{
		Use: use(op), Short: firstSentence(op.Doc), Long: long(op), Example: example(op),
		Args: args(ids(slices.Repeat([]string{"ID"}, len(op.PathParams()))...)),
	}
	if strings.Contains(op.Verb, "_") {
		c.Aliases = []string{op.Verb}
	}
	if op.Deprecated {
		c.Short += " (deprecated)"
	}
	leaves := param.Leaves(op)
	if op.List {
		leaves = withoutLimit(leaves)
	}
	for _, l := range leaves {
		addParam(c, l)
	}
	flags := c.Flags()
	flags.SortFlags = false
	if op.Request != "" && op.Params != nil {
		flags.StringVar(&f.data, "data", "", "Take parameters from this `JSON`, from @FILE, or from stdin if it is -. Flags override it.")
	}
	if op.Method == "POST" {
		flags.StringVar(&f.key, "idempotency-key", "", idempotencyUsage)
	}
	flags.BoolVar(&f.dryRun, "dry-run", false, "Print the request instead of sending it.")
	flags.BoolVar(&f.lax, "no-validation", false, "Leave the validation of parameters to the API.")
	if op.List && op.Cursors {
		flags.IntVar(&f.limit, "limit", defaultItems, "Show at most this `number` of items.")
		flags.BoolVar(&f.all, "all", false, "Show all items.")
	}
	if bulkable(op) {
		addBulkFlags(c, &f)
	}
	c.RunE = func(c *cobra.Command, ids []string) error { return a.runOperation(c, op, leaves, &f, ids) }
	return c
}

// withoutLimit removes the parameter for the size of a page: the flag --limit counts items instead,
// across pages.
func withoutLimit(leaves []param.Leaf) []param.Leaf {
	var out []param.Leaf
	for _, l := range leaves {
		if l.Path != "limit" {
			out = append(out, l)
		}
	}
	return out
}

func (a *app) runOperation(c *cobra.Command, op *spec.Operation, leaves []param.Leaf, f *operationFlags, ids []string) error {
	if op.List && op.Cursors {
		if err := f.checkLimit(); err != nil {
			return err
		}
	}
	ctx, cancel := a.context(c.Context())
	defer cancel()
	set := param.New(op, a.now())
	set.Lax = f.lax
	if err := a.data(set, f.data); err != nil {
		return refusal{err}
	}
	for _, l := range leaves {
		if flag := c.Flags().Lookup(flagName(l)); flag.Changed {
			set.Put(l, flag.Value.(*paramValue).texts)
		}
	}
	if f.from != "" {
		return a.bulk(ctx, op, set, leaves, f)
	}
	r, err := newRequest(op, ids, set)
	if err != nil {
		return err
	}
	r.key = f.key
	return a.perform(ctx, r, f)
}

func (f *operationFlags) checkLimit() error {
	if f.limit < 1 {
		return usagef("--limit must be at least 1; --all shows all items")
	}
	return nil
}

// data reads the parameters of --data.
func (a *app) data(set *param.Set, data string) error {
	switch name, isFile := strings.CutPrefix(data, "@"); {
	case data == "":
		return nil
	case data == "-":
		return set.Data(a.in)
	case isFile:
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		return set.Data(file)
	}
	return set.Data(strings.NewReader(data))
}

// perform sends a request and writes the result, or only prints the request.
func (a *app) perform(ctx context.Context, r *request, f *operationFlags) error {
	if f.dryRun {
		t, err := a.targetWithoutToken()
		if err != nil {
			return err
		}
		return r.dryRun(a.out, t)
	}
	t, client, err := a.connect()
	if err != nil {
		return err
	}
	if r.op.Kind != string(gocardless.KindRead) {
		if err := a.confirm(ctx, t, client, r.op.Name); err != nil {
			return err
		}
	}
	if r.op.List {
		enough := f.limit
		if f.all {
			enough = 0
		}
		return a.list(ctx, client, r, enough)
	}
	return a.single(ctx, client, r)
}

// single makes a call whose reply is one resource or empty.
func (a *app) single(ctx context.Context, client *gocardless.Client, r *request) error {
	var record gocardless.Response
	reply, err := r.send(ctx, client, &record)
	if err != nil {
		return err
	}
	if record.Existing {
		a.note("note: the idempotency key was used before; this is the original resource")
	}
	if r.op.Result == nil {
		a.note("done")
		return nil
	}
	result, err := unwrap(r.op, reply)
	if err != nil {
		return err
	}
	return a.one(ctx, result, r.op.Result)
}

// use returns the usage line: the verb and the ids that it needs.
func use(op *spec.Operation) string {
	parts := []string{kebab(op.Verb)}
	for range op.PathParams() {
		parts = append(parts, "ID")
	}
	return strings.Join(parts, " ")
}

func long(op *spec.Operation) string {
	doc := op.Doc
	if doc == "" {
		doc = op.Name + "."
	}
	if op.Restricted {
		doc += "\n\nGoCardless must enable this operation for your account."
	}
	if op.Deprecated {
		doc += "\n\nDeprecated: GoCardless advises against this operation."
	}
	return fmt.Sprintf("%s\n\n%s %s", doc, op.Method, op.Path)
}

// example returns a command line with every required parameter.
func example(op *spec.Operation) string {
	parts := []string{"  gcpro", kebab(op.Resource()), kebab(op.Verb)}
	for range op.PathParams() {
		parts = append(parts, exampleID(op.Resource()))
	}
	for _, l := range param.Leaves(op) {
		if l.Needed {
			parts = append(parts, "--"+flagName(l), exampleValue(l))
		}
	}
	return strings.Join(parts, " ")
}

func exampleID(resource string) string {
	for _, p := range spec.Prefixes {
		if p.Resource == resource {
			return p.Prefix + "123"
		}
	}
	return "ID"
}

func exampleValue(l param.Leaf) string {
	var v any
	if l.Field.Example != "" && json.Unmarshal([]byte(l.Field.Example), &v) == nil {
		if s, ok := v.(string); ok {
			return quoteArg(s)
		}
		return quoteArg(l.Field.Example)
	}
	if len(l.Field.Enum) > 0 {
		return l.Field.Enum[0].Name
	}
	return strings.ToUpper(l.Field.Name)
}

func quoteArg(s string) string {
	if s != "" && !strings.ContainsAny(s, " \"'{}[]&;<>|$*?#~()\\`!") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// readAll reads at most limit bytes. What names the source in the error for more.
func readAll(r io.Reader, limit int64, what string) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = tooLong(what, limit)
	}
	return b, err
}

func tooLong(what string, limit int64) error {
	return refuse("%s is longer than %d kB, which is too long", what, limit>>10)
}

// readFile reads a file of at most limit bytes.
func readFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name) //nolint:gosec // the caller's own file
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > limit {
		return nil, tooLong(name, limit)
	}
	return readAll(f, limit, name)
}
