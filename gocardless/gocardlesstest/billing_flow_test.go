package gocardlesstest

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/page"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// browser follows the sandbox's pages without a socket. It does not follow redirects to other sites.
type browser struct {
	t    testing.TB
	http *http.Client
	url  string
	page string
	code int
}

func (w *world) browser() *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{t: w.t, http: &http.Client{Transport: w.rt, Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(r.URL.Path, "/billing/static/") {
			return http.ErrUseLastResponse
		}
		return nil
	}}}
}

func (b *browser) take(resp *http.Response, err error) *browser {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.url, b.page, b.code = resp.Request.URL.String(), string(raw), resp.StatusCode
	if resp.StatusCode == http.StatusSeeOther {
		b.url = resp.Header.Get("Location")
	}
	return b
}

func (b *browser) open(address string) *browser {
	b.t.Helper()
	return b.take(b.http.Get(address))
}

var hiddenForm = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// submit submits the page's form with the given fields.
func (b *browser) submit(fields ...string) *browser {
	b.t.Helper()
	form := url.Values{}
	for _, m := range hiddenForm.FindAllStringSubmatch(b.page, -1) {
		form.Set(m[1], m[2])
	}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.take(b.http.PostForm(b.url, form))
}

func (b *browser) sees(text string) *browser {
	b.t.Helper()
	if !strings.Contains(b.page, text) {
		b.t.Fatalf("%s (%d) does not show %q:\n%s", b.url, b.code, text, b.page)
	}
	return b
}

func (w *world) flow(request, parts string) object {
	w.t.Helper()
	if parts != "" {
		parts = "," + parts
	}
	return w.ok("POST", "/billing_request_flows", `{"billing_request_flows":{"links":{"billing_request":"`+request+`"}`+parts+`}}`)
}

var pagePayer = []string{
	"given_name", "Robin", "family_name", "Sample", "email", "payer@example.com", "address_line1", "12 Example Street",
	"city", "Leeds", "postal_code", "LS1 1AA", "country_code", "GB",
}

func TestFlowForMandate(t *testing.T) {
	w := newWorld(t)
	id := w.request(mandateRequest).Str("id")
	f := w.flow(id, `"redirect_uri":"https://shop.example.com/done?order=7","exit_uri":"https://shop.example.com/left"`)
	b := w.browser().open(f.Str("authorisation_url")).sees("Your details")
	b.submit("given_name", "Robin").sees("Last name can&#39;t be blank").sees(`aria-invalid="true"`)
	if b.code != 422 {
		t.Errorf("a form with mistakes answers %d", b.code)
	}
	b.submit(pagePayer...).sees("Bank account")
	b.submit("account_holder_name", "Robin Sample", "branch_code", "20-00", "account_number", "55779911").sees("is the wrong length")
	b.submit("account_holder_name", "Robin Sample", "branch_code", "20-00-00", "account_number", "55779911").sees("Check and confirm").sees("ending 11")
	b.submit().sees("All done").sees("https://shop.example.com/done?id=" + f.Str("id") + "&amp;order=7&amp;outcome=success")
	r := w.ok("GET", "/billing_requests/"+id, "")
	if r.Str("status") != "fulfilled" || w.status("mandates", r.Obj("links").Str("mandate_request_mandate")) != "pending_submission" {
		t.Errorf("after the flow: %s", value.Append(nil, r))
	}
	want := "created flow_created flow_visited collect_customer_details collect_bank_account payer_details_confirmed fulfilled"
	if got := w.eventsOf("billing_request", id); got != want {
		t.Errorf("events %q, want %q", got, want)
	}
	for _, e := range w.list("/events?billing_request=" + id) {
		want := map[string]string{"created": "api", "flow_created": "api", "fulfilled": "gocardless"}[e.Str("action")]
		if want == "" {
			want = "payer"
		}
		if got := e.Obj("details").Str("origin"); got != want {
			t.Errorf("%s comes from %s, want %s", e.Str("action"), got, want)
		}
	}
	b.open(f.Str("authorisation_url")).sees("All done")
}

