package gocardlesstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestFaults(t *testing.T) {
	w := newWorld(t)
	body := `{"payments":{"amount":100,"currency":"GBP","links":{"mandate":"` + w.mandate + `"}}}`
	w.strict = false
	count := func() int { return len(w.list("/payments")) }

	f := Fault{Operation: "payments.create", Skip: 1, Times: 2, Status: 502, Body: "<html>bad gateway</html>"}
	in := w.sb.Inject(f)
	w.pay("100")
	for range 2 {
		r := send1(w.caller, "POST", "/payments", body)
		if r.status != 502 || string(r.raw) != "<html>bad gateway</html>" || !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
			t.Errorf("got %d %q %s", r.status, r.raw, r.header.Get("Content-Type"))
		}
	}
	w.pay("100")
	if count() != 2 || in.Hits() != 2 {
		t.Errorf("%d payments, %d hits; want 2 and 2", count(), in.Hits())
	}

	w.sb.Inject(Fault{Operation: "*.create", After: true, Reason: "internal_server_error"})
	w.refused(500, "internal_server_error", "POST", "/payments", body)
	if count() != 3 {
		t.Errorf("%d payments, want the one of the spoilt reply too", count())
	}
	w.sb.Inject(Fault{Operation: "payments.*", Reason: "rate_limit_exceeded", Header: http.Header{"retry-after": {"7"}}})
	if r := w.do("GET", "/payments", ""); r.status != 429 || r.header.Get("Retry-After") != "7" {
		t.Errorf("got %d %v", r.status, r.header)
	}
	w.sb.Inject(Fault{Bare: "bank_authorisation_expired"})
	if r := w.do("GET", "/nothing/at/all", ""); r.status != 400 || string(r.raw) != `{"error":"bank_authorisation_expired"}` {
		t.Errorf("got %d %s", r.status, r.raw)
	}
	w.sb.Inject(Fault{Times: -1, Reason: "forbidden"})
	for range 3 {
		w.refused(403, "forbidden", "GET", "/payments", "")
	}
	w.sb.ClearFaults()
	if count() != 3 {
		t.Errorf("%d payments", count())
	}
	for _, bad := range []Fault{{Operation: "["}, {Operation: "payment.create"}, {Operation: "*.craete"}, {Reason: "nonsense"}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v was accepted", bad)
				}
			}()
			w.sb.Inject(bad)
		}()
	}
}

