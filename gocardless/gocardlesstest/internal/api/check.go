package api

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonpointer"
)

// bodyCheck compares a request body with its schema in two passes, as the API does: first the structure
// (unknown and missing members, wrong types), then, if that is right, the values.
type bodyCheck struct {
	structure []ErrorItem // unknown members and members missing inside a nested object: 400
	types     []ErrorItem // wrong types and members missing at the top: 422
	values    []ErrorItem // limits and formats: 422
}

// readInts converts integers that a client sent as strings of digits.
func (t *Type) readInts(o value.Object) value.Object {
	out := make(value.Object, len(o))
	for i, m := range o {
		out[i] = m
		if f := t.Field(m.Key); f != nil {
			out[i].Val = f.readInts(m.Val)
		}
	}
	return out
}

// readInts does the same for the value of a member.
func (f *Field) readInts(v any) any {
	switch v := v.(type) {
	case string:
		if n, err := strconv.ParseInt(v, 10, 64); f.Kind == KindInt && err == nil && v[0] != '+' {
			return n
		}
	case value.Object:
		if f.Kind == KindObject {
			return f.Type.readInts(v)
		}
		if f.Kind == KindMap {
			out := make(value.Object, len(v))
			for i, m := range v {
				out[i] = value.Member{Key: m.Key, Val: f.Elem.readInts(m.Val)}
			}
			return out
		}
	case []any:
		if f.Kind != KindArray {
			return v
		}
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = f.Elem.readInts(e)
		}
		return out
	}
	return v
}

// Check compares an object with the schema. The pointer leads to the object within the request.
func (t *Type) Check(o value.Object, pointer string) *Error {
	var c bodyCheck
	c.object(t, o, pointer, "")
	return c.err()
}

// AllProblems lists all problems of an object, of any kind.
func (t *Type) AllProblems(o value.Object) []ErrorItem {
	var c bodyCheck
	c.object(t, o, "", "")
	return slices.Concat(c.structure, c.types, c.values)
}

// err returns the refusal of a body, or nil.
func (c *bodyCheck) err() *Error {
	switch {
	case len(c.structure) > 0:
		// Wrong types are listed, too, but unknown members decide the status.
		return &Error{Status: 400, Type: "invalid_api_usage", Reason: "invalid_document_structure",
			Message: "Invalid document structure", Items: append(c.structure, c.types...)}
	case len(c.types) > 0:
		return &Error{Status: 422, Type: "invalid_api_usage", Reason: "invalid_type",
			Message: "One of your parameters was incorrectly typed", Items: c.types}
	case len(c.values) > 0:
		return validationFailed(c.values)
	}
	return nil
}

// object checks one object. The parent is "" for the envelope's content, and otherwise its own name.
func (c *bodyCheck) object(t *Type, o value.Object, pointer, parent string) {
	var unknown []string
	for _, m := range o {
		f := t.Field(m.Key)
		if f == nil {
			unknown = append(unknown, `"`+value.Short(m.Key)+`"`)
			continue
		}
		c.value(f, m.Val, step(pointer, m.Key), m.Key, parent)
	}
	if len(unknown) > 0 {
		is := "is not a permitted key."
		if len(unknown) > 1 {
			is = "are not permitted keys."
		}
		c.structure = append(c.structure, ErrorItem{Message: strings.Join(unknown, ", ") + " " + is, Field: parent, Pointer: pointer})
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		if _, there := o.Lookup(f.Name); f.Required && !there {
			c.missing(f.Name, pointer, parent)
		}
	}
	for _, cond := range t.Conditions {
		if o.Str(cond.Field) == cond.Is {
			c.condition(cond, o, pointer, parent)
		}
	}
}

// condition checks the members that a condition requires or refuses.
func (c *bodyCheck) condition(cond Condition, o value.Object, pointer, parent string) {
	for _, path := range cond.Then {
		c.required(o, path, pointer)
	}
	for _, name := range cond.Not {
		if _, there := o.Lookup(name); there {
			c.structure = append(c.structure, ErrorItem{Message: `"` + name + `" is not a permitted key.`, Field: parent, Pointer: pointer})
		}
	}
}

// missing records a missing required member. The API replies with 422 at the top of a body, and with
// 400 inside a nested object.
func (c *bodyCheck) missing(name, pointer, parent string) {
	it := ErrorItem{Message: `"` + name + `" wasn't supplied.`, Field: parent, Pointer: pointer}
	if parent == "" {
		c.types = append(c.types, it)
	} else {
		c.structure = append(c.structure, it)
	}
}

