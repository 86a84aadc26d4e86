package gocardlesstest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

func (w *world) outbound(extra string) object {
	w.t.Helper()
	return w.ok("POST", "/outbound_payments", `{"outbound_payments":{"amount":12500,"scheme":"faster_payments","links":{"recipient_bank_account":"`+w.account+`"}`+extra+`}}`)
}

func TestOutboundPayments(t *testing.T) {
	w := newWorld(t)
	o := w.outbound(`,"reference":"Prize-7","metadata":{"a":"b"}`)
	id := o.Str("id")
	if o.Str("status") != "verifying" || o.Flag("is_withdrawal") || o.Obj("links").Str("customer") != w.customer {
		t.Fatalf("created: %s", value.Append(nil, o))
	}
	w.refused(422, "invalid_state", "POST", "/outbound_payments/"+id+"/actions/approve", "")
	w.sb.Advance(outboundStep)
	o = w.ok("GET", "/outbound_payments/"+id, "")
	if v := o.Obj("verifications").Obj("recipient_bank_account_holder_verification"); o.Str("status") != "pending_approval" || v.Str("result") != "full_match" {
		t.Fatalf("verified: %s", value.Append(nil, o))
	}
	if s := w.ok("GET", "/outbound_payments/stats", ""); s.Num("pending_approval_amount") != 12500 || s.Num("pending_approval_count") != 1 {
		t.Errorf("stats: %s", value.Append(nil, s))
	}
	w.ok("POST", "/outbound_payments/"+id+"/actions/approve", "")
	w.sb.Advance(outboundStep)
	if s := w.status("outbound_payments", id); s != "executing" {
		t.Errorf("%s a second after approval", s)
	}
	w.refused(422, "cancellation_failed", "POST", "/outbound_payments/"+id+"/actions/cancel", `{"data":{}}`)
	w.sb.Advance(outboundStep)
	if got := w.eventsOf("outbound_payment", id); got != "created set_to_pending_approval set_to_executing executed" {
		t.Errorf("events %q", got)
	}
	account := w.list("/payment_accounts")[0]
	if got := account.Num("account_balance"); got != openingBalance-12500 {
		t.Errorf("balance %d", got)
	}
	w.ok("GET", "/payment_accounts/"+account.Str("id"), "")
	path := "/payment_accounts/" + account.Str("id") + "/transactions?value_date_from=2026-09-01&value_date_to=2026-09-30"
	moves := w.list(path + "&direction=debit")
	if len(moves) != 1 || moves[0].Num("amount") != 12500 || moves[0].Obj("links").Str("outbound_payment") != id || len(w.list(path)) != 2 {
		t.Errorf("transactions: %v", moves)
	}
	w.ok("GET", "/payment_account_transactions/"+moves[0].Str("id"), "")
	w.refused(400, "invalid_filters", "GET", "/payment_accounts/"+account.Str("id")+"/transactions?value_date_from=x&value_date_to=2026-09-30", "")
	w.refused(404, "resource_not_found", "GET", "/payment_accounts/BA1/transactions?value_date_from=2026-09-01&value_date_to=2026-09-30", "")
	if got := w.ok("PUT", "/outbound_payments/"+id, `{"outbound_payments":{"metadata":{"c":"d"}}}`).Obj("metadata"); got.Str("c") != "d" || got.Has("a") {
		t.Errorf("metadata %v", got)
	}
	if n := len(w.list("/outbound_payments?created_from=2026-09-14&created_to=2026-09-14&status=executed")); n != 1 {
		t.Errorf("%d found by date", n)
	}
	if n := len(w.list("/outbound_payments?created_from=2026-09-15")); n != 0 {
		t.Errorf("%d found by a later date", n)
	}
}

