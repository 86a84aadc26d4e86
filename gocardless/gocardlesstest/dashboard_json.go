package gocardlesstest

import (
	"html/template"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// dashJSON is JSON, or another string, as a page shows it.
type dashJSON struct {
	HTML  template.HTML
	Empty bool
}

// longJSON limits how much of a body that is not JSON a page shows.
const longJSON = keptBody + 1024

// prettyJSON indents JSON, with a link for every id of a resource. A body that is not JSON, or was cut,
// is shown unchanged.
func (tx *tx) prettyJSON(b []byte) dashJSON {
	if len(b) == 0 {
		return dashJSON{Empty: true}
	}
	p := &jsonPrinter{tx: tx}
	if v, err := value.Parse(b); err == nil {
		p.value(v, 0)
	} else {
		p.text("", validText(b[:min(len(b), longJSON)]))
	}
	return dashJSON{HTML: template.HTML(p.out.String())} //nolint:gosec // text escapes everything from outside
}

type jsonPrinter struct {
	tx  *tx
	out strings.Builder
}

// text writes an escaped string from outside in a class.
func (p *jsonPrinter) text(class, s string) {
	if class == "" {
		template.HTMLEscape(&p.out, []byte(s))
		return
	}
	p.out.WriteString(`<span class="` + class + `">`)
	template.HTMLEscape(&p.out, []byte(s))
	p.out.WriteString(`</span>`)
}

func (p *jsonPrinter) newLine(depth int) {
	p.out.WriteString("\n" + strings.Repeat("  ", depth))
}

func (p *jsonPrinter) value(v any, depth int) {
	switch v := v.(type) {
	case object:
		p.block("{", "}", len(v), depth, func(i int) {
			p.text("k", string(value.AppendString(nil, v[i].Key)))
			p.out.WriteString(": ")
			p.value(v[i].Val, depth+1)
		})
	case []any:
		p.block("[", "]", len(v), depth, func(i int) { p.value(v[i], depth+1) })
	case string:
		p.string(v)
	default:
		p.text("n", string(value.Append(nil, v)))
	}
}

func (p *jsonPrinter) block(open, end string, n, depth int, item func(int)) {
	p.out.WriteString(open)
	for i := range n {
		p.newLine(depth + 1)
		item(i)
		if i < n-1 {
			p.out.WriteString(",")
		}
	}
	if n > 0 {
		p.newLine(depth)
	}
	p.out.WriteString(end)
}

func (p *jsonPrinter) string(s string) {
	if l := p.tx.linkTo(s); len(s) < 64 && l.Href != "" {
		p.out.WriteString(`<a href="`)
		template.HTMLEscape(&p.out, []byte(l.Href))
		p.out.WriteString(`">`)
		p.text("s", `"`+s+`"`)
		p.out.WriteString(`</a>`)
		return
	}
	p.text("s", string(value.AppendString(nil, s)))
}
