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

// Samples are values for tests: the schema's examples, or values that are not zero, so that a test notices a
// lost field.

// jsonObject returns a sample of an object type as JSON. It does not enter the types in outer again.
func jsonObject(t *ir.Type, outer []*ir.Type) string {
	var members []string
	for _, f := range t.Fields {
		if f.In == ir.InBody && !recurses(f.Type, t, outer) && !excluded(t, f) {
			members = append(members, fmt.Sprintf("%q:%s", f.Name, jsonValue(f, f.Type, append(slices.Clone(outer), t))))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

// excluded reports whether a member of a union does not belong to the object that the sample shows.
func excluded(t *ir.Type, f *ir.Field) bool {
	return slices.ContainsFunc(t.Conditions, func(c *ir.Condition) bool {
		return slices.Contains(c.Not, f) && sampleText(c.Field) == c.Equals
	})
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
		var items []string
		for i := range itemCount(f) {
			items = append(items, jsonValue(item(f, r.Elem, i), r.Elem, outer))
		}
		return "[" + strings.Join(items, ",") + "]"
	case ir.Map:
		return `{"key":` + jsonValue(f, r.Elem, outer) + "}"
	case ir.Named:
		if r.IsObject() {
			return jsonObject(r.Type, outer)
		}
	}
	text, _ := json.Marshal(sampleTextOf(f, r))
	return string(text)
}

// itemCount returns the number of items in the sample of an array. Two show how they are separated.
func itemCount(f *ir.Field) int {
	n := 1
	if f.Style == ir.Repeat {
		n = 2
	}
	if f.MinItems != nil {
		n = max(n, *f.MinItems)
	}
	if f.MaxItems != nil {
		n = min(n, *f.MaxItems)
	}
	return n
}

// item returns a field whose sample is the item with index i of an array. Strings, whole numbers and enum
// values differ from item to item.
func item(f *ir.Field, r *ir.Ref, i int) *ir.Field {
	if i == 0 {
		return f
	}
	one := *f
	switch {
	case r.IsEnum():
		values := r.Type.Values
		first := slices.IndexFunc(values, func(v *ir.Value) bool { return v.Wire == sampleTextOf(f, r) })
		one.Example = strconv.Quote(values[(first+i)%len(values)].Wire)
	case r.Kind == ir.Int64 || r.Kind == ir.Int:
		one.Example = strconv.FormatInt(sampleInt(f)+int64(i), 10)
	case r.Kind == ir.String:
		one.Example = strconv.Quote(fmt.Sprintf("%s %d", sampleTextOf(f, r), i+1))
	}
	return &one
}

// goObject returns a sample of an object type as a Go literal.
func goObject(t *ir.Type, outer []*ir.Type) string {
	var b strings.Builder
	fmt.Fprintf(&b, "gocardless.%s{\n", t.GoName)
	for _, f := range t.Fields {
		if recurses(f.Type, t, outer) || excluded(t, f) {
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
		var items []string
		for i := range itemCount(f) {
			items = append(items, goValue(item(f, r.Elem, i), r.Elem, outer))
		}
		return fmt.Sprintf("[]%s{%s}", elemType(r.Elem), strings.Join(items, ", "))
	case ir.Map:
		return fmt.Sprintf(`map[string]%s{"key": %s}`, elemType(r.Elem), goValue(f, r.Elem, outer))
	case ir.Named:
		if r.IsObject() {
			return goObject(r.Type, outer)
		}
	}
	return strconv.Quote(sampleTextOf(f, r))
}

// elemType returns the Go type of the elements of an array or a map, for the code of another package.
func elemType(r *ir.Ref) string {
	switch r.Kind {
	case ir.Named:
		return "gocardless." + r.Type.GoName
	case ir.Int:
		return "int"
	case ir.Int64:
		return "int64"
	case ir.Float:
		return "float64"
	case ir.Bool:
		return "bool"
	}
	return "string"
}

// recurses reports whether a field of t leads to t or to an object around it.
func recurses(r *ir.Ref, t *ir.Type, outer []*ir.Type) bool {
	r = r.Innermost()
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
	if m := f.MultipleOf; m != nil && n%*m != 0 {
		n -= n % *m
		if n <= 0 || f.Minimum != nil && n < *f.Minimum {
			n += *m
		}
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
	text := "sample " + f.Name
	if f.MaxLength != nil && *f.MaxLength < len(text) {
		text = text[:*f.MaxLength]
	}
	return text
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

// querySample returns the query of a request with every query field set.
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
	case r.Kind == ir.Array && f.Style == ir.Repeat:
		for i := range itemCount(f) {
			values.Add(wire, sampleTextOf(item(f, r.Elem, i), r.Elem))
		}
	case r.Kind == ir.Array:
		var items []string
		for i := range itemCount(f) {
			items = append(items, sampleTextOf(item(f, r.Elem, i), r.Elem))
		}
		values.Set(wire, strings.Join(items, ","))
	case r.IsObject():
		for _, inner := range r.Type.Fields {
			addQuery(values, fmt.Sprintf("%s[%s]", wire, inner.Name), inner)
		}
	default:
		values.Set(wire, sampleTextOf(f, r))
	}
}
