package gocardlesstest

import (
	"net/http"
	"net/url"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// result is what a handler answers: one record, one object, a page, or nothing.
type result struct {
	rec     *record
	obj     object
	listing *store.Listing
	made    string // id of what an obj stands for: the idempotency key remembers it
	status  int    // 0 is the operation's own
	empty   bool   // no body
}

// one answers with a record.
func one(r *record) result { return result{rec: r} }

// tx is one step of work on the store: an API call, a job, a page or a simulator.
type tx struct {
	sb  *Sandbox
	now time.Time

	// Of an API call; nil and empty in a job.
	op     *api.Operation
	id     string  // id in the path
	target *record // resource with that id
	body   object  // content of the envelope
	form   int     // which of the body's forms it has
	query  url.Values
	header http.Header
	token  string
	base   string // scheme and host that the caller used

	// Of the events that the step appends.
	origin string // "api" in a call, "gocardless" in a job
	parent string // parent_event of cascades

	scripted bool // a simulator: what it makes has no bank timings of its own
}

// timestamp is the tx's time as the API writes it.
func (tx *tx) timestamp() string { return value.Stamp(tx.now) }

// today is the tx's date.
func (tx *tx) today() date { return dateOf(tx.now) }

// problems gathers what is wrong with the body's values.
func (tx *tx) problems() *api.Problems {
	p := &api.Problems{}
	if tx.op != nil {
		p.Prefix = "/" + tx.op.Request
	}
	return p
}

// make makes a record of a collection: not yet in it, with id and created_at.
func (tx *tx) make(coll string) *record {
	return tx.sb.store.Coll(coll).Fresh(tx.now)
}

// draft is make with the body's members and the schema's defaults taken over, and with the
// body's links that the resource also has.
func (tx *tx) draft(coll string) *record {
	r := tx.make(coll)
	if len(tx.op.Bodies) > 0 {
		r.CopyFrom(tx.op.Bodies[tx.form], tx.body)
	}
	if f := r.Coll.Spec.Field("links"); f != nil && f.Type != nil {
		for _, l := range tx.body.Obj("links") {
			if f.Type.Index(l.Key) >= 0 {
				r.Set("links", append(r.Obj("links"), l))
			}
		}
	}
	return r
}

// merge writes the body's members into a record, as PUT does.
func (tx *tx) merge(r *record) {
	for _, m := range tx.body {
		if m.Key != "links" && r.Coll.Spec.Index(m.Key) >= 0 {
			r.Set(m.Key, m.Val)
		}
	}
	if r.Coll.Spec.Index("updated_at") >= 0 {
		r.Set("updated_at", tx.timestamp())
	}
}

// add puts a made record into its collection.
func (tx *tx) add(r *record) *record {
	r.Coll.Add(r)
	return r
}

// find looks up a record; nil when there is none.
func (tx *tx) find(coll, id string) *record { return tx.sb.store.Find(coll, id) }

// must looks up a record that another record links to.
func (tx *tx) must(coll, id string) *record {
	r := tx.sb.store.Coll(coll).ByID[id]
	if r == nil {
		panic("gocardlesstest: dangling link to " + coll + " " + id)
	}
	return r
}

// linked looks up the record that the body's links.name leads to. An absent link gives nil
// without an error, an unknown one link_not_found.
func (tx *tx) linked(coll, name string) (*record, error) {
	v := tx.body.Obj("links").Get(name)
	if v == nil {
		return nil, nil
	}
	id, _ := v.(string)
	r := tx.find(coll, id)
	if r == nil {
		return nil, api.LinkNotFound(tx.op.Request, name, name)
	}
	return r, nil
}

// creditor is the creditor in the body's links, by default the only or first one.
func (tx *tx) creditor() (*record, error) {
	r, err := tx.linked("creditors", "creditor")
	if err != nil || r != nil {
		return r, err
	}
	recs := tx.sb.store.Coll("creditors").Recs
	if len(recs) == 0 {
		return nil, api.LinkNotFound(tx.op.Request, "creditor", "creditor")
	}
	return recs[0], nil
}

// list answers a list operation from its collection: filtered, newest first, one page.
func (tx *tx) list(also ...store.Match) (result, error) {
	p, err := tx.listing(also...)
	if err != nil {
		return result{}, err
	}
	return result{listing: p}, nil
}

// listing works out the page that the query asks for, of the records that also pass what is given.
func (tx *tx) listing(also ...store.Match) (*store.Listing, error) {
	return theRegistry().plans[tx.op.Name].Page(tx.sb.store.Coll(tx.op.Resource()), tx.query, also...)
}
