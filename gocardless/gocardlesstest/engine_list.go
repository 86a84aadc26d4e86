package gocardlesstest

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

const (
	defaultLimit = 50
	maxLimit     = 500
)

// listPlan is how a list operation filters, worked out once from its query parameters.
type listPlan struct {
	filters []listFilter
}

// listFilter is one parameter of a list.
type listFilter struct {
	param  string
	test   filterFunc
	many   bool   // takes several values
	field  int    // position of the member, or -1
	link   string // link or private member, else ""
	ranged bool   // created_at[gte]=…
}

// planList resolves the parameters of a list: a filter of the family, which is found under the names of
// operation and parameter, or else a member, a link or a private member of the same name.
func planList(op *api.Operation, filters map[string]filterFunc) *listPlan {
	p := &listPlan{}
	spec := op.Result
	for _, q := range op.Query {
		switch q.Name {
		case "after", "before", "limit", "sort_field", "sort_direction", "include":
			continue
		}
		f := listFilter{param: q.Name, field: -1, many: q.TakesList()}
		switch i := spec.Index(q.Name); {
		case filters[op.Name+" "+q.Name] != nil:
			f.test = filters[op.Name+" "+q.Name]
		case i >= 0:
			f.field, f.ranged, f.test = i, q.Style == api.StyleDeep, valueFilter(i, q.Kind)
		default:
			f.link, f.test = q.Name, linkFilter(q.Name)
		}
		p.filters = append(p.filters, f)
	}
	return p
}

// listing is the part of a list that a reply shows.
type listing struct {
	recs          []*record
	objs          []object // instead of records
	leave         []string // members left out of the rows
	before, after string
	limit         int
	linked        []linkedGroup
	bare          bool // without meta
}

// linkedGroup is one member of "linked".
type linkedGroup struct {
	name string
	recs []*record
}

// render writes the page in its envelope.
func (p *listing) render(now time.Time, op *api.Operation) []byte {
	b := make([]byte, 0, 256+700*len(p.recs))
	b = append(b, `{"`...)
	b = append(b, op.Reply...)
	b = append(b, `":[`...)
	for i, r := range p.recs {
		if i > 0 {
			b = append(b, ',')
		}
		if p.leave != nil {
			b = r.render(now, b, p.leave)
		} else {
			b = append(b, r.body(now)...)
		}
	}
	for i, o := range p.objs {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendObject(b, op.Result, o, false)
	}
	b = append(b, ']')
	if p.linked != nil {
		b = append(b, `,"linked":{`...)
		for i, g := range p.linked {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(value.AppendString(b, g.name), ":["...)
			for j, r := range g.recs {
				if j > 0 {
					b = append(b, ',')
				}
				b = append(b, r.body(now)...)
			}
			b = append(b, ']')
		}
		b = append(b, '}')
	}
	if p.bare {
		return append(b, '}')
	}
	cursor := func(id string) any {
		if id == "" {
			return nil
		}
		return id
	}
	b = append(b, `,"meta":`...)
	b = value.Append(b, object{{"cursors", object{{"before", cursor(p.before)}, {"after", cursor(p.after)}}}, {"limit", int64(p.limit)}})
	return append(b, '}')
}

// match is a filter ready to be applied.
type match func(*record) bool

// page works out the page of a collection that a query asks for, of the records that also pass what is
// given.
func (p *listPlan) page(c *collection, query url.Values, also ...match) (*listing, error) {
	recs := c.recs
	matches := also
	for _, f := range p.filters {
		if m, narrowed, err := f.matcher(c, query); err != nil {
			return nil, err
		} else if narrowed != nil {
			if len(narrowed) < len(recs) {
				recs = narrowed
			}
			matches = append(matches, m)
		} else if m != nil {
			matches = append(matches, m)
		}
	}
	keep := func(r *record) bool {
		if r.removed {
			return false
		}
		for _, m := range matches {
			if !m(r) {
				return false
			}
		}
		return true
	}
	limit := pageSize(query)
	after, before := query.Get("after"), query.Get("before")
	for _, cursor := range []string{after, before} {
		if cursor != "" && c.byID[cursor] == nil {
			e := api.Refuse("invalid_filters", "The cursor does not name a resource of this list")
			return nil, e
		}
	}
	if query.Get("sort_field") != "" || query.Get("sort_direction") != "" {
		return sortedListing(c, recs, keep, query), nil
	}
	return newestFirst(recs, keep, c.byID[after], c.byID[before], limit), nil
}

