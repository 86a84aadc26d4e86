package gocardlesstest

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
)

// The queries of requests. Clients write a list of values in four forms: status=a,b (Node, Java,
// .NET), status=a&status=b (Go, Python), status[]=a&status[]=b (Ruby) and status[0]=a (PHP). All
// mean the same here. What is not understood is refused: a filter that is ignored would reply with
// the wrong rows.

// readQuery brings a query into one form: each parameter of the operation once, lists joined with
// commas, booleans in lower case. It refuses parameters that the operation does not have, and
// values that make no sense.
func readQuery(op *opSpec, given url.Values) (url.Values, *apiError) {
	q := url.Values{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		base, sub, deep := strings.Cut(name, "[")
		f := op.param(base)
		switch {
		case f == nil && op.kind == kindRead && !op.list:
			continue // Python re-reads a resource with the members of its create request
		case f == nil:
			return nil, badFilter(short(base), "%q is not a permitted filter", short(base))
		}
		sub, closed := strings.CutSuffix(sub, "]")
		if deep && !closed {
			return nil, badFilter(base, "%s has a bracket that is not closed", base)
		}
		p := queryParam{spec: f, sub: sub, deep: deep}
		if msg := p.add(q, given[name]); msg != "" {
			return nil, badFilter(base, "%s %s", base, msg)
		}
	}
	for i := range op.query {
		if f := &op.query[i]; f.required && q.Get(f.name) == "" {
			return nil, badFilter(f.name, "%q wasn't supplied", f.name)
		}
	}
	return q, nil
}

// badFilter refuses a query parameter.
func badFilter(name, format string, args ...any) *apiError {
	e := refuse("invalid_filters", fmt.Sprintf(format, args...))
	e.items[0].field = name
	return e
}

// param finds a query parameter of the operation.
func (o *opSpec) param(name string) *fieldSpec {
	i := slices.IndexFunc(o.query, func(f fieldSpec) bool { return f.name == name })
	if i < 0 {
		return nil
	}
	return &o.query[i]
}

// takesList reports whether a parameter takes several values. Every list takes several values of
// an enum, whatever its documents say; only the order of a list is one.
func (f *fieldSpec) takesList() bool {
	return f.kind == kArray || f.enum != nil && !strings.HasPrefix(f.name, "sort_")
}

// queryParam is one parameter as a client wrote it: name[sub]=value.
type queryParam struct {
	spec *fieldSpec
	sub  string
	deep bool
}

// add writes the values into a query in its one form. It describes what is wrong with them, ""
// when nothing is.
func (p queryParam) add(q url.Values, values []string) string {
	f := p.spec
	name := f.name
	switch {
	case f.kind == kMetadata || f.kind == kStringMap || f.style == deepStyle:
		member, problem := p.member()
		if problem != "" {
			return problem
		}
		f, name = member, name+"["+p.sub+"]"
	case f.takesList() && p.isIndex():
		values = strings.Split(strings.Join(values, ","), ",")
	case p.deep:
		return "takes a single value"
	}
	if len(values) > 1 && !f.takesList() {
		return "is given twice"
	}
	for i, v := range values {
		if f.kind == kBool {
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

// member is what the brackets of a comparison or of metadata lead to.
func (p queryParam) member() (f *fieldSpec, problem string) {
	switch {
	case p.spec.style != deepStyle || p.spec.kind == kMetadata || p.spec.kind == kStringMap:
		if p.sub == "" {
			return nil, "must be given as " + p.spec.name + "[key]=value"
		}
		return &fieldSpec{name: p.spec.name}, ""
	case !p.deep:
		return nil, "must be given as " + p.spec.name + "[gte]=value or the like"
	}
	if f = p.spec.typ.field(p.sub); f == nil {
		return nil, "must be compared with gt, gte, lt or lte"
	}
	return f, ""
}

// checkParam describes what is wrong with one value, "" when nothing is.
func checkParam(f *fieldSpec, v string) string {
	if f.kind == kArray {
		f = f.elem
	}
	var err error
	expected := ""
	switch f.kind {
	case kInt:
		var n int
		n, err = strconv.Atoi(v)
		if f.name == "limit" && n < 1 {
			err = strconv.ErrRange
		}
		expected = "must be a positive number"
	case kBool:
		if v != "true" && v != "false" {
			return "must be true or false"
		}
	case kDate:
		_, err = time.Parse(dateForm, v)
		expected = "must be a date"
	case kTime:
		_, err = parseStamp(v)
		expected = "must be a timestamp"
	}
	switch {
	case err != nil:
		return expected
	case f.enum != nil && !slices.Contains(f.enum, v):
		return "must be one of: " + strings.Join(f.enum, ", ")
	case f.name == "country_code" && !bank.KnownCountry(v):
		return "must be an ISO 3166-1 alpha-2 code"
	}
	return ""
}

// parseStamp reads a timestamp of a filter into the store's own form. A plain date is midnight.
func parseStamp(v string) (string, error) {
	// A plus sign that was not escaped arrives as a space.
	t, err := time.Parse(time.RFC3339, strings.Replace(v, " ", "+", 1))
	if err != nil {
		if t, err = time.Parse(dateForm, v); err != nil {
			return "", err
		}
	}
	return stamp(t), nil
}
