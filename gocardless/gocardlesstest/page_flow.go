package gocardlesstest

import (
	"cmp"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/page"
	"github.com/gocardless-community/gocardless-go/gocardless/money"
)

// The pages of a billing request flow: the request's open steps, one after the other, and the end.

// flowStep is a page of the flow.
type flowStep struct {
	key, name string
	open      bool // still to be completed
	back      bool // the payer can return to it
}

// flowSteps lists the pages of a request in order.
func (b *billing) flowSteps(f *record) []flowStep {
	var list []flowStep
	add := func(key, name string, open, back bool) { list = append(list, flowStep{key, name, open, back}) }
	if _, there := b.action(chooseCurrency); there && b.payment == nil && (!b.completed(chooseCurrency) || billingAskedCurrency.Of(b.rec)) {
		add("currency", "Currency", !b.completed(chooseCurrency), !f.Flag("lock_currency"))
	}
	if b.payment != nil && (!b.completed(collectAmount) || billingAskedAmount.Of(b.rec)) {
		add("amount", "Amount", !b.completed(collectAmount), true)
	}
	add("details", "Your details", !b.completed(collectDetails), !f.Flag("lock_customer_details"))
	if b.picksBank() {
		add("bank", "Your bank", !b.completed(selectInstitution), true)
	}
	if in := institutionOf(b.institution); in == nil || !in.passesAccount || b.account != nil || !b.picksBank() {
		add("account", "Bank account", !b.completed(collectAccount), !f.Flag("lock_bank_account"))
	}
	add("confirm", "Confirm", true, false)
	return list
}

// flowPage serves a flow.
func flowPage(tx *tx, r *http.Request) *page.View {
	f := tx.find("billing_request_flows", r.FormValue("id"))
	if f == nil {
		return page.Message(http.StatusNotFound, "Page not found", "The billing request flow does not exist.")
	}
	b := tx.openBilling(tx.must("billing_requests", f.Link("billing_request")))
	if r.Method != http.MethodHead {
		tx.visitFlow(b, f)
	}
	if v := tx.flowEnd(b, f); v != nil {
		return v
	}
	if r.Method == http.MethodPost {
		return tx.flowPost(b, f, r)
	}
	v := tx.flowForm(b, f, b.flowStepAt(f, r.FormValue("step")), nil, r.FormValue("fill") != "")
	if r.FormValue("outcome") == "failure" {
		v.Problems = append(v.Problems, page.Problem{Message: "Your bank did not authorise this. You can try again, or choose another bank."})
	}
	return v
}

// flowEnd returns the page of a flow that has ended, or nil.
func (tx *tx) flowEnd(b *billing, f *record) *page.View {
	base := func(v *page.View) *page.View {
		v.Merchant, v.Theme, v.Lang = b.creditor.Str("name"), tx.themeOf(b.creditor.ID), f.Str("language")
		return v
	}
	gone := func(title, text string) *page.View {
		v := page.Message(http.StatusGone, title, text)
		v.Links = page.LinkTo("Back to "+b.creditor.Str("name"), f.Str("exit_uri"), false)
		return base(v)
	}
	switch {
	case b.rec.Status() == "fulfilled":
		return base(tx.flowDone(b, f))
	case b.rec.Status() == "cancelled":
		return gone("This request was cancelled", "Nothing more is needed from you.")
	case f.Str("expires_at") <= tx.timestamp():
		return gone("This link has expired", "Ask "+b.creditor.Str("name")+" for a new one.")
	case b.customer.Removed:
		return gone("These details were deleted", "Ask "+b.creditor.Str("name")+" for a new link.")
	}
	return nil
}

// flowURL returns the path and query of a flow's page.
func flowURL(id string) string { return flowPath + "?id=" + id }

// backTo returns the URL that a flow leads back to, or "".
func backTo(f *record, name, outcome string) string {
	if f.Str(name) == "" {
		return ""
	}
	return page.WithParams(f.Str(name), "outcome", outcome, "id", f.ID)
}