// required checks that no member on a path is missing or null.
func (c *bodyCheck) required(o value.Object, path []string, pointer string) {
	for _, name := range path {
		v := o.Get(name)
		if v == nil {
			c.values = append(c.values, ErrorItem{Field: path[len(path)-1], Message: "can't be blank", Pointer: pointer + "/" + strings.Join(path, "/")})
			return
		}
		o, _ = v.(value.Object)
	}
}

// value checks one member against its kind and limits.
func (c *bodyCheck) value(f *Field, v any, pointer, name, parent string) {
	field := name
	if parent == "links" {
		field += "_id"
	}
	if v == nil {
		if !f.Nullable {
			c.wrong(f, v, pointer, field)
		}
		return
	}
	if !f.Kind.holds(v) {
		c.wrong(f, v, pointer, field)
		return
	}
	switch f.Kind {
	case KindString, KindDate, KindTime, KindStringOrInt:
		if s, ok := v.(string); ok {
			c.text(f, s, pointer, field)
		}
	case KindInt:
		c.number(f, v.(int64), pointer, field)
	case KindObject:
		c.object(f.Type, v.(value.Object), pointer, name)
	case KindArray:
		c.array(f, v.([]any), pointer, name)
		c.items(f, v.([]any), pointer, field)
	case KindMap:
		c.mapSize(f, v.(value.Object), pointer, name)
		c.members(f, v.(value.Object), pointer, name)
	case KindAnyMap:
		c.mapSize(f, v.(value.Object), pointer, name)
	case KindMetadata, KindStringMap:
		c.stringMap(f, v.(value.Object), pointer, name)
	}
}

// holds reports whether a value is of the kind.
func (k Kind) holds(v any) bool {
	switch v.(type) {
	case string:
		return k == KindString || k == KindDate || k == KindTime || k == KindStringOrInt
	case int64:
		return k == KindInt || k == KindFloat || k == KindStringOrInt
	case json.Number:
		return k == KindFloat
	case bool:
		return k == KindBool
	case []any:
		return k == KindArray
	}
	return k == KindObject || k == KindMap || k == KindMetadata || k == KindStringMap || k == KindAnyMap
}

// array checks the elements of an array.
func (c *bodyCheck) array(f *Field, a []any, pointer, name string) {
	for i, e := range a {
		c.value(f.Elem, e, fmt.Sprintf("%s/%d", pointer, i), name, "")
	}
}

// members checks the values of a map.
func (c *bodyCheck) members(f *Field, o value.Object, pointer, name string) {
	for _, m := range o {
		c.value(f.Elem, m.Val, step(pointer, m.Key), name, "")
	}
}

// stringMap checks metadata and similar maps, whose values must be strings: the API refuses numbers.
func (c *bodyCheck) stringMap(f *Field, o value.Object, pointer, name string) {
	c.mapSize(f, o, pointer, name)
	for _, m := range o {
		at := step(pointer, m.Key)
		s, ok := m.Val.(string)
		if !ok {
			c.wrong(&Field{Kind: KindString}, m.Val, at, name)
			continue
		}
		if lim := f.Limits; lim != nil && lim.MaxValueLength != nil && utf8.RuneCountInString(s) > *lim.MaxValueLength {
			c.bad(name, at, "values must be no more than %d characters", *lim.MaxValueLength)
		}
	}
}

// mapSize checks how many members a map has, and how long their names are.
func (c *bodyCheck) mapSize(f *Field, o value.Object, pointer, name string) {
	lim := f.Limits
	if lim == nil {
		return
	}
	if lim.MinMembers != nil && len(o) < *lim.MinMembers {
		c.bad(name, pointer, "must have no fewer than %d keys", *lim.MinMembers)
	}
	if lim.MaxMembers != nil && len(o) > *lim.MaxMembers {
		c.bad(name, pointer, "must have no more than %d keys", *lim.MaxMembers)
	}
	for _, m := range o {
		if lim.MaxKeyLength != nil && utf8.RuneCountInString(m.Key) > *lim.MaxKeyLength {
			c.bad(name, step(pointer, m.Key), "keys must be no more than %d characters", *lim.MaxKeyLength)
		}
	}
}

