package gocardless

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
)

// The benchmarks come in pairs, sdk and floor, so that benchstat and "make bench" can put the
// two next to each other in one run: go test -bench . -run '^$' ./gocardless

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

// benchEnvelope is the reply to a call that gets a payment.
var benchEnvelope = benchFixed(`{"payments":` + benchPayment(1) + `}`)

// benchOp runs f as often as the benchmark asks and reports allocations and the CPU time of the
// process, which means more than the time on a busy machine.
func benchOp(b *testing.B, name string, f func() error) { benchOn(b, 0, name, f) }

// benchOn is benchOp on so many processors, all of them if 0.
func benchOn(b *testing.B, processors int, name string, f func() error) {
	b.Run(name, func(b *testing.B) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		b.ReportAllocs()
		runtime.GC() // what others have left
		began, _ := processUsage()
		for b.Loop() {
			if err := f(); err != nil {
				b.Fatal(err)
			}
		}
		ended, _ := processUsage()
		if used := ended - began; used > 0 {
			b.ReportMetric(float64(used)/float64(b.N), "cpu-ns/op")
		}
	})
}

func BenchmarkGet(b *testing.B) {
	transport := benchEnvelope
	client, plain := benchClient(b, transport), &http.Client{Transport: transport}
	benchOp(b, "sdk", func() error {
		_, err := client.Payments.Get(b.Context(), "PM000000000001")
		return err
	})
	benchOp(b, "floor", func() error {
		err := floorGet(b.Context(), plain, benchBase)
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
	transport := benchEnvelope
	client, plain := benchClient(b, transport), &http.Client{Transport: transport}
	benchOp(b, "sdk", func() error { return benchCreate(b.Context(), client) })
	benchOp(b, "floor", func() error {
		_, err := floorPost(b.Context(), plain)
		return err
	})
}

// BenchmarkDecodePage decodes a page, without requesting it.
func BenchmarkDecodePage(b *testing.B) { benchDecodePage(b, 0) }

// BenchmarkDecodePageAlone has one processor. With two, more than half of what the page costs is the same
// for every reader, because the garbage collector runs on the other one.
func BenchmarkDecodePageAlone(b *testing.B) { benchDecodePage(b, 1) }

func benchDecodePage(b *testing.B, processors int) {
	text := []byte(benchPage(500, `"PM000001"`))
	benchOn(b, processors, "sdk", func() error {
		b.SetBytes(int64(len(text)))
		return decodePaymentPage(text)
	})
	benchOn(b, processors, "floor", func() error {
		b.SetBytes(int64(len(text)))
		var page floorPage
		return json.Unmarshal(text, &page)
	})
}

// decodePaymentPage reads a page of payments as a list does.
func decodePaymentPage(text []byte) error {
	r := &pageReply{items: new([]*Payment), item: (*itemOfPaymentsList)(nil)}
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

// BenchmarkPage requests and decodes a page.
func BenchmarkPage(b *testing.B) {
	transport := newBenchList(1)
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
	transport := newBenchList(200)
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

// BenchmarkMemory iterates over 100,000 payments and then over a million, and reports the most
// memory that the process has had by then. It does not grow.
func BenchmarkMemory(b *testing.B) {
	for _, items := range []int{100_000, 1_000_000} {
		b.Run(strconv.Itoa(items), func(b *testing.B) {
			client := benchClient(b, newBenchList(items/500))
			for b.Loop() {
				for _, err := range client.Payments.All(b.Context(), PaymentListParams{Limit: 500}) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			if _, peak := processUsage(); peak > 0 {
				b.ReportMetric(float64(peak), "peak-B")
			}
		})
	}
}

// BenchmarkNew creates a client.
func BenchmarkNew(b *testing.B) {
	benchOp(b, "sdk", func() error {
		_, err := New(benchToken, EnvironmentLive)
		return err
	})
}

// BenchmarkConcurrent makes 64 gets at the same time over loopback; an operation is all of them.
func BenchmarkConcurrent(b *testing.B) {
	for _, proto := range []string{"http1", "http2"} {
		b.Run(proto, func(b *testing.B) {
			url, transport := benchServer(b, proto)
			client := benchClient(b, transport, WithBaseURL(url))
			plain := &http.Client{Transport: transport}
			sdk := func() error {
				return benchAtOnce(64, func() error {
					_, err := client.Payments.Get(b.Context(), "PM000000000001")
					return err
				})
			}
			floor := func() error {
				return benchAtOnce(64, func() error {
					return floorGet(b.Context(), plain, url)
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
