package gocardlesstest

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// slowTransport delays replies, in the time of the test's bubble.
type slowTransport struct{ http.RoundTripper }

const replyTime = 50 * time.Millisecond

func (s slowTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(replyTime)
	return s.RoundTripper.RoundTrip(req)
}

// TestExportOfALargeAccount reads 100,000 payments, page by page and with eight workers, from a
// transport with a delay of 50 ms.
func TestExportOfALargeAccount(t *testing.T) {
	if testing.Short() {
		t.Skip("creates 100,000 payments")
	}
	total, share := 100_000, 1.0/6
	if raceDetector {
		// Enough to reveal races, but too few to show the gain in speed.
		total, share = 10_000, 1.0/2
	}
	now := monday
	sb := New(WithClock(func() time.Time { return now }), WithRateLimit(0))
	c := &world{caller: &caller{t, sb, sb.Transport(), false}}
	c.customer = c.ok("POST", "/customers", customerBody).Str("id")
	c.account = c.ok("POST", "/customer_bank_accounts", `{"customer_bank_accounts":{`+ukAccount+`,"links":{"customer":"`+c.customer+`"}}}`).Str("id")
	c.mandate = c.ok("POST", "/mandates", `{"mandates":{"links":{"customer_bank_account":"`+c.account+`"}}}`).Str("id")
	body := `{"payments":{"amount":100,"currency":"GBP","links":{"mandate":"` + c.mandate + `"}}}`
	header := http.Header{"Authorization": {"Bearer t"}, "Gocardless-Version": {"2015-07-06"}, "Content-Type": {"application/json"}}
	r := rand.New(rand.NewPCG(1, 2))
	for range total {
		// As in practice, gaps differ, and some payments share a time.
		now = now.Add(time.Duration(r.ExpFloat64() * float64(20*time.Millisecond)).Truncate(time.Millisecond))
		req, err := http.NewRequest("POST", "https://api-sandbox.gocardless.com/payments", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = header
		resp, err := sb.Transport().RoundTrip(req)
		if err != nil || resp.StatusCode != http.StatusCreated {
			t.Fatalf("creating a payment: %v, %v", resp, err)
		}
	}

	var took [2]time.Duration
	var ids [2][]string
	for i := range took {
		synctest.Test(t, func(t *testing.T) {
			client := sb.Client(gocardless.WithHTTPClient(&http.Client{Transport: slowTransport{sb.Transport()}}))
			items := client.Payments.All(t.Context(), gocardless.PaymentListParams{Limit: 500})
			if i == 1 {
				items = gocardless.NewExporter(client.Payments.List, gocardless.PaymentListParams{}, gocardless.ExportOptions{Workers: 8}).All(t.Context())
			}
			began := time.Now()
			for p, err := range items {
				if err != nil {
					t.Fatal(err)
				}
				ids[i] = append(ids[i], p.ID)
			}
			took[i] = time.Since(began)
		})
	}
	if len(ids[0]) != total || len(ids[1]) != total {
		t.Fatalf("got %d payments in sequence and %d at once, want %d", len(ids[0]), len(ids[1]), total)
	}
	for n := range ids[0] {
		if ids[0][n] != ids[1][n] {
			t.Fatalf("payment %d is %s at once, want %s", n, ids[1][n], ids[0][n])
		}
	}
	ratio := float64(took[1]) / float64(took[0])
	t.Logf("%v in sequence, %v with 8 workers: %.3f", took[0], took[1], ratio)
	if ratio > share {
		t.Errorf("8 workers took %.3f of the time of reading in sequence, want at most %.3f", ratio, share)
	}
}
