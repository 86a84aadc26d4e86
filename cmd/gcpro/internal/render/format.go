package render

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/itchyny/gojq"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/spec"
)

// Formats are the values of --output.
var Formats = []string{"table", "json", "ndjson", "csv", "yaml"}

// JSON writes a value indented, with its members in the order of the reply.
func JSON(w io.Writer, raw []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err := w.Write(safeJSON(b.Bytes()))
	return err
}

// Line writes a value on one line.
func Line(w io.Writer, raw []byte) error {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err := w.Write(safeJSON(b.Bytes()))
	return err
}

// CSV writes rows that are safe to open in a spreadsheet.
type CSV struct {
	out     io.Writer
	w       *csv.Writer
	columns []string
	started bool
}

// NewCSV returns a writer of rows with the given columns; nil for all members of the first item.
func NewCSV(w io.Writer, columns []string) *CSV {
	return &CSV{out: w, w: csv.NewWriter(w), columns: columns}
}

// Write adds rows, below a heading on the first call.
func (c *CSV) Write(items []any, object *spec.Object) error {
	if !c.started {
		c.started = true
		if c.columns == nil {
			c.columns = csvColumns(items, object)
		}
		if err := c.w.Write(c.columns); err != nil {
			return err
		}
	}
	for _, item := range items {
		row := make([]string, len(c.columns))
		for i, path := range c.columns {
			row[i] = defuse(csvText(Lookup(item, path)))
		}
		if err := c.row(row); err != nil {
			return err
		}
	}
	c.w.Flush()
	return c.w.Error()
}

// row writes a row. One empty cell is quoted: readers skip empty lines.
func (c *CSV) row(cells []string) error {
	if len(cells) != 1 || cells[0] != "" {
		return c.w.Write(cells)
	}
	c.w.Flush()
	_, err := io.WriteString(c.out, "\"\"\n")
	return errors.Join(c.w.Error(), err)
}

// csvColumns returns all members in the description, or all members of the items if there is none.
func csvColumns(items []any, object *spec.Object) []string {
	if object != nil {
		return describedMembers(object)
	}
	var columns []string
	for _, item := range items {
		for _, path := range members(item, "") {
			if !slices.Contains(columns, path) {
				columns = append(columns, path)
			}
		}
	}
	return columns
}

// describedMembers returns the paths of the members of an object, with the members of an inner object in
// its place.
func describedMembers(object *spec.Object) []string {
	var paths []string
	for _, f := range object.Fields {
		if f.Kind != spec.Group || f.Object == nil {
			paths = append(paths, f.Name)
			continue
		}
		for _, sub := range f.Object.Fields {
			paths = append(paths, f.Name+"."+sub.Name)
		}
	}
	return paths
}

func csvText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return SafeText(v)
	case map[string]any, []any:
		b, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(safeJSON(b))
	}
	return fmt.Sprint(v)
}

var number = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?$`)

// defuse returns the cell for a value. Signed numbers stay numbers.
func defuse(s string) string {
	if number.MatchString(s) {
		return s
	}
	return harmless(s)
}

// harmless keeps a spreadsheet from executing a payer's input as a formula.
func harmless(cell string) string {
	if strings.IndexAny(strings.TrimLeft(cell, " \u00a0\u3000"), "=+-@\t\r\n＝＋－＠") == 0 {
		return "'" + cell
	}
	return cell
}

// JQ writes the results of a filter: strings unquoted, other values with write, which is [JSON] or
// [Line].
func JQ(ctx context.Context, w io.Writer, filter string, raw []byte, write func(io.Writer, []byte) error) error {
	query, err := gojq.Parse(filter)
	if err != nil {
		return fmt.Errorf("--jq: %w", err)
	}
	code, err := gojq.Compile(query)
	if err != nil {
		return fmt.Errorf("--jq: %w", err)
	}
	v, err := Decode(raw)
	if err != nil {
		return err
	}
	results := code.RunWithContext(ctx, v)
	for {
		v, ok := results.Next()
		if !ok || halted(v) {
			return nil
		}
		if err := writeResult(w, v, write); err != nil {
			return err
		}
	}
}

// halted reports whether a filter ended itself with "halt", which is not an error.
func halted(result any) bool {
	err, _ := result.(error)
	halt, ok := errors.AsType[*gojq.HaltError](err)
	return ok && halt.Value() == nil
}

// writeResult writes one result of a filter.
func writeResult(w io.Writer, result any, write func(io.Writer, []byte) error) error {
	switch v := result.(type) {
	case error:
		return fmt.Errorf("--jq: %s", Safe(v.Error()))
	case string:
		_, err := io.WriteString(w, SafeText(v)+"\n")
		return err
	}
	raw, err := gojq.Marshal(result)
	if err != nil {
		return err
	}
	return write(w, raw)
}

// Template writes a value through a Go template with the additional functions money, json, join,
// upper and keys.
func Template(w io.Writer, text string, raw []byte) error {
	t, err := template.New("template").Funcs(template.FuncMap{
		"money": func(amount any, currency string) string { return Money(fmt.Sprint(amount), currency) },
		"json": func(v any) (string, error) {
			b, err := json.Marshal(v)
			return string(b), err
		},
		"join":  func(sep string, items []any) string { return strings.ReplaceAll(list(items), ",", sep) },
		"upper": strings.ToUpper,
		"keys":  func(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) },
	}).Option("missingkey=zero").Parse(text)
	if err != nil {
		return fmt.Errorf("--template: %s", strings.TrimPrefix(err.Error(), "template: "))
	}
	v, err := Decode(raw)
	if err != nil {
		return err
	}
	var b strings.Builder
	if err := t.Execute(&b, v); err != nil {
		return fmt.Errorf("--template: %s", Safe(strings.TrimPrefix(err.Error(), "template: ")))
	}
	out := SafeText(b.String())
	if !strings.HasSuffix(out, "\n") {
		out += "\n"
	}
	_, err = io.WriteString(w, out)
	return err
}
