package store

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Record is a resource: a slot for each member of its reply schema, and private members.
//
// A nil slot is null where the schema allows null, and otherwise absent. Slots are read and written by
// name; a name that the schema does not have is a bug and panics. All writes happen under the sandbox's
// write lock.
type Record struct {
	Coll    *Collection
	ID      string
	seq     int64 // position in the collection
	Removed bool  // calls with the id fail with 410, and lists skip it
	dirty   bool  // changed since the journal was last written
	Vals    []any
	Private value.Object // members that replies do not show
	reply   atomic.Pointer[rendered]
}

// rendered is a reply body, kept until the record changes.
type rendered struct {
	key  string // values of the computed members
	body []byte
}

// Omitted is the value of a member that is left out, even if it could be null.
type Omitted struct{}

func (r *Record) slot(name string) int {
	i := r.Coll.Spec.Index(name)
	if i < 0 {
		panic(fmt.Sprintf("gocardlesstest: %s has no member %q", r.Coll.Name, name))
	}
	return i
}

// Get returns the value of a member.
func (r *Record) Get(name string) any {
	if name == "id" {
		return r.ID
	}
	return r.Vals[r.slot(name)]
}

// Str returns a string member, or "" if it is null.
func (r *Record) Str(name string) string { s, _ := r.Get(name).(string); return s }

// Num returns an integer member, or 0 if it is null.
func (r *Record) Num(name string) int64 { n, _ := r.Get(name).(int64); return n }

// Flag returns a boolean member, or false if it is null.
func (r *Record) Flag(name string) bool { b, _ := r.Get(name).(bool); return b }

// Obj returns an object member, or nil if it is null.
func (r *Record) Obj(name string) value.Object { o, _ := r.Get(name).(value.Object); return o }

// Status returns the status, which nearly every resource has.
func (r *Record) Status() string { return r.Str("status") }

// Link returns the id at links.name, or "".
func (r *Record) Link(name string) string { return r.Obj("links").Str(name) }

// Ref returns a private string member.
func (r *Record) Ref(name string) string { return r.Private.Str(name) }

// Set sets a member.
func (r *Record) Set(name string, val any) {
	i := r.slot(name)
	if n, ok := val.(int); ok {
		val = int64(n)
	}
	r.Vals[i] = val
	r.Touch()
}

// SetLink sets links.name. An indexed link must be set before the record is added.
func (r *Record) SetLink(name, id string) { r.Set("links", r.Obj("links").With(name, id)) }

// SetRef sets a private string member, such as the id of a related record.
func (r *Record) SetRef(name, val string) { Hidden[string](name).Set(r, val) }

// Hidden is the name of a private member of records, with the type of its value, which must be one that
// the state file can hold.
type Hidden[T any] string

// Of returns the member, or the zero value.
func (h Hidden[T]) Of(r *Record) T {
	v, _ := r.Private.Get(string(h)).(T)
	return v
}

// Set sets the member.
func (h Hidden[T]) Set(r *Record, v T) {
	r.Private = r.Private.With(string(h), v)
	r.Touch()
}

// Metadata returns the metadata of the resource, or {}.
func (r *Record) Metadata() value.Object {
	if i := r.Coll.Spec.Index("metadata"); i >= 0 {
		if o, ok := r.Vals[i].(value.Object); ok {
			return o
		}
	}
	return value.Object{}
}

// Object returns the record's members without null ones.
func (r *Record) Object() value.Object {
	o := value.Object{{"id", r.ID}}
	for i := range r.Coll.Spec.Fields {
		if f := &r.Coll.Spec.Fields[i]; r.Vals[i] != nil && f.Name != "id" {
			o = append(o, value.Member{f.Name, r.Vals[i]})
		}
	}
	return o
}

// Touch marks the record as changed.
func (r *Record) Touch() {
	if r.reply.Load() != nil { // a load is much cheaper than a store
		r.reply.Store(nil)
	}
	if !r.dirty {
		r.dirty = true
		r.Coll.Store.dirty = append(r.Coll.Store.dirty, r)
	}
}

