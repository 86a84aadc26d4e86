package gocardlesstest

import (
	"slices"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// Mandate imports, which move many mandates from another provider.

const (
	maxImportEntries = 30_000
	// importTime is how long a submitted import takes. It waits for the first half.
	importTime = 10 * time.Second
)

func mandateImportFamily(r *registry) {
	r.collection(store.CollectionSpec{Name: "mandate_imports"})
	r.on("mandate_imports.create", createMandateImport)
	r.on("mandate_imports.submit", submitMandateImport)
	r.on("mandate_imports.cancel", cancelMandateImport)
	r.job("mandate_import.start", func(tx *tx, id, _ string) {
		if im := tx.find("mandate_imports", id); im != nil && im.Status() == "submitted" {
			im.Set("status", "processing")
			tx.at(tx.now.Add(importTime/2), "mandate_import.process", id, "")
		}
	})
	r.job("mandate_import.process", func(tx *tx, id, _ string) {
		if im := tx.find("mandate_imports", id); im != nil && im.Status() == "processing" {
			tx.processMandateImport(im)
		}
	})

	r.collection(store.CollectionSpec{Name: "mandate_import_entries", Indexed: []string{"mandate_import"}})
	r.on("mandate_import_entries.create", createMandateImportEntry)
	r.filter("mandate_import_entries.list", "status", func(e *record, status string) bool { return e.Ref("outcome") == status })
}

// standIn returns a record for checks that need a record that does not exist yet. It is in no
// collection, and must not be written to.
func (tx *tx) standIn(coll string, members object) *record {
	c := tx.sb.store.Coll(coll)
	r := c.Blank()
	for _, m := range members {
		if i := c.Spec.Index(m.Key); i >= 0 {
			r.Vals[i] = m.Val
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
	im.Set("scheme", scheme)
	im.Set("status", "created")
	im.Set("links", object{{"creditor", creditor.ID}})
	return one(tx.add(im)), nil
}

func submitMandateImport(tx *tx) (result, error) {
	im := tx.target
	if im.Status() != "created" {
		return result{}, api.TooLate("The mandate import is " + im.Status())
	}
	im.Set("status", "submitted")
	tx.at(tx.now.Add(importTime/2), "mandate_import.start", im.ID, "")
	return one(im), nil
}

func cancelMandateImport(tx *tx) (result, error) {
	im := tx.target
	if im.Status() != "created" {
		return result{}, api.Refuse("cancellation_failed", "The mandate import cannot be cancelled: it is "+im.Status())
	}
	im.Set("status", "cancelled")
	return one(im), nil
}

func createMandateImportEntry(tx *tx) (result, error) {
	im, err := tx.linked("mandate_imports", "mandate_import")
	if err != nil {
		return result{}, err
	}
	if im.Status() != "created" {
		return result{}, api.TooLate("The mandate import is " + im.Status() + ", so no entries can be added")
	}
	siblings := tx.sb.store.Coll("mandate_import_entries").By("mandate_import", im.ID)
	if len(siblings) >= maxImportEntries {
		return result{}, api.Refuse("record_limit_exceeded", "The mandate import has its maximum of 30,000 entries")
	}
	p := tx.problems()
	scheme := im.Str("scheme")
	tx.checkImportEntry(p, scheme)
	label := tx.body.Str("record_identifier")
	if label != "" && slices.ContainsFunc(siblings, func(e *record) bool { return e.Str("record_identifier") == label }) {
		p.Add("record_identifier", "has already been taken")
	}
	if err := p.Err(); err != nil {
		return result{}, err
	}
	e := tx.make("mandate_import_entries")
	e.Set("record_identifier", nilIfEmpty(label))
	e.Set("links", object{{"mandate_import", im.ID}})
	for _, part := range []string{"customer", "bank_account", "mandate"} {
		if o := tx.body.Obj(part); o != nil {
			store.Hidden[object](part).Set(e, o)
		}
	}
	return one(tx.add(e)), nil
}

// checkImportEntry checks each part of an entry as its own create would.
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
	// Imported mandates were signed elsewhere, so there is no IP address of the payer.
	mandate := tx.body.Obj("mandate")
	if mandate.Str("authorisation_source") == "" {
		mandate = mandate.With("authorisation_source", "paper")
	}
	tx.checkMandate(p, "mandate/", scheme, tx.standIn("customers", customer), mandate)
}

// processMandateImport creates the resources of each entry. An entry that fails records its errors and
// creates nothing.
func (tx *tx) processMandateImport(im *record) {
	scheme := im.Str("scheme")
	creditor := tx.must("creditors", im.Link("creditor"))
	taken := map[string]bool{}
	for _, m := range tx.sb.store.Coll("mandates").Recs {
		if m.Str("scheme") == scheme {
			taken[m.Str("reference")] = true
		}
	}
	for _, e := range tx.sb.store.Coll("mandate_import_entries").By("mandate_import", im.ID) {
		wanted := authorisedMandate.Of(e)
		reference := wanted.Str("reference")
		if reference != "" && taken[reference] {
			e.SetRef("outcome", "unsuccessfully_processed")
			e.Set("processing_errors", object{{"mandate", []any{object{
				{"field", "reference"}, {"message", "has already been taken"}, {"request_pointer", "/mandate_import_entries/mandate/reference"},
			}}}})
			continue
		}
		d := readBankDetails(&api.Problems{}, "", authorisedAccount.Of(e))
		customer := tx.addCustomer(authorisedCustomer.Of(e))
		account := tx.addCustomerBankAccount(customer, d, metadataOf(authorisedAccount.Of(e)))
		m := tx.make("mandates")
		m.Set("scheme", scheme)
		m.Set("metadata", metadataOf(wanted))
		for _, name := range []string{"reference", "authorisation_source"} {
			if wanted.Has(name) {
				m.Set(name, wanted.Get(name))
			}
		}
		tx.addMandate(m, creditor, customer, account)
		taken[m.Str("reference")] = true
		e.SetRef("outcome", "successfully_processed")
		e.Set("links", e.Obj("links").With("customer", customer.ID).With("customer_bank_account", account.ID).With("mandate", m.ID))
	}
	im.Set("status", "processed")
}
