package gocardlesstest

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Mandates: created for a bank account, submitted to the bank, active, and ended in one of several ways.

const (
	mandateReinstated  store.Hidden[int64] = "reinstated" // number of times
	mandateReinstating store.Hidden[bool]  = "reinstating"
)

func mandateFamily(r *registry) {
	r.collection(store.CollectionSpec{
		Name: "mandates", IDForm: store.IDULID,
		Indexed: []string{"customer_bank_account", "customer"},
		Computed: []store.Computed{
			{Name: "next_possible_charge_date", Value: nextCharge, Moves: true},
			{Name: "next_possible_standard_ach_charge_date", Value: nextStandardCharge, Moves: true},
		},
	})
	r.on("mandates.create", createMandate)
	r.on("mandates.cancel", cancelMandateCall)
	r.on("mandates.reinstate", reinstateMandate)
	r.job("mandate.submit", func(tx *tx, id, _ string) {
		if m := tx.find("mandates", id); m != nil && m.Status() == "pending_submission" {
			tx.submitMandate(m)
		}
	})
	r.job("mandate.activate", func(tx *tx, id, _ string) {
		if m := tx.find("mandates", id); m != nil && m.Status() == "submitted" {
			tx.activateMandate(m)
		}
	})
	r.job("mandate.expire", func(tx *tx, id, _ string) {
		if m := tx.find("mandates", id); m != nil && mandateUsable(m.Status()) {
			tx.endMandate(m, "expired", ending{cause: "mandate_expired"})
		}
	})
	r.job("mandate.fail", func(tx *tx, id, _ string) {
		if m := tx.find("mandates", id); m != nil && slices.Contains([]string{"pending_submission", "submitted"}, m.Status()) {
			tx.endMandate(m, "failed", ending{cause: "invalid_bank_details", origin: "bank", reasonCode: failureCode(m.Str("scheme"), "invalid_bank_details")})
		}
	})
	r.job("mandate.transfer", func(tx *tx, id, _ string) {
		if m := tx.find("mandates", id); m != nil && m.Status() == "active" {
			tx.transferMandate(m)
		}
	})
	r.collection(store.CollectionSpec{Name: "transferred_mandates"})
	r.owner("transferred_mandates.get", "mandates")
	r.on("transferred_mandates.get", transferredMandate)
}

// mandateUsable reports whether payments can be created under a mandate.
func mandateUsable(status string) bool {
	return slices.Contains([]string{"pending_customer_approval", "pending_submission", "submitted", "active"}, status)
}

// mandateOpen reports whether a mandate has not ended.
func mandateOpen(status string) bool { return mandateUsable(status) || status == "suspended_by_payer" }

// nextCharge computes next_possible_charge_date, which moves with the clock and is null once the
// mandate has ended.
func nextCharge(now time.Time, m *record) any {
	if !mandateUsable(m.Status()) {
		return nil
	}
	return string(mandateNextCharge(m, now))
}

func nextStandardCharge(now time.Time, m *record) any {
	if m.Str("scheme") != "ach" {
		return nil
	}
	return nextCharge(now, m)
}

// mandateNextCharge returns the first day on which a new payment can be charged.
func mandateNextCharge(m *record, now time.Time) date {
	created, err := time.Parse(value.StampForm, m.Str("created_at"))
	if err != nil {
		created = now
	}
	return bank.TimingOf(m.Str("scheme")).EarliestCharge(now, created)
}

