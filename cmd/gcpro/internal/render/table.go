package render

import (
	"bufio"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/spec"
)

// Look is the appearance of tables.
type Look struct {
	Color    bool
	Aligned  bool // otherwise cells are separated by tabs, without headings: for other programs
	Columns  []string
	Currency string // of amounts whose object has none
	MaxWidth int    // of the terminal; 0 for no limit
}

// Table writes items as rows.
func Table(w io.Writer, items []any, object *spec.Object, look Look) error {
	return (&Rows{Object: object, Look: look}).Write(w, items)
}

// Rows is a table whose items arrive in several parts. The first part determines the columns. Their
// widths grow if later items need it.
type Rows struct {
	Object *spec.Object
	Look   Look

	started bool
	widths  []int
}

// Write adds items, below a heading on the first call.
func (r *Rows) Write(w io.Writer, items []any) error {
	if len(items) == 0 {
		return nil
	}
	first := r.Look.Columns == nil
	if first {
		r.Look.Columns = DefaultColumns(items, r.Object)
	}
	rows := r.cells(items)
	if i := slices.Index(r.Look.Columns, "links"); first && i >= 0 && tooWide(rows, r.Look.MaxWidth) {
		// The links are long, and say less about an item than the columns that they would cut.
		r.Look.Columns = slices.Delete(r.Look.Columns, i, i+1)
		rows = r.cells(items)
	}
	r.started = true
	r.widths = columnWidths(rows, r.widths, r.Look.MaxWidth)
	return draw(w, rows, r.widths, r.Look)
}

// cells returns the cells of items, below a heading unless it has been written.
func (r *Rows) cells(items []any) [][]Cell {
	rows := make([][]Cell, 0, len(items)+1)
	if r.Look.Aligned && !r.started {
		var head []Cell
		for _, c := range r.Look.Columns {
			head = append(head, Cell{Text: strings.ToUpper(strings.ReplaceAll(Safe(c), "_", " ")), Color: bold})
		}
		rows = append(rows, head)
	}
	for _, item := range items {
		var row []Cell
		for _, c := range r.Look.Columns {
			row = append(row, cellOf(item, r.Object, c, r.Look.Currency))
		}
		rows = append(rows, row)
	}
	return rows
}

// Record writes the members of one object, each on its own line. An aligned record leaves out empty
// members.
func Record(w io.Writer, item any, object *spec.Object, look Look) error {
	columns := look.Columns
	if columns == nil {
		columns = members(item, "")
	}
	var rows [][]Cell
	for _, c := range columns {
		cell := cellOf(item, object, c, look.Currency)
		if look.Aligned && cell.Text == "" && look.Columns == nil {
			continue
		}
		cell.Right = false
		name := Cell{Text: Safe(c)}
		if look.Aligned {
			name.Color = dim
		}
		rows = append(rows, []Cell{name, cell})
	}
	return draw(w, rows, columnWidths(rows, nil, look.MaxWidth), look)
}

// members lists the paths of all members, down to those that are not objects: id and name first, then
// the others in alphabetical order.
func members(item any, prefix string) []string {
	object, _ := item.(map[string]any)
	var out []string
	for _, name := range slices.SortedFunc(maps.Keys(object), func(a, b string) int {
		for _, first := range []string{"id", "name"} {
			if a == first || b == first {
				return map[bool]int{true: -1, false: 1}[a == first]
			}
		}
		return strings.Compare(a, b)
	}) {
		nested, ok := object[name].(map[string]any)
		// A name that contains a dot, as in metadata, would be taken for a path.
		if ok && len(nested) > 0 && !slices.ContainsFunc(slices.Collect(maps.Keys(nested)), func(n string) bool { return n == "" || strings.Contains(n, ".") }) {
			out = append(out, members(nested, prefix+name+".")...)
			continue
		}
		out = append(out, prefix+name)
	}
	return out
}

func draw(w io.Writer, rows [][]Cell, widths []int, look Look) error {
	out := bufio.NewWriter(w)
	if !look.Aligned {
		for _, row := range rows {
			for i, c := range row {
				if i > 0 {
					out.WriteByte('\t')
				}
				out.WriteString(c.Text)
			}
			out.WriteByte('\n')
		}
		return out.Flush()
	}
	for _, row := range rows {
		drawRow(out, row, widths, look.Color)
	}
	return out.Flush()
}

