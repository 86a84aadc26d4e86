package reconcile_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
	"github.com/gocardless-community/gocardless-go/gocardless/money"
	"github.com/gocardless-community/gocardless-go/gocardless/reconcile"
)

// A thousand payouts of random life cycles are explained to the penny.
func TestRandomLives(t *testing.T) {
	l := newLife(t, 1)
	types := map[gocardless.PayoutItemType]int{}
	payouts, converted, taxed := 0, 0, 0
	for payouts < 1000 {
		from := l.sandbox.Now()
		for range 30 {
			l.day()
		}
		params := gocardless.PayoutListParams{CreatedAt: gocardless.TimestampFilter{Gte: from, Lt: l.sandbox.Now()}}
		for report, err := range reconcile.All(t.Context(), l.client, params) {
			if err != nil {
				t.Fatal(err)
			}
			payouts++
			if err := report.Err(); err != nil {
				t.Errorf("%v", err)
			}
			if fx := report.Payout.FX; fx != nil && fx.ExchangeRate != "" {
				converted++
			}
			if report.Totals.Tax.Sign() < 0 {
				taxed++
			}
			sum(t, report)
			for _, line := range report.Lines {
				types[line.Type]++
				if line.Payment == nil || line.Mandate == nil || line.Customer == nil {
					t.Fatalf("payout %s: line %+v is not joined", report.Payout.ID, line)
				}
			}
		}
	}
	t.Logf("%d payouts, %d converted, %d with tax; items %v", payouts, converted, taxed, types)
	for _, want := range []gocardless.PayoutItemType{
		gocardless.PayoutItemTypePaymentPaidOut, gocardless.PayoutItemTypePaymentFailed, gocardless.PayoutItemTypePaymentChargedBack,
		gocardless.PayoutItemTypePaymentRefunded, gocardless.PayoutItemTypeRefundFundsReturned, gocardless.PayoutItemTypeGocardlessFee,
		gocardless.PayoutItemTypeAppFee, gocardless.PayoutItemTypeSurchargeFee,
	} {
		if types[want] == 0 {
			t.Errorf("no item of type %s", want)
		}
	}
	if converted == 0 || taxed == 0 {
		t.Errorf("%d payouts converted, %d taxed", converted, taxed)
	}
}

// sum checks the totals of a report independently: from the CSV, with integers.
func sum(t *testing.T, r *reconcile.Report) {
	t.Helper()
	var out bytes.Buffer
	if err := r.WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(rows) != len(r.Lines)+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	total := int64(0)
	for _, row := range rows[1:] {
		var pounds, pence int64
		minus := strings.HasPrefix(row[4], "-")
		if _, err := fmt.Sscanf(strings.TrimPrefix(row[4], "-"), "%d.%02d", &pounds, &pence); err != nil {
			t.Fatalf("%q: %v", row[4], err)
		}
		if n := 100*pounds + pence; minus {
			total -= n
		} else {
			total += n
		}
		for i, cell := range row {
			if i != 4 && i != 5 && strings.ContainsAny(cell[:min(len(cell), 1)], "=+-@\t\r") {
				t.Fatalf("cell %q would be a formula", cell)
			}
		}
	}
	if total != r.Payout.Amount {
		t.Errorf("payout %s: the rows add up to %d, not %d", r.Payout.ID, total, r.Payout.Amount)
	}
}

// tamper is a transport that plants an error into the replies to requests for a path.
type tamper struct {
	base http.RoundTripper
	path string
	edit func(reply map[string]any)
}

func (p tamper) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := p.base.RoundTrip(r)
	if err != nil || !strings.HasPrefix(r.URL.Path, p.path) {
		return resp, err
	}
	var v map[string]any
	d := json.NewDecoder(resp.Body)
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	p.edit(v)
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Del("Content-Length")
	return resp, nil
}

