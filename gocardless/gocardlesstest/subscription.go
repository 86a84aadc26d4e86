package gocardlesstest

import (
	"slices"
	"strconv"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// Subscriptions: series of dates. A payment is created shortly before each date.

const (
	shownPayments = 10 // upcoming_payments of an endless subscription
	maxAmendments = 10 // changes of the amount
)

const (
	subscriptionNext    store.Hidden[int64] = "next" // number of the next date
	subscriptionMade    store.Hidden[int64] = "made" // payments created
	subscriptionAmended store.Hidden[int64] = "amended"
	subscriptionSkipped store.Hidden[int64] = "skipped" // dates that a pause skips
)

func subscriptionFamily(r *registry) {
	r.collection(store.CollectionSpec{
		Name: "subscriptions", Indexed: []string{"mandate", "customer"}, Private: []string{"customer"},
		Computed: []store.Computed{{Name: "earliest_charge_date_after_resume", Value: resumeDate, Moves: true}},
	})
	r.on("subscriptions.create", createSubscription)
	r.on("subscriptions.update", updateSubscription)
	r.on("subscriptions.cancel", cancelSubscription)
	r.on("subscriptions.pause", pauseSubscription)
	r.on("subscriptions.resume", resumeSubscription)
	r.job("subscription.charge", chargeSubscription)
}

func subscriptionOpen(status string) bool {
	return slices.Contains([]string{"pending_customer_approval", "active", "paused"}, status)
}

var months = []string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"}

// series is the dates of a subscription or of an instalment schedule.
type series struct {
	start    date
	unit     string
	interval int
	day      int // day_of_month, 0 for that of the start, -1 for the last
	calendar *bank.Calendar
}

// nominal returns the nth date, which may not be a working day.
func (s series) nominal(n int) date {
	t := s.start.Time()
	if s.unit == "weekly" {
		return s.start.Add(7 * s.interval * n)
	}
	step := s.interval * n
	if s.unit == "yearly" {
		step *= 12
	}
	want := s.day
	if want == 0 {
		want = t.Day()
	}
	first := time.Date(t.Year(), t.Month()+time.Month(step), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	if want < 0 || want > last {
		want = last
	}
	return dateOf(first.AddDate(0, 0, want-1))
}

// charge returns the nth date, moved to a working day: to the next one, but from the last day of a
// month to the previous one.
func (s series) charge(n int) date {
	if s.day < 0 {
		return s.calendar.Previous(s.nominal(n))
	}
	return s.calendar.Next(s.nominal(n))
}

// seriesOf returns a subscription's dates.
func seriesOf(s *record) series {
	return series{
		start: date(s.Str("start_date")), unit: s.Str("interval_unit"), interval: int(s.Num("interval")),
		day: int(s.Num("day_of_month")), calendar: bank.TimingOf(recordScheme(s)).Days(),
	}
}

// total returns how many payments a subscription has, or -1 if it has no end.
func total(s *record) int {
	if n := s.Num("count"); n > 0 {
		return int(n)
	}
	if until := date(s.Ref("until")); until != "" {
		d := seriesOf(s)
		n := 0
		for d.nominal(n) <= until {
			n++
		}
		return n
	}
	return -1
}

func createSubscription(tx *tx) (result, error) {
	m, err := tx.payableMandate()
	if err != nil {
		return result{}, err
	}
	p := tx.problems()
	tx.checkSubscription(p, "", tx.body, m)
	if err := p.Err(); err != nil {
		return result{}, err
	}
	s := tx.draft("subscriptions")
	return one(tx.addSubscription(s, m)), nil
}

// checkSubscription checks the details of a subscription under a mandate. The path leads to them within
// the body.
func (tx *tx) checkSubscription(p *api.Problems, path string, o object, m *record) {
	scheme := m.Str("scheme")
	checkAmount(p, path+"amount", path+"currency", o.Num("amount"), o.Str("currency"), scheme)
	tx.checkReference(p, path+"payment_reference", o.Str("payment_reference"), scheme)
	tx.checkChargeDate(p, path+"start_date", o.Str("start_date"), m)
	unit := o.Str("interval_unit")
	limit := map[string]int64{"weekly": 52, "monthly": 12, "yearly": 1}[unit]
	if n := o.Num("interval"); n > limit && limit > 0 {
		p.Add(path+"interval", "must be less than or equal to %d for %s subscriptions", limit, unit)
	}
	day, hasDay := o.Lookup("day_of_month")
	hasDay = hasDay && day != nil
	hasMonth := o.Str("month") != ""
	switch {
	case hasDay && day == int64(0):
		p.Add(path+"day_of_month", "must be from 1 to 28, or -1")
	case unit == "yearly" && hasDay != hasMonth:
		p.Add(path+"day_of_month", "must be given together with month")
	case (unit == "monthly" || unit == "weekly") && hasMonth:
		p.Add(path+"month", "must be blank for %s subscriptions", unit)
	case unit == "weekly" && hasDay:
		p.Add(path+"day_of_month", "must be blank for weekly subscriptions")
	}
	if n, given := o.Lookup("count"); given && n != nil {
		if n, _ := n.(int64); n < 1 {
			p.Add(path+"count", "must be greater than 0")
		}
		if o.Has("end_date") {
			p.Add(path+"end_date", "cannot be given together with count")
		}
	}
	if end := o.Str("end_date"); end != "" && end <= string(max(tx.today(), date(o.Str("start_date")))) {
		p.Add(path+"end_date", "must be after the start date")
	}
}

// addSubscription stores a checked subscription and plans its payments.
func (tx *tx) addSubscription(s, m *record) *record {
	if s.Num("interval") == 0 {
		s.Set("interval", 1)
	}
	if s.Get("retry_if_possible") == nil {
		s.Set("retry_if_possible", false)
	}
	s.Set("parent_plan_paused", false)
	s.SetLink("mandate", m.ID)
	s.SetRef("customer", m.Link("customer"))
	s.SetRef("until", s.Str("end_date"))
	next := mandateNextCharge(m, tx.now)
	if s.Str("start_date") == "" {
		s.Set("start_date", string(next))
	}
	s.Set("start_date", string(firstDate(s, m)))
	s.Set("status", "active")
	if m.Status() == "pending_customer_approval" {
		s.Set("status", "pending_customer_approval")
	}
	subscriptionNext.Set(s, 0)
	subscriptionMade.Set(s, 0)
	tx.refreshUpcoming(s)
	tx.add(s)
	tx.event(s, event{action: "created", cause: "subscription_created"})
	if s.Status() == "active" {
		tx.planSubscription(s)
	}
	return s
}

// firstDate returns the first date on or after the start that matches the day and month, if they are
// given.
func firstDate(s, m *record) date {
	start := date(s.Str("start_date"))
	day := int(s.Num("day_of_month"))
	if day == 0 {
		return start
	}
	c := bank.TimingOf(m.Str("scheme")).Days()
	t := start.Time()
	month := t.Month()
	if name := s.Str("month"); name != "" {
		month = time.Month(slices.Index(months, name) + 1)
	}
	for n := 0; ; n++ {
		at := series{start: dateOf(time.Date(t.Year(), month, 1, 0, 0, 0, 0, time.UTC)), unit: s.Str("interval_unit"), interval: 1, day: day, calendar: c}
		if at.nominal(n) >= start {
			return at.nominal(n)
		}
	}
}

// refreshUpcoming updates upcoming_payments and end_date.
func (tx *tx) refreshUpcoming(s *record) {
	rows := []any{}
	d := seriesOf(s)
	n := total(s)
	next, made := int(subscriptionNext.Of(s)), int(subscriptionMade.Of(s))
	open := s.Status() == "paused" && s.Ref("paused") == "open"
	if subscriptionOpen(s.Status()) && !open {
		for i := 0; i < shownPayments && (n < 0 || made+i < n); i++ {
			rows = append(rows, object{{"amount", s.Num("amount")}, {"charge_date", string(d.charge(next + i))}})
		}
	}
	s.Set("upcoming_payments", rows)
	switch {
	case s.Num("count") > 0 && open:
		s.Set("end_date", nil)
	case s.Num("count") > 0 && n > made:
		s.Set("end_date", string(d.charge(next+n-made-1)))
	}
}

// planSubscription plans the next payment, early enough to be submitted for its date.
func (tx *tx) planSubscription(s *record) {
	n, next, made := total(s), int(subscriptionNext.Of(s)), int(subscriptionMade.Of(s))
	if n >= 0 && made >= n || !tx.sb.opts.bankTimings {
		return
	}
	t := bank.TimingOf(recordScheme(s))
	at := t.Days().Shift(seriesOf(s).charge(next), -t.Lead()).At(8, 0)
	tx.at(later(at, tx.now), "subscription.charge", s.ID, strconv.Itoa(next))
}

// chargeSubscription creates the payment that was planned.
func chargeSubscription(tx *tx, id, arg string) {
	s := tx.find("subscriptions", id)
	if s == nil || !slices.Contains([]string{"active", "paused"}, s.Status()) || arg != strconv.Itoa(int(subscriptionNext.Of(s))) || s.Ref("paused") == "open" {
		return
	}
	if s.Status() == "paused" { // a limited pause, which has ended
		s.SetRef("paused", "")
		s.Set("status", "active")
		tx.event(s, event{action: "resumed", cause: "subscription_resumed"})
	}
	tx.makeSubscriptionPayment(s)
	if s.Status() == "active" {
		tx.planSubscription(s)
	}
}

// makeSubscriptionPayment creates the payment of the next date.
func (tx *tx) makeSubscriptionPayment(s *record) *record {
	m := tx.must("mandates", s.Link("mandate"))
	next := int(subscriptionNext.Of(s))
	charge := max(seriesOf(s).charge(next), mandateNextCharge(m, tx.now))
	p := tx.make("payments")
	p.Set("amount", s.Num("amount"))
	p.Set("app_fee", s.Get("app_fee"))
	p.Set("charge_date", string(charge))
	p.Set("description", s.Get("name"))
	p.Set("reference", s.Get("payment_reference"))
	p.Set("retry_if_possible", s.Flag("retry_if_possible"))
	p.SetLink("subscription", s.ID)
	tx.addPayment(p, m, "payment_created")
	tx.event(s, event{action: "payment_created", cause: "payment_created", origin: "gocardless", links: object{{"payment", p.ID}}})
	subscriptionNext.Set(s, int64(next+1))
	subscriptionMade.Set(s, subscriptionMade.Of(s)+1)
	tx.refreshUpcoming(s)
	if n := total(s); n >= 0 && int(subscriptionMade.Of(s)) >= n {
		s.Set("status", "finished")
		tx.refreshUpcoming(s)
		tx.event(s, event{action: "finished", cause: "subscription_finished", origin: "gocardless"})
	}
	return p
}

// endSubscription cancels a subscription. Its existing payments do not change.
func (tx *tx) endSubscription(s *record, e ending) {
	s.Set("status", "cancelled")
	s.SetRef("paused", "")
	tx.refreshUpcoming(s)
	tx.event(s, e.event("cancelled", s))
}

func cancelSubscription(tx *tx) (result, error) {
	if !subscriptionOpen(tx.target.Status()) {
		return result{}, api.Refuse("cancellation_failed", "Subscription is already "+tx.target.Status())
	}
	tx.endSubscription(tx.target, ending{cause: "subscription_cancelled"})
	return one(tx.target), nil
}

// alterable returns an error if a subscription has ended or is not active yet.
func alterable(s *record) error {
	switch s.Status() {
	case "finished", "cancelled":
		return api.Refuse("subscription_already_ended", "Subscription has already ended")
	case "active", "paused":
		return nil
	}
	return api.Refuse("subscription_not_active", "Subscription is not active")
}

func updateSubscription(tx *tx) (result, error) {
	s := tx.target
	changes := func(name string) bool { v, there := tx.body.Lookup(name); return there && v != s.Get(name) }
	amount := changes("amount")
	if amount || changes("app_fee") || changes("name") || changes("payment_reference") || changes("retry_if_possible") {
		if err := alterable(s); err != nil {
			return result{}, err
		}
	}
	m := tx.must("mandates", s.Link("mandate"))
	if amount {
		if m.Flag("payments_require_approval") {
			return result{}, api.Refuse("mandate_payments_require_approval", "The mandate's payments require approval")
		}
		if subscriptionAmended.Of(s) >= maxAmendments {
			return result{}, api.Refuse("number_of_subscription_amendments_exceeded", "The amount of a subscription can be changed ten times")
		}
	}
	p := tx.problems()
	if amount {
		checkAmount(p, "amount", "currency", tx.body.Num("amount"), "", m.Str("scheme"))
	}
	tx.checkReference(p, "payment_reference", tx.body.Str("payment_reference"), m.Str("scheme"))
	if err := p.Err(); err != nil {
		return result{}, err
	}
	tx.merge(s)
	if amount {
		subscriptionAmended.Set(s, subscriptionAmended.Of(s)+1)
		tx.refreshUpcoming(s)
		tx.event(s, event{action: "amended", cause: "subscription_amended"})
	}
	return one(s), nil
}

// minimumCycles returns the smallest number of dates that a pause can skip.
func minimumCycles(s *record) int64 {
	if s.Str("interval_unit") == "weekly" {
		switch s.Str("currency") {
		case "AUD":
			return 3
		case "NZD":
			return 2
		}
	}
	return 1
}

func pauseSubscription(tx *tx) (result, error) {
	s := tx.target
	cycles, limited := tx.body.Lookup("pause_cycles")
	limited = limited && cycles != nil
	n, _ := cycles.(int64)
	if err := alterable(s); err != nil {
		return result{}, err
	}
	switch {
	case s.Ref("until") != "":
		return result{}, api.Refuse("subscription_cannot_be_paused", "Subscriptions with an end_date cannot be paused")
	case s.Status() == "paused" && s.Ref("paused") == "open":
		return result{}, api.Refuse("subscription_cannot_be_paused", "Subscription is already paused")
	case s.Status() == "paused" && limited:
		return result{}, api.Refuse("subscription_paused_cannot_update_cycles", "Subscription is already paused for a number of cycles")
	case limited && n < minimumCycles(s):
		e := api.Refuse("pause_cycles_must_be_greater_than_or_equal_to", "must be greater than or equal to "+strconv.FormatInt(minimumCycles(s), 10))
		e.Items[0].Field, e.Items[0].Pointer = "pause_cycles", "/data/pause_cycles"
		return result{}, e
	}
	s.Set("status", "paused")
	if limited {
		s.SetRef("paused", "cycles")
		subscriptionSkipped.Set(s, n)
		subscriptionNext.Set(s, subscriptionNext.Of(s)+n)
	} else {
		s.SetRef("paused", "open")
	}
	tx.refreshUpcoming(s)
	tx.event(s, event{action: "paused", cause: "subscription_paused"})
	if limited {
		tx.planSubscription(s)
	}
	return one(s), nil
}

// resumeDate computes earliest_charge_date_after_resume, the first date that can still be charged,
// which only paused subscriptions have.
func resumeDate(now time.Time, s *record) any {
	if s.Status() != "paused" {
		return store.Omitted{}
	}
	n := resumeAt(s, now)
	return string(seriesOf(s).charge(n))
}

// resumeAt returns the number of the first date that can be charged at the given time.
func resumeAt(s *record, now time.Time) int {
	m := s.Coll.Store.Find("mandates", s.Link("mandate"))
	if m == nil {
		return int(subscriptionNext.Of(s))
	}
	next := mandateNextCharge(m, now)
	d := seriesOf(s)
	n := int(subscriptionNext.Of(s))
	if s.Ref("paused") == "cycles" {
		n -= int(subscriptionSkipped.Of(s))
	}
	for d.charge(n) < next {
		n++
	}
	return n
}

func resumeSubscription(tx *tx) (result, error) {
	s := tx.target
	if s.Status() != "paused" {
		return result{}, api.Refuse("subscription_not_paused", "Subscription is not paused")
	}
	subscriptionNext.Set(s, int64(resumeAt(s, tx.now)))
	s.SetRef("paused", "")
	s.Set("status", "active")
	tx.refreshUpcoming(s)
	tx.event(s, event{action: "resumed", cause: "subscription_resumed"})
	tx.planSubscription(s)
	return one(s), nil
}
