package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/render"
	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/spec"
	"github.com/gocardless-community/gocardless-go/gocardless"
)

func (a *app) triggerCommand() *cobra.Command {
	var list bool
	existing := map[string]*string{}
	c := &cobra.Command{
		Use: "trigger SCENARIO|EVENT", Short: "Run a scenario simulator on a new or an existing resource",
		Long: "Runs a scenario simulator of the sandbox environment. First it creates the resources that the scenario needs, for example a customer with a mandate and a payment, unless you pass the id of an existing resource. " +
			"An event type, such as mandates.expired, selects a scenario that causes the event.\n\n" +
			"It works in GoCardless's sandbox environment and with gcpro sandbox. It refuses live.",
		Example: "  gcpro trigger payment_failed\n  gcpro trigger payment_failed --payment PM123\n  gcpro trigger mandates.expired\n  gcpro trigger --list",
		Args:    args(cobra.MaximumNArgs(1)), ValidArgsFunction: completeScenario,
	}
	c.Flags().BoolVar(&list, "list", false, "List the scenarios.")
	for _, s := range spec.Simulators {
		if one := strings.TrimSuffix(s.Resource, "s"); existing[s.Resource] == nil {
			existing[s.Resource] = c.Flags().String(kebab(one), "", "Run the scenario on the "+strings.ReplaceAll(one, "_", " ")+" with this `id`.")
		}
	}
	c.RunE = func(c *cobra.Command, names []string) error {
		switch {
		case list:
			return a.listScenarios(c.Context())
		case len(names) == 0:
			return usagef("the scenario is missing; gcpro trigger --list lists them")
		}
		scenario, err := scenarioNamed(names[0])
		if err != nil {
			return err
		}
		for resource, id := range existing {
			if *id != "" && resource != scenario.Resource {
				return usagef("%s runs on %s", scenario.Name, strings.ReplaceAll(scenario.Resource, "_", " "))
			}
		}
		return a.trigger(c.Context(), scenario, *existing[scenario.Resource])
	}
	return c
}

