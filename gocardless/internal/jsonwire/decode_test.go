package jsonwire

import (
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
)

// sample has a field for each method of the decoder. Its json tags say the same to
// encoding/json, which the fuzz tests compare with.
type sample struct {
	ID       string            `json:"id"`
	Amount   int64             `json:"amount"`
	Fee      *int64            `json:"fee"`
	Count    int               `json:"count"`
	Day      *int              `json:"day"`
	Rate     *float64          `json:"rate"`
	Enabled  bool              `json:"enabled"`
	Retry    *bool             `json:"retry"`
	Status   sampleStatus      `json:"status"`
	Schemes  []sampleStatus    `json:"schemes"`
	Names    []string          `json:"names"`
	Created  time.Time         `json:"created"`
	Charge   Date              `json:"charge"`
	Metadata map[string]string `json:"metadata"`
	Texts    map[string]string `json:"texts"`
	Any      map[string]any    `json:"any"`
	Links    *sampleLinks      `json:"links"`
	Parts    []sample          `json:"parts"`
}

type sampleStatus string

type sampleLinks struct {
	Mandate string         `json:"mandate"`
	Extra   map[string]any `json:"-"`
}

// decodeDocument reads a document, and takes its first misfit for an error.
func decodeDocument(text []byte, v *sample) error {
	d := NewDecoder(text)
	d.Read(v)
	o, err := d.Finish()
	if err == nil && len(o.Misfits) > 0 {
		return &o.Misfits[0]
	}
	return err
}

func decodeSample(t *testing.T, text string) sample {
	t.Helper()
	var v sample
	if err := decodeDocument([]byte(text), &v); err != nil {
		t.Fatalf("decoding %s: %v", text, err)
	}
	return v
}

func TestDecodeIntegers(t *testing.T) {
	for text, want := range map[string]int64{
		`100`: 100, `"100"`: 100, `100.0`: 100, `1e2`: 100, `1.5e1`: 15, `-0`: 0, `0.0`: 0, `0e999999999999`: 0,
		`9223372036854775807`: 1<<63 - 1, `-9223372036854775808`: -1 << 63, `"-12.00"`: -12,
		`9007199254740993`: 9007199254740993, `9007199254740993.000`: 9007199254740993, `null`: 0,
		`0.00000000000000000000001e23`: 1, `1000000000000000000000e-20`: 10,
	} {
		if got := decodeSample(t, `{"amount":`+text+`}`).Amount; got != want {
			t.Errorf("%s: got %d, want %d", text, got, want)
		}
	}
}

func TestSyntaxErrorsCarryThePath(t *testing.T) {
	for _, test := range []struct{ text, path, what string }{
		{`{"any":{"x":[1,2,{"y":01}]}}`, "any.x[2].y", "invalid character"},
		{`{"id":"a`, "id", "unexpected end in a string"},
		{`{"id":`, "id", "unexpected end"},
		{`{"id"`, "id", "unexpected end"},
		{`{"id":"a"`, "id", "unexpected end"},
		{`{"id":"a"} x`, "", "unexpected data after the document"},
		{``, "", "unexpected end"},
		{`{"id":"\x"}`, "id", "invalid escape"},
		{"{\"id\":\"\n\"}", "id", "control character"},
		{`{"id":nul}`, "id", "invalid literal"},
		{`{"unknown":[` + strings.Repeat("[", MaxDepth) + `]}`, "", "nested too deeply"},
	} {
		var v sample
		err := decodeDocument([]byte(test.text), &v)
		var e *SyntaxError
		if !errors.As(err, &e) {
			t.Errorf("%.60s: got error %v, want a *SyntaxError", test.text, err)
			continue
		}
		if !strings.Contains(e.What, test.what) || test.path != e.Path && test.what != "nested too deeply" {
			t.Errorf("%.60s: got %q at %.80q, want %q at %q", test.text, e.What, e.Path, test.what, test.path)
		}
	}
}

