package gocardlesstest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Billing request flows, which take a payer through a request on the sandbox's own pages, and
// templates, which create a request and a flow whenever their link is opened.

// flowLife is how long a flow can be used.
const flowLife = 7 * 24 * time.Hour

const (
	flowSessions store.Hidden[int64] = "sessions"
	flowVisited  store.Hidden[bool]  = "visited"
)

func flowFamily(r *registry) {
	r.collection(store.CollectionSpec{Name: "billing_request_flows", IDForm: store.IDLong, Indexed: []string{"billing_request"}})
	r.on("billing_request_flows.create", createFlow)
	r.on("billing_request_flows.initialise", initialiseFlow)

	r.collection(store.CollectionSpec{Name: "billing_request_templates"})
	r.on("billing_request_templates.create", createTemplate)
	r.on("billing_request_templates.update", updateTemplate)
}

func createFlow(tx *tx) (result, error) {
	request, err := tx.linked("billing_requests", "billing_request")
	if err != nil {
		return result{}, err
	}
	b := tx.openBilling(request)
	if b.finished() {
		return result{}, api.TooLate("The billing request is " + request.Status())
	}
	p := tx.problems()
	if v, given := tx.body.Lookup("auto_fulfil"); given && v == false {
		p.Add("auto_fulfil", "cannot be switched off")
	}
	if tx.body.Flag("lock_customer_details") && !b.completed(collectDetails) {
		p.Add("lock_customer_details", "needs a billing request whose customer details are complete")
	}
	if tx.body.Flag("lock_bank_account") && !b.completed(collectAccount) {
		p.Add("lock_bank_account", "needs a billing request with a bank account")
	}
	if v := tx.body.Str("language"); v != "" && !languageForm.MatchString(v) {
		p.Add("language", "must be an ISO 639-1 code")
	}
	checkRedirect(p, "redirect_uri", tx.body.Str("redirect_uri"))
	checkRedirect(p, "exit_uri", tx.body.Str("exit_uri"))
	if err := p.Err(); err != nil {
		return result{}, err
	}
	return one(tx.addFlow(b, tx.body)), nil
}

var languageForm = regexp.MustCompile(`^[a-z]{2}(-[A-Z]{2})?$`)

// addFlow stores a flow for a request.
func (tx *tx) addFlow(b *billing, body object) *record {
	f := tx.make("billing_request_flows")
	f.CopyFrom(api.Op("billing_request_flows.create").Bodies[0], body)
	for _, name := range []string{"lock_bank_account", "lock_currency", "lock_customer_details", "show_redirect_buttons", "show_success_redirect_button", "skip_success_screen", "customer_details_captured"} {
		f.Set(name, body.Flag(name))
	}
	f.Set("auto_fulfil", true)
	f.Set("authorisation_url", tx.payURL()+flowURL(f.ID))
	f.Set("expires_at", value.Stamp(tx.now.Add(flowLife)))
	f.Set("links", object{{"billing_request", b.rec.ID}})
	tx.add(f)
	b.tell("flow_created", member{"billing_request_flow", f.ID})
	return f
}

// initialiseFlow returns a session token. No other reply contains it.
func initialiseFlow(tx *tx) (result, error) {
	f := tx.target
	if f.Str("expires_at") <= tx.timestamp() {
		return result{}, api.TooLate("The billing request flow has expired")
	}
	n := flowSessions.Of(f) + 1
	flowSessions.Set(f, n)
	seed := store.HashText(f.ID)
	token := "SESS" + store.Base32(store.Mix(seed+uint64(n)), 12) + store.Base32(store.Mix(seed-uint64(n)), 12)
	return result{obj: f.Object().With("session_token", token)}, nil
}

func createTemplate(tx *tx) (result, error) {
	if err := tx.checkTemplate(tx.body); err != nil {
		return result{}, err
	}
	creditor, err := tx.creditor()
	if err != nil {
		return result{}, err
	}
	t := tx.make("billing_request_templates")
	t.CopyFrom(tx.op.Bodies[0], tx.body)
	t.Set("authorisation_url", tx.payURL()+templatePath+"?id="+t.ID)
	t.SetRef("creditor", creditor.ID)
	return one(tx.add(t)), nil
}

func updateTemplate(tx *tx) (result, error) {
	merged := tx.target.Object()
	for _, m := range tx.body {
		merged = merged.With(m.Key, m.Val)
	}
	if err := tx.checkTemplate(merged); err != nil {
		return result{}, err
	}
	tx.merge(tx.target)
	return one(tx.target), nil
}

// checkTemplate checks a template as if a request were created from it.
func (tx *tx) checkTemplate(o object) error {
	p := tx.problems()
	checkRedirect(p, "redirect_uri", o.Str("redirect_uri"))
	if v := o.Str("payment_request_amount"); v != "" {
		if _, err := parseDecimal(v); err != nil {
			p.Add("payment_request_amount", "must be an amount in the form 12.34")
		}
	}
	if err := p.Err(); err != nil {
		return err
	}
	inner := &api.Problems{Prefix: p.Prefix}
	b := &billing{tx: tx, done: map[string]bool{}}
	b.readRequests(inner, templateBody(o))
	for _, it := range inner.Items {
		// A template has the members of both parts in one object.
		for _, part := range []string{"mandate_request", "payment_request"} {
			if rest, ok := strings.CutPrefix(it.Pointer, p.Prefix+"/"+part+"/"); ok {
				it.Field = part + "_" + it.Field
				it.Pointer = p.Prefix + "/" + part + "_" + rest
			}
		}
		p.Items = append(p.Items, it)
	}
	return p.Err()
}

// templateBody returns the body of the request that a template describes.
func templateBody(o object) object {
	body := object{}
	part := func(name string, fields ...string) {
		v := object{}
		for _, f := range fields {
			if x := o.Get(name + "_" + f); x != nil && x != "" {
				v = append(v, member{f, x})
			}
		}
		if len(v) > 0 {
			body = append(body, member{name, v})
		}
	}
	if v := o.Str("payment_request_amount"); v != "" {
		minor, _ := parseDecimal(v)
		o = o.With("payment_request_amount", minor)
	}
	part("mandate_request", "constraints", "currency", "description", "metadata", "scheme", "verify")
	part("payment_request", "amount", "currency", "description", "metadata", "scheme")
	if m := o.Obj("metadata"); len(m) > 0 {
		body = append(body, member{"metadata", m})
	}
	return body
}

var decimalForm = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{1,2})?$`)

// parseDecimal converts an amount in whole units into minor units. All currencies of the API have two
// decimals.
func parseDecimal(s string) (int64, error) {
	if !decimalForm.MatchString(s) {
		return 0, fmt.Errorf("%q is not an amount", value.Short(s))
	}
	whole, cents, _ := strings.Cut(s, ".")
	return strconv.ParseInt(whole+(cents + "00")[:2], 10, 64)
}

// openTemplate creates a request and a flow for a payer who opened a template's link, and returns the
// flow.
func (tx *tx) openTemplate(t *record) (*record, error) {
	tx.body = templateBody(t.Object()).With("links", object{{"creditor", t.Ref("creditor")}})
	b, err := tx.newBilling(&api.Problems{Prefix: "/billing_requests"}, tx.body)
	if err != nil {
		return nil, err
	}
	b.create(tx.body)
	return tx.addFlow(b, object{{"redirect_uri", t.Get("redirect_uri")}}), nil
}
