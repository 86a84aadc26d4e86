package reconcile

import (
	"fmt"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/money"
)

// check reads the amounts, adds them up, and lists the problems.
func (r *Report) check() {
	c := checker{Report: r, seen: map[string]int{}}
	for i := range r.Lines {
		c.line = i
		c.checkLine(&r.Lines[i])
	}
	c.line = -1
	c.checkPayout()
}

type checker struct {
	*Report
	line int            // the index of the line being checked, or -1
	seen map[string]int // the lines of payments that are paid out, by payment
	odd  bool           // whether an amount could not be read or added
}

func (c *checker) problem(field, message string, want, got fmt.Stringer) {
	p := Problem{Payout: c.Payout.ID, Line: c.line, Field: field, Message: message}
	if want != nil {
		p.Want, p.Got = want.String(), got.String()
	}
	c.Problems = append(c.Problems, p)
}

// decimal reads an amount, and reports whether it could.
func (c *checker) decimal(field, s string) (money.Decimal, bool) {
	d, err := money.ParseDecimal(s)
	if err != nil {
		c.odd = true
		c.problem(field, "is not a decimal number", nil, nil)
	}
	return d, err == nil
}

// add adds to a sum.
func (c *checker) add(sum *money.Decimal, d money.Decimal) {
	v, err := sum.Add(d)
	if err != nil {
		c.odd = true
		c.problem("amount", "is out of range", nil, nil)
		return
	}
	*sum = v
}

func (c *checker) checkLine(l *Line) {
	var ok bool
	if l.Amount, ok = c.decimal("amount", l.Item.Amount); !ok {
		return
	}
	c.add(c.total(l.Type), l.Amount)
	c.add(&c.Totals.Net, l.Amount)
	c.checkTaxes(l)
	c.add(&c.Totals.Tax, l.Tax)
	switch l.Type {
	case gocardless.PayoutItemTypePaymentPaidOut:
		c.checkSign(l, +1)
		c.checkWhole(l)
	case gocardless.PayoutItemTypePaymentFailed, gocardless.PayoutItemTypePaymentChargedBack:
		c.checkSign(l, -1)
		c.checkPart(l)
	case gocardless.PayoutItemTypePaymentRefunded, gocardless.PayoutItemTypeRefund:
		c.checkSign(l, -1)
		c.checkRefund(l)
	case gocardless.PayoutItemTypeRefundFundsReturned:
		c.checkSign(l, +1)
		c.checkRefund(l)
	}
	if l.Payment != nil && l.Payment.Currency != c.Payout.Currency {
		c.problem("links.payment", "is a payment in "+string(l.Payment.Currency)+", not "+string(c.Payout.Currency), nil, nil)
	}
}

// total returns the sum to which items of a type are added.
func (c *checker) total(kind gocardless.PayoutItemType) *money.Decimal {
	switch kind {
	case gocardless.PayoutItemTypePaymentPaidOut:
		return &c.Totals.Payments
	case gocardless.PayoutItemTypePaymentFailed, gocardless.PayoutItemTypePaymentChargedBack:
		return &c.Totals.TakenBack
	case gocardless.PayoutItemTypePaymentRefunded, gocardless.PayoutItemTypeRefund, gocardless.PayoutItemTypeRefundFundsReturned:
		return &c.Totals.Refunds
	case gocardless.PayoutItemTypeGocardlessFee, gocardless.PayoutItemTypeAppFee, gocardless.PayoutItemTypeSurchargeFee:
		return &c.Totals.Fees
	}
	return &c.Totals.Other
}

func (c *checker) checkSign(l *Line, sign int) {
	if l.Amount.Sign() == -sign {
		c.problem("amount", map[int]string{+1: "is a debit, not a credit", -1: "is a credit, not a debit"}[sign], nil, nil)
	}
}

// checkWhole checks that a payment is paid out in full, and only once.
func (c *checker) checkWhole(l *Line) {
	switch {
	case l.Payment == nil:
		c.problem("links.payment", "is missing, or leads to no payment", nil, nil)
		return
	case l.Amount != money.FromMinor(l.Payment.Amount):
		c.problem("amount", "is not that of payment "+l.Payment.ID, money.FromMinor(l.Payment.Amount), l.Amount)
	}
	if first, again := c.seen[l.Payment.ID]; again {
		c.problem("links.payment", fmt.Sprintf("is paid out twice: see item %d", first), nil, nil)
		return
	}
	c.seen[l.Payment.ID] = c.line
}

