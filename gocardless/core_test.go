package gocardless

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// testToken is recognisable, so that tests can find it in logs and errors.
const testToken = "sandbox_tOkEn-9vXw2"

// sent is one request as a server would see it.
type sent struct {
	Method, Host, Path, Query string
	Header                    http.Header
	Body                      string
}

type replier func(*http.Request) (*http.Response, error)

// script is a transport without sockets: it answers with the given replies in
// turn, repeating the last, and keeps the requests.
type script struct {
	mu      sync.Mutex
	replies []replier
	got     []sent
	at      []time.Time
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	seen, err := receive(req)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.got = append(s.got, seen)
	s.at = append(s.at, time.Now())
	reply := s.replies[min(len(s.got), len(s.replies))-1]
	s.mu.Unlock()
	return reply(req)
}

// receive reads a request to its end and gives its headers the names that a
// server would see them under.
func receive(req *http.Request) (sent, error) {
	s := sent{Method: req.Method, Host: req.Host, Path: req.URL.EscapedPath(), Query: req.URL.RawQuery, Header: http.Header{}}
	for name, values := range req.Header {
		for _, v := range values {
			s.Header.Add(name, v)
		}
	}
	if req.Body != nil {
		raw, err := io.ReadAll(req.Body)
		_ = req.Body.Close()
		if err != nil {
			return s, err
		}
		s.Body = string(raw)
	}
	return s, nil
}

func (s *script) requests() []sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// waits are the times between the requests.
func (s *script) waits() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var gaps []time.Duration
	for i := 1; i < len(s.at); i++ {
		gaps = append(gaps, s.at[i].Sub(s.at[i-1]))
	}
	return gaps
}

// replyWith makes a scripted reply; headers are pairs of name and value.
func replyWith(status int, body string, headers ...string) replier {
	return func(req *http.Request) (*http.Response, error) {
		h := http.Header{}
		if body != "" {
			h.Set("Content-Type", "application/json")
		}
		for i := 0; i < len(headers); i += 2 {
			h.Set(headers[i], headers[i+1])
		}
		return &http.Response{
			StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: req,
		}, nil
	}
}

// failWith makes a scripted failure of the network.
func failWith(err error) replier {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// roundTripper is a transport in one function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// scripted returns a client over a script.
func scripted(t testing.TB, replies ...replier) (*Client, *script) {
	t.Helper()
	s := &script{replies: replies}
	return clientOver(t, s), s
}

func clientOver(t testing.TB, transport http.RoundTripper, opts ...ClientOption) *Client {
	t.Helper()
	c, err := New(testToken, EnvironmentSandbox, append([]ClientOption{WithHTTPClient(&http.Client{Transport: transport})}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// outlive waits until f returns, panics or ends its goroutine.
func outlive(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		f()
	}()
	<-done
}

// atOnce is the default policy without waits.
func atOnce(a RetryAttempt) RetryDecision {
	d := DefaultRetry(a)
	d.Wait = 0
	return d
}

// as returns the error as type E, or fails the test.
func as[E error](t *testing.T, err error) E {
	t.Helper()
	e, ok := errors.AsType[E](err)
	if !ok {
		t.Fatalf("got error %T: %v; want %T", err, err, e)
	}
	return e
}

const (
	paymentReply = `{"payments":{"id":"PM123","created_at":"2026-01-07T14:00:00.000Z","charge_date":"2026-01-12","amount":1000,` +
		`"description":null,"currency":"GBP","status":"pending_submission","amount_refunded":0,"reference":"WINEBOX001",` +
		`"metadata":{"order":"42"},"links":{"mandate":"MD123","creditor":"CR123"},"fx":{"fx_currency":"EUR","fx_amount":null,` +
		`"exchange_rate":null,"estimated_exchange_rate":"1.1234567890"},"retry_if_possible":false}}`
	paymentBody  = `{"payments":{"amount":1000,"currency":"GBP","links":{"mandate":"MD123"},"metadata":{"order":"42"}}}`
	conflictBody = `{"error":{"message":"A resource has already been created with this idempotency key","type":"invalid_state","code":409,` +
		`"request_id":"RQ-409","documentation_url":"https://developer.gocardless.com/api-reference#idempotent_creation_conflict",` +
		`"errors":[{"reason":"idempotent_creation_conflict","message":"A resource has already been created with this idempotency key",` +
		`"links":{"conflicting_resource_id":"PM123"}}]}}`
)

func paymentParams() PaymentCreateParams {
	return PaymentCreateParams{Amount: 1000, Currency: CurrencyGBP, Links: PaymentCreateParamsLinks{Mandate: "MD123"}, Metadata: Metadata{"order": "42"}}
}
