package gocardless

import (
	"fmt"
	"io"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonpointer"
	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
	"github.com/gocardless-community/gocardless-go/gocardless/internal/scrub"
)

// A Problem describes one invalid input of a call.
type Problem struct {
	// Pointer is the JSON pointer of the invalid member of the request body, beginning with the
	// envelope, such as "/payments/links/mandate". It has the form of request_pointer in the API's
	// errors. It is empty for input that is not in the body.
	Pointer string
	// Field names the input: a member in dotted form ("links.mandate"), a query parameter, the id in
	// the path, a header or an option.
	Field string
	// Message describes the problem, without the value itself.
	Message string
}

// ParamsError reports that a call was refused before anything was sent, because of its parameters,
// its path or its options. It matches [ErrValidation], as a refusal by the API does.
type ParamsError struct {
	// Operation is the operation that was called, such as "payments.create". It
	// is empty in an error from a Validate method.
	Operation string
	// Problems has at least one element.
	Problems []Problem
}

// Error lists the problems. The message contains no values, and masks names as [Error.Error] does,
// because the caller may choose them, as in metadata.
func (e *ParamsError) Error() string {
	var b strings.Builder
	writeSet(&b, "", e.Operation, ": ")
	writeAll(&b, "refused before sending: ")
	for i, p := range e.Problems {
		if i > 0 {
			writeAll(&b, "; ")
		}
		writeAll(&b, scrub.Text(p.Field), " ", p.Message)
		writeSet(&b, " (", scrub.Text(p.Pointer), ")")
	}
	return b.String()
}

// GoString is like Error.
func (e ParamsError) GoString() string { return "&gocardless.ParamsError{" + e.Error() + "}" }

// Format is like Error, whatever the verb, and whether by pointer or value.
func (e ParamsError) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.Error()) }

