package gocardlesstest

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// billingSequence makes random calls on billing requests, their pages, imports and outbound payments,
// and then checks the invariants.
type billingSequence struct {
	*sequence
	requests, flows, visits, outbound, imports, batches []string
	made                                                map[string]int // by collection
	byKey                                               map[string]string
}

var sequenceRequests = []string{
	mandateRequest, paymentRequest, mandateRequest + "," + paymentRequest, paymentRequest + `,"fallback_enabled":true`, `"mandate_request":{}`,
	`"mandate_request":{"scheme":"pay_to","constraints":{"max_amount_per_payment":10000}}`, `"payment_request":{"currency":"EUR","description":"x"}`,
	`"mandate_request":{"scheme":"ach"},"subscription_request":{"amount":500,"currency":"USD","interval_unit":"weekly","count":3}`,
}

var sequenceActions = []struct{ name, data string }{
	{"collect_customer_details", payerPerson + "," + payerAddress},
	{"collect_customer_details", payerPerson + `,"customer_billing_detail":{"address_line1":"1","city":"Reno","postal_code":"1","country_code":"US","region":"NV","ip_address":"::1"}`},
	{"collect_customer_details", `"customer":{"email":"nobody"}`},
	{"collect_bank_account", ukAccount}, {"collect_bank_account", `"account_holder_name":"A","iban":"DE89370400440532013000"`},
	{"collect_bank_account", `"account_holder_name":"A","bank_code":"026073150","account_number":"2715500356","account_type":"checking","country_code":"US"`},
	{"collect_bank_account", `"pay_id":"a@example.com","country_code":"AU"`},
	{"select_institution", `"country_code":"GB","institution":"sand_bank_gb"`}, {"select_institution", `"country_code":"GB","institution":"slate_bank_gb"`},
	{"confirm_payer_details", ""}, {"choose_currency", `"currency":"EUR"`}, {"notify", `"notification_type":"email"`},
	{"fallback", ""}, {"fulfil", ""}, {"cancel", ""},
}

func (s *billingSequence) create(coll, path, body string, list *[]string, headers ...string) {
	s.t.Helper()
	o := s.call("POST", path, body, headers...)
	if inner := o.Obj("billing_requests"); inner != nil {
		o = inner
	}
	if o == nil {
		return
	}
	s.made[coll]++
	*list = append(*list, o.Str("id"))
}

func (s *billingSequence) form() url.Values {
	f := url.Values{"step": {[]string{"details", "bank", "account", "confirm", "amount", "currency"}[s.next(6)]}, "action": {[]string{"", "", "", "exit"}[s.next(4)]}}
	texts := []string{"", "Robin", "payer@example.com", "GB", "20-00-00", "55779911", "sand_bank_gb", "12.50", "SEK", "<script>", "\x00\xff", strings.Repeat("x", 700)}
	for _, name := range append(slices.Clone(pagePayer), "account_holder_name", "", "branch_code", "", "account_number", "", "institution", "", "amount", "", "currency", "") {
		if name != "" && s.next(3) > 0 {
			f.Set(name, texts[s.next(len(texts))])
		}
	}
	if s.next(3) == 0 {
		for i := 0; i+1 < len(pagePayer); i += 2 {
			f.Set(pagePayer[i], pagePayer[i+1])
		}
	}
	return f
}

// page opens or submits a page. Whatever the input, the reply is a page or a redirect.
func (s *billingSequence) page(path, id string, form url.Values) {
	s.t.Helper()
	address := "https://pay-sandbox.gocardless.com" + path + "?id=" + id
	if form != nil {
		form.Set("id", id)
	}
	status, _, body := s.browse(address, form)
	if status >= 500 || strings.Contains(body, "<script") {
		s.t.Fatalf("%s %v: %d %s", path, form, status, body)
	}
}

