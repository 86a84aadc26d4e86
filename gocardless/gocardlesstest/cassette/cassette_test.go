package cassette_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/cassette"
)

const today = "2026-03-02T09:00:00Z"

func newSandbox(t *testing.T, seed uint64) *gocardlesstest.Sandbox {
	t.Helper()
	at, err := time.Parse(time.RFC3339, today)
	if err != nil {
		t.Fatal(err)
	}
	return gocardlesstest.New(gocardlesstest.WithFrozenClock(at), gocardlesstest.WithSeed(seed))
}

// Personal data of the program below, which must not reach a cassette.
var private = []string{"Marjorie", "Featherstone", "marjorie@private.example", "14 Acacia Avenue", "Leighton", "LU7 1AB", "44772211", "very-secret-token", "private.example"}

// program is an example of what a user records: creates, reads, lists, and three kinds of errors.
func program(ctx context.Context, client *gocardless.Client) error {
	customer, err := client.Customers.Create(ctx, gocardless.CustomerCreateParams{
		GivenName: new("Marjorie"), FamilyName: new("Featherstone"), Email: new("marjorie@private.example"),
		AddressLine1: new("14 Acacia Avenue"), City: new("Leighton"), PostalCode: new("LU7 1AB"), CountryCode: new("GB"),
		Metadata: gocardless.Metadata{"note": "Marjorie pays for the club"},
	})
	if err != nil {
		return err
	}
	account, err := client.CustomerBankAccounts.Create(ctx, gocardless.CustomerBankAccountCreateParams{
		AccountHolderName: new("Marjorie Featherstone"), BranchCode: new("200000"), AccountNumber: new("44772211"), CountryCode: new("GB"),
		Links: gocardless.CustomerBankAccountCreateParamsLinks{Customer: customer.ID},
	})
	if err != nil {
		return err
	}
	mandate, err := client.Mandates.Create(ctx, gocardless.MandateCreateParams{
		Scheme: new(gocardless.SchemeBacs), Links: gocardless.MandateCreateParamsLinks{CustomerBankAccount: account.ID},
	})
	if err != nil {
		return err
	}
	params := gocardless.PaymentCreateParams{Amount: 1500, Currency: gocardless.CurrencyGBP, Links: gocardless.PaymentCreateParamsLinks{Mandate: mandate.ID}}
	for _, key := range []string{"first", "second", "third"} {
		if _, err = client.Payments.Create(ctx, params, gocardless.WithIdempotencyKey(key)); err != nil {
			return err
		}
	}
	page, err := client.Payments.List(ctx, gocardless.PaymentListParams{Mandate: mandate.ID, Limit: 2})
	if err != nil {
		return err
	}
	if page, err = page.Next(ctx); err != nil || len(page.Items) != 1 {
		return errors.Join(errors.New("the second page must have one payment"), err)
	}
	if _, err = client.Payments.Cancel(ctx, page.Items[0].ID, gocardless.PaymentCancelParams{}); err != nil {
		return err
	}
	// A state error, a validation error and an unknown resource.
	if _, err = client.Payments.Cancel(ctx, page.Items[0].ID, gocardless.PaymentCancelParams{}); !errors.Is(err, gocardless.ErrInvalidState) {
		return errors.Join(errors.New("cancelling twice must be an invalid state"), err)
	}
	params.Amount = -1
	if _, err = client.Payments.Create(ctx, params, gocardless.WithoutValidation()); !errors.Is(err, gocardless.ErrValidation) {
		return errors.Join(errors.New("a negative amount must be invalid"), err)
	}
	if _, err = client.Payments.Get(ctx, "PM00000UNKNOWN"); !errors.Is(err, gocardless.ErrNotFound) {
		return errors.Join(errors.New("an unknown payment must not be found"), err)
	}
	return nil
}

