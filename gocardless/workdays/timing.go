package workdays

import (
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// Timing has the durations of the steps of a payment in a scheme, in working days after the payment
// is created, as the API documents them. They are typical, not guaranteed.
type Timing struct {
	Calendar *Calendar
	// Submitted, Confirmed and PaidOut are the days on which the payment is sent to the bank, known
	// to be collected, and put into a payout.
	Submitted, Confirmed, PaidOut int
	// Charge is the earliest day on which the payer is charged under an active mandate.
	// ChargeNewMandate is the same for a mandate that was created together with the payment.
	Charge, ChargeNewMandate int
	// Monthly reports that payments are collected on the first working day of a month.
	Monthly bool
	// Instant reports that payments are not collected, but sent by the payer's bank around the
	// clock.
	Instant bool
}

var timings = map[gocardless.Scheme]Timing{
	gocardless.SchemeBacs:             {Calendar: calendars["bacs"], Submitted: 1, Charge: 3, ChargeNewMandate: 4, Confirmed: 4, PaidOut: 5},
	gocardless.SchemeSepaCore:         {Calendar: calendars["target"], Submitted: 1, Charge: 3, ChargeNewMandate: 3, Confirmed: 4, PaidOut: 6},
	gocardless.SchemeACH:              {Calendar: calendars["ach"], Submitted: 1, Charge: 2, ChargeNewMandate: 2, Confirmed: 4, PaidOut: 5},
	gocardless.SchemeAutogiro:         {Calendar: calendars["bankgirot"], Submitted: 6, Charge: 8, ChargeNewMandate: 8, Confirmed: 8, PaidOut: 10},
	gocardless.SchemeBecs:             {Calendar: calendars["becs"], Submitted: 0, Charge: 1, ChargeNewMandate: 1, Confirmed: 3, PaidOut: 4},
	gocardless.SchemeBecsNz:           {Calendar: calendars["becs_nz"], Submitted: 1, Charge: 2, ChargeNewMandate: 2, Confirmed: 5, PaidOut: 6},
	gocardless.SchemeBetalingsservice: {Calendar: calendars["betalingsservice"], Submitted: 1, Charge: 8, ChargeNewMandate: 8, Confirmed: 10, PaidOut: 11, Monthly: true},
	gocardless.SchemePad:              {Calendar: calendars["pad"], Submitted: 0, Charge: 3, ChargeNewMandate: 3, Confirmed: 5, PaidOut: 6},
	gocardless.SchemePayTo:            {Calendar: calendars["becs"], PaidOut: 1, Instant: true},
	gocardless.SchemeFasterPayments:   {Calendar: calendars["bacs"], PaidOut: 1, Instant: true},

	gocardless.SchemeSepaCreditTransfer:        {Calendar: calendars["target"], Confirmed: 1, PaidOut: 2, Instant: true},
	gocardless.SchemeSepaInstantCreditTransfer: {Calendar: calendars["target"], PaidOut: 1, Instant: true},
}

// TimingOf returns the timing of a scheme, or an error for a scheme that is not known.
// [gocardless.SchemeSepaCor1], which no longer exists, is not.
func TimingOf(scheme gocardless.Scheme) (Timing, error) {
	t, ok := timings[scheme]
	if !ok {
		return Timing{}, errScheme(scheme)
	}
	return t, nil
}

// EarliestChargeDate returns the earliest charge date of a payment that is created at one time
// under a mandate that was created at another. A zero mandateCreated means that the mandate is
// active.
func EarliestChargeDate(scheme gocardless.Scheme, created, mandateCreated time.Time) (gocardless.Date, error) {
	t, err := TimingOf(scheme)
	if err != nil {
		return gocardless.Date{}, err
	}
	return t.EarliestChargeDate(created, mandateCreated), nil
}

// cutOff is the hour, London time, from which requests are processed on the next working day.
const cutOff = 16

// Start returns the working day on which the processing of a request begins: the same day until
// 16:00 London time, and otherwise the next working day.
func (t Timing) Start(at time.Time) gocardless.Date {
	local := at.UTC().Add(londonOffset(at))
	today := gocardless.DateOf(local)
	if !t.Calendar.IsWorkingDay(today) {
		return t.Calendar.Next(today)
	}
	if local.Hour() >= cutOff {
		return t.Calendar.Add(today, 1)
	}
	return today
}

// londonOffset is an hour in British summer time. It is calculated here so that the result does not
// depend on the time zone files of the machine.
func londonOffset(t time.Time) time.Duration {
	t = t.UTC()
	changes := func(month time.Month) time.Time { // at 01:00 UTC on the last Sunday
		return onOrBefore(gocardless.NewDate(t.Year(), month, 31), time.Sunday).Time(time.UTC).Add(time.Hour)
	}
	if t.Before(changes(time.March)) || !t.Before(changes(time.October)) {
		return 0
	}
	return time.Hour
}

// EarliestChargeDate does the same as the function [EarliestChargeDate].
func (t Timing) EarliestChargeDate(created, mandateCreated time.Time) gocardless.Date {
	switch {
	case t.Monthly:
		return t.monthlyCharge(created)
	case t.Instant:
		return gocardless.DateOf(created.UTC())
	}
	d := t.Calendar.Add(t.Start(created), t.Charge)
	if mandateCreated.IsZero() {
		return d
	}
	if fresh := t.Calendar.Add(t.Start(mandateCreated), t.ChargeNewMandate); fresh.After(d) {
		return fresh
	}
	return d
}

// monthlyCharge returns the first working day of the first month whose collection file has not been
// sent. The file is sent t.Charge working days before the month begins.
func (t Timing) monthlyCharge(created time.Time) gocardless.Date {
	today := gocardless.DateOf(created.UTC())
	for m := time.Month(1); ; m++ {
		first := gocardless.NewDate(today.Year, today.Month+m, 1)
		if t.Calendar.Add(first, -t.Charge).After(today) {
			return t.Calendar.Next(first)
		}
	}
}

// LatestCreation returns the last working day on which a payment with a charge date can be created,
// under an active mandate and before 16:00 London time. It is the zero Date for schemes that
// collect monthly or at once, which have no such day.
func (t Timing) LatestCreation(charge gocardless.Date) gocardless.Date {
	if t.Monthly || t.Instant {
		return gocardless.Date{}
	}
	return t.Calendar.Add(t.Calendar.Next(charge), -t.Charge)
}

// SubmissionDate returns the day on which a payment with a charge date is sent to the bank.
func (t Timing) SubmissionDate(charge gocardless.Date) gocardless.Date {
	if t.Instant {
		return charge
	}
	return t.Calendar.Add(charge, t.Submitted-t.Charge)
}

// ConfirmationDate returns the day on which a payment with a charge date is known to be collected.
func (t Timing) ConfirmationDate(charge gocardless.Date) gocardless.Date {
	return t.Calendar.Add(charge, t.Confirmed-t.Charge)
}

// PayoutDate returns the day on which a payment with a charge date is put into a payout.
func (t Timing) PayoutDate(charge gocardless.Date) gocardless.Date {
	return t.Calendar.Add(charge, t.PaidOut-t.Charge)
}
