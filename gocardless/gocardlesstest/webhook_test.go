package gocardlesstest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

const hookSecret = "ED7D658C-D8EB-4941-948B-3973214F2D49"

// inbox is an endpoint that records webhooks and replies with given statuses.
type inbox struct {
	mu      sync.Mutex
	answers []int // statuses of the next replies, and then 204
	got     []*http.Request
	bodies  []string
}

func (b *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, r)
	b.bodies = append(b.bodies, string(body))
	status := http.StatusNoContent
	if len(b.answers) > 0 {
		status, b.answers = b.answers[0], b.answers[1:]
	}
	w.Header().Set("X-From", "inbox")
	w.WriteHeader(status)
	if status != http.StatusNoContent {
		_, _ = io.WriteString(w, "answer")
	}
}

func (b *inbox) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.got)
}

func TestWebhooksAreSigned(t *testing.T) {
	box := &inbox{}
	w := newWorld(t, WithWebhooks(Webhooks{Handler: box, Secret: hookSecret, Manual: true}))
	w.pay("100")
	if box.count() != 0 {
		t.Fatal("a webhook came without being asked for")
	}
	w.sb.FlushWebhooks()
	if box.count() != 2 { // one for the mandate, one for the payment
		t.Fatalf("%d webhooks, want 2", box.count())
	}
	r, body := box.got[1], box.bodies[1]
	for k, want := range map[string]string{"Content-Type": "application/json", "User-Agent": "gocardless-webhook-service/1.1", "Origin": "https://api-sandbox.gocardless.com", "Accept": "*/*"} {
		if got := r.Header.Get(k); got != want {
			t.Errorf("%s is %q, want %q", k, got, want)
		}
	}
	d, err := gocardless.ParseWebhook([]byte(body), r.Header.Get("Webhook-Signature"), hookSecret)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Events) != 1 || d.Events[0].Type() != gocardless.EventPaymentsCreated || d.Events[0].OrganisationID == "" || d.Events[0].Organisation() != w.sb.organisation() {
		t.Errorf("delivery is %+v", d)
	}
	rec := w.ok("GET", "/webhooks/"+d.ID, "")
	if !rec.Flag("successful") || rec.Num("response_code") != 204 || rec.Str("request_body") != body ||
		rec.Obj("request_headers").Str("Webhook-Signature") != r.Header.Get("Webhook-Signature") || rec.Obj("response_headers").Str("X-From") != "inbox" {
		t.Errorf("record is %v", rec)
	}
	// The API does not return the members that only webhooks contain.
	if ev := w.ok("GET", "/events/"+d.Events[0].ID, ""); ev.Has("organisation_id") {
		t.Errorf("event of the API is %v", ev)
	}
}

func TestWebhookRetries(t *testing.T) {
	box := &inbox{answers: []int{500, 302, 200}}
	w := newWorld(t, WithWebhooks(Webhooks{Handler: box, Secret: hookSecret, Manual: true}), WithoutBankTimings())
	w.sb.FlushWebhooks()
	check := func(n int, successful bool, code int64) {
		t.Helper()
		rec := w.list("/webhooks")[0]
		if box.count() != n || rec.Flag("successful") != successful || rec.Num("response_code") != code {
			t.Errorf("%d attempts, want %d: %v", box.count(), n, rec)
		}
	}
	check(1, false, 500)
	w.sb.FlushWebhooks()
	check(1, false, 500)
	w.sb.Advance(59 * time.Second)
	check(1, false, 500)
	w.sb.Advance(time.Second)
	check(2, false, 302)
	w.sb.Advance(2 * time.Minute)
	check(3, true, 200)
	w.sb.Advance(48 * time.Hour)
	check(3, true, 200)
	if box.bodies[0] != box.bodies[2] {
		t.Error("an attempt had another body")
	}
	w.ok("POST", "/webhooks/"+w.list("/webhooks")[0].Str("id")+"/actions/retry", "")
	w.sb.FlushWebhooks()
	check(4, true, 204)
}

func TestWebhookGivesUp(t *testing.T) {
	box := &inbox{answers: slices.Repeat([]int{503}, 100)}
	w := newWorld(t, WithWebhooks(Webhooks{Handler: box, Secret: hookSecret, Manual: true}), WithoutBankTimings())
	w.sb.Advance(30 * days)
	if box.count() != 9 {
		t.Errorf("%d attempts, want the first and eight retries", box.count())
	}
}

func TestWebhookBatchesDuplicatesAndOrder(t *testing.T) {
	box := &inbox{}
	w := newWorld(t, WithWebhooks(Webhooks{Handler: box, Secret: hookSecret, Manual: true, Duplicate: true, Shuffle: true}), WithoutBankTimings())
	for range 300 {
		w.pay("100")
	}
	w.sb.FlushWebhooks()
	before := box.count()
	if before != 2*301 {
		t.Fatalf("%d deliveries, want each of 301 twice", before)
	}
	w.ok("POST", "/mandates/"+w.mandate+"/actions/cancel", "") // 301 events in one step
	w.sb.FlushWebhooks()
	var sizes []int
	seen := map[string]int{}
	inOrder := true
	last := ""
	for _, b := range box.bodies[before:] {
		d, err := gocardless.ParseUnverifiedWebhook([]byte(b))
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(d.Events))
		for _, e := range d.Events {
			seen[e.ID]++
			inOrder = inOrder && e.ID > last
			last = e.ID
		}
	}
	slices.Sort(sizes)
	if !slices.Equal(sizes, []int{51, 51, 250, 250}) || len(seen) != 301 || inOrder {
		t.Errorf("sizes %v, %d events, in order %v; want 51 and 250 twice, 301 and out of order", sizes, len(seen), inOrder)
	}
	for id, n := range seen {
		if n != 2 {
			t.Fatalf("%s came %d times", id, n)
		}
	}
}

