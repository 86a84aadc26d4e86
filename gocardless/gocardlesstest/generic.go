package gocardlesstest

import (
	"slices"
	"strings"
	"time"
)

// The resources that need little: read-only lists with a default state, and creates that only
// answer.

// genericFamily comes last: it also gives every resource that no other family declares its
// collection.
func genericFamily(r *registry) {
	r.collection(collectionSpec{name: "tax_rates", idForm: idNamed})
	r.collection(collectionSpec{name: "currency_exchange_rates", prefix: "FX"})
	r.collection(collectionSpec{name: "exports"})
	r.collection(collectionSpec{name: "negative_balance_limits"})
	r.collection(collectionSpec{name: "logos"})
	r.collection(collectionSpec{name: "payer_themes"})
	r.filter("negative_balance_limits.list", "creditor", func(_ *Sandbox, l *record, id string) bool { return l.link("creditor") == id })
	r.on("logos.create_for_creditor", createLogo)
	r.on("payer_themes.create_for_creditor", func(tx *tx) (result, error) {
		if _, err := tx.creditor(); err != nil {
			return result{}, err
		}
		return one(tx.add(tx.make("payer_themes"))), nil
	})
	r.on("mandate_pdfs.create", createMandatePDF)
	r.owner("funds_availability.check", "mandates")
	r.on("funds_availability.check", checkFunds)

	r.collection(collectionSpec{name: "payer_authorisations"})
	r.on("payer_authorisations.create", createPayerAuthorisation)
	r.on("payer_authorisations.update", updatePayerAuthorisation)
	r.on("payer_authorisations.submit", submitPayerAuthorisation)
	r.on("payer_authorisations.confirm", confirmPayerAuthorisation)
	r.job("payer_authorisation.complete", completePayerAuthorisation)

	r.seed(seedLists)
	for i := range operations {
		op := &operations[i]
		if !r.hasCollection(op.resource()) && op.result != nil {
			r.collection(collectionSpec{name: op.resource()})
		}
	}
}

// seedLists fills the lists that the API only reads.
func seedLists(tx *tx) {
	for _, t := range []struct{ id, percentage, start, end string }{
		{"GB_VAT_1", "20.0", "2011-01-04", ""}, {"GB_VAT_0", "17.5", "2010-01-01", "2011-01-03"},
		{"FR_VAT_1", "20.0", "2014-01-01", ""}, {"DE_VAT_1", "19.0", "2021-01-01", ""},
	} {
		r := tx.make("tax_rates")
		r.id = t.id
		r.set("jurisdiction", t.id[:2])
		r.set("percentage", t.percentage)
		r.set("type", "VAT")
		r.set("start_date", t.start)
		r.set("end_date", nilIfEmpty(t.end))
		tx.add(r)
	}
	for _, x := range []struct{ source, target, rate string }{
		{"EUR", "GBP", "0.8642"}, {"GBP", "EUR", "1.1571"}, {"GBP", "USD", "1.3412"}, {"USD", "GBP", "0.7456"}, {"SEK", "GBP", "0.0784"},
	} {
		r := tx.make("currency_exchange_rates")
		r.set("source", x.source)
		r.set("target", x.target)
		r.set("rate", x.rate)
		r.set("time", tx.timestamp())
		tx.add(r)
	}
	e := tx.make("exports")
	e.set("export_type", "payments_index")
	e.set("currency", "GBP")
	e.set("download_url", "https://exports.example.com/payments.csv")
	tx.add(e)
	creditor := tx.sb.store.coll("creditors").recs[0]
	l := tx.make("negative_balance_limits")
	l.set("balance_limit", 10_000_00)
	l.set("currency", "GBP")
	l.set("links", object{{"creditor", creditor.id}})
	tx.add(l)
}

// createLogo takes a picture as a data URL or plain base64 and keeps nothing of it.
func createLogo(tx *tx) (result, error) {
	creditor, err := tx.creditor()
	if err != nil {
		return result{}, err
	}
	if tx.body.str("image") == "" {
		p := tx.problems()
		p.add("image", "can't be blank")
		return result{}, p.err()
	}
	l := tx.add(tx.make("logos"))
	creditor.set("logo_url", "https://assets.example.com/logos/"+l.id+".png")
	tx.event(creditor, event{action: "updated", cause: "creditor_updated", origin: "gocardless", property: "logo_url"})
	return one(l), nil
}

// pdfLife is how long the address of a mandate's PDF works.
const pdfLife = 10 * time.Minute

func createMandatePDF(tx *tx) (result, error) {
	m, err := tx.linked("mandates", "mandate")
	if err != nil {
		return result{}, err
	}
	p := tx.problems()
	if m == nil {
		// Without a mandate the details come with the call. Blank ones give a blank form.
		switch {
		case tx.body.has("iban"):
			readIBAN(p, "", tx.body, tx.body.str("iban"), &bankDetails{country: tx.body.str("country_code")})
		case tx.body.str("scheme") == "":
			p.add("scheme", "can't be blank")
		case tx.body.has("account_number"):
			readLocal(p, "", tx.body, &bankDetails{country: tx.body.str("country_code")})
		}
	}
	if err := p.err(); err != nil {
		return result{}, err
	}
	id := "PDF" + base32(mix(uint64(tx.now.UnixNano())^hashText(tx.body.obj("links").str("mandate"))), 12)
	return result{obj: object{{"expires_at", stamp(tx.now.Add(pdfLife))}, {"url", "https://mandate-previews.example.com/" + id + ".pdf"}}}, nil
}