// Errors of every kind, planted one at a time into a payout that adds up, are found in the right place.
func TestPlantedErrors(t *testing.T) {
	l := newLife(t, 2)
	for range 60 {
		l.day()
	}
	find := func(want func(*reconcile.Report) bool) *reconcile.Report {
		for r, err := range reconcile.All(t.Context(), l.client, gocardless.PayoutListParams{}) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Err() == nil && want(r) {
				return r
			}
		}
		t.Fatal("no payout of the kind wanted")
		return nil
	}
	line := func(r *reconcile.Report, kind gocardless.PayoutItemType) int {
		for i, l := range r.Lines {
			if l.Type == kind {
				return i
			}
		}
		return -1
	}
	const paidOut, fee, refunded = gocardless.PayoutItemTypePaymentPaidOut, gocardless.PayoutItemTypeGocardlessFee, gocardless.PayoutItemTypePaymentRefunded
	large := func(r *reconcile.Report) bool { return len(r.Lines) > 3 }
	has := func(kind gocardless.PayoutItemType) func(*reconcile.Report) bool {
		return func(r *reconcile.Report) bool { return line(r, kind) >= 0 }
	}
	foreign := func(r *reconcile.Report) bool {
		return r.Payout.TaxCurrency != r.Payout.Currency && len(r.Lines[line(r, fee)].Item.Taxes) > 0 && r.Lines[line(r, fee)].Item.Taxes[0].ExchangeRate != ""
	}
	two := func(r *reconcile.Report) bool {
		n := 0
		for _, l := range r.Lines {
			if l.Type == paidOut {
				n++
			}
		}
		return n > 1
	}
	number := func(v any, add int64) json.Number {
		n, err := v.(json.Number).Int64()
		if err != nil {
			t.Fatal(err)
		}
		return json.Number(fmt.Sprint(n + add))
	}
	items := func(v map[string]any) []any { return v["payout_items"].([]any) }
	nth := func(v map[string]any, kind gocardless.PayoutItemType, n int) map[string]any {
		for _, i := range items(v) {
			if i := i.(map[string]any); i["type"] == string(kind) {
				if n--; n < 0 {
					return i
				}
			}
		}
		t.Fatalf("no item %s", kind)
		return nil
	}
	shift := func(item map[string]any, by string) {
		a, err := money.ParseDecimal(item["amount"].(string))
		b, _ := money.ParseDecimal(by)
		if err != nil {
			t.Fatal(err)
		}
		c, _ := a.Add(b)
		item["amount"] = c.String()
	}
	payout := func(v map[string]any) map[string]any { return v["payouts"].(map[string]any) }

	for name, plant := range map[string]struct {
		payout func(*reconcile.Report) bool
		path   string
		edit   func(map[string]any)
		want   string // what the error contains
	}{
		"payout a penny short": {large, "/payouts/", func(v map[string]any) { payout(v)["amount"] = number(payout(v)["amount"], -1) }, "amount is not the sum of the items"},
		"fees a penny more": {large, "/payouts/", func(v map[string]any) { payout(v)["deducted_fees"] = number(payout(v)["deducted_fees"], 1) },
			"deducted_fees is not the sum of the fee items"},
		"a payment a penny less":  {large, "/payout_items", func(v map[string]any) { shift(nth(v, paidOut, 0), "-1") }, "amount is not that of payment PM"},
		"a tenth of a penny more": {large, "/payout_items", func(v map[string]any) { shift(nth(v, paidOut, 0), "0.1") }, "amount is not that of payment PM"},
		"an item is missing":      {large, "/payout_items", func(v map[string]any) { v["payout_items"] = items(v)[1:] }, "amount is not the sum of the items"},
		"an item is doubled": {large, "/payout_items", func(v map[string]any) { v["payout_items"] = append(items(v), nth(v, paidOut, 0)) },
			"links.payment is paid out twice"},
		"a penny moves between payments": {two, "/payout_items", func(v map[string]any) { shift(nth(v, paidOut, 0), "1"); shift(nth(v, paidOut, 1), "-1") },
			"amount is not that of payment PM"},
		"the payment is of another amount": {large, "/payments/", func(v map[string]any) {
			v["payments"].(map[string]any)["amount"] = number(v["payments"].(map[string]any)["amount"], 5)
		}, "amount is not that of payment PM"},
		"the payment is in another currency": {large, "/payments/", func(v map[string]any) { v["payments"].(map[string]any)["currency"] = "NZD" },
			"links.payment is a payment in NZD"},
		"the refund is smaller": {has(refunded), "/refunds/", func(v map[string]any) { v["refunds"].(map[string]any)["amount"] = json.Number("0") },
			"amount is larger than refund RF"},
		"a refund becomes a credit": {has(refunded), "/payout_items", func(v map[string]any) {
			i := nth(v, refunded, 0)
			i["amount"] = strings.TrimPrefix(i["amount"].(string), "-")
		}, "amount is a credit, not a debit"},
		"the conversion is off": {func(r *reconcile.Report) bool { return r.Payout.FX != nil && r.Payout.FX.ExchangeRate != "" }, "/payouts/", func(v map[string]any) {
			fx := payout(v)["fx"].(map[string]any)
			fx["fx_amount"] = number(fx["fx_amount"], 2)
		}, "fx.fx_amount is not the amount at the exchange rate"},
		"a tax is converted wrongly": {foreign, "/payout_items", func(v map[string]any) {
			tax := nth(v, fee, 0)["taxes"].([]any)[0].(map[string]any)
			d, _ := money.ParseDecimal(tax["destination_amount"].(string))
			d, _ = d.Add(money.FromMinor(2))
			tax["destination_amount"] = d.String()
		}, "taxes[0].destination_amount is not the amount at the exchange rate"},
		"a tax is larger than its fee": {foreign, "/payout_items", func(v map[string]any) {
			nth(v, fee, 0)["taxes"].([]any)[0].(map[string]any)["amount"] = "99999.0"
		}, "taxes are larger than the item"},
		"an amount with a comma":       {large, "/payout_items", func(v map[string]any) { nth(v, fee, 0)["amount"] = "-12,5" }, "amount is not a decimal number"},
		"an item without its payment":  {large, "/payout_items", func(v map[string]any) { nth(v, paidOut, 0)["links"] = nil }, "links.payment is missing"},
		"an amount beyond all numbers": {large, "/payout_items", func(v map[string]any) { nth(v, fee, 0)["amount"] = "999999999999999999" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			before := find(plant.payout)
			spoiled := l.sandbox.Client(gocardless.WithHTTPClient(&http.Client{Transport: tamper{l.sandbox.Transport(), plant.path, plant.edit}}))
			report, err := reconcile.Payout(t.Context(), spoiled, before.Payout.ID)
			if err != nil {
				t.Fatal(err)
			}
			if err := report.Err(); err == nil || !strings.Contains(err.Error(), plant.want) || !strings.Contains(err.Error(), before.Payout.ID) {
				t.Errorf("error = %v, want %q", err, plant.want)
			}
		})
	}
}

