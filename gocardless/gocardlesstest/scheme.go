package gocardlesstest

import (
	"time"
)

// timing is how long the steps of a payment take in a scheme, in working days after its creation
// (API documents; Bacs also by captures).
type timing struct {
	calendar  string
	submitted int
	charge    int // under an active mandate
	fresh     int // under a mandate made on the same day
	confirmed int
	paidOut   int
	// Mandates: working days until submitted and until active. Where withPayment is set the
	// mandate is sent to the bank with its first payment and is active from then on.
	mandateSubmitted, mandateActive int
	withPayment                     bool
	monthly                         bool // collected once a month
	instant                         bool // no direct debit
}

var timings = map[string]*timing{
	"bacs":             {calendar: "bacs", submitted: 1, charge: 3, fresh: 4, confirmed: 4, paidOut: 5, mandateSubmitted: 1, mandateActive: 3},
	"sepa_core":        {calendar: "target", submitted: 1, charge: 3, fresh: 3, confirmed: 4, paidOut: 6, withPayment: true},
	"ach":              {calendar: "ach", submitted: 1, charge: 2, fresh: 2, confirmed: 4, paidOut: 5, withPayment: true},
	"autogiro":         {calendar: "bankgirot", submitted: 6, charge: 8, fresh: 8, confirmed: 8, paidOut: 10, mandateSubmitted: 1, mandateActive: 6},
	"becs":             {calendar: "becs", submitted: 0, charge: 1, fresh: 1, confirmed: 3, paidOut: 4, withPayment: true},
	"becs_nz":          {calendar: "becs_nz", submitted: 1, charge: 2, fresh: 2, confirmed: 5, paidOut: 6, withPayment: true},
	"betalingsservice": {calendar: "betalingsservice", submitted: 1, charge: 8, fresh: 8, confirmed: 10, paidOut: 11, mandateSubmitted: 1, mandateActive: 2, monthly: true},
	"pad":              {calendar: "pad", submitted: 0, charge: 3, fresh: 3, confirmed: 5, paidOut: 6, mandateSubmitted: 0, mandateActive: 1},
	"pay_to":           {calendar: "becs", paidOut: 1, instant: true},
	"faster_payments":  {calendar: "bacs", paidOut: 1, instant: true},

	"sepa_credit_transfer":         {calendar: "target", confirmed: 1, paidOut: 2, instant: true},
	"sepa_instant_credit_transfer": {calendar: "target", paidOut: 1, instant: true},
}

// timingOf is the timing of a scheme. sepa_cor1, which no longer exists, is treated as sepa_core.
func timingOf(scheme string) *timing {
	if t := timings[scheme]; t != nil {
		return t
	}
	return timings["sepa_core"]
}

func (t *timing) days() *calendar { return calendars[t.calendar] }

// cutOff is the hour of London time after which the banks take work only on the next working day.
const cutOff = 16

// start is the working day on which something that comes in now is begun.
func (t *timing) start(now time.Time) date {
	local := now.Add(londonOffset(now))
	today := dateOf(local)
	if c := t.days(); !c.working(today) {
		return c.next(today)
	}
	if local.Hour() >= cutOff {
		return t.days().shift(today, 1)
	}
	return today
}

// londonOffset is an hour in British summer time. It is worked out here so that the result does
// not depend on the time zone files of the machine.
func londonOffset(t time.Time) time.Duration {
	t = t.UTC()
	from := onOrBefore(day(t.Year(), time.March, 31), time.Sunday).at(1, 0)
	to := onOrBefore(day(t.Year(), time.October, 31), time.Sunday).at(1, 0)
	if t.Before(from) || !t.Before(to) {
		return 0
	}
	return time.Hour
}

// earliestCharge is the first day on which a payment can be charged under a mandate that was
// created at a time.
func (t *timing) earliestCharge(now, mandateCreated time.Time) date {
	c := t.days()
	if t.monthly {
		return t.monthlyCharge(now)
	}
	if t.instant {
		return dateOf(now) // round the clock
	}
	d := c.shift(t.start(now), t.charge)
	if f := c.shift(t.start(mandateCreated), t.fresh); f > d {
		d = f
	}
	return d
}

// monthlyCharge is the first working day of the first month whose collection file has not been
// sent: it goes eight working days before the end of the month before.
func (t *timing) monthlyCharge(now time.Time) date {
	c := t.days()
	today := now.UTC()
	for m := 0; ; m++ {
		first := day(today.Year(), today.Month()+time.Month(m+1), 1)
		if c.shift(first, -t.charge) > dateOf(now) {
			return c.next(first)
		}
	}
}

// The hours at which the banks' work becomes known, UTC.
const (
	submitHour  = 16
	confirmHour = 9
	payOutHour  = 10
	arriveHour  = 9
)

// submitTime is when a payment with a charge date is sent to the bank.
func (t *timing) submitTime(charge date) time.Time {
	if t.instant {
		return charge.at(0, 0)
	}
	d := t.days().shift(charge, t.submitted-t.charge)
	if t.submitted == t.charge {
		d = charge
	}
	return d.at(submitHour, 0)
}

// confirmTime is when a payment is known to be collected.
func (t *timing) confirmTime(charge date) time.Time {
	return t.days().shift(charge, t.confirmed-t.charge).at(confirmHour, 0)
}

// payOutTime is when it is put into a payout.
func (t *timing) payOutTime(charge date) time.Time {
	return t.days().shift(charge, t.paidOut-t.charge).at(payOutHour, 0)
}

// schemeOf is the direct debit scheme of a currency.
func schemeOf(currency string) string {
	return map[string]string{
		"GBP": "bacs", "EUR": "sepa_core", "USD": "ach", "SEK": "autogiro", "DKK": "betalingsservice",
		"AUD": "becs", "NZD": "becs_nz", "CAD": "pad",
	}[currency]
}

// currencyOf is the currency of a scheme.
func currencyOf(scheme string) string {
	if scheme == "sepa_cor1" {
		return "EUR"
	}
	for _, s := range catalogueSchemes {
		if s.name == scheme {
			return s.currency
		}
	}
	return ""
}

// countryCurrency is the currency of bank accounts in a country.
func countryCurrency(country string) string {
	for _, s := range catalogueSchemes {
		for _, c := range s.countries {
			if c == country && s.name == schemeOf(s.currency) {
				return s.currency
			}
		}
	}
	return ""
}

// amountRange is what a scheme lets one payment be, in minor units. The API's own limits depend
// on the account; these are the ones of a new sandbox account.
func amountRange(scheme string) (minimum, maximum int64) {
	switch scheme {
	case "autogiro", "betalingsservice":
		return 1, 100_000_00
	case "faster_payments":
		return 1, 1_000_000_00
	}
	return 1, 1_000_000_00
}

// referenceLimit is how long a payment's reference may be in a scheme; 0 forbids it.
func referenceLimit(scheme string) int {
	switch scheme {
	case "ach", "bacs":
		return 10
	case "autogiro":
		return 11
	case "becs_nz":
		return 12
	case "pay_to":
		return 18
	case "becs", "betalingsservice":
		return 30
	case "sepa_core", "sepa_cor1", "sepa_credit_transfer", "sepa_instant_credit_transfer":
		return 140
	}
	return 0
}