func TestFlowForPayment(t *testing.T) {
	w := newWorld(t)
	id := w.request(paymentRequest + "," + mandateRequest).Str("id")
	f := w.flow(id, `"redirect_uri":"https://shop.example.com/done","skip_success_screen":true`)
	b := w.browser().open(f.Str("authorisation_url"))
	b.submit(pagePayer...).sees("Choose your bank")
	b.submit("institution", "").sees("must be chosen")
	b.submit("institution", "former_bank_gb").sees("cannot be used")
	b.submit("institution", "sand_bank_gb").sees("Check and confirm").sees("£25.00")
	b.submit().sees("Approve this at Sand Bank").sees("£25.00").sees("--header-ink: #fff").sees("--button-ink: #fff")
	b.submit("decision", "denied").sees("did not authorise")
	b.submit().sees("Approve this at Sand Bank")
	b.submit("decision", "authorised")
	if b.code != http.StatusSeeOther || b.url != "https://shop.example.com/done?id="+f.Str("id")+"&outcome=success" {
		t.Errorf("after the bank: %d %s", b.code, b.url)
	}
	r := w.ok("GET", "/billing_requests/"+id, "")
	pay := w.ok("GET", "/payments/"+r.Obj("links").Str("payment_request_payment"), "")
	if r.Str("status") != "fulfilled" || pay.Num("amount") != 2500 || pay.Str("scheme") != "faster_payments" {
		t.Errorf("request %s, payment %s", value.Append(nil, r), value.Append(nil, pay))
	}
	if got := w.eventsOf("billing_request", id); !strings.HasSuffix(got, "bank_authorisation_visited bank_authorisation_denied payer_details_confirmed bank_authorisation_visited bank_authorisation_authorised fulfilled") {
		t.Errorf("events %q", got)
	}
}

func TestFlowExitExpiryAndUnknown(t *testing.T) {
	w := newWorld(t)
	id := w.request(mandateRequest).Str("id")
	f := w.flow(id, `"exit_uri":"myapp://left/here"`)
	b := w.browser().open(f.Str("authorisation_url"))
	b.submit("action", "exit")
	if b.url != "myapp://left/here?id="+f.Str("id")+"&outcome=failure" {
		t.Errorf("exit leads to %s", b.url)
	}
	if got := w.eventsOf("billing_request", id); !strings.HasSuffix(got, "flow_exited") {
		t.Errorf("events %q", got)
	}
	plain := w.flow(id, "")
	w.browser().open(plain.Str("authorisation_url")).submit("action", "exit").sees("You left before the end")
	w.sb.Advance(flowLife)
	if b.open(plain.Str("authorisation_url")).sees("expired"); b.code != http.StatusGone {
		t.Errorf("an expired flow answers %d", b.code)
	}
	w.act(id, "cancel", "")
	b.open(plain.Str("authorisation_url")).sees("cancelled")
	if b.open("https://pay-sandbox.gocardless.com" + flowPath + "?id=BRF1"); b.code != http.StatusNotFound {
		t.Errorf("an unknown flow answers %d", b.code)
	}
	w.refused(422, "invalid_state", "POST", "/billing_request_flows", `{"billing_request_flows":{"links":{"billing_request":"`+id+`"}}}`)
}