func createMandate(tx *tx) (result, error) {
	account, err := tx.linked("customer_bank_accounts", "customer_bank_account")
	if err != nil {
		return result{}, err
	}
	creditor, err := tx.creditor()
	if err != nil {
		return result{}, err
	}
	if !account.Flag("enabled") {
		return result{}, api.Refuse("bank_account_disabled", "Bank account is disabled")
	}
	p := tx.problems()
	scheme := cmp.Or(tx.body.Str("scheme"), schemeOf(account.Str("currency")))
	if bank.TimingOf(scheme).Instant {
		p.Add("scheme", "must be a direct debit scheme; use a billing request for %s", scheme)
	} else if currencyOf(scheme) != account.Str("currency") {
		p.Add("scheme", "is not supported by the bank account's currency, %s", account.Str("currency"))
	}
	customer := tx.must("customers", account.Link("customer"))
	tx.checkMandate(p, "", scheme, customer, tx.body)
	if err := p.Err(); err != nil {
		return result{}, err
	}
	m := tx.draft("mandates")
	m.Set("scheme", scheme)
	tx.addMandate(m, creditor, customer, account)
	return one(m), nil
}

// checkMandate checks what a scheme requires of a mandate and of its payer.
func (tx *tx) checkMandate(p *api.Problems, path, scheme string, customer *record, body object) {
	if utf8.RuneCountInString(body.Str("reference")) > 35 {
		p.Add(path+"reference", "is too long (maximum is 35 characters)")
	}
	if scheme == "ach" && cmp.Or(body.Str("authorisation_source"), "web") == "web" && body.Str("payer_ip_address") == "" {
		p.Add(path+"payer_ip_address", "can't be blank")
	}
	switch {
	case scheme == "autogiro" && customer.Str("swedish_identity_number") == "":
		p.Add(path+"links/customer_bank_account", "belongs to a customer without a swedish_identity_number")
	case scheme == "betalingsservice" && customer.Str("danish_identity_number") == "":
		p.Add(path+"links/customer_bank_account", "belongs to a customer without a danish_identity_number")
	}
}

// addMandate stores a checked mandate and plans its next steps.
func (tx *tx) addMandate(m, creditor, customer, account *record) *record {
	scheme := m.Str("scheme")
	m.Set("reference", cmp.Or(m.Str("reference"), mandateReference(customer, m.ID)))
	m.Set("authorisation_source", cmp.Or(m.Str("authorisation_source"), "web"))
	m.Set("payments_require_approval", false)
	m.Set("funds_settlement", "managed")
	if m.Str("mandate_type") == "" {
		m.Set("mandate_type", "bank_debit")
		if bank.TimingOf(scheme).Instant {
			m.Set("mandate_type", "recurring")
		}
	}
	m.Set("links", object{{"creditor", creditor.ID}, {"customer", customer.ID}, {"customer_bank_account", account.ID}})
	status := "pending_submission"
	switch {
	case tx.sb.blocked(customer, account):
		status = "blocked"
	case bank.TimingOf(scheme).Instant:
		status = "active"
	case tx.sb.opts.requireApproval && slices.Contains([]string{"bacs", "sepa_core"}, scheme):
		status = "pending_customer_approval"
	}
	m.Set("status", status)
	tx.add(m)
	tx.event(m, event{action: "created", cause: "mandate_created"})
	switch status {
	case "blocked":
		tx.event(m, event{action: "blocked", cause: "mandate_blocked"})
	case "active":
		tx.event(m, event{action: "active", cause: "mandate_activated", scheme: scheme})
	case "pending_submission":
		tx.planMandate(m)
	}
	return m
}

// mandateReference combines the first letters of the customer's name with random characters.
func mandateReference(customer *record, id string) string {
	var name []byte
	for _, c := range strings.ToUpper(customerName(customer)) {
		if c >= 'A' && c <= 'Z' && len(name) < 5 {
			name = append(name, byte(c))
		}
	}
	if len(name) == 0 {
		name = []byte("REF")
	}
	return string(name) + "-" + store.Base32(store.Mix(store.HashText(id)), 12)
}

