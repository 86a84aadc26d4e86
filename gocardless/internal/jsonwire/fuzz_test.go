package jsonwire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

// reference is sample as encoding/json reads it. Where the decoder accepts more on purpose,
// the types read more too, by other means.
type reference struct {
	ID       string                   `json:"id"`
	Amount   refInt                   `json:"amount"`
	Fee      *refInt                  `json:"fee"`
	Count    refInt                   `json:"count"`
	Day      *refInt                  `json:"day"`
	Rate     *refFloat                `json:"rate"`
	Enabled  refBool                  `json:"enabled"`
	Retry    *refBool                 `json:"retry"`
	Status   sampleStatus             `json:"status"`
	Schemes  []sampleStatus           `json:"schemes"`
	Names    []string                 `json:"names"`
	Created  refTime                  `json:"created"`
	Charge   refDate                  `json:"charge"`
	Metadata map[string]refText       `json:"metadata"`
	Texts    map[string]refText       `json:"texts"`
	Any      map[string]any           `json:"any"`
	Links    *map[string]refLinkValue `json:"links"`
	Parts    []reference              `json:"parts"`
}

// refInt reads an integer as a rational number.
type refInt int64

func (n *refInt) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	text := string(b)
	if b[0] == '"' {
		if err := json.Unmarshal(b, &text); err != nil {
			return err
		}
		if !json.Valid([]byte(text)) || text != strings.TrimSpace(text) || !strings.ContainsAny(text[:1], "-0123456789") {
			return errors.New("not a number")
		}
	}
	v, ok := ratInt64(text)
	if !ok {
		return errors.New("not an integer")
	}
	*n = refInt(v)
	return nil
}

// refFloat reads a number, which may be in a string.
type refFloat float64

func (n *refFloat) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		var text string
		if err := json.Unmarshal(b, &text); err != nil {
			return err
		}
		if b = []byte(text); len(b) == 0 || !strings.ContainsAny(text[:1], "-0123456789") || text != strings.TrimSpace(text) {
			return errors.New("not a number")
		}
	}
	return json.Unmarshal(b, (*float64)(n))
}

// refBool reads a boolean, which may be in a string.
type refBool bool

func (v *refBool) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		var text string
		if err := json.Unmarshal(b, &text); err != nil {
			return err
		}
		if text != "true" && text != "false" {
			return errors.New("not a boolean")
		}
		b = []byte(text)
	}
	return json.Unmarshal(b, (*bool)(v))
}

// refTime reads a timestamp with package time.
type refTime time.Time

func (v *refTime) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil || s == "" {
		return err
	}
	if t, err := time.Parse("2006-01-02", s); err == nil {
		*v = refTime(t)
		return nil
	}
	return (*time.Time)(v).UnmarshalText([]byte(s))
}

func dateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{year, month, day}
}

// refDate reads a date with package time.
type refDate Date

func (v *refDate) UnmarshalJSON(b []byte) error {
	var t refTime
	if err := t.UnmarshalJSON(b); err != nil {
		return err
	}
	if string(b) != "null" && string(b) != `""` {
		*v = refDate(dateOf(time.Time(t)))
	}
	return nil
}

// refText keeps what is not a string as it is written.
type refText string

func (v *refText) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		return json.Unmarshal(b, (*string)(v))
	}
	if string(b) != "null" {
		*v = refText(strings.ToValidUTF8(string(b), "\ufffd"))
	}
	return nil
}

// refLinkValue is a member of links.
type refLinkValue struct{ v any }

func (v *refLinkValue) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &v.v) }

// sample converts the reference to what the decoder should have made.
func (r *reference) sample() (sample, bool) {
	s := sample{ID: r.ID, Amount: int64(r.Amount), Fee: (*int64)(r.Fee), Count: int(r.Count), Rate: (*float64)(r.Rate), Enabled: bool(r.Enabled),
		Retry: (*bool)(r.Retry), Status: r.Status, Schemes: r.Schemes, Names: r.Names, Created: time.Time(r.Created).UTC(), Charge: Date(r.Charge), Any: r.Any}
	if r.Day != nil {
		s.Day = new(int(*r.Day))
	}
	if r.Metadata != nil {
		s.Metadata = map[string]string{}
		for k, v := range r.Metadata {
			s.Metadata[k] = string(v)
		}
	}
	if r.Texts != nil {
		s.Texts = map[string]string{}
		for k, v := range r.Texts {
			s.Texts[k] = string(v)
		}
	}
	ok := true
	if r.Links != nil {
		s.Links = &sampleLinks{}
		for k, v := range *r.Links {
			switch {
			case foldKey(k) != "mandate":
				if s.Links.Extra == nil {
					s.Links.Extra = map[string]any{}
				}
				s.Links.Extra[k] = v.v
			case v.v != nil:
				s.Links.Mandate, ok = v.v.(string)
			}
		}
	}
	if r.Parts != nil {
		s.Parts = []sample{}
		for i := range r.Parts {
			p, pok := r.Parts[i].sample()
			ok = ok && pok
			s.Parts = append(s.Parts, p)
		}
	}
	return s, ok
}