// Strings from outside are displayed, never executed, neither as markup nor as the URL of a script.
func TestFlowIsSafe(t *testing.T) {
	w := newWorld(t)
	const evil = `\"><script>alert(1)</script><img src=x onerror=alert(2)>`
	id := w.request(`"mandate_request":{"scheme":"bacs","description":"` + evil + `"}`).Str("id")
	for _, uri := range []string{"javascript:alert(1)", "javascript://x/%0aalert(1)", "data:text/html,x", "JaVaScRiPt://x/y", "vbscript://x/y", "//evil.example.com", "https:evil", "ftp://x/y"} {
		w.refused(422, "/billing_request_flows/redirect_uri", "POST", "/billing_request_flows", `{"billing_request_flows":{"redirect_uri":"`+uri+`","links":{"billing_request":"`+id+`"}}}`)
		w.refused(422, "/billing_request_flows/exit_uri", "POST", "/billing_request_flows", `{"billing_request_flows":{"exit_uri":"`+uri+`","links":{"billing_request":"`+id+`"}}}`)
	}
	f := w.flow(id, `"prefilled_customer":{"given_name":"`+evil+`","family_name":"O'Brien & \u202e"},"redirect_uri":"https://a.example.com/'\">;script-src *"`)
	b := w.browser().open(f.Str("authorisation_url"))
	if strings.Contains(b.page, "<script") || strings.Contains(b.page, "<img") {
		t.Errorf("markup of others got into the page:\n%s", b.page)
	}
	b.sees("&lt;script&gt;").sees("O&#39;Brien &amp;")
	b.submit(append([]string{"company_name", `<b>Bold</b>`}, pagePayer...)...)
	if strings.Contains(b.page, "<b>") {
		t.Errorf("markup of the payer got into the page")
	}

	get := func(method string, headers ...string) *http.Response {
		t.Helper()
		req, err := http.NewRequest(method, f.Str("authorisation_url"), strings.NewReader("id="+f.Str("id")+"&step=account&action=exit"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for i := 0; i+1 < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, err := w.rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	before := w.eventsOf("billing_request", id)
	for _, h := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example.com"}} {
		if resp := get("POST", h...); resp.StatusCode != http.StatusForbidden {
			t.Errorf("a form from elsewhere (%v) answers %d", h, resp.StatusCode)
		}
	}
	if after := w.eventsOf("billing_request", id); after != before {
		t.Errorf("a form from elsewhere did something: %s", after)
	}
	if resp := get("DELETE"); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("DELETE answers %d", resp.StatusCode)
	}
	resp := get("GET")
	csp := resp.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(csp, "default-src 'none'; style-src 'nonce-") || strings.Contains(csp, "script") || !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("content security policy: %s", csp)
	}
	if got := resp.Header.Get("Referrer-Policy"); got != "same-origin" {
		t.Errorf("referrer policy %s", got)
	}
	huge, err := http.NewRequest("POST", f.Str("authorisation_url"), strings.NewReader("id="+f.Str("id")+"&x="+strings.Repeat("a", page.MaxForm)))
	if err != nil {
		t.Fatal(err)
	}
	huge.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if resp, err := w.rt.RoundTrip(huge); err != nil || resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a huge form: %v %v", resp, err)
	}
}

// The parts of a page's form: the link that fills in test details, inputs, lists with their selected option, and
// choices.
var (
	fillLink       = regexp.MustCompile(`href="([^"]*fill=1[^"]*)"`)
	inputField     = regexp.MustCompile(`<input type="(?:text|email)" id="[^"]*" name="([^"]*)" value="([^"]*)"`)
	selectField    = regexp.MustCompile(`(?s)<select id="[^"]*" name="([^"]*)"(.*?)</select>`)
	selectedOption = regexp.MustCompile(`value="([^"]*)" selected`)
	radioField     = regexp.MustCompile(`type="radio" name="([^"]*)" value="([^"]*)"`)
)

// entries completes the page's form with test details and answers. It returns the fields.
func (b *browser) entries() []string {
	b.t.Helper()
	if m := fillLink.FindStringSubmatch(b.page); m != nil {
		b.open("https://pay-sandbox.gocardless.com" + strings.ReplaceAll(m[1], "&amp;", "&"))
	}
	var fields []string
	for _, m := range slices.Concat(inputField.FindAllStringSubmatch(b.page, -1), radioField.FindAllStringSubmatch(b.page, 1)) {
		fields = append(fields, m[1], m[2])
	}
	for _, m := range selectField.FindAllStringSubmatch(b.page, -1) {
		if s := selectedOption.FindStringSubmatch(m[2]); s != nil {
			fields = append(fields, m[1], s[1])
		}
	}
	for name, value := range map[string]string{"amount": "12.50", "currency": "SEK", "decision": "authorised"} {
		if strings.Contains(b.page, `name="`+name+`"`) {
			fields = append(fields, name, value)
		}
	}
	return fields
}

