package gocardlesstest

import (
	"cmp"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// event describes an event that a handler or a job creates.
type event struct {
	action string
	cause  string
	origin string // by default the tx's
	links  object // besides the link to the record itself
	// The rest is in details.
	scheme      string
	reasonCode  string
	willRetry   any    // bool, or nil if it does not apply
	notRetried  string // not_retried_reason
	property    string
	currency    string
	bankAccount string
	itemCount   any // int64, or nil
}

// event creates an event about a record and queues it for webhooks. The catalogue must contain every
// pair of resource type and action.
func (tx *tx) event(r *record, e event) *record {
	resource := r.Coll.Name
	kind := api.EventsByName()[resource+"."+e.action]
	if kind == nil {
		panic("gocardlesstest: the catalogue has no event " + resource + "." + e.action)
	}
	origin := kind.OriginOf(e.cause, e.origin, tx.origin)
	ev := tx.make("events")
	links := make(object, 0, len(e.links)+2)
	links = append(links, member{singular(resource), r.ID})
	links = append(links, e.links...)
	if tx.parent != "" {
		links = append(links, member{"parent_event", tx.parent})
	}
	details := make(object, 0, 6)
	detail := func(key, val string) {
		if val != "" {
			details = append(details, member{key, val})
		}
	}
	detail("origin", origin)
	detail("cause", cmp.Or(e.cause, e.action))
	detail("description", kind.CauseText(e.cause))
	detail("scheme", e.scheme)
	detail("reason_code", e.reasonCode)
	detail("not_retried_reason", e.notRetried)
	detail("property", e.property)
	detail("currency", e.currency)
	detail("bank_account_id", e.bankAccount)
	if e.willRetry != nil {
		details = append(details, member{"will_attempt_retry", e.willRetry})
	}
	if e.itemCount != nil {
		details = append(details, member{"item_count", e.itemCount})
	}
	metadata := object{}
	source := object{{"name", "GoCardless"}, {"type", "gc_team"}}
	if origin == "api" {
		source = object{{"name", "Sandbox token"}, {"type", "access_token"}}
		if m := tx.body.Obj("metadata"); m != nil {
			metadata = m
		}
	}
	ev.Set("resource_type", resource)
	ev.Set("action", e.action)
	ev.Set("links", links)
	ev.Set("details", details)
	ev.Set("metadata", metadata)
	ev.Set("resource_metadata", r.Metadata())
	ev.Set("source", source)
	tx.add(ev)
	tx.sb.notify(tx, r, ev)
	tx.sb.batch = append(tx.sb.batch, ev)
	return ev
}

// under makes a parent the parent_event of all further events, until the returned function is called.
func (tx *tx) under(parent *record) func() {
	before := tx.parent
	tx.parent = parent.ID
	return func() { tx.parent = before }
}

// organisation returns the id of the sandbox's organisation.
func (sb *Sandbox) organisation() string {
	return "OR" + store.Base32(1<<45+store.Mix(sb.opts.seed)%(1<<40), 12)
}

func eventFamily(r *registry) {
	onlyInWebhooks := func(time.Time, *record) any { return store.Omitted{} }
	r.collection(store.CollectionSpec{Name: "events", Computed: []store.Computed{
		{Name: "organisation_id", Value: onlyInWebhooks}, {Name: "customer_notifications", Value: onlyInWebhooks}}})
	for _, q := range api.Op("events.list").Query {
		switch q.Name {
		case "action", "resource_type", "created_at", "after", "before", "limit", "include":
		case "export":
			r.filter("events.list", "export", func(e *record, id string) bool { return e.Ref("export") == id })
		default:
			r.filter("events.list", q.Name, func(e *record, id string) bool { return e.Link(q.Name) == id })
		}
	}
	r.on("events.list", listEvents)
}

// listEvents lists events. With "include", the reply also contains the resources that the events are
// about.
func listEvents(tx *tx) (result, error) {
	p, err := tx.listing()
	if err != nil {
		return result{}, err
	}
	include := tx.query.Get("include")
	if include == "" {
		return result{listing: p}, nil
	}
	if tx.query.Get("resource_type") == "" {
		return result{}, api.Refuse("invalid_filters", "include needs resource_type")
	}
	p.Linked = []store.LinkedGroup{}
	for name := range strings.SplitSeq(include, ",") {
		plural := name + "s"
		g := store.LinkedGroup{Name: plural}
		seen := map[string]bool{}
		for _, e := range p.Recs {
			id := e.Link(name)
			if id == "" || seen[id] || tx.sb.store.Colls[plural] == nil {
				continue
			}
			seen[id] = true
			if r := tx.find(plural, id); r != nil {
				g.Recs = append(g.Recs, r)
			}
		}
		p.Linked = append(p.Linked, g)
	}
	return result{listing: p}, nil
}
