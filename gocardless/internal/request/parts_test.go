package request

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
)

// everything has a field of each type that a request may have. Its JSON is that of encoding/json.
type everything struct {
	Text    string            `json:"text"`
	Colour  *colour           `json:"colour,omitzero"`
	Amount  int64             `json:"amount"`
	Fee     *int64            `json:"fee,omitzero"`
	Count   *int              `json:"count,omitzero"`
	Rate    *float64          `json:"rate,omitzero"`
	On      bool              `json:"on"`
	Off     *bool             `json:"off,omitzero"`
	At      *time.Time        `json:"at,omitzero"`
	Colours []colour          `json:"colours,omitzero"`
	Sizes   []int             `json:"sizes,omitzero"`
	Rates   []float64         `json:"rates,omitzero"`
	Flags   []bool            `json:"flags,omitzero"`
	Meta    map[string]string `json:"metadata,omitzero"`
	Any     map[string]any    `json:"any,omitzero"`
	Ints    map[string]int64  `json:"ints,omitzero"`
	Shades  map[string]colour `json:"shades,omitzero"`
	Links   links             `json:"links"`
	More    *links            `json:"more,omitzero"`
	Parts   []links           `json:"parts,omitzero"`
	Named   map[string]links  `json:"named,omitzero"`
}

type links struct {
	Mandate *string `json:"mandate,omitzero"`
	Next    *links  `json:"next,omitzero"`
}

func bodyOf(t testing.TB, v any) string {
	t.Helper()
	parts, err := ByTags{}.Write(v, Options{Envelope: "things"})
	if err != nil {
		t.Fatal(err)
	}
	if parts.Query != "" || parts.Header != nil {
		t.Errorf("query %q, header %v", parts.Query, parts.Header)
	}
	return string(parts.Body)
}

