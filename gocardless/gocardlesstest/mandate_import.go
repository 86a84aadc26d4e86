package gocardlesstest

import (
	"slices"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
)

// Mandate imports: mandates brought over from another provider, many at a time.

const (
	maxImportEntries = 30_000
	// importTime is how long the sandbox takes over a submitted import; half of it is waiting.
	importTime = 10 * time.Second
)

func mandateImportFamily(r *registry) {
	r.collection(collectionSpec{name: "mandate_imports"})
	r.on("mandate_imports.create", createMandateImport)
	r.on("mandate_imports.submit", submitMandateImport)
	r.on("mandate_imports.cancel", cancelMandateImport)
	r.job("mandate_import.start", func(tx *tx, id, _ string) {
		if im := tx.find("mandate_imports", id); im != nil && im.status() == "submitted" {
			im.set("status", "processing")
			tx.at(tx.now.Add(importTime/2), "mandate_import.process", id, "")
		}
	})
	r.job("mandate_import.process", func(tx *tx, id, _ string) {
		if im := tx.find("mandate_imports", id); im != nil && im.status() == "processing" {
			tx.processMandateImport(im)
		}
	})

	r.collection(collectionSpec{name: "mandate_import_entries", indexed: []string{"mandate_import"}})
	r.on("mandate_import_entries.create", createMandateImportEntry)
	r.filter("mandate_import_entries.list", "status", func(e *record, status string) bool { return e.ref("outcome") == status })
}

// standIn is a record for checks that need one before it exists. It is in no collection, and must
// not be written to.
func (tx *tx) standIn(coll string, members object) *record {
	c := tx.sb.store.coll(coll)
	r := &record{coll: c, vals: make([]any, len(c.spec.Fields))}
	for _, m := range members {
		if i := c.spec.Index(m.Key); i >= 0 {
			r.vals[i] = m.Val
		}
	}
	return r
}

func createMandateImport(tx *tx) (result, error) {
	creditor, err := tx.creditor()
	if err != nil {
		return result{}, err
	}
	p := tx.problems()
	scheme := tx.body.Str("scheme")
	if t, known := bank.FindTiming(scheme); !known || t.Instant {
		p.Add("scheme", "must be a direct debit scheme")
	}
	if err := p.Err(); err != nil {
		return result{}, err
	}
	im := tx.make("mandate_imports")
	im.set("scheme", scheme)
	im.set("status", "created")
	im.set("links", object{{"creditor", creditor.id}})
	return one(tx.add(im)), nil
}

func submitMandateImport(tx *tx) (result, error) {
	im := tx.target
	if im.status() != "created" {
		return result{}, api.TooLate("The mandate import is " + im.status())
	}
	im.set("status", "submitted")
	tx.at(tx.now.Add(importTime/2), "mandate_import.start", im.id, "")
	return one(im), nil
}

func cancelMandateImport(tx *tx) (result, error) {
	im := tx.target
	if im.status() != "created" {
		return result{}, api.Refuse("cancellation_failed", "The mandate import cannot be cancelled: it is "+im.status())
	}
	im.set("status", "cancelled")
	return one(im), nil
}

func createMandateImportEntry(tx *tx) (result, error) {
	im, err := tx.linked("mandate_imports", "mandate_import")
	if err != nil {
		return result{}, err
	}
	if im.status() != "created" {
		return result{}, api.TooLate("The mandate import is " + im.status() + ", so no entries can be added")
	}
	siblings := tx.sb.store.coll("mandate_import_entries").by("mandate_import", im.id)
	if len(siblings) >= maxImportEntries {
		return result{}, api.Refuse("record_limit_exceeded", "The mandate import has its maximum of 30,000 entries")
	}
	p := tx.problems()
	scheme := im.str("scheme")
	tx.checkImportEntry(p, scheme)
	label := tx.body.Str("record_identifier")
	if label != "" && slices.ContainsFunc(siblings, func(e *record) bool { return e.str("record_identifier") == label }) {
		p.Add("record_identifier", "has already been taken")
	}
	if err := p.Err(); err != nil {
		return result{}, err
	}
	e := tx.make("mandate_import_entries")
	e.set("record_identifier", nilIfEmpty(label))
	e.set("links", object{{"mandate_import", im.id}})
	for _, part := range []string{"customer", "bank_account", "mandate"} {
		if o := tx.body.Obj(part); o != nil {
			hidden[object](part).set(e, o)
		}
	}
	return one(tx.add(e)), nil
}

// checkImportEntry checks the parts of an entry as if each were made by its own call.
func (tx *tx) checkImportEntry(p *api.Problems, scheme string) {
	customer := tx.body.Obj("customer")
	tx.checkCustomer(p, "customer/", customer, nil)
	if slices.Contains([]string{"bacs", "sepa_core"}, scheme) {
		for _, name := range []string{"address_line1", "postal_code"} {
			if strings.TrimSpace(customer.Str(name)) == "" {
				p.Add("customer/"+name, "can't be blank")
			}
		}
	}
	before := len(p.Items)
	d := readBankDetails(p, "bank_account/", tx.body.Obj("bank_account"))
	if len(p.Items) == before && !slices.Contains(schemesFor(d), any(scheme)) {
		p.Add("bank_account/country_code", "is not supported by %s", scheme)
	}
	if tx.body.Has("amendment") && scheme != "sepa_core" {
		p.Add("amendment", "can only be given for sepa_core")
	}
	// Imported mandates were signed elsewhere, so the payer's browser left no address to record.
	mandate := tx.body.Obj("mandate")
	if mandate.Str("authorisation_source") == "" {
		mandate = mandate.With("authorisation_source", "paper")
	}
	tx.checkMandate(p, "mandate/", scheme, tx.standIn("customers", customer), mandate)
}

// processMandateImport makes what the entries ask for. An entry that cannot be made records why and
// makes nothing.
func (tx *tx) processMandateImport(im *record) {
	scheme := im.str("scheme")
	creditor := tx.must("creditors", im.link("creditor"))
	taken := map[string]bool{}
	for _, m := range tx.sb.store.coll("mandates").recs {
		if m.str("scheme") == scheme {
			taken[m.str("reference")] = true
		}
	}
	for _, e := range tx.sb.store.coll("mandate_import_entries").by("mandate_import", im.id) {
		wanted := authorisedMandate.of(e)
		reference := wanted.Str("reference")
		if reference != "" && taken[reference] {
			e.setRef("outcome", "unsuccessfully_processed")
			e.set("processing_errors", object{{"mandate", []any{object{
				{"field", "reference"}, {"message", "has already been taken"}, {"request_pointer", "/mandate_import_entries/mandate/reference"},
			}}}})
			continue
		}
		d := readBankDetails(&api.Problems{}, "", authorisedAccount.of(e))
		customer := tx.addCustomer(authorisedCustomer.of(e))
		account := tx.addCustomerBankAccount(customer, d, metadataOf(authorisedAccount.of(e)))
		m := tx.make("mandates")
		m.set("scheme", scheme)
		m.set("metadata", metadataOf(wanted))
		for _, name := range []string{"reference", "authorisation_source"} {
			if wanted.Has(name) {
				m.set(name, wanted.Get(name))
			}
		}
		tx.addMandate(m, creditor, customer, account)
		taken[m.str("reference")] = true
		e.setRef("outcome", "successfully_processed")
		e.set("links", e.obj("links").With("customer", customer.id).With("customer_bank_account", account.id).With("mandate", m.id))
	}
	im.set("status", "processed")
}
