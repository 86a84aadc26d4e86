// Package param turns flags and JSON into the parameters of an operation, and checks them against
// the description of the API before anything is sent.
package param

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/spec"
	"github.com/gocardless-community/gocardless-go/gocardless"
)

// Leaf is a parameter that a flag sets: a member of the operation's parameters, or of an object
// among them.
type Leaf struct {
	Path  string // "links.mandate"
	Field *spec.Field
	In    spec.Place // of the outermost member
	// Needed reports that every call must have the parameter.
	Needed bool
}

// Leaves lists all parameters of an operation, the needed ones first.
func Leaves(op *spec.Operation) []Leaf {
	if op.Params == nil {
		return nil
	}
	list := leaves(op.Params, "", true, nil)
	slices.SortStableFunc(list, func(a, b Leaf) int {
		switch {
		case a.Needed == b.Needed:
			return 0
		case a.Needed:
			return -1
		}
		return 1
	})
	return list
}

func leaves(o *spec.Object, prefix string, needed bool, within []*spec.Object) []Leaf {
	if slices.Contains(within, o) {
		return nil // an object that contains itself: only --data can set its inner members
	}
	within = append(within, o)
	var out []Leaf
	for i := range o.Fields {
		f := &o.Fields[i]
		if f.Kind != spec.Group {
			out = append(out, Leaf{Path: prefix + f.Name, Field: f, In: f.In, Needed: needed && f.Required})
			continue
		}
		for _, l := range leaves(f.Object, prefix+f.Name+".", needed && f.Required, within) {
			l.In = f.In
			out = append(out, l)
		}
	}
	return out
}

// Set collects the parameters of one call.
type Set struct {
	op       *spec.Operation
	now      time.Time
	values   map[string]any
	problems []gocardless.Problem
	unread   map[string]bool // parameters whose flags could not be parsed, so they are not missing
	later    []moneyCheck    // checks that need all parameters
	// Lax skips the checks against the description.
	Lax bool
}

// New returns an empty set of parameters.
func New(op *spec.Operation, now time.Time) *Set {
	return &Set{op: op, now: now, values: map[string]any{}, unread: map[string]bool{}}
}

// MaxData is the maximum length of the JSON of one call.
const MaxData = 16 << 20

// Data sets all parameters from a JSON object, with or without the request's envelope. Put overrides
// them.
func (s *Set) Data(r io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(r, MaxData+1))
	if err != nil {
		return err
	}
	if len(raw) > MaxData {
		return fmt.Errorf("--data is longer than %d MB", MaxData>>20)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		return fmt.Errorf("--data is not a JSON object: %w", err)
	}
	if d.More() {
		return errors.New("--data has more than one JSON value")
	}
	if inner, ok := v[s.op.Request].(map[string]any); ok && len(v) == 1 && s.op.Params.Field(s.op.Request) == nil {
		v = inner
	}
	s.values = v
	return nil
}

// Problem adds a problem with a parameter, for Check to return.
func (s *Set) Problem(path, message string) {
	p := gocardless.Problem{Field: path, Message: message}
	if s.op.Request != "" {
		p.Pointer = "/" + s.op.Request + "/" + strings.ReplaceAll(path, ".", "/")
	}
	s.problems = append(s.problems, p)
}

// Put sets a parameter from the arguments of its flag. If they are not valid, Check returns that.
func (s *Set) Put(l Leaf, arguments []string) {
	v, err := s.parse(l, arguments)
	if err != nil {
		s.Problem(l.Path, err.Error())
		s.unread[l.Path] = true
		return
	}
	s.Assign(l.Path, v)
}

// Assign sets the parameter at a dotted path to a value, without parsing it. The members of a map are
// added to those that the parameter has.
func (s *Set) Assign(path string, v any) {
	object := s.values
	names := strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		next, ok := object[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			object[name] = next
		}
		object = next
	}
	last := names[len(names)-1]
	if more, ok := v.(map[string]any); ok {
		if have, ok := object[last].(map[string]any); ok {
			maps.Copy(have, more)
			return
		}
	}
	object[last] = v
}

// Values returns the parameters without checking them.
func (s *Set) Values() map[string]any { return s.values }

// Check completes the parameters, and returns a [*gocardless.ParamsError] with every problem, or nil.
func (s *Set) Check() error {
	for _, c := range s.later {
		if err := s.agree(c.leaf, c.currencies); err != nil {
			s.Problem(c.leaf.Path, err.Error())
		}
	}
	if s.op.Params != nil && !s.Lax {
		fill(s.op.Params, s.values)
		s.object(s.op.Params, s.values, "")
	}
	if len(s.problems) == 0 {
		return nil
	}
	return &gocardless.ParamsError{Operation: s.op.Name, Problems: s.problems}
}

// Split divides the parameters into the members of the body, the query and the headers.
func (s *Set) Split() (body map[string]any, query url.Values, header map[string]string) {
	body, query, header = map[string]any{}, url.Values{}, map[string]string{}
	for name, v := range s.values {
		place := spec.InBody
		if f := s.op.Params.Field(name); f != nil {
			place = f.In
		} else if s.op.Request == "" {
			place = spec.InQuery
		}
		switch place {
		case spec.InHeader:
			header[name] = Text(v)
		case spec.InBody:
			body[name] = v
		case spec.InQueryRepeat:
			items, _ := v.([]any)
			for _, item := range items {
				query.Add(name, Text(item))
			}
		default:
			addQuery(query, name, v)
		}
	}
	return body, query, header
}

func addQuery(query url.Values, name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for sub, v := range v {
			query.Set(name+"["+sub+"]", Text(v))
		}
	case []any:
		var parts []string
		for _, item := range v {
			parts = append(parts, Text(item))
		}
		query.Set(name, strings.Join(parts, ","))
	default:
		query.Set(name, Text(v))
	}
}

// Text formats a scalar for a query.
func Text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case nil:
		return ""
	}
	return fmt.Sprint(v)
}
