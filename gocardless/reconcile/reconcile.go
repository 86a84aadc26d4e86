// Package reconcile explains payouts: which payments, refunds and fees a payout consists of, to
// which customers they belong, and whether they add up to the amount that arrived in the bank
// account.
//
//	report, err := reconcile.Payout(ctx, client, "PO123")
//	err = report.Err()          // nil: every penny is explained
//	err = report.WriteCSV(file) // for accountants
//
// The arithmetic is exact. Amounts are in minor units, as in the API, and may have a fraction:
// GoCardless calculates fees to a tenth of a penny.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/money"
)

// Report explains a payout.
type Report struct {
	Payout *gocardless.Payout
	// Lines are the items of the payout, in the API's order.
	Lines []Line
	// Totals are the sums of the lines.
	Totals Totals
	// Problems lists everything that does not add up; it is empty for a payout that is explained to
	// the penny.
	Problems []Problem
}

// Line is an item of a payout with its related resources. A resource is nil if the item does not
// link to it or if it no longer exists, such as a customer whose data was removed.
type Line struct {
	Type gocardless.PayoutItemType
	// Amount is the item's amount: positive for a credit, negative for a debit.
	Amount money.Decimal
	// Tax is the part of Amount that is tax, with the sign of Amount.
	Tax money.Decimal

	Item     *gocardless.PayoutItem
	Payment  *gocardless.Payment
	Refund   *gocardless.Refund
	Mandate  *gocardless.Mandate
	Customer *gocardless.Customer
}

// Totals are sums over the lines of a payout, each with the sign of its items. All but Tax add up to
// Net.
type Totals struct {
	// Payments is the sum of the collected payments.
	Payments money.Decimal
	// TakenBack is the sum of payments that failed late or were charged back.
	TakenBack money.Decimal
	// Refunds is the sum of refunds, less those whose money was returned.
	Refunds money.Decimal
	// Fees is the sum of the fees of GoCardless and of the app, and of surcharges, with their tax.
	Fees money.Decimal
	// Tax is the part of Fees that is tax.
	Tax money.Decimal
	// Other is the sum of a partner's revenue share and of types that this version does not know.
	Other money.Decimal
	// Net is the sum of all lines.
	Net money.Decimal
}

// Payout fetches a payout, its items, and the payments, refunds, mandates and customers that they
// link to, and checks that the payout adds up. It makes one request for each of these, on the bulk
// lane of the rate limit. The error reports a failed request, Report.Err items that do not add up.
//
// The API keeps the items of a payout for six months, and answers 410 after that.
func Payout(ctx context.Context, client *gocardless.Client, id string) (*Report, error) {
	payout, err := client.Payouts.Get(ctx, id, gocardless.WithBulkLane())
	if err != nil {
		return nil, fmt.Errorf("reconcile: payout: %w", err)
	}
	return explain(ctx, newFetcher(client), payout)
}

// All explains the payouts that params select, one after the other. Resources that several payouts
// share are fetched once. It stops at the first error.
func All(ctx context.Context, client *gocardless.Client, params gocardless.PayoutListParams) iter.Seq2[*Report, error] {
	return func(yield func(*Report, error) bool) {
		f := newFetcher(client)
		for payout, err := range client.Payouts.All(ctx, params, gocardless.WithBulkLane()) {
			if err != nil {
				yield(nil, fmt.Errorf("reconcile: payouts: %w", err))
				return
			}
			report, err := explain(ctx, f, payout)
			if !yield(report, err) || err != nil {
				return
			}
		}
	}
}

func explain(ctx context.Context, f *fetcher, payout *gocardless.Payout) (*Report, error) {
	r := &Report{Payout: payout}
	params := gocardless.PayoutItemListParams{Payout: payout.ID, Limit: 500}
	for item, err := range f.client.PayoutItems.All(ctx, params, gocardless.WithBulkLane()) {
		if err != nil {
			return nil, fmt.Errorf("reconcile: items of payout %s: %w", payout.ID, err)
		}
		r.Lines = append(r.Lines, Line{Type: item.Type, Item: item})
	}
	if err := f.join(ctx, r.Lines); err != nil {
		return nil, fmt.Errorf("reconcile: payout %s: %w", payout.ID, err)
	}
	r.check()
	return r, nil
}

// Err returns nil if the payout adds up, or an error that joins the problems.
func (r *Report) Err() error {
	errs := make([]error, len(r.Problems))
	for i, p := range r.Problems {
		errs[i] = p
	}
	return errors.Join(errs...)
}

// Problem is something in a payout that does not add up. It is an error.
type Problem struct {
	Payout string
	// Line is the index of the line, or -1 for a problem of the payout as a whole.
	Line int
	// Field is the field that is wrong, as in the API: "amount", "deducted_fees", "taxes[0].amount".
	Field string
	// Message describes the problem.
	Message string
	// Want and Got are the amounts that should be equal, if the problem is about amounts.
	Want, Got string
}

// Error names the payout, the line and the field.
func (p Problem) Error() string {
	where := "payout " + p.Payout
	if p.Line >= 0 {
		where = fmt.Sprintf("%s, item %d", where, p.Line)
	}
	text := fmt.Sprintf("reconcile: %s: %s %s", where, p.Field, p.Message)
	if p.Want != "" || p.Got != "" {
		text += fmt.Sprintf(": %s instead of %s", p.Got, p.Want)
	}
	return text
}
