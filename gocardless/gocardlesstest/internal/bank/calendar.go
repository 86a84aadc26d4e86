package bank

import "github.com/gocardless-community/gocardless-go/gocardless/workdays"

// Calendar is the working days of a scheme's banks, for dates of type Date.
type Calendar struct{ days *workdays.Calendar }

// Next returns d if it is a working day, or else the first one after it.
func (c *Calendar) Next(d Date) Date { return ofPublic(c.days.Next(d.public())) }

// Previous returns d if it is a working day, or else the last one before it.
func (c *Calendar) Previous(d Date) Date { return ofPublic(c.days.Previous(d.public())) }

// Shift moves a date by working days, forwards or backwards.
func (c *Calendar) Shift(d Date, days int) Date { return ofPublic(c.days.Add(d.public(), days)) }
