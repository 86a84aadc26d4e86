// Package bank has the rules of banks and schemes: working days, the durations of a scheme's steps,
// and the validity of bank details.
package bank

import (
	"fmt"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// dateForm is how the API writes a day.
const dateForm = "2006-01-02"

// Date is a calendar day, written YYYY-MM-DD. Dates compare as strings.
type Date string

// DateOf is the day of a time, UTC.
func DateOf(t time.Time) Date {
	y, m, d := t.UTC().Date()
	if y < 0 || y > 9999 {
		return Date(t.UTC().Format(dateForm))
	}
	// Life cycles make dates by the million, so they are written and read by hand.
	return Date([]byte{
		'0' + byte(y/1000), '0' + byte(y/100%10), '0' + byte(y/10%10), '0' + byte(y%10), '-',
		'0' + byte(m/10), '0' + byte(m%10), '-', '0' + byte(d/10), '0' + byte(d%10),
	})
}

// Time is midnight UTC of the day. It panics if the day is malformed: callers have checked it.
func (d Date) Time() time.Time {
	if len(d) == len(dateForm) && d[4] == '-' && d[7] == '-' {
		y, m, day := d.number(0, 4), d.number(5, 7), d.number(8, 10)
		// A day that a month does not have moves into the next one, and so its date differs.
		if t := time.Date(y, time.Month(m), day, 0, 0, 0, 0, time.UTC); y >= 0 && m >= 0 && day >= 0 && DateOf(t) == d {
			return t
		}
	}
	panic(fmt.Sprintf("bank: bad date %q", string(d)))
}

// number reads digits of a date; it is negative if there is anything else.
func (d Date) number(from, to int) int {
	n := 0
	for _, c := range []byte(d[from:to]) {
		if c < '0' || c > '9' {
			return -1 << 20
		}
		n = 10*n + int(c-'0')
	}
	return n
}

// Add moves by calendar days.
func (d Date) Add(days int) Date { return DateOf(d.Time().AddDate(0, 0, days)) }

// At is a time of the day, UTC.
func (d Date) At(hour, minute int) time.Time {
	return d.Time().Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
}

// public is the date as the SDK has it.
func (d Date) public() gocardless.Date { return gocardless.DateOf(d.Time()) }

func ofPublic(d gocardless.Date) Date { return DateOf(d.Time(time.UTC)) }
