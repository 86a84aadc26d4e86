package gocardless

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// testToken is recognisable, so that a scan can find it where it should not be.
const testToken = "sandbox_tOkEn-9vXw2"

// sent is one request as a transport saw it.
type sent struct {
	Method, Host, Path, Query string
	Header                    http.Header
	Body                      string
}

// script is a transport without sockets: it answers with the given replies in
// turn, repeating the last, and keeps the requests.
type script struct {
	mu      sync.Mutex
	replies []func(*http.Request) (*http.Response, error)
	got     []sent
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	body := ""
	if req.Body != nil {
		raw, err := io.ReadAll(req.Body)
		_ = req.Body.Close()
		if err != nil {
			return nil, err
		}
		body = string(raw)
	}
	s.mu.Lock()
	s.got = append(s.got, sent{req.Method, req.URL.Host, req.URL.EscapedPath(), req.URL.RawQuery, wireHeader(req.Header), body})
	reply := s.replies[min(len(s.got), len(s.replies))-1]
	s.mu.Unlock()
	return reply(req)
}

func (s *script) requests() []sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes2(s.got)
}

func bytes2(in []sent) []sent { return append([]sent(nil), in...) }

// wireHeader gives headers the names that a server would see them under.
func wireHeader(h http.Header) http.Header {
	out := http.Header{}
	for name, values := range h {
		for _, v := range values {
			out.Add(name, v)
		}
	}
	return out
}

// reply makes a scripted reply; headers are pairs of name and value.
func reply(status int, body string, headers ...string) func(*http.Request) (*http.Response, error) {
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

// fault makes a scripted failure of the network.
func fault(err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// scripted returns a client over a script.
func scripted(t testing.TB, replies ...func(*http.Request) (*http.Response, error)) (*Client, *script) {
	t.Helper()
	s := &script{replies: replies}
	return testClient(t, s), s
}

func testClient(t testing.TB, transport http.RoundTripper, opts ...ClientOption) *Client {
	t.Helper()
	c, err := New(testToken, EnvironmentSandbox, append([]ClientOption{WithHTTPClient(&http.Client{Transport: transport})}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const paymentReply = `{"payments":{"id":"PM123","created_at":"2026-01-07T14:00:00.000Z","charge_date":"2026-01-12","amount":1000,"description":null,"currency":"GBP","status":"pending_submission","amount_refunded":0,"reference":"WINEBOX001","metadata":{"order":"42"},"links":{"mandate":"MD123","creditor":"CR123"},"fx":{"fx_currency":"EUR","fx_amount":null,"exchange_rate":null,"estimated_exchange_rate":"1.1234567890"},"retry_if_possible":false}}`

func paymentParams() PaymentCreateParams {
	return PaymentCreateParams{Amount: 1000, Currency: CurrencyGBP, Links: PaymentCreateParamsLinks{Mandate: "MD123"}, Metadata: Metadata{"order": "42"}}
}

var _ = bytes.Clone

type fixedTransport struct {
	body string
	h    http.Header
}

func (f *fixedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: f.h, Body: io.NopCloser(strings.NewReader(f.body)), ContentLength: int64(len(f.body)), Request: req}, nil
}

func BenchmarkGet(b *testing.B) {
	c := testClient(b, &fixedTransport{paymentReply, http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"x"}, "Ratelimit-Limit": {"1000"}, "Ratelimit-Remaining": {"999"}, "Ratelimit-Reset": {"Wed, 19 Apr 2023 16:10:00 GMT"}}})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Payments.Get(b.Context(), "PM123"); err != nil {
			b.Fatal(err)
		}
	}
}
func BenchmarkCreate(b *testing.B) {
	c := testClient(b, &fixedTransport{paymentReply, http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"x"}, "Ratelimit-Limit": {"1000"}, "Ratelimit-Remaining": {"999"}, "Ratelimit-Reset": {"Wed, 19 Apr 2023 16:10:00 GMT"}}})
	b.ReportAllocs()
	p := paymentParams()
	for b.Loop() {
		if _, err := c.Payments.Create(b.Context(), p); err != nil {
			b.Fatal(err)
		}
	}
}
