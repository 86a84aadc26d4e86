package store

import (
	"fmt"
	"slices"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Save returns the content of a snapshot: the records, and how many ids each collection has made.
func (s *Store) Save() (ids value.Object, records []any) {
	ids, records = value.Object{}, []any{}
	for _, c := range s.Order {
		ids = append(ids, value.Member{c.Name, int64(c.ids.n)})
		for _, r := range c.Recs {
			records = append(records, r.save())
		}
	}
	return ids, records
}

// Changed reports whether any record changed since Written.
func (s *Store) Changed() bool { return len(s.dirty) > 0 }

// Changes returns what changed since Written, in the form of Save.
func (s *Store) Changes() (ids value.Object, records []any) {
	ids, records = value.Object{}, []any{}
	for _, r := range s.dirty {
		records = append(records, r.save())
		if !slices.ContainsFunc(ids, func(m value.Member) bool { return m.Key == r.Coll.Name }) {
			ids = append(ids, value.Member{r.Coll.Name, int64(r.Coll.ids.n)})
		}
	}
	return ids, records
}

// Written marks all records as saved.
func (s *Store) Written() {
	for _, r := range s.dirty {
		r.dirty = false
	}
	s.dirty = s.dirty[:0]
}

// Apply adds or replaces the records of a snapshot or of a line of the state file.
func (s *Store) Apply(o value.Object) error {
	for _, v := range o.List("records") {
		r, err := s.loadRecord(v)
		if err != nil {
			return err
		}
		r.dirty = false
	}
	for _, n := range o.Obj("ids") {
		if c := s.Colls[n.Key]; c != nil {
			v, _ := n.Val.(int64)
			c.ids.n = uint64(v)
		}
	}
	return nil
}

// save returns a record in a form that does not depend on the order of its schema.
func (r *Record) save() value.Object {
	vals := value.Object{}
	for i, v := range r.Vals {
		if v != nil {
			vals = append(vals, value.Member{r.Coll.Spec.Fields[i].Name, v})
		}
	}
	o := value.Object{{"in", r.Coll.Name}, {"id", r.ID}, {"at", r.seq}, {"is", vals}}
	if r.Removed {
		o = append(o, value.Member{"removed", true})
	}
	if len(r.Private) > 0 {
		o = append(o, value.Member{"private", r.Private})
	}
	return o
}

func (s *Store) loadRecord(v any) (*Record, error) {
	o, _ := v.(value.Object)
	c := s.Colls[o.Str("in")]
	id := o.Str("id")
	if c == nil || id == "" {
		return nil, fmt.Errorf("reading the state: a record of an unknown kind (%s)", value.Short(o.Str("in")))
	}
	r := &Record{Coll: c, ID: id, Vals: make([]any, len(c.Spec.Fields)), Private: o.Obj("private"), Removed: o.Flag("removed")}
	for _, m := range o.Obj("is") {
		if i := c.Spec.Index(m.Key); i >= 0 {
			r.Vals[i] = m.Val
		}
	}
	if old := c.ByID[id]; old != nil {
		// A later line of the state file changes the record in place.
		for _, name := range c.Indexed {
			before, after := old.indexValue(name), r.indexValue(name)
			if before != after {
				old.Vals, old.Private = r.Vals, r.Private
				c.Reindex(old, name, before)
			}
		}
		old.Vals, old.Private = r.Vals, r.Private
		if r.Removed {
			c.Remove(old)
		}
		return old, nil
	}
	if o.Num("at") != int64(len(c.Recs)) {
		return nil, fmt.Errorf("reading the state: %s %s is out of order", c.Name, value.Short(id))
	}
	removed := r.Removed
	r.Removed = false
	c.Add(r)
	if removed {
		c.Remove(r)
	}
	return r, nil
}
