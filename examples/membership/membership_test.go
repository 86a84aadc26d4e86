package main

import (
	"database/sql"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

const secret = gocardless.WebhookSecret("club-secret")

// world has the club, a sandbox that sends it webhooks, and a visitor with a browser.
type world struct {
	t       *testing.T
	club    *Club
	db      *sql.DB
	sandbox *gocardlesstest.Sandbox
	url     string
	browser *http.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t}
	// The sandbox and the club call each other: the handler is set once both exist.
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.club.Handler().ServeHTTP(rw, r) }))
	t.Cleanup(server.Close)
	w.url = server.URL
	w.sandbox = gocardlesstest.New(gocardlesstest.WithFrozenClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)),
		gocardlesstest.WithWebhooks(gocardlesstest.Webhooks{URL: server.URL + "/webhooks", Secret: secret, Manual: true}))
	db, err := openDatabase(filepath.Join(t.TempDir(), "membership.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w.db = db
	if w.club, err = NewClub(t.Context(), w.sandbox.Client(), db, server.URL, secret); err != nil {
		t.Fatal(err)
	}
	w.browser = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return w
}

// settle delivers all webhooks and makes the API calls that follow from them.
func (w *world) settle() {
	w.t.Helper()
	for range 3 {
		w.sandbox.FlushWebhooks()
		if err := w.club.Work(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) advance(d time.Duration) {
	w.t.Helper()
	w.sandbox.Advance(d)
	w.settle()
}

func (w *world) get(path string) string {
	w.t.Helper()
	r, err := w.browser.Get(w.url + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		w.t.Fatalf("GET %s: %d %s %v", path, r.StatusCode, body, err)
	}
	return string(body)
}

// post sends a form and returns where it leads.
func (w *world) post(path string, wantStatus int, form url.Values) string {
	w.t.Helper()
	r, err := w.browser.PostForm(w.url+path, form)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	if body, _ := io.ReadAll(r.Body); r.StatusCode != wantStatus {
		w.t.Fatalf("POST %s: %d %s, want %d", path, r.StatusCode, body, wantStatus)
	}
	return r.Header.Get("Location")
}

// join signs a member up through the hosted page.
func (w *world) join(name string) {
	w.t.Helper()
	hosted := w.post("/join", http.StatusSeeOther, url.Values{"name": {name}, "email": {"member@example.com"}})
	flow := regexp.MustCompile(`BRF[0-9A-Z]+`).FindString(hosted)
	payer := gocardlesstest.TestPayer
	payer.GivenName = name
	back, err := w.sandbox.FinishBillingRequestFlow(flow, payer)
	if err != nil {
		w.t.Fatal(err)
	}
	if !strings.HasPrefix(back, w.url+"/thanks") {
		w.t.Errorf("the payer is sent to %s", back)
	}
	w.settle()
}

func (w *world) value(query string, args ...any) (s string) {
	w.t.Helper()
	var v sql.NullString
	if err := w.db.QueryRow(query, args...).Scan(&v); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	return v.String
}

func (w *world) want(what, got, want string) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestMembership(t *testing.T) {
	w := newWorld(t)
	if page := w.get("/"); !strings.Contains(page, "£15.00") {
		t.Errorf("the page does not name the price:\n%s", page)
	}
	w.join("=Ada")
	w.want("state", w.value(`SELECT state FROM members WHERE id = 1`), "active")

	// A double click charges once.
	form := url.Values{"token": {"t1"}, "pence": {"700"}, "description": {"Tournament"}}
	w.post("/members/1/charges", http.StatusSeeOther, form)
	w.post("/members/1/charges", http.StatusSeeOther, form)
	w.settle()
	w.want("charges", w.value(`SELECT count(*) FROM charges`), "1")
	payment := w.value(`SELECT payment FROM charges`)
	w.want("charge", w.value(`SELECT status FROM payments WHERE id = ?`, payment), "created")

	w.advance(21 * 24 * time.Hour)
	w.want("charge after three weeks", w.value(`SELECT status || amount FROM payments WHERE id = ?`, payment), "paid_out700")
	w.want("payments of the subscription", w.value(`SELECT count(*) FROM payments WHERE amount = 1500`), "1")

	w.post("/payments/"+payment+"/refund", http.StatusSeeOther, nil)
	w.post("/payments/"+payment+"/refund", http.StatusSeeOther, nil) // nothing is left
	w.want("refunded", w.value(`SELECT refunded FROM payments WHERE id = ?`, payment), "700")

	csv := w.get("/payments.csv")
	for _, line := range []string{"payment,member,status,amount,refunded\n", payment + ",'=Ada,paid_out,700,700\n"} {
		if !strings.Contains(csv, line) {
			t.Errorf("%q is not in\n%s", line, csv)
		}
	}

	w.post("/members/1/cancel", http.StatusSeeOther, nil)
	w.post("/members/1/cancel", http.StatusSeeOther, nil)
	w.settle()
	w.want("state", w.value(`SELECT state FROM members WHERE id = 1`), "cancelled")
	before := w.value(`SELECT count(*) FROM payments`)
	w.advance(40 * 24 * time.Hour)
	w.want("payments after the end", w.value(`SELECT count(*) FROM payments WHERE status NOT IN ('cancelled')`), before)
}

func TestFailedPaymentIsRetried(t *testing.T) {
	w := newWorld(t)
	w.join("Penniless")
	w.post("/members/1/charges", http.StatusSeeOther, url.Values{"token": {"t1"}, "pence": {"700"}, "description": {"Tournament"}})
	w.advance(14 * 24 * time.Hour)
	payment := w.value(`SELECT payment FROM charges`)
	w.want("charge", w.value(`SELECT status FROM payments WHERE id = ?`, payment), "failed")
	if page := w.get("/members"); !strings.Contains(page, "/payments/"+payment+"/retry") {
		t.Errorf("the page offers no retry:\n%s", page)
	}
	w.post("/payments/"+payment+"/retry", http.StatusSeeOther, nil)
	w.settle()
	w.want("charge", w.value(`SELECT status FROM payments WHERE id = ?`, payment), "resubmission_requested")
	w.post("/payments/"+payment+"/retry", http.StatusConflict, nil)
}

// The reply to each create request is lost once, after the resource is created: the next run finds it.
func TestNothingIsMadeTwice(t *testing.T) {
	w := newWorld(t)
	for _, operation := range []string{"billing_requests.create", "subscriptions.create", "payments.create"} {
		w.sandbox.Inject(gocardlesstest.Fault{Operation: operation, After: true, Drop: true})
	}
	w.join("Ada")
	form := url.Values{"token": {"t1"}, "pence": {"700"}, "description": {"Tournament"}}
	w.post("/members/1/charges", http.StatusSeeOther, form)
	w.settle()
	client := w.sandbox.Client()
	for name, count := range map[string]func() (int, error){
		"subscriptions": func() (int, error) {
			page, err := client.Subscriptions.List(t.Context(), gocardless.SubscriptionListParams{})
			return len(page.Items), err
		},
		"payments": func() (int, error) {
			page, err := client.Payments.List(t.Context(), gocardless.PaymentListParams{})
			return len(page.Items), err
		},
	} {
		want := map[string]int{"subscriptions": 1, "payments": 2}[name] // the charge, and the subscription's first
		if n, err := count(); err != nil || n != want {
			t.Errorf("%d %s, %v, want %d", n, name, err, want)
		}
	}
	for _, f := range w.sandbox.Faults() {
		t.Errorf("this fault was not met: %+v", f)
	}
}

func TestFormsAreChecked(t *testing.T) {
	w := newWorld(t)
	w.post("/join", http.StatusBadRequest, url.Values{"name": {" "}, "email": {"a@b"}})
	w.post("/members/1/charges", http.StatusBadRequest, url.Values{"token": {"t"}, "pence": {"-5"}, "description": {"x"}})
	w.post("/members/x/cancel", http.StatusBadRequest, nil)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/members/1/cancel", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", "https://evil.example")
	r, err := w.browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site: %d", r.StatusCode)
	}
}