// pageSize is the page size that a query asks for. More than 500 is taken as 500.
func pageSize(query url.Values) int {
	n, err := strconv.Atoi(query.Get("limit"))
	if err != nil {
		return defaultLimit
	}
	return min(n, maxLimit)
}

// newestFirst walks the records from the newest. After a cursor means older, before it newer; a
// page before a cursor is the one next to it.
func newestFirst(recs []*record, keep match, after, before *record, limit int) *listing {
	p := &listing{limit: limit}
	high, low := int64(len(recs)), int64(-1) // sequence numbers between which to look, exclusive
	if len(recs) > 0 {
		high = recs[len(recs)-1].seq + 1
	}
	if after != nil {
		high = after.seq
	}
	if before != nil {
		low = before.seq
	}
	start, _ := slices.BinarySearchFunc(recs, high, func(r *record, seq int64) int { return cmp.Compare(r.seq, seq) })
	stop, _ := slices.BinarySearchFunc(recs, low+1, func(r *record, seq int64) int { return cmp.Compare(r.seq, seq) })
	if before != nil && after == nil {
		// The oldest of the newer ones come first, so walk upwards.
		for i := stop; i < len(recs); i++ {
			if keep(recs[i]) {
				if len(p.recs) == limit {
					p.before = p.recs[limit-1].id
					break
				}
				p.recs = append(p.recs, recs[i])
			}
		}
		slices.Reverse(p.recs)
		if n := len(p.recs); n > 0 && hasOlder(recs, keep, p.recs[n-1].seq) {
			p.after = p.recs[n-1].id
		}
		return p
	}
	for i := start - 1; i >= stop; i-- {
		if keep(recs[i]) {
			if len(p.recs) == limit {
				p.after = p.recs[limit-1].id
				break
			}
			p.recs = append(p.recs, recs[i])
		}
	}
	if after != nil && len(p.recs) > 0 {
		p.before = p.recs[0].id
	}
	return p
}

func hasOlder(recs []*record, keep match, seq int64) bool {
	i, _ := slices.BinarySearchFunc(recs, seq, func(r *record, s int64) int { return cmp.Compare(r.seq, s) })
	for i--; i >= 0; i-- {
		if keep(recs[i]) {
			return true
		}
	}
	return false
}

// sortedListing is a page of a list that is sorted by something else than its age.
func sortedListing(c *collection, recs []*record, keep match, query url.Values) *listing {
	field, limit := query.Get("sort_field"), pageSize(query)
	var all []*record
	for _, r := range recs {
		if keep(r) {
			all = append(all, r)
		}
	}
	value := func(r *record) any {
		switch {
		case field == "" || field == "created_at":
			return r.seq
		case field == "name" && c.spec.Index("family_name") >= 0:
			return strings.ToLower(r.str("family_name") + " " + r.str("given_name"))
		}
		return r.get(field)
	}
	slices.SortStableFunc(all, func(a, b *record) int {
		if n := compareValues(value(a), value(b)); n != 0 {
			return n
		}
		return cmp.Compare(a.seq, b.seq)
	})
	if query.Get("sort_direction") != "asc" {
		slices.Reverse(all)
	}
	p := &listing{limit: limit}
	position := func(id string) int {
		return slices.IndexFunc(all, func(r *record) bool { return r.id == id })
	}
	from, to := 0, len(all)
	if id := query.Get("after"); id != "" {
		from = position(id) + 1
	}
	if id := query.Get("before"); id != "" {
		if to = position(id); to < 0 {
			to = 0
		}
		if query.Get("after") == "" {
			from = max(0, to-limit)
		}
	}
	to = max(from, min(to, from+limit))
	p.recs = all[from:to]
	if len(p.recs) > 0 && from > 0 {
		p.before = p.recs[0].id
	}
	if len(p.recs) > 0 && to < len(all) {
		p.after = p.recs[len(p.recs)-1].id
	}
	return p
}

