package api

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// The queries of requests. Clients write a list of values in four forms: status=a,b (Node, Java, .NET),
// status=a&status=b (Go, Python), status[]=a&status[]=b (Ruby) and status[0]=a (PHP). The sandbox
// accepts all of them. It refuses unknown filters, because ignoring a filter would return the wrong
// rows.

// ReadQuery normalises a query: each parameter of the operation once, lists joined with commas,
// booleans in lower case. It refuses unknown parameters and bad values.
func (o *Operation) ReadQuery(given url.Values) (url.Values, *Error) {
	q := url.Values{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		base, sub, deep := strings.Cut(name, "[")
		f := o.param(base)
		switch {
		case f == nil && o.Kind == OpRead && !o.List:
			continue // Python re-reads a resource with the members of its create request
		case f == nil:
			return nil, badFilter(value.Short(base), "%q is not a permitted filter", value.Short(base))
		}
		sub, closed := strings.CutSuffix(sub, "]")
		if deep && !closed {
			return nil, badFilter(base, "%s has an unclosed bracket", base)
		}
		p := queryParam{spec: f, sub: sub, deep: deep}
		if msg := p.add(q, given[name]); msg != "" {
			return nil, badFilter(base, "%s %s", base, msg)
		}
	}
	for i := range o.Query {
		if f := &o.Query[i]; f.Required && q.Get(f.Name) == "" {
			return nil, badFilter(f.Name, "%q wasn't supplied", f.Name)
		}
	}
	return q, nil
}

// badFilter refuses a query parameter.
func badFilter(name, format string, args ...any) *Error {
	e := Refuse("invalid_filters", fmt.Sprintf(format, args...))
	e.Items[0].Field = name
	return e
}

// param finds a query parameter of the operation.
func (o *Operation) param(name string) *Field {
	i := slices.IndexFunc(o.Query, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &o.Query[i]
}

// TakesList reports whether a parameter takes several values. Every enum does, whatever its
// documentation states, except the order of a list.
func (f *Field) TakesList() bool {
	return f.Kind == KindArray || f.Enum != nil && !strings.HasPrefix(f.Name, "sort_")
}

// queryParam is one parameter as a client wrote it: name[sub]=value.
type queryParam struct {
	spec *Field
	sub  string
	deep bool
}

// add adds the values to the normalised query. It returns a description of what is wrong with them, or
// "".
func (p queryParam) add(q url.Values, values []string) string {
	f := p.spec
	name := f.Name
	switch {
	case f.Kind == KindMetadata || f.Kind == KindStringMap || f.Style == StyleDeep:
		member, problem := p.member()
		if problem != "" {
			return problem
		}
		f, name = member, name+"["+p.sub+"]"
	case f.TakesList() && p.isIndex():
		values = strings.Split(strings.Join(values, ","), ",")
	case p.deep:
		return "takes a single value"
	}
	if len(values) > 1 && !f.TakesList() {
		return "is given twice"
	}
	for i, v := range values {
		if f.Kind == KindBool {
			values[i] = strings.ToLower(v) // Python writes True
		}
		if problem := checkParam(f, values[i]); problem != "" {
			return problem
		}
	}
	if before := q.Get(name); before != "" {
		values = append([]string{before}, values...)
	}
	q.Set(name, strings.Join(values, ","))
	return ""
}

// isIndex reports whether the brackets, if any, are those of a list: empty or a position.
func (p queryParam) isIndex() bool {
	_, err := strconv.ParseUint(p.sub, 10, 31)
	return p.sub == "" || err == nil
}

// member returns the field that the brackets of a comparison or of metadata name.
func (p queryParam) member() (f *Field, problem string) {
	switch {
	case p.spec.Style != StyleDeep || p.spec.Kind == KindMetadata || p.spec.Kind == KindStringMap:
		if p.sub == "" {
			return nil, "must be given as " + p.spec.Name + "[key]=value"
		}
		return &Field{Name: p.spec.Name}, ""
	case !p.deep:
		return nil, "must be given as " + p.spec.Name + "[gte]=value, or with gt, lt or lte"
	}
	if f = p.spec.Type.Field(p.sub); f == nil {
		return nil, "must be compared with gt, gte, lt or lte"
	}
	return f, ""
}

// checkParam returns a description of what is wrong with a value, or "".
func checkParam(f *Field, v string) string {
	if f.Kind == KindArray {
		f = f.Elem
	}
	var err error
	expected := ""
	switch f.Kind {
	case KindInt:
		var n int
		n, err = strconv.Atoi(v)
		if f.Name == "limit" && n < 1 {
			err = strconv.ErrRange
		}
		expected = "must be a positive number"
	case KindBool:
		if v != "true" && v != "false" {
			return "must be true or false"
		}
	case KindDate:
		_, err = time.Parse(value.DateForm, v)
		expected = "must be a date"
	case KindTime:
		_, err = ParseStamp(v)
		expected = "must be a timestamp"
	}
	switch {
	case err != nil:
		return expected
	case f.Enum != nil && !slices.Contains(f.Enum, v):
		return "must be one of: " + strings.Join(f.Enum, ", ")
	case f.Name == "country_code" && !bank.KnownCountry(v):
		return "must be an ISO 3166-1 alpha-2 code"
	}
	return ""
}

// ParseStamp converts a timestamp of a filter into the store's form. A plain date means midnight.
func ParseStamp(v string) (string, error) {
	// An unescaped plus sign arrives as a space.
	t, err := time.Parse(time.RFC3339, strings.Replace(v, " ", "+", 1))
	if err != nil {
		if t, err = time.Parse(value.DateForm, v); err != nil {
			return "", err
		}
	}
	return value.Stamp(t), nil
}
