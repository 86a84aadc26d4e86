package gocardlesstest

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
)

// bodyCheck compares a request body with its schema in two passes, as the API does: first the
// structure (unknown and missing members, wrong types), then, when that is right, the values.
type bodyCheck struct {
	structure []errorItem // unknown members and members missing inside a nested object: 400
	types     []errorItem // wrong types and members missing at the top: 422
	values    []errorItem // limits and formats: 422
}

// readInts returns a body whose integers are numbers: clients may send them as strings of digits.
func (t *typeSpec) readInts(o object) object {
	out := make(object, len(o))
	for i, m := range o {
		out[i] = m
		if f := t.field(m.key); f != nil {
			out[i].val = f.readInts(m.val)
		}
	}
	return out
}

// readInts does the same for the value of a member.
func (f *fieldSpec) readInts(v any) any {
	switch v := v.(type) {
	case string:
		if n, err := strconv.ParseInt(v, 10, 64); f.kind == kInt && err == nil && v[0] != '+' {
			return n
		}
	case object:
		if f.kind == kObject {
			return f.typ.readInts(v)
		}
	case []any:
		if f.kind != kArray {
			return v
		}
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = f.elem.readInts(e)
		}
		return out
	}
	return v
}

// checkBody checks the content of an envelope.
func checkBody(t *typeSpec, envelope string, body object) *apiError {
	var c bodyCheck
	c.object(t, body, "/"+envelope, "")
	return c.err()
}

// err is the refusal of a body that was checked, nil when nothing is wrong.
func (c *bodyCheck) err() *apiError {
	switch {
	case len(c.structure) > 0:
		// Wrong types are listed too, but the unknown members decide the status.
		return &apiError{status: 400, typ: "invalid_api_usage", reason: "invalid_document_structure",
			message: "Invalid document structure", items: append(c.structure, c.types...)}
	case len(c.types) > 0:
		return &apiError{status: 422, typ: "invalid_api_usage", reason: "invalid_type",
			message: "One of your parameters was incorrectly typed", items: c.types}
	case len(c.values) > 0:
		return validationFailed(c.values)
	}
	return nil
}

// object checks one object. The parent is "" for the envelope's content, else its own name.
func (c *bodyCheck) object(t *typeSpec, o object, pointer, parent string) {
	var unknown []string
	for _, m := range o {
		f := t.field(m.key)
		if f == nil {
			unknown = append(unknown, `"`+short(m.key)+`"`)
			continue
		}
		c.value(f, m.val, pointer+"/"+escapePointer(m.key), m.key, parent)
	}
	if len(unknown) > 0 {
		is := "is not a permitted key."
		if len(unknown) > 1 {
			is = "are not permitted keys."
		}
		c.structure = append(c.structure, errorItem{message: strings.Join(unknown, ", ") + " " + is, field: parent, pointer: pointer})
	}
	for i := range t.fields {
		f := &t.fields[i]
		if _, there := o.lookup(f.name); f.required && !there {
			c.missing(f.name, pointer, parent)
		}
	}
	for _, cond := range t.conditions {
		if o.str(cond.field) != cond.is {
			continue
		}
		for _, path := range cond.then {
			c.conditional(o, path, pointer)
		}
	}
}

// missing notes a required member that is not there. At the top the API answers 422, inside a
// nested object 400.
func (c *bodyCheck) missing(name, pointer, parent string) {
	it := errorItem{message: `"` + name + `" wasn't supplied.`, field: parent, pointer: pointer}
	if parent == "" {
		c.types = append(c.types, it)
	} else {
		c.structure = append(c.structure, it)
	}
}

func (c *bodyCheck) conditional(o object, path []string, pointer string) {
	for i, name := range path {
		v, there := o.lookup(name)
		if !there || v == nil {
			at := strings.Join(path, "/")
			c.values = append(c.values, errorItem{field: path[len(path)-1], message: "can't be blank", pointer: pointer + "/" + at})
			return
		}
		if i < len(path)-1 {
			o, _ = v.(object)
		}
	}
}

// value checks one member against its kind and limits.
func (c *bodyCheck) value(f *fieldSpec, v any, pointer, name, parent string) {
	field := name
	if parent == "links" {
		field += "_id"
	}
	if v == nil {
		if !f.nullable {
			c.wrong(f, v, pointer, field)
		}
		return
	}
	switch f.kind {
	case kString, kDate, kTime:
		s, ok := v.(string)
		if !ok {
			c.wrong(f, v, pointer, field)
			return
		}
		c.text(f, s, pointer, field)
	case kInt:
		n, ok := v.(int64)
		if !ok {
			c.wrong(f, v, pointer, field)
			return
		}
		c.number(f, n, pointer, field)
	case kFloat:
		switch v.(type) {
		case int64, json.Number:
		default:
			c.wrong(f, v, pointer, field)
		}
	case kBool:
		if _, ok := v.(bool); !ok {
			c.wrong(f, v, pointer, field)
		}
	case kObject:
		o, ok := v.(object)
		if !ok {
			c.wrong(f, v, pointer, field)
			return
		}
		c.object(f.typ, o, pointer, name)
	case kArray:
		a, ok := v.([]any)
		if !ok {
			c.wrong(f, v, pointer, field)
			return
		}
		for i, e := range a {
			c.value(f.elem, e, fmt.Sprintf("%s/%d", pointer, i), name, "")
		}
	case kMetadata, kStringMap, kAnyMap:
		o, ok := v.(object)
		if !ok {
			c.wrong(f, v, pointer, field)
			return
		}
		c.stringMap(f, o, pointer, name)
	}
}

