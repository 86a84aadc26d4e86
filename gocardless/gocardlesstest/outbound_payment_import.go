package gocardlesstest

import (
	"net/http"
	"net/url"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/money"
)

// Outbound payment imports: many outbound payments in one request, checked one by one and made
// once they have been approved on a page.

const (
	maxOutboundEntries = 1000
	outboundImportPath = "/billing/static/outbound-import"
)

func outboundImportFamily(r *registry) {
	r.collection(collectionSpec{name: "outbound_payment_imports"})
	r.collection(collectionSpec{name: "outbound_payment_import_entries", indexed: []string{"outbound_payment_import"}})
	r.on("outbound_payment_imports.create", createOutboundImport)
	step := func(name, from string, f func(*tx, *record)) {
		r.job(name, func(tx *tx, id, _ string) {
			if im := tx.find("outbound_payment_imports", id); im != nil && im.status() == from {
				f(tx, im)
			}
		})
	}
	step("outbound_import.validate", "created", func(tx *tx, im *record) {
		im.set("status", "validating")
		tx.at(tx.now.Add(outboundStep), "outbound_import.validated", im.id, "")
	})
	step("outbound_import.validated", "validating", (*tx).validateOutboundImport)
	step("outbound_import.process", "processing", (*tx).processOutboundImport)
	r.page(outboundImportPath, servePage(outboundImportPage))
}

func createOutboundImport(tx *tx) (result, error) {
	creditor, err := tx.creditor()
	if err != nil {
		return result{}, err
	}
	items := tx.body.List("entry_items")
	p := tx.problems()
	switch {
	case len(items) == 0:
		p.Add("entry_items", "can't be blank")
	case len(items) > maxOutboundEntries:
		p.Add("entry_items", "is too long (maximum is %d entries)", maxOutboundEntries)
	}
	if err := p.Err(); err != nil {
		return result{}, err
	}
	im := tx.make("outbound_payment_imports")
	im.set("authorisation_url", tx.payURL()+outboundImportPath+"?id="+im.id)
	im.set("currency", "GBP")
	im.set("links", object{{"creditor", creditor.id}})
	im.set("status", "created")
	tx.add(im)
	sum := int64(0)
	for _, v := range items {
		item, _ := v.(object)
		e := tx.make("outbound_payment_import_entries")
		for _, name := range []string{"amount", "metadata", "reference", "scheme"} {
			if item.Has(name) {
				e.set(name, item.Get(name))
			}
		}
		e.set("links", object{{"outbound_payment_import", im.id}, {"recipient_bank_account", item.Str("recipient_bank_account_id")}})
		tx.add(e)
		sum += item.Num("amount")
	}
	im.set("amount_sum", sum)
	tx.countEntries(im)
	tx.at(tx.now.Add(outboundStep), "outbound_import.validate", im.id, "")
	return one(im), nil
}

func (tx *tx) entriesOf(im *record) []*record {
	return tx.sb.store.coll("outbound_payment_import_entries").by("outbound_payment_import", im.id)
}

// countEntries works entry_counts out.
func (tx *tx) countEntries(im *record) {
	n := map[string]int64{}
	for _, e := range tx.entriesOf(im) {
		n["total"]++
		if o := e.ref("outcome"); o != "" {
			n[o]++
		}
		if v := e.str("verification_result"); v != "" {
			n["verified"]++
			n["verified_with_"+v]++
		}
		if e.link("outbound_payment") != "" {
			n["processed"]++
		}
	}
	counts := object{}
	for _, f := range im.coll.spec.Field("entry_counts").Type.Fields {
		counts = append(counts, member{f.Name, n[f.Name]})
	}
	im.set("entry_counts", counts)
}

// validateOutboundImport checks every entry and the names of the recipients.
func (tx *tx) validateOutboundImport(im *record) {
	status := "valid"
	for _, e := range tx.entriesOf(im) {
		p := &api.Problems{}
		tx.checkOutbound(p, "", e.object())
		account := tx.find("customer_bank_accounts", e.link("recipient_bank_account"))
		switch {
		case account == nil:
			p.Add("recipient_bank_account", "not found")
		case !account.flag("enabled"):
			p.Add("recipient_bank_account", "is disabled")
		case account.str("currency") != "GBP":
			p.Add("recipient_bank_account", "must be an account in GBP")
		}
		if len(p.Items) > 0 {
			status = "invalid"
			e.setRef("outcome", "invalid")
			e.set("validation_errors", object{{"outbound_payment", entryErrors(p)}})
			continue
		}
		e.setRef("outcome", "valid")
		match, _ := holderMatch(account.str("account_holder_name"))
		e.set("verification_result", match)
	}
	im.set("status", status)
	tx.countEntries(im)
}