// planMandate plans when a mandate is submitted and activated: by the given name of its customer, or
// else by the bank timings of its scheme.
func (tx *tx) planMandate(m *record) {
	if plan := triggerOf(tx.must("customers", m.Link("customer"))); plan != nil {
		tx.at(tx.now.Add(triggerStep), "mandate.submit", m.ID, "")
		tx.at(tx.now.Add(2*triggerStep), plan.mandate, m.ID, "")
		if plan.after != "" {
			tx.at(tx.now.Add(3*triggerStep), plan.after, m.ID, "")
		}
		return
	}
	t := bank.TimingOf(m.Str("scheme"))
	if !tx.sb.opts.bankTimings || t.WithPayment {
		return
	}
	submit := t.Days().Shift(t.Start(tx.now), t.MandateSubmitted).At(bank.SubmitHour, 0)
	if submit.Before(tx.now) {
		submit = tx.now
	}
	tx.at(submit, "mandate.submit", m.ID, "")
	tx.at(t.Days().Shift(dateOf(submit), t.MandateActive-t.MandateSubmitted).At(bank.ConfirmHour, 0), "mandate.activate", m.ID, "")
}

func (tx *tx) submitMandate(m *record) {
	m.Set("status", "submitted")
	tx.event(m, event{action: "submitted", cause: "mandate_submitted", origin: "gocardless", scheme: m.Str("scheme")})
}

func (tx *tx) activateMandate(m *record) {
	m.Set("status", "active")
	if mandateReinstating.Of(m) {
		mandateReinstating.Set(m, false)
		tx.event(m, event{action: "reinstated", cause: "mandate_reinstated", origin: "gocardless", scheme: m.Str("scheme")})
		return
	}
	tx.event(m, event{action: "active", cause: "mandate_activated", origin: "gocardless", scheme: m.Str("scheme")})
}

// ensureActive activates a pending mandate, as its first payment or a simulator does.
func (tx *tx) ensureActive(m *record) {
	if m.Status() == "pending_submission" {
		tx.submitMandate(m)
	}
	if m.Status() == "submitted" {
		tx.activateMandate(m)
	}
}

// approveMandate ends the wait for the payer's approval, for a mandate and for its payments and
// subscriptions. The action is customer_approval_granted or customer_approval_skipped.
func (tx *tx) approveMandate(m *record, action string) {
	m.Set("status", "pending_submission")
	ev := tx.event(m, event{action: action, cause: action, origin: "customer"})
	defer tx.under(ev)()
	st := tx.sb.store
	for _, p := range st.Coll("payments").By("mandate", m.ID) {
		if p.Status() == "pending_customer_approval" {
			p.Set("status", "pending_submission")
			tx.event(p, event{action: "customer_approval_granted", cause: "customer_approval_granted", origin: "customer"})
			tx.planPayment(p)
		}
	}
	for _, s := range st.Coll("subscriptions").By("mandate", m.ID) {
		if s.Status() == "pending_customer_approval" {
			s.Set("status", "active")
			tx.event(s, event{action: "customer_approval_granted", cause: "customer_approval_granted", origin: "customer"})
			tx.planSubscription(s)
		}
	}
	tx.planMandate(m)
}

// ending is why something ends.
type ending struct {
	cause      string
	origin     string
	reasonCode string
}

func (e ending) event(action string, r *record) event {
	ev := event{action: action, cause: e.cause, origin: e.origin, reasonCode: e.reasonCode}
	if e.origin == "bank" {
		ev.scheme = recordScheme(r)
	}
	return ev
}

// recordScheme returns the scheme of a record, or else that of its mandate.
func recordScheme(r *record) string {
	if r.Coll.Spec.Index("scheme") >= 0 {
		return r.Str("scheme")
	}
	if id := r.LinkOrEmpty("mandate"); id != "" {
		if m := r.Coll.Store.Find("mandates", id); m != nil {
			return m.Str("scheme")
		}
	}
	return ""
}

func (tx *tx) cancelMandate(m *record, e ending) { tx.endMandate(m, "cancelled", e) }

