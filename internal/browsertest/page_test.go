package browsertest

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

func bacs() gocardless.BillingRequestCreateParams {
	return gocardless.BillingRequestCreateParams{MandateRequest: &gocardless.BillingRequestCreateParamsMandateRequest{
		Scheme: new(gocardless.SchemeBacs), Description: new("Gym membership"),
	}}
}

func both() gocardless.BillingRequestCreateParams {
	p := bacs()
	p.PaymentRequest = &gocardless.BillingRequestCreateParamsPaymentRequest{
		Amount: new(int64(4250)), Currency: new(gocardless.CurrencyGBP), Description: new("Joining fee"),
	}
	return p
}

// A payer without a mouse sets up a mandate and returns to the shop.
func TestMandateByKeyboard(t *testing.T) {
	b := open(t)
	r := b.flow(bacs(), gocardless.BillingRequestFlowCreateParams{RedirectURI: new(b.shop.URL + "/done?order=7"), SkipSuccessScreen: new(true)})
	b.at("Your details")
	b.key("\t")
	if got := b.focus(); got != "skip" {
		t.Errorf("the first stop is %q, want the link past the header", got)
	}
	b.shot("1-details")
	b.tabTo("given_name")
	for _, text := range []string{"Robin", "Sample", "", "payer@example.com", "12 Example Street", "", "Leeds", "LS1 1AA"} {
		b.key(text + "\t")
	}
	b.key(kb.Enter) // the country is preselected; Enter in a list does not submit the form
	b.tabTo("Continue")
	b.key(kb.Enter)
	b.at("Bank account")
	b.shot("2-account")
	b.tabTo("branch_code")
	b.key("20-00-00\t55779911" + kb.Enter)
	b.at("Check and confirm")
	b.shot("3-confirm")
	b.tabTo("Confirm")
	b.key(kb.Enter)
	b.at("Back at the shop")
	if s := b.status(r.ID); s != gocardless.BillingRequestStatusFulfilled {
		t.Errorf("the request is %s", s)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.visits) != 1 || !strings.HasPrefix(b.visits[0], "/done?id=BRF") || !strings.HasSuffix(b.visits[0], "&order=7&outcome=success") {
		t.Errorf("visits to the shop: %v", b.visits)
	}
}

// A payer chooses a bank, declines there, returns, accepts, and reaches the last page.
func TestPaymentThroughBank(t *testing.T) {
	b := open(t)
	r := b.flow(both(), gocardless.BillingRequestFlowCreateParams{RedirectURI: new(b.shop.URL + "/done"), ShowSuccessRedirectButton: new(true)})
	b.at("Your details")
	b.do(chromedp.Click(`a[href*="fill=1"]`))
	b.at("Your details")
	b.press("Continue")
	b.at("Choose your bank")
	b.shot("4-bank")
	b.tabTo("institution")
	b.key(" " + kb.ArrowDown)
	if got := js[string](b, `document.querySelector("input:checked").value`); got != "sand_bank_gb" {
		t.Errorf("the arrow key chose %s", got)
	}
	b.tabTo("Continue")
	b.key(kb.Enter)
	b.at("Check and confirm")
	b.press("Continue to your bank")
	b.at("Approve this at Sand Bank")
	b.shot("5-at-the-bank")
	b.press("Decline")
	b.at("Check and confirm")
	if got := js[string](b, `document.querySelector("[role=alert]").textContent`); !strings.Contains(got, "did not authorise") {
		t.Errorf("after the refusal: %s", got)
	}
	b.press("Continue to your bank")
	b.at("Approve this at Sand Bank")
	b.press("Approve")
	b.at("All done")
	b.shot("6-done")
	if s := b.status(r.ID); s != gocardless.BillingRequestStatusFulfilled {
		t.Errorf("the request is %s", s)
	}
	b.do(chromedp.Click(`a.button`))
	b.at("Back at the shop")
}