func TestMisfitsCarryThePath(t *testing.T) {
	for _, test := range []struct{ text, path, what string }{
		{`{"amount":true}`, "amount", "expected an integer, found a boolean"},
		{`{"amount":1.5}`, "amount", "expected an integer, found a fraction"},
		{`{"amount":"x"}`, "amount", "expected an integer, found a string"},
		{`{"amount":9223372036854775808}`, "amount", "expected an integer, found a number out of range"},
		{`{"amount":1e400}`, "amount", "expected an integer, found a number out of range"},
		{`{"rate":1e400}`, "rate", "expected a number, found a number out of range"},
		{`{"id":"a","parts":[{"id":"b"},{"links":{"mandate":7}}]}`, "parts[1].links.mandate", "expected a string, found a number"},
		{`{"parts":[{"id":"b"},{"charge":"2025-02-29"}]}`, "parts[1].charge", "expected a date, found another string"},
		{`{"created":"yesterday"}`, "created", "expected a timestamp, found another string"},
		{`{"names":["a",["b"]]}`, "names[1]", "expected a string, found an array"},
		{`{"links":[]}`, "links", "expected an object, found an array"},
		{`{"parts":{}}`, "parts", "expected an array, found an object"},
	} {
		var v sample
		err := decodeDocument([]byte(test.text), &v)
		var m *Misfit
		if !errors.As(err, &m) {
			t.Errorf("%s: got error %v, want a *Misfit", test.text, err)
			continue
		}
		if m.Description() != test.what || test.path != m.Path {
			t.Errorf("%s: got %q at %q, want %q at %q", test.text, m.Description(), m.Path, test.what, test.path)
		}
	}
}

func TestDecodeUnusualValues(t *testing.T) {
	v := decodeSample(t, ` {
		"id" : "a\u00e9\ud83d\ude00\ud800x\"\\\/`+"\xff"+`é", "unknown": {"a":[1,{"b":null}]},
		"status": "one", "status": "two",
		"metadata": {"n": 1.50, "b": true, "o": {"x":[1]}, "s": "t", "null": null},
		"names": [], "schemes": null, "links": {"mandate":"MD1","new":"X","deep":{"y":[1,"z"]}},
		"created": "2014-05-08T17:01:06.123Z", "charge": "2014-05-08T17:01:06.000Z",
		"fee": null, "retry": false, "parts": [null, {"id":"p"}]
	} `)
	if want := "aé😀\ufffdx\"\\/\ufffdé"; v.ID != want {
		t.Errorf("id: got %q, want %q", v.ID, want)
	}
	if v.Status != "two" {
		t.Errorf("the last duplicate must win, got %q", v.Status)
	}
	for name, want := range map[string]string{"n": "1.50", "b": "true", "o": `{"x":[1]}`, "s": "t", "null": ""} {
		if got, ok := v.Metadata[name]; !ok || got != want {
			t.Errorf("metadata %s: got %q, want %q", name, got, want)
		}
	}
	if v.Names == nil || len(v.Names) != 0 {
		t.Errorf("an empty array must be empty and not nil, got %#v", v.Names)
	}
	if v.Schemes != nil || v.Fee != nil {
		t.Errorf("null must be nil, got %#v, %v", v.Schemes, v.Fee)
	}
	if v.Retry == nil || *v.Retry {
		t.Errorf("retry: got %v, want a pointer to false", v.Retry)
	}
	if got := v.Links.Extra["new"]; got != "X" {
		t.Errorf("extra member: got %v", got)
	}
	if want := time.Date(2014, 5, 8, 17, 1, 6, 123e6, time.UTC); v.Created != want {
		t.Errorf("created: got %v, want %v", v.Created, want)
	}
	if v.Charge != (Date{2014, 5, 8}) {
		t.Errorf("charge: got %v", v.Charge)
	}
	if len(v.Parts) != 2 || v.Parts[1].ID != "p" {
		t.Errorf("parts: got %+v", v.Parts)
	}
}