// The error of a request is returned, unless it means that the resource no longer exists.
func TestRequestsThatFail(t *testing.T) {
	l := newLife(t, 3)
	for range 20 {
		l.day()
	}
	var id string
	for r, err := range reconcile.All(t.Context(), l.client, gocardless.PayoutListParams{}) {
		if err != nil {
			t.Fatal(err)
		}
		id = r.Payout.ID
	}
	if _, err := reconcile.Payout(t.Context(), l.client, "PO404"); !errors.Is(err, gocardless.ErrNotFound) {
		t.Errorf("an unknown payout: %v", err)
	}
	l.sandbox.Inject(gocardlesstest.Fault{Operation: "customers.get", Status: http.StatusGone, Times: -1})
	r, err := reconcile.Payout(t.Context(), l.client, id)
	if err != nil || r.Err() != nil || r.Lines[0].Customer != nil || r.Lines[0].Mandate == nil {
		t.Errorf("a customer that was removed: %+v, %v", r, err)
	}
	l.sandbox.Inject(gocardlesstest.Fault{Operation: "mandates.get", Status: http.StatusForbidden, Times: -1})
	if _, err := reconcile.Payout(t.Context(), l.client, id); !errors.Is(err, gocardless.ErrPermission) {
		t.Errorf("a request that is refused: %v", err)
	}
	l.sandbox.ClearFaults()
	l.sandbox.Advance(200 * 24 * time.Hour)
	if _, err := reconcile.Payout(t.Context(), l.client, id); err == nil || !strings.Contains(err.Error(), "items of payout "+id) {
		t.Errorf("a payout of last year: %v", err)
	}
	for _, err := range reconcile.All(t.Context(), l.client, gocardless.PayoutListParams{}) {
		if err == nil {
			t.Error("All goes on over a payout without items")
		}
	}
}

// No cell is a formula for a spreadsheet, whatever the fields contain.
func TestCSVIsHarmless(t *testing.T) {
	line := func(description, name string) reconcile.Line {
		return reconcile.Line{
			Type: gocardless.PayoutItemTypePaymentPaidOut, Amount: money.FromMinor(-1250), Item: &gocardless.PayoutItem{Amount: "-1250.0"},
			Payment:  &gocardless.Payment{ID: "PM1", Description: description},
			Customer: &gocardless.Customer{ID: "CU1", GivenName: name},
		}
	}
	report := &reconcile.Report{Payout: &gocardless.Payout{ID: "PO1", Currency: gocardless.CurrencyGBP}}
	for _, s := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "＝1", "＋1", "－1", "＠1"} {
		report.Lines = append(report.Lines, line(s, s))
	}
	report.Lines = append(report.Lines, line("tea; a \"box\", 1+1=2", "Ann"))
	var out bytes.Buffer
	if err := report.WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(rows[0], " ") != strings.Join(reconcile.Columns, " ") {
		t.Errorf("header = %v", rows[0])
	}
	for _, row := range rows[1 : len(rows)-1] {
		if row[4] != "-12.50" || !strings.HasPrefix(row[9], "'") || !strings.HasPrefix(row[14], "'") {
			t.Errorf("row = %q", row)
		}
	}
	if last := rows[len(rows)-1]; last[9] != "tea; a \"box\", 1+1=2" || last[14] != "Ann" {
		t.Errorf("row = %q", last)
	}
	if err := report.WriteCSV(brokenWriter{}); err == nil {
		t.Error("a failed write is no error")
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }
