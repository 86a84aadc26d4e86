package gocardlesstest

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Mandates: made for a bank account, sent to the bank, active, ended in one of several ways.

const (
	mandateReinstated  hidden[int64] = "reinstated" // how often
	mandateReinstating hidden[bool]  = "reinstating"
)

func mandateFamily(r *registry) {
	r.collection(collectionSpec{
		name: "mandates", idForm: idULID,
		indexed:  []string{"customer_bank_account", "customer"},
		computed: []computed{{"next_possible_charge_date", nextCharge, true}, {"next_possible_standard_ach_charge_date", nextStandardCharge, true}},
	})
	r.on("mandates.create", createMandate)
	r.on("mandates.cancel", cancelMandateCall)
	r.on("mandates.reinstate", reinstateMandate)
	r.job("mandate.submit", func(tx *tx, id, _ string) {
		if m := tx.find("mandates", id); m != nil && m.status() == "pending_submission" {
			tx.submitMandate(m)
		}
	})
	r.job("mandate.activate", func(tx *tx, id, _ string) {
		if m := tx.find("mandates", id); m != nil && m.status() == "submitted" {
			tx.activateMandate(m)
		}
	})
	r.job("mandate.expire", func(tx *tx, id, _ string) {
		if m := tx.find("mandates", id); m != nil && mandateUsable(m.status()) {
			tx.endMandate(m, "expired", ending{cause: "mandate_expired"})
		}
	})
	r.job("mandate.fail", func(tx *tx, id, _ string) {
		if m := tx.find("mandates", id); m != nil && slices.Contains([]string{"pending_submission", "submitted"}, m.status()) {
			tx.endMandate(m, "failed", ending{cause: "invalid_bank_details", origin: "bank", reasonCode: failureCode(m.str("scheme"), "invalid_bank_details")})
		}
	})
	r.job("mandate.transfer", func(tx *tx, id, _ string) {
		if m := tx.find("mandates", id); m != nil && m.status() == "active" {
			tx.transferMandate(m)
		}
	})
	r.collection(collectionSpec{name: "transferred_mandates"})
	r.owner("transferred_mandates.get", "mandates")
	r.on("transferred_mandates.get", transferredMandate)
}

// mandateUsable reports whether payments can be made under a mandate.
func mandateUsable(status string) bool {
	return slices.Contains([]string{"pending_customer_approval", "pending_submission", "submitted", "active"}, status)
}

// mandateOpen reports whether a mandate has not ended.
func mandateOpen(status string) bool { return mandateUsable(status) || status == "suspended_by_payer" }

// nextCharge is next_possible_charge_date: it moves with the clock and is null once the mandate
// has ended.
func nextCharge(now time.Time, m *record) any {
	if !mandateUsable(m.status()) {
		return nil
	}
	return string(mandateNextCharge(m, now))
}

func nextStandardCharge(now time.Time, m *record) any {
	if m.str("scheme") != "ach" {
		return nil
	}
	return nextCharge(now, m)
}

// mandateNextCharge is the first day on which a new payment can be charged.
func mandateNextCharge(m *record, now time.Time) date {
	created, err := time.Parse(value.StampForm, m.str("created_at"))
	if err != nil {
		created = now
	}
	return bank.TimingOf(m.str("scheme")).EarliestCharge(now, created)
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
	if !account.flag("enabled") {
		return result{}, api.Refuse("bank_account_disabled", "Bank account is disabled")
	}
	p := tx.problems()
	scheme := tx.body.Str("scheme")
	if scheme == "" {
		scheme = schemeOf(account.str("currency"))
	}
	if bank.TimingOf(scheme).Instant {
		p.Add("scheme", "must be a direct debit scheme; use a billing request for %s", scheme)
	} else if currencyOf(scheme) != account.str("currency") {
		p.Add("scheme", "is not supported by the bank account's currency, %s", account.str("currency"))
	}
	customer := tx.must("customers", account.link("customer"))
	tx.checkMandate(p, "", scheme, customer, tx.body)
	if err := p.Err(); err != nil {
		return result{}, err
	}
	m := tx.draft("mandates")
	m.set("scheme", scheme)
	tx.addMandate(m, creditor, customer, account)
	return one(m), nil
}

