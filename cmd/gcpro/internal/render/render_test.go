package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/spec"
)

// Amounts are formatted as by package money. A value that is not an amount is shown without a
// currency, so that minor units are not mistaken for major ones.
func TestMoney(t *testing.T) {
	for _, c := range []struct{ minor, currency, want string }{
		{"1500", "GBP", "£15.00"}, {"-50", "SEK", "-SEK 0.50"}, {"1500.0", "EUR", "€15.00"}, {"1", "\x1b", "0.01"},
		{"123456789012345678901", "GBP", "123456789012345678901"}, {"x\x1b", "GBP", `x\u001b`},
	} {
		if got := Money(c.minor, c.currency); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.minor, c.currency, got, c.want)
		}
	}
}

// An amount is never shown with another currency.
func TestMoneyCell(t *testing.T) {
	payment, request := spec.Find("payments", "get").Result, spec.Find("billing_requests", "get").Result
	item := spec.Find("payout_items", "list").Result
	for _, c := range []struct {
		object           *spec.Object
		raw, path, given string
		want             string
	}{
		{payment, `{"amount":1500,"currency":"GBP"}`, "amount", "", "£15.00"},
		{payment, `{"amount":1500,"currency":"GBP"}`, "amount", "EUR", "£15.00"},
		{payment, `{"amount":1500}`, "amount", "", "1500"},
		{payment, `{"currency":"GBP","fx":{"fx_amount":1500,"fx_currency":"EUR"}}`, "fx.fx_amount", "", "€15.00"},
		{payment, `{"currency":"GBP","fx":{"fx_amount":1500,"fx_currency":null}}`, "fx.fx_amount", "", "1500"},
		{request, `{"mandate_request":{"currency":"AUD","constraints":{"max_amount_per_payment":1500}}}`, "mandate_request.constraints.max_amount_per_payment", "", "A$15.00"},
		{item, `{"amount":"-37.5"}`, "amount", "GBP", "-£0.375"},
		{item, `{"amount":"-37.5"}`, "amount", "", "-37.5"},
		{item, `{"type":"1500"}`, "type", "GBP", "1500"},
	} {
		v, err := Decode([]byte(c.raw))
		if err != nil {
			t.Fatal(err)
		}
		if got := cellOf(v, c.object, c.path, c.given); got.Text != c.want {
			t.Errorf("%s: %s is %q, want %q", c.raw, c.path, got.Text, c.want)
		}
	}
}

func TestDefuse(t *testing.T) {
	for in, want := range map[string]string{"=1+1": "'=1+1", "@x": "'@x", "+4477": "+4477", "-35.0": "-35.0", "-35.0.1": "'-35.0.1", "+44 77": "'+44 77", "\tx": "'\tx", " =1": "' =1", "＝1": "'＝1", "x": "x", "": ""} {
		if got := defuse(in); got != want {
			t.Errorf("%q became %q", in, got)
		}
	}
}

// FuzzOutput writes hostile data in every format: no byte that a terminal acts on, no formula for a
// spreadsheet, no invalid UTF-8, and the formats for programs keep the value.
func FuzzOutput(f *testing.F) {
	for _, s := range []string{
		"", "Ada", "\x1b[31m", "\x1b]0;title\a", "\u009b2J", "\u202e", "\u200b", "a\r\nb", "\b\b", "\x7f", "\xff", "\xed\xa0\x80", "\xc0\xaf", "a\xf0\x9f",
		"=1", "=HYPERLINK(\"x\")", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "-35.0", "\"", "\\", "'",
		"yes", "2026-01-31", "null", "- x", "# c", "&a", "*a", "!!x", "{", "\U000e0041", "\u2028", "\ufeff", "\x00", "日本語", "e\u0301",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		clean, err := json.Marshal(map[string]any{"name": s})
		if err != nil {
			t.Fatal(err)
		}
		checkOutput(t, clean)
		checkOutput(t, []byte(`{"name":"`+unescaped(s)+`"}`))
	})
}

// unescaped is a JSON string that keeps what JSON does not require to be escaped, even invalid UTF-8.
func unescaped(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			fmt.Fprintf(&b, `\u%04x`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func checkOutput(t *testing.T, raw []byte) {
	t.Helper()
	var want map[string]any
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	v, err := Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	write := map[string]func(*bytes.Buffer) error{
		"json":   func(b *bytes.Buffer) error { return JSON(b, raw) },
		"ndjson": func(b *bytes.Buffer) error { return Line(b, raw) },
		"yaml":   func(b *bytes.Buffer) error { return YAML(b, raw) },
		"table":  func(b *bytes.Buffer) error { return Table(b, []any{v}, nil, Look{Aligned: true, MaxWidth: 40}) },
		"record": func(b *bytes.Buffer) error { return Record(b, v, nil, Look{}) },
		"csv":    func(b *bytes.Buffer) error { return NewCSV(b, nil).Write([]any{v}, nil) },
		"jq":     func(b *bytes.Buffer) error { return JQ(t.Context(), b, ".name", raw, Line) },
		"go":     func(b *bytes.Buffer) error { return Template(b, "{{.name}}", raw) },
	}
	for format, f := range write {
		var b bytes.Buffer
		if err := f(&b); err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		for _, r := range b.String() {
			if dangerous(r) && r != '\n' && r != '\t' {
				t.Errorf("%s holds %U: %q", format, r, b.String())
			}
		}
		if !utf8.Valid(b.Bytes()) {
			t.Errorf("%s is not valid UTF-8: %q", format, b.String())
		}
		got := want
		switch format {
		case "json", "ndjson":
			got = nil
			err = json.Unmarshal(b.Bytes(), &got)
		case "yaml":
			got = nil
			err = yaml.Unmarshal(b.Bytes(), &got)
		case "csv":
			err = checkCell(b.String())
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q came back as %q, %v", format, want, got, err)
		}
	}
}

// checkCell reads the only cell below the heading. It must not be a formula.
func checkCell(text string) error {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 2 {
		return fmt.Errorf("%d rows: %w", len(rows), err)
	}
	if cell := rows[1][0]; strings.IndexAny(strings.TrimLeft(cell, " "), "=+-@\t\r\n＝＋－＠") == 0 && !number.MatchString(cell) {
		return fmt.Errorf("%q is a formula", cell)
	}
	return nil
}
