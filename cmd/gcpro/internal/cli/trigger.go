package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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
		Use: "trigger SCENARIO", Short: "Run a scenario simulator, on what it needs",
		Long: "Creates what a scenario simulator of the sandbox environment needs, a customer with a mandate and a payment for example, and runs it. " +
			"With the id of a resource of yours, it runs on that.\n\nIt works on GoCardless's sandbox and on the one of gcpro, and refuses live.",
		Example: "  gcpro trigger payment_failed\n  gcpro trigger payment_failed --payment PM123\n  gcpro trigger --list",
		Args:    args(cobra.MaximumNArgs(1)),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var out []cobra.Completion
			for _, s := range spec.Simulators {
				out = append(out, cobra.CompletionWithDesc(s.Name, s.Doc))
			}
			return out, cobra.ShellCompDirectiveNoFileComp
		},
	}
	c.Flags().BoolVar(&list, "list", false, "list the scenarios")
	for _, s := range spec.Simulators {
		if one := strings.TrimSuffix(s.Resource, "s"); existing[s.Resource] == nil {
			existing[s.Resource] = c.Flags().String(kebab(one), "", "`id` of a "+strings.ReplaceAll(one, "_", " ")+" to run it on")
		}
	}
	c.RunE = func(c *cobra.Command, names []string) error {
		if list {
			return a.listScenarios()
		}
		if len(names) == 0 {
			return usagef("needs a scenario; gcpro trigger --list lists them")
		}
		scenario := scenarioNamed(names[0])
		if scenario == nil {
			return usagef("there is no scenario %q; gcpro trigger --list lists them", render.Safe(names[0]))
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

func scenarioNamed(name string) *spec.Simulator {
	for i, s := range spec.Simulators {
		if s.Name == strings.ReplaceAll(name, "-", "_") {
			return &spec.Simulators[i]
		}
	}
	return nil
}

func (a *app) listScenarios() error {
	var rows []any
	for _, s := range spec.Simulators {
		rows = append(rows, map[string]any{"scenario": s.Name, "does": s.Doc, "needs": s.Requires})
	}
	look := a.look()
	look.Columns = []string{"scenario", "does", "needs"}
	return render.Table(a.out, rows, nil, look)
}

func (a *app) trigger(ctx context.Context, scenario *spec.Simulator, id string) error {
	ctx, cancel := a.context(ctx)
	defer cancel()
	t, client, err := a.connect()
	if err != nil {
		return err
	}
	if t.env == gocardless.EnvironmentLive {
		return refuse("scenario simulators exist in the sandbox environment only")
	}
	m := &maker{client: client, say: a.note}
	if id == "" {
		if id, err = m.make(ctx, scenario); err != nil {
			return fmt.Errorf("making what %s needs: %w", scenario.Name, err)
		}
	}
	if err := m.run(ctx, scenario.Name, id); err != nil {
		return err
	}
	a.note("ran %s on %s", scenario.Name, id)
	fmt.Fprintln(a.out, id)
	return nil
}

// maker creates what scenarios need, as a merchant would.
type maker struct {
	client *gocardless.Client
	say    func(format string, args ...any)
}

func (m *maker) run(ctx context.Context, scenario, id string) error {
	_, err := m.post(ctx, "scenario_simulators", "run", []string{scenario}, map[string]any{"links": map[string]any{"resource": id}})
	return err
}

// post calls an operation and returns the id of the result.
func (m *maker) post(ctx context.Context, resource, verb string, ids []string, body map[string]any) (string, error) {
	r, err := newRequest(spec.Find(resource, verb), ids, nil)
	if err != nil {
		return "", err
	}
	if r.body, err = encode(map[string]any{r.op.Request: body}); err != nil {
		return "", err
	}
	reply, err := r.send(ctx, m.client, &gocardless.Response{})
	if err != nil {
		return "", err
	}
	result, err := unwrap(r.op, reply)
	if err != nil {
		return "", err
	}
	var made struct {
		ID string `json:"id"`
	}
	err = json.Unmarshal(result, &made)
	if made.ID != "" && verb == "create" {
		m.say("created %s", made.ID)
	}
	return made.ID, err
}

// make returns the id of a new resource in the state that a scenario needs, or of an existing one
// where the API lets nobody create it.
func (m *maker) make(ctx context.Context, s *spec.Simulator) (string, error) {
	switch s.Resource {
	case "mandates":
		switch {
		case strings.Contains(s.Requires, "PayTo"):
			return "", refuse("a PayTo mandate, which only a payer can authorise; pass the id of one with --mandate")
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
	return "", refuse("gcpro cannot make %s: pass the id of one", strings.ReplaceAll(s.Resource, "_", " "))
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

// billingRequest makes one that only the payer's bank is missing for.
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

// unapproved makes a mandate whose account has a second holder, who has not signed yet.
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
	raw, _, err := fetch(ctx, m.client, id)
	if err != nil {
		return "", err
	}
	var request struct {
		Links struct {
			Mandate string `json:"mandate_request_mandate"`
		} `json:"links"`
	}
	err = json.Unmarshal(raw, &request)
	return request.Links.Mandate, err
}

// action is a step of a billing request.
type action struct {
	verb string
	body map[string]any
}

// act takes steps. One that this request does not ask for is not needed either.
func (m *maker) act(ctx context.Context, id string, steps []action) error {
	for _, step := range steps {
		_, err := m.post(ctx, "billing_requests", step.verb, []string{id}, step.body)
		if err != nil && !errors.Is(err, gocardless.ErrInvalidState) {
			return err
		}
	}
	return nil
}

// institution returns a bank to pay from: GoCardless's test bank, or else the first there is.
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
