package gocardlesstest

import (
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
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
	r.collection(store.CollectionSpec{Name: "settlements", Prefix: "SE", Internal: true, Indexed: []string{"debtor", "of"}, Spec: settlementSpec})
}

// owe notes that a creditor owes an amount for a resource. The action, if any, is the event of the
// resource once all of it was taken.
func (tx *tx) owe(of *record, action, item string, amount int64, links object) {
	creditor := of.LinkOrEmpty("creditor")
	if creditor == "" {
		creditor = of.Ref("creditor")
	}
	s := tx.make("settlements")
	s.Set("type", item)
	s.Set("action", action)
	s.Set("amount", amount)
	s.Set("left", amount)
	s.Set("currency", of.Str("currency"))
	s.Set("links", links)
	s.SetRef("of", of.Coll.Name+" "+of.ID)
	s.SetRef("debtor", creditor+" "+of.Str("currency"))
	tx.add(s)
}

// openSettlements are those of a creditor and currency that are not fully taken.
func (sb *Sandbox) openSettlements(creditor, currency string) []*record {
	return sb.store.Coll("settlements").By("debtor", creditor+" "+currency)
}

// settlementsOf are all that were made for a resource.
func (sb *Sandbox) settlementsOf(of *record) []*record {
	return sb.store.Coll("settlements").By("of", of.Coll.Name+" "+of.ID)
}

// settleInto takes what is owed off a payout that is being put together, what is owed to the
// creditor first.
func (tx *tx) settleInto(po *record) {
	open := tx.sb.openSettlements(po.Link("creditor"), po.Str("currency"))
	for _, s := range open {
		if left := s.Num("left"); left < 0 {
			tx.take(po, s, left)
		}
	}
	for _, s := range open {
		if part := min(s.Num("left"), po.Num("amount")); part > 0 {
			tx.take(po, s, part)
		}
	}
}

// take moves a part of a settlement into a payout.
func (tx *tx) take(po, s *record, part int64) {
	tx.addItem(po, s.Str("type"), -part, s.Obj("links"))
	s.Set("left", s.Num("left")-part)
	if s.Num("left") != 0 {
		return
	}
	tx.closeSettlement(s)
	if action := s.Str("action"); action != "" {
		coll, id, _ := strings.Cut(s.Ref("of"), " ")
		tx.event(tx.must(coll, id), event{action: action, cause: action, origin: "gocardless", links: object{{"payout", po.ID}}})
	}
}

// closeSettlement takes a settlement off the list of what is owed.
func (tx *tx) closeSettlement(s *record) {
	before := s.Ref("debtor")
	s.SetRef("debtor", "")
	s.Coll.Reindex(s, "debtor", before)
}

// forgive ends what is owed for a resource under some item type. What was taken already comes back
// with the next payout, as an item of another type.
func (tx *tx) forgive(of *record, item, back string) {
	for _, s := range tx.sb.settlementsOf(of) {
		if s.Str("type") != item || s.Str("status") == "forgiven" {
			continue
		}
		taken := s.Num("amount") - s.Num("left")
		if s.Num("left") != 0 {
			tx.closeSettlement(s)
		}
		s.Set("left", 0)
		s.Set("status", "forgiven")
		if taken > 0 {
			links := object{{singular(of.Coll.Name), of.ID}}
			tx.owe(of, "", back, -taken, links)
		}
	}
}

// settleNow reports at once that what is owed for a resource was settled. The money still goes off
// the creditor's next payouts.
func (tx *tx) settleNow(of *record) {
	for _, s := range tx.sb.settlementsOf(of) {
		if action := s.Str("action"); action != "" && s.Num("left") != 0 {
			s.Set("action", "")
			tx.event(of, event{action: action, cause: action})
		}
	}
}

// settleable reports whether something is owed for a resource that was not reported as settled.
func (sb *Sandbox) settleable(of *record) bool {
	for _, s := range sb.settlementsOf(of) {
		if s.Str("action") != "" && s.Num("left") != 0 {
			return true
		}
	}
	return false
}
