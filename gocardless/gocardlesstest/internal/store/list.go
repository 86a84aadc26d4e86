package store

import (
	"cmp"
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

const (
	DefaultLimit = 50
	MaxLimit     = 500
)

// ListPlan is how a list operation filters. It is derived once from the query parameters.
type ListPlan struct {
	op      *api.Operation
	filters []listFilter
}

// FilterFunc reports whether a record passes a list filter.
type FilterFunc func(r *Record, value string) bool

// listFilter is one parameter of a list.
type listFilter struct {
	param  string
	test   FilterFunc // nil if the sandbox cannot filter by the parameter
	many   bool       // takes several values
	field  int        // position of the member, or -1
	link   string     // link or private member, or ""
	ranged bool       // created_at[gte]=…
}

// PlanList resolves the parameters of a list: to a filter, which is found under the names of the
// operation and the parameter, or else to a member, a link or a private member of the same name. A
// parameter that is none of these has no test, and a query with it is refused.
func PlanList(op *api.Operation, filters map[string]FilterFunc, private []string) *ListPlan {
	p := &ListPlan{op: op}
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
		case hasLink(spec, q.Name) || slices.Contains(private, q.Name):
			f.link, f.test = q.Name, linkFilter(q.Name)
		}
		p.filters = append(p.filters, f)
	}
	return p
}

// Listing is a page of a list.
type Listing struct {
	Recs          []*Record
	Objs          []value.Object // instead of records
	Leave         []string       // members left out of the rows
	before, after string
	Limit         int
	Linked        []LinkedGroup
	Bare          bool // without the meta member
}

// LinkedGroup is one member of "linked".
type LinkedGroup struct {
	Name string
	Recs []*Record
}

// Render writes the page in its envelope.
func (p *Listing) Render(now time.Time, op *api.Operation) []byte {
	b := make([]byte, 0, 256+700*len(p.Recs))
	b = append(b, `{"`...)
	b = append(b, op.Reply...)
	b = append(b, `":[`...)
	b = commaSeparated(b, p.Recs, func(b []byte, r *Record) []byte {
		if p.Leave != nil {
			return r.render(now, b, p.Leave)
		}
		return append(b, r.Body(now)...)
	})
	b = commaSeparated(b, p.Objs, func(b []byte, o value.Object) []byte { return AppendObject(b, op.Result, o, false) })
	b = append(b, ']')
	if p.Linked != nil {
		b = append(b, `,"linked":{`...)
		b = commaSeparated(b, p.Linked, func(b []byte, g LinkedGroup) []byte {
			b = append(value.AppendString(b, g.Name), ":["...)
			b = commaSeparated(b, g.Recs, func(b []byte, r *Record) []byte { return append(b, r.Body(now)...) })
			return append(b, ']')
		})
		b = append(b, '}')
	}
	if p.Bare {
		return append(b, '}')
	}
	cursor := func(id string) any {
		if id == "" {
			return nil
		}
		return id
	}
	b = append(b, `,"meta":`...)
	b = value.Append(b, value.Object{{"cursors", value.Object{{"before", cursor(p.before)}, {"after", cursor(p.after)}}}, {"limit", int64(p.Limit)}})
	return append(b, '}')
}

func commaSeparated[T any](b []byte, items []T, add func([]byte, T) []byte) []byte {
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = add(b, item)
	}
	return b
}

// Match tests a record.
type Match func(*Record) bool