// The two events of an activation share a webhook.
func TestEventsOfOneStepShareAWebhook(t *testing.T) {
	box := &inbox{}
	w := newWorld(t, WithWebhooks(Webhooks{Handler: box, Secret: hookSecret, Manual: true}))
	w.sb.FlushWebhooks()
	w.step(func(tx *tx) { tx.ensureActive(tx.find("mandates", w.mandate)) })
	w.sb.FlushWebhooks()
	d, err := gocardless.ParseUnverifiedWebhook([]byte(box.bodies[len(box.bodies)-1]))
	if err != nil || len(d.Events) != 2 || d.Events[0].Type() != gocardless.EventMandatesSubmitted || d.Events[1].Type() != gocardless.EventMandatesActive {
		t.Errorf("last webhook is %+v, %v", d, err)
	}
}

// The SDK, its retries and waits, the sandbox and its webhooks all run on fake time, without a socket
// or a permanent goroutine.
func TestInASynctestBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &inbox{}
		sb := New(WithWebhooks(Webhooks{Handler: box, Secret: hookSecret}))
		client := sb.Client()
		began := time.Now()
		sb.Inject(Fault{Operation: "customers.create", Status: 503, Times: 2})
		c, err := client.Customers.Create(t.Context(), gocardless.CustomerCreateParams{CompanyName: new("ACME"), Email: new("a@example.com")})
		if err != nil {
			t.Fatal(err)
		}
		a, err := client.CustomerBankAccounts.Create(t.Context(), gocardless.CustomerBankAccountCreateParams{
			AccountHolderName: new("ACME"), IBAN: new("DE89370400440532013000"), Links: gocardless.CustomerBankAccountCreateParamsLinks{Customer: c.ID}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = client.Mandates.Create(t.Context(), gocardless.MandateCreateParams{Links: gocardless.MandateCreateParamsLinks{CustomerBankAccount: a.ID}}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if box.count() != 1 {
			t.Errorf("%d webhooks, want 1 without asking", box.count())
		}
		if n := len(sb.Requests()); n != 5 {
			t.Errorf("%d requests, want three and two repeated", n)
		}
		_ = time.Since(began)
		time.Sleep(time.Hour) // of fake time, after which no goroutine waits
	})
}

func TestWebhooksOverASocket(t *testing.T) {
	box := &inbox{}
	endpoint := http.Server{Handler: box, ReadHeaderTimeout: time.Second}
	l := listen(t)
	go func() { _ = endpoint.Serve(l) }()
	t.Cleanup(func() { _ = endpoint.Close() })
	s := NewServer(t, WithWebhooks(Webhooks{URL: "http://" + l.Addr().String() + "/hooks?a=b", Secret: hookSecret}))
	client, err := gocardless.New("t", gocardless.EnvironmentSandbox, gocardless.WithBaseURL(s.URL))
	if err != nil {
		t.Fatal(err)
	}
	cr, err := client.Creditors.List(t.Context(), gocardless.CreditorListParams{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreditorBankAccounts.Create(t.Context(), gocardless.CreditorBankAccountCreateParams{
		AccountHolderName: "A", CountryCode: new("US"), BankCode: new("026073150"), AccountNumber: new("2715500356"), AccountType: new(gocardless.BankAccountTypeChecking),
		Links: gocardless.CreditorBankAccountCreateParamsLinks{Creditor: cr.Items[0].ID}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for box.count() == 0 && ctx.Err() == nil {
		s.FlushWebhooks()
	}
	if box.count() != 1 || box.got[0].URL.RequestURI() != "/hooks?a=b" || !json.Valid([]byte(box.bodies[0])) || !strings.Contains(box.bodies[0], "new_payout_currency_added") {
		t.Errorf("%d webhooks: %v", box.count(), box.bodies)
	}
}

func TestWebhooksAreValidated(t *testing.T) {
	for _, w := range []Webhooks{{}, {URL: "http://localhost"}, {Secret: "s"}, {URL: "localhost:80", Secret: "s"}, {URL: "ftp://localhost", Secret: "s"}} {
		if w.Validate() == nil {
			t.Errorf("%+v was accepted", w)
		}
	}
}

// A hook receives each attempt, with its events.
func TestDeliveryHook(t *testing.T) {
	var seen []*Delivery
	refuse := http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(503) })
	w := newWorld(t, WithWebhooks(Webhooks{Handler: refuse, Secret: hookSecret, Manual: true}), WithDeliveryHook(func(d *Delivery) { seen = append(seen, d) }))
	w.sb.FlushWebhooks()
	seen = nil
	id := w.pay("100")
	made := w.sb.FlushWebhooks()
	if len(seen) != 1 || len(made) != 1 || seen[0] != made[0] {
		t.Fatalf("the hook saw %d attempts, FlushWebhooks made %d", len(seen), len(made))
	}
	ev := w.list("/events?payment=" + id)[0].Str("id")
	if d := seen[0]; d.Accepted() || d.Status != 503 || d.Events != 1 || !slices.Equal(d.EventIDs, []string{ev}) || !slices.Equal(d.Types, []string{"payments.created"}) {
		t.Errorf("attempt %+v", d)
	}
	if made := w.sb.Advance(time.Minute); len(made) == 0 || made[0].Attempt != 2 {
		t.Errorf("Advance returned %v", made)
	}
}
