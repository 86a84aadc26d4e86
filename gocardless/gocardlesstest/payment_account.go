package gocardlesstest

import (
	"strconv"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Payment accounts, which hold the money for outbound payments, and the transactions on them.

// openingBalance is the initial balance of a payment account, in minor units.
const openingBalance = 1_000_000_00

func paymentAccountFamily(r *registry) {
	r.collection(store.CollectionSpec{Name: "payment_accounts", Indexed: []string{"creditor"}})
	r.collection(store.CollectionSpec{Name: "payment_account_transactions", Indexed: []string{"payment_bank_account"}})
	r.owner("payment_account_transactions.list", "payment_accounts")
	r.on("payment_account_transactions.list", listTransactions)
	inRange := func(param string, f func(have, want string) bool) {
		r.filter("payment_account_transactions.list", param, func(t *record, v string) bool { return f(t.Str("value_date"), v) })
	}
	inRange("value_date_from", func(have, want string) bool { return have >= want })
	inRange("value_date_to", func(have, want string) bool { return have <= want })
	r.seed(func(tx *tx) {
		for _, c := range tx.sb.store.Coll("creditors").Recs {
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
	account := tx.target.ID
	l, err := tx.listing(func(t *record) bool { return t.Link("payment_bank_account") == account })
	return result{listing: l}, err
}

// paymentAccount returns the account of a creditor, which is opened when it is first needed.
func (tx *tx) paymentAccount(creditor *record) *record {
	if list := tx.sb.store.Coll("payment_accounts").By("creditor", creditor.ID); len(list) > 0 {
		return list[0]
	}
	a := tx.make("payment_accounts")
	a.Set("account_balance", 0)
	a.Set("account_holder_name", bank.HolderName(creditor.Str("name")))
	a.Set("account_number_ending", strconv.Itoa(10+int(store.HashText(a.ID)%90)))
	a.Set("bank_name", "SANDBOX BANK GB")
	a.Set("currency", "GBP")
	a.Set("links", object{{"creditor", creditor.ID}})
	tx.add(a)
	tx.move(a, openingBalance, "Opening balance", "Sandbox", "", nil)
	return a
}

// move books a transaction. A positive amount is received, a negative one sent.
func (tx *tx) move(account *record, amount int64, description, counterparty, reference string, links object) {
	account.Set("account_balance", account.Num("account_balance")+amount)
	t := tx.make("payment_account_transactions")
	direction := "credit"
	if amount < 0 {
		direction, amount = "debit", -amount
	}
	t.Set("amount", amount)
	t.Set("direction", direction)
	t.Set("balance_after_transaction", account.Num("account_balance"))
	t.Set("currency", account.Get("currency"))
	t.Set("counterparty_name", counterparty)
	t.Set("description", description)
	t.Set("reference", reference)
	t.Set("value_date", string(tx.today()))
	t.Set("links", append(object{{"payment_bank_account", account.ID}}, links...))
	tx.add(t)
	tx.event(t, event{action: "created"})
}
