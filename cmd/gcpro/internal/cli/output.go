package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/render"
	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/spec"
)

// checkOutput refuses contradictory output flags.
func (a *app) checkOutput() error {
	f := &a.flags
	given := 0
	for _, s := range []string{f.output, f.jq, f.template} {
		if s != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return usagef("only one of --output, --jq and --template can be given")
	case f.output != "" && !slices.Contains(render.Formats, f.output):
		return usagef("--output must be one of %s", strings.Join(render.Formats, ", "))
	case f.columns != nil && f.output != "" && f.output != "table" && f.output != "csv":
		return usagef("--columns only works with tables and CSV")
	}
	return nil
}

// table reports whether the output is a table.
func (a *app) table() bool {
	f := &a.flags
	return f.jq == "" && f.template == "" && (f.output == "" || f.output == "table")
}

func (a *app) look() render.Look {
	return render.Look{Color: a.color(a.outTTY), Aligned: a.outTTY || a.flags.output == "table", Columns: a.flags.columns, MaxWidth: a.width(), Currency: a.currency}
}

// one writes a single result.
func (a *app) one(ctx context.Context, raw json.RawMessage, object *spec.Object) error {
	if len(raw) == 0 {
		return nil
	}
	switch {
	case a.flags.jq != "":
		return a.jq(ctx, raw)
	case a.flags.template != "":
		return render.Template(a.out, a.flags.template, raw)
	}
	switch a.flags.output {
	case "json":
		return render.JSON(a.out, raw)
	case "ndjson":
		return render.Line(a.out, raw)
	case "yaml":
		return render.YAML(a.out, raw)
	}
	v, err := render.Decode(raw)
	if err != nil {
		return err
	}
	if a.flags.output == "csv" {
		return render.NewCSV(a.out, a.flags.columns).Write([]any{v}, object)
	}
	return render.Record(a.out, v, object, a.look())
}

// jq writes the results of --jq: indented on a terminal, otherwise each on a line.
func (a *app) jq(ctx context.Context, raw json.RawMessage) error {
	write := render.Line
	if a.outTTY {
		write = render.JSON
	}
	return render.JQ(ctx, a.out, a.flags.jq, raw, write)
}

// sink writes the items of a list, page by page.
type sink interface {
	write(items []json.RawMessage) error
	close(ctx context.Context) error
}

func (a *app) sink(object *spec.Object) sink {
	switch {
	case a.flags.jq != "":
		return &wholeSink{finish: a.jq}
	case a.flags.template != "":
		return &wholeSink{finish: func(_ context.Context, raw json.RawMessage) error {
			return render.Template(a.out, a.flags.template, raw)
		}}
	}
	switch a.flags.output {
	case "json":
		return &jsonSink{out: a.out}
	case "ndjson":
		return lineSink{a.out}
	case "yaml":
		return &yamlSink{out: a.out}
	case "csv":
		return csvSink{render.NewCSV(a.out, a.flags.columns), object}
	}
	return &tableSink{app: a, rows: render.Rows{Object: object, Look: a.look()}}
}

// records writes values as a list with these columns.
func (a *app) records(ctx context.Context, values []map[string]any, columns ...string) error {
	items := make([]json.RawMessage, len(values))
	for i, v := range values {
		var err error
		if items[i], err = encode(v); err != nil {
			return err
		}
	}
	return a.rows(ctx, items, columns...)
}

// rows writes a list that is not the reply of an operation, in every format of lists.
func (a *app) rows(ctx context.Context, items []json.RawMessage, columns ...string) error {
	out := a.sink(nil)
	if t, ok := out.(*tableSink); ok && t.rows.Look.Columns == nil {
		t.rows.Look.Columns = columns
	}
	return errors.Join(out.write(items), out.close(ctx))
}

// wholeSink collects all items: filters and templates see the list as one array.
type wholeSink struct {
	items  []json.RawMessage
	finish func(context.Context, json.RawMessage) error
}

func (s *wholeSink) write(items []json.RawMessage) error {
	s.items = append(s.items, items...)
	return nil
}

func (s *wholeSink) close(ctx context.Context) error {
	if s.items == nil {
		s.items = []json.RawMessage{}
	}
	raw, err := json.Marshal(s.items)
	if err != nil {
		return err
	}
	return s.finish(ctx, raw)
}

type jsonSink struct {
	out     io.Writer
	started bool
}

