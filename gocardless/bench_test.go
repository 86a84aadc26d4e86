package gocardless

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
)

// The benchmarks come in pairs, sdk and floor, so that benchstat and "make bench" can put the
// two beside each other in one run: go test -bench . -run '^$' ./gocardless

// benchClient is a client over a transport.
func benchClient(tb testing.TB, transport http.RoundTripper, opts ...ClientOption) *Client {
	tb.Helper()
	opts = append(opts, WithHTTPClient(&http.Client{Transport: transport}))
	c, err := New(benchToken, EnvironmentLive, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func benchEnvelope(n int) benchFixed { return benchFixed(`{"payments":` + benchPayment(n) + `}`) }

// benchOp runs f as often as the benchmark asks and reports allocations.
func benchOp(b *testing.B, name string, f func() error) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := f(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkGet(b *testing.B) {
	transport := benchEnvelope(1)
	client, plain := benchClient(b, transport), &http.Client{Transport: transport}
	benchOp(b, "sdk", func() error {
		_, err := client.Payments.Get(b.Context(), "PM000000000001")
		return err
	})
	benchOp(b, "floor", func() error {
		_, err := floorGet(b.Context(), plain, benchBase)
		return err
	})
}

// benchCreate is the create that is measured.
func benchCreate(ctx context.Context, client *Client) error {
	_, err := client.Payments.Create(ctx, PaymentCreateParams{
		Amount:   1000,
		Currency: CurrencyGBP,
		Metadata: Metadata{"order_id": "ORD-1"},
		Links:    PaymentCreateParamsLinks{Mandate: "MD000000000001"},
	})
	return err
}

func BenchmarkCreate(b *testing.B) {
	transport := benchEnvelope(1)
	client, plain := benchClient(b, transport), &http.Client{Transport: transport}
	benchOp(b, "sdk", func() error { return benchCreate(b.Context(), client) })
	benchOp(b, "floor", func() error {
		_, err := floorPost(b.Context(), plain)
		return err
	})
}

// BenchmarkDecodePage is the decoding of a page alone.
func BenchmarkDecodePage(b *testing.B) {
	text := []byte(benchPage(500, `"PM000001"`))
	benchOp(b, "sdk", func() error {
		b.SetBytes(int64(len(text)))
		return decodePaymentPage(text)
	})
	benchOp(b, "floor", func() error {
		b.SetBytes(int64(len(text)))
		var page floorPage
		return json.Unmarshal(text, &page)
	})
}

// decodePaymentPage reads a page of payments as a list does.
func decodePaymentPage(text []byte) error {
	r := &pageReply{new(Page[Payment])}
	d := jsonwire.NewDecoder(text)
	for d.Object(); d.More(); {
		if string(d.Key) == "payments" {
			r.value(d)
		} else {
			r.sibling(d)
		}
	}
	_, err := d.Finish()
	return err
}

// BenchmarkPage is the whole request of a page.
func BenchmarkPage(b *testing.B) {
	transport := newBenchList(1, 500)
	client, plain := benchClient(b, transport), &http.Client{Transport: transport}
	benchOp(b, "sdk", func() error {
		_, err := client.Payments.List(b.Context(), PaymentListParams{Limit: 500})
		return err
	})
	benchOp(b, "floor", func() error {
		return floorAll(b.Context(), plain, func(*floorPayment) {})
	})
}

// BenchmarkAll iterates over 100,000 payments in pages of 500.
func BenchmarkAll(b *testing.B) {
	transport := newBenchList(200, 500)
	client, plain := benchClient(b, transport), &http.Client{Transport: transport}
	total := int64(0)
	benchOp(b, "sdk", func() error {
		for p, err := range client.Payments.All(b.Context(), PaymentListParams{Limit: 500}) {
			if err != nil {
				return err
			}
			total += p.Amount
		}
		return nil
	})
	benchOp(b, "floor", func() error {
		return floorAll(b.Context(), plain, func(p *floorPayment) { total += int64(p.Amount) })
	})
}

// BenchmarkNew is the making of a client.
func BenchmarkNew(b *testing.B) {
	benchOp(b, "sdk", func() error {
		_, err := New(benchToken, EnvironmentLive)
		return err
	})
}

// BenchmarkConcurrent is 64 gets at the same time over loopback; an operation is all of them.
func BenchmarkConcurrent(b *testing.B) {
	for _, proto := range []string{"http1", "http2"} {
		b.Run(proto, func(b *testing.B) {
			server, transport := benchServer(b, proto == "http2")
			client := benchClient(b, transport, WithBaseURL(server.URL))
			plain := &http.Client{Transport: transport}
			sdk := func() error {
				return benchAtOnce(64, func() error {
					_, err := client.Payments.Get(b.Context(), "PM000000000001")
					return err
				})
			}
			floor := func() error {
				return benchAtOnce(64, func() error {
					_, err := floorGet(b.Context(), plain, server.URL)
					return err
				})
			}
			// Both use the same connections, which this opens.
			if err := errors.Join(sdk(), floor()); err != nil {
				b.Fatal(err)
			}
			benchOp(b, "sdk", sdk)
			benchOp(b, "floor", floor)
		})
	}
}

// benchAtOnce runs f n times at once and returns one of the errors.
func benchAtOnce(n int, f func() error) error {
	errs := make(chan error, n)
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if err := f(); err != nil {
				errs <- err
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// benchServer is a server on loopback with a transport that trusts it.
func benchServer(tb testing.TB, http2 bool) (*httptest.Server, *http.Transport) {
	tb.Helper()
	text := []byte(benchEnvelope(1))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range benchHeader {
			w.Header()[name] = values
		}
		_, _ = w.Write(text)
	}))
	if http2 {
		server.EnableHTTP2 = true
		server.StartTLS()
	} else {
		server.Start()
	}
	tb.Cleanup(server.Close)
	transport := server.Client().Transport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	tb.Cleanup(transport.CloseIdleConnections)
	return server, transport
}

// BenchmarkWebhook verifies and reads a delivery of 250 events.
func BenchmarkWebhook(b *testing.B) {
	body := benchDelivery(250)
	signature := SignWebhook(body, "secret")
	benchOp(b, "sdk", func() error {
		_, err := ParseWebhook(body, signature, "secret")
		return err
	})
	benchOp(b, "floor", func() error {
		_, err := floorWebhook(body, signature, "secret")
		return err
	})
}
