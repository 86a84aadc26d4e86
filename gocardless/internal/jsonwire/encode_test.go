package jsonwire

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

func (v *sample) encode(e *Encoder) {
	e.Begin()
	e.Text("id", v.ID)
	e.Int64("amount", v.Amount)
	if v.Fee != nil {
		e.Int64("fee", *v.Fee)
	}
	e.Int("count", v.Count)
	if v.Rate != nil {
		e.Float64("rate", *v.Rate)
	}
	e.Bool("enabled", v.Enabled)
	e.Text("status", string(v.Status))
	if v.Schemes != nil {
		EncodeEnums(e, "schemes", v.Schemes)
	}
	if v.Names != nil {
		e.Strings("names", v.Names)
	}
	if !v.Created.IsZero() {
		e.Time("created", v.Created)
	}
	if v.Charge != (Date{}) {
		e.Date("charge", v.Charge)
	}
	if v.Metadata != nil {
		e.StringMap("metadata", v.Metadata)
	}
	if v.Any != nil {
		e.AnyMap("any", v.Any)
	}
	if v.Links != nil {
		e.Name("links")
		v.Links.encode(e)
	}
	if v.Parts != nil {
		e.BeginArray("parts")
		for i := range v.Parts {
			e.Elem()
			v.Parts[i].encode(e)
		}
		e.EndArray()
	}
	e.End()
}

func (v *sampleLinks) encode(e *Encoder) {
	e.Begin()
	e.Text("mandate", v.Mandate)
	e.End()
}

func TestEncodeDocument(t *testing.T) {
	v := sample{
		ID: "a\"\\\n\x01é\u2028\xff<", Amount: -5, Fee: new(int64(0)), Count: 7, Rate: new(1e-7),
		Schemes: []sampleStatus{"x", "y"}, Names: []string{},
		Created:  time.Date(2025, 1, 2, 3, 4, 5, 6e6, time.UTC),
		Charge:   Date{2025, 12, 31},
		Metadata: map[string]string{"b": "2", "a": "1", "ключ\n": ""},
		Any:      map[string]any{"z": nil, "a": []any{1, "x", true, 1.5, map[string]any{}}},
		Links:    &sampleLinks{Mandate: "MD1"},
		Parts:    []sample{{ID: "p"}, {}},
	}
	e := NewEncoder()
	e.Begin()
	e.Name("samples")
	v.encode(e)
	e.End()
	got, err := e.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"samples":{"id":"a\"\\\n\u0001é\u2028\ufffd<","amount":-5,"fee":0,"count":7,"rate":1e-7,"enabled":false,"status":"",` +
		`"schemes":["x","y"],"names":[],"created":"2025-01-02T03:04:05.006Z","charge":"2025-12-31","metadata":{"a":"1","b":"2","ключ\n":""},` +
		`"any":{"a":[1,"x",true,1.5,{}],"z":null},"links":{"mandate":"MD1"},` +
		`"parts":[{"id":"p","amount":0,"count":0,"enabled":false,"status":""},{"id":"","amount":0,"count":0,"enabled":false,"status":""}]}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEncodeRefuses(t *testing.T) {
	cycle := map[string]any{}
	cycle["a"] = cycle
	for name, v := range map[string]*sample{
		"rate":    {Rate: new(math.NaN())},
		"created": {Created: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"charge":  {Charge: Date{2025, 2, 30}},
		"any":     {Any: map[string]any{"x": func() {}}},
		`any"`:    {Any: map[string]any{"x": json.RawMessage(`{"a":}`)}},
		`"any"`:   {Any: cycle},
	} {
		e := NewEncoder()
		v.encode(e)
		_, err := e.Bytes()
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got error %v, want one that names the member", name, err)
		}
	}
}

// encodedByJSON is what encoding/json makes of a value without HTML escaping.
func encodedByJSON(t testing.TB, v any) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func FuzzEncode(f *testing.F) {
	f.Add("a\"\\\b\f\n\r\t\x00\x7f\u2029\xc3é", 1.5)
	f.Add("", -1e21)
	f.Add("😀\xed\xa0\x80", 9.9e-7)
	f.Fuzz(func(t *testing.T, s string, n float64) {
		// The next encoding/json writes the replacement character as it is; both mean the same.
		want := strings.ReplaceAll(encodedByJSON(t, s), "\uFFFD", `\ufffd`)
		if got := strings.ReplaceAll(string(appendString(nil, s)), "\uFFFD", `\ufffd`); got != want {
			t.Errorf("string %q: got %s, want %s", s, got, want)
		}
		if math.IsNaN(n) || math.IsInf(n, 0) {
			return
		}
		e := NewEncoder()
		e.Begin()
		e.Float64("x", n)
		if got, want := string(e.buf), `{"x":`+encodedByJSON(t, n); got != want {
			t.Errorf("number %v: got %s, want %s", n, got, want)
		}
	})
}