// Mistakes are shown where screen readers and keyboard users find them.
func TestMistakes(t *testing.T) {
	b := open(t)
	b.flow(bacs(), gocardless.BillingRequestFlowCreateParams{})
	b.at("Your details")
	b.do(chromedp.SendKeys(`[name=email]`, "not an address"), chromedp.Click(`//button[text()="Continue"]`), chromedp.WaitVisible(`[role=alert]`))
	b.shot("7-mistakes")
	if got := b.focus(); got != "problems" {
		t.Errorf("the focus is on %q, want the list of problems", got)
	}
	if title := js[string](b, `document.title`); !strings.HasPrefix(title, "Error: ") {
		t.Errorf("title %q", title)
	}
	b.key("\t")
	b.follow()
	b.until(`location.hash == "#field-given_name" && document.activeElement.name == "given_name"`)
	wrong := js[[]string](b, `[...document.querySelectorAll("[aria-invalid=true]")].map(e => e.name + ": " + e.getAttribute("aria-describedby").split(" ").map(i => (document.getElementById(i) || {}).textContent).join(" / "))`)
	if len(wrong) != 6 || wrong[2] != "email: Email is invalid" {
		t.Errorf("fields marked as wrong: %q", wrong)
	}
	if got := js[string](b, `document.querySelector("[name=email]").value`); got != "not an address" {
		t.Errorf("what was entered became %q", got)
	}
}

// Every control has an accessible name, and every page fits a small phone.
func TestNamesAndNarrowScreens(t *testing.T) {
	b := open(t)
	b.do(chromedp.EmulateViewport(320, 640, chromedp.EmulateMobile))
	b.flow(both(), gocardless.BillingRequestFlowCreateParams{
		PrefilledCustomer: &gocardless.BillingRequestFlowPrefilledCustomerParams{FamilyName: new(strings.Repeat("Wolfeschlegelsteinhausen", 4))},
	})
	check := func(heading string) {
		t.Helper()
		b.at(heading)
		b.shot("narrow-" + strings.ReplaceAll(strings.ToLower(heading), " ", "-"))
		if wide := js[int](b, `document.documentElement.scrollWidth`); wide > 320 {
			t.Errorf("%s is %d wide on a screen of 320", heading, wide)
		}
		tree, err := chromedp.Call(b.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		if err != nil {
			t.Fatal(err)
		}
		named := 0
		for _, n := range tree.Nodes {
			if n.Ignored || n.Role == nil {
				continue
			}
			switch role := strings.Trim(string(n.Role.Value), `"`); role {
			case "textbox", "combobox", "radio", "checkbox", "button", "link", "group":
				named++
				if n.Name == nil || strings.Trim(string(n.Name.Value), `" `) == "" {
					t.Errorf("%s: a %s without a name", heading, role)
				}
			}
		}
		if named < 2 {
			t.Errorf("%s: %d controls found", heading, named)
		}
	}
	check("Your details")
	b.do(chromedp.Click(`a[href*="fill=1"]`))
	b.until(`document.querySelector("[name=email]").value != ""`)
	check("Your details")
	b.press("Continue")
	check("Choose your bank")
	b.do(chromedp.Click(`input[value=read_bank_gb]`), chromedp.Click(`//button[text()="Continue"]`))
	check("Bank account")
	b.do(chromedp.Click(`a[href*="fill=1"]`))
	b.at("Bank account")
	b.press("Continue")
	check("Check and confirm")
	b.press("Continue to your bank")
	check("Approve this at Read Bank")
}

// The browser displays strings from outside and executes none.
func TestForeignText(t *testing.T) {
	b := open(t)
	const evil = `"><img src=x onerror=alert(1)><script>alert(2)</script>`
	p := bacs()
	p.MandateRequest.Description = new(evil)
	b.flow(p, gocardless.BillingRequestFlowCreateParams{
		PrefilledCustomer: &gocardless.BillingRequestFlowPrefilledCustomerParams{GivenName: new(evil), FamilyName: new(evil), Email: new("a@example.com")},
	})
	b.at("Your details")
	if got := js[string](b, `document.querySelector("[name=given_name]").value`); got != evil {
		t.Errorf("the field holds %q", got)
	}
	if n := js[int](b, `document.querySelectorAll("img, script").length`); n != 0 {
		t.Errorf("%d elements of others are in the page", n)
	}
}

// A payer who leaves is sent to the shop's exit_uri, even if its scheme is that of an app.
func TestExit(t *testing.T) {
	b := open(t)
	r := b.flow(bacs(), gocardless.BillingRequestFlowCreateParams{ExitURI: new(b.shop.URL + "/left")})
	b.at("Your details")
	b.tabTo("action")
	b.key(kb.Enter)
	b.at("Back at the shop")
	if s := b.status(r.ID); s != gocardless.BillingRequestStatusPending {
		t.Errorf("the request is %s", s)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.visits) != 1 || !strings.HasPrefix(b.visits[0], "/left?id=BRF") {
		t.Errorf("visits to the shop: %v", b.visits)
	}
}