// gap is the space between two columns, and minWidth the smallest width of a column.
const (
	gap      = 2
	minWidth = 6
)

// columnWidths gives every column the width that it needs, or that it had. On a narrow terminal the
// widest columns shrink, except the first, which has ids to copy, and those with whole cells.
func columnWidths(rows [][]Cell, had []int, limit int) []int {
	widths, whole := neededWidths(rows, had)
	for excess := lineWidth(widths) - limit; limit > 0 && excess > 0; excess-- {
		i := widest(widths, whole)
		if i < 0 {
			break
		}
		widths[i]--
	}
	return widths
}

// neededWidths returns the widths that show every cell in full, none below the one that the column had,
// and which columns must not be cut.
func neededWidths(rows [][]Cell, had []int) (widths []int, whole []bool) {
	if len(rows) == 0 {
		return had, nil
	}
	widths, whole = make([]int, len(rows[0])), make([]bool, len(rows[0]))
	copy(widths, had)
	for _, row := range rows {
		for i, c := range row {
			widths[i] = max(widths[i], width(c.Text))
			whole[i] = whole[i] || c.Whole || i == 0
		}
	}
	return widths, whole
}

// lineWidth returns the width of a row.
func lineWidth(widths []int) int {
	total := gap * (len(widths) - 1)
	for _, n := range widths {
		total += n
	}
	return total
}

// widest returns the index of the widest column that may shrink, or -1 if there is none.
func widest(widths []int, whole []bool) int {
	found := -1
	for i, n := range widths {
		if !whole[i] && n > minWidth && (found < 0 || n > widths[found]) {
			found = i
		}
	}
	return found
}

// tooWide reports whether rows are wider than a limit, unless that is 0.
func tooWide(rows [][]Cell, limit int) bool {
	widths, _ := neededWidths(rows, nil)
	return limit > 0 && lineWidth(widths) > limit
}

func drawRow(out *bufio.Writer, row []Cell, widths []int, color bool) {
	for i, c := range row {
		text := Clip(c.Text, widths[i])
		pad := strings.Repeat(" ", max(0, widths[i]-width(text)))
		if c.Right {
			out.WriteString(pad)
		}
		if color && c.Color != "" {
			text = c.Color + text + reset
		}
		out.WriteString(text)
		if i == len(row)-1 {
			break
		}
		if !c.Right {
			out.WriteString(pad)
		}
		out.WriteString(strings.Repeat(" ", gap))
	}
	out.WriteByte('\n')
}

// preferred are the most informative members of a resource, in the order of their columns.
var preferred = []string{
	"id", "status", "verification_status", "resource_type", "action", "type", "name", "given_name", "family_name", "company_name", "email", "account_holder_name",
	"account_number_ending", "bank_name", "amount", "scheme", "description", "reference", "charge_date", "next_payment_date", "start_date", "arrival_date", "execution_date",
	"export_type", "url", "is_test", "target", "rate", "balance_type",
}

const maxColumns = 7

// DefaultColumns chooses the columns of a table: the most informative members that any item has, then
// the links and the time; all members of what has no description.
func DefaultColumns(items []any, object *spec.Object) []string {
	if object == nil && len(items) > 0 {
		return members(items[0], "")
	}
	filled := filledMembers(items)
	has := func(name string) bool {
		return filled[name] || len(items) == 0 && object.Field(name) != nil
	}
	columns := slices.DeleteFunc(slices.Clone(preferred), func(name string) bool { return !has(name) })
	columns = columns[:min(len(columns), maxColumns-2)]
	if has("action") && has("details") { // an event
		columns = append(columns, "details.cause")
	}
	for _, name := range []string{"links", "created_at"} {
		if has(name) {
			columns = append(columns, name)
		}
	}
	if len(columns) == 0 && len(items) > 0 {
		columns = members(items[0], "")
	}
	return columns
}

// filledMembers returns the members that have a value in at least one item.
func filledMembers(items []any) map[string]bool {
	filled := map[string]bool{}
	for _, item := range items {
		object, _ := item.(map[string]any)
		for name, v := range object {
			if v != nil && v != "" {
				filled[name] = true
			}
		}
	}
	return filled
}
