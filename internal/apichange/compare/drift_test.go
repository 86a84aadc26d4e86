package compare

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

const schemaDir = "../../../schema"

// snapshots lists the vendored documents, the oldest first.
func snapshots(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(schemaDir + "/history/*.json")
	if err != nil || len(files) < 7 {
		t.Fatalf("history: %v, %v", files, err)
	}
	slices.Sort(files)
	return append(files, schemaDir+"/gocardless.json")
}

func read(t testing.TB, file string) Side {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi.Parse(data)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return Side{Doc: doc}
}

func compare(t testing.TB, old, revised Side) *Report {
	t.Helper()
	r, err := Compare(old, revised)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// fixed returns the description of 2026-08-13, which moves to the history when there is a later one.
var fixed = sync.OnceValue(func() *jsontree.Value {
	for _, file := range []string{schemaDir + "/history/2026-08-13.json", schemaDir + "/gocardless.json"} {
		data, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			panic(err)
		}
		root, err := jsontree.Parse(data)
		if err != nil {
			panic(err)
		}
		return root
	}
	panic("no description")
})

// history holds the expected reports on the steps of the API's history: all breaking changes, and some of the
// others.
var history = map[string]struct {
	breaking []string // exactly these
	others   []string // these among the rest, with their class
}{
	"2025-05-21": {breaking: []string{
		"BillingRequestCreateWithActionsParams.SubscriptionRequest (`subscription_request`) was removed. [client.BillingRequests.CreateWithActions]",
	}},
	"2025-06-11": {
		breaking: []string{
			"BillingRequestCreateParamsMandateRequest.Constraints (`constraints`) is now required when Scheme is SchemePayTo (`scheme` = `pay_to`). [client.BillingRequests.Create]",
			"BillingRequestCreateParamsMandateRequest.Constraints.MaxAmountPerPayment (`constraints.max_amount_per_payment`) is now required when Scheme is SchemePayTo (`scheme` = `pay_to`). [client.BillingRequests.Create]",
			"BillingRequestCreateWithActionsParamsMandateRequest.Constraints (`constraints`) is now required when Scheme is SchemePayTo (`scheme` = `pay_to`). [client.BillingRequests.CreateWithActions]",
			"BillingRequestCreateWithActionsParamsMandateRequest.Constraints.MaxAmountPerPayment (`constraints.max_amount_per_payment`) is now required when Scheme is SchemePayTo (`scheme` = `pay_to`). [client.BillingRequests.CreateWithActions]",
		},
		others: []string{"addition: BillingRequestTemplateCreateParams.MandateRequestConstraints (`mandate_request_constraints`) was added."},
	},
	"2025-06-23": {breaking: []string{
		"client.NegativeBalanceLimits.Create was removed (POST /negative_balance_limits). [client.NegativeBalanceLimits.Create]",
	}},
	"2025-11-20": {
		breaking: []string{"MandateConsentParameters.Periods (`periods`) was removed. [client.Mandates.Cancel client.Mandates.Create client.Mandates.Get client.Mandates.List client.Mandates.Reinstate client.Mandates.Update]"},
		others: []string{
			"addition: client.PaymentAccountTransactions.List was added (GET /payment_accounts/{identity}/transactions).",
			"addition: EventResourceType has a new value EventResourceTypeCustomers (`customers`).",
			"addition: Payment.Scheme (`scheme`) was added.",
			"addition: PaymentListParams.Scheme (`scheme`) was added.",
			"addition: The reply of client.Events.List has a new member `linked`.",
		},
	},
	"2026-03-04": {
		breaking: []string{"OutboundPaymentCreateParamsLinks.App (`app`) was removed. [client.OutboundPayments.Create]"},
		others: []string{
			"addition: client.PaymentAccounts.List was added (GET /payment_accounts).",
			"documentation: BillingRequestTemplate.PaymentRequestMetadata (`payment_request_metadata`) is described as a map of string instead of a map of anything; its type in the SDK stays Metadata.",
		},
	},
	"2026-06-17": {
		breaking: []string{
			"The value BankAuthorisationAdapterPlaidAis (`plaid_ais`) was removed from BankAuthorisationAdapter. *",
			"MandateListParams.MandateType (`mandate_type`) changed type from string to MandateType. [client.Mandates.List]",
		},
		others: []string{
			"behaviour: BillingRequest.PaymentRequest (`payment_request`) can now be null.",
			"addition: client.OutboundPaymentImports.Create was added (POST /outbound_payment_imports).",
		},
	},
}

