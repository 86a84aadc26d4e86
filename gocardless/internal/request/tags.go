// Package request makes a request from the params of a call, and checks them before.
package request

import (
	"iter"
	"maps"
	"math"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
)

// The fields of a params struct say in their tags how they are sent and what they may hold, so that
// no type needs code of its own:
//
//	json:"name,omitzero"    the name; without omitzero the field is required
//	wire:"query"            sent in the query, although the other fields are in the body
//	wire:"header=Name"      sent in this header; with ",required" the field is required
//	wire:"repeat"           a list in the query has one parameter for each value, instead of commas
//	limits:"maxLength=50"   limits, by their names in JSON Schema; the last may be a pattern
//	when:"a: x,y/z; b: !x"  if the value is a, x and the member z of y are required; if it is b, x is
//	                        not allowed. Names and values are escaped as in a query.
//
// The tags are written by the generator and read once for each type.

// structure is what the tags of a struct say.
type structure struct {
	fields []field
	body   bool // a field is sent in the body
}

// field is a field of a params struct, or of a struct in one.
type field struct {
	index    int
	name     string // on the wire
	place    place
	required bool
	repeat   bool
	limits   limits
	cases    []useCase
	date     bool       // a date, or a pointer to one
	inner    *structure // of the struct that the field is, points to, or has in a list or map
}

// place is the part of a request that has a field.
type place uint8

const (
	inBody place = iota // in the query if the operation has no body
	inQuery
	inHeader
)

// limits restrict a value. Those that are not set let every value pass.
type limits struct {
	set                    bool
	least, most            int64 // of a number, or of the characters, items or members of another value
	keyLength, valueLength int64 // at most, in the members of a map
	multipleOf             int64
	unique                 bool
	pattern                pattern // nil for none
}

// useCase is what must and must not be given with one value of a field.
type useCase struct {
	value    string
	required [][]string // paths of names
	excluded []string
}

// structures holds the types that have been used.
var structures = struct {
	sync.Mutex
	of map[reflect.Type]*structure
}{of: map[reflect.Type]*structure{}}

// tagged returns the struct that v points to, and what its tags say.
func tagged(v any) (reflect.Value, *structure) {
	p := reflect.ValueOf(v).Elem()
	structures.Lock()
	defer structures.Unlock()
	s := structures.of[p.Type()]
	if s == nil {
		known := maps.Clone(structures.of)
		s = readTags(p.Type(), known)
		structures.of = known // not if a tag makes no sense: half a structure would send half the params
	}
	return p, s
}

// readTags returns what the tags of a struct say, and adds it to the known structures. A type may
// contain itself.
func readTags(t reflect.Type, known map[reflect.Type]*structure) *structure {
	if s := known[t]; s != nil {
		return s
	}
	s := &structure{fields: make([]field, t.NumField())}
	known[t] = s
	for i := range s.fields {
		s.fields[i].read(t.Field(i), i, known)
		s.body = s.body || s.fields[i].place == inBody
	}
	return s
}

func (f *field) read(of reflect.StructField, index int, known map[reflect.Type]*structure) {
	name, omit, _ := strings.Cut(of.Tag.Get("json"), ",")
	f.index, f.name, f.required = index, name, omit == ""
	for option := range strings.SplitSeq(of.Tag.Get("wire"), ",") {
		header, isHeader := strings.CutPrefix(option, "header=")
		switch {
		case isHeader:
			f.place, f.name, f.required = inHeader, header, false
		case option == "query":
			f.place = inQuery
		case option == "required":
			f.required = true
		case option == "repeat":
			f.repeat = true
		}
	}
	f.limits = readLimits(of.Tag.Get("limits"))
	f.cases = readCases(of.Tag.Get("when"))
	elem := of.Type
	for elem.Kind() == reflect.Pointer || elem.Kind() == reflect.Slice || elem.Kind() == reflect.Map {
		elem = elem.Elem()
	}
	switch {
	case elem.Kind() != reflect.Struct || elem == reflect.TypeFor[time.Time]():
	case elem.ConvertibleTo(reflect.TypeFor[jsonwire.Date]()):
		f.date = true
	default:
		f.inner = readTags(elem, known)
	}
}