// checkFunds asks a payer's bank, for a mandate of variable recurring payments. The sandbox's payers
// always have less than ten thousand.
func checkFunds(tx *tx) (result, error) {
	if !mandateUsable(tx.target.status()) {
		return result{}, refuse("mandate_is_inactive", "Mandate is failed, cancelled or expired")
	}
	v := tx.query.Get("amount")
	if !onlyDigits.MatchString(v) {
		e := refuse("invalid_filters", "amount must be a positive number")
		e.items[0].field = "amount"
		return result{}, e
	}
	return result{obj: object{{"available", len(strings.TrimLeft(v, "0")) < 7}}}, nil
}

// Payer authorisations, the deprecated way to collect a payer's details.

func createPayerAuthorisation(tx *tx) (result, error) {
	a := tx.draft("payer_authorisations")
	a.set("status", "created")
	a.set("links", object{})
	tx.fillPayerAuthorisation(a)
	return one(tx.add(a)), nil
}

// fillPayerAuthorisation keeps what the reply must not show aside and lists what is missing.
func (tx *tx) fillPayerAuthorisation(a *record) {
	for _, part := range []string{"customer", "bank_account", "mandate"} {
		o := tx.body.obj(part)
		a.setRef(part, o)
		if part == "bank_account" {
			number := o.str("iban")
			if number == "" {
				number = o.str("account_number")
			}
			if len(number) > 2 {
				o = o.with("account_number_ending", number[len(number)-2:])
			}
			o = o.without("account_number").without("iban")
		}
		a.set(part, o)
	}
	missing := []any{}
	need := func(part, name string) {
		if tx.body.obj(part).str(name) == "" {
			missing = append(missing, object{{"field", name}, {"message", "can't be blank"}, {"request_pointer", "/payer_authorisations/" + part + "/" + name}})
		}
	}
	if tx.body.obj("customer").str("company_name") == "" {
		need("customer", "given_name")
		need("customer", "family_name")
	}
	for _, name := range []string{"email", "address_line1", "city", "postal_code", "country_code"} {
		need("customer", name)
	}
	need("bank_account", "account_holder_name")
	if tx.body.obj("bank_account").str("iban") == "" {
		need("bank_account", "account_number")
		need("bank_account", "country_code")
	}
	need("mandate", "scheme")
	a.set("incomplete_fields", missing)
}

func updatePayerAuthorisation(tx *tx) (result, error) {
	if tx.target.status() != "created" {
		p := tx.problems()
		p.add("status", "does not allow an update any more")
		return result{}, p.err()
	}
	tx.fillPayerAuthorisation(tx.target)
	return one(tx.target), nil
}

func submitPayerAuthorisation(tx *tx) (result, error) {
	a := tx.target
	if a.status() != "created" || len(a.get("incomplete_fields").([]any)) > 0 {
		p := &problems{prefix: "/payer_authorisations"}
		if a.status() != "created" {
			p.add("status", "does not allow submission")
		}
		for _, v := range a.get("incomplete_fields").([]any) {
			o := v.(object)
			p.items = append(p.items, errorItem{field: o.str("field"), message: o.str("message"), pointer: o.str("request_pointer")})
		}
		return result{}, p.err()
	}
	p := &problems{prefix: "/payer_authorisations"}
	tx.checkCustomer(p, "customer/", a.private.obj("customer"), nil)
	readBankDetails(p, "bank_account/", a.private.obj("bank_account"))
	if err := p.err(); err != nil {
		return result{}, err
	}
	a.set("status", "submitted")
	return one(a), nil
}

func confirmPayerAuthorisation(tx *tx) (result, error) {
	a := tx.target
	if a.status() != "submitted" {
		p := tx.problems()
		p.prefix = "/payer_authorisations"
		p.add("status", "does not allow confirmation")
		return result{}, p.err()
	}
	a.set("status", "confirmed")
	tx.at(tx.now.Add(time.Second), "payer_authorisation.complete", a.id, "")
	return one(a), nil
}

// completePayerAuthorisation makes the customer, bank account and mandate.
func completePayerAuthorisation(tx *tx, id, _ string) {
	a := tx.find("payer_authorisations", id)
	if a == nil || a.status() != "confirmed" {
		return
	}
	p := &problems{}
	d := readBankDetails(p, "", a.private.obj("bank_account"))
	scheme := a.private.obj("mandate").str("scheme")
	if len(p.items) > 0 || currencyOf(scheme) != d.currency || !slices.Contains(d.schemes(), any(scheme)) {
		a.set("status", "failed")
		tx.event(a, event{action: "failed", cause: "mandate_creation_failed", origin: "gocardless"})
		return
	}
	customer := tx.addCustomer(a.private.obj("customer").without("locale"))
	account := tx.addCustomerBankAccount(customer, d, a.private.obj("bank_account").get("metadata"))
	m := tx.make("mandates")
	m.set("scheme", scheme)
	m.set("reference", a.private.obj("mandate").get("reference"))
	m.set("metadata", a.private.obj("mandate").get("metadata"))
	tx.addMandate(m, tx.sb.store.coll("creditors").recs[0], customer, account)
	a.set("status", "completed")
	a.set("links", object{{"customer", customer.id}, {"bank_account", account.id}, {"mandate", m.id}})
	tx.event(a, event{action: "completed", cause: "payer_authorisation_completed", origin: "gocardless"})
}