// completeScenario completes the argument of gcpro trigger.
func completeScenario(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var out []cobra.Completion
	for _, s := range spec.Simulators {
		out = append(out, cobra.CompletionWithDesc(s.Name, s.Doc))
	}
	for _, event := range slices.Sorted(maps.Keys(makerOf)) {
		out = append(out, cobra.CompletionWithDesc(event, "by "+makerOf[event]))
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// makerOf maps each event type to the simplest scenario that causes it, either itself or while
// trigger creates the resources that the scenario needs.
var makerOf = map[string]string{
	"billing_requests.bank_authorisation_authorised": "billing_request_fulfilled",
	"billing_requests.collect_bank_account":          "billing_request_fulfilled",
	"billing_requests.collect_customer_details":      "billing_request_fulfilled",
	"billing_requests.created":                       "billing_request_fulfilled",
	"billing_requests.flow_created":                  "mandate_suspended_by_payer",
	"billing_requests.flow_visited":                  "mandate_suspended_by_payer",
	"billing_requests.fulfilled":                     "billing_request_fulfilled",
	"billing_requests.payer_details_confirmed":       "mandate_customer_approval_granted",
	"billing_requests.select_institution":            "billing_request_fulfilled",
	"creditors.bounced_payout":                       "payout_bounced",
	"creditors.updated":                              "creditor_verification_status_in_review",
	"mandates.active":                                "mandate_activated",
	"mandates.consumed":                              "billing_request_fulfilled",
	"mandates.created":                               "mandate_activated",
	"mandates.customer_approval_granted":             "mandate_customer_approval_granted",
	"mandates.customer_approval_skipped":             "mandate_customer_approval_skipped",
	"mandates.expired":                               "mandate_expired",
	"mandates.failed":                                "mandate_failed",
	"mandates.resubmission_requested":                "mandate_transferred_with_resubmission",
	"mandates.submitted":                             "mandate_activated",
	"mandates.suspended_by_payer":                    "mandate_suspended_by_payer",
	"mandates.transferred":                           "mandate_transferred",
	"payments.chargeback_settled":                    "payment_chargeback_settled",
	"payments.charged_back":                          "payment_charged_back",
	"payments.confirmed":                             "payment_confirmed",
	"payments.created":                               "payment_submitted",
	"payments.failed":                                "payment_failed",
	"payments.late_failure_settled":                  "payment_late_failure_settled",
	"payments.paid_out":                              "payment_paid_out",
	"payments.submitted":                             "payment_submitted",
	"payouts.paid":                                   "payment_paid_out",
	"refunds.created":                                "refund_paid",
	"refunds.failed":                                 "refund_bounced",
	"refunds.funds_returned":                         "refund_returned",
	"refunds.paid":                                   "refund_paid",
	"refunds.refund_settled":                         "refund_settled",
}

// scenarioNamed finds a scenario by its name or by an event type.
func scenarioNamed(name string) (*spec.Simulator, error) {
	scenario := strings.ReplaceAll(name, "-", "_")
	if strings.Contains(name, ".") {
		if scenario = makerOf[name]; scenario == "" {
			return nil, usagef("no scenario causes the event %q; in a running gcpro sandbox, gcpro sandbox emit %[1]s creates it", render.Safe(name))
		}
	}
	for i, s := range spec.Simulators {
		if s.Name == scenario {
			return &spec.Simulators[i], nil
		}
	}
	return nil, usagef("there is no scenario %q; gcpro trigger --list lists them", render.Safe(name))
}

func (a *app) listScenarios(ctx context.Context) error {
	var rows []map[string]any
	for _, s := range spec.Simulators {
		rows = append(rows, map[string]any{"scenario": s.Name, "description": s.Doc, "needs": s.Requires})
	}
	return a.records(ctx, rows, "scenario", "description")
}

func (a *app) trigger(ctx context.Context, scenario *spec.Simulator, id string) error {
	ctx, cancel := a.context(ctx)
	defer cancel()
	t, client, err := a.connect()
	if err != nil {
		return err
	}
	if t.env == gocardless.EnvironmentLive {
		return refuse("scenario simulators exist only in the sandbox environment")
	}
	m := &maker{client: client, say: a.note}
	if t.local() {
		m.pay = func(ctx context.Context, flow string) error {
			return a.control(ctx, t, http.MethodPost, "flows/"+url.PathEscape(flow)+"/finish", nil, nil)
		}
	}
	if id == "" {
		if id, err = m.make(ctx, scenario); err != nil {
			return fmt.Errorf("creating what %s needs: %w", scenario.Name, err)
		}
	}
	if err := m.run(ctx, scenario.Name, id); err != nil {
		return err
	}
	a.note("ran %s on %s", scenario.Name, id)
	fmt.Fprintln(a.out, id)
	return nil
}

// maker creates the resources that scenarios need, with the calls that a merchant would make.
type maker struct {
	client *gocardless.Client
	say    func(format string, args ...any)
	pay    func(ctx context.Context, flow string) error // plays the payer; nil if the user has to
}

func (m *maker) run(ctx context.Context, scenario, id string) error {
	_, err := m.post(ctx, "scenario_simulators", "run", []string{scenario}, map[string]any{"links": map[string]any{"resource": id}})
	return err
}

// made has the members of a resource that the maker reads.
type made struct {
	ID               string `json:"id"`
	AuthorisationURL string `json:"authorisation_url"`
	Links            struct {
		Mandate string `json:"mandate_request_mandate"`
	} `json:"links"`
}

// post calls an operation and returns the id of the result.
func (m *maker) post(ctx context.Context, resource, verb string, ids []string, body map[string]any) (string, error) {
	result, err := m.call(ctx, resource, verb, ids, body)
	return result.ID, err
}

func (m *maker) call(ctx context.Context, resource, verb string, ids []string, body map[string]any) (result made, err error) {
	r, err := newRequest(spec.Find(resource, verb), ids, nil)
	if err != nil {
		return result, err
	}
	if body != nil {
		if r.body, err = encode(map[string]any{r.op.Request: body}); err != nil {
			return result, err
		}
	}
	reply, err := r.send(ctx, m.client, &gocardless.Response{})
	if err != nil {
		return result, err
	}
	raw, err := unwrap(r.op, reply)
	if err != nil {
		return result, err
	}
	err = json.Unmarshal(raw, &result)
	if result.ID != "" && verb == "create" {
		m.say("created %s", result.ID)
	}
	return result, err
}

// make returns the id of a new resource in the state that a scenario needs, or of an existing one
// where merchants cannot create it.
func (m *maker) make(ctx context.Context, s *spec.Simulator) (string, error) {
	switch s.Resource {
	case "mandates":
		switch {
		case strings.Contains(s.Requires, "PayTo"):
			return m.payTo(ctx)
		case strings.Contains(s.Requires, "pending_customer_approval"):
			return m.unapproved(ctx)
		}
		return m.mandate(ctx, false)
	case "payments":
		return m.payment(ctx)
	case "refunds":
		payment, err := m.paidOut(ctx)
		if err != nil {
			return "", err
		}
		return m.post(ctx, "refunds", "create", nil, map[string]any{"amount": 500, "total_amount_confirmation": 500, "links": map[string]any{"payment": payment}})
	case "payouts":
		if _, err := m.paidOut(ctx); err != nil {
			return "", err
		}
		return m.newest(ctx, "payouts", "status=paid")
	case "creditors":
		return m.newest(ctx, "creditors", "")
	case "billing_requests":
		return m.billingRequest(ctx)
	}
	return "", refuse("gcpro cannot create %s: pass the id of one", strings.ReplaceAll(s.Resource, "_", " "))
}

func (m *maker) mandate(ctx context.Context, active bool) (string, error) {
	customer, err := m.post(ctx, "customers", "create", nil, merge(person, address))
	if err != nil {
		return "", err
	}
	account, err := m.post(ctx, "customer_bank_accounts", "create", nil, merge(bankAccount, map[string]any{"links": map[string]any{"customer": customer}}))
	if err != nil {
		return "", err
	}
	id, err := m.post(ctx, "mandates", "create", nil, map[string]any{"scheme": "bacs", "links": map[string]any{"customer_bank_account": account}})
	if err != nil || !active {
		return id, err
	}
	return id, m.run(ctx, "mandate_activated", id)
}

// The test payer.
var (
	person      = map[string]any{"given_name": "Ada", "family_name": "Lovelace", "email": "ada@example.com"}
	address     = map[string]any{"address_line1": "1 Test Street", "city": "London", "postal_code": "E1 1AA", "country_code": "GB"}
	bankAccount = map[string]any{"account_holder_name": "Ada Lovelace", "country_code": "GB", "branch_code": "200000", "account_number": "55779911"}
)

func merge(objects ...map[string]any) map[string]any {
	out := map[string]any{}
	for _, o := range objects {
		maps.Copy(out, o)
	}
	return out
}

func (m *maker) payment(ctx context.Context) (string, error) {
	mandate, err := m.mandate(ctx, true)
	if err != nil {
		return "", err
	}
	return m.post(ctx, "payments", "create", nil, map[string]any{"amount": 1500, "currency": "GBP", "description": "gcpro trigger", "links": map[string]any{"mandate": mandate}})
}

func (m *maker) paidOut(ctx context.Context) (string, error) {
	payment, err := m.payment(ctx)
	if err != nil {
		return "", err
	}
	return payment, m.run(ctx, "payment_paid_out", payment)
}

func (m *maker) newest(ctx context.Context, resource, filter string) (string, error) {
	var raw json.RawMessage
	if err := m.client.Do(ctx, "GET", "/"+resource+"?"+filter+"&limit=1", nil, &raw); err != nil {
		return "", err
	}
	var reply map[string]json.RawMessage
	var items []struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(raw, &reply); err != nil {
		return "", err
	}
	if err := json.Unmarshal(reply[resource], &items); err != nil || len(items) == 0 {
		return "", refuse("there are no %s yet", resource)
	}
	return items[0].ID, nil
}

// billingRequest creates a billing request that waits only for the payer's bank.
func (m *maker) billingRequest(ctx context.Context) (string, error) {
	id, err := m.post(ctx, "billing_requests", "create", nil, map[string]any{"payment_request": map[string]any{"amount": 1500, "currency": "GBP", "description": "gcpro trigger"}})
	if err != nil {
		return "", err
	}
	bank, err := m.institution(ctx)
	if err != nil {
		return "", err
	}
	return id, m.act(ctx, id, []action{
		{"collect_customer_details", map[string]any{"customer": person, "customer_billing_detail": address}},
		{"select_institution", map[string]any{"country_code": "GB", "institution": bank}},
		{"collect_bank_account", bankAccount},
		{"confirm_payer_details", map[string]any{}},
	})
}

// unapproved creates a mandate whose account has a second holder, who has not signed yet.
func (m *maker) unapproved(ctx context.Context) (string, error) {
	id, err := m.post(ctx, "billing_requests", "create", nil, map[string]any{"mandate_request": map[string]any{"scheme": "bacs", "currency": "GBP"}})
	if err != nil {
		return "", err
	}
	err = m.act(ctx, id, []action{
		{"collect_customer_details", map[string]any{"customer": person, "customer_billing_detail": address}},
		{"collect_bank_account", bankAccount},
		{"confirm_payer_details", map[string]any{"payer_requested_dual_signature": true}},
		{"fulfil", map[string]any{}},
	})
	if err != nil {
		return "", err
	}
	request, err := m.call(ctx, "billing_requests", "get", []string{id}, nil)
	return request.Links.Mandate, err
}

// payTo creates a PayTo mandate, which the payer authorises on a hosted page. In GoCardless's
// sandbox environment, the user has to do that.
func (m *maker) payTo(ctx context.Context) (string, error) {
	id, err := m.post(ctx, "billing_requests", "create", nil, map[string]any{"mandate_request": map[string]any{
		"scheme": "pay_to", "currency": "AUD", "constraints": map[string]any{"max_amount_per_payment": 10000},
	}})
	if err != nil {
		return "", err
	}
	flow, err := m.call(ctx, "billing_request_flows", "create", nil, map[string]any{
		"redirect_uri": "https://example.com/", "links": map[string]any{"billing_request": id},
	})
	if err != nil {
		return "", err
	}
	if m.pay != nil {
		err = m.pay(ctx, flow.ID)
	} else {
		m.say("waiting until you authorise the mandate at %s", flow.AuthorisationURL)
	}
	for err == nil {
		request, getErr := m.call(ctx, "billing_requests", "get", []string{id}, nil)
		if getErr != nil || request.Links.Mandate != "" {
			return request.Links.Mandate, getErr
		}
		err = sleep(ctx, followEvery)
	}
	return "", err
}

// action is a step of a billing request.
type action struct {
	verb string
	body map[string]any
}

// act carries out steps. It skips those that the billing request does not need.
func (m *maker) act(ctx context.Context, id string, steps []action) error {
	for _, step := range steps {
		_, err := m.post(ctx, "billing_requests", step.verb, []string{id}, step.body)
		if err != nil && !errors.Is(err, gocardless.ErrInvalidState) {
			return err
		}
	}
	return nil
}

// institution returns a bank to pay from: the test bank or else the first in the list.
func (m *maker) institution(ctx context.Context) (string, error) {
	var reply struct {
		Institutions []struct {
			ID string `json:"id"`
		} `json:"institutions"`
	}
	var raw json.RawMessage
	if err := m.client.Do(ctx, "GET", "/institutions?country_code=GB", nil, &raw); err != nil {
		return "", err
	}
	if err := json.Unmarshal(raw, &reply); err != nil {
		return "", err
	}
	for _, i := range reply.Institutions {
		if i.ID == testBank {
			return i.ID, nil
		}
	}
	if len(reply.Institutions) == 0 {
		return testBank, nil
	}
	return reply.Institutions[0].ID, nil
}

const testBank = "read_refund_account_sandbox_bank"
