package gocardlesstest

import (
	"net/http"
	"net/url"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// result is the reply of a handler: a record, an object, a page of a list, or nothing.
type result struct {
	rec     *record
	obj     object
	listing *store.Listing
	made    string // id of the created resource in obj, for the idempotency key
	status  int    // by default the operation's
	empty   bool   // no body
}

// one replies with a record.
func one(r *record) result { return result{rec: r} }

// tx is one step of work on the store: an API call, a job, a page or a simulator.
type tx struct {
	sb  *Sandbox
	now time.Time

	// Of an API call; zero in a job.
	op     *api.Operation
	id     string  // id in the path
	target *record // resource with that id
	body   object  // content of the envelope
	form   int     // position of the form of the body
	query  url.Values
	header http.Header
	token  string
	base   string // scheme and host that the caller used

	// Of the events that the step creates.
	origin string // "api" in a call, "payer" on a page, "gocardless" in a job
	parent string // parent_event, or ""

	scripted bool // in a simulator, which takes the steps of a payment itself
}

// timestamp returns the time of the step as the API formats it.
func (tx *tx) timestamp() string { return value.Stamp(tx.now) }

// today returns the date of the step.
func (tx *tx) today() date { return dateOf(tx.now) }

// problems returns an empty list of problems of the body's values.
func (tx *tx) problems() *api.Problems {
	p := &api.Problems{}
	if tx.op != nil {
		p.Prefix = "/" + tx.op.Request
	}
	return p
}

// make returns a new record with the next id. It is not yet in its collection.
func (tx *tx) make(coll string) *record {
	return tx.sb.store.Coll(coll).Fresh(tx.now)
}

// draft returns a new record with the body's members and links that the resource also has, and with the
// schema's defaults.
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

// merge copies the body's members to a record, as PUT does.
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

// add adds a new record to its collection.
func (tx *tx) add(r *record) *record {
	r.Coll.Add(r)
	return r
}

// find returns a record, or nil.
func (tx *tx) find(coll, id string) *record { return tx.sb.store.Find(coll, id) }

// must returns a record that another record links to.
func (tx *tx) must(coll, id string) *record {
	r := tx.sb.store.Coll(coll).ByID[id]
	if r == nil {
		panic("gocardlesstest: dangling link to " + coll + " " + id)
	}
	return r
}

// linked returns the record at links.name in the body: nil if the link is absent, and the error
// link_not_found if the id is unknown.
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

// creditor returns the creditor in the body's links, or by default the first one.
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

// list replies to a list operation from its collection.
func (tx *tx) list(also ...store.Match) (result, error) {
	p, err := tx.listing(also...)
	if err != nil {
		return result{}, err
	}
	return result{listing: p}, nil
}

// listing returns the page that the query asks for. Records must also pass the given tests.
func (tx *tx) listing(also ...store.Match) (*store.Listing, error) {
	return theRegistry().plans[tx.op.Name].Page(tx.sb.store.Coll(tx.op.Resource()), tx.query, also...)
}
