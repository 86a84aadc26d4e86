package gocardlesstest

import (
	"slices"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// Subscriptions and instalment schedules that billing requests create (ACH and PAD only).

// futureMandate returns a stand-in for a mandate that does not exist yet, for checks that need one.
func (tx *tx) futureMandate(scheme string) *record {
	return tx.standIn("mandates", object{{"scheme", scheme}, {"created_at", tx.timestamp()}})
}

func (b *billing) readSubscriptionRequest(p *api.Problems, o object) object {
	const part = "subscription_request"
	if !b.checkPlan(p, part, o) {
		return o
	}
	if o.Str("interval_unit") == "" {
		p.Add(part+"/interval_unit", "can't be blank")
		return o
	}
	b.tx.checkSubscription(p, part+"/", o, b.tx.futureMandate(b.scheme()))
	return o.With("links", object{}).With("metadata", metadataOf(o))
}

func (b *billing) readScheduleRequest(p *api.Problems, o object) object {
	const part = "instalment_schedule_request"
	if !b.checkPlan(p, part, o) {
		return o
	}
	if (o.List("instalments_with_dates") == nil) == (o.Obj("instalments_with_schedule") == nil) {
		p.Add(part+"/instalments_with_dates", "or instalments_with_schedule must be given")
		return o
	}
	b.tx.checkSchedule(p, part+"/", o, instalmentsOf(o), b.tx.futureMandate(b.scheme()))
	return o.With("links", object{}).With("metadata", metadataOf(o))
}

// instalmentsOf returns the instalments of a schedule request, in whichever form they are given.
func instalmentsOf(o object) any {
	if dates := o.List("instalments_with_dates"); dates != nil {
		return dates
	}
	return o.Obj("instalments_with_schedule")
}

// checkPlan checks that a subscription or schedule is requested together with a mandate that allows it.
func (b *billing) checkPlan(p *api.Problems, part string, o object) bool {
	before := len(p.Items)
	switch {
	case b.mandate == nil:
		p.Add(part, "needs a mandate_request")
	case !slices.Contains([]string{"ach", "pad"}, b.scheme()):
		p.Add(part, "can only be given for ach and pad")
	case o.Str("currency") == "":
		p.Add(part+"/currency", "can't be blank")
	}
	return len(p.Items) == before
}

// makePlans creates the subscription and the schedule of a fulfilled request. A start date that has
// become too early is replaced with the mandate's next possible date.
func (b *billing) makePlans(mandate *record) {
	if b.subscription != nil {
		b.makeSubscription(mandate)
	}
	if b.schedule != nil {
		b.makeSchedule(mandate)
	}
}

func (b *billing) makeSubscription(mandate *record) {
	s := b.tx.make("subscriptions")
	for _, m := range b.subscription {
		if m.Key != "links" && s.Coll.Spec.Index(m.Key) >= 0 {
			s.Set(m.Key, m.Val)
		}
	}
	if date(s.Str("start_date")) < mandateNextCharge(mandate, b.tx.now) {
		s.Set("start_date", nil)
	}
	b.tx.addSubscription(s, mandate)
	b.subscription = b.subscription.With("links", object{{"subscription", s.ID}})
	b.rec.SetLink("subscription_request_subscription", s.ID)
}

func (b *billing) makeSchedule(mandate *record) {
	tx, o := b.tx, b.schedule
	s := tx.make("instalment_schedules")
	for _, name := range []string{"name", "total_amount", "metadata"} {
		s.Set(name, o.Get(name))
	}
	copyScheduleDetails(s, o)
	rows := slices.Clone(tx.checkSchedule(&api.Problems{}, "", o, instalmentsOf(o), mandate))
	next := mandateNextCharge(mandate, tx.now)
	for i, v := range rows {
		if row, _ := v.(object); date(row.Str("charge_date")) < next {
			rows[i] = row.Without("charge_date")
		}
	}
	tx.addSchedule(s, mandate, rows)
	b.schedule = o.With("links", object{{"instalment_schedule", s.ID}})
	b.rec.SetLink("instalment_schedule_request_instalment_schedule", s.ID)
}