// readLimits reads a limits tag.
func readLimits(tag string) limits {
	const none = math.MaxInt64
	l := limits{set: tag != "", least: math.MinInt64, most: none, keyLength: none, valueLength: none, multipleOf: 1}
	for tag != "" {
		var limit string
		if strings.HasPrefix(tag, "pattern=") {
			limit, tag = tag, "" // it may have commas
		} else {
			limit, tag, _ = strings.Cut(tag, ",")
		}
		keyword, value, _ := strings.Cut(limit, "=")
		switch keyword {
		case "pattern":
			l.pattern = compile(value)
		case "uniqueItems":
			l.unique = true
		default:
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				panic("request: tag limits: " + limit)
			}
			*l.number(keyword) = n
		}
	}
	return l
}

// number returns the place of a limit.
func (l *limits) number(keyword string) *int64 {
	switch keyword {
	case "minimum", "minLength", "minItems", "minProperties":
		return &l.least
	case "maximum", "maxLength", "maxItems", "maxProperties":
		return &l.most
	case "keyLength":
		return &l.keyLength
	case "valueLength":
		return &l.valueLength
	case "multipleOf":
		return &l.multipleOf
	}
	panic("request: tag limits: " + keyword)
}

// readCases reads a when tag.
func readCases(tag string) []useCase {
	if tag == "" {
		return nil
	}
	var cases []useCase
	for text := range strings.SplitSeq(tag, "; ") {
		value, members, _ := strings.Cut(text, ": ")
		c := useCase{value: unescaped(value)}
		for member := range strings.SplitSeq(members, ",") {
			if name, ok := strings.CutPrefix(member, "!"); ok {
				c.excluded = append(c.excluded, unescaped(name))
				continue
			}
			path := strings.Split(member, "/")
			for i := range path {
				path[i] = unescaped(path[i])
			}
			c.required = append(c.required, path)
		}
		cases = append(cases, c)
	}
	return cases
}

func unescaped(text string) string {
	plain, err := url.QueryUnescape(text)
	if err != nil {
		panic("request: tag when: " + text)
	}
	return plain
}

// named returns the field with a name on the wire.
func (s *structure) named(name string) *field {
	for i := range s.fields {
		if s.fields[i].name == name {
			return &s.fields[i]
		}
	}
	panic("request: tag when: no member " + name)
}

// canLack reports whether the zero value of a field is always an absence. Whether an amount of 0 is
// valid is for the API to decide.
func (f *field) canLack(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.String:
		return true
	}
	return v.Kind() == reflect.Struct && f.inner == nil // a timestamp or a date
}

// isGiven reports whether a value is not zero.
func (f *field) isGiven(v reflect.Value) bool {
	if v.Kind() == reflect.Struct && f.inner == nil && !f.date {
		return !pointer[time.Time](v).IsZero() // in any time zone
	}
	return !v.IsZero()
}

// isAbsent reports whether the zero value of a field means that it is left out.
func (f *field) isAbsent(v reflect.Value) bool {
	return !f.isGiven(v) && (f.canLack(v) || !f.required)
}

// pointer returns the address of a value whose type has T as its underlying type, or that of T.
// Method Convert of package reflect would compare the types each time.
func pointer[T any](v reflect.Value) *T { return (*T)(v.Addr().UnsafePointer()) }

// stringMap returns a map of strings, such as metadata.
func stringMap(v reflect.Value) (map[string]string, bool) {
	if v.Type().Elem() != reflect.TypeFor[string]() {
		return nil, false
	}
	return *pointer[map[string]string](v), true
}

// inOrder iterates over a map in the order of its keys, with copies of its values that have an
// address.
func inOrder(m reflect.Value) iter.Seq2[string, reflect.Value] {
	return func(yield func(string, reflect.Value) bool) {
		keys := make([]string, 0, m.Len())
		for _, key := range m.MapKeys() {
			keys = append(keys, key.String())
		}
		slices.Sort(keys)
		for _, key := range keys {
			v := reflect.New(m.Type().Elem()).Elem()
			v.Set(m.MapIndex(reflect.ValueOf(key)))
			if !yield(key, v) {
				return
			}
		}
	}
}