func TestHistory(t *testing.T) {
	if testing.Short() {
		t.Skip("compares all snapshots")
	}
	files := snapshots(t)
	for i := 1; i < len(files); i++ {
		r := compare(t, read(t, files[i-1]), read(t, files[i]))
		want, ok := history[r.New]
		// Every step up to this one breaks something.
		if r.New <= "2026-08-13" && r.Bump != Major {
			t.Errorf("%s: bump %s, want major", r.New, r.Bump)
		}
		for _, c := range r.Changes {
			if strings.HasPrefix(c.Code, "oasdiff:") {
				t.Errorf("%s: only oasdiff saw: %s", r.New, c.Text)
			}
			if c.Class == Breaking && c.Advice == "" {
				t.Errorf("%s: no advice for: %s", r.New, c.Text)
			}
		}
		if !ok {
			continue // the document became complete on 2026-08-13; later steps are not in the table
		}
		var breaking []string
		for _, c := range r.Of(Breaking) {
			breaking = append(breaking, c.Text+" ["+strings.Join(c.Operations, " ")+"]")
		}
		if len(breaking) != len(want.breaking) {
			t.Errorf("%s: %d breaking changes, want %d:\n%s", r.New, len(breaking), len(want.breaking), strings.Join(breaking, "\n"))
		}
		for _, w := range want.breaking {
			prefix, open := strings.CutSuffix(w, "*")
			if !slices.ContainsFunc(breaking, func(b string) bool { return b == w || open && strings.HasPrefix(b, prefix) }) {
				t.Errorf("%s: missing among the breaking changes: %s\nhave:\n%s", r.New, w, strings.Join(breaking, "\n"))
			}
		}
		for _, w := range want.others {
			if !slices.ContainsFunc(r.Changes, func(c Change) bool { return c.Class.String()+": "+c.Text == w }) {
				t.Errorf("%s: missing: %s", r.New, w)
			}
		}
	}
}

// Three breaking changes of the history are found by oasdiff on its own as well, at any level.
func TestOasdiffConfirmsHistory(t *testing.T) {
	files := snapshots(t)
	for i, text := range map[int]string{1: "SubscriptionRequest", 2: "Constraints.MaxAmountPerPayment", 3: "NegativeBalanceLimits.Create"} {
		r := compare(t, read(t, files[i-1]), read(t, files[i]))
		for _, c := range r.Of(Breaking) {
			if strings.Contains(c.Text, text) && len(c.Rules) == 0 {
				t.Errorf("%s: no rule of oasdiff confirms: %s", r.New, c.Text)
			}
		}
	}
}

func TestSameDocument(t *testing.T) {
	side := read(t, schemaDir+"/gocardless.json")
	r := compare(t, side, read(t, schemaDir+"/gocardless.json"))
	if len(r.Changes) != 0 || r.Bump != None || r.Worst() != 0 {
		t.Errorf("a document differs from itself: %+v", r.Changes)
	}
	var b bytes.Buffer
	if err := r.Render(&b, "text"); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(b.String(), "\nbump: none\n") {
		t.Errorf("got %q", b.String())
	}
}

func TestRender(t *testing.T) {
	files := snapshots(t)
	r := compare(t, read(t, files[2]), read(t, files[3]))
	r.SetGo(&GoDiff{Incompatible: []string{"NegativeBalanceLimitCreateParams: removed"}})
	for format, parts := range map[string][]string{
		"text":     {"BREAKING", "client.NegativeBalanceLimits\n", "client.NegativeBalanceLimits.Create was removed", "→ Remove the calls", "incompatible: NegativeBalanceLimitCreateParams: removed", "\nbump: major\n"},
		"markdown": {"## Breaking", "### `client.NegativeBalanceLimits`", "```go\n  client.NegativeBalanceLimits.Create(ctx, gocardless.NegativeBalanceLimitCreateParams{ /* … */ }) // before", "\nbump: major\n"},
	} {
		var b bytes.Buffer
		if err := r.Render(&b, format); err != nil {
			t.Fatal(err)
		}
		for _, part := range parts {
			if !strings.Contains(b.String(), part) {
				t.Errorf("%s has no %q:\n%s", format, part, b.String())
			}
		}
		if !strings.HasSuffix(b.String(), "\nbump: major\n") {
			t.Errorf("%s: the bump is not the last line", format)
		}
	}
	var b bytes.Buffer
	if err := r.Render(&b, "json"); err != nil {
		t.Fatal(err)
	}
	var back struct {
		Old, New, Bump string
		Changes        []struct {
			Class, Code, Resource, Text, Advice, Before string
			Operations                                  []string
		}
	}
	if err := json.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if back.Bump != "major" || back.Old != "2025-06-11" || back.New != "2025-06-23" || len(back.Changes) != 1 ||
		back.Changes[0].Class != "breaking" || back.Changes[0].Code != "operation-removed" || back.Changes[0].Resource != "negative_balance_limits" {
		t.Errorf("got %+v", back)
	}
	if err := r.Render(&b, "html"); err == nil {
		t.Error("an unknown format is accepted")
	}
}

func TestBumpIsTheLargerOfTheTwo(t *testing.T) {
	r := &Report{Bump: Patch}
	r.SetGo(&GoDiff{Compatible: []string{"X: added"}})
	if r.Bump != Minor {
		t.Errorf("got %s, want minor", r.Bump)
	}
	r.SetGo(&GoDiff{Incompatible: []string{"X: removed"}})
	if r.Bump != Major || r.Worst() != Breaking {
		t.Errorf("got %s and %s, want major and breaking", r.Bump, r.Worst())
	}
	r.SetGo(&GoDiff{})
	if r.Bump != Major {
		t.Errorf("a bump went down to %s", r.Bump)
	}
}
