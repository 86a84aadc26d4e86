package request

import (
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
)

// Parts are the parts of a request that come from the params.
type Parts struct {
	Query         string      // without the question mark
	After, Before string      // the cursors in the params
	Header        http.Header // nil for none
	Body          []byte      // nil for none
}

// Options are what a call adds to its params.
type Options struct {
	Envelope string // the one member of the body, or "" if the operation has no body
	// Cursor, if not empty, replaces the cursor named CursorName in the params. It selects a following
	// page without a change to them.
	Cursor, CursorName string
	// Window, if set, replaces the created_at filter and the limit in the params.
	Window Window
}

// ByTags reads params by the tags of their types.
type ByTags struct{}

// Write returns the parts of a request that come from the params at v, a pointer to a struct. Its error
// is a [jsonwire.ValueError].
func (ByTags) Write(v any, o Options) (Parts, error) {
	p, s := tagged(v)
	parts := Parts{}
	q := Query{options: o}
	for i := range s.fields {
		f := &s.fields[i]
		switch value := p.Field(f.index); {
		case f.isAbsent(value):
		case f.place == inHeader:
			parts.setHeader(f.name, f.text(value))
		case f.place == inQuery || o.Envelope == "":
			q.field(f.name, value, f)
		}
	}
	if q.err != nil {
		return Parts{}, q.err
	}
	parts.Query, parts.After, parts.Before = q.finish(), q.after, q.before
	if o.Envelope == "" || !s.body {
		return parts, nil
	}
	e := jsonwire.NewEncoder()
	e.Begin()
	e.Name(o.Envelope)
	s.encode(e, p)
	e.End()
	var err error
	parts.Body, err = e.Bytes()
	return parts, err
}

func (p *Parts) setHeader(name, value string) {
	if p.Header == nil {
		p.Header = http.Header{}
	}
	p.Header.Set(name, value)
}

// encode writes the members of a struct that are in the body. What is optional is a pointer, a list or
// a map, and is written unless it is nil.
func (s *structure) encode(e *jsonwire.Encoder, v reflect.Value) {
	e.Begin()
	for i := range s.fields {
		f := &s.fields[i]
		if value := v.Field(f.index); f.place == inBody && (f.required || !value.IsZero()) {
			e.Name(f.name)
			f.encode(e, value)
		}
	}
	e.End()
}

// encode writes a value of a field, or one that is in its list or map. A nil list or map is written as
// an empty one.
func (f *field) encode(e *jsonwire.Encoder, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		e.Text(v.String())
	case reflect.Pointer:
		f.encode(e, v.Elem())
	case reflect.Int, reflect.Int64:
		e.Int64(v.Int())
	case reflect.Bool:
		e.Bool(v.Bool())
	case reflect.Float64:
		e.Float64(v.Float())
	case reflect.Slice:
		e.BeginArray()
		for i := range v.Len() {
			e.Elem()
			f.encode(e, v.Index(i))
		}
		e.EndArray()
	case reflect.Map:
		f.encodeMap(e, v)
	case reflect.Struct:
		switch {
		case f.date:
			e.Date(*pointer[jsonwire.Date](v))
		case f.inner == nil:
			e.Time(*pointer[time.Time](v))
		default:
			f.inner.encode(e, v)
		}
	}
}

func (f *field) encodeMap(e *jsonwire.Encoder, v reflect.Value) {
	if m, ok := stringMap(v); ok {
		e.StringMap(m)
		return
	}
	if m, ok := v.Interface().(map[string]any); ok {
		e.AnyMap(m)
		return
	}
	e.Begin()
	for key, value := range inOrder(v) {
		e.Key(key)
		f.encode(e, value)
	}
	e.End()
}

// text returns a value that is not absent as a parameter or header has it.
func (f *field) text(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch {
	case v.Kind() == reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10)
	case f.date:
		return string(pointer[jsonwire.Date](v).Append(nil))
	case v.Kind() == reflect.Struct:
		return pointer[time.Time](v).UTC().Format(time.RFC3339Nano) // without rounding
	}
	return v.String()
}