// flowDone returns the last page.
func (tx *tx) flowDone(b *billing, f *record) *page.View {
	to := backTo(f, "redirect_uri", "success")
	if to != "" && f.Flag("skip_success_screen") && page.SafeRedirect(to) {
		return page.SendTo(to)
	}
	v := page.Message(http.StatusOK, "All done", "")
	v.Good = true
	switch {
	case b.payment != nil && b.mandate != nil:
		v.Intro = "Your payment is on its way, and the Direct Debit is being set up."
	case b.payment != nil:
		v.Intro = "Your payment is on its way."
	default:
		v.Intro = "Your Direct Debit is being set up."
	}
	v.Summary = b.summary()
	if page.SafeRedirect(to) {
		v.Links = page.LinkTo("Continue to "+b.creditor.Str("name"), to, true)
		if !f.Flag("show_success_redirect_button") && !f.Flag("show_redirect_buttons") {
			v.Refresh = to
		}
	}
	return v
}

// flowStepAt returns the page to show: the wanted one if it is available, or else the first open one.
func (b *billing) flowStepAt(f *record, wanted string) string {
	steps := b.flowSteps(f)
	for _, s := range steps {
		if s.key == wanted && (s.open || s.back) {
			return wanted
		}
		if s.open {
			return s.key
		}
	}
	return steps[len(steps)-1].key
}

// flowEntry holds the values of a step: those entered so far, or test details.
type flowEntry struct {
	b    *billing
	flow *record
	here string     // path of the flow
	form url.Values // entered values, nil at first
	fill bool       // with test details
}

// get returns the value of a field: the entered one, or else the first that is not empty.
func (e *flowEntry) get(name string, otherwise ...string) string {
	if e.form != nil {
		return e.form.Get(name)
	}
	return cmp.Or(otherwise...)
}

// testLink offers test details, unless they are filled in.
func (e *flowEntry) testLink(label, step string) []page.Link {
	if e.fill {
		return nil
	}
	return []page.Link{{Label: label, URL: template.URL(e.here + "&step=" + step + "&fill=1")}} //nolint:gosec // a path of this page
}

// flowForm returns the page of a step, with the values that were entered, if any.
func (tx *tx) flowForm(b *billing, f *record, step string, form url.Values, fill bool) *page.View {
	v := &page.View{
		Merchant: b.creditor.Str("name"), Theme: tx.themeOf(b.creditor.ID), Lang: f.Str("language"), Exit: true,
		Hidden:  []page.Row{{Name: "id", Value: f.ID}, {Name: "step", Value: step}},
		Buttons: []page.Button{{Label: "Continue"}},
		Targets: []string{f.Str("redirect_uri"), f.Str("exit_uri")},
	}
	e := &flowEntry{b: b, flow: f, here: flowURL(f.ID), form: form, fill: fill}
	for _, s := range b.flowSteps(f) {
		vs := page.Step{Name: s.name, Current: s.key == step, Done: !s.open && s.key != step}
		if vs.Done && s.back {
			vs.Link = e.here + "&step=" + s.key
		}
		v.Steps = append(v.Steps, vs)
	}
	show := map[string]func(*page.View){
		"currency": e.currency, "amount": e.amount, "details": e.details, "bank": e.bank, "account": e.account, "confirm": e.confirm,
	}
	show[step](v)
	return v
}

func (e *flowEntry) currency(v *page.View) {
	v.Title, v.Intro = "Choose a currency", "The currency of the bank account that "+v.Merchant+" will collect from."
	field := &page.Field{Name: "currency", Label: "Currency", Kind: "select", Value: e.get("currency", e.b.currency(), e.b.creditor.Str("fx_payout_currency"))}
	for _, c := range mandateCurrencies {
		field.Options = append(field.Options, page.Option{Value: c, Label: c + ", " + currencyNames[c]})
	}
	v.Fields = []*page.Field{field}
}

func (e *flowEntry) amount(v *page.View) {
	v.Title = "How much?"
	v.Fields = []*page.Field{{Name: "amount", Label: "Amount in " + e.b.currency(), Kind: "text", Mode: "decimal",
		Value: e.get("amount", decimal(e.b.payment)), Hint: "For example 25.00"}}
}

func (e *flowEntry) details(v *page.View) {
	v.Title, v.Intro = "Your details", e.b.purpose()
	v.Fields = e.b.detailFields(e.flow, e.get, e.fill)
	v.Links = e.testLink("Fill in a test payer", "details")
}

