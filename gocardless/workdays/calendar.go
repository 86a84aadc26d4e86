// Package workdays has the working days of the bank schemes, and calculates the earliest day on
// which a payment can be charged before you create it.
//
//	earliest, err := workdays.EarliestChargeDate(gocardless.SchemeBacs, time.Now(), mandate.CreatedAt)
//
// The API decides: it gives a payment without a charge date the earliest one, and a mandate's
// NextPossibleChargeDate is exact. This package needs no request, and can also answer for later
// dates.
package workdays

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// Calendar has the working days of a scheme's banks: Monday to Friday except holidays. Its rules
// hold for any year; holidays that are set by law for each year are included up to 2035. It is safe
// for concurrent use.
type Calendar struct {
	name  string
	rules []holidayRule
	extra []gocardless.Date // single holidays that follow no rule
	not   []gocardless.Date // days that a rule gives, but whose holiday was moved in that year

	years sync.Map // year → days
}

// For returns the calendar of a scheme, or an error for a scheme that is not known.
func For(scheme gocardless.Scheme) (*Calendar, error) {
	t, err := TimingOf(scheme)
	if err != nil {
		return nil, err
	}
	return t.Calendar, nil
}

// Name returns the name of the calendar: "bacs", "target", "bankgirot", "becs", "becs_nz",
// "betalingsservice", "pad" or "ach".
func (c *Calendar) Name() string { return c.name }

// IsWorkingDay reports whether the banks work on a day.
func (c *Calendar) IsWorkingDay(d gocardless.Date) bool { return !weekend(d) && !c.holidays(d.Year)[d] }

// Next returns d if it is a working day, or else the first one after it.
func (c *Calendar) Next(d gocardless.Date) gocardless.Date {
	for !c.IsWorkingDay(d) {
		d = d.AddDays(1)
	}
	return d
}

// Previous returns d if it is a working day, or else the last one before it.
func (c *Calendar) Previous(d gocardless.Date) gocardless.Date {
	for !c.IsWorkingDay(d) {
		d = d.AddDays(-1)
	}
	return d
}

// Add returns the nth working day after d, or before it when n is negative. It returns d itself
// when n is 0, working day or not.
func (c *Calendar) Add(d gocardless.Date, n int) gocardless.Date {
	step := 1
	if n < 0 {
		step, n = -1, -n
	}
	for ; n > 0; n-- {
		for d = d.AddDays(step); !c.IsWorkingDay(d); d = d.AddDays(step) {
		}
	}
	return d
}

// Holidays returns the bank holidays of a year that fall on Monday to Friday, in order.
func (c *Calendar) Holidays(year int) []gocardless.Date {
	list := slices.Collect(maps.Keys(c.holidays(year)))
	list = slices.DeleteFunc(list, weekend)
	slices.SortFunc(list, gocardless.Date.Compare)
	return list
}

func (c *Calendar) holidays(year int) days {
	if h, ok := c.years.Load(year); ok {
		return h.(days)
	}
	h := days{}
	for _, r := range c.rules {
		if d := r(year, h); !d.IsZero() {
			h[d] = true
		}
	}
	for _, d := range c.extra {
		if d.Year == year {
			h[d] = true
		}
	}
	for _, d := range c.not {
		delete(h, d)
	}
	c.years.Store(year, h)
	return h
}

func weekend(d gocardless.Date) bool {
	w := d.Weekday()
	return w == time.Saturday || w == time.Sunday
}

// errScheme returns the error for a scheme without a calendar.
func errScheme(scheme gocardless.Scheme) error {
	return fmt.Errorf("workdays: unknown scheme %q", string(scheme))
}