// CopyFrom copies the members of a request body that the resource has under the same name, and the
// defaults of those that the body omits.
func (r *Record) CopyFrom(spec *api.Type, body value.Object) {
	for i := range spec.Fields {
		f := &spec.Fields[i]
		j := r.Coll.Spec.Index(f.Name)
		if j < 0 || f.Name == "links" || f.Name == "id" {
			continue
		}
		if v, there := body.Lookup(f.Name); there {
			r.Vals[j] = v
		} else if f.Default != "" && r.Vals[j] == nil {
			r.Vals[j] = defaultValue(f)
		}
	}
	r.Touch()
}

func defaultValue(f *api.Field) any {
	v, err := value.Parse([]byte(f.Default))
	if err != nil {
		panic("gocardlesstest: bad default of " + f.Name)
	}
	return v
}

// Body renders the resource for a reply. The bytes are shared: do not write to them.
func (r *Record) Body(now time.Time) []byte {
	if r.Coll.Live {
		return r.render(now, make([]byte, 0, 1024), nil)
	}
	key := ""
	for _, c := range r.Coll.Computed {
		if c.Moves {
			s, _ := c.Value(now, r).(string)
			key += s + "|"
		}
	}
	if c := r.reply.Load(); c != nil && c.key == key {
		return c.body
	}
	b := r.render(now, make([]byte, 0, 512), nil)
	r.reply.Store(&rendered{key, b})
	return b
}

// render writes the resource without the members in leave.
func (r *Record) render(now time.Time, dst []byte, leave []string) []byte {
	dst = append(dst, '{')
	n := 0
	for i := range r.Coll.Spec.Fields {
		f := &r.Coll.Spec.Fields[i]
		v := r.Vals[i]
		if f.Name == "id" {
			v = r.ID
		}
		for _, c := range r.Coll.Computed {
			if c.Name == f.Name {
				v = c.Value(now, r)
			}
		}
		for _, l := range leave {
			if l == f.Name {
				v = Omitted{}
			}
		}
		dst, n = appendMember(dst, f, v, n)
	}
	return append(dst, '}')
}

// appendMember writes a member of a typed object and counts it.
func appendMember(dst []byte, f *api.Field, v any, n int) ([]byte, int) {
	if v == nil && f.Kind == api.KindMetadata && f.Name == "metadata" {
		v = value.Object{} // recorded replies have {}, even where the description allows null
	}
	if v == nil && !f.Nullable {
		switch f.Kind {
		case api.KindArray:
			v = []any{}
		case api.KindMetadata, api.KindStringMap, api.KindAnyMap, api.KindMap:
			v = value.Object{}
		case api.KindObject:
			if f.Name != "links" {
				return dst, n
			}
			v = value.Object{}
		default:
			return dst, n
		}
	}
	if _, out := v.(Omitted); out {
		return dst, n
	}
	if n > 0 {
		dst = append(dst, ',')
	}
	dst = append(value.AppendString(dst, f.Name), ':')
	return appendTyped(dst, f, v, f.Name == "links"), n + 1
}

// appendTyped writes a value in the order of its schema. Missing members of links are left out; other
// members that may be null are written as null.
func appendTyped(dst []byte, f *api.Field, v any, links bool) []byte {
	switch v := v.(type) {
	case value.Object:
		if f.Kind == api.KindMap {
			return appendMap(dst, f.Elem, v)
		}
		if f.Type == nil {
			return value.Append(dst, v)
		}
		return AppendObject(dst, f.Type, v, links)
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendTyped(dst, f.Elem, e, false)
		}
		return append(dst, ']')
	}
	return value.Append(dst, v)
}

// AppendObject writes an object with the members of a type, in the type's order.
func AppendObject(dst []byte, t *api.Type, o value.Object, links bool) []byte {
	dst = append(dst, '{')
	n := 0
	for i := range t.Fields {
		f := &t.Fields[i]
		v, there := o.Lookup(f.Name)
		if !there && (links || t.Union || f.Kind == api.KindArray || f.Kind == api.KindAnyMap || f.Kind == api.KindMap) {
			continue
		}
		dst, n = appendMember(dst, f, v, n)
	}
	return append(dst, '}')
}

// appendMap writes an object whose values are of one type.
func appendMap(dst []byte, elem *api.Field, o value.Object) []byte {
	dst = append(dst, '{')
	for i, m := range o {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendTyped(append(value.AppendString(dst, m.Key), ':'), elem, m.Val, false)
	}
	return append(dst, '}')
}
