package jsonwire

import (
	"reflect"
	"testing"
)

type colour string

// typedMaps is a document with a map of every kind of value.
type typedMaps struct {
	Ints    map[string]int64  `json:"ints"`
	Flags   map[string]bool   `json:"flags"`
	Colours map[string]colour `json:"colours"`
}

func readMaps(text string) (m typedMaps, o Outcome, err error) {
	d := NewDecoder([]byte(text))
	d.Read(&m)
	o, err = d.Finish()
	return m, o, err
}

func TestTypedMaps(t *testing.T) {
	const text = `{"ints":{"a":-1,"b \"c\"":9007199254740993},"flags":{"on":true},"colours":{"x":"red"}}`
	m, o, err := readMaps(text)
	want := typedMaps{map[string]int64{"a": -1, `b "c"`: 9007199254740993}, map[string]bool{"on": true}, map[string]colour{"x": "red"}}
	if err != nil || len(o.Misfits) > 0 || !reflect.DeepEqual(m, want) {
		t.Fatalf("read %v, %v, %v", m, o, err)
	}
}

// Null is nil and an empty object empty; what is not an object is a misfit, a number that cannot be read
// makes the reply unreadable.
func TestOddTypedMaps(t *testing.T) {
	m, o, err := readMaps(`{"ints":null,"flags":{},"colours":[1]}`)
	if err != nil || m.Ints != nil || m.Flags == nil || len(m.Flags) != 0 || m.Colours != nil || len(o.Misfits) != 1 || o.Unreadable != nil {
		t.Errorf("read %+v, %+v, %v", m, o, err)
	}
	if _, o, err = readMaps(`{"ints":{"a":"x"}}`); err != nil || o.Unreadable == nil || o.Unreadable.Path != "ints.a" {
		t.Errorf("outcome %+v, %v", o, err)
	}
	if _, _, err = readMaps(`{"ints":{"a":1`); err == nil {
		t.Error("half a map was read")
	}
}

func TestTextOrInt(t *testing.T) {
	for text, want := range map[string]string{
		`"a"`: "a", `12`: "12", `-3`: "-3", `12345678901234567890123`: "12345678901234567890123", `null`: "", `"007"`: "007",
	} {
		d := NewDecoder([]byte(text))
		got := d.TextOrInt()
		if o, err := d.Finish(); err != nil || len(o.Misfits) > 0 || got != want {
			t.Errorf("%s: %q, %v, %v", text, got, o.Misfits, err)
		}
	}
	d := NewDecoder([]byte(`[1]`))
	if got := d.TextOrInt(); got != "" {
		t.Errorf("a list reads as %q", got)
	}
	if o, err := d.Finish(); err != nil || len(o.Misfits) != 1 {
		t.Errorf("misfits %v, %v", o.Misfits, err)
	}
	for _, bad := range []string{"-", "1.", "01"} {
		d := NewDecoder([]byte(bad))
		d.TextOrInt()
		if _, err := d.Finish(); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}
