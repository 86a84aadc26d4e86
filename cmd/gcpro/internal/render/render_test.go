package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/spec"
)

// Amounts are formatted as everywhere else; what is not an amount is shown without a currency, so that
// minor units do not pass for major ones.
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

// An amount never has another currency than its own.
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
	for in, want := range map[string]string{"=1+1": "'=1+1", "@x": "'@x", "+4477": "+4477", "-35.0": "-35.0", "-35.0.1": "'-35.0.1", "+44 77": "'+44 77", "\tx": "'\tx", "x": "x", "": ""} {
		if got := defuse(in); got != want {
			t.Errorf("%q became %q", in, got)
		}
	}
}

// FuzzOutput writes hostile data in every format: no byte that a terminal acts on, and the machine
// formats keep the value.
func FuzzOutput(f *testing.F) {
	for _, s := range []string{"Ada", "\x1b[31m", "\u009b", "\u202e", "a\r\nb", "=1", "\xff", "yes", "2026-01-31", "null", "- x", "# c", "\U000e0041", "\u2028"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		raw, err := json.Marshal(map[string]any{"name": s})
		if err != nil {
			t.Fatal(err)
		}
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
			"csv":    func(b *bytes.Buffer) error { return NewCSV(b, nil).Write([]any{v}, nil) },
			"jq":     func(b *bytes.Buffer) error { return JQ(t.Context(), b, ".name", raw) },
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
			var got map[string]any
			switch format {
			case "json", "ndjson":
				err = json.Unmarshal(b.Bytes(), &got)
			case "yaml":
				err = yaml.Unmarshal(b.Bytes(), &got)
			case "csv":
				_, err = csv.NewReader(strings.NewReader(b.String())).ReadAll()
				got = want
			default:
				continue
			}
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %q came back as %q, %v", format, want, got, err)
			}
		}
	})
}
