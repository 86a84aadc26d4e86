package gocardless

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// This file holds the data of the benchmarks and the guards: replies as the API writes them, and a
// transport that returns them without a network.

// benchPayment is payment number n as the API writes it, about 570 bytes.
func benchPayment(n int) string {
	statuses := [...]string{"pending_submission", "submitted", "confirmed", "paid_out"}
	return fmt.Sprintf(`{"id":"PM%012d","created_at":"2025-%02d-%02dT%02d:%02d:06.000Z","charge_date":"2025-%02d-%02d","amount":%d,`+
		`"description":"Monthly subscription %d","currency":"GBP","status":%q,"amount_refunded":0,"reference":"REF-%06d",`+
		`"metadata":{"order_id":"ORD-%08d"},"fx":{"fx_currency":"EUR","fx_amount":null,"exchange_rate":null,"estimated_exchange_rate":"1.1234567890"},`+
		`"retry_if_possible":false,"faster_ach":null,"app_fee":null,"scheme":"bacs",`+
		`"links":{"mandate":"MD%012d","creditor":"CR000012345678","payout":"PO%012d"}}`,
		n, 1+n%12, 1+n%28, n%24, n%60, 1+n%12, 1+n%28, 1000+n, n%50, statuses[n%4], n, n, n/3, n/200)
}

// benchPage is a page of payments, newest first; cursor is JSON.
func benchPage(count int, cursor string) string {
	var b strings.Builder
	b.WriteString(`{"payments":[`)
	for i := range count {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(benchPayment(count - i))
	}
	fmt.Fprintf(&b, `],"meta":{"cursors":{"before":null,"after":%s},"limit":%d}}`, cursor, count)
	return b.String()
}

// benchList is a transport that serves a list. Its replies are made beforehand, so that a
// benchmark measures the client: all pages hold the same 500 payments, only the cursors differ.
type benchList struct {
	head, tail string // of a page, around the cursor
	pages      int
}

func newBenchList(pages int) *benchList {
	head, tail, _ := strings.Cut(benchPage(500, `"CURSOR"`), `"CURSOR"`)
	return &benchList{head, tail, pages}
}

func (l *benchList) RoundTrip(req *http.Request) (*http.Response, error) {
	n := 0
	if _, after, ok := strings.Cut(req.URL.RawQuery, "after=PM"); ok {
		n, _ = strconv.Atoi(after[:6])
	}
	cursor := "null"
	if n < l.pages-1 {
		cursor = fmt.Sprintf(`"PM%06d"`, n+1)
	}
	body := &benchBody{parts: [3]string{l.head, cursor, l.tail}}
	return benchReply(req, body, int64(len(l.head)+len(cursor)+len(l.tail))), nil
}

// benchBody reads three strings, one after the other.
type benchBody struct{ parts [3]string }

func (b *benchBody) Read(buf []byte) (int, error) {
	for i := range b.parts {
		if b.parts[i] != "" {
			n := copy(buf, b.parts[i])
			b.parts[i] = b.parts[i][n:]
			return n, nil
		}
	}
	return 0, io.EOF
}

func (b *benchBody) Close() error { return nil }

// benchFixed is a transport that always returns the same reply.
type benchFixed string

func (f benchFixed) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return nil, err
		}
		if err := req.Body.Close(); err != nil {
			return nil, err
		}
	}
	return benchReply(req, io.NopCloser(bytes.NewReader([]byte(f))), int64(len(f))), nil
}

func benchReply(req *http.Request, body io.ReadCloser, length int64) *http.Response {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: benchHeader.Clone(), Body: body, ContentLength: length, Request: req,
	}
}

var benchHeader = http.Header{
	"Content-Type":        {"application/json"},
	"X-Request-Id":        {"23BF10A796B4_0A14944D1F92_65EF6E25_831F0001"},
	"Ratelimit-Limit":     {"1000"},
	"Ratelimit-Remaining": {"999"},
	"Ratelimit-Reset":     {"Wed, 19 Apr 2023 16:10:00 GMT"},
}

// benchDelivery is the body of a webhook.
func benchDelivery(events int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"events":[`)
	for n := range events {
		if n > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"EV%012d","created_at":"2025-%02d-%02dT10:00:00.000Z","resource_type":"payments","action":"confirmed",`+
			`"links":{"payment":"PM%012d","organisation":"OR000012345678"},`+
			`"details":{"origin":"gocardless","cause":"payment_confirmed","description":"Enough time has passed since the payment was submitted."},`+
			`"metadata":{},"resource_metadata":{"order_id":"ORD-%08d"}}`, n, 1+n%12, 1+n%28, n, n)
	}
	b.WriteString(`],"meta":{"webhook_id":"WB000000000001"}}`)
	return b.Bytes()
}