func (e *flowEntry) bank(v *page.View) {
	v.Title, v.Intro = "Choose your bank", e.b.purpose()
	field := &page.Field{Name: "institution", Label: "Bank", Kind: "radio", Value: e.get("institution", e.b.institution)}
	for i := range institutions {
		if in := &institutions[i]; in.status == "enabled" && e.b.canUse(in) {
			o := page.Option{Value: in.id, Label: in.name, Note: "asks for your account number"}
			if in.passesAccount {
				o.Note = "shares your account number"
			}
			field.Options = append(field.Options, o)
		}
	}
	v.Fields = []*page.Field{field}
}

func (e *flowEntry) account(v *page.View) {
	v.Title, v.Intro = "Bank account", e.b.purpose()
	v.Fields = e.b.accountForm(e.flow, e.get, e.fill)
	v.Links = e.testLink("Fill in a test account", "account")
}

func (e *flowEntry) confirm(v *page.View) {
	v.Title, v.Intro = "Check and confirm", e.b.purpose()
	v.Summary = e.b.summary()
	v.Small = e.b.terms()
	v.Buttons = []page.Button{{Label: e.b.confirmLabel()}}
	if e.b.mandate != nil && e.b.scheme() == "bacs" {
		v.Fields = []*page.Field{{Name: "dual", Label: "More than one person has to authorise this account", Kind: "checkbox", Optional: true}}
	}
}

var currencyNames = map[string]string{
	"AUD": "Australian dollar", "CAD": "Canadian dollar", "DKK": "Danish krone", "EUR": "euro", "GBP": "British pound",
	"NZD": "New Zealand dollar", "SEK": "Swedish krona", "USD": "US dollar",
}

// price formats an amount in the currency of the request.
func (b *billing) price(amount int64) string {
	return money.Format(amount, gocardless.Currency(b.currency()))
}

// purpose describes what the payer is about to agree to.
func (b *billing) purpose() string {
	who := b.creditor.Str("name")
	text := "You are setting up a Direct Debit with " + who
	if b.payment != nil {
		text = "You are paying " + who
		if b.payment.Has("amount") {
			text = "You are paying " + b.price(b.payment.Num("amount")) + " to " + who
		}
		switch {
		case !b.instant():
			text += " by Direct Debit"
		case b.mandate != nil:
			text += " and setting up a Direct Debit"
		}
	}
	for _, o := range []object{b.payment, b.mandate} {
		if d := o.Str("description"); d != "" {
			return text + ": " + d
		}
	}
	return text + "."
}

func (b *billing) terms() string {
	switch {
	case b.mandate == nil:
		return "Your bank will ask you to approve the payment."
	case b.scheme() == "faster_payments" || b.scheme() == "pay_to":
		return "Your bank will ask you to approve this agreement. You can end it there at any time."
	}
	return "By confirming you allow " + b.creditor.Str("name") + " to collect from this account by Direct Debit. You can cancel with your bank at any time."
}

func (b *billing) confirmLabel() string {
	if _, _, required := b.adapter(); required && !b.done[authoriseBank] {
		return "Continue to your bank"
	}
	return "Confirm"
}

func decimal(payment object) string {
	if !payment.Has("amount") {
		return ""
	}
	return money.Major(payment.Num("amount"))
}

// summary lists what was collected.
func (b *billing) summary() []page.Row {
	rows := []page.Row{}
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, page.Row{Name: name, Value: value})
		}
	}
	if b.payment != nil {
		add("Amount", b.price(b.payment.Num("amount")))
		add("For", b.payment.Str("description"))
	} else {
		add("For", b.mandate.Str("description"))
	}
	add("Name", cmp.Or(b.person.Str("company_name"), strings.TrimSpace(b.person.Str("given_name")+" "+b.person.Str("family_name"))))
	add("Email", b.person.Str("email"))
	var lines []string
	for _, f := range []string{"address_line1", "address_line2", "city", "region", "postal_code", "country_code"} {
		s := b.address.Str(f)
		if i := slices.IndexFunc(page.Countries, func(o page.Option) bool { return f == "country_code" && o.Value == s }); i >= 0 {
			s = page.Countries[i].Label
		}
		if s != "" {
			lines = append(lines, s)
		}
	}
	add("Address", strings.Join(lines, ", "))
	if in := institutionOf(b.institution); in != nil {
		add("Bank", in.name)
	}
	if b.account != nil {
		add("Account", b.account.Str("account_holder_name")+", ending "+b.account.Str("account_number_ending"))
	}
	return rows
}

