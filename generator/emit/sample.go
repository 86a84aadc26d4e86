package emit

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

// Samples are values for tests: the schema's examples where they say something, and otherwise a
// value that is not zero, so that a field that gets lost is missed.

// jsonObject writes a sample of an object type as JSON. Types in outer are not entered again.
func jsonObject(t *ir.Type, outer []*ir.Type) string {
	var members []string
	for _, f := range t.Fields {
		if f.In == ir.InBody && !recurses(f.Type, t, outer) {
			members = append(members, fmt.Sprintf("%q:%s", f.Name, jsonValue(f, f.Type, append(slices.Clone(outer), t))))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

func jsonValue(f *ir.Field, r *ir.Ref, outer []*ir.Type) string {
	switch r.Kind {
	case ir.Int, ir.Int64:
		return strconv.FormatInt(sampleInt(f), 10)
	case ir.Float:
		return "1.5"
	case ir.Bool:
		return "true"
	case ir.Metadata, ir.StringMap, ir.AnyMap:
		return `{"key":"value"}`
	case ir.Array:
		return "[" + jsonValue(f, r.Elem, outer) + "]"
	case ir.Named:
		if r.IsObject() {
			return jsonObject(r.Type, outer)
		}
	}
	text, _ := json.Marshal(sampleTextOf(f, r))
	return string(text)
}

// goObject writes a sample of an object type as a Go literal.
func goObject(t *ir.Type, outer []*ir.Type) string {
	var b strings.Builder
	fmt.Fprintf(&b, "gocardless.%s{\n", t.GoName)
	for _, f := range t.Fields {
		if recurses(f.Type, t, outer) {
			continue
		}
		value := goValue(f, f.Type, append(slices.Clone(outer), t))
		if f.Pointered {
			value = "new(" + typed(f.Type, value) + ")"
		}
		fmt.Fprintf(&b, "%s: %s,\n", f.GoName, value)
	}
	b.WriteString("}")
	return b.String()
}

// typed converts an untyped constant to the field's type.
func typed(r *ir.Ref, value string) string {
	switch {
	case r.Kind == ir.Int64:
		return "int64(" + value + ")"
	case r.IsEnum():
		return "gocardless." + r.Type.GoName + "(" + value + ")"
	}
	return value
}

func goValue(f *ir.Field, r *ir.Ref, outer []*ir.Type) string {
	switch r.Kind {
	case ir.Int, ir.Int64:
		return strconv.FormatInt(sampleInt(f), 10)
	case ir.Float:
		return "1.5"
	case ir.Bool:
		return "true"
	case ir.Metadata:
		return `gocardless.Metadata{"key": "value"}`
	case ir.StringMap:
		return `map[string]string{"key": "value"}`
	case ir.AnyMap:
		return `map[string]any{"key": "value"}`
	case ir.Date:
		d := sampleTime(f)
		return fmt.Sprintf("gocardless.Date{Year: %d, Month: %d, Day: %d}", d.Year(), d.Month(), d.Day())
	case ir.Time:
		d := sampleTime(f)
		return fmt.Sprintf("time.Date(%d, %d, %d, %d, %d, %d, 0, time.UTC)", d.Year(), d.Month(), d.Day(), d.Hour(), d.Minute(), d.Second())
	case ir.Array:
		elem := "string"
		switch r.Elem.Kind {
		case ir.Named:
			elem = "gocardless." + r.Elem.Type.GoName
		case ir.Int64:
			elem = "int64"
		}
		return fmt.Sprintf("[]%s{%s}", elem, goValue(f, r.Elem, outer))
	case ir.Named:
		if r.IsObject() {
			return goObject(r.Type, outer)
		}
	}
	return strconv.Quote(sampleTextOf(f, r))
}

// recurses reports a field whose type is, or lies inside, itself.
func recurses(r *ir.Ref, t *ir.Type, outer []*ir.Type) bool {
	for r.Kind == ir.Array {
		r = r.Elem
	}
	return r.Type != nil && (r.Type == t || slices.Contains(outer, r.Type))
}

func sampleInt(f *ir.Field) int64 {
	var n int64
	if json.Unmarshal([]byte(f.Example), &n) != nil || n == 0 {
		n = 7
	}
	if f.Minimum != nil {
		n = max(n, *f.Minimum)
	}
	if f.Maximum != nil {
		n = min(n, *f.Maximum)
	}
	return n
}

func sampleText(f *ir.Field) string { return sampleTextOf(f, f.Type) }

func sampleTextOf(f *ir.Field, r *ir.Ref) string {
	switch {
	case r.Kind == ir.Date:
		return sampleTime(f).Format(time.DateOnly)
	case r.Kind == ir.Time:
		return sampleTime(f).Format("2006-01-02T15:04:05.000Z")
	}
	var example string
	if json.Unmarshal([]byte(f.Example), &example) == nil && example != "" {
		return example
	}
	if r.IsEnum() && len(r.Type.Values) > 0 {
		return r.Type.Values[0].Wire
	}
	if f.Pattern == "^[0-9]{6}$" {
		return "200000"
	}
	return "sample " + f.Name
}

func sampleTime(f *ir.Field) time.Time {
	var example string
	if json.Unmarshal([]byte(f.Example), &example) == nil {
		for _, layout := range []string{time.RFC3339, time.DateOnly} {
			if t, err := time.Parse(layout, example); err == nil {
				return t.UTC().Truncate(time.Second)
			}
		}
	}
	return time.Date(2026, time.September, 14, 10, 22, 5, 0, time.UTC)
}

// querySample is the query that a request with every query field set must have.
func querySample(t *ir.Type) string {
	values := url.Values{}
	for _, f := range t.Fields {
		if f.In == ir.InQuery {
			addQuery(values, f.Name, f)
		}
	}
	return values.Encode()
}

func addQuery(values url.Values, wire string, f *ir.Field) {
	switch r := f.Type; {
	case r.Kind == ir.Int || r.Kind == ir.Int64:
		values.Set(wire, strconv.FormatInt(sampleInt(f), 10))
	case r.Kind == ir.Bool:
		values.Set(wire, "true")
	case r.Kind == ir.Metadata || r.Kind == ir.StringMap:
		values.Set(wire+"[key]", "value")
	case r.Kind == ir.Array:
		values.Set(wire, sampleTextOf(f, r.Elem))
	case r.IsObject():
		for _, inner := range r.Type.Fields {
			addQuery(values, fmt.Sprintf("%s[%s]", wire, inner.Name), inner)
		}
	default:
		values.Set(wire, sampleTextOf(f, r))
	}
}