func (s *billingSequence) step2() {
	key := fmt.Sprint("k", s.next(4))
	switch s.next(16) {
	case 0, 1:
		s.create("billing_requests", "/billing_requests", `{"billing_requests":{`+sequenceRequests[s.next(len(sequenceRequests))]+`}}`, &s.requests)
	case 2:
		before := s.byKey[key]
		body := `{"billing_request_with_actions":{` + paymentRequest + `,"actions":{"collect_customer_details":{` + payerPerson + `},"collect_bank_account":{` + ukAccount + `}}}}`
		s.create("billing_requests", "/billing_requests/create_with_actions", body, &s.requests, "Idempotency-Key", key)
		if last := s.pick(s.requests[max(0, len(s.requests)-1):]); before == "" {
			s.byKey[key] = last
		} else if conflict := s.refused(409, "idempotent_creation_conflict", "POST", "/billing_requests/create_with_actions", body, "Idempotency-Key", key); conflict.Obj("links").Str("conflicting_resource_id") != before {
			s.t.Fatalf("key %s: %v, made %s", key, conflict, before)
		}
	case 3, 4, 5, 6:
		a := sequenceActions[s.next(len(sequenceActions))]
		body := `{"data":{` + a.data + `}}`
		if a.name == "fallback" {
			body = ""
		}
		s.call("POST", "/billing_requests/"+s.pick(s.requests)+"/actions/"+a.name, body)
	case 7:
		s.create("billing_request_flows", "/billing_request_flows", `{"billing_request_flows":{"links":{"billing_request":"`+s.pick(s.requests)+`"},"redirect_uri":"https://shop.example.com"}}`, &s.flows)
	case 8, 9:
		s.page(flowPath, s.pick(s.flows), s.form())
		s.page(flowPath, s.pick(s.flows), nil)
	case 10:
		s.create("bank_authorisations", "/bank_authorisations", `{"bank_authorisations":{"links":{"billing_request":"`+s.pick(s.requests)+`"}}}`, &s.visits)
		s.page(bankPath, s.pick(s.visits), url.Values{"decision": {[]string{"authorised", "denied", "failed", "x"}[s.next(4)]}})
	case 11:
		_, err := s.sb.FinishBillingRequestFlow(s.pick(s.flows), TestPayer)
		if err != nil && err.Error() == "" {
			s.t.Fatal("an error without a text")
		}
	case 12:
		spec := api.Simulators[s.next(4)]
		s.call("POST", "/scenario_simulators/"+spec.Name+"/actions/run", `{"data":{"links":{"resource":"`+s.pick(s.requests)+`"}}}`)
	case 13:
		d := []string{"", failToExecute, failRejected, failLateReject}[s.next(4)]
		s.create("outbound_payments", "/outbound_payments", `{"outbound_payments":{"amount":`+strconv.Itoa(1+s.next(250)*400_000)+`,"scheme":"faster_payments","description":"`+d+`","links":{"recipient_bank_account":"`+s.account+`"}}}`, &s.outbound)
		s.call("POST", "/outbound_payments/"+s.pick(s.outbound)+"/actions/"+[]string{"approve", "approve", "cancel"}[s.next(3)], "")
	case 14:
		switch s.next(4) {
		case 0:
			s.create("mandate_imports", "/mandate_imports", `{"mandate_imports":{"scheme":"bacs"}}`, &s.imports)
		case 1:
			s.call("POST", "/mandate_import_entries", `{"mandate_import_entries":{"links":{"mandate_import":"`+s.pick(s.imports)+`"},"customer":{"given_name":"A","family_name":"B","email":"a@example.com","address_line1":"1","postal_code":"1"},"bank_account":{`+ukAccount+`}}}`)
		case 2:
			s.call("POST", "/mandate_imports/"+s.pick(s.imports)+"/actions/submit", "")
		default:
			s.create("outbound_payment_imports", "/outbound_payment_imports", `{"outbound_payment_imports":{"entry_items":[{"amount":5,"scheme":"faster_payments","recipient_bank_account_id":"`+s.account+`"}]}}`, &s.batches)
			s.page(outboundImportPath, s.pick(s.batches), url.Values{"decision": {"approve"}})
		}
	default:
		s.sb.Advance(time.Duration(1+s.next(100)) * []time.Duration{time.Second, time.Minute, time.Hour}[s.next(3)])
	}
}

func runBillingSequence(t testing.TB, in []byte, strict bool, reached map[string]int) {
	w := newSequenceWorld(t, strict)
	s := &billingSequence{sequence: &sequence{world: w, in: in}, made: map[string]int{}, byKey: map[string]string{}}
	for len(s.in) > 0 {
		s.step2()
	}
	s.billingInvariants()
	s.count(reached)
	s.restores()
	if strict {
		s.billingInvariants()
	}
}

// count counts the statuses that a sequence reached.
func (s *billingSequence) count(reached map[string]int) {
	s.sb.view(func(tx *tx) {
		for _, coll := range []string{"billing_requests", "outbound_payments", "mandate_imports", "outbound_payment_imports"} {
			for _, r := range tx.sb.store.Coll(coll).Recs {
				reached[coll+" "+r.Status()]++
			}
		}
		for _, r := range tx.sb.store.Coll("bank_authorisations").Recs {
			reached["bank_authorisations "+r.Ref("decision")]++
		}
	})
}

