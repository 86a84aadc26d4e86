// Package store keeps the resources of one sandbox: records in collections, their ids, the pages of lists,
// and their form in the state file. It knows the members of a resource, but not its life cycle.
package store

import (
	"fmt"
	"slices"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Store holds the collections of one sandbox.
type Store struct {
	Colls map[string]*Collection
	Order []*Collection // in the order of the registry, for snapshots
	dirty []*Record     // changed since the journal was last written
}

// Collection holds the resources of one kind in the order in which they were created.
type Collection struct {
	CollectionSpec
	Store *Store
	ids   idMaker
	Recs  []*Record
	ByID  map[string]*Record
	index map[string]map[string][]*Record // link or private member → value → records
	gone  int                             // number of removed records
}

// CollectionSpec describes a collection.
type CollectionSpec struct {
	Name     string
	Prefix   string
	IDForm   IDForm
	Spec     *api.Type
	Indexed  []string // links and private members with an index
	Private  []string // private members that list filters with the same name compare
	Computed []Computed
	// Internal collections are not resources of the API: they have no lists and no events.
	Internal bool
	// Live replies embed other records that do not touch this one when they change, so they are rendered
	// each time.
	Live bool
}

// Computed is a member whose value is derived from the clock or from other records when it is read.
// Other records must touch the record when they change.
type Computed struct {
	Name  string
	Value func(now time.Time, r *Record) any
	Moves bool // changes with the clock; the value is a string or nil
}

// New returns an empty store. The same seed gives the same ids.
func New(specs []CollectionSpec, seed uint64) *Store {
	s := &Store{Colls: make(map[string]*Collection, len(specs)), Order: make([]*Collection, len(specs))}
	colls := make([]Collection, len(specs))
	for i, cs := range specs {
		c := &colls[i]
		c.CollectionSpec, c.Store, c.ids = cs, s, newIDMaker(cs, seed)
		c.Clear()
		s.Colls[cs.Name], s.Order[i] = c, c
	}
	return s
}

// Clear removes all records and starts the ids again.
func (c *Collection) Clear() {
	c.Recs, c.gone, c.ids.n = nil, 0, 0
	c.ByID = map[string]*Record{}
	c.index = make(map[string]map[string][]*Record, len(c.Indexed))
	for _, name := range c.Indexed {
		c.index[name] = map[string][]*Record{}
	}
}

// Coll returns a collection by name. It panics if there is none.
func (s *Store) Coll(name string) *Collection {
	c := s.Colls[name]
	if c == nil {
		panic("gocardlesstest: no collection " + name)
	}
	return c
}

// Find returns a record, or nil if it does not exist or was removed.
func (s *Store) Find(coll, id string) *Record {
	r := s.Coll(coll).ByID[id]
	if r == nil || r.Removed {
		return nil
	}
	return r
}

// Fresh returns a new record with the next id. The record is not yet in the collection.
func (c *Collection) Fresh(now time.Time) *Record {
	r := c.Blank()
	r.ID = c.ids.next()
	for _, name := range []string{"created_at", "updated_at"} {
		if i := c.Spec.Index(name); i >= 0 {
			r.Vals[i] = value.Stamp(now)
		}
	}
	return r
}

// Blank returns a record without an id, for checks that need a record that does not exist yet. It is in
// no collection, and must not be written to.
func (c *Collection) Blank() *Record {
	return &Record{Coll: c, Vals: make([]any, len(c.Spec.Fields))}
}

// Len returns the number of records that are not removed.
func (c *Collection) Len() int { return len(c.Recs) - c.gone }

// Add appends a record to its collection.
func (c *Collection) Add(r *Record) {
	r.seq = int64(len(c.Recs))
	c.Recs = append(c.Recs, r)
	c.ByID[r.ID] = r
	c.enter(r)
	r.Touch()
}

// enter adds a record to the indexes.
func (c *Collection) enter(r *Record) {
	for _, name := range c.Indexed {
		if id := r.indexValue(name); id != "" {
			c.index[name][id] = append(c.index[name][id], r)
		}
	}
}

// Reindex updates an index after the link of a record has changed from before.
func (c *Collection) Reindex(r *Record, name, before string) {
	c.index[name][before] = slices.DeleteFunc(slices.Clone(c.index[name][before]), func(o *Record) bool { return o == r })
	if id := r.indexValue(name); id != "" {
		list := append(slices.Clone(c.index[name][id]), r)
		slices.SortFunc(list, func(a, b *Record) int { return int(a.seq - b.seq) })
		c.index[name][id] = list
	}
}

// indexValue returns the value by which an index finds the record, or "".
func (r *Record) indexValue(name string) string {
	if id := r.Ref(name); id != "" {
		return id
	}
	return r.LinkOrEmpty(name)
}

// LinkOrEmpty is Link for a record that may have no links member.
func (r *Record) LinkOrEmpty(name string) string {
	if r.Coll.Spec.Index("links") < 0 {
		return ""
	}
	return r.Link(name)
}

// By returns the records whose indexed link is the id, oldest first.
func (c *Collection) By(link, id string) []*Record {
	m, ok := c.index[link]
	if !ok {
		panic(fmt.Sprintf("gocardlesstest: %s is not indexed by %s", c.Name, link))
	}
	list := m[id]
	if c.gone == 0 {
		return list
	}
	out := make([]*Record, 0, len(list))
	for _, r := range list {
		if !r.Removed {
			out = append(out, r)
		}
	}
	return out
}

// Remove removes a record from the lists. The collection still finds it by its id.
func (c *Collection) Remove(r *Record) {
	if !r.Removed {
		r.Removed = true
		c.gone++
		r.Touch()
	}
}
