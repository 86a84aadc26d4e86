package gocardlesstest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Customer notifications and blocks, and the webhooks resource.

const eventNotifications store.Hidden[[]any] = "notifications"

func noticeFamily(r *registry) {
	r.collection(store.CollectionSpec{Name: "customer_notifications"})
	r.on("customer_notifications.handle", handleNotification)

	r.collection(store.CollectionSpec{Name: "blocks"})
	r.on("blocks.create", createBlock)
	r.on("blocks.block_by_ref", blockByRef)
	for _, active := range []bool{true, false} {
		name := "blocks.disable"
		if active {
			name = "blocks.enable"
		}
		r.on(name, func(tx *tx) (result, error) {
			tx.target.Set("active", active)
			tx.target.Set("updated_at", tx.timestamp())
			return one(tx.target), nil
		})
	}

	r.collection(store.CollectionSpec{Name: "webhooks"})
	r.on("webhooks.retry", retryWebhook)
}

// noticeKinds are the events that customers are notified of.
var noticeKinds = map[string]string{
	"payments.created": "payment_created", "payments.cancelled": "payment_cancelled",
	"mandates.created": "mandate_created", "mandates.blocked": "mandate_blocked",
	"subscriptions.created": "subscription_created", "subscriptions.cancelled": "subscription_cancelled",
	"instalment_schedules.created": "instalment_schedule_created", "instalment_schedules.cancelled": "instalment_schedule_cancelled",
}

// notify creates the customer notification of an event, if the account sends its own notifications.
func (sb *Sandbox) notify(tx *tx, r, ev *record) {
	kind := noticeKinds[r.Coll.Name+"."+ev.Str("action")]
	if kind == "" || !sb.opts.notifications {
		return
	}
	n := tx.make("customer_notifications")
	n.Set("type", kind)
	links := object{{"event", ev.ID}}
	if customer := cmp.Or(r.Ref("customer"), r.LinkOrEmpty("customer")); customer != "" {
		links = append(links, member{"customer", customer})
	}
	if name := singular(r.Coll.Name); n.Coll.Spec.Field("links").Type.Index(name) >= 0 {
		links = append(links, member{name, r.ID})
	}
	n.Set("links", links)
	tx.add(n)
	eventNotifications.Set(ev, []any{object{
		{"id", n.ID}, {"deadline", value.Stamp(tx.now.Add(time.Hour))}, {"mandatory", strings.HasSuffix(kind, "_created")}, {"type", kind},
	}})
}

func handleNotification(tx *tx) (result, error) {
	n := tx.target
	if n.Str("action_taken") != "" {
		return result{}, api.Refuse("already_actioned", "This notification has already been handled")
	}
	n.Set("action_taken", "handled")
	n.Set("action_taken_at", tx.timestamp())
	n.Set("action_taken_by", "US"+store.Base32(1<<40, 12))
	return one(n), nil
}

func createBlock(tx *tx) (result, error) {
	p := tx.problems()
	for _, name := range []string{"block_type", "reason_type", "resource_reference"} {
		if tx.body.Str(name) == "" {
			p.Add(name, "can't be blank")
		}
	}
	checkBlockReason(p, tx.body)
	if err := p.Err(); err != nil {
		return result{}, err
	}
	b := tx.draft("blocks")
	if b.Get("active") == nil {
		b.Set("active", true)
	}
	return one(tx.add(b)), nil
}

func checkBlockReason(p *api.Problems, o object) {
	if o.Str("reason_type") == "other" && o.Str("reason_description") == "" {
		p.Add("reason_description", "can't be blank")
	}
}

// blockByRef blocks the e-mail address and the bank accounts of a customer, or of a mandate's customer.
func blockByRef(tx *tx) (result, error) {
	p := tx.problems()
	for _, name := range []string{"reference_type", "reference_value", "reason_type"} {
		if tx.body.Str(name) == "" {
			p.Add(name, "can't be blank")
		}
	}
	checkBlockReason(p, tx.body)
	if err := p.Err(); err != nil {
		return result{}, err
	}
	customer, accounts := tx.blockTargets(tx.body.Str("reference_type"), tx.body.Str("reference_value"))
	if customer == nil {
		return result{}, api.NotFound()
	}
	l := &store.Listing{Limit: store.DefaultLimit}
	status := 200
	block := func(kind, reference string) {
		for _, b := range tx.sb.store.Coll("blocks").Recs {
			if b.Str("block_type") == kind && b.Str("resource_reference") == reference {
				l.Recs = append(l.Recs, b)
				return
			}
		}
		status = 201
		b := tx.make("blocks")
		b.CopyFrom(tx.op.Bodies[0], tx.body)
		b.Set("block_type", kind)
		b.Set("resource_reference", reference)
		if b.Get("active") == nil {
			b.Set("active", true)
		}
		l.Recs = append(l.Recs, tx.add(b))
	}
	if mail := customer.Str("email"); mail != "" {
		block("email", mail)
	}
	for _, a := range accounts {
		block("bank_account", a.ID)
	}
	return result{listing: l, status: status}, nil
}

// blockTargets returns the customer and the bank accounts that a reference identifies, or nil.
func (tx *tx) blockTargets(kind, id string) (*record, []*record) {
	if kind != "mandate" {
		if customer := tx.find("customers", id); customer != nil {
			return customer, accountsOf(customer)
		}
		return nil, nil
	}
	m := tx.find("mandates", id)
	if m == nil {
		return nil, nil
	}
	return tx.must("customers", m.Link("customer")), []*record{tx.must("customer_bank_accounts", m.Link("customer_bank_account"))}
}

// blocked reports whether a payer matches an active block.
func (sb *Sandbox) blocked(customer, account *record) bool {
	mail := strings.ToLower(customer.Str("email"))
	_, domain, _ := strings.Cut(mail, "@")
	// Customers can share a bank account.
	sameAccount := func(id string) bool {
		other := sb.store.Find("customer_bank_accounts", id)
		return id == account.ID || other != nil && other.Ref("key") == account.Ref("key")
	}
	return slices.ContainsFunc(sb.store.Coll("blocks").Recs, func(b *record) bool {
		if !b.Flag("active") {
			return false
		}
		ref := b.Str("resource_reference")
		switch b.Str("block_type") {
		case "email":
			return mail != "" && strings.EqualFold(ref, mail)
		case "email_domain":
			return domain != "" && strings.EqualFold(ref, domain)
		case "bank_account":
			return sameAccount(ref)
		case "bank_name":
			return strings.EqualFold(ref, account.Str("bank_name"))
		}
		return false
	})
}