// stringMap checks metadata and its like. Every value must be text: the API refuses numbers.
func (c *bodyCheck) stringMap(f *fieldSpec, o object, pointer, name string) {
	if f.kind == kAnyMap {
		return
	}
	lim := f.lim
	if lim == nil {
		lim = &limits{}
	}
	if lim.maxMembers != nil && len(o) > *lim.maxMembers {
		c.bad(name, pointer, "must have no more than %d keys", *lim.maxMembers)
	}
	for _, m := range o {
		at := pointer + "/" + escapePointer(m.key)
		s, ok := m.val.(string)
		if !ok {
			c.wrong(&fieldSpec{kind: kString}, m.val, at, name)
			continue
		}
		if lim.maxKeyLength != nil && utf8.RuneCountInString(m.key) > *lim.maxKeyLength {
			c.bad(name, at, "keys must be no more than %d characters", *lim.maxKeyLength)
		}
		if lim.maxValueLength != nil && utf8.RuneCountInString(s) > *lim.maxValueLength {
			c.bad(name, at, "values must be no more than %d characters", *lim.maxValueLength)
		}
	}
}

func (c *bodyCheck) text(f *fieldSpec, s, pointer, field string) {
	switch {
	case f.kind == kDate:
		if _, err := time.Parse(dateForm, s); err != nil {
			c.bad(field, pointer, "must be a date in the form YYYY-MM-DD")
		}
	case f.kind == kTime:
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			c.bad(field, pointer, "must be a timestamp in the form YYYY-MM-DDThh:mm:ssZ")
		}
	case f.enum != nil && !slices.Contains(f.enum, s):
		c.bad(field, pointer, "must be one of: %s", strings.Join(f.enum, ", "))
	case f.format == "uri":
		if u, err := url.Parse(s); err != nil || u.Scheme == "" || (u.Host == "" && u.Opaque == "") {
			c.bad(field, pointer, "must be a valid URL")
		}
	case f.format == "email" && !validEmail(s):
		c.bad(field, pointer, "is invalid")
	case f.name == "country_code" && s != "" && !bank.KnownCountry(s):
		c.bad(field, pointer, "must be an ISO 3166-1 alpha-2 code")
	}
	if f.lim == nil {
		return
	}
	n := utf8.RuneCountInString(s)
	if f.lim.maxLength != nil && n > *f.lim.maxLength {
		c.bad(field, pointer, "is too long (maximum is %d characters)", *f.lim.maxLength)
	}
	if f.lim.minLength != nil && n < *f.lim.minLength {
		c.bad(field, pointer, "is too short (minimum is %d characters)", *f.lim.minLength)
	}
}

// emailForm is the everyday form of an address: dotted atoms at a host name (RFC 5321 without
// quoting, comments and address literals).
var emailForm = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*" +
	"@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$")

func validEmail(s string) bool {
	return len(s) <= 254 && strings.IndexByte(s, '@') <= 64 && emailForm.MatchString(s)
}

func (c *bodyCheck) number(f *fieldSpec, n int64, pointer, field string) {
	if f.lim == nil {
		return
	}
	if f.lim.minimum != nil && n < *f.lim.minimum {
		c.bad(field, pointer, "must be greater than or equal to %d", *f.lim.minimum)
	}
	if f.lim.maximum != nil && n > *f.lim.maximum {
		c.bad(field, pointer, "must be less than or equal to %d", *f.lim.maximum)
	}
}

func (c *bodyCheck) wrong(f *fieldSpec, v any, pointer, field string) {
	shown := inspect(v)
	if _, text := v.(string); !text && v != nil {
		shown = strings.Trim(shown, `"`)
	}
	c.types = append(c.types, errorItem{message: shown + " is not " + kindNoun(f.kind) + ".", field: field, pointer: pointer})
}

func (c *bodyCheck) bad(field, pointer, format string, args ...any) {
	c.values = append(c.values, errorItem{field: field, message: fmt.Sprintf(format, args...), pointer: pointer})
}

func kindNoun(k fieldKind) string {
	switch k {
	case kInt:
		return "an integer"
	case kFloat:
		return "a number"
	case kBool:
		return "a boolean"
	case kArray:
		return "an array"
	case kObject, kMetadata, kStringMap, kAnyMap:
		return "an object"
	}
	return "a string"
}

// escapePointer writes a member's name as a step of a JSON pointer.
func escapePointer(s string) string {
	if !strings.ContainsAny(s, "~/") {
		return short(s)
	}
	return short(strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1"))
}
