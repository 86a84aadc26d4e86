package gocardlesstest

import (
	"path"
	"slices"
	"strconv"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// endpoint is a webhook endpoint of a sandbox. Its number is unique and never reused.
type endpoint struct {
	Webhooks
	number   int
	paused   bool
	added    bool // by AddEndpoint
	restored bool // from the state file, and not added again since
}

// is reports whether the endpoint equals a description. Handlers and clients cannot be compared.
func (ep *endpoint) is(w Webhooks) bool {
	return ep.Handler == nil && w.Handler == nil && ep.Client == nil && w.Client == nil && ep.URL == w.URL && ep.Secret == w.Secret &&
		slices.Equal(ep.Events, w.Events) && ep.Duplicate == w.Duplicate && ep.Shuffle == w.Shuffle && ep.Manual == w.Manual
}

// Endpoint is a webhook endpoint, as Endpoints returns it.
type Endpoint struct {
	ID string // such as "EP1"
	Webhooks
	Paused  bool
	Waiting int // number of webhooks to be sent or sent again
}

func endpointID(number int) string { return "EP" + strconv.Itoa(number+1) }

// wants reports whether an event passes the endpoint's filter.
func (w *Webhooks) wants(ev *record) bool {
	kind := ev.Str("resource_type") + "." + ev.Str("action")
	return len(w.Events) == 0 || slices.ContainsFunc(w.Events, func(pattern string) bool {
		ok, _ := path.Match(pattern, kind)
		return ok
	})
}

// eventPatternKnown reports whether the catalogue has an event that matches a pattern.
func eventPatternKnown(pattern string) bool {
	return slices.ContainsFunc(api.Events, func(e api.Event) bool {
		ok, err := path.Match(pattern, e.Resource+"."+e.Action)
		return err == nil && ok
	})
}

// add adds an endpoint. The caller holds the lock, unless no one else has the sandbox yet.
func (d *dispatcher) add(w Webhooks) *endpoint {
	ep := &endpoint{Webhooks: w, number: d.made}
	d.made++
	d.endpoints = append(d.endpoints, ep)
	return ep
}

// endpoint finds an endpoint by its number. It returns nil if the endpoint was removed, or if the state
// is that of a sandbox with other endpoints.
func (d *dispatcher) endpoint(number int) *endpoint {
	for _, ep := range d.endpoints {
		if ep.number == number {
			return ep
		}
	}
	return nil
}

// holds reports whether webhooks of an endpoint wait: because it is paused or, unless manual is set,
// because it has Manual.
func (d *dispatcher) holds(number int, manual bool) bool {
	ep := d.endpoint(number)
	return ep != nil && (ep.paused || ep.Manual && !manual)
}

// AddEndpoint adds a webhook endpoint to those of WithWebhooks, and returns its id. The endpoint
// receives events from now on. A state file keeps endpoints with a URL, and a program that adds the
// same one at each start adds it only once. Snapshots do not contain endpoints.
func (sb *Sandbox) AddEndpoint(w Webhooks) (string, error) {
	if err := w.Validate(); err != nil {
		return "", err
	}
	sb.mu.Lock()
	defer sb.mu.Unlock()
	for _, ep := range sb.hooks.endpoints {
		if ep.restored && ep.is(w) {
			ep.restored = false
			return endpointID(ep.number), nil
		}
	}
	before := sb.hooks.endpoints
	ep := sb.hooks.add(w)
	ep.added = true
	if err := sb.keepSetup(); err != nil {
		sb.hooks.endpoints = before
		return "", err
	}
	return endpointID(ep.number), nil
}

// RemoveEndpoint removes an endpoint. Its pending webhooks are not sent.
func (sb *Sandbox) RemoveEndpoint(id string) error {
	return sb.changeEndpoint(id, func(d *dispatcher, ep *endpoint) {
		d.endpoints = slices.DeleteFunc(d.endpoints, func(e *endpoint) bool { return e == ep })
	})
}

// PauseEndpoint holds an endpoint's webhooks back until it is resumed, even if the clock is advanced.
func (sb *Sandbox) PauseEndpoint(id string) error {
	return sb.changeEndpoint(id, func(_ *dispatcher, ep *endpoint) { ep.paused = true })
}

// ResumeEndpoint resumes an endpoint and sends the webhooks that were held back.
func (sb *Sandbox) ResumeEndpoint(id string) error {
	return sb.changeEndpoint(id, func(_ *dispatcher, ep *endpoint) { ep.paused = false })
}

func (sb *Sandbox) changeEndpoint(id string, change func(*dispatcher, *endpoint)) error {
	sb.mu.Lock()
	i := slices.IndexFunc(sb.hooks.endpoints, func(ep *endpoint) bool { return endpointID(ep.number) == id })
	if i < 0 {
		sb.mu.Unlock()
		return api.NotFound()
	}
	ep, before := sb.hooks.endpoints[i], slices.Clone(sb.hooks.endpoints)
	paused := ep.paused
	change(&sb.hooks, ep)
	err := sb.keepSetup()
	if err != nil {
		sb.hooks.endpoints, ep.paused = before, paused
	}
	sb.mu.Unlock()
	sb.kick()
	return err
}

// Endpoints lists the webhook endpoints.
func (sb *Sandbox) Endpoints() []Endpoint {
	sb.mu.RLock()
	defer sb.mu.RUnlock()
	out := []Endpoint{}
	for _, ep := range sb.hooks.endpoints {
		e := Endpoint{ID: endpointID(ep.number), Webhooks: ep.Webhooks, Paused: ep.paused}
		for _, x := range sb.hooks.queue {
			if x.endpoint == ep.number {
				e.Waiting++
			}
		}
		out = append(out, e)
	}
	return out
}

// ResendWebhook sends a webhook again, at once or when its endpoint is resumed. If the endpoint refuses
// it, all retries follow again.
func (sb *Sandbox) ResendWebhook(id string) error {
	return sb.update(func(tx *tx) error {
		w := tx.find("webhooks", id)
		if w == nil {
			return api.NotFound()
		}
		webhookAttempts.Set(w, 0)
		sb.queueWebhook(w, tx.now)
		return nil
	})
}

// Delivery is one attempt to deliver a webhook.
type Delivery struct {
	Time     time.Time // by the sandbox's clock
	Webhook  string    // id of the webhook, such as "WB123"
	Endpoint string    // id of the endpoint
	URL      string
	Attempt  int           // number of the attempt, from 1
	Events   int           // number of events in the webhook
	EventIDs []string      // ids of the events, in the order of the webhook
	Types    []string      // types of the events, such as "payments.confirmed"
	Status   int           // status of the reply, or 0
	Reply    []byte        // body of the reply, up to 4 KiB
	Error    string        // why there was no reply
	Took     time.Duration // real time until the reply
}

// Accepted reports whether the endpoint answered with 2xx.
func (d *Delivery) Accepted() bool { return d.Status >= 200 && d.Status < 300 }

// Deliveries lists the attempts to deliver webhooks, oldest first. WithRequestLog sets how many are
// kept.
func (sb *Sandbox) Deliveries() []*Delivery { return sb.hooks.log.all() }