// The flow of every scheme can be completed with its test details, both on the page and by the function
// that plays the payer.
func TestFlowOfEveryScheme(t *testing.T) {
	requests := map[string]string{
		"pay_to":          `"mandate_request":{"scheme":"pay_to","constraints":{"max_amount_per_payment":10000}}`,
		"faster_payments": `"mandate_request":{"scheme":"faster_payments","sweeping":true,"constraints":{"max_amount_per_payment":10000,"periodic_limits":[{"max_total_amount":50000,"period":"month"}]}}`,
		"open":            `"mandate_request":{}`,
		"euro payment":    `"payment_request":{"amount":2500,"currency":"EUR","description":"Boiler"}`,
		"aud payment":     `"payment_request":{"amount":2500,"currency":"AUD","description":"Boiler"}`,
		"open amount":     `"payment_request":{"currency":"GBP","description":"Boiler"}`,
	}
	for _, s := range []string{"bacs", "sepa_core", "ach", "autogiro", "becs", "becs_nz", "betalingsservice", "pad"} {
		requests[s] = `"mandate_request":{"scheme":"` + s + `"}`
	}
	for name, parts := range requests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			id := w.request(parts).Str("id")
			f := w.flow(id, "")
			b := w.browser().open(f.Str("authorisation_url"))
			for steps := 0; steps < 10 && !strings.Contains(b.page, "All done"); steps++ {
				if b.submit(b.entries()...); b.code != 200 {
					t.Fatalf("%s answers %d:\n%s", b.url, b.code, b.page)
				}
			}
			if s := w.status("billing_requests", id); s != "fulfilled" {
				t.Fatalf("request is %s; the page says:\n%s", s, b.page)
			}
			if strings.HasPrefix(name, "open amount") {
				return
			}
			payer := TestPayer
			again := w.request(parts)
			switch currency := again.Obj("mandate_request").Str("currency") + again.Obj("payment_request").Str("currency"); currency {
			case "GBP", "":
			case "EUR":
				payer.IBAN = "DE89370400440532013000"
			default:
				return
			}
			if _, err := w.sb.FinishBillingRequestFlow(w.flow(again.Str("id"), "").Str("id"), payer); err != nil {
				t.Errorf("playing the payer: %v", err)
			}
			if s := w.status("billing_requests", again.Str("id")); s != "fulfilled" {
				t.Errorf("played request is %s", s)
			}
		})
	}
}

func TestPlayedFlow(t *testing.T) {
	w := newWorld(t)
	id := w.request(mandateRequest).Str("id")
	f := w.flow(id, `"redirect_uri":"https://shop.example.com/done","exit_uri":"https://shop.example.com/left"`).Str("id")
	if to, err := w.sb.ExitBillingRequestFlow(f); err != nil || to != "https://shop.example.com/left?id="+f+"&outcome=failure" {
		t.Errorf("exit: %s %v", to, err)
	}
	bad := TestPayer
	bad.AccountNumber = "1"
	if _, err := w.sb.FinishBillingRequestFlow(f, bad); err == nil || !strings.Contains(err.Error(), "Validation") {
		t.Errorf("a wrong account number: %v", err)
	}
	if to, err := w.sb.FinishBillingRequestFlow(f, TestPayer); err != nil || to != "https://shop.example.com/done?id="+f+"&outcome=success" {
		t.Errorf("finish: %s %v", to, err)
	}
	if _, err := w.sb.ExitBillingRequestFlow(f); err == nil {
		t.Error("a finished flow was left")
	}
	if _, err := w.sb.FinishBillingRequestFlow("BRF1", TestPayer); err == nil {
		t.Error("an unknown flow was finished")
	}
	id = w.request(mandateRequest).Str("id")
	f = w.flow(id, `"redirect_uri":"https://shop.example.com/done"`).Str("id")
	w.act(id, "cancel", "")
	if to, err := w.sb.FinishBillingRequestFlow(f, TestPayer); err == nil || !strings.Contains(err.Error(), "This request was cancelled") {
		t.Errorf("the flow of a cancelled request led to %q, %v", to, err)
	}
}

