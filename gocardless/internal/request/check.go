package request

import (
	"math"
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
	switch l := &f.limits; v.Kind() {
	case reflect.String:
		c.text(f.name, v.String(), l)
	case reflect.Int, reflect.Int64:
		c.number(f.name, v.Int(), l)
	case reflect.Slice:
		c.count(f.name, v.Len(), "items", l.numbers["minItems"], l.most("maxItems"))
		if l.unique && hasTwice(v) {
			c.fail(f.name, "must not have an item twice")
		}
	case reflect.Map:
		c.count(f.name, v.Len(), "members", l.numbers["minProperties"], l.most("maxProperties"))
		c.entries(f.name, v, l)
	case reflect.Struct:
		if f.date && !pointer[jsonwire.Date](v).Valid() {
			c.fail(f.name, "must be an existing date")
		}
	}
}

// most returns an upper limit of a count.
func (l *limits) most(keyword string) int64 {
	if n, ok := l.numbers[keyword]; ok {
		return n
	}
	return math.MaxInt64
}

// count checks how many of something a value has.
func (c *checker) count(name string, n int, what string, least, most int64) {
	if int64(n) < least {
		c.fail(name, "must have at least "+strconv.FormatInt(least, 10)+" "+what)
	}
	if int64(n) > most {
		c.fail(name, "must have at most "+strconv.FormatInt(most, 10)+" "+what)
	}
}

// text checks a string. Lengths count characters, as in JSON Schema.
func (c *checker) text(name, value string, l *limits) {
	if l.numbers != nil {
		c.count(name, utf8.RuneCountInString(value), "characters", l.numbers["minLength"], l.most("maxLength"))
	}
	if l.pattern != nil && !l.pattern.MatchString(value) {
		c.fail(name, "must match "+l.pattern.String())
	}
}

// number checks an integer.
func (c *checker) number(name string, n int64, l *limits) {
	if limit, ok := l.numbers["minimum"]; ok && n < limit {
		c.fail(name, "must be at least "+strconv.FormatInt(limit, 10))
	}
	if limit, ok := l.numbers["maximum"]; ok && n > limit {
		c.fail(name, "must be at most "+strconv.FormatInt(limit, 10))
	}
	if factor, ok := l.numbers["multipleOf"]; ok && n%factor != 0 {
		c.fail(name, "must be a multiple of "+strconv.FormatInt(factor, 10))
	}
}

// entries checks the names of a map, and the values if they are strings.
func (c *checker) entries(name string, v reflect.Value, l *limits) {
	if l.numbers == nil {
		return
	}
	keyLength, valueLength := l.most("keyLength"), l.most("valueLength")
	var few [8]string // metadata may have three
	keys := few[:0]
	texts, ok := stringMap(v)
	if ok {
		keys = jsonwire.SortedKeys(keys, texts)
	} else {
		for key := range inOrder(v) {
			keys = append(keys, key)
		}
	}
	for _, key := range keys {
		if int64(utf8.RuneCountInString(key)) > keyLength {
			c.fail(name, "must not have a name of more than "+strconv.FormatInt(keyLength, 10)+" characters")
			continue // the name is too long to be shown
		}
		if text := texts[key]; int64(utf8.RuneCountInString(text)) > valueLength {
			c.enter(name)
			c.fail(key, "must have at most "+strconv.FormatInt(valueLength, 10)+" characters")
			c.leave()
		}
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
