// Package value contains JSON values: nil, bool, string, int64, json.Number for a number that is not an int64,
// []any and Object. Dates and times are strings in the API's format, so they compare in order as strings.
// Everything in the store can therefore be written to a file and read back without its schema.
package value

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
)

// Object is a JSON object with ordered members. The API's objects are small, so a scan is faster than a
// map and needs less memory.
type Object []Member

// Member is a member of an object. It is an alias, so that other packages can write objects as
// {{"name", value}}, too.
type Member = struct {
	Key string
	Val any
}

// Lookup finds a member.
func (o Object) Lookup(key string) (any, bool) {
	for i := range o {
		if o[i].Key == key {
			return o[i].Val, true
		}
	}
	return nil, false
}

// Get returns the value of a member, or nil.
func (o Object) Get(key string) any {
	v, _ := o.Lookup(key)
	return v
}

// Has reports whether a member is present and not null.
func (o Object) Has(key string) bool { return o.Get(key) != nil }

// Str returns a string member, or "" for anything else.
func (o Object) Str(key string) string {
	s, _ := o.Get(key).(string)
	return s
}

// Num returns an integer member, or 0 for anything else.
func (o Object) Num(key string) int64 {
	n, _ := o.Get(key).(int64)
	return n
}

// Flag returns a boolean member, or false for anything else.
func (o Object) Flag(key string) bool {
	b, _ := o.Get(key).(bool)
	return b
}

// Obj returns an object member, or nil for anything else.
func (o Object) Obj(key string) Object {
	v, _ := o.Get(key).(Object)
	return v
}

// List returns an array member, or nil for anything else.
func (o Object) List(key string) []any {
	v, _ := o.Get(key).([]any)
	return v
}

// With returns a copy of the object with a member set. It does not write to o, which rendered replies
// may share.
func (o Object) With(key string, val any) Object {
	out := make(Object, len(o), len(o)+1)
	copy(out, o)
	for i := range out {
		if out[i].Key == key {
			out[i].Val = val
			return out
		}
	}
	return append(out, Member{key, val})
}

// Without returns a copy of the object without a member.
func (o Object) Without(key string) Object {
	out := make(Object, 0, len(o))
	for _, m := range o {
		if m.Key != key {
			out = append(out, m)
		}
	}
	return out
}

var (
	errNotJSON  = errors.New("the body is not JSON")
	errTooDeep  = errors.New("the body is nested too deeply")
	errEncoding = errors.New("the body is not UTF-8")
)

// maxDepth limits the nesting of a request body. The deepest body of the API has five levels.
const maxDepth = 32

// Parse reads one JSON value. If members have the same name, the last one counts.
func Parse(b []byte) (any, error) {
	if !utf8.Valid(b) {
		return nil, errEncoding
	}
	d := jsonwire.NewDecoder(b)
	v, err := parseValue(d, 0)
	if _, syntax := d.Finish(); err == nil && syntax != nil {
		err = errNotJSON
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

// parseValue reads a value. After a syntax error the decoder returns nothing more, and Finish reports
// the error.
func parseValue(d *jsonwire.Decoder, depth int) (any, error) {
	switch c := d.Next(); c {
	case '{', '[':
		if depth == maxDepth {
			return nil, errTooDeep
		}
		if c == '[' {
			return parseArray(d, depth+1)
		}
		return parseObject(d, depth+1)
	case '"':
		return d.Text(), nil
	case 't', 'f':
		return d.Bool(), nil
	case 'n':
		d.Null()
		return nil, nil
	}
	digits := d.Number()
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return n, nil
	}
	return json.Number(digits), nil
}

func parseArray(d *jsonwire.Decoder, depth int) (any, error) {
	out := []any{}
	for d.Array(); d.Elem(); {
		v, err := parseValue(d, depth)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func parseObject(d *jsonwire.Decoder, depth int) (any, error) {
	out := Object{}
	var at map[string]int // positions, for objects too large to scan
	for d.Object(); d.More(); {
		key := d.Name()
		v, err := parseValue(d, depth)
		if err != nil {
			return nil, err
		}
		if len(out) == fewMembers {
			at = out.positions()
		}
		i, twice := at[key]
		if at == nil {
			i = slices.IndexFunc(out, func(m Member) bool { return m.Key == key })
			twice = i >= 0
		}
		if twice {
			out[i].Val = v
			continue
		}
		if at != nil {
			at[key] = len(out)
		}
		out = append(out, Member{key, v})
	}
	return out, nil
}

// fewMembers is the number of members up to which a scan is faster than a map.
const fewMembers = 32

func (o Object) positions() map[string]int {
	at := make(map[string]int, 2*len(o))
	for i, m := range o {
		at[m.Key] = i
	}
	return at
}

// Append writes a value as JSON.
func Append(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case string:
		return AppendString(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return append(dst, "null"...)
		}
		return strconv.AppendFloat(dst, v, 'g', -1, 64)
	case json.Number:
		return append(dst, v...)
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = Append(dst, e)
		}
		return append(dst, ']')
	case Object:
		dst = append(dst, '{')
		for i, m := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(AppendString(dst, m.Key), ':')
			dst = Append(dst, m.Val)
		}
		return append(dst, '}')
	}
	panic("gocardlesstest: not a JSON value")
}

// AppendString writes a JSON string. Nearly all strings need no escaping.
func AppendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x7f {
			b, err := json.Marshal(s)
			if err != nil {
				b = []byte(`""`)
			}
			return append(dst, b...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

// The API's formats of dates and times, which sort by time.
const (
	DateForm  = "2006-01-02"
	StampForm = "2006-01-02T15:04:05.000Z"
)

// Stamp formats a time as the API does, in UTC.
func Stamp(t time.Time) string {
	t = t.UTC()
	h, m, s := t.Clock()
	ms := t.Nanosecond() / 1e6
	clock := []byte{
		'T', '0' + byte(h/10), '0' + byte(h%10), ':', '0' + byte(m/10), '0' + byte(m%10), ':', '0' + byte(s/10), '0' + byte(s%10),
		'.', '0' + byte(ms/100), '0' + byte(ms/10%10), '0' + byte(ms%10), 'Z',
	}
	return string(bank.DateOf(t)) + string(clock)
}

// Inspect formats a value as the API's messages do.
func Inspect(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case string:
		return strconv.Quote(Short(v))
	}
	return Short(string(Append(nil, v)))
}

// Short shortens a string from outside for use in an error.
func Short(s string) string {
	if len(s) <= 80 {
		return s
	}
	return strings.ToValidUTF8(s[:77], "") + "..."
}