// Page returns the page of a collection that a query asks for. Records must also pass the given tests.
func (p *ListPlan) Page(c *Collection, query url.Values, also ...Match) (*Listing, error) {
	recs := c.Recs
	matches := append([]Match{func(r *Record) bool { return !r.Removed }}, also...)
	for _, f := range p.filters {
		if f.test == nil && given(query, f.param) {
			return nil, api.Refuse("invalid_filters", "The sandbox does not filter "+p.op.Resource()+" by "+f.param)
		}
		m, narrowed := f.matcher(c, query)
		if m != nil {
			matches = append(matches, m)
		}
		if narrowed != nil && len(narrowed) < len(recs) {
			recs = narrowed
		}
	}
	after, before := query.Get("after"), query.Get("before")
	for _, cursor := range []string{after, before} {
		if cursor != "" && c.ByID[cursor] == nil {
			return nil, api.Refuse("invalid_filters", "The cursor is not the id of a resource of this list")
		}
	}
	if query.Get("sort_field") != "" || query.Get("sort_direction") != "" {
		return sortedListing(c, recs, all(matches), query), nil
	}
	return newestFirst(recs, all(matches), c.ByID[after], c.ByID[before], PageSize(query)), nil
}

// given reports whether a query has a parameter, by itself or with an operator, as in name[gt].
func given(query url.Values, name string) bool {
	for key := range query {
		if base, _, _ := strings.Cut(key, "["); base == name {
			return true
		}
	}
	return false
}

// all returns a test that requires all tests to pass.
func all(tests []Match) Match {
	return func(r *Record) bool {
		for _, t := range tests {
			if !t(r) {
				return false
			}
		}
		return true
	}
}

// PageSize returns the page size that a query asks for, up to the maximum.
func PageSize(query url.Values) int {
	n, err := strconv.Atoi(query.Get("limit"))
	if err != nil {
		return DefaultLimit
	}
	return min(n, MaxLimit)
}

// newestFirst returns a page of the records from the newest on. Records after a cursor are older, and
// those before it newer; a page before a cursor ends next to it.
func newestFirst(recs []*Record, keep Match, after, before *Record, limit int) *Listing {
	top, end := len(recs), 0
	if after != nil {
		top = position(recs, after.seq)
	}
	if before != nil {
		end = position(recs, before.seq+1)
	}
	p := &Listing{Limit: limit}
	if before != nil && after == nil {
		// The page holds the oldest of the newer records, so walk upwards.
		kept, more := firstKept(slices.All(recs[end:]), keep, limit)
		if more {
			p.before = kept[limit-1].ID
		}
		slices.Reverse(kept)
		if n := len(kept); n > 0 && hasOlder(recs, keep, kept[n-1].seq) {
			p.after = kept[n-1].ID
		}
		p.Recs = kept
		return p
	}
	kept, more := firstKept(slices.Backward(recs[min(end, top):top]), keep, limit)
	if more {
		p.after = kept[limit-1].ID
	}
	if after != nil && len(kept) > 0 {
		p.before = kept[0].ID
	}
	p.Recs = kept
	return p
}

// position returns the position of the first record whose sequence number is at least seq.
func position(recs []*Record, seq int64) int {
	i, _ := slices.BinarySearchFunc(recs, seq, func(r *Record, seq int64) int { return cmp.Compare(r.seq, seq) })
	return i
}

// firstKept returns the first records that pass, up to a limit, and reports whether there are more.
func firstKept(recs iter.Seq2[int, *Record], keep Match, limit int) (kept []*Record, more bool) {
	for _, r := range recs {
		if !keep(r) {
			continue
		}
		if len(kept) == limit {
			return kept, true
		}
		kept = append(kept, r)
	}
	return kept, false
}

func hasOlder(recs []*Record, keep Match, seq int64) bool {
	_, found := firstKept(slices.Backward(recs[:position(recs, seq)]), keep, 0)
	return found
}

