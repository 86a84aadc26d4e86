package gocardlesstest

import (
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

func TestMandateImports(t *testing.T) {
	w := newWorld(t)
	id := w.ok("POST", "/mandate_imports", `{"mandate_imports":{"scheme":"bacs"}}`).Str("id")
	entry := func(label, extra string) string {
		return `{"mandate_import_entries":{"record_identifier":"` + label + `","links":{"mandate_import":"` + id + `"},
			"customer":{"given_name":"Ada","family_name":"Byron","email":"ada@example.com","address_line1":"1 Street","postal_code":"LS1 1AA","country_code":"GB"},
			"bank_account":{` + ukAccount + `}` + extra + `}}`
	}
	add := func(label, extra string) {
		t.Helper()
		w.ok("POST", "/mandate_import_entries", entry(label, extra))
	}
	add("one", `,"mandate":{"reference":"REF-ONE","metadata":{"a":"b"}}`)
	add("two", `,"mandate":{"reference":"REF-ONE"}`)
	add("three", "")
	w.refused(422, "/mandate_import_entries/record_identifier", "POST", "/mandate_import_entries", entry("one", ""))
	w.refused(422, "/mandate_import_entries/customer/address_line1", "POST", "/mandate_import_entries", strings.Replace(entry("x", ""), `"1 Street"`, `""`, 1))
	w.refused(422, "/mandate_import_entries/bank_account/account_number", "POST", "/mandate_import_entries", strings.Replace(entry("x", ""), `55779911`, `12`, 1))
	w.refused(422, "/mandate_import_entries/amendment", "POST", "/mandate_import_entries",
		entry("x", `,"amendment":{"original_creditor_id":"DE1","original_creditor_name":"Old","original_mandate_reference":"R"}`))
	w.ok("POST", "/mandate_imports/"+id+"/actions/submit", "")
	w.refused(422, "invalid_state", "POST", "/mandate_import_entries", entry("four", ""))
	w.refused(422, "invalid_state", "POST", "/mandate_imports/"+id+"/actions/submit", "")
	w.refused(422, "cancellation_failed", "POST", "/mandate_imports/"+id+"/actions/cancel", "")
	w.sb.Advance(importTime / 2)
	if s := w.status("mandate_imports", id); s != "processing" {
		t.Errorf("import is %s half way", s)
	}
	w.sb.Advance(importTime / 2)
	if s := w.status("mandate_imports", id); s != "processed" {
		t.Fatalf("import is %s", s)
	}
	good := w.list("/mandate_import_entries?mandate_import=" + id + "&status=successfully_processed")
	bad := w.list("/mandate_import_entries?mandate_import=" + id + "&status=unsuccessfully_processed")
	if len(good) != 2 || len(bad) != 1 || bad[0].Str("record_identifier") != "two" || len(bad[0].Obj("processing_errors").List("mandate")) != 1 {
		t.Fatalf("good %v, bad %v", good, bad)
	}
	m := w.ok("GET", "/mandates/"+good[1].Obj("links").Str("mandate"), "")
	if m.Str("reference") != "REF-ONE" || m.Obj("metadata").Str("a") != "b" || m.Str("status") != "pending_submission" {
		t.Errorf("mandate: %s", value.Append(nil, m))
	}
	if n := len(w.list("/mandate_import_entries?mandate_import=" + id + "&limit=2")); n != 2 {
		t.Errorf("%d entries on a page of two", n)
	}
	cancelled := w.ok("POST", "/mandate_imports", `{"mandate_imports":{"scheme":"sepa_core"}}`).Str("id")
	w.ok("POST", "/mandate_imports/"+cancelled+"/actions/cancel", "")
	w.refused(422, "/mandate_imports/scheme", "POST", "/mandate_imports", `{"mandate_imports":{"scheme":"faster_payments"}}`)
	w.sb.Advance(time.Hour)
	if s := w.ok("GET", "/mandate_imports/"+cancelled, "").Str("status"); s != "cancelled" {
		t.Errorf("cancelled import is %s", s)
	}
}

func TestPayerAuthorisations(t *testing.T) {
	w := newWorld(t)
	a := w.ok("POST", "/payer_authorisations", `{"payer_authorisations":{"customer":{"given_name":"Ada"},"bank_account":{},"mandate":{"scheme":"bacs"}}}`)
	id := a.Str("id")
	if n := len(a.List("incomplete_fields")); n != 9 {
		t.Errorf("%d fields are incomplete: %s", n, value.Append(nil, a))
	}
	first := w.refused(422, "/payer_authorisations/customer/family_name", "POST", "/payer_authorisations/"+id+"/actions/submit", "")
	if first.Str("message") == "" {
		t.Error("no message")
	}
	w.refused(422, "invalid_state", "POST", "/payer_authorisations/"+id+"/actions/confirm", "")
	// An update does not change members that it omits.
	a = w.ok("PUT", "/payer_authorisations/"+id, `{"payer_authorisations":{"customer":{"family_name":"Byron","email":"ada@example.com","address_line1":"1 Street","city":"Leeds","postal_code":"LS1 1AA","country_code":"GB"},"bank_account":{`+ukAccount+`},"mandate":{}}}`)
	if a.Obj("customer").Str("given_name") != "Ada" || a.Obj("mandate").Str("scheme") != "bacs" || len(a.List("incomplete_fields")) > 0 {
		t.Errorf("updated: %s", value.Append(nil, a))
	}
	if b := a.Obj("bank_account"); b.Has("account_number") || b.Str("account_number_ending") != "11" {
		t.Errorf("bank account: %s", value.Append(nil, b))
	}
	w.ok("POST", "/payer_authorisations/"+id+"/actions/submit", "")
	w.refused(422, "invalid_state", "PUT", "/payer_authorisations/"+id, `{"payer_authorisations":{"customer":{},"bank_account":{},"mandate":{}}}`)
	w.ok("POST", "/payer_authorisations/"+id+"/actions/confirm", "")
	w.sb.Advance(time.Second)
	a = w.ok("GET", "/payer_authorisations/"+id, "")
	if a.Str("status") != "completed" || w.status("mandates", a.Obj("links").Str("mandate")) != "pending_submission" {
		t.Errorf("completed: %s", value.Append(nil, a))
	}
	if got := w.eventsOf("payer_authorisation", id); got != "completed" {
		t.Errorf("events %q", got)
	}
}

func TestBrandingAndMandatePDF(t *testing.T) {
	w := newWorld(t)
	w.refused(422, "/logos/image", "POST", "/branding/logos", `{"logos":{"image":"not base64!"}}`)
	w.refused(422, "/logos/image", "POST", "/branding/logos", `{"logos":{"image":"aGVsbG8="}}`)
	one := w.ok("POST", "/branding/logos", `{"logos":{"image":"iVBORw0KGgo="}}`).Str("id")
	if two := w.ok("POST", "/branding/logos", `{"logos":{"image":"data:image/png;base64,iVBORw0KGgo="}}`).Str("id"); one != two {
		t.Errorf("a second logo %s beside %s", two, one)
	}
	w.refused(422, "/payer_themes/link_text_colour", "POST", "/branding/payer_themes", `{"payer_themes":{"link_text_colour":"red;} body{display:none"}}`)
	w.ok("POST", "/branding/payer_themes", `{"payer_themes":{"button_background_colour":"#aa3311","header_background_colour":"#123"}}`)
	f := w.flow(w.request(mandateRequest).Str("id"), "")
	w.browser().open(f.Str("authorisation_url")).sees("--button: #aa3311").sees("--header: #123").sees("--button-ink: #fff")
	// White text on a light button would be illegible.
	w.ok("POST", "/branding/payer_themes", `{"payer_themes":{"button_background_colour":"#fd0"}}`)
	w.browser().open(f.Str("authorisation_url")).sees("--button: #fd0").sees("--button-ink: #17212f").sees("--header-ink: #fff")

	w.refused(422, "/mandate_pdfs/iban", "POST", "/mandate_pdfs", `{"mandate_pdfs":{"iban":"DE00"}}`)
	w.refused(422, "/mandate_pdfs/scheme", "POST", "/mandate_pdfs", `{"mandate_pdfs":{"given_name":"Ada"}}`)
	w.refused(422, "/mandate_pdfs/scheme", "POST", "/mandate_pdfs", `{"mandate_pdfs":{"scheme":"bacs","links":{"mandate":"`+w.mandate+`"}}}`)
	w.ok("POST", "/mandate_pdfs", `{"mandate_pdfs":{"scheme":"bacs","company_name":"A (B) \\ Ł"}}`)
	d := w.ok("POST", "/mandate_pdfs", `{"mandate_pdfs":{"links":{"mandate":"`+w.mandate+`"}}}`)
	b := w.browser().open(d.Str("url")).sees("%PDF-1.4").sees("ADA BYRON").sees("ending 11").sees("%%EOF")
	w.sb.Advance(pdfLife)
	if b.open(d.Str("url")); b.code != 404 {
		t.Errorf("after ten minutes the document answers %d", b.code)
	}
}