// items checks the number of items of an array, and that they differ if they must.
func (c *bodyCheck) items(f *Field, a []any, pointer, field string) {
	lim := f.Limits
	if lim == nil {
		return
	}
	if lim.MinItems != nil && len(a) < *lim.MinItems {
		c.bad(field, pointer, "is too short (minimum is %d items)", *lim.MinItems)
	}
	if lim.MaxItems != nil && len(a) > *lim.MaxItems {
		c.bad(field, pointer, "is too long (maximum is %d items)", *lim.MaxItems)
	}
	seen := map[string]bool{}
	for _, e := range a {
		text := string(value.Append(nil, e))
		if lim.UniqueItems && seen[text] {
			c.bad(field, pointer, "must not contain duplicates")
			return
		}
		seen[text] = true
	}
}

func (c *bodyCheck) text(f *Field, s, pointer, field string) {
	switch {
	case f.Kind == KindDate:
		if _, err := time.Parse(value.DateForm, s); err != nil {
			c.bad(field, pointer, "must be a date in the form YYYY-MM-DD")
		}
	case f.Kind == KindTime:
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			c.bad(field, pointer, "must be a timestamp in the form YYYY-MM-DDThh:mm:ssZ")
		}
	case f.Enum != nil && !slices.Contains(f.Enum, s):
		c.bad(field, pointer, "must be one of: %s", strings.Join(f.Enum, ", "))
	case f.Format == "uri":
		if u, err := url.Parse(s); err != nil || u.Scheme == "" || (u.Host == "" && u.Opaque == "") {
			c.bad(field, pointer, "must be a valid URL")
		}
	case f.Format == "email" && !validEmail(s):
		c.bad(field, pointer, "is invalid")
	case f.Name == "country_code" && s != "" && !bank.KnownCountry(s):
		c.bad(field, pointer, "must be an ISO 3166-1 alpha-2 code")
	}
	if f.Limits == nil {
		return
	}
	n := utf8.RuneCountInString(s)
	if f.Limits.MaxLength != nil && n > *f.Limits.MaxLength {
		c.bad(field, pointer, "is too long (maximum is %d characters)", *f.Limits.MaxLength)
	}
	if f.Limits.MinLength != nil && n < *f.Limits.MinLength {
		c.bad(field, pointer, "is too short (minimum is %d characters)", *f.Limits.MinLength)
	}
}

// emailForm is the common form of an address: dotted atoms at a host name (RFC 5321 without quoting,
// comments and address literals).
var emailForm = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*" +
	"@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$")

func validEmail(s string) bool {
	return len(s) <= 254 && strings.IndexByte(s, '@') <= 64 && emailForm.MatchString(s)
}

func (c *bodyCheck) number(f *Field, n int64, pointer, field string) {
	if f.Limits == nil {
		return
	}
	if f.Limits.Minimum != nil && n < *f.Limits.Minimum {
		c.bad(field, pointer, "must be greater than or equal to %d", *f.Limits.Minimum)
	}
	if f.Limits.Maximum != nil && n > *f.Limits.Maximum {
		c.bad(field, pointer, "must be less than or equal to %d", *f.Limits.Maximum)
	}
	if f.Limits.MultipleOf != nil && n%*f.Limits.MultipleOf != 0 {
		c.bad(field, pointer, "must be a multiple of %d", *f.Limits.MultipleOf)
	}
}

func (c *bodyCheck) wrong(f *Field, v any, pointer, field string) {
	shown := value.Inspect(v)
	if _, text := v.(string); !text && v != nil {
		shown = strings.Trim(shown, `"`)
	}
	c.types = append(c.types, ErrorItem{Message: shown + " is not " + kindNoun(f.Kind) + ".", Field: field, Pointer: pointer})
}

func (c *bodyCheck) bad(field, pointer, format string, args ...any) {
	c.values = append(c.values, ErrorItem{Field: field, Message: fmt.Sprintf(format, args...), Pointer: pointer})
}

func kindNoun(k Kind) string {
	switch k {
	case KindInt:
		return "an integer"
	case KindFloat:
		return "a number"
	case KindBool:
		return "a boolean"
	case KindArray:
		return "an array"
	case KindObject, KindMetadata, KindStringMap, KindAnyMap, KindMap:
		return "an object"
	}
	return "a string"
}

// step returns the pointer to a member, whose name may be hostile.
func step(pointer, name string) string { return jsonpointer.Join(pointer, value.Short(name)) }
