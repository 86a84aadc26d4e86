// Package bank has the rules of banks and schemes: working days, the durations of a scheme's steps,
// and the validity of bank details.
package bank

import (
	"fmt"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// dateForm is the form of a date in the API.
const dateForm = "2006-01-02"

// Date is a calendar day, written YYYY-MM-DD. Dates compare as strings.
type Date string

// DateOf returns the date of a time in UTC.
func DateOf(t time.Time) Date {
	y, m, d := t.UTC().Date()
	if y < 0 || y > 9999 {
		return Date(t.UTC().Format(dateForm))
	}
	// Formatted and parsed by hand, because life cycles need millions of dates.
	return Date([]byte{
		'0' + byte(y/1000), '0' + byte(y/100%10), '0' + byte(y/10%10), '0' + byte(y%10), '-',
		'0' + byte(m/10), '0' + byte(m%10), '-', '0' + byte(d/10), '0' + byte(d%10),
	})
}

// Time returns midnight UTC. It panics if the date is malformed.
func (d Date) Time() time.Time {
	if len(d) == len(dateForm) && d[4] == '-' && d[7] == '-' {
		y, m, day := d.number(0, 4), d.number(5, 7), d.number(8, 10)
		// A day beyond the end of its month becomes another date.
		if t := time.Date(y, time.Month(m), day, 0, 0, 0, 0, time.UTC); y >= 0 && m >= 0 && day >= 0 && DateOf(t) == d {
			return t
		}
	}
	panic(fmt.Sprintf("bank: bad date %q", string(d)))
}

// number reads the digits of a part of the date. It is negative if there is anything else.
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

// Add adds calendar days.
func (d Date) Add(days int) Date { return DateOf(d.Time().AddDate(0, 0, days)) }

// At returns a time of the day in UTC.
func (d Date) At(hour, minute int) time.Time {
	return d.Time().Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
}

// public converts the date into that of the SDK.
func (d Date) public() gocardless.Date { return gocardless.DateOf(d.Time()) }

func ofPublic(d gocardless.Date) Date { return DateOf(d.Time(time.UTC)) }