// sortedListing returns a page of a list with sort_field or sort_direction.
func sortedListing(c *Collection, recs []*Record, keep Match, query url.Values) *Listing {
	limit := PageSize(query)
	sorted := slices.DeleteFunc(slices.Clone(recs), func(r *Record) bool { return !keep(r) })
	value := sortValue(c, query.Get("sort_field"))
	slices.SortStableFunc(sorted, func(a, b *Record) int {
		return cmp.Or(compareValues(value(a), value(b)), cmp.Compare(a.seq, b.seq))
	})
	if query.Get("sort_direction") != "asc" {
		slices.Reverse(sorted)
	}
	place := func(id string) int {
		return slices.IndexFunc(sorted, func(r *Record) bool { return r.ID == id })
	}
	from, to := 0, len(sorted)
	after, before := query.Get("after"), query.Get("before")
	if after != "" {
		from = place(after) + 1
	}
	if before != "" {
		to = max(0, place(before))
		if after == "" {
			from = max(0, to-limit)
		}
	}
	to = max(from, min(to, from+limit))
	p := &Listing{Limit: limit, Recs: sorted[from:to]}
	if n := len(p.Recs); n > 0 {
		if from > 0 {
			p.before = p.Recs[0].ID
		}
		if to < len(sorted) {
			p.after = p.Recs[n-1].ID
		}
	}
	return p
}

// sortValue returns a function that returns the value by which a record is sorted.
func sortValue(c *Collection, field string) func(*Record) any {
	switch {
	case field == "" || field == "created_at":
		return func(r *Record) any { return r.seq }
	case field == "name" && c.Spec.Index("family_name") >= 0:
		return func(r *Record) any { return r.Str("family_name") + " " + r.Str("given_name") }
	}
	return func(r *Record) any { return r.Get(field) }
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

// matcher returns the test of a filter for a query, or nil if the query does not use it. If an index
// serves the filter, it also returns the records that the index finds.
func (f *listFilter) matcher(c *Collection, query url.Values) (Match, []*Record) {
	if f.ranged {
		return f.rangeMatcher(query), nil
	}
	if f.field >= 0 && (c.Spec.Fields[f.field].Kind == api.KindMetadata) {
		return f.metadataMatcher(query), nil
	}
	v := query.Get(f.param)
	if v == "" {
		return nil, nil
	}
	wanted := []string{v}
	if f.many {
		wanted = strings.Split(v, ",")
	}
	m := func(r *Record) bool {
		return slices.ContainsFunc(wanted, func(v string) bool { return f.test(r, v) })
	}
	if f.link != "" && !f.many && slices.Contains(c.Indexed, f.link) {
		found := c.By(f.link, v)
		if found == nil {
			found = []*Record{} // nil means that no index serves the filter
		}
		return m, found
	}
	return m, nil
}

// valueFilter compares the member at a position.
func valueFilter(field int, kind api.Kind) FilterFunc {
	return func(r *Record, v string) bool {
		switch have := r.Vals[field].(type) {
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

// hasLink reports whether a resource has a link of the given name.
func hasLink(spec *api.Type, name string) bool {
	links := spec.Field("links")
	return links != nil && links.Type != nil && links.Type.Index(name) >= 0
}

// linkFilter compares a link or a private member.
func linkFilter(name string) FilterFunc {
	return func(r *Record, v string) bool { return r.Ref(name) == v || r.LinkOrEmpty(name) == v }
}

// rangeMatcher compares a date or timestamp with gt, gte, lt and lte.
func (f *listFilter) rangeMatcher(query url.Values) Match {
	var tests []Match
	for _, op := range []string{"gt", "gte", "lt", "lte"} {
		v := query.Get(f.param + "[" + op + "]")
		if v == "" {
			continue
		}
		if f.param == "created_at" {
			v, _ = api.ParseStamp(v)
		}
		tests = append(tests, func(r *Record) bool {
			s, _ := r.Vals[f.field].(string)
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
		return nil
	}
	return all(tests)
}

// metadataMatcher compares metadata[key]=value.
func (f *listFilter) metadataMatcher(query url.Values) Match {
	wanted := value.Object{}
	for name, values := range query {
		if key, ok := strings.CutPrefix(name, f.param+"["); ok {
			wanted = append(wanted, value.Member{strings.TrimSuffix(key, "]"), values[0]})
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	return func(r *Record) bool {
		have := r.Metadata()
		for _, w := range wanted {
			if have.Str(w.Key) != w.Val.(string) {
				return false
			}
		}
		return true
	}
}
