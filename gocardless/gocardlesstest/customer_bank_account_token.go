package gocardlesstest

import (
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// Customer bank account tokens, which stand for bank details that a payer entered in the browser. Their
// ids are invented, because no reply of the API with one is known.

func bankAccountTokenFamily(r *registry) {
	r.collection(store.CollectionSpec{Name: "customer_bank_account_tokens", Prefix: "CBT"})
	r.on("customer_bank_account_tokens.create", func(tx *tx) (result, error) {
		p := tx.problems()
		d := readBankDetails(p, "", tx.body)
		if err := p.Err(); err != nil {
			return result{}, err
		}
		t := tx.make("customer_bank_account_tokens")
		t.Set("account_holder_name", d.Holder)
		t.Set("account_number_ending", d.Ending)
		t.Set("bank_name", d.BankName)
		t.Set("country_code", d.Country)
		t.Set("currency", d.Currency)
		t.SetRef("key", d.Key)
		t.SetRef("bic", d.BIC)
		return one(tx.add(t)), nil
	})
}

// tokenDetails returns the bank details that a token stands for. A token that the sandbox did not
// create comes from a browser library that calls the API directly; its account is derived from the
// token.
func (tx *tx) tokenDetails(token string, customer *record) bankDetails {
	t := tx.find("customer_bank_account_tokens", token)
	if t == nil {
		return bankDetails{Country: "GB", Currency: "GBP", BankName: "BARCLAYS BANK PLC", Ending: "11", Key: "token " + token,
			Holder: bank.HolderName(customerName(customer))}
	}
	return bankDetails{
		Country: t.Str("country_code"), Currency: t.Str("currency"), BankName: t.Str("bank_name"), Ending: t.Str("account_number_ending"),
		Key: t.Ref("key"), BIC: t.Ref("bic"), Holder: t.Str("account_holder_name"),
	}
}
