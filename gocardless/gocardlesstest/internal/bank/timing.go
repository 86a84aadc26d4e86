package bank

import (
	"time"
)

// Timing is how long the steps of a payment take in a scheme, in working days after its creation
// (API documents; Bacs also by captures).
type Timing struct {
	calendar  string
	submitted int
	charge    int // under an active mandate
	fresh     int // under a mandate made on the same day
	confirmed int
	paidOut   int
	// Mandates: working days until submitted and until active. Where WithPayment is set the
	// mandate is sent to the bank with its first payment and is active from then on.
	MandateSubmitted, MandateActive int
	WithPayment                     bool
	monthly                         bool // collected once a month
	Instant                         bool // not a direct debit
}

var timings = map[string]*Timing{
	"bacs":             {calendar: "bacs", submitted: 1, charge: 3, fresh: 4, confirmed: 4, paidOut: 5, MandateSubmitted: 1, MandateActive: 3},
	"sepa_core":        {calendar: "target", submitted: 1, charge: 3, fresh: 3, confirmed: 4, paidOut: 6, WithPayment: true},
	"ach":              {calendar: "ach", submitted: 1, charge: 2, fresh: 2, confirmed: 4, paidOut: 5, WithPayment: true},
	"autogiro":         {calendar: "bankgirot", submitted: 6, charge: 8, fresh: 8, confirmed: 8, paidOut: 10, MandateSubmitted: 1, MandateActive: 6},
	"becs":             {calendar: "becs", submitted: 0, charge: 1, fresh: 1, confirmed: 3, paidOut: 4, WithPayment: true},
	"becs_nz":          {calendar: "becs_nz", submitted: 1, charge: 2, fresh: 2, confirmed: 5, paidOut: 6, WithPayment: true},
	"betalingsservice": {calendar: "betalingsservice", submitted: 1, charge: 8, fresh: 8, confirmed: 10, paidOut: 11, MandateSubmitted: 1, MandateActive: 2, monthly: true},
	"pad":              {calendar: "pad", submitted: 0, charge: 3, fresh: 3, confirmed: 5, paidOut: 6, MandateSubmitted: 0, MandateActive: 1},
	"pay_to":           {calendar: "becs", paidOut: 1, Instant: true},
	"faster_payments":  {calendar: "bacs", paidOut: 1, Instant: true},

	"sepa_credit_transfer":         {calendar: "target", confirmed: 1, paidOut: 2, Instant: true},
	"sepa_instant_credit_transfer": {calendar: "target", paidOut: 1, Instant: true},
}

// TimingOf is the timing of a scheme. sepa_cor1, which no longer exists, is treated as sepa_core.
func TimingOf(scheme string) *Timing {
	if t := timings[scheme]; t != nil {
		return t
	}
	return timings["sepa_core"]
}

// FindTiming is the timing of a scheme that there is.
func FindTiming(scheme string) (*Timing, bool) {
	t, ok := timings[scheme]
	return t, ok
}

// Days is the calendar of the scheme's working days.
func (t *Timing) Days() *Calendar { return calendars[t.calendar] }

// cutOff is the hour of London time after which the banks take work only on the next working day.
const cutOff = 16

// Start is the working day on which something that comes in now is begun.
func (t *Timing) Start(now time.Time) Date {
	local := now.Add(londonOffset(now))
	today := DateOf(local)
	if c := t.Days(); !c.Working(today) {
		return c.Next(today)
	}
	if local.Hour() >= cutOff {
		return t.Days().Shift(today, 1)
	}
	return today
}

// londonOffset is an hour in British summer time. It is worked out here so that the result does
// not depend on the time zone files of the machine.
func londonOffset(t time.Time) time.Duration {
	t = t.UTC()
	from := onOrBefore(day(t.Year(), time.March, 31), time.Sunday).At(1, 0)
	to := onOrBefore(day(t.Year(), time.October, 31), time.Sunday).At(1, 0)
	if t.Before(from) || !t.Before(to) {
		return 0
	}
	return time.Hour
}

// EarliestCharge is the first day on which a payment can be charged under a mandate that was
// created at a time.
func (t *Timing) EarliestCharge(now, mandateCreated time.Time) Date {
	c := t.Days()
	if t.monthly {
		return t.monthlyCharge(now)
	}
	if t.Instant {
		return DateOf(now) // round the clock
	}
	d := c.Shift(t.Start(now), t.charge)
	if f := c.Shift(t.Start(mandateCreated), t.fresh); f > d {
		d = f
	}
	return d
}

// monthlyCharge is the first working day of the first month whose collection file has not been
// sent: it goes eight working days before the end of the month before.
func (t *Timing) monthlyCharge(now time.Time) Date {
	c := t.Days()
	today := now.UTC()
	for m := 0; ; m++ {
		first := day(today.Year(), today.Month()+time.Month(m+1), 1)
		if c.Shift(first, -t.charge) > DateOf(now) {
			return c.Next(first)
		}
	}
}

// The hours at which the banks' work becomes known, UTC.
const (
	SubmitHour  = 16
	ConfirmHour = 9
	PayOutHour  = 10
	ArriveHour  = 9
)

// SubmitTime is when a payment with a charge Date is sent to the bank.
func (t *Timing) SubmitTime(charge Date) time.Time {
	if t.Instant {
		return charge.At(0, 0)
	}
	d := t.Days().Shift(charge, t.submitted-t.charge)
	if t.submitted == t.charge {
		d = charge
	}
	return d.At(SubmitHour, 0)
}

// ConfirmTime is when a payment is known to be collected.
func (t *Timing) ConfirmTime(charge Date) time.Time {
	return t.Days().Shift(charge, t.confirmed-t.charge).At(ConfirmHour, 0)
}

// PayOutTime is when it is put into a payout.
func (t *Timing) PayOutTime(charge Date) time.Time {
	return t.Days().Shift(charge, t.paidOut-t.charge).At(PayOutHour, 0)
}

// Lead is how many working days before its charge date a planned payment is made.
func (t *Timing) Lead() int {
	if t.monthly {
		return t.charge + 6
	}
	return t.charge + 1
}
