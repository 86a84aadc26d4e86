package jsonwire

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func init() { WritesAnyMaps() }

func TestEncodeDocument(t *testing.T) {
	e := NewEncoder()
	e.Begin()
	for _, member := range []struct {
		name  string
		value func()
	}{
		{"id", func() { e.Text("a\"\\\n\x01é\u2028\xff<") }},
		{"amount", func() { e.Int64(-5) }},
		{"rate", func() { e.Float64(1e-7) }},
		{"enabled", func() { e.Bool(false) }},
		{"names", func() {
			e.BeginArray()
			for range 2 {
				e.Elem()
				e.Text("x")
			}
			e.EndArray()
		}},
		{"none", func() { e.BeginArray(); e.EndArray() }},
		{"created", func() { e.Time(time.Date(2025, 1, 2, 3, 4, 5, 6e6, time.UTC)) }},
		{"charge", func() { e.Date(Date{2025, 12, 31}) }},
		{"metadata", func() { e.StringMap(map[string]string{"b": "2", "a": "1", "ключ\n": ""}) }},
		{"nothing", func() { e.StringMap(nil); e.Name("no"); e.AnyMap(nil) }},
		{"any", func() { e.AnyMap(map[string]any{"z": nil, "a": []any{1, "x", true, 1.5, map[string]any{}}}) }},
		{"links", func() { e.Begin(); e.Key("a\"b"); e.Text("MD1"); e.End() }},
	} {
		e.Name(member.name)
		member.value()
	}
	e.End()
	got, err := e.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"a\"\\\n\u0001é\u2028\ufffd<","amount":-5,"rate":1e-7,"enabled":false,"names":["x","x"],"none":[],` +
		`"created":"2025-01-02T03:04:05.006Z","charge":"2025-12-31","metadata":{"a":"1","b":"2","ключ\n":""},"nothing":{},"no":{},` +
		`"any":{"a":[1,"x",true,1.5,{}],"z":null},"links":{"a\"b":"MD1"}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEncodeRefuses(t *testing.T) {
	cycle := map[string]any{}
	cycle["a"] = cycle
	for name, write := range map[string]func(e *Encoder){
		"rate":    func(e *Encoder) { e.Float64(math.NaN()) },
		"created": func(e *Encoder) { e.Time(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)) },
		"charge":  func(e *Encoder) { e.Date(Date{2025, 2, 30}) },
		"any":     func(e *Encoder) { e.AnyMap(map[string]any{"x": func() {}}) },
		"raw":     func(e *Encoder) { e.AnyMap(map[string]any{"x": json.RawMessage(`{"a":}`)}) },
		"cycle":   func(e *Encoder) { e.AnyMap(cycle) },
		"map":     func(e *Encoder) { e.Begin(); e.Key("private"); e.Float64(math.Inf(1)); e.End() },
	} {
		e := NewEncoder()
		e.Begin()
		e.Name(name)
		write(e)
		e.Name("later")
		e.Float64(math.NaN())
		_, err := e.Bytes()
		var wrong *ValueError
		if !errors.As(err, &wrong) || wrong.Name != name {
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
		e.Name("x")
		e.Float64(n)
		if got, want := string(e.buf), `{"x":`+encodedByJSON(t, n); got != want {
			t.Errorf("number %v: got %s, want %s", n, got, want)
		}
	})
}