func TestOutboundFailuresAndWithdrawal(t *testing.T) {
	w := newWorld(t)
	for description, want := range map[string]string{
		failToExecute:  "created set_to_pending_approval failed",
		failRejected:   "created set_to_pending_approval set_to_executing failed",
		failLateReject: "created set_to_pending_approval set_to_executing executed failed",
	} {
		id := w.outbound(`,"description":"` + description + `"`).Str("id")
		w.sb.Advance(outboundStep)
		w.ok("POST", "/outbound_payments/"+id+"/actions/approve", "")
		w.sb.Advance(time.Minute)
		if got := w.eventsOf("outbound_payment", id); got != want || w.status("outbound_payments", id) != "failed" {
			t.Errorf("%s: events %q, want %q", description, got, want)
		}
	}
	if got := w.list("/payment_accounts")[0].Num("account_balance"); got != openingBalance {
		t.Errorf("balance %d after failures", got)
	}
	o := w.ok("POST", "/outbound_payments/withdrawal", `{"data":{"amount":100,"scheme":"faster_payments","execution_date":"2026-09-20"}}`)
	w.sb.Advance(outboundStep)
	w.ok("POST", "/outbound_payments/"+o.Str("id")+"/actions/approve", "")
	w.sb.Advance(24 * time.Hour)
	if s := w.status("outbound_payments", o.Str("id")); s != "scheduled" || !o.Flag("is_withdrawal") {
		t.Errorf("withdrawal for a later day is %s", s)
	}
	w.ok("POST", "/outbound_payments/"+o.Str("id")+"/actions/cancel", `{"data":{}}`)
	const base = `{"outbound_payments":{"amount":1,"scheme":"faster_payments","links":{"recipient_bank_account":"%s"}%s}}`
	w.refused(422, "/outbound_payments/reference", "POST", "/outbound_payments", fmt.Sprintf(base, w.account, `,"reference":"no_underscores"`))
	w.refused(422, "/outbound_payments/reference", "POST", "/outbound_payments", fmt.Sprintf(base, w.account, `,"reference":"`+strings.Repeat("a", 19)+`"`))
	w.refused(422, "/outbound_payments/execution_date", "POST", "/outbound_payments", fmt.Sprintf(base, w.account, `,"execution_date":"2026-09-13"`))
	w.refused(422, "/outbound_payments/amount", "POST", "/outbound_payments", strings.Replace(fmt.Sprintf(base, w.account, ""), `"amount":1`, `"amount":0`, 1))
	w.refused(422, "/outbound_payments/scheme", "POST", "/outbound_payments", strings.Replace(fmt.Sprintf(base, w.account, ""), "faster_payments", "bacs", 1))
	w.refused(422, "link_not_found", "POST", "/outbound_payments", fmt.Sprintf(base, "BA1", ""))
}

func TestOutboundImports(t *testing.T) {
	w := newWorld(t)
	item := func(account, extra string) string {
		return `{"amount":300,"scheme":"faster_payments","recipient_bank_account_id":"` + account + `"` + extra + `}`
	}
	im := w.ok("POST", "/outbound_payment_imports", `{"outbound_payment_imports":{"entry_items":[`+item(w.account, `,"reference":"One"`)+","+item(w.account, "")+`]}}`)
	id := im.Str("id")
	if im.Num("amount_sum") != 600 || im.Str("status") != "created" {
		t.Fatalf("created: %s", value.Append(nil, im))
	}
	if err := w.sb.ApproveOutboundPaymentImport(id); err == nil {
		t.Error("an import was approved before it was checked")
	}
	w.sb.Advance(2 * outboundStep)
	b := w.browser().open(im.Str("authorisation_url")).sees("£6.00").sees("Approve")
	b.submit("decision", "approve").sees("Approved")
	w.sb.Advance(time.Minute)
	im = w.ok("GET", "/outbound_payment_imports/"+id, "")
	if c := im.Obj("entry_counts"); im.Str("status") != "processed" || c.Num("processed") != 2 || c.Num("verified_with_full_match") != 2 {
		t.Errorf("processed: %s", value.Append(nil, im))
	}
	for _, e := range w.list("/outbound_payment_import_entries?outbound_payment_import=" + id) {
		if s := w.status("outbound_payments", e.Obj("links").Str("outbound_payment")); s != "executed" {
			t.Errorf("payment of an entry is %s", s)
		}
	}
	bad := w.ok("POST", "/outbound_payment_imports", `{"outbound_payment_imports":{"entry_items":[`+item(w.account, "")+","+item("BA1", `,"reference":"bad_one"`)+`]}}`).Str("id")
	w.sb.Advance(2 * outboundStep)
	entries := w.list("/outbound_payment_import_entries?outbound_payment_import=" + bad)
	if errs := entries[0].Obj("validation_errors").Obj("outbound_payment"); w.status("outbound_payment_imports", bad) != "invalid" || len(errs.List("recipient_bank_account")) != 1 || len(errs.List("reference")) != 1 {
		t.Errorf("entries: %v", entries)
	}
	if n := len(w.list("/outbound_payment_imports?status=invalid")); n != 1 {
		t.Errorf("%d invalid imports", n)
	}
	rejected := w.ok("POST", "/outbound_payment_imports", `{"outbound_payment_imports":{"entry_items":[`+item(w.account, "")+`]}}`)
	w.sb.Advance(2 * outboundStep)
	w.browser().open(rejected.Str("authorisation_url")).submit("decision", "reject").sees("Import cancelled")
	many := strings.Repeat(item(w.account, "")+",", maxOutboundEntries) + item(w.account, "")
	w.refused(422, "/outbound_payment_imports/entry_items", "POST", "/outbound_payment_imports", `{"outbound_payment_imports":{"entry_items":[`+many+`]}}`)
	w.refused(400, "invalid_filters", "GET", "/outbound_payment_import_entries", "")
}