// flowPost completes the step of a submitted form.
func (tx *tx) flowPost(b *billing, f *record, r *http.Request) *page.View {
	form := r.PostForm
	if form.Get("action") == "exit" {
		return tx.flowExit(b, f)
	}
	step := b.flowStepAt(f, form.Get("step"))
	if step != form.Get("step") {
		// The form of an earlier visit: show the current step.
		return page.SendTo(flowURL(f.ID))
	}
	p := &api.Problems{}
	to, err := tx.flowTake(b, f, step, form, p, remoteIP(r))
	if err == nil && len(p.Items) == 0 {
		return page.SendTo(to)
	}
	v := tx.flowForm(b, f, step, form, false)
	if err != nil {
		v.Refused(err)
	}
	if len(p.Items) > 0 {
		v.ShowErrors(p)
	}
	return v
}

// flowTake completes a step and returns the URL of the next page.
func (tx *tx) flowTake(b *billing, f *record, step string, form url.Values, p *api.Problems, ip string) (string, error) {
	var err error
	switch step {
	case "currency":
		err = b.chooseCurrency(p, object{{"currency", form.Get("currency")}})
		b.then(func() { billingAskedCurrency.Set(b.rec, true) })
	case "amount":
		minor, bad := parseDecimal(strings.TrimSpace(form.Get("amount")))
		if bad != nil {
			p.Add("amount", "must be a number such as 25.00")
			break
		}
		err = b.collectAmount(p, minor)
		b.then(func() { billingAskedAmount.Set(b.rec, true) })
	case "details":
		body := b.detailsFrom(form, ip)
		checkForm(p, "billing_requests.collect_customer_details", body)
		err = b.collectCustomerDetails(p, "", body)
	case "bank":
		in := institutionOf(form.Get("institution"))
		if in == nil || !b.canUse(in) {
			p.Add("institution", "must be chosen")
			break
		}
		err = b.selectInstitution(p, "", in.country, in.id)
	case "account":
		body := b.accountFrom(form)
		checkForm(p, "billing_requests.collect_bank_account", body)
		err = b.collectBankAccount(p, "", body)
	default:
		return tx.flowConfirm(b, f, form.Get("dual") != "")
	}
	if err != nil || len(p.Items) > 0 {
		return "", err
	}
	b.commit()
	return flowURL(f.ID), nil
}

// checkForm checks the values of a form as the operation checks its body.
func checkForm(p *api.Problems, op string, body object) {
	p.Items = append(p.Items, api.Op(op).Bodies[0].AllProblems(body)...)
}

// flowConfirm completes the payer's part: it asks the bank, or fulfils the request.
func (tx *tx) flowConfirm(b *billing, f *record, dual bool) (string, error) {
	if b.mandate != nil {
		if err := b.confirmPayerDetails(object{{"payer_requested_dual_signature", dual}}); err != nil {
			return "", err
		}
	}
	if _, _, required := b.adapter(); required && !b.done[authoriseBank] {
		if err := b.may(authoriseBank); err != nil {
			return "", err
		}
		b.commit()
		return b.authorisation(page.WithParams(tx.base+flowPath, "id", f.ID), f.ID).Str("url"), nil
	}
	if err := b.fulfil(); err != nil {
		return "", err
	}
	b.commit()
	return flowURL(f.ID), nil
}

// flowExit records that the payer leaves before the end.
func (tx *tx) flowExit(b *billing, f *record) *page.View {
	b.tell("flow_exited", member{"billing_request_flow", f.ID})
	if to := backTo(f, "exit_uri", "failure"); page.SafeRedirect(to) {
		return page.SendTo(to)
	}
	v := page.Message(http.StatusOK, "You left before the end", "Nothing was set up. You can return to this page until "+f.Str("expires_at")[:10]+".")
	v.Merchant, v.Theme, v.Lang = b.creditor.Str("name"), tx.themeOf(b.creditor.ID), f.Str("language")
	v.Links = []page.Link{{Label: "Continue", URL: template.URL(flowURL(f.ID))}}
	return v
}