func TestFlowLocks(t *testing.T) {
	w := newWorld(t)
	id := w.request(mandateRequest).Str("id")
	for _, lock := range []string{"lock_customer_details", "lock_bank_account"} {
		w.refused(422, "/billing_request_flows/"+lock, "POST", "/billing_request_flows", `{"billing_request_flows":{"`+lock+`":true,"links":{"billing_request":"`+id+`"}}}`)
	}
	w.refused(422, "/billing_request_flows/auto_fulfil", "POST", "/billing_request_flows", `{"billing_request_flows":{"auto_fulfil":false,"links":{"billing_request":"`+id+`"}}}`)
	w.act(id, "collect_customer_details", payerPerson+","+payerAddress)
	w.act(id, "collect_bank_account", ukAccount)
	f := w.flow(id, `"lock_customer_details":true,"lock_bank_account":true,"lock_currency":true`)
	b := w.browser().open(f.Str("authorisation_url") + "&step=details").sees("Check and confirm")
	if strings.Contains(b.page, "step=details") {
		t.Error("locked details can be gone back to")
	}
	w.refused(422, "invalid_state", "POST", "/billing_requests/"+id+"/actions/choose_currency", `{"data":{"currency":"EUR"}}`)
	s := w.ok("POST", "/billing_request_flows/"+f.Str("id")+"/actions/initialise", "")
	if s.Str("session_token") == "" || f.Get("session_token") != nil {
		t.Errorf("session token: %q, before %v", s.Str("session_token"), f.Get("session_token"))
	}
}

func TestTemplates(t *testing.T) {
	w := newWorld(t)
	body := `{"billing_request_templates":{"name":"Membership","payment_request_amount":"69.99","payment_request_currency":"GBP","payment_request_description":"Joining","mandate_request_scheme":"bacs","mandate_request_currency":"GBP","mandate_request_metadata":{"kind":"member"},"metadata":{"a":"b"},"redirect_uri":"https://shop.example.com/done"}}`
	tm := w.ok("POST", "/billing_request_templates", body)
	if got := w.list("/billing_request_templates"); len(got) != 1 {
		t.Errorf("%d templates", len(got))
	}
	w.ok("GET", "/billing_request_templates/"+tm.Str("id"), "")
	w.refused(422, "/billing_request_templates/payment_request_amount", "POST", "/billing_request_templates", strings.Replace(body, "69.99", "69,99", 1))
	w.refused(422, "/billing_request_templates/payment_request_description", "PUT", "/billing_request_templates/"+tm.Str("id"), `{"billing_request_templates":{"payment_request_description":""}}`)
	if got := w.ok("PUT", "/billing_request_templates/"+tm.Str("id"), `{"billing_request_templates":{"payment_request_amount":"12.5"}}`).Str("payment_request_amount"); got != "12.5" {
		t.Errorf("amount after update: %s", got)
	}
	first := w.browser().open(tm.Str("authorisation_url")).sees("Your details").sees("£12.50")
	second := w.browser().open(tm.Str("authorisation_url")).sees("Your details")
	if first.url == second.url {
		t.Error("a template's link gave one flow twice")
	}
	got := w.list("/billing_requests")
	if len(got) != 2 || got[0].Obj("mandate_request").Obj("metadata").Str("kind") != "member" || got[0].Obj("payment_request").Num("amount") != 1250 {
		t.Errorf("requests of the template: %v", got)
	}
	for _, r := range got {
		if _, there := r.Lookup("actions"); there {
			t.Error("a row of the list has actions")
		}
	}
}

// After a mistake the page still offers test details. The creditor's currency is preselected.
func TestFlowOffersTestDetailsAfterAMistake(t *testing.T) {
	w := newWorld(t)
	b := w.browser().open(w.flow(w.request(`"mandate_request":{}`).Str("id"), "").Str("authorisation_url"))
	b.sees(`<option value="GBP" selected>`).submit("currency", "GBP")
	b.sees("Fill in a test payer")
	b.submit("given_name", "", "email", "nobody").sees("There is a problem").sees("Fill in a test payer")
}
