package gocardlesstest

import (
	"fmt"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// apply adds or replaces the records of a snapshot or of a journal line.
func (s *store) apply(o object) error {
	for _, v := range o.List("records") {
		r, err := s.loadRecord(v)
		if err != nil {
			return err
		}
		r.dirty = false
	}
	for _, n := range o.Obj("ids") {
		if c := s.colls[n.Key]; c != nil {
			v, _ := n.Val.(int64)
			c.ids.n = uint64(v)
		}
	}
	return nil
}

// save writes a record in a form that does not depend on the order of its schema.
func (r *record) save() object {
	vals := object{}
	for i, v := range r.vals {
		if v != nil {
			vals = append(vals, member{r.coll.spec.Fields[i].Name, v})
		}
	}
	o := object{{"in", r.coll.name}, {"id", r.id}, {"at", r.seq}, {"is", vals}}
	if r.removed {
		o = append(o, member{"removed", true})
	}
	if len(r.private) > 0 {
		o = append(o, member{"private", r.private})
	}
	return o
}

func (s *store) loadRecord(v any) (*record, error) {
	o, _ := v.(object)
	c := s.colls[o.Str("in")]
	id := o.Str("id")
	if c == nil || id == "" {
		return nil, fmt.Errorf("reading the state: a record of an unknown kind (%s)", value.Short(o.Str("in")))
	}
	r := &record{coll: c, id: id, vals: make([]any, len(c.spec.Fields)), private: o.Obj("private"), removed: o.Flag("removed")}
	for _, m := range o.Obj("is") {
		if i := c.spec.Index(m.Key); i >= 0 {
			r.vals[i] = m.Val
		}
	}
	if old := c.byID[id]; old != nil {
		// A later line of the journal: take over what changed, in place.
		for _, name := range c.indexed {
			before, after := old.indexValue(name), r.indexValue(name)
			if before != after {
				old.vals, old.private = r.vals, r.private
				c.reindex(old, name, before)
			}
		}
		old.vals, old.private = r.vals, r.private
		if r.removed {
			c.remove(old)
		}
		return old, nil
	}
	if o.Num("at") != int64(len(c.recs)) {
		return nil, fmt.Errorf("reading the state: %s %s is out of order", c.name, value.Short(id))
	}
	removed := r.removed
	r.removed = false
	c.add(r)
	if removed {
		c.remove(r)
	}
	return r, nil
}

func (r *record) indexValue(name string) string {
	if id := r.ref(name); id != "" {
		return id
	}
	return r.linkOrEmpty(name)
}
