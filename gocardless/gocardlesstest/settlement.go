package gocardlesstest

import (
	"cmp"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// Settlements are debts of a creditor to GoCardless: the money of a late failure, a chargeback or a
// refund, and surcharges. Each is deducted from the creditor's next payouts in the currency. A payout
// is never negative; the rest of the debt is carried over to the next one. A negative settlement is
// owed to the creditor and increases the next payout.

// settlementSpec is the schema of the internal collection of settlements.
var settlementSpec = &api.Type{Name: "settlement", Fields: []api.Field{
	{Name: "id"}, {Name: "status"}, {Name: "type"}, {Name: "action"}, {Name: "amount", Kind: api.KindInt}, {Name: "left", Kind: api.KindInt}, {Name: "currency"},
	{Name: "links", Kind: api.KindAnyMap},
}}

func settlementFamily(r *registry) {
	r.collection(store.CollectionSpec{Name: "settlements", Prefix: "SE", Internal: true, Indexed: []string{"debtor", "of"}, Spec: settlementSpec})
}

// owe records that a creditor owes an amount for a resource. The action, if any, is the event of the
// resource when the whole amount has been deducted.
func (tx *tx) owe(of *record, action, item string, amount int64, links object) {
	creditor := cmp.Or(of.LinkOrEmpty("creditor"), of.Ref("creditor"))
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

// openSettlements lists the settlements of a creditor and currency that are not fully deducted.
func (sb *Sandbox) openSettlements(creditor, currency string) []*record {
	return sb.store.Coll("settlements").By("debtor", creditor+" "+currency)
}

// settlementsOf lists all settlements of a resource.
func (sb *Sandbox) settlementsOf(of *record) []*record {
	return sb.store.Coll("settlements").By("of", of.Coll.Name+" "+of.ID)
}

// settleInto deducts debts from a payout that is being made, after adding what is owed to the creditor.
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

// take moves a part of a settlement to a payout.
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

// closeSettlement removes a settlement from the open ones.
func (tx *tx) closeSettlement(s *record) {
	before := s.Ref("debtor")
	s.SetRef("debtor", "")
	s.Coll.Reindex(s, "debtor", before)
}

// forgive cancels what is owed for a resource as a type of item. What was already deducted is returned
// with the next payout, as another type of item.
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

// settleNow creates the event of a settled debt at once. The money is still deducted from the
// creditor's next payouts.
func (tx *tx) settleNow(of *record) {
	for _, s := range tx.sb.settlementsOf(of) {
		if action := s.Str("action"); action != "" && s.Num("left") != 0 {
			s.Set("action", "")
			tx.event(of, event{action: action, cause: action})
		}
	}
}

// settleable reports whether a debt of a resource is still to be reported as settled.
func (sb *Sandbox) settleable(of *record) bool {
	for _, s := range sb.settlementsOf(of) {
		if s.Str("action") != "" && s.Num("left") != 0 {
			return true
		}
	}
	return false
}
