package gocardlesstest

import (
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// Settlements are what is owed between a creditor and GoCardless outside the payments of a payout:
// the money of a late failure, a chargeback or a refund, and surcharges. Each is taken off the
// creditor's next payouts in the currency, as far as they go: a payout is never negative, and the
// rest of the debt is carried to the one after. A negative settlement is owed to the creditor and
// raises the next payout.

// settlementSpec is the schema of the internal collection of settlements.
var settlementSpec = &api.Type{Name: "settlement", Fields: []api.Field{
	{Name: "id"}, {Name: "status"}, {Name: "type"}, {Name: "action"}, {Name: "amount", Kind: api.KindInt}, {Name: "left", Kind: api.KindInt}, {Name: "currency"},
	{Name: "links", Kind: api.KindAnyMap},
}}

func settlementFamily(r *registry) {
	r.collection(collectionSpec{name: "settlements", prefix: "SE", internal: true, indexed: []string{"debtor", "of"}, spec: settlementSpec})
}

// owe notes that a creditor owes an amount for a resource. The action, if any, is the event of the
// resource once all of it was taken.
func (tx *tx) owe(of *record, action, item string, amount int64, links object) {
	creditor := of.linkOrEmpty("creditor")
	if creditor == "" {
		creditor = of.ref("creditor")
	}
	s := tx.make("settlements")
	s.set("type", item)
	s.set("action", action)
	s.set("amount", amount)
	s.set("left", amount)
	s.set("currency", of.str("currency"))
	s.set("links", links)
	s.setRef("of", of.coll.name+" "+of.id)
	s.setRef("debtor", creditor+" "+of.str("currency"))
	tx.add(s)
}

// openSettlements are those of a creditor and currency that are not fully taken.
func (sb *Sandbox) openSettlements(creditor, currency string) []*record {
	return sb.store.coll("settlements").by("debtor", creditor+" "+currency)
}

// settlementsOf are all that were made for a resource.
func (sb *Sandbox) settlementsOf(of *record) []*record {
	return sb.store.coll("settlements").by("of", of.coll.name+" "+of.id)
}

// settleInto takes what is owed off a payout that is being put together, what is owed to the
// creditor first.
func (tx *tx) settleInto(po *record) {
	open := tx.sb.openSettlements(po.link("creditor"), po.str("currency"))
	for _, s := range open {
		if left := s.num("left"); left < 0 {
			tx.take(po, s, left)
		}
	}
	for _, s := range open {
		if part := min(s.num("left"), po.num("amount")); part > 0 {
			tx.take(po, s, part)
		}
	}
}

// take moves a part of a settlement into a payout.
func (tx *tx) take(po, s *record, part int64) {
	tx.addItem(po, s.str("type"), -part, s.obj("links"))
	s.set("left", s.num("left")-part)
	if s.num("left") != 0 {
		return
	}
	tx.closeSettlement(s)
	if action := s.str("action"); action != "" {
		coll, id, _ := strings.Cut(s.ref("of"), " ")
		tx.event(tx.must(coll, id), event{action: action, cause: action, origin: "gocardless", links: object{{"payout", po.id}}})
	}
}

// closeSettlement takes a settlement off the list of what is owed.
func (tx *tx) closeSettlement(s *record) {
	before := s.ref("debtor")
	s.setRef("debtor", "")
	s.coll.reindex(s, "debtor", before)
}

// forgive ends what is owed for a resource under some item type. What was taken already comes back
// with the next payout, as an item of another type.
func (tx *tx) forgive(of *record, item, back string) {
	for _, s := range tx.sb.settlementsOf(of) {
		if s.str("type") != item || s.str("status") == "forgiven" {
			continue
		}
		taken := s.num("amount") - s.num("left")
		if s.num("left") != 0 {
			tx.closeSettlement(s)
		}
		s.set("left", 0)
		s.set("status", "forgiven")
		if taken > 0 {
			links := object{{singular(of.coll.name), of.id}}
			tx.owe(of, "", back, -taken, links)
		}
	}
}

// settleNow reports at once that what is owed for a resource was settled, and whether anything was.
// The money still goes off the creditor's next payouts.
func (tx *tx) settleNow(of *record) bool {
	told := false
	for _, s := range tx.sb.settlementsOf(of) {
		if action := s.str("action"); action != "" && s.num("left") != 0 {
			s.set("action", "")
			tx.event(of, event{action: action, cause: action})
			told = true
		}
	}
	return told
}

// settleable reports whether something is owed for a resource that was not reported as settled.
func (sb *Sandbox) settleable(of *record) bool {
	for _, s := range sb.settlementsOf(of) {
		if s.str("action") != "" && s.num("left") != 0 {
			return true
		}
	}
	return false
}