// MarshalText is like Error. To encode the problems separately, use the field Problems.
func (e ParamsError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Is reports whether target is [ErrValidation].
func (e *ParamsError) Is(target error) bool { return target == ErrValidation }

// checker collects the problems of a params value, for the generated check methods.
type checker struct {
	envelope string    // "" for query parameters
	path     []string  // steps of a JSON pointer; for a list or map, two joined by a slash
	few      [4]string // memory for path
	problems []Problem
}

// validate checks params without a call, for the Validate methods.
func validate(envelope string, params params) error {
	c := checker{envelope: envelope}
	params.check(&c)
	if len(c.problems) == 0 {
		return nil
	}
	return &ParamsError{Problems: c.problems}
}

// enter descends into a nested object; leave comes back.
//
//go:noinline
func (c *checker) enter(name string) {
	if c.path == nil {
		c.path = c.few[:0]
	}
	c.path = append(c.path, name)
}

// enterIndex descends into an element of a list of objects; leave comes back.
func (c *checker) enterIndex(name string, i int) {
	c.enter(name + "/" + strconv.Itoa(i))
}

// enterKey descends into a value of a map of objects; leave comes back.
func (c *checker) enterKey(name, key string) {
	c.enter(name + "/" + jsonpointer.Escape(key))
}

//go:noinline
func (c *checker) leave() { c.path = c.path[:len(c.path)-1] }

// fail records a problem with a member of the current object.
func (c *checker) fail(name, message string) {
	steps := strings.Join(append(c.path[:len(c.path):len(c.path)], jsonpointer.Escape(name)), "/")
	p := Problem{Field: strings.Join(jsonpointer.Split(steps), "."), Message: message}
	if c.envelope != "" {
		p.Pointer = "/" + c.envelope + "/" + steps
	}
	c.problems = append(c.problems, p)
}

// required records a problem unless the member is present.
//
//go:noinline
func (c *checker) required(name string, present bool) {
	if !present {
		c.fail(name, "is required")
	}
}

// minLength and maxLength count characters, as JSON Schema does.
func (c *checker) minLength(name, value string, limit int) {
	if utf8.RuneCountInString(value) < limit {
		c.fail(name, "must have at least "+strconv.Itoa(limit)+" characters")
	}
}

func (c *checker) maxLength(name, value string, limit int) {
	// A string never has more characters than bytes.
	if len(value) > limit && utf8.RuneCountInString(value) > limit {
		c.fail(name, "must have at most "+strconv.Itoa(limit)+" characters")
	}
}

func (c *checker) minimum(name string, value, limit int64) {
	if value < limit {
		c.fail(name, "must be at least "+strconv.FormatInt(limit, 10))
	}
}

func (c *checker) maximum(name string, value, limit int64) {
	if value > limit {
		c.fail(name, "must be at most "+strconv.FormatInt(limit, 10))
	}
}

func (c *checker) multipleOf(name string, value, factor int64) {
	if value%factor != 0 {
		c.fail(name, "must be a multiple of "+strconv.FormatInt(factor, 10))
	}
}

// items checks the number of items of a list; a negative limit means none.
func (c *checker) items(name string, count, least, most int) {
	if count < least {
		c.fail(name, "must have at least "+strconv.Itoa(least)+" items")
	}
	if most >= 0 && count > most {
		c.fail(name, "must have at most "+strconv.Itoa(most)+" items")
	}
}

// members checks that a map has enough members.
func (c *checker) members(name string, count, least int) {
	if count < least {
		c.fail(name, "must have at least "+strconv.Itoa(least)+" members")
	}
}

// checkUnique records a problem if a list has an item twice.
func checkUnique[T comparable](c *checker, name string, list []T) {
	seen := make(map[T]bool, len(list))
	for _, v := range list {
		if seen[v] {
			c.fail(name, "must not have an item twice")
			return
		}
		seen[v] = true
	}
}

// excluded records a problem if a member is given that the object must not have when another member
// has a certain value.
func (c *checker) excluded(name string, present bool, other, value string) {
	if present {
		c.fail(name, "must not be given when "+other+" is "+strconv.Quote(value))
	}
}

// patterns caches the compiled regular expressions of the schema. It is not a sync.Map, whose generic
// code would be compiled with this package and make it slower to build.
var patterns = struct {
	sync.Mutex
	compiled map[string]*regexp.Regexp
}{compiled: map[string]*regexp.Regexp{}}

// pattern checks a value against a regular expression of the schema.
func (c *checker) pattern(name, value, pattern string) {
	patterns.Lock()
	re := patterns.compiled[pattern]
	if re == nil {
		re = regexp.MustCompile(pattern)
		patterns.compiled[pattern] = re
	}
	patterns.Unlock()
	if !re.MatchString(value) {
		c.fail(name, "must match "+pattern)
	}
}

// stringMap checks the limits of a map of strings, such as metadata; a negative limit means none.
func (c *checker) stringMap(name string, value map[string]string, members, keyLength, valueLength int) {
	if members >= 0 && len(value) > members {
		c.fail(name, "must have at most "+strconv.Itoa(members)+" members")
	}
	if keyLength < 0 && valueLength < 0 {
		return
	}
	var few [8]string // metadata may have three
	for _, key := range jsonwire.SortedKeys(few[:0], value) {
		if keyLength >= 0 && utf8.RuneCountInString(key) > keyLength {
			c.fail(name, "must not have a name of more than "+strconv.Itoa(keyLength)+" characters")
			continue // the name is too long to be shown
		}
		if valueLength >= 0 && utf8.RuneCountInString(value[key]) > valueLength {
			c.enter(name)
			c.fail(key, "must have at most "+strconv.Itoa(valueLength)+" characters")
			c.leave()
		}
	}
}

// checkMap checks the number of members of a map and the length of their names; a negative limit
// means none.
func checkMap[V any](c *checker, name string, m map[string]V, members, keyLength int) {
	if members >= 0 && len(m) > members {
		c.fail(name, "must have at most "+strconv.Itoa(members)+" members")
	}
	for key := range m {
		if keyLength >= 0 && utf8.RuneCountInString(key) > keyLength {
			c.fail(name, "must not have a name of more than "+strconv.Itoa(keyLength)+" characters")
			return
		}
	}
}

// inOrder iterates over a map in the order of its keys, with pointers to copies of its values.
func inOrder[V any](m map[string]V) iter.Seq2[string, *V] {
	return func(yield func(string, *V) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			v := m[key]
			if !yield(key, &v) {
				return
			}
		}
	}
}
