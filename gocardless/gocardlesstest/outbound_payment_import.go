package gocardlesstest

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/page"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
	"github.com/gocardless-community/gocardless-go/gocardless/money"
)

// Outbound payment imports: many outbound payments in one request, checked one by one and created once
// they are approved on a page.

const (
	maxOutboundEntries = 1000
	outboundImportPath = "/billing/static/outbound-import"
)

func outboundImportFamily(r *registry) {
	r.collection(store.CollectionSpec{Name: "outbound_payment_imports"})
	r.collection(store.CollectionSpec{Name: "outbound_payment_import_entries", Indexed: []string{"outbound_payment_import"}})
	r.on("outbound_payment_imports.create", createOutboundImport)
	step := func(name, from string, f func(*tx, *record)) {
		r.job(name, func(tx *tx, id, _ string) {
			if im := tx.find("outbound_payment_imports", id); im != nil && im.Status() == from {
				f(tx, im)
			}
		})
	}
	step("outbound_import.validate", "created", func(tx *tx, im *record) {
		im.Set("status", "validating")
		tx.at(tx.now.Add(outboundStep), "outbound_import.validated", im.ID, "")
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
	im.Set("authorisation_url", tx.payURL()+outboundImportPath+"?id="+im.ID)
	im.Set("currency", "GBP")
	im.Set("links", object{{"creditor", creditor.ID}})
	im.Set("status", "created")
	tx.add(im)
	sum := int64(0)
	for _, v := range items {
		item, _ := v.(object)
		e := tx.make("outbound_payment_import_entries")
		for _, name := range []string{"amount", "metadata", "reference", "scheme"} {
			if item.Has(name) {
				e.Set(name, item.Get(name))
			}
		}
		e.Set("links", object{{"outbound_payment_import", im.ID}, {"recipient_bank_account", item.Str("recipient_bank_account_id")}})
		tx.add(e)
		sum += item.Num("amount")
	}
	im.Set("amount_sum", sum)
	tx.countEntries(im)
	tx.at(tx.now.Add(outboundStep), "outbound_import.validate", im.ID, "")
	return one(im), nil
}

func (tx *tx) entriesOf(im *record) []*record {
	return tx.sb.store.Coll("outbound_payment_import_entries").By("outbound_payment_import", im.ID)
}

// countEntries updates entry_counts.
func (tx *tx) countEntries(im *record) {
	n := map[string]int64{}
	for _, e := range tx.entriesOf(im) {
		n["total"]++
		if o := e.Ref("outcome"); o != "" {
			n[o]++
		}
		if v := e.Str("verification_result"); v != "" {
			n["verified"]++
			n["verified_with_"+v]++
		}
		if e.Link("outbound_payment") != "" {
			n["processed"]++
		}
	}
	counts := object{}
	for _, f := range im.Coll.Spec.Field("entry_counts").Type.Fields {
		counts = append(counts, member{f.Name, n[f.Name]})
	}
	im.Set("entry_counts", counts)
}

// validateOutboundImport checks every entry and the names of the recipients.
func (tx *tx) validateOutboundImport(im *record) {
	status := "valid"
	for _, e := range tx.entriesOf(im) {
		p := &api.Problems{}
		tx.checkOutbound(p, "", e.Object())
		account := tx.find("customer_bank_accounts", e.Link("recipient_bank_account"))
		switch {
		case account == nil:
			p.Add("recipient_bank_account", "not found")
		case !account.Flag("enabled"):
			p.Add("recipient_bank_account", "is disabled")
		case account.Str("currency") != "GBP":
			p.Add("recipient_bank_account", "must be an account in GBP")
		}
		if len(p.Items) > 0 {
			status = "invalid"
			e.SetRef("outcome", "invalid")
			e.Set("validation_errors", object{{"outbound_payment", entryErrors(p)}})
			continue
		}
		e.SetRef("outcome", "valid")
		match, _ := holderMatch(account.Str("account_holder_name"))
		e.Set("verification_result", match)
	}
	im.Set("status", status)
	tx.countEntries(im)
}

// entryErrors groups problems by field, as entries show them.
func entryErrors(p *api.Problems) object {
	o := object{}
	for _, it := range p.Items {
		if it.Field == "scheme" {
			continue // the reply has no list for scheme, which has only one valid value
		}
		o = o.With(it.Field, append(o.List(it.Field), it.Message))
	}
	return o
}

func (tx *tx) approveOutboundImport(im *record) error {
	if im.Status() != "valid" {
		return api.TooEarly("Only valid imports can be approved; this one is " + im.Status())
	}
	im.Set("status", "processing")
	tx.at(tx.now.Add(outboundStep), "outbound_import.process", im.ID, "")
	return nil
}

// processOutboundImport creates the outbound payments, which need no further approval.
func (tx *tx) processOutboundImport(im *record) {
	for _, e := range tx.entriesOf(im) {
		account := tx.find("customer_bank_accounts", e.Link("recipient_bank_account"))
		e.Set("processed_at", tx.timestamp())
		if account == nil || !account.Flag("enabled") {
			e.SetRef("outcome", "failed_to_process")
			continue
		}
		o := tx.make("outbound_payments")
		tx.addOutbound(o, e.Object(), object{
			{"creditor", im.Link("creditor")}, {"customer", account.Link("customer")}, {"recipient_bank_account", account.ID}, {"outbound_payment_import", im.ID},
		}, "scheduled")
		e.SetLink("outbound_payment", o.ID)
	}
	im.Set("status", "processed")
	tx.countEntries(im)
}

// ApproveOutboundPaymentImport approves an import, as the account's owner does on the page at its
// authorisation_url: the import is processed, and its entries become outbound payments. It returns an
// error if the import does not exist or its status is not valid.
func (sb *Sandbox) ApproveOutboundPaymentImport(id string) error {
	return sb.update(func(tx *tx) error {
		im := tx.find("outbound_payment_imports", id)
		if im == nil {
			return api.NotFound()
		}
		return tx.approveOutboundImport(im)
	})
}

// outboundImportPage shows an import for approval.
func outboundImportPage(tx *tx, r *http.Request) *page.View {
	im := tx.find("outbound_payment_imports", r.FormValue("id"))
	if im == nil {
		return page.Message(http.StatusNotFound, "Page not found", "The outbound payment import does not exist.")
	}
	creditor := tx.must("creditors", im.Link("creditor"))
	v := &page.View{
		Title: "Approve payments", Merchant: creditor.Str("name"), Theme: tx.themeOf(creditor.ID),
		Hidden: []page.Row{{Name: "id", Value: im.ID}},
	}
	counts := im.Obj("entry_counts")
	for _, row := range []struct {
		label string
		value int64
	}{
		{"Payments", counts.Num("total")}, {"Exact name matches", counts.Num("verified_with_full_match")},
		{"Close name matches", counts.Num("verified_with_partial_match")}, {"No name match", counts.Num("verified_with_no_match")},
	} {
		v.Summary = append(v.Summary, page.Row{Name: row.label, Value: strconv.Itoa(int(row.value))})
	}
	v.Summary = append(v.Summary, page.Row{Name: "Total", Value: money.Format(im.Num("amount_sum"), gocardless.CurrencyGBP)}, page.Row{Name: "Status", Value: im.Status()})
	if r.Method == http.MethodPost && r.PostForm.Get("decision") != "" && im.Status() == "valid" {
		if r.PostForm.Get("decision") == "approve" {
			if err := tx.approveOutboundImport(im); err != nil {
				v.Refused(err)
				return v
			}
		} else {
			im.Set("status", "cancelled")
		}
		return page.SendTo(outboundImportPath + "?id=" + url.QueryEscape(im.ID))
	}
	switch im.Status() {
	case "valid":
		v.Intro = "These payments leave your account after you approve them."
		v.Buttons = []page.Button{
			{Name: "decision", Value: "approve", Label: "Approve"},
			{Name: "decision", Value: "reject", Label: "Cancel the import", Plain: true},
		}
	case "created", "validating":
		v.Intro = "The payments are still being checked. Reload this page in a moment."
	case "invalid":
		v.Intro = "Some payments are invalid, so the import cannot be approved. Create a new one."
	case "cancelled":
		v.Title, v.Intro = "Import cancelled", "None of these payments will be made."
	default:
		v.Title, v.Good, v.Intro = "Approved", true, "The payments are on their way."
	}
	return v
}
