package cli

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/param"
	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/render"
	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/spec"
	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/bulk"
)

// bulkName returns the name of an operation in package bulk.
func bulkName(op *spec.Operation) string { return op.Resource() + "." + op.Verb }

func bulkable(op *spec.Operation) bool {
	if len(op.PathParams()) > 0 {
		return false
	}
	_, ok := bulk.Find(bulkName(op))
	return ok
}

func addBulkFlags(c *cobra.Command, f *operationFlags) {
	c.Flags().StringVar(&f.from, "from", "", "Create one resource for each line of this CSV `FILE`. Its header names parameters; flags apply to all lines.")
	c.Flags().StringVar(&f.keyColumn, "key-column", "", "Take the idempotency key of each line from this `column` of --from.")
	c.Flags().StringVar(&f.journal, "journal", "", "Record the outcome of each line in this `FILE`. The same command resumes from it.")
	c.Flags().IntVar(&f.lanes, "lanes", 0, "Send this `number` of requests at a time. The default is 16.")
	c.Flags().Float64Var(&f.stopAfter, "stop-after", 0, "Stop when more than this `fraction` of the last 100 lines failed. The default is 0.1.")
}

// maxLine is the longest line of a CSV file, and maxReported how many invalid lines are listed.
const (
	maxLine     = 1 << 20
	maxReported = 100
)

// bulk creates one resource for each line of a file.
func (a *app) bulk(ctx context.Context, op *spec.Operation, base *param.Set, leaves []param.Leaf, f *operationFlags) error {
	if f.keyColumn == "" || f.journal == "" && !f.dryRun {
		return usagef("--from needs --key-column and --journal, so that no line creates two resources")
	}
	if info, err := os.Stat(f.from); err != nil || !info.Mode().IsRegular() {
		return refusal{errors.Join(err, errors.New("--from must be a regular file, because it is read twice: first to check every line"))}
	}
	file := &lineFile{path: f.from, key: f.keyColumn, op: op, base: base, leaves: leaves, app: a, lax: f.lax}
	total, err := a.checkLines(file)
	if err != nil {
		return err
	}
	if f.dryRun {
		a.note("%d lines are valid; nothing was sent", total)
		return nil
	}
	t, client, err := a.connect()
	if err != nil {
		return err
	}
	if err := a.confirm(ctx, t, client, fmt.Sprintf("creating %d %s", total, strings.ReplaceAll(op.Resource(), "_", " "))); err != nil {
		return err
	}
	journal, err := bulk.OpenFile(f.journal)
	if err != nil {
		return err
	}
	defer journal.Close()
	create, _ := bulk.Find(bulkName(op))
	bar := a.progress(total)
	options := bulk.Options{
		Workers: f.lanes, MaxErrorRate: f.stopAfter,
		Progress: func(r bulk.Report) {
			bar.set(min(total, r.Created+r.Existing+r.Failed+r.Open+r.Settled+r.Repeated+r.Busy))
		},
	}
	report, err := create.RunJSON(ctx, client, file.lines(), journal, options)
	bar.clear()
	a.note("%s", report)
	a.note("the outcome of each line is in the journal %s", f.journal)
	switch {
	case err != nil:
		return err
	case report.Failed > 0:
		return quiet(&gocardless.ParamsError{Operation: op.Name, Problems: []gocardless.Problem{{Field: f.from, Message: "lines failed"}}})
	case report.Open > 0:
		return quiet(&gocardless.ConnectionError{Operation: op.Name, Err: errors.New("lines are open")})
	}
	return nil
}

// checkLines reads the whole file before anything is sent, and reports every invalid line, up to
// maxReported.
func (a *app) checkLines(file *lineFile) (total int, err error) {
	seen := map[string]int{}
	wrong := 0
	for line := range file.read() {
		if first := seen[line.key]; first > 0 {
			line.err = errors.Join(fmt.Errorf("has the key of line %d", first), line.err)
		} else if line.key != "" {
			seen[line.key] = line.number
		}
		if line.err != nil {
			if wrong++; wrong <= maxReported {
				fmt.Fprintf(a.errs, "line %d: %s\n", line.number, render.Safe(strings.ReplaceAll(line.err.Error(), "\n", "; ")))
			}
			if line.last {
				break
			}
			continue
		}
		total++
	}
	switch {
	case wrong > maxReported:
		return 0, refuse("%d lines of %s are not valid, the first %d are listed; nothing was sent", wrong, file.path, maxReported)
	case wrong > 0:
		return 0, refuse("%d lines of %s are not valid; nothing was sent", wrong, file.path)
	case total == 0:
		return 0, refuse("%s has no lines", file.path)
	}
	return total, nil
}

// lineFile is a CSV file whose header names parameters.
type lineFile struct {
	path, key string
	op        *spec.Operation
	base      *param.Set
	leaves    []param.Leaf
	app       *app
	lax       bool
}

// fileLine is a line of the file, or an error.
type fileLine struct {
	number int
	key    string
	body   json.RawMessage
	err    error
	last   bool // nothing can be read after it
}

