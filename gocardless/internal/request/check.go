package request

import (
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonpointer"
	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
)

// Problem is an invalid value. Pointer and Field are as in the SDK's type of this name.
type Problem struct{ Pointer, Field, Message string }

// checker collects the problems of params.
type checker struct {
	envelope string    // "" for what is not in the body
	path     []string  // steps of a JSON pointer; for a list or map, two joined by a slash
	few      [4]string // memory for path
	problems []Problem
}

// Check returns what params break of the schema's rules.
func (ByTags) Check(v any, envelope string) []Problem {
	c := checker{envelope: envelope}
	p, s := tagged(v)
	c.structure(s, p)
	return c.problems
}

// structure checks the fields of a struct.
func (c *checker) structure(s *structure, v reflect.Value) {
	for i := range s.fields {
		c.field(&s.fields[i], v.Field(i))
	}
	for i := range s.fields {
		for _, u := range s.fields[i].cases {
			c.useCase(s, v, &s.fields[i], u)
		}
	}
}

func (c *checker) field(f *field, v reflect.Value) {
	if f.place != inBody {
		defer func(envelope string) { c.envelope = envelope }(c.envelope)
		c.envelope = ""
	}
	if f.required && f.canLack(v) {
		c.required(f, v)
	}
	if f.isAbsent(v) {
		return
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	c.limits(f, v)
	c.inside(f, v)
}

// enter descends into a nested object; leave comes back.
func (c *checker) enter(name string) {
	if c.path == nil {
		c.path = c.few[:0]
	}
	c.path = append(c.path, name)
}

func (c *checker) leave() { c.path = c.path[:len(c.path)-1] }

// fail records a problem with a member of the current object.
func (c *checker) fail(name, message string) {
	steps := strings.Join(append(c.path[:len(c.path):len(c.path)], jsonpointer.Escape(name)), "/")
	names := jsonpointer.Split(steps)
	p := Problem{Message: message}
	if c.envelope != "" {
		p.Pointer, p.Field = "/"+c.envelope+"/"+steps, strings.Join(names, ".")
	} else if p.Field = names[0]; len(names) > 1 {
		p.Field += "[" + strings.Join(names[1:], "][") + "]"
	}
	c.problems = append(c.problems, p)
}

// inside checks the objects that a field holds.
func (c *checker) inside(f *field, v reflect.Value) {
	if f.inner == nil {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		c.enter(f.name)
		c.structure(f.inner, v)
		c.leave()
	case reflect.Slice:
		for i := range v.Len() {
			c.enter(f.name + "/" + strconv.Itoa(i))
			c.structure(f.inner, v.Index(i))
			c.leave()
		}
	case reflect.Map:
		for key, value := range inOrder(v) {
			c.enter(f.name + "/" + jsonpointer.Escape(key))
			c.structure(f.inner, value)
			c.leave()
		}
	}
}

// required records a problem unless a member is given.
func (c *checker) required(f *field, v reflect.Value) {
	if !f.isGiven(v) {
		c.fail(f.name, "is required")
	}
}

// useCase checks what one value of a field demands.
func (c *checker) useCase(s *structure, v reflect.Value, f *field, u useCase) {
	value := v.Field(f.index)
	if value.Kind() == reflect.Pointer {
		value = value.Elem()
	}
	if !value.IsValid() || value.String() != u.value {
		return
	}
	for _, path := range u.required {
		c.requiredBelow(s, v, path)
	}
	for _, name := range u.excluded {
		if not := s.named(name); not.isGiven(v.Field(not.index)) {
			c.fail(name, "must not be given when "+f.name+" is "+strconv.Quote(u.value))
		}
	}
}

// requiredBelow records a problem unless the member at a path is given, or no object would have it.
func (c *checker) requiredBelow(s *structure, v reflect.Value, path []string) {
	f := s.named(path[0])
	value := v.Field(f.index)
	if len(path) == 1 {
		if f.canLack(value) {
			c.required(f, value)
		}
		return
	}
	if value.Kind() == reflect.Pointer {
		value = value.Elem()
	}
	if value.IsValid() {
		c.enter(f.name)
		c.requiredBelow(f.inner, value, path[1:])
		c.leave()
	}
}

// limits checks the limits of a value.
func (c *checker) limits(f *field, v reflect.Value) {
	if f.date && v.Kind() == reflect.Struct && !pointer[jsonwire.Date](v).Valid() {
		c.fail(f.name, "must be an existing date")
	}
	l := &f.limits
	if !l.set {
		return
	}
	switch v.Kind() {
	case reflect.String:
		c.count(f.name, utf8.RuneCountInString(v.String()), l, "characters")
		if l.pattern != nil && !l.pattern.MatchString(v.String()) {
			c.fail(f.name, "must match "+l.pattern.String())
		}
	case reflect.Int, reflect.Int64:
		c.within(f.name, "be", v.Int(), l.least, l.most, "")
		if v.Int()%l.multipleOf != 0 {
			c.fail(f.name, "must be a multiple of "+strconv.FormatInt(l.multipleOf, 10))
		}
	case reflect.Slice:
		c.count(f.name, v.Len(), l, "items")
		if l.unique && hasTwice(v) {
			c.fail(f.name, "must not have an item twice")
		}
	case reflect.Map:
		c.count(f.name, v.Len(), l, "members")
		c.entries(f.name, v, l)
	}
}

// count checks how many of something a value has. Lengths count characters, as in JSON Schema.
func (c *checker) count(name string, n int, l *limits, what string) {
	c.within(name, "have", int64(n), l.least, l.most, " "+what)
}

func (c *checker) within(name, verb string, n, least, most int64, unit string) {
	if n < least {
		c.fail(name, "must "+verb+" at least "+strconv.FormatInt(least, 10)+unit)
	}
	if n > most {
		c.fail(name, "must "+verb+" at most "+strconv.FormatInt(most, 10)+unit)
	}
}

// entries checks the names of a map, and the values if they are strings.
func (c *checker) entries(name string, v reflect.Value, l *limits) {
	var few [8]string // metadata may have three
	keys := few[:0]
	values, ok := stringMap(v)
	if ok {
		keys = jsonwire.SortedKeys(keys, values)
	} else {
		for key := range inOrder(v) {
			keys = append(keys, key)
		}
	}
	for _, key := range keys {
		if int64(utf8.RuneCountInString(key)) > l.keyLength {
			c.fail(name, "must not have a name of more than "+strconv.FormatInt(l.keyLength, 10)+" characters")
			continue // the name is too long to be shown
		}
		c.enter(name)
		c.within(key, "have", int64(utf8.RuneCountInString(values[key])), 0, l.valueLength, " characters")
		c.leave()
	}
}

// hasTwice reports whether a list has an item twice. Objects are left to the API.
func hasTwice(list reflect.Value) bool {
	seen := map[any]bool{}
	for i := range list.Len() {
		item := list.Index(i).Interface()
		if seen[item] {
			return true
		}
		seen[item] = true
	}
	return false
}
