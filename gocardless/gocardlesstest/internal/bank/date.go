package bank

import (
	"fmt"
	"time"
)

// dateForm is how the API writes a day.
const dateForm = "2006-01-02"

// Date is a calendar day, written YYYY-MM-DD. Dates compare as strings.
type Date string

// DateOf is the day of a time, UTC.
func DateOf(t time.Time) Date { return Date(t.UTC().Format(dateForm)) }

// Time is midnight UTC of the day. It panics if the day is malformed: callers have checked it.
func (d Date) Time() time.Time {
	t, err := time.Parse(dateForm, string(d))
	if err != nil {
		panic(fmt.Sprintf("bank: bad date %q", string(d)))
	}
	return t
}

// Add moves by calendar days.
func (d Date) Add(days int) Date { return DateOf(d.Time().AddDate(0, 0, days)) }

// At is a time of the day, UTC.
func (d Date) At(hour, minute int) time.Time {
	return d.Time().Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
}