// checkPart checks an amount that is taken back from a payment. Several payouts may share it.
func (c *checker) checkPart(l *Line) {
	if l.Payment == nil {
		c.problem("links.payment", "is missing, or leads to no payment", nil, nil)
		return
	}
	c.checkAtMost(l, l.Payment.Amount, "payment "+l.Payment.ID)
}

func (c *checker) checkRefund(l *Line) {
	if l.Refund == nil {
		c.problem("links.refund", "is missing, or leads to no refund", nil, nil)
		return
	}
	c.checkAtMost(l, l.Refund.Amount, "refund "+l.Refund.ID)
	if l.Refund.Currency != c.Payout.Currency {
		c.problem("links.refund", "is a refund in "+string(l.Refund.Currency)+", not "+string(c.Payout.Currency), nil, nil)
	}
}

// checkAtMost checks that an item is not larger than the amount of its payment or refund.
func (c *checker) checkAtMost(l *Line, amount int64, of string) {
	limit := money.FromMinor(amount)
	if rest, err := limit.Sub(abs(l.Amount)); err != nil || rest.Sign() < 0 {
		c.problem("amount", "is larger than "+of, limit, abs(l.Amount))
	}
}

// checkTaxes adds up the taxes of an item and checks their conversion.
func (c *checker) checkTaxes(l *Line) {
	var sum money.Decimal
	for i, t := range l.Item.Taxes {
		at := fmt.Sprintf("taxes[%d].", i)
		amount, ok := c.decimal(at+"amount", t.Amount)
		if !ok {
			continue
		}
		c.add(&sum, abs(amount))
		if t.Currency != "" && t.Currency != c.Payout.Currency {
			c.problem(at+"currency", "is "+string(t.Currency)+", not "+string(c.Payout.Currency), nil, nil)
		}
		if t.DestinationAmount != "" {
			c.checkTaxConversion(at, t, abs(amount))
		}
	}
	l.Tax = sum
	if l.Amount.Sign() < 0 {
		l.Tax = sum.Neg()
	}
	if rest, err := abs(l.Amount).Sub(sum); err != nil || rest.Sign() < 0 {
		c.problem("taxes", "are larger than the item", abs(l.Amount), sum)
	}
}

func (c *checker) checkTaxConversion(at string, t gocardless.PayoutItemTax, amount money.Decimal) {
	destination, ok := c.decimal(at+"destination_amount", t.DestinationAmount)
	if !ok {
		return
	}
	rate := money.FromMinor(1)
	if t.DestinationCurrency != "" && t.DestinationCurrency != t.Currency {
		if rate, ok = c.decimal(at+"exchange_rate", t.ExchangeRate); !ok {
			return
		}
	}
	c.checkConversion(at+"destination_amount", amount, rate, abs(destination))
}

// checkConversion checks an amount that was converted. Because the API does not document how it
// rounds, a difference of less than one minor unit is accepted.
func (c *checker) checkConversion(field string, amount, rate, got money.Decimal) {
	want, err := amount.Mul(rate)
	if err != nil {
		c.odd = true
		c.problem(field, "is out of range", nil, nil)
		return
	}
	rest, err := got.Sub(want)
	if whole, _ := rest.MinorUnits(); err != nil || whole != 0 {
		c.problem(field, "is not the amount at the exchange rate", want, got)
	}
}

// checkPayout checks the payout's own amounts: against the sums, unless a line could not be read, and
// at the exchange rate.
func (c *checker) checkPayout() {
	if !c.odd {
		// The API rounds the sum of the items to a whole minor unit.
		if net := c.Totals.Net; !rounds(net, c.Payout.Amount) {
			c.problem("amount", "is not the sum of the items", net, money.FromMinor(c.Payout.Amount))
		}
		if fees := c.Totals.Fees.Neg(); !rounds(fees, c.Payout.DeductedFees) {
			c.problem("deducted_fees", "is not the sum of the fee items", fees, money.FromMinor(c.Payout.DeductedFees))
		}
	}
	if fx := c.Payout.FX; fx != nil && fx.FXAmount != nil && fx.ExchangeRate != "" {
		if rate, ok := c.decimal("fx.exchange_rate", fx.ExchangeRate); ok {
			c.checkConversion("fx.fx_amount", money.FromMinor(c.Payout.Amount), rate, money.FromMinor(*fx.FXAmount))
		}
	}
}

// rounds reports whether a sum rounds to a whole number, up or down.
func rounds(sum money.Decimal, to int64) bool {
	rest, err := sum.Sub(money.FromMinor(to))
	whole, _ := rest.MinorUnits()
	return err == nil && whole == 0
}

func abs(d money.Decimal) money.Decimal {
	if d.Sign() < 0 {
		return d.Neg()
	}
	return d
}
