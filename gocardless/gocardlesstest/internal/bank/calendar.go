package bank

import "github.com/gocardless-community/gocardless-go/gocardless/workdays"

// Calendar has the working days of a scheme's banks, for the sandbox's own form of a date.
type Calendar struct{ days *workdays.Calendar }

// Working reports whether the banks work on a day.
func (c *Calendar) Working(d Date) bool { return c.days.IsWorkingDay(d.public()) }

// Next is the day itself when it is a working day, else the first one after it.
func (c *Calendar) Next(d Date) Date { return ofPublic(c.days.Next(d.public())) }

// Previous is the day itself when it is a working day, else the last one before it.
func (c *Calendar) Previous(d Date) Date { return ofPublic(c.days.Previous(d.public())) }

// Shift moves by working days, forward or back.
func (c *Calendar) Shift(d Date, days int) Date { return ofPublic(c.days.Add(d.public(), days)) }
