package value

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse compares Parse with encoding/json: both refuse the same input, and return the same values
// with members in the same order.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"a":1,"b":[true,false,null,{}],"a":"twice"}`, `[1.5,-0,1e9,9223372036854775808,00]`, `"é\ud83d\ude00\ud800"`, ` 1 `, `1 2`, `{"a"}`, `{"a":}`, `[,]`, `{,}`, `[1,]`,
		`{"a":1,}`, `tru`, `nul`, `-`, `""`, ``, "\"\x00\"", "\"\xff\"", `"\x"`, strings.Repeat("[", 33), strings.Repeat("[", 32) + strings.Repeat("]", 32), strings.Repeat(`{"a":`, 40),
		`[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[ `, `{"A":1,"a":2}`, `[1}`, "[1}}\x00", `{"a":1]`, `01`, `1.`, `.5`, `+1`, `[1 2]`, "\ufeff1",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Parse(b)
		want, wantErr := reference(b)
		if (err == nil) != (wantErr == nil) || errors.Is(err, errEncoding) != errors.Is(wantErr, errEncoding) || errors.Is(err, errTooDeep) != errors.Is(wantErr, errTooDeep) {
			t.Fatalf("%q: %v, want %v", b, err, wantErr)
		}
		if a, b := Append(nil, got), Append(nil, want); !bytes.Equal(a, b) {
			t.Errorf("%s, want %s", a, b)
		}
	})
}

// reference reads a value with encoding/json.
func reference(b []byte) (any, error) {
	if !utf8.Valid(b) {
		return nil, errEncoding
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := referenceValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errNotJSON
	}
	return v, nil
}

func referenceValue(d *json.Decoder, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, errNotJSON
	}
	switch v := token.(type) {
	case json.Delim:
		if depth == maxDepth {
			return nil, errTooDeep
		}
		var list []any
		var object Object
		for d.More() {
			key := ""
			if v == '{' {
				token, err := d.Token()
				if err != nil {
					return nil, errNotJSON
				}
				key = token.(string)
			}
			item, err := referenceValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list, object = append(list, item), object.With(key, item)
		}
		if _, err := d.Token(); err != nil {
			return nil, errNotJSON
		}
		if v == '[' {
			return append([]any{}, list...), nil
		}
		return append(Object{}, object...), nil
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
		return v, nil
	}
	return token, nil
}

// A body with many members is read in linear time; 100,000 members would otherwise take minutes.
func TestManyMembers(t *testing.T) {
	for _, form := range []string{`"m%d":1`, `"m":%d`} {
		b := []byte(`{"customers":{`)
		for i := range 250_000 {
			b = append(fmt.Appendf(b, form, i), ',')
		}
		v, err := Parse(append(b[:len(b)-1], "}}"...))
		if err != nil {
			t.Fatal(err)
		}
		o := v.(Object).Obj("customers")
		last := o[len(o)-1]
		if want := fmt.Sprintf(form, 249_999); string(Append(nil, Object{last})) != "{"+want+"}" {
			t.Errorf("%s: the last of %d members is %v", form, len(o), last)
		}
	}
}