// encodedByJSON is what encoding/json makes of a value in an envelope, without HTML escaping.
func encodedByJSON(t testing.TB, v any) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(map[string]any{"things": v}); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func TestBody(t *testing.T) {
	zone := time.FixedZone("", 3600)
	for name, v := range map[string]*everything{
		"nothing": {},
		"zeros": {
			Colour: new(colour("")), Fee: new(int64(0)), Count: new(0), Rate: new(0.0), Off: new(false),
			Colours: []colour{}, Sizes: []int{}, Meta: map[string]string{}, Any: map[string]any{}, Ints: map[string]int64{},
			More: &links{}, Parts: []links{}, Named: map[string]links{},
		},
		"values": {
			Text: "a\"<é", Colour: new(colour("red")), Amount: math.MaxInt64, Fee: new(int64(-5)), Count: new(7), Rate: new(1e-7), On: true, Off: new(true),
			At: new(time.Date(2025, 1, 2, 3, 4, 5, 6e6, zone)), Colours: []colour{"x", "y"}, Sizes: []int{1, -2}, Rates: []float64{1.5, 0}, Flags: []bool{true, false},
			Meta: map[string]string{"b": "2", "a\"": "1"}, Any: map[string]any{"z": nil, "a": []any{1, "x"}}, Ints: map[string]int64{"b": 2, "a\n": -1},
			Shades: map[string]colour{"x": "red"}, Links: links{Mandate: new("MD1")}, More: &links{Next: &links{Mandate: new("")}},
			Parts: []links{{}, {Mandate: new("MD2")}}, Named: map[string]links{"b": {}, "a b": {Next: &links{}}},
		},
	} {
		if got, want := bodyOf(t, v), encodedByJSON(t, v); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

// A value that is given is sent, although it is zero.
func TestZeroTimestamp(t *testing.T) {
	v := struct {
		At *time.Time `json:"at,omitzero"`
	}{new(time.Time{})}
	if got, want := bodyOf(t, &v), `{"things":{"at":"0001-01-01T00:00:00Z"}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Required lists and maps that are nil are written as empty ones: the API would refuse null.
func TestRequiredListsAreNeverNull(t *testing.T) {
	v := struct {
		List []string          `json:"list"`
		Map  map[string]string `json:"map"`
		Any  map[string]any    `json:"any"`
		Ints map[string]int    `json:"ints"`
		Day  date              `json:"day"`
	}{Day: date{2026, 2, 28}}
	if got, want := bodyOf(t, &v), `{"things":{"list":[],"map":{},"any":{},"ints":{},"day":"2026-02-28"}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestValuesThatCannotBeSent(t *testing.T) {
	for name, v := range map[string]any{
		"rate":  &everything{Rate: new(math.NaN())},
		"rates": &everything{Rates: []float64{math.Inf(1)}},
		"at":    &everything{At: new(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))},
		"any":   &everything{Any: map[string]any{"x": func() {}}},
		"day": &struct {
			Day *date `json:"day,omitzero"`
		}{&date{2026, 2, 30}},
	} {
		_, err := ByTags{}.Write(v, Options{Envelope: "things"})
		var wrong *jsonwire.ValueError
		if !errors.As(err, &wrong) || wrong.Name != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Fields go to the places that their tags name; those without one to the body, or to the query of an
// operation without a body.
func TestPlaces(t *testing.T) {
	type params struct {
		Language string     `json:"-" wire:"header=Accept-Language"`
		Version  int64      `json:"-" wire:"header=Version"`
		Empty    string     `json:"-" wire:"header=Empty"`
		Dry      *bool      `json:"dry,omitzero" wire:"query"`
		Tags     []string   `json:"tags,omitzero" wire:"query,repeat"`
		Name     string     `json:"name"`
		Colours  []colour   `json:"colours,omitzero"`
		At       *time.Time `json:"at,omitzero" wire:"query"`
	}
	v := &params{Language: "fr", Version: 2, Dry: new(false), Tags: []string{"a", "b&c"}, Name: "x", Colours: []colour{"red", "a,b"}}
	header := http.Header{"Accept-Language": {"fr"}, "Version": {"2"}}
	for _, test := range []struct{ envelope, query, body string }{
		{"things", "dry=false&tags=a&tags=b%26c", `{"things":{"name":"x","colours":["red","a,b"]}}`},
		{"", "dry=false&tags=a&tags=b%26c&name=x&colours=red,a%2Cb", ""},
	} {
		parts, err := ByTags{}.Write(v, Options{Envelope: test.envelope})
		if err != nil || parts.Query != test.query || string(parts.Body) != test.body || !reflect.DeepEqual(parts.Header, header) {
			t.Errorf("%q: query %s, body %s, header %v, %v", test.envelope, parts.Query, parts.Body, parts.Header, err)
		}
	}
}

// A number or boolean that is required is sent although it is zero; one that is optional is not.
func TestZerosOutsideTheBody(t *testing.T) {
	type filter struct {
		On   *bool `json:"on,omitzero"`
		Must bool  `json:"must"`
		From int   `json:"from,omitzero"`
	}
	v := &struct {
		Dry     bool     `json:"dry"`
		Amount  int64    `json:"amount"`
		Name    string   `json:"name"`
		List    []string `json:"list"`
		At      date     `json:"at"`
		Maybe   bool     `json:"maybe,omitzero"`
		Version int      `json:"-" wire:"header=Version,required"`
		Other   int      `json:"-" wire:"header=Other"`
		Beta    *bool    `json:"-" wire:"header=Beta"`
		Unset   filter   `json:"unset,omitzero"`
		Filter  filter   `json:"filter,omitzero"`
		Needed  filter   `json:"needed"`
	}{Beta: new(false), Filter: filter{On: new(false)}}
	parts, err := ByTags{}.Write(v, Options{})
	if want := "dry=false&amount=0&filter%5Bon%5D=false&filter%5Bmust%5D=false&needed%5Bmust%5D=false"; err != nil || parts.Query != want {
		t.Errorf("query %s, want %s, %v", parts.Query, want, err)
	}
	if want := (http.Header{"Version": {"0"}, "Beta": {"false"}}); !reflect.DeepEqual(parts.Header, want) {
		t.Errorf("header %v, want %v", parts.Header, want)
	}
}

// Params without a field for the body make none.
func TestNoBody(t *testing.T) {
	parts, err := ByTags{}.Write(&struct {
		Language string `json:"-" wire:"header=Accept-Language"`
	}{"fr"}, Options{Envelope: "data"})
	if parts.Body != nil || err != nil || parts.Header.Get("Accept-Language") != "fr" {
		t.Errorf("body %s, %v, header %v", parts.Body, err, parts.Header)
	}
}

// Any JSON that encoding/json reads into a request is written as encoding/json writes it, and checked
// without a panic.
func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"text":"x","colour":"","fee":0,"rate":1e-9,"off":false,"at":"2025-01-02T03:04:05.006+01:00","colours":["a"],"metadata":{"b":"","a":"\u2028"},"any":{"x":[1]},"parts":[{"mandate":"MD1"}],"named":{"":{"next":{}}}}`))
	f.Add([]byte(`{"sizes":[],"rates":[0,1e21],"flags":[true],"ints":{"a":-1},"shades":{"\"":"red"},"more":{"next":{"next":{}}},"links":{"mandate":""}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var v everything
		if json.Unmarshal(text, &v) != nil || v.At != nil && v.At.IsZero() { // see TestZeroTimestamp
			return
		}
		for _, p := range (ByTags{}).Check(&v, "things") {
			if p.Field != "text" || v.Text != "" {
				t.Errorf("%q: %+v, and there are no limits", text, p)
			}
		}
		// The next encoding/json writes the replacement character as it is; both mean the same.
		same := strings.NewReplacer("\uFFFD", `\ufffd`)
		if got, want := same.Replace(bodyOf(t, &v)), same.Replace(encodedByJSON(t, &v)); got != want {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
	})
}
