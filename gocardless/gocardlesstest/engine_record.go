package gocardlesstest

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// record is one resource: a slot for each member of its reply schema, and private members.
//
// A nil slot is null where the schema allows null and absent where it does not. Slots are read
// and written by name; a name that the schema does not have is a mistake in this package and
// panics. All writes happen under the sandbox's write lock.
type record struct {
	coll    *collection
	id      string
	seq     int64 // position in the collection
	removed bool  // gone for good: the id answers 410 and lists skip it
	dirty   bool  // changed since the journal was last written
	vals    []any
	private object // what replies do not show: filters, plans, secrets of the life cycle
	reply   atomic.Pointer[rendered]
}

// rendered is a reply body, kept until the record changes.
type rendered struct {
	key  string // values of the computed members that it was made with
	body []byte
}

// omitted leaves out a member that would otherwise be null.
type omitted struct{}

func (r *record) slot(name string) int {
	i := r.coll.spec.Index(name)
	if i < 0 {
		panic(fmt.Sprintf("gocardlesstest: %s has no member %q", r.coll.name, name))
	}
	return i
}

// get is the value of a member.
func (r *record) get(name string) any {
	if name == "id" {
		return r.id
	}
	return r.vals[r.slot(name)]
}

// str is a string member, "" when it is null.
func (r *record) str(name string) string { s, _ := r.get(name).(string); return s }

// num is an integer member, 0 when it is null.
func (r *record) num(name string) int64 { n, _ := r.get(name).(int64); return n }

// flag is a boolean member, false when it is null.
func (r *record) flag(name string) bool { b, _ := r.get(name).(bool); return b }

// obj is an object member, nil when it is null.
func (r *record) obj(name string) object { o, _ := r.get(name).(object); return o }

// status is the member that nearly every resource has.
func (r *record) status() string { return r.str("status") }

// link is the id at links.name, "" when there is none.
func (r *record) link(name string) string { return r.obj("links").Str(name) }

// ref reads a private string member.
func (r *record) ref(name string) string { return r.private.Str(name) }

// set writes a member.
func (r *record) set(name string, val any) {
	i := r.slot(name)
	if n, ok := val.(int); ok {
		val = int64(n)
	}
	r.vals[i] = val
	r.touch()
}

// setLink writes links.name. Links that lists filter by must be there when the record is added.
func (r *record) setLink(name, id string) { r.set("links", r.obj("links").With(name, id)) }

// setRef writes a private string member, such as the id of a related record.
func (r *record) setRef(name, val string) { hidden[string](name).set(r, val) }

// hidden names a private member of records and fixes the type of its value: one of the types that
// the state file can hold.
type hidden[T any] string

// of reads the member, the zero value if it is not set.
func (h hidden[T]) of(r *record) T {
	v, _ := r.private.Get(string(h)).(T)
	return v
}

// set writes the member.
func (h hidden[T]) set(r *record, v T) {
	r.private = r.private.With(string(h), v)
	r.touch()
}

// metadata is the metadata of the resource, {} when it has none.
func (r *record) metadata() object {
	if i := r.coll.spec.Index("metadata"); i >= 0 {
		if o, ok := r.vals[i].(object); ok {
			return o
		}
	}
	return object{}
}

// object is what a record's members are, with null ones left out.
func (r *record) object() object {
	o := object{{"id", r.id}}
	for i := range r.coll.spec.Fields {
		if f := &r.coll.spec.Fields[i]; r.vals[i] != nil && f.Name != "id" {
			o = append(o, member{f.Name, r.vals[i]})
		}
	}
	return o
}

// touch marks the record as changed.
func (r *record) touch() {
	r.reply.Store(nil)
	if !r.dirty {
		r.dirty = true
		r.coll.store.dirty = append(r.coll.store.dirty, r)
	}
}

