package gocardlesstest

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// call runs an operation as a step of the sandbox itself, without faults, the rate limit and the log of
// requests. It returns the content of the reply's envelope.
func (sb *Sandbox) call(op *api.Operation, id string, body object) (object, error) {
	sb.Tick() // so that act does not start a goroutine for it
	c := &apiCall{sb: sb, op: op, id: id, now: sb.Now(), query: url.Values{}, out: &outgoing{header: http.Header{}},
		in: &incoming{ctx: context.Background(), method: op.Method, header: http.Header{}, base: sb.baseURL()}}
	if body != nil {
		c.root = object{{op.Request, body}}
	}
	if err := c.act(); err != nil {
		return nil, err
	}
	sb.kick()
	if len(c.out.body) == 0 {
		return object{}, nil
	}
	reply, err := value.Parse(c.out.body)
	if err != nil {
		return nil, err
	}
	root, _ := reply.(object)
	return root.Obj(op.Reply), nil
}

// Simulate runs a scenario simulator, such as "payment_failed", on a resource, which must meet the same
// conditions as for a call of the API.
func (sb *Sandbox) Simulate(id, scenario string) error {
	_, err := sb.call(api.Op("scenario_simulators.run"), scenario, object{{"links", object{{"resource", id}}}})
	return err
}

// Simulators lists the scenario simulators that fit a resource in its current state.
func (sb *Sandbox) Simulators(id string) []string {
	names := []string{}
	sb.view(func(tx *tx) {
		for i := range api.Simulators {
			s := &api.Simulators[i]
			if r := tx.find(s.Resource, id); r != nil && theRegistry().simulators[s.Name].needs(tx, r) {
				names = append(names, s.Name)
			}
		}
	})
	return names
}

// Event is an event for Emit.
type Event struct {
	// Type is the resource type and the action, such as "payments.failed". Required.
	Type string
	// Resource is the id of the resource that the event is about, which need not exist. The default
	// is the newest resource of its type.
	Resource string
	// Cause and Origin are by default the first that the API documents for the type. An event with the
	// origin "bank" has by default the scheme of the resource and the reason code of the cause.
	Cause, Origin string
	// The other fields are details of some types of events.
	Scheme, ReasonCode, Property, Currency, BankAccount, NotRetriedReason string
	WillAttemptRetry                                                      *bool
	ItemCount                                                             *int64
}

// members lists the strings of an event by name.
func (e *Event) members() []stringMember {
	return []stringMember{
		{"type", &e.Type}, {"resource", &e.Resource}, {"cause", &e.Cause}, {"origin", &e.Origin}, {"scheme", &e.Scheme}, {"reason_code", &e.ReasonCode},
		{"property", &e.Property}, {"currency", &e.Currency}, {"bank_account", &e.BankAccount}, {"not_retried_reason", &e.NotRetriedReason},
	}
}

// Emit creates an event of any type that the API has, sends it to the webhook endpoints, and
// returns its id. The resource does not change.
func (sb *Sandbox) Emit(e Event) (string, error) {
	kind := api.EventsByName()[e.Type]
	p := &api.Problems{}
	if kind == nil {
		p.Add("type", `must be an event type of the API, such as "payments.failed"`)
		return "", p.Err()
	}
	e.Cause = cmp.Or(e.Cause, kind.UsualCause())
	i := slices.IndexFunc(kind.Causes, func(c api.Cause) bool { return c.Name == e.Cause })
	switch {
	case len(kind.Causes) == 0:
	case i < 0:
		p.Add("cause", "must be one of: %s", humanList(mapped(kind.Causes, func(c api.Cause) string { return c.Name })))
	case e.Origin != "" && !slices.Contains(kind.Causes[i].Origins, e.Origin):
		p.Add("origin", "must be one of: %s", humanList(kind.Causes[i].Origins))
	}
	if err := p.Err(); err != nil {
		return "", err
	}
	if e.Origin == "" && i >= 0 && len(kind.Causes[i].Origins) > 0 {
		e.Origin = kind.Causes[i].Origins[0]
	}
	id := ""
	err := sb.update(func(tx *tx) error {
		r := tx.subject(kind.Resource, e.Resource)
		if r == nil {
			p.Add("resource", "is not an id in %s", kind.Resource)
			return p.Err()
		}
		tx.origin = "gocardless"
		id = tx.event(r, e.about(r, kind.Action)).ID
		return nil
	})
	return id, err
}