func compareValues(a, b any) int {
	x, xok := a.(int64)
	y, yok := b.(int64)
	if xok && yok {
		return cmp.Compare(x, y)
	}
	s, _ := a.(string)
	t, _ := b.(string)
	return cmp.Compare(strings.ToLower(s), strings.ToLower(t))
}

// matcher makes a filter of a query ready. When an index serves it, the records come with it.
func (f *listFilter) matcher(c *collection, query url.Values) (match, []*record, error) {
	if f.ranged {
		m, err := f.rangeMatcher(query)
		return m, nil, err
	}
	if f.field >= 0 && (c.spec.Fields[f.field].Kind == api.KindMetadata) {
		return f.metadataMatcher(query), nil, nil
	}
	v := query.Get(f.param)
	if v == "" {
		return nil, nil, nil
	}
	wanted := []string{v}
	if f.many {
		wanted = strings.Split(v, ",")
	}
	m := func(r *record) bool {
		return slices.ContainsFunc(wanted, func(v string) bool { return f.test(r, v) })
	}
	if f.link != "" && !f.many && slices.Contains(c.indexed, f.link) {
		found := c.by(f.link, v)
		if found == nil {
			found = []*record{} // nil would mean that no index serves the filter
		}
		return m, found, nil
	}
	return m, nil, nil
}

// valueFilter compares the member at a position.
func valueFilter(field int, kind api.Kind) filterFunc {
	return func(r *record, v string) bool {
		switch have := r.vals[field].(type) {
		case bool:
			return have == (v == "true")
		case int64:
			return strconv.FormatInt(have, 10) == v
		case string:
			return have == v
		}
		return kind == api.KindBool && v == "false"
	}
}

// linkFilter compares a link or a private member.
func linkFilter(name string) filterFunc {
	return func(r *record, v string) bool { return r.ref(name) == v || r.linkOrEmpty(name) == v }
}

// rangeMatcher compares a date or timestamp with gt, gte, lt and lte.
func (f *listFilter) rangeMatcher(query url.Values) (match, error) {
	var tests []match
	for _, op := range []string{"gt", "gte", "lt", "lte"} {
		v := query.Get(f.param + "[" + op + "]")
		if v == "" {
			continue
		}
		if f.param == "created_at" {
			v, _ = api.ParseStamp(v)
		}
		tests = append(tests, func(r *record) bool {
			s, _ := r.vals[f.field].(string)
			if s == "" {
				return false
			}
			switch n := cmp.Compare(s, v); op {
			case "gt":
				return n > 0
			case "gte":
				return n >= 0
			case "lt":
				return n < 0
			default:
				return n <= 0
			}
		})
	}
	if tests == nil {
		return nil, nil
	}
	return func(r *record) bool {
		for _, t := range tests {
			if !t(r) {
				return false
			}
		}
		return true
	}, nil
}

// metadataMatcher serves metadata[key]=value.
func (f *listFilter) metadataMatcher(query url.Values) match {
	wanted := object{}
	for name, values := range query {
		if key, ok := strings.CutPrefix(name, f.param+"["); ok {
			wanted = append(wanted, member{strings.TrimSuffix(key, "]"), values[0]})
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	return func(r *record) bool {
		have := r.metadata()
		for _, w := range wanted {
			if have.Str(w.Key) != w.Val.(string) {
				return false
			}
		}
		return true
	}
}