// endMandate ends a mandate and everything that would still be collected under it. The status is
// cancelled, failed, expired or suspended_by_payer.
func (tx *tx) endMandate(m *record, status string, e ending) {
	m.Set("status", status)
	defer tx.under(tx.event(m, e.event(status, m)))()
	st := tx.sb.store
	for _, s := range st.Coll("subscriptions").By("mandate", m.ID) {
		if subscriptionOpen(s.Status()) {
			tx.endSubscription(s, childCause("subscriptions.cancelled", status, e))
		}
	}
	for _, s := range st.Coll("instalment_schedules").By("mandate", m.ID) {
		if scheduleOpen(s.Status()) {
			tx.endSchedule(s, childCause("instalment_schedules.cancelled", status, e))
		}
	}
	for _, p := range st.Coll("payments").By("mandate", m.ID) {
		if paymentCancellable(p.Status()) {
			tx.cancelPayment(p, childCause("payments.cancelled", status, e))
		}
	}
}

// childCause returns the ending of a mandate's child: that of the mandate if the catalogue has its
// cause for the child, or else the mandate's new status.
func childCause(kind, status string, e ending) ending {
	spec := api.EventsByName()[kind]
	for _, cause := range []string{e.cause, "mandate_" + status, "mandate_cancelled"} {
		if spec.CauseText(cause) != "" {
			child := ending{cause: cause}
			if cause == e.cause {
				child = e
			}
			if child.origin != "" && !spec.Allows(cause, child.origin) {
				child.origin = ""
				child.reasonCode = ""
			}
			return child
		}
	}
	return ending{cause: "mandate_cancelled"}
}

func cancelMandateCall(tx *tx) (result, error) {
	m := tx.target
	if !mandateOpen(m.Status()) {
		return result{}, api.Refuse("cancellation_failed", "Mandate cannot be cancelled")
	}
	tx.cancelMandate(m, ending{cause: "mandate_cancelled"})
	return one(m), nil
}

// maxReinstatements is the number of times that a mandate can be reinstated.
const maxReinstatements = 10

func reinstateMandate(tx *tx) (result, error) {
	m := tx.target
	if id := m.Link("new_mandate"); id != "" {
		return result{}, api.Refuse("mandate_replaced", "This mandate has been replaced", "new_mandate", id)
	}
	if !slices.Contains([]string{"cancelled", "expired"}, m.Status()) {
		return result{}, api.Refuse("mandate_not_inactive", "Only cancelled and expired mandates can be reinstated")
	}
	account := tx.must("customer_bank_accounts", m.Link("customer_bank_account"))
	if !account.Flag("enabled") {
		return result{}, api.Refuse("bank_account_disabled", "Bank account is disabled")
	}
	n := mandateReinstated.Of(m)
	if n >= maxReinstatements {
		p := tx.problems()
		p.Add("mandate", "has already been reinstated %d times", maxReinstatements)
		return result{}, p.Err()
	}
	mandateReinstated.Set(m, n+1)
	mandateReinstating.Set(m, true)
	m.Set("status", "pending_submission")
	tx.event(m, event{action: "resubmission_requested", cause: "resubmission_requested"})
	// A reinstated mandate does not wait for a payment, and becomes active within two working days.
	t := bank.TimingOf(m.Str("scheme"))
	if tx.sb.opts.bankTimings {
		c := t.Days()
		submit := c.Shift(t.Start(tx.now), 1)
		tx.at(submit.At(bank.SubmitHour, 0), "mandate.submit", m.ID, "")
		tx.at(c.Shift(submit, 1).At(bank.ConfirmHour, 0), "mandate.activate", m.ID, "")
	}
	return one(m), nil
}