// record runs the program against a sandbox through a recorder.
func record(t *testing.T) (dir string) {
	t.Helper()
	api := httptest.NewServer(newSandbox(t, 1))
	t.Cleanup(api.Close)
	dir = filepath.Join(t.TempDir(), "cassette")
	recorder, err := cassette.NewRecorder(api.URL, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(recorder)
	t.Cleanup(proxy.Close)
	client, err := gocardless.New("very-secret-token", gocardless.EnvironmentSandbox, gocardless.WithBaseURL(proxy.URL))
	if err != nil {
		t.Fatal(err)
	}
	if err := program(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	if recorder.Err() != nil || recorder.Count() != 12 {
		t.Fatalf("%d exchanges, %v", recorder.Count(), recorder.Err())
	}
	return dir
}

func read(t *testing.T, dir string) []cassette.Exchange {
	t.Helper()
	exchanges, err := cassette.Read(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	return exchanges
}

func TestRecorderHidesPersonalData(t *testing.T) {
	dir := record(t)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 12 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range private {
			if bytes.Contains(bytes.ToLower(raw), []byte(strings.ToLower(word))) {
				t.Errorf("%s contains %q:\n%s", filepath.Base(file), word, raw)
			}
		}
	}
	// Equal values are still equal, and values that the API derives still match.
	var request, reply struct {
		Account struct {
			AccountHolderName string `json:"account_holder_name"`
			AccountNumber     string `json:"account_number"`
			Ending            string `json:"account_number_ending"`
		} `json:"customer_bank_accounts"`
	}
	x := read(t, dir)[1]
	if err := errors.Join(json.Unmarshal(x.Request.Body, &request), json.Unmarshal(x.Reply.Body, &reply)); err != nil {
		t.Fatal(err)
	}
	if request.Account.AccountHolderName == "" || !strings.EqualFold(request.Account.AccountHolderName, reply.Account.AccountHolderName) {
		t.Errorf("holder %q became %q", request.Account.AccountHolderName, reply.Account.AccountHolderName)
	}
	if number := request.Account.AccountNumber; len(number) != 8 || !strings.HasSuffix(number, reply.Account.Ending) {
		t.Errorf("account number %q, ending %q", number, reply.Account.Ending)
	}
}

func TestRecorderRefuses(t *testing.T) {
	used := record(t)
	for _, test := range []struct{ target, dir, want string }{
		{"https://api.gocardless.com", t.TempDir(), "live API"},
		{"https://API.GoCardless.com.:443/", t.TempDir(), "live API"},
		{"api-sandbox.gocardless.com", t.TempDir(), "absolute URL"},
		{"https://api-sandbox.gocardless.com", used, "empty directory"},
	} {
		if _, err := cassette.NewRecorder(test.target, test.dir, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want an error with %q", test.target, err, test.want)
		}
	}
}

func TestRecorderWithoutTarget(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cassette")
	recorder, err := cassette.NewRecorder("http://127.0.0.1:9", dir, roundTripper(func(*http.Request) (*http.Response, error) {
		return nil, errors.New("refused, with very-secret-token")
	}))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	recorder.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/payments", nil))
	if w.Code != http.StatusBadGateway || strings.Contains(w.Body.String(), "secret") || recorder.Count() != 0 {
		t.Errorf("%d %s, %d exchanges", w.Code, w.Body, recorder.Count())
	}
}

// The live API that the recorder refuses is the one that the SDK calls.
func TestRecorderRefusesTheLiveAPI(t *testing.T) {
	refused := errors.New("refused")
	live, err := gocardless.New("token", gocardless.EnvironmentLive, gocardless.WithHTTPClient(&http.Client{
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			_, err := cassette.NewRecorder(r.URL.String(), t.TempDir(), nil)
			if err == nil || !strings.Contains(err.Error(), "live API") {
				t.Errorf("%s: %v", r.URL, err)
			}
			return nil, refused
		}),
	}), gocardless.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := live.Payments.Get(t.Context(), "PM1"); !errors.Is(err, refused) {
		t.Error(err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// The same API with other ids has no differences.
func TestVerifyFindsNothing(t *testing.T) {
	exchanges := read(t, record(t))
	report, err := cassette.Verify(t.Context(), exchanges, cassette.VerifyOptions{BaseURL: "https://sandbox.example", Transport: newSandbox(t, 2).Transport()})
	if err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	if err := report.WriteTable(&table); err != nil || !report.OK() || report.Exchanges != 12 {
		t.Errorf("%v\n%s", err, &table)
	}
}

// planted are changes of replies. Verify must find each of them, and nothing else.
var planted = []struct {
	name, operation string
	change          func(r *http.Response, body string) string
	path            string
	kind            cassette.Kind
}{
	{"status", "GET /payments/PM00000UNKNOWN", func(r *http.Response, b string) string { r.StatusCode = 410; return b }, "", cassette.Status},
	{"error type", "/actions/cancel again", replace(`"type":"invalid_state"`, `"type":"invalid_api_usage"`), "/error/type", cassette.Value},
	{"reason", "/actions/cancel again", replace(`"reason":"cancellation_failed"`, `"reason":"retry_failed"`), "/error/errors/0/reason", cassette.Value},
	{"pointer", "POST /payments again", replace(`"/payments/amount"`, `"/payments/charge_date"`), "/error/errors/0/request_pointer", cassette.Value},
	{"member away", "POST /mandates", replace(`"reference":`, `"reference_away":`), "/mandates/reference", cassette.Missing},
	{"member new", "POST /mandates", replace(`"reference":`, `"surprise":1,"reference":`), "/mandates/surprise", cassette.Extra},
	{"type", "POST /customer_bank_accounts", replace(`"enabled":true`, `"enabled":"true"`), "/customer_bank_accounts/enabled", cassette.Type},
	{"date with time", "POST /mandates", replace(`"next_possible_charge_date":"2026-`, `"next_possible_charge_date":"T2026-`), "/mandates/next_possible_charge_date", cassette.Type},
	{"null", "POST /customers", replace(`"company_name":null`, `"company_name":""`), "/customers/company_name", cassette.Null},
	{"header away", "POST /customers", func(r *http.Response, b string) string { r.Header.Del("Location"); return b }, "Location", cassette.Missing},
	{"header new", "POST /customers", func(r *http.Response, b string) string { r.Header.Set("Retry-After", "1"); return b }, "Retry-After", cassette.Extra},
	{"media type", "POST /customers", func(r *http.Response, b string) string { r.Header.Set("Content-Type", "text/html"); return b }, "Content-Type", cassette.Value},
	{"order", "GET /payments", swapFirstTwo, "/payments", cassette.Order},
	{"item away", "GET /payments", dropFirst, "/payments/0", cassette.Missing},
	{"not JSON", "POST /customers", func(*http.Response, string) string { return "<html>" }, "", cassette.Body},
}

func replace(old, by string) func(*http.Response, string) string {
	return func(_ *http.Response, body string) string { return strings.Replace(body, old, by, 1) }
}

type paymentList struct {
	Payments []json.RawMessage `json:"payments"`
	Meta     json.RawMessage   `json:"meta"`
}

func changeList(body string, change func(*paymentList)) string {
	var l paymentList
	if err := json.Unmarshal([]byte(body), &l); err != nil || len(l.Payments) < 2 {
		return body
	}
	change(&l)
	raw, _ := json.Marshal(l)
	return string(raw)
}

func swapFirstTwo(_ *http.Response, body string) string {
	return changeList(body, func(l *paymentList) { l.Payments[0], l.Payments[1] = l.Payments[1], l.Payments[0] })
}

func dropFirst(_ *http.Response, body string) string {
	return changeList(body, func(l *paymentList) { l.Payments = l.Payments[1:] })
}

// plant changes the replies to an operation. "again" after it selects the errors among them: the second
// cancel, the fourth create.
func plant(sandbox http.RoundTripper, operation string, change func(*http.Response, string) string) http.RoundTripper {
	path, again := strings.CutSuffix(operation, " again")
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		reply, err := sandbox.RoundTrip(r)
		if err != nil || !strings.HasSuffix(r.Method+" "+r.URL.Path, path) || again && reply.StatusCode < 400 {
			return reply, err
		}
		raw, err := io.ReadAll(reply.Body)
		reply.Body = io.NopCloser(strings.NewReader(change(reply, string(raw))))
		return reply, err
	})
}

func TestVerifyFindsPlantedDifferences(t *testing.T) {
	exchanges := read(t, record(t))
	for _, test := range planted {
		t.Run(test.name, func(t *testing.T) {
			changed := 0
			transport := plant(newSandbox(t, 3).Transport(), test.operation, func(r *http.Response, body string) string {
				changed++
				return test.change(r, body)
			})
			report, err := cassette.Verify(t.Context(), exchanges, cassette.VerifyOptions{BaseURL: "https://sandbox.example", Transport: transport})
			if err != nil {
				t.Fatal(err)
			}
			found := slices.ContainsFunc(report.Differences, func(d cassette.Difference) bool { return d.Path == test.path && d.Kind == test.kind })
			if changed == 0 || !found {
				t.Errorf("%d replies changed, found %v", changed, report.Differences)
			}
			for _, d := range report.Differences {
				if !strings.HasPrefix(d.Path, test.path) && d.Kind != cassette.Extra && d.Kind != cassette.Unmapped {
					t.Errorf("also found %v", d)
				}
			}
		})
	}
}

func TestVerifyUnmapped(t *testing.T) {
	exchanges := read(t, record(t))[5:] // without the creates
	report, err := cassette.Verify(t.Context(), exchanges, cassette.VerifyOptions{BaseURL: "https://sandbox.example", Transport: newSandbox(t, 2).Transport()})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(report.Differences, func(d cassette.Difference) bool { return d.Kind == cassette.Unmapped }) {
		t.Errorf("%v", report.Differences)
	}
}

func TestKnownDifferences(t *testing.T) {
	exchanges := read(t, record(t))
	sandbox := newSandbox(t, 2).Transport()
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		reply, err := sandbox.RoundTrip(r)
		if err == nil {
			reply.Header.Del("ETag")
			reply.Header.Set("Retry-After", "1")
		}
		return reply, err
	})
	known, err := cassette.ReadKnown(strings.NewReader(`[
		{"path": "Retry-After", "kind": "extra", "reason": "a proxy adds it"},
		{"operation": "GET /creditors", "path": "/creditors", "reason": "long gone"}]`))
	if err != nil {
		t.Fatal(err)
	}
	report, err := cassette.Verify(t.Context(), exchanges, cassette.VerifyOptions{BaseURL: "https://sandbox.example", Transport: transport, Known: known})
	if err != nil {
		t.Fatal(err)
	}
	unexpected := report.Unexpected()
	if len(report.Stale) != 1 || report.Stale[0].Reason != "long gone" || len(unexpected) == 0 || report.OK() {
		t.Errorf("stale %v, unexpected %v", report.Stale, unexpected)
	}
	for _, d := range unexpected {
		if d.Path != "ETag" {
			t.Errorf("unexpected %v", d)
		}
	}
	checkReports(t, report)

	for _, bad := range []string{`[{"path":"/x"}]`, `{`, `[{"pth":"/x","reason":"y"}]`} {
		if _, err := cassette.ReadKnown(strings.NewReader(bad)); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}

func checkReports(t *testing.T, report *cassette.Report) {
	t.Helper()
	var table, document, junit bytes.Buffer
	if err := errors.Join(report.WriteTable(&table), report.WriteJSON(&document), report.WriteJUnit(&junit)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ETag", "missing", "known difference not found: GET /creditors /creditors (long gone)", "12 exchanges"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table has no %q:\n%s", want, &table)
		}
	}
	var back cassette.Report
	if err := json.Unmarshal(document.Bytes(), &back); err != nil || len(back.Differences) != len(report.Differences) {
		t.Errorf("%v\n%s", err, &document)
	}
	if !strings.Contains(junit.String(), `<testsuite name="cassette"`) || !strings.Contains(junit.String(), "ETag: missing") {
		t.Errorf("%s", &junit)
	}
}

