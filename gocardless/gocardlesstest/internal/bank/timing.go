package bank

import (
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/workdays"
)

// Timing is the timing of a scheme's steps. The public part is in package workdays.
type Timing struct {
	workdays.Timing
	days Calendar
	// Working days until a mandate is submitted and until it is active. With WithPayment, both happen
	// when its first payment is submitted.
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

// TimingOf returns the timing of a scheme, and that of sepa_core for sepa_cor1, which no longer exists.
func TimingOf(scheme string) *Timing {
	if t := timings[scheme]; t != nil {
		return t
	}
	return timings["sepa_core"]
}

// FindTiming returns the timing of a scheme, and reports whether the scheme exists.
func FindTiming(scheme string) (*Timing, bool) {
	t, ok := timings[scheme]
	return t, ok
}

// Days returns the calendar of the scheme's working days.
func (t *Timing) Days() *Calendar { return &t.days }

// EarliestCharge returns the first day on which a payment can be charged under a mandate created at the
// given time.
func (t *Timing) EarliestCharge(now, mandateCreated time.Time) Date {
	return ofPublic(t.EarliestChargeDate(now, mandateCreated))
}

// Start returns the working day on which a request that arrives now is processed.
func (t *Timing) Start(now time.Time) Date { return ofPublic(t.Timing.Start(now)) }

// The hours, in UTC, at which the sandbox takes the banks' steps.
const (
	SubmitHour  = 16
	ConfirmHour = 9
	PayOutHour  = 10
	ArriveHour  = 9
)

// SubmitTime returns when a payment with a charge date is sent to the bank.
func (t *Timing) SubmitTime(charge Date) time.Time {
	if t.Instant {
		return charge.At(0, 0)
	}
	return ofPublic(t.SubmissionDate(charge.public())).At(SubmitHour, 0)
}

// ConfirmTime returns when the payment is confirmed.
func (t *Timing) ConfirmTime(charge Date) time.Time {
	return ofPublic(t.ConfirmationDate(charge.public())).At(ConfirmHour, 0)
}

// PayOutTime returns when the payment is put into a payout.
func (t *Timing) PayOutTime(charge Date) time.Time {
	return ofPublic(t.PayoutDate(charge.public())).At(PayOutHour, 0)
}

// Lead returns how many working days before its charge date a planned payment is created.
func (t *Timing) Lead() int {
	if t.Monthly {
		return t.Charge + 6
	}
	return t.Charge + 1
}