// checkMandate checks what a scheme asks of a mandate and of its payer.
func (tx *tx) checkMandate(p *api.Problems, path, scheme string, customer *record, body object) {
	if ref := body.Str("reference"); ref != "" {
		if n := utf8.RuneCountInString(ref); n > 35 {
			p.Add(path+"reference", "is too long (maximum is 35 characters)")
		}
	}
	source := body.Str("authorisation_source")
	if source == "" {
		source = "web"
	}
	if scheme == "ach" && source == "web" && body.Str("payer_ip_address") == "" {
		p.Add(path+"payer_ip_address", "can't be blank")
	}
	switch {
	case scheme == "autogiro" && customer.str("swedish_identity_number") == "":
		p.Add(path+"links/customer_bank_account", "belongs to a customer without a swedish_identity_number")
	case scheme == "betalingsservice" && customer.str("danish_identity_number") == "":
		p.Add(path+"links/customer_bank_account", "belongs to a customer without a danish_identity_number")
	}
}

// addMandate stores a checked mandate and starts it on its way.
func (tx *tx) addMandate(m, creditor, customer, account *record) *record {
	scheme := m.str("scheme")
	if m.str("reference") == "" {
		m.set("reference", mandateReference(customer, m.id))
	}
	if m.str("authorisation_source") == "" {
		m.set("authorisation_source", "web")
	}
	m.set("payments_require_approval", false)
	m.set("funds_settlement", "managed")
	if m.str("mandate_type") == "" {
		m.set("mandate_type", "bank_debit")
		if bank.TimingOf(scheme).Instant {
			m.set("mandate_type", "recurring")
		}
	}
	m.set("links", object{{"creditor", creditor.id}, {"customer", customer.id}, {"customer_bank_account", account.id}})
	status := "pending_submission"
	switch {
	case tx.sb.blocked(customer, account):
		status = "blocked"
	case bank.TimingOf(scheme).Instant:
		status = "active"
	case tx.sb.opts.requireApproval && slices.Contains([]string{"bacs", "sepa_core"}, scheme):
		status = "pending_customer_approval"
	}
	m.set("status", status)
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

// mandateReference is a name's first letters and something random.
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
	return string(name) + "-" + base32(mix(hashText(id)), 12)
}

// planMandate plans when a mandate is submitted and active: by the name of its customer, else by
// the bank timings of its scheme.
func (tx *tx) planMandate(m *record) {
	if plan := triggerOf(tx.must("customers", m.link("customer"))); plan != nil {
		tx.at(tx.now.Add(triggerStep), "mandate.submit", m.id, "")
		tx.at(tx.now.Add(2*triggerStep), plan.mandate, m.id, "")
		if plan.after != "" {
			tx.at(tx.now.Add(3*triggerStep), plan.after, m.id, "")
		}
		return
	}
	t := bank.TimingOf(m.str("scheme"))
	if !tx.sb.opts.bankTimings || t.WithPayment {
		return
	}
	submit := t.Days().Shift(t.Start(tx.now), t.MandateSubmitted).At(bank.SubmitHour, 0)
	if submit.Before(tx.now) {
		submit = tx.now
	}
	tx.at(submit, "mandate.submit", m.id, "")
	tx.at(t.Days().Shift(dateOf(submit), t.MandateActive-t.MandateSubmitted).At(bank.ConfirmHour, 0), "mandate.activate", m.id, "")
}

func (tx *tx) submitMandate(m *record) {
	m.set("status", "submitted")
	tx.event(m, event{action: "submitted", cause: "mandate_submitted", origin: "gocardless", scheme: m.str("scheme")})
}

func (tx *tx) activateMandate(m *record) {
	m.set("status", "active")
	if mandateReinstating.of(m) {
		mandateReinstating.set(m, false)
		tx.event(m, event{action: "reinstated", cause: "mandate_reinstated", origin: "gocardless", scheme: m.str("scheme")})
		return
	}
	tx.event(m, event{action: "active", cause: "mandate_activated", origin: "gocardless", scheme: m.str("scheme")})
}

// ensureActive brings a mandate to active, as its first payment or a simulator does.
func (tx *tx) ensureActive(m *record) {
	if m.status() == "pending_submission" {
		tx.submitMandate(m)
	}
	if m.status() == "submitted" {
		tx.activateMandate(m)
	}
}

