package gocardlesstest

import "fmt"

// apply adds or replaces the records of a snapshot or of a journal line.
func (s *store) apply(o object) error {
	for _, v := range o.list("records") {
		r, err := s.loadRecord(v)
		if err != nil {
			return err
		}
		r.dirty = false
	}
	for _, n := range o.obj("ids") {
		if c := s.colls[n.key]; c != nil {
			v, _ := n.val.(int64)
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
			vals = append(vals, member{r.coll.spec.fields[i].name, v})
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
	c := s.colls[o.str("in")]
	id := o.str("id")
	if c == nil || id == "" {
		return nil, fmt.Errorf("reading the state: a record of an unknown kind (%s)", short(o.str("in")))
	}
	r := &record{coll: c, id: id, vals: make([]any, len(c.spec.fields)), private: o.obj("private"), removed: o.flag("removed")}
	for _, m := range o.obj("is") {
		if i := c.spec.index(m.key); i >= 0 {
			r.vals[i] = m.val
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
	if o.num("at") != int64(len(c.recs)) {
		return nil, fmt.Errorf("reading the state: %s %s is out of order", c.name, short(id))
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