// about returns the event of a record. One from the bank has by default the scheme of the record and the
// reason code of the cause.
func (e Event) about(r *record, action string) event {
	if e.Origin == "bank" {
		e.Scheme = cmp.Or(e.Scheme, recordScheme(r))
		e.ReasonCode = cmp.Or(e.ReasonCode, failureCode(e.Scheme, e.Cause))
	}
	out := event{action: action, cause: e.Cause, origin: e.Origin, scheme: e.Scheme, reasonCode: e.ReasonCode,
		notRetried: e.NotRetriedReason, property: e.Property, currency: e.Currency, bankAccount: e.BankAccount}
	if e.WillAttemptRetry != nil {
		out.willRetry = *e.WillAttemptRetry
	}
	if e.ItemCount != nil {
		out.itemCount = *e.ItemCount
	}
	return out
}

// subject returns the resource of an emitted event, or nil if the id is unknown.
func (tx *tx) subject(coll, id string) *record {
	if id != "" {
		return tx.find(coll, id)
	}
	for _, r := range slices.Backward(tx.sb.store.Coll(coll).Recs) {
		if !r.Removed {
			return r
		}
	}
	return tx.make(coll)
}

// Step is a step that the sandbox will take.
type Step struct {
	Due      time.Time
	Name     string // such as "payment.submit" or "webhook"
	Resource string // id of the resource that it changes
}

// lastStatuses lists, for planned steps, the statuses that their resources must have for the steps to have
// an effect. Nothing cancels a step: those planned for a payment remain when it is cancelled.
var lastStatuses = func() map[string][]string {
	mandate := []string{"pending_customer_approval", "pending_submission", "submitted"}
	payment := []string{"pending_customer_approval", "pending_submission", "submitted", "confirmed", "paid_out"}
	return map[string][]string{
		"mandate.submit": mandate[:2], "mandate.activate": mandate, "mandate.fail": mandate,
		"payment.submit": payment[:2], "payment.confirm": payment[:3], "payment.fail": payment[:3], "payment.pay_out": payment[:4],
		"payment.fail_late": payment, "payment.charge_back": payment,
	}
}()

// idle reports whether a planned step can no longer have an effect.
func (sb *Sandbox) idle(j job) bool {
	statuses, known := lastStatuses[j.name]
	if !known {
		return false
	}
	kind, _, _ := strings.Cut(j.name, ".")
	r := sb.store.Find(kind+"s", j.id)
	return r == nil || !slices.Contains(statuses, r.Status())
}

// Due lists the steps that the sandbox will take, in order.
func (sb *Sandbox) Due() []Step { return sb.dueFirst(math.MaxInt) }

// dueFirst lists the first n steps of Due, without sorting all planned ones.
func (sb *Sandbox) dueFirst(n int) []Step {
	sb.mu.RLock()
	defer sb.mu.RUnlock()
	byTime := func(a, b Step) int { return a.Due.Compare(b.Due) }
	out := []Step{}
	add := func(s Step, useful func() bool) {
		if len(out) == n && !s.Due.Before(out[n-1].Due) || !useful() {
			return
		}
		out = append(out, s)
		if n < math.MaxInt {
			slices.SortStableFunc(out, byTime)
			out = out[:min(n, len(out))]
		}
	}
	for _, j := range sb.jobs {
		add(Step{j.due, j.name, j.id}, func() bool { return !sb.idle(j) })
	}
	for _, x := range sb.hooks.queue {
		add(Step{x.due, "webhook", x.id}, func() bool { return !sb.hooks.holds(x.endpoint, true) })
	}
	slices.SortStableFunc(out, byTime)
	return out
}

// AdvanceToNext moves the clock forward to the next step that is due, as Advance does. If there is
// none, the clock does not move.
func (sb *Sandbox) AdvanceToNext() []*Delivery {
	made, _ := sb.advanceToNext()
	return made
}

func (sb *Sandbox) advanceToNext() ([]*Delivery, error) {
	due := sb.dueFirst(1)
	if len(due) == 0 {
		return nil, nil
	}
	return sb.advance(max(0, due[0].Due.Sub(sb.Now())))
}

// Freeze stops the clock, so that only Advance moves it.
func (sb *Sandbox) Freeze() { sb.setFrozen(true) }

// Unfreeze lets the clock continue from where it stands.
func (sb *Sandbox) Unfreeze() { sb.setFrozen(false) }

func (sb *Sandbox) setFrozen(still bool) {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	stands := sb.frozen.Load()
	switch {
	case still && stands == nil:
		sb.frozen.Store(new(sb.opts.clock()))
	case !still && stands != nil:
		// The sandbox's clock continues from where it stopped.
		sb.offset.Add(int64(stands.Sub(sb.opts.clock())))
		sb.frozen.Store(nil)
		_ = sb.commit()
	}
}
