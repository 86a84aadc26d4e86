// Package decodertest holds the SDK's decoder against the fastest decoders for any type. It is a module
// of its own, run by "make bench-decoders", so that the SDK does not depend on them.
package decodertest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bytedance/sonic"
	goccy "github.com/goccy/go-json"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// payment is the fields that a page of payments has.
type payment struct {
	ID             string            `json:"id"`
	CreatedAt      time.Time         `json:"created_at"`
	ChargeDate     string            `json:"charge_date"`
	Amount         int64             `json:"amount"`
	Description    string            `json:"description"`
	Currency       string            `json:"currency"`
	Status         string            `json:"status"`
	AmountRefunded int64             `json:"amount_refunded"`
	Reference      string            `json:"reference"`
	Metadata       map[string]string `json:"metadata"`
	FX             *struct {
		FXCurrency            string `json:"fx_currency"`
		FXAmount              *int64 `json:"fx_amount"`
		ExchangeRate          string `json:"exchange_rate"`
		EstimatedExchangeRate string `json:"estimated_exchange_rate"`
	} `json:"fx"`
	RetryIfPossible bool   `json:"retry_if_possible"`
	FasterACH       *bool  `json:"faster_ach"`
	AppFee          *int64 `json:"app_fee"`
	Scheme          string `json:"scheme"`
	Links           *struct {
		Mandate            string `json:"mandate"`
		Creditor           string `json:"creditor"`
		Payout             string `json:"payout"`
		Subscription       string `json:"subscription"`
		InstalmentSchedule string `json:"instalment_schedule"`
	} `json:"links"`
}

type page struct {
	Payments []*payment `json:"payments"`
	Meta     struct {
		Cursors struct{ Before, After string } `json:"cursors"`
		Limit   int                            `json:"limit"`
	} `json:"meta"`
}

const items = 500

// reply is a page as the API writes it.
func reply() string {
	list := make([]string, items)
	for n := range list {
		list[n] = fmt.Sprintf(`{"id":"PM%012d","created_at":"2025-%02d-%02dT10:20:06.000Z","charge_date":"2025-%02d-%02d","amount":%d,`+
			`"description":"Monthly subscription %d","currency":"GBP","status":"confirmed","amount_refunded":0,"reference":"REF-%06d",`+
			`"metadata":{"order_id":"ORD-%08d"},"fx":{"fx_currency":"EUR","fx_amount":null,"exchange_rate":null,"estimated_exchange_rate":"1.1234567890"},`+
			`"retry_if_possible":false,"faster_ach":null,"app_fee":null,"scheme":"bacs",`+
			`"links":{"mandate":"MD%012d","creditor":"CR000012345678","payout":"PO%012d"}}`,
			n, 1+n%12, 1+n%28, 1+n%12, 1+n%28, 1000+n, n%50, n, n, n/3, n/200)
	}
	return `{"payments":[` + strings.Join(list, ",") + `],"meta":{"cursors":{"before":null,"after":null},"limit":500}}`
}

// fixed is a transport that gives the same reply each time.
type fixed string

func (f fixed) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
		Body: io.NopCloser(strings.NewReader(string(f))), ContentLength: int64(len(f)),
	}, nil
}

// TestDecoders requests the same page with each decoder, in turns, and fails if the SDK is not
// ahead of all others. What counts is the CPU time of the process.
func TestDecoders(t *testing.T) {
	text := reply()
	client, err := gocardless.New("token-of-a-benchmark", gocardless.EnvironmentLive, gocardless.WithHTTPClient(&http.Client{Transport: fixed(text)}))
	if err != nil {
		t.Fatal(err)
	}
	plain := &http.Client{Transport: fixed(text)}
	by := func(unmarshal func([]byte, any) error) func() (int, error) {
		return func() (int, error) {
			resp, err := plain.Get("https://api.gocardless.com/payments?limit=500")
			if err != nil {
				return 0, err
			}
			body := make([]byte, resp.ContentLength)
			if _, err := io.ReadFull(resp.Body, body); err != nil {
				return 0, err
			}
			var p page
			err = unmarshal(body, &p)
			return len(p.Payments), err
		}
	}
	decoders := []struct {
		name string
		page func() (int, error)
		runs []time.Duration
	}{
		{name: "SDK", page: func() (int, error) {
			p, err := client.Payments.List(context.Background(), gocardless.PaymentListParams{Limit: 500})
			if err != nil {
				return 0, err
			}
			return len(p.Items), nil
		}},
		{name: "sonic", page: by(sonic.Unmarshal)},
		{name: "sonic, strings copied", page: by(sonic.ConfigStd.Unmarshal)},
		{name: "goccy/go-json", page: by(goccy.Unmarshal)},
		{name: "encoding/json", page: by(json.Unmarshal)},
	}
	const rounds, pages = 15, 60
	for round := range rounds + 1 {
		for i := range decoders {
			d := &decoders[i]
			began := cpu(t)
			for range pages {
				if n, err := d.page(); err != nil || n != items {
					t.Fatalf("%s: %d items, %v", d.name, n, err)
				}
			}
			if round > 0 { // the first makes the decoders
				d.runs = append(d.runs, (cpu(t)-began)/pages)
			}
		}
	}
	for i := range decoders {
		d := &decoders[i]
		slices.Sort(d.runs)
		t.Logf("%-22s %v (%v to %v)", d.name, d.runs[rounds/2], d.runs[0], d.runs[rounds-1])
		if i > 0 && d.runs[rounds/2] <= decoders[0].runs[rounds/2] {
			t.Errorf("%s is ahead of the SDK", d.name)
		}
	}
}

func cpu(t *testing.T) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