// transferMandate moves a mandate to another bank account of its customer, as when a payer changes
// banks.
func (tx *tx) transferMandate(m *record) {
	old := tx.must("customer_bank_accounts", m.Link("customer_bank_account"))
	customer := tx.must("customers", m.Link("customer"))
	d := bankDetails{
		Country: old.Str("country_code"), Currency: old.Str("currency"), AccountType: old.Str("account_type"),
		BankName: "SANDBOX BANK " + old.Str("country_code"), Ending: "66", Key: "transfer of " + old.ID, Holder: old.Str("account_holder_name"),
	}
	fresh := tx.addCustomerBankAccount(customer, d, old.Get("metadata"))
	m.SetLink("customer_bank_account", fresh.ID)
	m.Coll.Reindex(m, "customer_bank_account", old.ID)
	tx.event(m, event{
		action: "transferred", cause: "bank_account_transferred", origin: "bank", scheme: m.Str("scheme"),
		reasonCode: failureCode(m.Str("scheme"), "bank_account_transferred"),
		links:      object{{"previous_customer_bank_account", old.ID}, {"new_customer_bank_account", fresh.ID}},
	})
}

// transferredMandate returns the new bank details of a transferred mandate, encrypted for the partner's
// key.
func transferredMandate(tx *tx) (result, error) {
	m := tx.target
	account := tx.must("customer_bank_accounts", m.Link("customer_bank_account"))
	if !strings.HasPrefix(account.Ref("key"), "transfer of ") {
		return result{}, api.NotFound()
	}
	return result{obj: append(tx.sealedTransfer(fullDetails(account, "swift_"), store.HashText(m.ID)), member{
		"links", object{{"customer_bank_account", account.ID}, {"mandate", m.ID}},
	})}, nil
}

// replaceMandate acts as a change of the scheme identifier: a new mandate takes over everything that is
// still to be collected, and the old one links to it and is cancelled.
func (tx *tx) replaceMandate(m *record) *record {
	n := tx.make("mandates")
	copy(n.Vals, m.Vals)
	n.Set("created_at", tx.timestamp())
	n.Private = nil
	tx.add(n)
	tx.event(n, event{action: "created", cause: "mandate_created", origin: "gocardless"})
	m.Set("status", "cancelled")
	m.SetLink("new_mandate", n.ID)
	tx.event(m, event{action: "replaced", cause: "scheme_identifier_changed", origin: "gocardless", links: object{{"new_mandate", n.ID}}})
	tx.moveToMandate("payments", paymentCancellable, m, n)
	tx.moveToMandate("subscriptions", subscriptionOpen, m, n)
	tx.moveToMandate("instalment_schedules", scheduleOpen, m, n)
	switch n.Status() {
	case "pending_submission":
		tx.planMandate(n)
	case "submitted":
		tx.at(bank.TimingOf(n.Str("scheme")).Days().Shift(tx.today(), 1).At(bank.ConfirmHour, 0), "mandate.activate", n.ID, "")
	}
	return n
}

// moveToMandate moves the open resources of a mandate to another one.
func (tx *tx) moveToMandate(coll string, open func(status string) bool, from, to *record) {
	for _, r := range slices.Clone(tx.sb.store.Coll(coll).By("mandate", from.ID)) {
		if open(r.Status()) {
			r.SetLink("mandate", to.ID)
			r.Coll.Reindex(r, "mandate", from.ID)
		}
	}
}

// ReplaceMandate replaces a mandate, as a change of the creditor's scheme identifier does: a new
// mandate with the same details takes over the subscriptions, instalment schedules and pending
// payments of the old one. It returns the id of the new mandate; calls that use the old one are
// refused with the reason "mandate_replaced" and a link to the new one. It returns an error if no
// open mandate has this id.
func (sb *Sandbox) ReplaceMandate(id string) (string, error) {
	var fresh string
	err := sb.update(func(tx *tx) error {
		m := tx.find("mandates", id)
		if m == nil || !mandateOpen(m.Status()) {
			return api.NotFound()
		}
		fresh = tx.replaceMandate(m).ID
		return nil
	})
	return fresh, err
}
