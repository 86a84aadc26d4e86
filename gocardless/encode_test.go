package gocardless

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

func (v *sample) encode(e *encoder) {
	e.begin()
	e.string("id", v.ID)
	e.int64("amount", v.Amount)
	if v.Fee != nil {
		e.int64("fee", *v.Fee)
	}
	e.int("count", v.Count)
	if v.Rate != nil {
		e.float64("rate", *v.Rate)
	}
	e.bool("enabled", v.Enabled)
	e.string("status", string(v.Status))
	if v.Schemes != nil {
		encodeEnums(e, "schemes", v.Schemes)
	}
	if v.Names != nil {
		e.strings("names", v.Names)
	}
	if !v.Created.IsZero() {
		e.time("created", v.Created)
	}
	if !v.Charge.IsZero() {
		e.date("charge", v.Charge)
	}
	if v.Metadata != nil {
		e.stringMap("metadata", v.Metadata)
	}
	if v.Any != nil {
		e.anyMap("any", v.Any)
	}
	if v.Links != nil {
		e.object("links", v.Links)
	}
	if v.Parts != nil {
		encodeObjects(e, "parts", v.Parts)
	}
	e.end()
}

func (v *sampleLinks) encode(e *encoder) {
	e.begin()
	e.string("mandate", v.Mandate)
	e.end()
}

func TestEncodeDocument(t *testing.T) {
	v := sample{
		ID: "a\"\\\n\x01é\u2028\xff<", Amount: -5, Fee: new(int64(0)), Count: 7, Rate: new(1e-7),
		Schemes: []sampleStatus{"x", "y"}, Names: []string{},
		Created:  time.Date(2025, 1, 2, 3, 4, 5, 6e6, time.UTC),
		Charge:   Date{2025, 12, 31},
		Metadata: Metadata{"b": "2", "a": "1", "ключ\n": ""},
		Any:      map[string]any{"z": nil, "a": []any{1, "x", true, 1.5, map[string]any{}}},
		Links:    &sampleLinks{Mandate: "MD1"},
		Parts:    []sample{{ID: "p"}, {}},
	}
	got, err := encodeDocument("samples", &v)
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
	cycle["a"], cycle["b"] = cycle, cycle
	for name, v := range map[string]*sample{
		"rate":      {Rate: new(math.NaN())},
		"created":   {Created: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"charge":    {Charge: Date{2025, 2, 30}},
		"func":      {Any: map[string]any{"func": func() {}}},
		"struct":    {Any: map[string]any{"struct": struct{ A int }{}}},
		"intkeys":   {Any: map[string]any{"intkeys": map[int]string{}}},
		"raw":       {Any: map[string]any{"raw": json.RawMessage(`{"a":}`)}},
		"a":         {Any: cycle},
		"emptyDate": {Any: map[string]any{"emptyDate": Date{}}},
	} {
		_, err := encodeDocument("", v)
		if err == nil || !strings.Contains(err.Error(), `"`+name+`"`) {
			t.Errorf("%s: got error %v, want one that names the member", name, err)
		}
	}
}

func TestEncodeAnyValues(t *testing.T) {
	type number int8
	var none *int
	for want, v := range map[string]any{
		`null`: nil, `true`: true, `"x"`: "x", `-3`: number(-3), `"y"`: sampleStatus("y"), `["z"]`: []sampleStatus{"z"},
		`7`: new(7), `1.5`: float32(1.5), `{"k":"v"}`: Metadata{"k": "v"}, `{"k":1}`: map[sampleStatus]int{"k": 1},
		`{"mandate":"MD1"}`: sampleLinks{Mandate: "MD1"}, `[{"mandate":"MD2"}]`: []sampleLinks{{Mandate: "MD2"}},
		`"2025-01-02"`: Date{2025, 1, 2}, `"2025-01-02T00:00:00Z"`: time.Date(2025, 1, 2, 0, 0, 0, 0, time.UTC),
		`{"raw": 1}`: json.RawMessage(`{"raw": 1}`), `12.50`: json.Number("12.50"), `18446744073709551615`: uint64(math.MaxUint64),
		` null`: none, `[]`: []any{},
	} {
		e := encoder{buf: []byte("[")}
		e.anyValue("x", v)
		if got := string(e.buf[1:]); got != strings.TrimSpace(want) || e.err != nil {
			t.Errorf("%#v: got %s, %v, want %s", v, got, e.err, want)
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
		e := encoder{buf: appendString(nil, s)}
		// The next encoding/json writes the replacement character as it is; both mean the same.
		want := strings.ReplaceAll(encodedByJSON(t, s), "\uFFFD", `\ufffd`)
		if got := strings.ReplaceAll(string(e.buf), "\uFFFD", `\ufffd`); got != want {
			t.Errorf("string %q: got %s, want %s", s, got, want)
		}
		if math.IsNaN(n) || math.IsInf(n, 0) {
			return
		}
		for _, v := range []any{n, float32(n)} {
			if f32, ok := v.(float32); ok && math.IsInf(float64(f32), 0) {
				continue
			}
			e := encoder{buf: []byte("[")}
			e.anyValue("x", v)
			if got, want := string(e.buf[1:]), encodedByJSON(t, v); got != want {
				t.Errorf("number %v: got %s, want %s", v, got, want)
			}
		}
	})
}