// copyFrom takes over the members of a request body that the resource has under the same name,
// and the defaults of those that the body leaves out.
func (r *record) copyFrom(spec *api.Type, body object) {
	for i := range spec.Fields {
		f := &spec.Fields[i]
		j := r.coll.spec.Index(f.Name)
		if j < 0 || f.Name == "links" || f.Name == "id" {
			continue
		}
		if v, there := body.Lookup(f.Name); there {
			r.vals[j] = v
		} else if f.Default != "" && r.vals[j] == nil {
			r.vals[j] = defaultValue(f)
		}
	}
	r.touch()
}

func defaultValue(f *api.Field) any {
	v, err := value.Parse([]byte(f.Default))
	if err != nil {
		panic("gocardlesstest: bad default of " + f.Name)
	}
	return v
}

// body renders the resource as it stands in a reply. The bytes are shared: do not write to them.
func (r *record) body(now time.Time) []byte {
	if r.coll.live {
		return r.render(now, make([]byte, 0, 1024), nil)
	}
	key := ""
	for _, c := range r.coll.computed {
		if c.moves {
			s, _ := c.value(now, r).(string)
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

// render writes the resource; members named in leave are left out.
func (r *record) render(now time.Time, dst []byte, leave []string) []byte {
	dst = append(dst, '{')
	n := 0
	for i := range r.coll.spec.Fields {
		f := &r.coll.spec.Fields[i]
		v := r.vals[i]
		if f.Name == "id" {
			v = r.id
		}
		for _, c := range r.coll.computed {
			if c.name == f.Name {
				v = c.value(now, r)
			}
		}
		for _, l := range leave {
			if l == f.Name {
				v = omitted{}
			}
		}
		dst, n = appendMember(dst, f, v, n, false)
	}
	return append(dst, '}')
}

// appendMember writes a member of a typed object and counts it.
func appendMember(dst []byte, f *api.Field, v any, n int, inLinks bool) ([]byte, int) {
	if v == nil && f.Kind == api.KindMetadata && f.Name == "metadata" {
		v = object{} // captures of the API have {}, also where its description allows null
	}
	if v == nil && !f.Nullable {
		switch f.Kind {
		case api.KindArray:
			v = []any{}
		case api.KindMetadata, api.KindStringMap, api.KindAnyMap, api.KindMap:
			v = object{}
		case api.KindObject:
			if f.Name != "links" {
				return dst, n
			}
			v = object{}
		default:
			return dst, n
		}
	}
	if _, out := v.(omitted); out {
		return dst, n
	}
	if n > 0 {
		dst = append(dst, ',')
	}
	dst = append(value.AppendString(dst, f.Name), ':')
	return appendTyped(dst, f, v, f.Name == "links"), n + 1
}

// appendTyped writes a value in the order of its schema. Members of links that do not apply are
// left out; other members that may be null are written as null.
func appendTyped(dst []byte, f *api.Field, v any, links bool) []byte {
	switch v := v.(type) {
	case object:
		if f.Kind == api.KindMap {
			return appendMap(dst, f.Elem, v)
		}
		if f.Type == nil {
			return value.Append(dst, v)
		}
		return appendObject(dst, f.Type, v, links)
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

func appendObject(dst []byte, t *api.Type, o object, links bool) []byte {
	dst = append(dst, '{')
	n := 0
	for i := range t.Fields {
		f := &t.Fields[i]
		v, there := o.Lookup(f.Name)
		if !there && (links || t.Union || f.Kind == api.KindArray || f.Kind == api.KindAnyMap || f.Kind == api.KindMap) {
			continue
		}
		dst, n = appendMember(dst, f, v, n, links)
	}
	return append(dst, '}')
}

// appendMap writes an object whose values are of one type.
func appendMap(dst []byte, elem *api.Field, o object) []byte {
	dst = append(dst, '{')
	for i, m := range o {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendTyped(append(value.AppendString(dst, m.Key), ':'), elem, m.Val, false)
	}
	return append(dst, '}')
}