func TestDecodeIgnoresTheCaseOfKeys(t *testing.T) {
	v := decodeSample(t, `{"id":"a","ID":"b","\u017ftatu\u017f":"s","LINKS":{"Mandate":"MD1","Other":1},"Parts":[{"Id":"p","X":{"y":1}}],`+
		`"XYZ":[1],"Größe":"l","METADATA":{"Key":"v"},"any":{"A":1}}`)
	if v.ID != "b" || v.Status != "s" || v.Links == nil || v.Links.Mandate != "MD1" || len(v.Parts) != 1 || v.Parts[0].ID != "p" {
		t.Errorf("got %+v, links %+v", v, v.Links)
	}
	if got, ok := v.Links.Extra["Other"]; !ok || got != 1.0 || len(v.Links.Extra) != 1 {
		t.Errorf("extra members must keep their spelling, got %v", v.Links.Extra)
	}
	if v.Metadata["Key"] != "v" || v.Any["A"] != 1.0 {
		t.Errorf("keys of maps must keep their spelling, got %v and %v", v.Metadata, v.Any)
	}
}

func TestDecodeKeepsNothingOfTheInput(t *testing.T) {
	data := []byte(`{"id":"PM123","status":"paid_out","metadata":{"k":"v"},"names":["n"]}`)
	var v sample
	if err := decodeDocument(data, &v); err != nil {
		t.Fatal(err)
	}
	for i := range data {
		data[i] = 'X'
	}
	if v.ID != "PM123" || v.Status != "paid_out" || v.Metadata["k"] != "v" || v.Names[0] != "n" {
		t.Errorf("values changed with the input: %+v", v)
	}
}

func TestDecodeDifferencesFromEncodingJSON(t *testing.T) {
	v := decodeSample(t, `{"amount":1,"amount":null,"links":{"mandate":"MD1"},"links":{"x":1},`+
		`"metadata":{"a":"1"},"metadata":{"b":"2"},"names":["a","b"],"names":["c"],"parts":[{"id":"p"}],"parts":[{"count":1}]}`)
	if v.Amount != 0 || v.Links.Mandate != "" || len(v.Metadata) != 1 || len(v.Names) != 1 || v.Parts[0].ID != "" {
		t.Errorf("the last duplicate must win as a whole, got %+v, links %+v", v, v.Links)
	}
	if v := decodeSample(t, "{\"metadata\":{\"a\":[\"\xff\xff\"]}}"); v.Metadata["a"] != "[\"\uFFFD\"]" {
		t.Errorf("metadata must be valid UTF-8, got %q", v.Metadata["a"])
	}
}

// TestEveryByteInAString puts each byte at each place of a string: what stands for itself is found
// eight bytes at a time.
func TestEveryByteInAString(t *testing.T) {
	for c := range 256 {
		for at := range 18 {
			text := []byte(`"` + strings.Repeat("a", at) + string([]byte{byte(c)}) + strings.Repeat("b", 18-at) + `"   "`)
			end := len(text) - 4
			if c == '"' {
				end = at + 2
			}
			var want string
			valid := json.Unmarshal(text[:end], &want) == nil
			d := NewDecoder(text[:end])
			got := d.Text()
			if _, err := d.Finish(); (err == nil) != valid || valid && got != want {
				t.Fatalf("byte %#x at %d: got %q, %v, want %q", c, at, got, err, want)
			}
			if !valid {
				continue
			}
			d = NewDecoder(text) // with more after the string
			if got := d.Text(); got != want || d.pos != end {
				t.Fatalf("byte %#x at %d: got %q up to %d, want %q up to %d", c, at, got, d.pos, want, end)
			}
		}
	}
}

// TestKeptStrings keeps one id of each hundred items, and with it no more than the strings that
// share its memory.
func TestKeptStrings(t *testing.T) {
	const items, each = 50_000, 100
	text := []byte("[" + strings.Repeat(`{"id":"PM000000000123","names":["a name of some length","another"]},`, items) + `null]`)
	kept := make([]string, 0, items/each)
	before := heapInUse()
	d := NewDecoder(text)
	i := 0
	for d.Array(); d.Elem(); i++ {
		var v sample
		if d.Read(&v); i%each == 0 && v.ID != "" {
			kept = append(kept, v.ID)
		}
	}
	if _, err := d.Finish(); err != nil {
		t.Fatal(err)
	}
	grown := int64(heapInUse()) - int64(before)
	if most := int64(items / each * (512 + 100)); grown > most || len(kept) != items/each {
		t.Errorf("%d ids keep %d bytes, want at most %d", len(kept), grown, most)
	}
	runtime.KeepAlive(kept)
	runtime.KeepAlive(text)
}