// approveMandate resolves a mandate's, and with it its payments' and subscriptions', wait for the
// payer's approval. The action is customer_approval_granted or customer_approval_skipped.
func (tx *tx) approveMandate(m *record, action string) {
	m.set("status", "pending_submission")
	ev := tx.event(m, event{action: action, cause: action, origin: "customer"})
	defer tx.under(ev)()
	st := tx.sb.store
	for _, p := range st.coll("payments").by("mandate", m.id) {
		if p.status() == "pending_customer_approval" {
			p.set("status", "pending_submission")
			tx.event(p, event{action: "customer_approval_granted", cause: "customer_approval_granted", origin: "customer"})
			tx.planPayment(p)
		}
	}
	for _, s := range st.coll("subscriptions").by("mandate", m.id) {
		if s.status() == "pending_customer_approval" {
			s.set("status", "active")
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

// recordScheme is the scheme of a record: its own, or that of its mandate.
func recordScheme(r *record) string {
	if r.coll.spec.Index("scheme") >= 0 {
		return r.str("scheme")
	}
	if id := r.linkOrEmpty("mandate"); id != "" {
		if m := r.coll.store.find("mandates", id); m != nil {
			return m.str("scheme")
		}
	}
	return ""
}

// cancelMandate ends a mandate as cancelled.
func (tx *tx) cancelMandate(m *record, e ending) *record { return tx.endMandate(m, "cancelled", e) }

// endMandate ends a mandate and everything that would still be collected under it. The statuses
// are cancelled, failed and expired; suspended_by_payer ends what hangs on the mandate in the same
// way.
func (tx *tx) endMandate(m *record, status string, e ending) *record {
	m.set("status", status)
	ev := tx.event(m, e.event(status, m))
	defer tx.under(ev)()
	st := tx.sb.store
	for _, s := range st.coll("subscriptions").by("mandate", m.id) {
		if subscriptionOpen(s.status()) {
			tx.endSubscription(s, childCause("subscriptions.cancelled", status, e))
		}
	}
	for _, s := range st.coll("instalment_schedules").by("mandate", m.id) {
		if scheduleOpen(s.status()) {
			tx.endSchedule(s, childCause("instalment_schedules.cancelled", status, e))
		}
	}
	for _, p := range st.coll("payments").by("mandate", m.id) {
		if paymentCancellable(p.status()) {
			tx.cancelPayment(p, childCause("payments.cancelled", status, e))
		}
	}
	return ev
}

// childCause is the cause of a cascade: the parent's own where the catalogue knows it for the
// child, else what happened to the mandate.
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
	if !mandateOpen(m.status()) {
		return result{}, api.Refuse("cancellation_failed", "Mandate cannot be cancelled")
	}
	tx.cancelMandate(m, ending{cause: "mandate_cancelled"})
	return one(m), nil
}

// maxReinstatements is how often a mandate can be reinstated.
const maxReinstatements = 10

func reinstateMandate(tx *tx) (result, error) {
	m := tx.target
	if id := m.link("new_mandate"); id != "" {
		return result{}, api.Refuse("mandate_replaced", "This mandate has been replaced", "new_mandate", id)
	}
	if !slices.Contains([]string{"cancelled", "expired"}, m.status()) {
		return result{}, api.Refuse("mandate_not_inactive", "Only cancelled and expired mandates can be reinstated")
	}
	account := tx.must("customer_bank_accounts", m.link("customer_bank_account"))
	if !account.flag("enabled") {
		return result{}, api.Refuse("bank_account_disabled", "Bank account is disabled")
	}
	n := mandateReinstated.of(m)
	if n >= maxReinstatements {
		p := tx.problems()
		p.Add("mandate", "has already been reinstated %d times", maxReinstatements)
		return result{}, p.Err()
	}
	mandateReinstated.set(m, n+1)
	mandateReinstating.set(m, true)
	m.set("status", "pending_submission")
	tx.event(m, event{action: "resubmission_requested", cause: "resubmission_requested"})
	// A reinstated mandate does not wait for a payment: it takes up to two working days.
	t := bank.TimingOf(m.str("scheme"))
	if tx.sb.opts.bankTimings {
		c := t.Days()
		submit := c.Shift(t.Start(tx.now), 1)
		tx.at(submit.At(bank.SubmitHour, 0), "mandate.submit", m.id, "")
		tx.at(c.Shift(submit, 1).At(bank.ConfirmHour, 0), "mandate.activate", m.id, "")
	}
	return one(m), nil
}

// transferMandate moves a mandate to another bank account of its customer, as when a payer changes
// banks.
func (tx *tx) transferMandate(m *record) *record {
	old := tx.must("customer_bank_accounts", m.link("customer_bank_account"))
	customer := tx.must("customers", m.link("customer"))
	d := bankDetails{
		Country: old.str("country_code"), Currency: old.str("currency"), AccountType: old.str("account_type"),
		BankName: "SANDBOX BANK " + old.str("country_code"), Ending: "66", Key: "transfer of " + old.id, Holder: old.str("account_holder_name"),
	}
	fresh := tx.addCustomerBankAccount(customer, d, old.get("metadata"))
	m.setLink("customer_bank_account", fresh.id)
	m.coll.reindex(m, "customer_bank_account", old.id)
	return tx.event(m, event{
		action: "transferred", cause: "bank_account_transferred", origin: "bank", scheme: m.str("scheme"),
		reasonCode: failureCode(m.str("scheme"), "bank_account_transferred"),
		links:      object{{"previous_customer_bank_account", old.id}, {"new_customer_bank_account", fresh.id}},
	})
}

// transferredMandate shows the new details of a mandate that was moved, encrypted for the partner's
// own key.
func transferredMandate(tx *tx) (result, error) {
	m := tx.target
	moved := false
	for _, a := range tx.sb.store.coll("customer_bank_accounts").by("customer", m.link("customer")) {
		if strings.HasPrefix(a.ref("key"), "transfer of ") && a.id == m.link("customer_bank_account") {
			moved = true
		}
	}
	if !moved {
		return result{}, api.NotFound()
	}
	account := tx.must("customer_bank_accounts", m.link("customer_bank_account"))
	return result{obj: append(tx.sealedTransfer(fullDetails(account, "swift_"), hashText(m.id)), member{
		"links", object{{"customer_bank_account", account.id}, {"mandate", m.id}},
	})}, nil
}

// replaceMandate stands in for a change of the service user number: a new mandate takes over with all
// that is still to be collected, the old one points to it and is cancelled.
func (tx *tx) replaceMandate(m *record) *record {
	n := tx.make("mandates")
	copy(n.vals, m.vals)
	n.set("created_at", tx.timestamp())
	n.private = nil
	tx.add(n)
	tx.event(n, event{action: "created", cause: "mandate_created", origin: "gocardless"})
	m.set("status", "cancelled")
	m.setLink("new_mandate", n.id)
	tx.event(m, event{action: "replaced", cause: "scheme_identifier_changed", origin: "gocardless", links: object{{"new_mandate", n.id}}})
	tx.moveToMandate("payments", paymentCancellable, m, n)
	tx.moveToMandate("subscriptions", subscriptionOpen, m, n)
	tx.moveToMandate("instalment_schedules", scheduleOpen, m, n)
	switch n.status() {
	case "pending_submission":
		tx.planMandate(n)
	case "submitted":
		tx.at(bank.TimingOf(n.str("scheme")).Days().Shift(tx.today(), 1).At(bank.ConfirmHour, 0), "mandate.activate", n.id, "")
	}
	return n
}

// moveToMandate moves the resources of a mandate that are still open to another one.
func (tx *tx) moveToMandate(coll string, open func(status string) bool, from, to *record) {
	for _, r := range slices.Clone(tx.sb.store.coll(coll).by("mandate", from.id)) {
		if open(r.status()) {
			r.setLink("mandate", to.id)
			r.coll.reindex(r, "mandate", from.id)
		}
	}
}

// ReplaceMandate does what a change of the creditor's scheme identifier does to a mandate: a new
// mandate with the same details takes over, with the subscriptions, instalment schedules and pending
// payments of the old one. It returns the id of the new mandate; calls that use the old one are
// refused with the reason "mandate_replaced" and a link to the new one. It returns an error if no
// open mandate has this id.
func (sb *Sandbox) ReplaceMandate(id string) (string, error) {
	var fresh string
	err := sb.update(func(tx *tx) error {
		m := tx.find("mandates", id)
		if m == nil || !mandateOpen(m.status()) {
			return api.NotFound()
		}
		fresh = tx.replaceMandate(m).id
		return nil
	})
	return fresh, err
}
