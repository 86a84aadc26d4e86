package jsontree

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// Parse and Format keep the vendored documents byte for byte, so that updates touch only what changed.
func TestFormatKeepsVendoredDocuments(t *testing.T) {
	files, _ := filepath.Glob("../../schema/history/*.json")
	files = append(files, "../../schema/gocardless.json")
	if len(files) < 8 {
		t.Fatalf("only %d documents found", len(files))
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		v, err := Parse(data)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if !bytes.Equal(v.Format(), data) {
			t.Errorf("%s: Format(Parse) is not the file", file)
		}
		if !bytes.Equal(v.Clone().Format(), data) {
			t.Errorf("%s: a clone differs", file)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", "line 1, column 1: the document ends in the middle"},
		{"truncated object", "{\n \"a\": {\"b\": 1", "line 2, column 14: the document ends in the middle"},
		{"truncated string", `{"a": "b`, "line 1, column 9: the document ends"},
		{"truncated name", `{"a": 1, "b`, "line 1, column 12: the document ends in the middle"},
		{"truncated array", `[1, 2`, "the document ends in the middle"},
		{"duplicate", `{"a": {"b/c": 1, "b/c": 2}}`, "/a/b~1c is given twice"},
		{"trailing", `{} {}`, "text after the end"},
		{"not UTF-8", "{\"a\": \"\xff\"}", "not valid UTF-8"},
		{"HTML", "<!doctype html>", "line 1, column 2: invalid character '<'"},
		{"deep", strings.Repeat("[", 600) + strings.Repeat("]", 600), "nested more than 500 levels deep"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.in))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestFormatEscapesOnlyWhatJSONNeeds(t *testing.T) {
	in := `{"a":"<b> & \u2028 \\u2028 é \n \u0001","n":1.50,"e":[],"o":{},"t":true,"z":null}`
	v, err := Parse([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"a":"<b> & ` + "\u2028" + ` \\u2028 é \n \u0001","n":1.50,"e":[],"o":{},"t":true,"z":null}`
	if got := v.Compact(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEdits(t *testing.T) {
	v, err := Parse([]byte(`{"b":1,"d":2,"x":3}`))
	if err != nil {
		t.Fatal(err)
	}
	v.SetSorted("c", NewString("new"))
	v.SetSorted("z", NewBool(true))
	v.SetOrdered("w", NewStrings("p", "q"), []string{"b", "w", "d"})
	v.Set("b", &Value{})
	v.Delete("x")
	if got, want := v.Compact(), `{"b":null,"c":"new","w":["p","q"],"d":2,"z":true}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := v.At("/w/1").Str(); got != "q" {
		t.Errorf("At(/w/1) = %q", got)
	}
	for _, nowhere := range []string{"/w/2", "/w/-1", "/w/x", "/w/1x", "/nope", "/b/c/d"} {
		if got := v.At(nowhere); got != nil {
			t.Errorf("At(%s) = %s, want nil", nowhere, got.Compact())
		}
	}
}

func TestEqualIgnoresOrderOfMembersOnly(t *testing.T) {
	parse := func(s string) *Value {
		v, err := Parse([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`{"a":1,"b":[1,2]}`, `{"b":[1,2],"a":1.0}`, true},
		{`[1,2]`, `[2,1]`, false},
		{`{"a":null}`, `{}`, false},
		{`"1"`, `1`, false},
		{`{"a":1}`, `{"b":1}`, false},
		{`true`, `false`, false},
	} {
		if got := Equal(parse(c.a), parse(c.b)); got != c.want {
			t.Errorf("Equal(%s, %s) = %v", c.a, c.b, got)
		}
	}
}

// Parse reads the same value as encoding/json, and refuses what encoding/json refuses.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"a": [1, -2.5e+3, true, false, null, {}, []], "b\u00e9\"": "\\\ud83d\ude00\n"}`, "[]", " 0 ", `"\u2028"`, `{"a":{"a":1,"a":2}}`, `{"a" :1 ,"":""}`, "[1 2]", `"\x"`, "\"\t\"", "01", "{} {}", "nulls", `"\ud800"`,
	} {
		f.Add([]byte(seed))
	}
	decode := func(data []byte) (v any, err error) {
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		err = dec.Decode(&v)
		return v, err
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Parse(data)
		if err != nil {
			// Duplicate members, deep nesting and invalid UTF-8 are refused although encoding/json accepts them.
			if json.Valid(data) && utf8.Valid(data) && !strings.Contains(err.Error(), "given twice") && !strings.Contains(err.Error(), "deep") {
				t.Fatalf("refused: %v", err)
			}
			return
		}
		want, err := decode(data)
		if err != nil || !json.Valid(data) {
			t.Fatalf("accepted, but encoding/json says %v", err)
		}
		for _, text := range [][]byte{[]byte(v.Compact()), v.Format()} {
			if got, err := decode(text); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%s, %v", text, err)
			}
		}
	})
}
