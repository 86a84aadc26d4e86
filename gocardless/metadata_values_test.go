package gocardless

import (
	"errors"
	"maps"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestMetadataValues(t *testing.T) {
	at := time.Date(2026, 5, 4, 11, 30, 0, 123456789, time.FixedZone("", 2*3600))
	m := Metadata{}
	same := func(name string, set error, text string) {
		t.Helper()
		if set != nil || m[name] != text {
			t.Errorf("%s: %q, %v, want %q", name, m[name], set, text)
		}
	}
	for _, n := range []int64{0, -1, math.MaxInt64, math.MinInt64} {
		if err := m.SetInt("n", n); err != nil {
			t.Error(err)
		}
		if got, err := m.Int("n"); got != n || err != nil {
			t.Errorf("%d came back as %d, %v", n, got, err)
		}
	}
	clear(m)
	same("b", m.SetBool("b", true), "true")
	if got, err := m.Bool("b"); !got || err != nil {
		t.Errorf("bool: %v, %v", got, err)
	}
	same("t", m.SetTime("t", at), "2026-05-04T09:30:00.123456789Z")
	if got, err := m.Time("t"); !got.Equal(at) || got.Location() != time.UTC || err != nil {
		t.Errorf("time: %v, %v", got, err)
	}
	same("d", m.SetDate("d", NewDate(2028, 2, 29)), "2028-02-29")
	if got, err := m.Date("d"); got != NewDate(2028, 2, 29) || err != nil {
		t.Errorf("date: %v, %v", got, err)
	}
	clear(m)
	type order struct {
		ID   int    `json:"id"`
		Note string `json:"note,omitempty"`
	}
	same("j", m.SetJSON("j", order{7, "<a> & b"}), `{"id":7,"note":"<a> & b"}`)
	var back order
	if err := m.JSON("j", &back); err != nil || back != (order{7, "<a> & b"}) {
		t.Errorf("JSON: %+v, %v", back, err)
	}
	same("s", m.SetString("s", "text"), "text")
	same("s", m.SetString("s", ""), "")
}

func TestMetadataLimits(t *testing.T) {
	full := Metadata{"a": "1", "b": "2", "c": "3"}
	for name, set := range map[string]func(Metadata) error{
		"a fourth key":   func(m Metadata) error { return m.SetInt("d", 1) },
		"empty key":      func(m Metadata) error { return m.SetInt("", 1) },
		"long key":       func(m Metadata) error { return m.SetInt(strings.Repeat("é", 51), 1) },
		"long value":     func(m Metadata) error { return m.SetString("a", strings.Repeat("é", 501)) },
		"long JSON":      func(m Metadata) error { return m.SetJSON("a", strings.Repeat("x", 499)) },
		"not UTF-8":      func(m Metadata) error { return m.SetString("a", "\xff") },
		"key not UTF-8":  func(m Metadata) error { return m.SetString("\xff", "a") },
		"no JSON":        func(m Metadata) error { return m.SetJSON("a", func() {}) },
		"not a date":     func(m Metadata) error { return m.SetDate("a", Date{2026, 2, 30}) },
		"no date":        func(m Metadata) error { return m.SetDate("a", Date{}) },
		"far-off year":   func(m Metadata) error { return m.SetTime("a", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)) },
		"a nil Metadata": func(Metadata) error { return Metadata(nil).SetInt("a", 1) },
	} {
		m := maps.Clone(full)
		var e *MetadataError
		if err := set(m); !errors.As(err, &e) || !maps.Equal(m, full) {
			t.Errorf("%s: %v, %v", name, err, m)
		}
	}
	// At the limit, and replacing a key of a full map.
	for name, err := range map[string]error{
		"value": full.SetString("a", strings.Repeat("é", 500)),
		"key":   Metadata{}.SetString(strings.Repeat("é", 50), "x"),
		"check": full.Check(),
		"nil":   Metadata(nil).Check(),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := Metadata{"b": strings.Repeat("x", 501), "a": strings.Repeat("x", 501)}
	for range 20 {
		if err := bad.Check(); err == nil || !strings.Contains(err.Error(), `"a"`) {
			t.Fatalf("Check: %v", err)
		}
	}
	if err := (Metadata{"a": "", "b": "", "c": "", "d": ""}).Check(); err == nil {
		t.Error("four keys pass Check")
	}
}

func TestMetadataReadErrors(t *testing.T) {
	m := Metadata{"x": "secret words"}
	var target int
	for name, read := range map[string]func(string) error{
		"Int":  func(key string) error { _, err := m.Int(key); return err },
		"Bool": func(key string) error { _, err := m.Bool(key); return err },
		"Time": func(key string) error { _, err := m.Time(key); return err },
		"Date": func(key string) error { _, err := m.Date(key); return err },
		"JSON": func(key string) error { return m.JSON(key, &target) },
	} {
		var e *MetadataError
		if err := read("x"); !errors.As(err, &e) || e.Key != "x" || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
		if err := read("y"); !errors.Is(err, ErrNoMetadata) {
			t.Errorf("%s without the key: %v", name, err)
		}
		if _, err := Metadata(nil).Int("x"); !errors.Is(err, ErrNoMetadata) {
			t.Errorf("nil: %v", err)
		}
	}
}

func FuzzMetadataValues(f *testing.F) {
	f.Add("key", "value", int64(1), true)
	f.Fuzz(func(t *testing.T, key, value string, n int64, b bool) {
		m := Metadata{}
		if m.SetString(key, value) == nil && (m[key] != value || m.Check() != nil) {
			t.Errorf("%q: %q", key, m[key])
		}
		var back string
		// encoding/json replaces what is not valid UTF-8.
		if utf8.ValidString(value) && m.SetJSON(key, value) == nil {
			if err := m.JSON(key, &back); err != nil || back != value {
				t.Errorf("JSON of %q came back as %q, %v", value, back, err)
			}
		}
		if m.SetInt("n", n) == nil {
			if got, err := m.Int("n"); got != n || err != nil {
				t.Errorf("%d came back as %d, %v", n, got, err)
			}
		}
		if m.SetBool("b", b) == nil {
			if got, err := m.Bool("b"); got != b || err != nil {
				t.Errorf("%v came back as %v, %v", b, got, err)
			}
		}
		for k, v := range m {
			if v != "" && (Metadata{k: v}).Check() != nil {
				t.Errorf("set but not fit to send: %q", k)
			}
		}
	})
}