// send1 is do for replies that are not JSON.
func send1(c *caller, method, path, body string) *reply {
	c.t.Helper()
	req, err := http.NewRequest(method, "https://api-sandbox.gocardless.com"+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer test")
	req.Header.Set("GoCardless-Version", "2015-07-06")
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.rt.RoundTrip(req)
	if err != nil {
		return &reply{status: -1, raw: []byte(err.Error())}
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return &reply{status: -2, header: resp.Header, raw: raw}
	}
	return &reply{status: resp.StatusCode, header: resp.Header, raw: raw}
}

// A connection breaks before or after the call takes effect, over the transport and over a socket.
func TestBrokenConnections(t *testing.T) {
	s := NewServer(t)
	overSocket := &caller{t, s.Sandbox, rewrite{s.URL}, false}
	direct := &caller{t, s.Sandbox, s.Transport(), false}
	for name, c := range map[string]*caller{"socket": overSocket, "transport": direct} {
		t.Run(name, func(t *testing.T) {
			if err := s.Reset(); err != nil {
				t.Fatal(err)
			}
			for _, x := range []struct {
				fault  Fault
				status int // -1: no reply, -2: broken off
				made   int
			}{
				{Fault{Drop: true}, -1, 0}, {Fault{Drop: true, After: true}, -1, 1}, {Fault{Truncate: 10, After: true}, -2, 2}, {Fault{Truncate: 10}, -2, 3},
				{Fault{Status: 200, Body: "0123456789", Truncate: 3}, -2, 3}, {Fault{Delay: time.Millisecond}, 201, 4},
			} {
				x.fault.Operation = "customers.create"
				s.Inject(x.fault)
				if r := send1(c, "POST", "/customers", customerBody); r.status != x.status {
					t.Errorf("%+v: got %d %s, want %d", x.fault, r.status, r.raw, x.status)
				}
				if n := len(c.list("/customers")); n != x.made {
					t.Errorf("%+v: %d customers, want %d", x.fault, n, x.made)
				}
			}
		})
	}
}

// rewrite sends requests to another host.
type rewrite struct{ to string }

func (r rewrite) RoundTrip(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	out.URL.Scheme = "http"
	out.URL.Host = strings.TrimPrefix(r.to, "http://")
	out.Host = ""
	return http.DefaultTransport.RoundTrip(out)
}

func TestDelayEndsWithTheContext(t *testing.T) {
	sb := New()
	sb.Inject(Fault{Delay: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", "https://x.example/customers", nil)
	if _, err := sb.Transport().RoundTrip(req); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestReset(t *testing.T) {
	w := newWorld(t)
	w.pay("100")
	w.sb.Inject(Fault{Times: -1, Status: 500})
	if err := w.sb.Reset(); err != nil {
		t.Fatal(err)
	}
	if n := len(w.sb.Requests()); n != 0 {
		t.Errorf("%d requests remembered", n)
	}
	if n := len(w.list("/payments")) + len(w.list("/customers")) + len(w.list("/events")); n != 0 {
		t.Errorf("%d resources left", n)
	}
	again := w.ok("POST", "/customers", customerBody).Str("id")
	if again != w.customer {
		t.Errorf("first customer is %s, was %s", again, w.customer)
	}
}

func TestSnapshots(t *testing.T) {
	build := func() *world {
		w := newWorld(t, WithWebhooks(Webhooks{Handler: &inbox{answers: []int{500}}, Secret: hookSecret, Manual: true}))
		w.ok("POST", "/payments", `{"payments":{"amount":100,"currency":"GBP","links":{"mandate":"`+w.mandate+`"}}}`, "Idempotency-Key", "k1")
		w.subscribe(`"interval_unit":"monthly"`)
		w.sb.FlushWebhooks()
		w.sb.Advance(3 * days)
		return w
	}
	a, b := build(), build()
	if !bytes.Equal(a.sb.Snapshot(), b.sb.Snapshot()) {
		t.Error("the same calls gave different states")
	}
	state := a.sb.Snapshot()
	c := newWorld(t, WithWebhooks(Webhooks{Handler: &inbox{}, Secret: hookSecret, Manual: true}))
	if err := c.sb.Restore(state); err != nil {
		t.Fatal(err)
	}
	if got := c.sb.Snapshot(); !bytes.Equal(got, state) {
		t.Errorf("restored state differs:\n%s\n%s", got, state)
	}
	// The restored sandbox continues like the first one.
	a.sb.Advance(60 * days)
	c.sb.Advance(60 * days)
	if x, y := len(a.list("/events?limit=500")), len(c.list("/events?limit=500")); x != y || x < 10 {
		t.Errorf("%d and %d events after two months", x, y)
	}
	c.refused(409, "idempotent_creation_conflict", "POST", "/payments", `{"payments":{}}`, "Idempotency-Key", "k1")
	for _, bad := range []string{"", "{", "[]", `{"version":2}`, `{"version":1,"records":[{"in":"nonsense","id":"x"}]}`, `{"version":1,"records":[{"in":"payments","id":"x","at":5}]}`, `{"version":1,"jobs":[{"name":"nonsense"}]}`} {
		before := c.sb.Snapshot()
		if err := c.sb.Restore([]byte(bad)); err == nil {
			t.Errorf("%s was accepted", bad)
		}
		if !bytes.Equal(before, c.sb.Snapshot()) {
			t.Errorf("%s changed the state", bad)
		}
	}
}

// Sixty-four clients call the sandbox at the same time: nothing is lost or duplicated, and there are no
// data races.
func TestManyClients(t *testing.T) {
	box := &inbox{}
	s := New(WithRateLimit(0), WithWebhooks(Webhooks{Handler: box, Secret: hookSecret}))
	w := &world{caller: &caller{t, s, s.Transport(), false}}
	w.customer = w.ok("POST", "/customers", customerBody).Str("id")
	w.account = w.ok("POST", "/customer_bank_accounts", `{"customer_bank_accounts":{`+ukAccount+`,"links":{"customer":"`+w.customer+`"}}}`).Str("id")
	w.mandate = w.ok("POST", "/mandates", `{"mandates":{"links":{"customer_bank_account":"`+w.account+`"}}}`).Str("id")
	const clients, each = 64, 5
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			client := s.Client()
			for j := range each {
				// Two clients use each key: one creates the resource, the other finds it.
				key := fmt.Sprintf("key-%d-%d", i/2, j)
				p, err := client.Payments.Create(t.Context(), gocardless.PaymentCreateParams{Amount: int64(100 + j), Currency: gocardless.CurrencyGBP,
					Links: gocardless.PaymentCreateParamsLinks{Mandate: w.mandate}}, gocardless.WithIdempotencyKey(key))
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := client.Payments.Get(t.Context(), p.ID); err != nil {
					t.Error(err)
				}
				if _, err := client.Payments.List(t.Context(), gocardless.PaymentListParams{Limit: 3}); err != nil {
					t.Error(err)
				}
				if j == 2 {
					s.Advance(time.Minute)
				}
			}
		})
	}
	wg.Wait()
	s.FlushWebhooks()
	if n := len(w.list("/payments?limit=500")); n != clients/2*each {
		t.Errorf("%d payments, want %d", n, clients/2*each)
	}
	events := 0
	for _, b := range box.bodies {
		d, err := gocardless.ParseUnverifiedWebhook([]byte(b))
		if err != nil {
			t.Fatal(err)
		}
		events += len(d.Events)
	}
	if n := len(w.list("/events?limit=500")); events != n {
		t.Errorf("%d events were delivered, %d exist", events, n)
	}
}

// Hostile input results in an error, never in a crash.
func TestHostileInput(t *testing.T) {
	c := newCaller(t)
	deep := strings.Repeat(`{"customers":`, 5000) + "1" + strings.Repeat("}", 5000)
	for name, x := range map[string]struct {
		body   string
		status int
	}{
		"deep object":      {deep, 400},
		"deep array":       {strings.Repeat("[", 100000), 400},
		"huge body":        {`{"customers":{"company_name":"` + strings.Repeat("x", maxBody) + `"}}`, 413},
		"not UTF-8":        {"{\"customers\":{\"company_name\":\"\xff\xfe\"}}", 400},
		"UTF-16":           {"\xff\xfe{\x00}\x00", 400},
		"byte order mark":  {"\ufeff" + customerBody, 400},
		"huge number":      {`{"customers":{"metadata":{"a":` + strings.Repeat("9", 10000) + `}}}`, 422},
		"huge exponent":    {`{"customers":{"metadata":{"a":1e999999999}}}`, 422},
		"empty key":        {`{"customers":{"":1}}`, 400},
		"many keys":        {`{"customers":{` + strings.Repeat(`"x":1,`, 20000) + `"y":1}}`, 400},
		"long key":         {`{"customers":{"` + strings.Repeat("k", 100000) + `":1}}`, 400},
		"NUL":              {`{"customers":{"company_name":"\u0000","email":"a@example.com"}}`, 201},
		"lone surrogate":   {`{"customers":{"company_name":"\ud800","email":"a@example.com"}}`, 201},
		"script":           {`{"customers":{"company_name":"</script><script>","email":"a@example.com"}}`, 201},
		"proto key":        {`{"customers":{"metadata":{"__proto__":"x"},"company_name":"a","email":"a@example.com"}}`, 201},
		"duplicate key":    {`{"customers":{"company_name":"a","company_name":"b","email":"a@example.com"}}`, 201},
		"trailing comma":   {`{"customers":{"company_name":"a",}}`, 400},
		"single quotes":    {`{'customers':{}}`, 400},
		"only white space": {"  \n ", 400},
	} {
		r := c.do("POST", "/customers", x.body)
		if r.status != x.status {
			t.Errorf("%s: %d %.300s, want %d", name, r.status, r.raw, x.status)
		}
		if len(r.raw) > 20000 {
			t.Errorf("%s: the reply has %d bytes", name, len(r.raw))
		}
	}
	for _, path := range []string{"/payments/%00", "/payments/..", "/payments/%2e%2e%2fcustomers", "/payments/" + strings.Repeat("x", 10000), "//payments", "/payments//actions/cancel", "/%", "/payments/{identity}"} {
		if path == "/%" {
			continue // not a URL
		}
		if r := c.do("GET", path, ""); r.status != 404 && r.status != 405 {
			t.Errorf("%s: %d", path, r.status)
		}
	}
}

// A client that sends its request slowly is disconnected, and does not affect others.
func TestSlowClient(t *testing.T) {
	s := NewServer(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /customers HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	c := &caller{t, s.Sandbox, rewrite{s.URL}, true}
	c.ok("POST", "/customers", customerBody)
}

func TestServerAddresses(t *testing.T) {
	s := NewServer(t)
	c := &caller{t, s.Sandbox, rewrite{s.URL}, true}
	r := c.do("POST", "/customers", customerBody)
	if want := s.URL + "/customers/" + r.body.Obj("customers").Str("id"); r.header.Get("Location") != want {
		t.Errorf("Location is %q, want %q", r.header.Get("Location"), want)
	}
	f := c.ok("POST", "/redirect_flows", `{"redirect_flows":{"session_token":"s","success_redirect_url":"https://x.example"}}`)
	if !strings.HasPrefix(f.Str("redirect_url"), s.URL+"/") {
		t.Errorf("redirect_url is %q", f.Str("redirect_url"))
	}
	if _, err := Start(strings.TrimPrefix(s.URL, "http://")); err == nil {
		t.Error("two servers on one port")
	}
}