// remoteIP returns the payer's IP address, which ACH mandates record.
func remoteIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || net.ParseIP(host) == nil {
		return "127.0.0.1"
	}
	return host
}

// bankPage shows the payer's bank.
func bankPage(tx *tx, r *http.Request) *page.View {
	a := tx.find("bank_authorisations", r.FormValue("id"))
	if a == nil {
		return page.Message(http.StatusNotFound, "Page not found", "The bank authorisation does not exist.")
	}
	b := tx.openBilling(tx.must("billing_requests", a.Link("billing_request")))
	name := "Your bank"
	if in := institutionOf(a.Link("institution")); in != nil {
		name = in.name
	}
	frame := func(v *page.View) *page.View {
		v.Merchant, v.Theme = name, page.Theme{Header: "#134e4a", Button: "#0f766e", Border: "#cfdedb", Link: "#0f766e"}
		return v
	}
	if a.Ref("decision") != "" || a.Str("expires_at") <= tx.timestamp() || b.finished() {
		return frame(page.Message(http.StatusGone, "This link has been used or has expired", "Start again from the page that sent you here."))
	}
	if r.Method != http.MethodHead {
		tx.visit(a)
	}
	v := frame(&page.View{
		Title: "Approve this at " + name, Intro: "This page simulates the payer's bank. Choose what the payer does.",
		Hidden: []page.Row{{Name: "id", Value: a.ID}}, Summary: b.bankSummary(),
		Buttons: []page.Button{
			{Name: "decision", Value: "authorised", Label: "Approve"},
			{Name: "decision", Value: "denied", Label: "Decline", Plain: true},
			{Name: "decision", Value: "failed", Label: "Fail (account does not match)", Plain: true},
		},
		Targets: []string{a.Str("redirect_uri")},
	})
	if id := a.Ref("flow"); id != "" {
		v.Targets = append(v.Targets, tx.must("billing_request_flows", id).Str("redirect_uri"))
	}
	if r.Method != http.MethodPost {
		return v
	}
	answer := r.PostForm.Get("decision")
	if !slices.Contains([]string{"authorised", "denied", "failed"}, answer) {
		v.Refused(api.TooEarly("Choose what the payer does"))
		return v
	}
	to, err := tx.decide(a, answer)
	if err != nil {
		v.Refused(err)
		return v
	}
	if !strings.HasPrefix(to, "/") && !page.SafeRedirect(to) {
		return frame(page.Message(http.StatusOK, "Thank you", "You can close this page."))
	}
	return page.SendTo(to)
}

func (b *billing) bankSummary() []page.Row {
	rows := []page.Row{{Name: "To", Value: b.creditor.Str("name")}}
	if b.instant() {
		rows = append(rows, page.Row{Name: "Amount", Value: b.price(b.payment.Num("amount"))}, page.Row{Name: "For", Value: b.payment.Str("description")})
	}
	if c := b.mandate.Obj("constraints"); c != nil {
		rows = append(rows, page.Row{Name: "At most per payment", Value: b.price(c.Num("max_amount_per_payment"))})
	}
	if b.account != nil {
		rows = append(rows, page.Row{Name: "From account ending", Value: b.account.Str("account_number_ending")})
	}
	return rows
}

// templatePage creates a request and a flow from a template, and redirects to the flow.
func templatePage(tx *tx, r *http.Request) *page.View {
	t := tx.find("billing_request_templates", r.FormValue("id"))
	switch {
	case t == nil:
		return page.Message(http.StatusNotFound, "Page not found", "The billing request template does not exist.")
	case r.Method != http.MethodGet:
		return page.Message(http.StatusOK, t.Str("name"), "")
	}
	f, err := tx.openTemplate(t)
	if err != nil {
		return page.Message(http.StatusUnprocessableEntity, "This link does not work", "The template describes a request that cannot be created.")
	}
	return page.SendTo(flowURL(f.ID))
}
