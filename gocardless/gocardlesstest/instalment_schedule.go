package gocardlesstest

import (
	"slices"
	"strconv"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// Instalment schedules, which split a total into payments.

// scheduleInstalments are the payments that are still to be created.
const scheduleInstalments store.Hidden[[]any] = "instalments"

func instalmentFamily(r *registry) {
	r.collection(store.CollectionSpec{Name: "instalment_schedules", Indexed: []string{"mandate", "customer"}})
	for _, op := range []string{"instalment_schedules.create_with_dates", "instalment_schedules.create_with_schedule", "instalment_schedules.create"} {
		r.on(op, createSchedule)
	}
	r.on("instalment_schedules.cancel", cancelSchedule)
	r.job("instalment_schedule.start", func(tx *tx, id, _ string) {
		if s := tx.find("instalment_schedules", id); s != nil && s.Status() == "pending" {
			tx.startSchedule(s)
		}
	})
}

func scheduleOpen(status string) bool {
	return slices.Contains([]string{"pending", "active", "errored"}, status)
}

func createSchedule(tx *tx) (result, error) {
	m, err := tx.payableMandate()
	if err != nil {
		return result{}, err
	}
	p := tx.problems()
	rows := tx.checkSchedule(p, "", tx.body, tx.body.Get("instalments"), m)
	if err := p.Err(); err != nil {
		return result{}, err
	}
	s := tx.draft("instalment_schedules")
	copyScheduleDetails(s, tx.body)
	return one(tx.addSchedule(s, m, rows)), nil
}

// copyScheduleDetails keeps the details of the payments, which replies with the schedule do not show.
func copyScheduleDetails(s *record, o object) {
	for _, name := range []string{"app_fee", "payment_reference", "retry_if_possible"} {
		store.Hidden[any](name).Set(s, o.Get(name))
	}
}

// checkSchedule checks the details of a schedule, whose instalments have one of two forms, and returns
// the instalments with their dates. The path leads to the details within the body.
func (tx *tx) checkSchedule(p *api.Problems, path string, o object, instalments any, m *record) []any {
	scheme := m.Str("scheme")
	if name := o.Str("name"); name == "" {
		p.Add(path+"name", "can't be blank")
	}
	checkAmount(p, path+"total_amount", path+"currency", o.Num("total_amount"), o.Str("currency"), scheme)
	tx.checkReference(p, path+"payment_reference", o.Str("payment_reference"), scheme)
	var rows []any
	switch v := instalments.(type) {
	case []any:
		rows = v
	case object:
		amounts := v.List("amounts")
		start := date(v.Str("start_date"))
		if start == "" {
			start = mandateNextCharge(m, tx.now)
		}
		if v.Num("interval") < 1 {
			p.Add(path+"instalments/interval", "must be greater than 0")
			return nil
		}
		if v.Str("interval_unit") == "" {
			p.Add(path+"instalments/interval_unit", "can't be blank")
			return nil
		}
		d := series{start: start, unit: v.Str("interval_unit"), interval: int(v.Num("interval")), calendar: bank.TimingOf(scheme).Days()}
		for i, a := range amounts {
			rows = append(rows, object{{"amount", a}, {"charge_date", string(d.charge(i))}})
		}
	}
	if len(rows) == 0 {
		p.Add(path+"instalments", "can't be blank")
		return nil
	}
	sum := int64(0)
	for i, r := range rows {
		row, _ := r.(object)
		if row.Num("amount") < 1 {
			p.Add(path+"instalments/"+strconv.Itoa(i)+"/amount", "must be greater than 0")
		}
		sum += row.Num("amount")
	}
	if sum != o.Num("total_amount") {
		p.Add(path+"total_amount", "must be equal to the sum of the instalments")
	}
	return rows
}

// addSchedule stores a checked schedule and creates its payments, or plans to.
func (tx *tx) addSchedule(s, m *record, rows []any) *record {
	s.Set("currency", currencyOf(m.Str("scheme")))
	s.Set("status", "pending")
	s.Set("payment_errors", object{})
	scheduleInstalments.Set(s, rows)
	s.SetRef("customer", m.Link("customer"))
	s.Set("links", object{{"mandate", m.ID}, {"customer", m.Link("customer")}})
	tx.add(s)
	tx.event(s, event{action: "created", cause: "instalment_schedule_created"})
	if tx.sb.opts.asyncInstalments > 0 {
		tx.at(tx.now.Add(tx.sb.opts.asyncInstalments), "instalment_schedule.start", s.ID, "")
	} else {
		tx.startSchedule(s)
	}
	return s
}

// startSchedule creates the payments of a schedule, or none if one of them is invalid.
func (tx *tx) startSchedule(s *record) {
	m := tx.must("mandates", s.Link("mandate"))
	next := mandateNextCharge(m, tx.now)
	rows := scheduleInstalments.Of(s)
	high := maximumAmount(m.Str("scheme"))
	failures := object{}
	for i, r := range rows {
		row, _ := r.(object)
		switch charge := date(row.Str("charge_date")); {
		case charge != "" && charge < next:
			failures = append(failures, member{strconv.Itoa(i), []any{object{{"field", "charge_date"}, {"message", "must be on or after mandate's next_possible_charge_date"}}}})
		case row.Num("amount") > high:
			failures = append(failures, member{strconv.Itoa(i), []any{object{{"field", "amount"}, {"message", "is above the scheme maximum"}}}})
		}
	}
	if len(failures) > 0 {
		s.Set("payment_errors", failures)
		s.Set("status", "creation_failed")
		tx.event(s, event{action: "creation_failed", cause: "instalment_schedule_creation_failed"})
		return
	}
	ids := []any{}
	for _, r := range rows {
		row, _ := r.(object)
		p := tx.make("payments")
		p.Set("amount", row.Num("amount"))
		p.Set("charge_date", row.Get("charge_date"))
		p.Set("description", row.Get("description"))
		if p.Get("description") == nil {
			p.Set("description", s.Get("name"))
		}
		p.Set("app_fee", s.Private.Get("app_fee"))
		p.Set("reference", s.Private.Get("payment_reference"))
		p.Set("retry_if_possible", s.Private.Flag("retry_if_possible"))
		p.SetLink("instalment_schedule", s.ID)
		tx.addPayment(p, m, "instalment_schedule_created")
		ids = append(ids, p.ID)
	}
	s.Set("links", s.Obj("links").With("payments", ids))
	s.Set("status", "active")
}

// scheduleOf returns the schedule of a payment, or nil.
func (tx *tx) scheduleOf(p *record) *record {
	if id := p.Link("instalment_schedule"); id != "" {
		return tx.find("instalment_schedules", id)
	}
	return nil
}

// errSchedule marks a schedule as errored after one of its payments failed.
func (tx *tx) errSchedule(s *record, late bool) {
	if !slices.Contains([]string{"active", "completed"}, s.Status()) {
		return
	}
	s.Set("status", "errored")
	cause := "instalment_schedule_errored"
	if late {
		cause = "instalment_schedule_errored_late"
	}
	tx.event(s, event{action: "errored", cause: cause, origin: "gocardless"})
}

// resumeSchedule makes a schedule active again unless another of its payments is failed.
func (tx *tx) resumeSchedule(s *record) {
	for _, p := range tx.sb.store.Coll("payments").By("instalment_schedule", s.ID) {
		if p.Status() == "failed" {
			return
		}
	}
	s.Set("status", "active")
	tx.event(s, event{action: "resumed", cause: "instalment_schedule_resumed", origin: "gocardless"})
}

// completeSchedule completes a schedule once all its payments are paid out or cancelled.
func (tx *tx) completeSchedule(s *record) {
	if s.Status() != "active" {
		return
	}
	for _, p := range tx.sb.store.Coll("payments").By("instalment_schedule", s.ID) {
		if !slices.Contains([]string{"paid_out", "cancelled"}, p.Status()) {
			return
		}
	}
	s.Set("status", "completed")
	tx.event(s, event{action: "completed", cause: "instalment_schedule_completed", origin: "gocardless"})
}

// endSchedule cancels a schedule and its pending payments.
func (tx *tx) endSchedule(s *record, e ending) {
	s.Set("status", "cancelled")
	ev := tx.event(s, e.event("cancelled", s))
	defer tx.under(ev)()
	for _, p := range tx.sb.store.Coll("payments").By("instalment_schedule", s.ID) {
		if paymentCancellable(p.Status()) {
			tx.cancelPayment(p, childCause("payments.cancelled", "cancelled", e))
		}
	}
}

func cancelSchedule(tx *tx) (result, error) {
	if !scheduleOpen(tx.target.Status()) {
		return result{}, api.Refuse("cancellation_failed", "Instalment schedule is already "+tx.target.Status())
	}
	tx.endSchedule(tx.target, ending{cause: "instalment_schedule_cancelled"})
	return one(tx.target), nil
}
