package gocardlesstest

import "github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"

// Customer bank account tokens stand for bank details that a payer typed in the browser. Their ids
// are this sandbox's choice, since no reply of the API with one has been seen.

func bankAccountTokenFamily(r *registry) {
	r.collection(collectionSpec{name: "customer_bank_account_tokens", prefix: "CBT"})
	r.on("customer_bank_account_tokens.create", func(tx *tx) (result, error) {
		p := tx.problems()
		d := readBankDetails(p, "", tx.body)
		if err := p.Err(); err != nil {
			return result{}, err
		}
		t := tx.make("customer_bank_account_tokens")
		t.set("account_holder_name", d.Holder)
		t.set("account_number_ending", d.Ending)
		t.set("bank_name", d.BankName)
		t.set("country_code", d.Country)
		t.set("currency", d.Currency)
		t.setRef("key", d.Key)
		t.setRef("bic", d.BIC)
		return one(tx.add(t)), nil
	})
}

// tokenDetails are the bank details that a token stands for. A token that was not made here comes
// from a browser library that talks to the API directly: it stands for an account derived from its
// id.
func (tx *tx) tokenDetails(token string, customer *record) bankDetails {
	t := tx.find("customer_bank_account_tokens", token)
	if t == nil {
		return bankDetails{Country: "GB", Currency: "GBP", BankName: "BARCLAYS BANK PLC", Ending: "11", Key: "token " + token,
			Holder: bank.HolderName(customerName(customer))}
	}
	return bankDetails{
		Country: t.str("country_code"), Currency: t.str("currency"), BankName: t.str("bank_name"), Ending: t.str("account_number_ending"),
		Key: t.ref("key"), BIC: t.ref("bic"), Holder: t.str("account_holder_name"),
	}
}
