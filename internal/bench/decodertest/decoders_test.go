package decodertest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bytedance/sonic"
	goccy "github.com/goccy/go-json"
	"github.com/mailru/easyjson"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

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

// fixed is a transport that returns the same reply each time.
type fixed string

func (f fixed) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
		Body: io.NopCloser(strings.NewReader(string(f))), ContentLength: int64(len(f)),
	}, nil
}

// TestDecoders requests the same page with each decoder, in turns, and fails if the SDK is not the
// fastest. It measures the CPU time of the process.
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

		bound bool // not a decoder, but the least that one can take
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
		{name: "easyjson", page: by(func(text []byte, v any) error { return easyjson.Unmarshal(text, v.(*page)) })},
		{name: "encoding/json", page: by(json.Unmarshal)},
		{name: "memory alone", page: memoryAlone, bound: true},
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
			if round > 0 { // the first round builds the decoders
				d.runs = append(d.runs, (cpu(t)-began)/pages)
			}
		}
	}
	for i := range decoders {
		d := &decoders[i]
		slices.Sort(d.runs)
		t.Logf("%-22s %v (%v to %v)", d.name, d.runs[rounds/2], d.runs[0], d.runs[rounds-1])
		if i > 0 && !d.bound && d.runs[rounds/2] <= decoders[0].runs[rounds/2] {
			t.Errorf("%s is ahead of the SDK", d.name)
		}
	}
}

// memoryAlone allocates what a page of the SDK consists of, without decoding anything.
func memoryAlone() (int, error) {
	const text = "PM000000000123Monthly subscription 23REF-000123ORD-000001231.1234567890MD000000000041CR000012345678PO000000000000"
	list := make([]*gocardless.Payment, items)
	for i := range list {
		list[i] = &gocardless.Payment{FX: new(gocardless.FX), Links: new(gocardless.PaymentLinks), Metadata: gocardless.Metadata{}}
		own := strings.Clone(text)
		list[i].ID, list[i].Metadata["order_id"] = own[:14], own[47:59]
	}
	runtime.KeepAlive(list)
	return len(list), nil
}

func cpu(t *testing.T) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