// FuzzDecode holds the decoder against encoding/json: both refuse a document, or both read
// the same from it.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"id":"PM1","amount":100,"fee":"100","count":1e2,"day":-1.0,"rate":1.5e-3,"enabled":true,"retry":false}`,
		`{"status":"paid_out","schemes":["a","b"],"names":[],"created":"2014-05-08T17:01:06.000Z","charge":"2014-05-08"}`,
		`{"metadata":{"a":1.50,"b":[true],"c":null,"d":"x"},"texts":{},"any":{"a":{"b":[1,"x",null,{}]}},"links":{"mandate":"MD","x":1}}`,
		`{"parts":[{"id":"\u00e9\ud83d\ude00\ud800"},null,{"parts":[]}],"unknown":[[{"a":"\n"}]]}`,
		"{\"id\":\"\xff\xc3\xa9\xed\xa0\x80\",\"\\u0069d\":\"x\"}",
		`{"a":00}`, `{"a":-}`, `{"a":1.}`, `{"a":1e}`, `[]`, `null`, `{"id":"a`, `{"id":"\u12`, ` {} x`, `{"a":tru}`, "{\"id\":\"\x1f\"}", `{,}`, `{"a":1,}`, `{"names":[,]}`,
		`{"amount":"1 "}`, `{"amount":""}`, `{"amount":9223372036854775808}`, `{"amount":0.1e1}`, `{"rate":1e999}`, `{"any":{"x":1e999}}`,
		`{"ID":"a","Parts":[{"\u212aey":1,"CREATED":"2014-05-08","linkS":{"Mandate":"MD","X":{"A":1}}}],"LİNKS":1}`,
		`{"created":"2014-05-08T17:01:06+02:00"}`, `{"created":"2014-05-08T17:01:06+25:00"}`, `{"charge":""}`, `{"links":null,"parts":null}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if unlike(data) {
			return
		}
		var got sample
		gotErr := decodeDocument(data, &got)
		var ref reference
		wantErr := json.Unmarshal(data, &ref)
		want, ok := ref.sample()
		if !ok && wantErr == nil {
			wantErr = errors.New("links.mandate is not a string")
		}
		if (gotErr == nil) != (wantErr == nil) {
			t.Fatalf("%q: got error %v, encoding/json %v", data, gotErr, wantErr)
		}
		if gotErr == nil && !reflect.DeepEqual(got, want) {
			t.Fatalf("%q:\n got %+v\nwant %+v", data, got, want)
		}
		var e *SyntaxError
		if errors.As(gotErr, &e) && (e.Offset < 0 || e.Offset > len(data)) {
			t.Fatalf("%q: offset %d is outside of the document", data, e.Offset)
		}
	})
}

// foldKey is a key without regard to case: K and s have further forms in Unicode that
// encoding/json takes for them.
func foldKey(key string) string {
	return strings.NewReplacer("\u212a", "k", "\u017f", "s").Replace(strings.ToLower(key))
}

// unlike reports whether a document holds what the decoder reads otherwise than encoding/json
// on purpose, in places where the reference cannot follow: duplicate keys, even if they differ in
// case, and numbers out of range.
func unlike(data []byte) bool {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	type level struct {
		keys  map[string]bool // nil for an array
		value bool            // the next token is a value
	}
	var levels []level
	for {
		tok, err := dec.Token()
		if err == io.EOF || err != nil {
			return false
		}
		if n := len(levels); n > 0 && levels[n-1].keys != nil && tok != json.Delim('}') {
			top := &levels[n-1]
			if !top.value {
				key := foldKey(tok.(string))
				if top.keys[key] {
					return true
				}
				top.keys[key], top.value = true, true
				continue
			}
			top.value = false
		}
		if n, ok := tok.(json.Number); ok {
			if _, err := n.Float64(); err != nil {
				return true // kept as a string where any value may be
			}
		}
		switch tok {
		case json.Delim('{'):
			levels = append(levels, level{keys: map[string]bool{}})
		case json.Delim('['):
			levels = append(levels, level{})
		case json.Delim('}'), json.Delim(']'):
			levels = levels[:len(levels)-1]
		}
	}
}