// entryErrors groups problems by field, as the entries show them.
func entryErrors(p *api.Problems) object {
	o := object{}
	for _, it := range p.Items {
		if it.Field == "scheme" {
			continue // the only scheme is also the only one that the reply has no list for
		}
		o = o.With(it.Field, append(o.List(it.Field), it.Message))
	}
	return o
}

// approveOutboundImport starts what a person allowed.
func (tx *tx) approveOutboundImport(im *record) error {
	if im.status() != "valid" {
		return api.TooEarly("Only valid imports can be approved; this one is " + im.status())
	}
	im.set("status", "processing")
	tx.at(tx.now.Add(outboundStep), "outbound_import.process", im.id, "")
	return nil
}

// processOutboundImport makes the outbound payments, which need no further approval.
func (tx *tx) processOutboundImport(im *record) {
	for _, e := range tx.entriesOf(im) {
		account := tx.find("customer_bank_accounts", e.link("recipient_bank_account"))
		e.set("processed_at", tx.timestamp())
		if account == nil || !account.flag("enabled") {
			e.setRef("outcome", "failed_to_process")
			continue
		}
		o := tx.make("outbound_payments")
		tx.addOutbound(o, e.object(), object{
			{"creditor", im.link("creditor")}, {"customer", account.link("customer")}, {"recipient_bank_account", account.id}, {"outbound_payment_import", im.id},
		}, "scheduled")
		e.setLink("outbound_payment", o.id)
	}
	im.set("status", "processed")
	tx.countEntries(im)
}

// ApproveOutboundPaymentImport does what a person does on the page at an import's
// authorisation_url: the import is processed, and its entries become outbound payments. An import
// that is not valid (yet), or that does not exist, is an error.
func (sb *Sandbox) ApproveOutboundPaymentImport(id string) error {
	return sb.update(func(tx *tx) error {
		im := tx.find("outbound_payment_imports", id)
		if im == nil {
			return api.NotFound()
		}
		return tx.approveOutboundImport(im)
	})
}

// outboundImportPage shows an import to the person who approves it.
func outboundImportPage(tx *tx, r *http.Request) *view {
	im := tx.find("outbound_payment_imports", r.FormValue("id"))
	if im == nil {
		return message(http.StatusNotFound, "Page not found", "This address has no outbound payment import.")
	}
	creditor := tx.must("creditors", im.link("creditor"))
	v := &view{
		Title: "Approve payments", Merchant: creditor.str("name"), Theme: tx.themeOf(creditor.id),
		Hidden: []viewRow{{"id", im.id}},
	}
	counts := im.obj("entry_counts")
	for _, row := range []struct {
		label string
		value int64
	}{
		{"Payments", counts.Num("total")}, {"Exact name matches", counts.Num("verified_with_full_match")},
		{"Close name matches", counts.Num("verified_with_partial_match")}, {"No name match", counts.Num("verified_with_no_match")},
	} {
		v.Summary = append(v.Summary, viewRow{row.label, itoa(int(row.value))})
	}
	v.Summary = append(v.Summary, viewRow{"Total", money.Format(im.num("amount_sum"), gocardless.CurrencyGBP)}, viewRow{"Status", im.status()})
	if r.Method == http.MethodPost && r.PostForm.Get("decision") != "" && im.status() == "valid" {
		if r.PostForm.Get("decision") == "approve" {
			if err := tx.approveOutboundImport(im); err != nil {
				v.refused(err)
				return v
			}
		} else {
			im.set("status", "cancelled")
		}
		return sendTo(outboundImportPath + "?id=" + url.QueryEscape(im.id))
	}
	switch im.status() {
	case "valid":
		v.Intro = "These payments leave your account once you approve them."
		v.Buttons = []viewButton{
			{Name: "decision", Value: "approve", Label: "Approve"},
			{Name: "decision", Value: "reject", Label: "Cancel the import", Plain: true},
		}
	case "created", "validating":
		v.Intro = "The payments are still being checked. Load this page again in a moment."
	case "invalid":
		v.Intro = "Some payments have mistakes in them, so none can be approved. Make a new import."
	case "cancelled":
		v.Title, v.Intro = "Import cancelled", "None of these payments will be made."
	default:
		v.Title, v.Good, v.Intro = "Approved", true, "The payments are on their way."
	}
	return v
}
