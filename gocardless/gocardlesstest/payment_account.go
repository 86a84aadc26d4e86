package gocardlesstest

import (
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Payment accounts, which hold the money that outbound payments are made from, and the
// transactions on them.

// openingBalance is what a payment account starts with, in minor units.
const openingBalance = 1_000_000_00

func paymentAccountFamily(r *registry) {
	r.collection(collectionSpec{name: "payment_accounts", indexed: []string{"creditor"}})
	r.collection(collectionSpec{name: "payment_account_transactions", indexed: []string{"payment_bank_account"}})
	r.owner("payment_account_transactions.list", "payment_accounts")
	r.on("payment_account_transactions.list", listTransactions)
	inRange := func(param string, f func(have, want string) bool) {
		r.filter("payment_account_transactions.list", param, func(t *record, v string) bool { return f(t.str("value_date"), v) })
	}
	inRange("value_date_from", func(have, want string) bool { return have >= want })
	inRange("value_date_to", func(have, want string) bool { return have <= want })
	r.seed(func(tx *tx) {
		for _, c := range tx.sb.store.coll("creditors").recs {
			tx.paymentAccount(c)
		}
	})
}

func listTransactions(tx *tx) (result, error) {
	for _, name := range []string{"value_date_from", "value_date_to"} {
		if _, err := time.Parse(value.DateForm, tx.query.Get(name)); err != nil {
			e := api.Refuse("invalid_filters", name+" must be a date")
			e.Items[0].Field = name
			return result{}, e
		}
	}
	account := tx.target.id
	l, err := tx.listing(func(t *record) bool { return t.link("payment_bank_account") == account })
	return result{listing: l}, err
}

// paymentAccount is the account of a creditor, opened when it is first needed.
func (tx *tx) paymentAccount(creditor *record) *record {
	if list := tx.sb.store.coll("payment_accounts").by("creditor", creditor.id); len(list) > 0 {
		return list[0]
	}
	a := tx.make("payment_accounts")
	a.set("account_balance", 0)
	a.set("account_holder_name", bank.HolderName(creditor.str("name")))
	a.set("account_number_ending", itoa(10+int(hashText(a.id)%90)))
	a.set("bank_name", "SANDBOX BANK GB")
	a.set("currency", "GBP")
	a.set("links", object{{"creditor", creditor.id}})
	tx.add(a)
	tx.move(a, openingBalance, "Opening balance", "Sandbox", "", nil)
	return a
}

// move books a transaction: money comes in with a positive amount and leaves with a negative one.
func (tx *tx) move(account *record, amount int64, description, counterparty, reference string, links object) *record {
	account.set("account_balance", account.num("account_balance")+amount)
	t := tx.make("payment_account_transactions")
	direction := "credit"
	if amount < 0 {
		direction, amount = "debit", -amount
	}
	t.set("amount", amount)
	t.set("direction", direction)
	t.set("balance_after_transaction", account.num("account_balance"))
	t.set("currency", account.get("currency"))
	t.set("counterparty_name", counterparty)
	t.set("description", description)
	t.set("reference", reference)
	t.set("value_date", string(tx.today()))
	t.set("links", append(object{{"payment_bank_account", account.id}}, links...))
	tx.add(t)
	tx.event(t, event{action: "created"})
	return t
}