func (s *jsonSink) write(items []json.RawMessage) error {
	for _, item := range items {
		var b bytes.Buffer
		if s.started {
			b.WriteString(",\n  ")
		} else {
			b.WriteString("[\n  ")
		}
		s.started = true
		var text bytes.Buffer
		if err := render.JSON(&text, item); err != nil {
			return err
		}
		b.Write(bytes.ReplaceAll(bytes.TrimSpace(text.Bytes()), []byte("\n"), []byte("\n  ")))
		if _, err := s.out.Write(b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

func (s *jsonSink) close(context.Context) error {
	end := "\n]\n"
	if !s.started {
		end = "[]\n"
	}
	_, err := io.WriteString(s.out, end)
	return err
}

type lineSink struct{ out io.Writer }

func (s lineSink) write(items []json.RawMessage) error {
	for _, item := range items {
		if err := render.Line(s.out, item); err != nil {
			return err
		}
	}
	return nil
}

func (lineSink) close(context.Context) error { return nil }

type yamlSink struct {
	out     io.Writer
	started bool
}

func (s *yamlSink) write(items []json.RawMessage) error {
	if len(items) == 0 {
		return nil
	}
	s.started = true
	raw, err := json.Marshal(items)
	if err != nil {
		return err
	}
	return render.YAML(s.out, raw)
}

func (s *yamlSink) close(context.Context) error {
	if s.started {
		return nil
	}
	_, err := io.WriteString(s.out, "[]\n")
	return err
}

type csvSink struct {
	csv    *render.CSV
	object *spec.Object
}

func (s csvSink) write(items []json.RawMessage) error {
	values, err := decodeAll(items)
	if err != nil {
		return err
	}
	return s.csv.Write(values, s.object)
}

func (s csvSink) close(context.Context) error { return s.csv.Write(nil, s.object) }

// tableSink draws an aligned table at the end, when the widths of its columns are known. It writes
// rows at once if they are for other programs, or arrive over time.
type tableSink struct {
	app   *app
	rows  render.Rows
	live  bool
	items []any
}

func (s *tableSink) write(items []json.RawMessage) error {
	values, err := decodeAll(items)
	if err != nil {
		return err
	}
	if s.rows.Look.Aligned && !s.live {
		s.items = append(s.items, values...)
		return nil
	}
	return s.rows.Write(s.app.out, values)
}

func (s *tableSink) close(context.Context) error {
	if !s.rows.Look.Aligned {
		return nil
	}
	if len(s.items) == 0 {
		s.app.note("nothing found")
		return nil
	}
	out, done := s.app.pager(len(s.items))
	err := s.rows.Write(out, s.items)
	done()
	return err
}

// eachSink writes items one by one.
type eachSink func(item json.RawMessage) error

func (s eachSink) write(items []json.RawMessage) error {
	for _, item := range items {
		if err := s(item); err != nil {
			return err
		}
	}
	return nil
}

func (eachSink) close(context.Context) error { return nil }

// liveSink is a sink for items that arrive over time: filters and templates see them one by one, and
// JSON is a line for each.
func (a *app) liveSink(ctx context.Context, object *spec.Object, columns ...string) sink {
	switch {
	case a.flags.jq != "" || a.flags.template != "":
		return eachSink(func(item json.RawMessage) error { return a.one(ctx, item, object) })
	case a.flags.output == "json":
		return lineSink{a.out}
	}
	out := a.sink(object)
	if t, ok := out.(*tableSink); ok {
		t.live = true
		if t.rows.Look.Columns == nil {
			t.rows.Look.Columns = columns
		}
	}
	return out
}

func decodeAll(items []json.RawMessage) ([]any, error) {
	values := make([]any, len(items))
	for i, raw := range items {
		v, err := render.Decode(raw)
		if err != nil {
			return nil, err
		}
		values[i] = v
	}
	return values, nil
}

// pager returns where to write a long table on a terminal, and a function to call afterwards.
func (a *app) pager(lines int) (io.Writer, func()) {
	command := a.env("GCPRO_PAGER")
	if command == "" {
		command = a.env("PAGER")
	}
	if command == "" {
		command = "less"
	}
	fields := strings.Fields(command)
	if !a.outTTY || lines < 20 || len(fields) == 0 || fields[0] == "cat" {
		return a.out, func() {}
	}
	p := exec.Command(fields[0], fields[1:]...)
	p.Stdout, p.Stderr = a.out, a.errs
	p.Env = append(os.Environ(), "LESS="+cmp.Or(a.env("LESS"), "FRX"))
	in, err := p.StdinPipe()
	if err != nil || p.Start() != nil {
		return a.out, func() {}
	}
	return quietWriter{in}, func() {
		_ = in.Close()
		_ = p.Wait()
	}
}

// quietWriter ignores errors: the user may quit the pager before the end.
type quietWriter struct{ io.Writer }

func (w quietWriter) Write(p []byte) (int, error) {
	_, _ = w.Writer.Write(p)
	return len(p), nil
}
