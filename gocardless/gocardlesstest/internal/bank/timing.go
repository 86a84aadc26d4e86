package bank

import (
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/workdays"
)

// Timing is how long the steps of a payment take in a scheme. What a user of the API may ask as
// well is in package workdays, and here for the sandbox's own form of a date.
type Timing struct {
	workdays.Timing
	days Calendar
	// Mandates: working days until submitted and until active. Where WithPayment is set the
	// mandate is sent to the bank with its first payment and is active from then on.
	MandateSubmitted, MandateActive int
	WithPayment                     bool
}

var timings = map[string]*Timing{
	"bacs":             {MandateSubmitted: 1, MandateActive: 3},
	"sepa_core":        {WithPayment: true},
	"ach":              {WithPayment: true},
	"autogiro":         {MandateSubmitted: 1, MandateActive: 6},
	"becs":             {WithPayment: true},
	"becs_nz":          {WithPayment: true},
	"betalingsservice": {MandateSubmitted: 1, MandateActive: 2},
	"pad":              {MandateSubmitted: 0, MandateActive: 1},
	"pay_to":           {},
	"faster_payments":  {},

	"sepa_credit_transfer":         {},
	"sepa_instant_credit_transfer": {},
}

func init() {
	for scheme, t := range timings {
		public, err := workdays.TimingOf(gocardless.Scheme(scheme))
		if err != nil {
			panic(err)
		}
		t.Timing, t.days = public, Calendar{public.Calendar}
	}
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
func (t *Timing) Days() *Calendar { return &t.days }

// EarliestCharge is the first day on which a payment can be charged under a mandate that was
// created at a time.
func (t *Timing) EarliestCharge(now, mandateCreated time.Time) Date {
	return ofPublic(t.EarliestChargeDate(now, mandateCreated))
}

// Start is the working day on which the processing of a request that arrives now begins.
func (t *Timing) Start(now time.Time) Date { return ofPublic(t.Timing.Start(now)) }

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
	return ofPublic(t.SubmissionDate(charge.public())).At(SubmitHour, 0)
}

// ConfirmTime is when a payment is known to be collected.
func (t *Timing) ConfirmTime(charge Date) time.Time {
	return ofPublic(t.ConfirmationDate(charge.public())).At(ConfirmHour, 0)
}

// PayOutTime is when it is put into a payout.
func (t *Timing) PayOutTime(charge Date) time.Time {
	return ofPublic(t.PayoutDate(charge.public())).At(PayOutHour, 0)
}

// Lead is how many working days before its charge date a planned payment is made.
func (t *Timing) Lead() int {
	if t.Monthly {
		return t.Charge + 6
	}
	return t.Charge + 1
}
