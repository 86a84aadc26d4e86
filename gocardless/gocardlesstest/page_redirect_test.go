package gocardlesstest

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// browse opens a page as a browser does, or submits a form to it.
func (c *caller) browse(address string, form url.Values, headers ...string) (status int, location, body string) {
	c.t.Helper()
	method, rd := "GET", io.Reader(nil)
	if form != nil {
		method, rd = "POST", strings.NewReader(form.Encode())
	}
	req, err := http.NewRequest(method, address, rd)
	if err != nil {
		c.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.rt.RoundTrip(req)
	if err != nil {
		c.t.Fatal(err)
	}
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header.Get("Location"), string(b)
}

func TestRedirectFlowPage(t *testing.T) {
	s := NewServer(t, WithFrozenClock(monday))
	c := &caller{t, s.Sandbox, rewrite{s.URL}, true}
	f := c.ok("POST", "/redirect_flows", `{"redirect_flows":{"session_token":"s1","success_redirect_url":"https://shop.example/done","description":"Gym <b>",
		"prefilled_customer":{"given_name":"\"><script>alert(1)</script>","email":"robin@example.com"}}}`)
	page := f.Str("redirect_url")
	status, _, body := c.browse(page, nil)
	for _, want := range []string{"Gym &lt;b&gt;", `name="branch_code"`, `value="robin@example.com"`, "&lt;script&gt;", "Sandbox Merchant Ltd"} {
		if status != 200 || !strings.Contains(body, want) {
			t.Errorf("%d, no %s in the page", status, want)
		}
	}
	if strings.Contains(body, "<script>") || strings.Contains(body, `name="iban"`) {
		t.Error("the page holds a script, or a field of another scheme")
	}
	entries := url.Values{
		"given_name": {"Robin"}, "family_name": {"Sample"}, "email": {"robin@example.com"}, "country_code": {"GB"},
		"account_holder_name": {"Robin Sample"}, "branch_code": {"200000"}, "account_number": {"123"},
	}
	status, _, body = c.browse(page, entries)
	if status != 422 || !strings.Contains(body, "Account number is the wrong length") || !strings.Contains(body, `value="Robin"`) {
		t.Errorf("a short account number: %d", status)
	}
	entries.Set("account_number", "55779911")
	if status, _, _ = c.browse(page, entries, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); status != 403 {
		t.Errorf("a form of another site: %d", status)
	}
	c.refused(422, "redirect_flow_incomplete", "POST", "/redirect_flows/"+f.Str("id")+"/actions/complete", `{"data":{"session_token":"s1"}}`)
	status, location, _ := c.browse(page, entries)
	if status != 303 || location != "https://shop.example/done?redirect_flow_id="+f.Str("id") {
		t.Fatalf("%d to %q", status, location)
	}
	done := c.ok("POST", "/redirect_flows/"+f.Str("id")+"/actions/complete", `{"data":{"session_token":"s1"}}`)
	if status, _, body = c.browse(done.Str("confirmation_url"), nil); status != 200 || !strings.Contains(body, done.Str("mandate_reference")) {
		t.Errorf("confirmation page: %d", status)
	}
	if status, _, _ = c.browse(page, nil); status != 410 {
		t.Errorf("a used page: %d", status)
	}
	if status, _, _ = c.browse(s.URL+"/flow/RE0", nil); status != 404 {
		t.Errorf("an unknown page: %d", status)
	}
	c.refused(422, "/redirect_flows/success_redirect_url", "POST", "/redirect_flows", `{"redirect_flows":{"session_token":"s","success_redirect_url":"javascript://x/%0aalert(1)"}}`)
}

func TestRedirectFlowPageOfOtherSchemes(t *testing.T) {
	c := newCaller(t)
	for scheme, fields := range accountFields {
		scheme = schemeOf(scheme)
		id := c.ok("POST", "/redirect_flows", `{"redirect_flows":{"scheme":"`+scheme+`","session_token":"s","success_redirect_url":"https://shop.example/done"}}`).Str("id")
		page := "https://pay-sandbox.gocardless.com/flow/" + id
		status, _, body := c.browse(page+"?fill=1", nil)
		form := url.Values{}
		for _, name := range append(append([]string{"swedish_identity_number", "danish_identity_number", "account_holder_name", "account_type"}, redirectPerson...), fields...) {
			if v := inputValue(body, name); v != "" {
				form.Set(name, v)
			}
		}
		form.Set("account_holder_name", "Robin Sample")
		form.Set("country_code", currencyCountry(currencyOf(scheme)))
		if scheme == "ach" {
			form.Set("account_type", "checking")
		}
		sent, location, after := c.browse(page, form)
		if status != 200 || sent != 303 || !strings.Contains(location, id) {
			t.Errorf("%s: %d, then %d with %v\n%s", scheme, status, sent, form, after[:min(len(after), 200)])
		}
	}
}

// inputValue returns the value of an input of a page.
func inputValue(page, name string) string {
	_, rest, ok := strings.Cut(page, `name="`+name+`" value="`)
	if !ok {
		return ""
	}
	v, _, _ := strings.Cut(rest, `"`)
	return v
}
