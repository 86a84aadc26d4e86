package gocardlesstest

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// store holds the collections of one sandbox.
type store struct {
	colls map[string]*collection
	order []*collection // in the order of the registry, for snapshots
	dirty []*record     // changed since the journal was last written
}

// collection holds the resources of one kind in the order in which they were made.
type collection struct {
	collectionSpec
	store *store
	ids   idMaker
	recs  []*record
	byID  map[string]*record
	index map[string]map[string][]*record // private or public link → id → records
	gone  int                             // how many of recs are removed
}

// collectionSpec describes the collection of a family.
type collectionSpec struct {
	name     string
	prefix   string
	idForm   idForm
	spec     *api.Type
	indexed  []string // links and private members by which records are found often
	computed []computed
	// internal collections are not resources of the API: they have no lists and no events.
	internal bool
	// live replies show other records, which do not touch this one when they change: they are
	// rendered each time.
	live bool
}

// computed is a member whose value follows from the clock or from other records when it is read.
// One that follows from other records relies on them to touch the record when they change.
type computed struct {
	name  string
	value func(now time.Time, r *record) any
	moves bool // with the clock; the value is a string or nil
}

func newStore(specs []collectionSpec, seed uint64) *store {
	s := &store{colls: make(map[string]*collection, len(specs))}
	for _, cs := range specs {
		c := &collection{collectionSpec: cs, store: s, ids: newIDMaker(cs, seed)}
		c.clear()
		s.colls[cs.name] = c
		s.order = append(s.order, c)
	}
	return s
}

// written marks everything as written to the journal.
func (s *store) written() {
	for _, r := range s.dirty {
		r.dirty = false
	}
	s.dirty = s.dirty[:0]
}

// clear makes the collection empty, and its ids start again.
func (c *collection) clear() {
	c.recs, c.gone, c.ids.n = nil, 0, 0
	c.byID = map[string]*record{}
	c.index = make(map[string]map[string][]*record, len(c.indexed))
	for _, name := range c.indexed {
		c.index[name] = map[string][]*record{}
	}
}

// coll finds a collection by the name of its resource.
func (s *store) coll(name string) *collection {
	c := s.colls[name]
	if c == nil {
		panic("gocardlesstest: no collection " + name)
	}
	return c
}

// find is the record with an id, nil when there is none or when it was removed.
func (s *store) find(coll, id string) *record {
	r := s.coll(coll).byID[id]
	if r == nil || r.removed {
		return nil
	}
	return r
}

// add puts a record at the end of its collection.
func (c *collection) add(r *record) {
	r.seq = int64(len(c.recs))
	c.recs = append(c.recs, r)
	c.byID[r.id] = r
	c.enter(r)
	r.touch()
}

// enter puts a record into the indexes.
func (c *collection) enter(r *record) {
	for _, name := range c.indexed {
		id := r.ref(name)
		if id == "" {
			id = r.linkOrEmpty(name)
		}
		if id != "" {
			c.index[name][id] = append(c.index[name][id], r)
		}
	}
}

// reindex moves a record whose indexed link changed. The link's former value is given.
func (c *collection) reindex(r *record, name, before string) {
	c.index[name][before] = slices.DeleteFunc(slices.Clone(c.index[name][before]), func(o *record) bool { return o == r })
	id := r.ref(name)
	if id == "" {
		id = r.linkOrEmpty(name)
	}
	if id != "" {
		list := append(slices.Clone(c.index[name][id]), r)
		slices.SortFunc(list, func(a, b *record) int { return int(a.seq - b.seq) })
		c.index[name][id] = list
	}
}

func (r *record) linkOrEmpty(name string) string {
	if r.coll.spec.Index("links") < 0 {
		return ""
	}
	return r.link(name)
}

// by lists the records whose indexed link leads to an id, oldest first.
func (c *collection) by(link, id string) []*record {
	m, ok := c.index[link]
	if !ok {
		panic(fmt.Sprintf("gocardlesstest: %s is not indexed by %s", c.name, link))
	}
	list := m[id]
	if c.gone == 0 {
		return list
	}
	out := make([]*record, 0, len(list))
	for _, r := range list {
		if !r.removed {
			out = append(out, r)
		}
	}
	return out
}

// remove takes a record out of the lists. Its id stays known, so that it answers 410.
func (c *collection) remove(r *record) {
	if !r.removed {
		r.removed = true
		c.gone++
		r.touch()
	}
}

// idForm is the look of an id after its prefix.
type idForm uint8

const (
	idClassic idForm = iota // 12 characters, as most resources
	idULID                  // 26 characters, as customers, creditors and mandates since 2025
	idLong                  // 32 characters together with the prefix, as the hosted flows
	idNamed                 // made by the family, such as GB_VAT_1
)

// idMaker makes the ids of a collection: rising, and the same in every run with the same seed.
type idMaker struct {
	prefix string
	form   idForm
	seed   uint64
	start  uint64
	n      uint64
}

func newIDMaker(cs collectionSpec, seed uint64) idMaker {
	h := mix(seed ^ hashText(cs.name))
	// Collections that share a prefix start so far apart that they do not meet.
	start := 1<<44 + h%(1<<44)
	if cs.idForm == idULID {
		start = 1<<39 + h%(1<<38) // eight characters hold forty bits
	}
	return idMaker{prefix: cs.prefix, form: cs.idForm, seed: h, start: start}
}

func (m *idMaker) next() string {
	m.n++
	rising := m.start + m.n*1009 + mix(m.seed+m.n)%1000
	switch m.form {
	case idULID:
		return m.prefix + "01" + base32(rising, 8) + base32(mix(m.seed^m.n), 8) + base32(mix(m.seed+m.n<<7), 8)
	case idLong:
		random := base32(mix(m.seed^m.n), 12) + base32(mix(m.seed+m.n<<7), 12) + base32(mix(m.seed-m.n<<9), 12)
		return m.prefix + random[:32-len(m.prefix)]
	}
	return m.prefix + base32(rising, 12)
}

// crockford is the alphabet of the API's ids: no I, L, O, U.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

func base32(v uint64, width int) string {
	b := make([]byte, width)
	for i := width - 1; i >= 0; i-- {
		b[i] = crockford[v&31]
		v >>= 5
	}
	return string(b)
}

// mix spreads the bits of a number (the finaliser of splitmix64).
func mix(v uint64) uint64 {
	v += 0x9e3779b97f4a7c15
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}

func hashText(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64()
}