func (s *billingSequence) billingInvariants() {
	s.t.Helper()
	for _, coll := range []string{"billing_requests", "outbound_payment_imports"} {
		if n := len(s.all("/"+coll+"?", 3)); n != s.made[coll] {
			s.t.Errorf("%d %s, made %d", n, coll, s.made[coll])
		}
	}
	for _, row := range s.all("/billing_requests?", 500) {
		s.checkRequest(s.ok("GET", "/billing_requests/"+row.Str("id"), ""))
	}
	s.checkPaymentAccount()
	s.checkEvents()
	s.checkPayouts()
}

// checkRequest checks that the status of a billing request matches its actions and resources.
func (s *billingSequence) checkRequest(r object) {
	s.t.Helper()
	actions, status := r.List("actions"), r.Str("status")
	open := slices.ContainsFunc(actions, func(v any) bool {
		a := v.(object)
		return a.Flag("required") && a.Str("status") != "completed"
	})
	ended := slices.Contains([]string{"fulfilled", "cancelled"}, status)
	if (status == "pending") != open || ended != (len(actions) == 0) {
		s.t.Errorf("%s request, open actions %v: %s", status, open, value.Append(nil, r))
	}
	made := r.Obj("links").Str("mandate_request_mandate") + r.Obj("links").Str("payment_request_payment")
	if (status == "fulfilled") != (made != "") {
		s.t.Errorf("%s request made %q", status, made)
	}
}

// checkPaymentAccount checks that the balance is the sum of the transactions, and never negative.
func (s *billingSequence) checkPaymentAccount() {
	s.t.Helper()
	account := s.list("/payment_accounts")[0]
	sum := int64(0)
	moves := s.all("/payment_accounts/"+account.Str("id")+"/transactions?value_date_from=2020-01-01&value_date_to=2040-01-01", 100)
	for _, m := range slices.Backward(moves) {
		amount := m.Num("amount")
		if m.Str("direction") == "debit" {
			amount = -amount
		}
		if sum += amount; m.Num("balance_after_transaction") != sum || sum < 0 {
			s.t.Errorf("balance after %s is %d, the sum %d", m.Str("id"), m.Num("balance_after_transaction"), sum)
		}
	}
	if account.Num("account_balance") != sum {
		s.t.Errorf("balance %d, sum of the transactions %d", account.Num("account_balance"), sum)
	}
}

func TestBillingSequences(t *testing.T) {
	withoutRace(t)
	n := 25
	if testing.Short() {
		n = 8
	}
	reached := map[string]int{}
	for seed := range n {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		in := make([]byte, 600)
		for i := range in {
			in[i] = byte(r.Uint32())
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) { runBillingSequence(t, in, true, reached) })
	}
	// The random calls must reach the interesting states.
	for _, want := range []string{
		"billing_requests fulfilled", "billing_requests cancelled", "billing_requests pending", "bank_authorisations authorised",
		"bank_authorisations denied", "outbound_payments executed", "outbound_payments failed", "mandate_imports processed", "outbound_payment_imports processed",
	} {
		if reached[want] == 0 {
			t.Errorf("no sequence came to %s: %v", want, reached)
		}
	}
}

func FuzzBillingSequences(f *testing.F) {
	atSpeed(f)
	f.Add([]byte("a walk through billing requests, their pages and their banks"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 200 {
			in = in[:200]
		}
		runBillingSequence(t, in, false, map[string]int{})
	})
}

// FuzzFlowForm submits random strings to the page's forms, which must reply with a page that escapes
// them.
func FuzzFlowForm(f *testing.F) {
	f.Add("details", "given_name", `"><script>alert(1)</script>`)
	f.Add("account", "account_number", "٣٣")
	f.Add("amount", "amount", "99999999999999999999")
	c := newCaller(f, WithRequestLog(0))
	w := &world{caller: c}
	flow := w.flow(w.request(mandateRequest+","+paymentRequest).Str("id"), "").Str("authorisation_url")
	f.Fuzz(func(t *testing.T, step, name, value string) {
		c := &caller{t, c.sb, c.rt, true}
		status, _, body := c.browse(flow, url.Values{"step": {step}, name: {value}, "id": {flow[strings.Index(flow, "=")+1:]}})
		if status >= 500 || strings.Contains(body, "<script") || strings.Contains(body, "<img") {
			t.Errorf("%s %s=%q: %d %s", step, name, value, status, body)
		}
	})
}