// The program runs from the cassette with its own personal data.
func TestReplay(t *testing.T) {
	replay := cassette.NewReplay(read(t, record(t)))
	client, err := gocardless.New("another-token", gocardless.EnvironmentSandbox, gocardless.WithHTTPClient(&http.Client{Transport: replay}))
	if err != nil {
		t.Fatal(err)
	}
	if err := program(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	if err := replay.Err(); err != nil {
		t.Error(err)
	}
	_, err = client.Creditors.Get(t.Context(), "CR123")
	var apiError *gocardless.Error
	if !errors.As(err, &apiError) || apiError.StatusCode != 400 || !strings.Contains(apiError.Message, "no exchange for GET /creditors/CR123") {
		t.Errorf("%v", err)
	}
	if err := replay.Err(); err == nil || !strings.Contains(err.Error(), "GET /creditors/CR123") {
		t.Errorf("%v", err)
	}
}

func TestReplayUnused(t *testing.T) {
	replay := cassette.NewReplay(read(t, record(t))[:1])
	if err := replay.Err(); err == nil || !strings.Contains(err.Error(), "0001-post-customers.json (POST /customers) was not used") {
		t.Errorf("%v", err)
	}
}

func TestReadRefuses(t *testing.T) {
	for content, want := range map[string]string{
		`{`: "unexpected EOF",
		`{"request":{"method":"GET","path":"payments"},"reply":{"status":200}}`:              "request.path",
		`{"request":{"path":"/payments"},"reply":{"status":200}}`:                            "request.method",
		`{"request":{"method":"GET","path":"/payments"},"reply":{}}`:                         "reply.status",
		`{"request":{"method":"GET","path":"/payments","query":"%zz"},"reply":{"status":1}}`: "reply.status",
		`{"request":{"method":"GET","path":"/p","query":"%zz"},"reply":{"status":200}}`:      "request.query",
		`{"wish":1}`: "unknown field",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "0001-x.json"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := cassette.Read(os.DirFS(dir)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "0001-x.json") {
			t.Errorf("%s: %v, want an error with %q", content, err, want)
		}
	}
	if _, err := cassette.Read(os.DirFS(t.TempDir())); err == nil {
		t.Error("an empty directory was accepted")
	}
}