// lines returns the lines for a run.
func (f *lineFile) lines() iter.Seq[bulk.Line[json.RawMessage]] {
	return func(yield func(bulk.Line[json.RawMessage]) bool) {
		for line := range f.read() {
			l := bulk.Line[json.RawMessage]{Key: line.key, Params: line.body}
			if line.err != nil {
				l.Err = fmt.Errorf("line %d: %w", line.number, line.err)
			}
			if !yield(l) {
				return
			}
		}
	}
}

// read yields the lines of the file. It holds one of them in memory at a time.
func (f *lineFile) read() iter.Seq[fileLine] {
	return func(yield func(fileLine) bool) {
		file, err := os.Open(f.path)
		if err != nil {
			yield(fileLine{err: err, last: true})
			return
		}
		defer file.Close()
		short := &shortLines{r: file}
		r := csv.NewReader(short)
		r.ReuseRecord = true
		header, columns, err := f.header(r)
		if err != nil {
			yield(fileLine{number: 1, err: err, last: true})
			return
		}
		for {
			record, err := r.Read()
			short.n = 0
			if errors.Is(err, io.EOF) {
				return
			}
			var line fileLine
			if err == nil {
				line.number, _ = r.FieldPos(0)
				line.key, line.body, line.err = f.line(record, header, columns)
			} else {
				line = badLine(err)
			}
			if !yield(line) || line.last {
				return
			}
		}
	}
}

// badLine returns the line that a reader of CSV refused. After a line with a wrong number of fields,
// the next one can still be read.
func badLine(err error) fileLine {
	line := fileLine{err: err, last: !errors.Is(err, csv.ErrFieldCount)}
	if parse, ok := errors.AsType[*csv.ParseError](err); ok {
		line.number, line.err = parse.Line, parse.Err
	}
	return line
}

// header finds the parameter of each column.
func (f *lineFile) header(r *csv.Reader) (header []string, columns map[string]param.Leaf, err error) {
	record, err := r.Read()
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read the header: %w", err)
	}
	for i, name := range record {
		if i == 0 {
			name = strings.TrimPrefix(name, "\ufeff")
		}
		header = append(header, strings.TrimSpace(name))
	}
	if !slices.Contains(header, f.key) {
		return nil, nil, fmt.Errorf("the file has no column %q, which --key-column names", f.key)
	}
	columns = map[string]param.Leaf{}
	for _, name := range header {
		leaf, ok := f.leaf(name)
		switch {
		case ok:
			columns[name] = leaf
		case name != f.key:
			return nil, nil, fmt.Errorf("the column %q is not a parameter of %s", name, f.op.Name)
		}
	}
	return header, columns, nil
}

// leaf finds a parameter by the name of a column. It may be a member of a map, as in metadata.order.
func (f *lineFile) leaf(name string) (param.Leaf, bool) {
	for _, l := range f.leaves {
		if l.Path == name || kebab(l.Path) == name {
			return l, true
		}
		if l.Field.Kind == spec.Map && strings.HasPrefix(name, l.Path+".") {
			return l, true
		}
	}
	return param.Leaf{}, false
}

// line returns the key and the parameters of a record. An empty cell sets no parameter.
func (f *lineFile) line(record, header []string, columns map[string]param.Leaf) (key string, body json.RawMessage, err error) {
	set := param.New(f.op, f.app.now())
	set.Lax = f.lax
	maps.Copy(set.Values(), cloneObject(f.base.Values()))
	for i, cell := range record {
		name := header[i]
		if !utf8.ValidString(cell) {
			return "", nil, fmt.Errorf("%s is not valid UTF-8", name)
		}
		if name == f.key {
			key = strings.TrimSpace(cell)
		}
		leaf, ok := columns[name]
		if !ok || cell == "" {
			continue
		}
		if leaf.Field.Kind == spec.Map && name != leaf.Path {
			cell = strings.TrimPrefix(name, leaf.Path+".") + "=" + cell
		}
		set.Put(leaf, []string{cell})
	}
	if err := set.Check(); err != nil {
		return key, nil, lineError(err)
	}
	if err := gocardless.CheckIdempotencyKey(key); err != nil {
		return key, nil, fmt.Errorf("the key in column %s: %w", f.key, lineError(err))
	}
	values, _, _ := set.Split()
	body, err = encode(values)
	return key, body, err
}

// lineError lists the problems of a line without the preamble of a ParamsError.
func lineError(err error) error {
	refused, ok := errors.AsType[*gocardless.ParamsError](err)
	if !ok {
		return err
	}
	var parts []string
	for _, p := range refused.Problems {
		parts = append(parts, p.Field+" "+p.Message)
	}
	return errors.New(strings.Join(parts, "; "))
}

// cloneObject copies the parameters that all lines share.
func cloneObject(o map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range o {
		if inner, ok := v.(map[string]any); ok {
			v = cloneObject(inner)
		}
		out[name] = v
	}
	return out
}

// shortLines fails on an overlong record, so that a file without line ends, or with an unclosed quote,
// is not read into memory.
type shortLines struct {
	r io.Reader
	n int // since the last record
}

func (s *shortLines) Read(p []byte) (int, error) {
	if s.n > maxLine {
		return 0, fmt.Errorf("a line is longer than %d bytes", maxLine)
	}
	n, err := s.r.Read(p)
	s.n += n
	return n, err
}
