package gocardless_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// badNetwork stands between a client and the sandbox and spoils three requests in
// ten: half of them before they take effect, half after.
type badNetwork struct {
	api           http.RoundTripper
	before, after atomic.Int64
}

func (n *badNetwork) RoundTrip(req *http.Request) (*http.Response, error) {
	dice := rand.IntN(100)
	if dice < 15 {
		n.before.Add(1)
		if req.Body != nil {
			_, _ = io.Copy(io.Discard, req.Body)
		}
		return spoil(req, nil, dice)
	}
	resp, err := n.api.RoundTrip(req)
	if dice < 30 && err == nil {
		n.after.Add(1)
		return spoil(req, resp, dice-15)
	}
	return resp, err
}

// spoil makes a failure in one of several ways; resp is the reply that gets lost.
func spoil(req *http.Request, resp *http.Response, way int) (*http.Response, error) {
	answer := func(status int, contentType, body string) (*http.Response, error) {
		return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {contentType}},
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1, Request: req}, nil
	}
	switch {
	case way < 5:
		return nil, io.ErrUnexpectedEOF
	case way < 8:
		return answer(502, "text/html", "<html>Bad gateway</html>")
	case way < 10:
		return answer(500, "application/json", `{"error":{"type":"gocardless","code":500,"message":"Internal server error"}}`)
	case way < 12:
		return answer(200, "text/html", "<html>Sign in to the network</html>")
	case resp != nil:
		// The reply breaks off half way.
		resp.Body = io.NopCloser(io.MultiReader(io.LimitReader(resp.Body, 40), brokenBody{}))
		return resp, nil
	}
	return answer(504, "text/plain", "timeout")
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// 16 goroutines create 10,000 customers over a bad network. Each create succeeds or returns an error
// with the key to resume it. In the end each of the 10,000 exists once, and each caller got its own.
func TestSoak(t *testing.T) {
	creates := 10_000
	if testing.Short() {
		creates = 1_000
	}
	// Fake time: the waits between attempts cost nothing. The bubble also fails if a
	// goroutine is left at the end.
	synctest.Test(t, func(t *testing.T) {
		sandbox := gocardlesstest.New(gocardlesstest.WithRateLimit(0), gocardlesstest.WithRequestLog(0))
		network := &badNetwork{api: sandbox.Transport()}
		s := &resumer{client: sandbox.Client(gocardless.WithHTTPClient(&http.Client{Transport: network}))}

		var next atomic.Int64
		got := make([]string, creates)
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				for i := int(next.Add(1)) - 1; i < creates; i = int(next.Add(1)) - 1 {
					got[i] = s.create(t, strconv.Itoa(i))
				}
			})
		}
		wg.Wait()

		made := customersByNumber(t, sandbox.Client(), creates) // over a good network
		for i, id := range got {
			if made[strconv.Itoa(i)] != id {
				t.Errorf("create %d returned %s, and made %s", i, id, made[strconv.Itoa(i)])
			}
		}
		t.Logf("%d creates: %d faults before and %d after the effect, %d found done before, %d taken up again by their key",
			creates, network.before.Load(), network.after.Load(), s.existing.Load(), s.resumed.Load())
		if network.before.Load() < int64(creates)/10 || network.after.Load() < int64(creates)/10 || s.existing.Load() == 0 {
			t.Error("the network was too good")
		}
	})
}

// resumer creates customers, and counts how.
type resumer struct {
	client            *gocardless.Client
	resumed, existing atomic.Int64
}

// create creates the customer with a number, however often the call has to be resumed by its key, and
// returns its id.
func (s *resumer) create(t *testing.T, n string) string {
	params := gocardless.CustomerCreateParams{Email: new("c" + n + "@example.com"), GivenName: new("A"), FamilyName: new("B"),
		Metadata: gocardless.Metadata{"n": n}}
	var r gocardless.Response
	customer, err := s.client.Customers.Create(t.Context(), params, gocardless.WithResponse(&r))
	for err != nil {
		key := keyOf(t, err)
		s.resumed.Add(1)
		customer, err = s.client.Customers.Create(t.Context(), params, gocardless.WithIdempotencyKey(key), gocardless.WithResponse(&r))
	}
	if r.Existing {
		s.existing.Add(1)
	}
	if customer.Metadata["n"] != n {
		t.Errorf("create %s returned the customer of %s", n, customer.Metadata["n"])
	}
	return customer.ID
}

// customersByNumber returns the ids of all customers, which must have different numbers and be as many as
// wanted.
func customersByNumber(t *testing.T, client *gocardless.Client, want int) map[string]string {
	t.Helper()
	made := map[string]string{}
	total := 0
	for customer, err := range client.Customers.All(t.Context(), gocardless.CustomerListParams{Limit: 500}) {
		if err != nil {
			t.Fatal(err)
		}
		total++
		n := customer.Metadata["n"]
		if other, twice := made[n]; twice {
			t.Errorf("create %s made %s and %s", n, other, customer.ID)
		}
		made[n] = customer.ID
	}
	if total != want || len(made) != want {
		t.Errorf("%d customers, %d different, want %d", total, len(made), want)
	}
	return made
}

// keyOf is the idempotency key that an error carries.
func keyOf(t *testing.T, err error) string {
	if e, ok := errors.AsType[*gocardless.Error](err); ok && e.IdempotencyKey != "" {
		return e.IdempotencyKey
	}
	if e, ok := errors.AsType[*gocardless.ConnectionError](err); ok && e.IdempotencyKey != "" {
		return e.IdempotencyKey
	}
	if e, ok := errors.AsType[*gocardless.MalformedResponseError](err); ok && e.IdempotencyKey != "" {
		return e.IdempotencyKey
	}
	t.Errorf("%T without a key: %v", err, err)
	return "none"
}
