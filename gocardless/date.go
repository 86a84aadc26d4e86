package gocardless

import (
	"errors"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
)

// Date is a day without a time or a time zone, such as the day on which a payment is
// collected. Dates can be compared with ==. The zero Date is not a date; it stands for null and
// for absent values.
//
// Its text form, also in JSON, is YYYY-MM-DD, for years 0 to 9999.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// NewDate returns the date of a year, month and day. A day outside the month carries into
// the next or previous month, as in [time.Date]: 31 April is 1 May.
func NewDate(year int, month time.Month, day int) Date {
	return DateOf(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

// DateOf returns the date of t in t's location. Which day it is depends on that location; use
// t.In to choose another.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{year, month, day}
}

// ParseDate reads a date in the form YYYY-MM-DD. It refuses days that do not exist, such as
// 2025-02-29, and an empty string. It also accepts a timestamp as in RFC 3339 and cuts it after the
// day, because some fields of the API have changed from one to the other.
func ParseDate(s string) (Date, error) {
	d, ok := jsonwire.ParseDate([]byte(s))
	if !ok || s == "" {
		return Date{}, errors.New("gocardless: not a date in the form YYYY-MM-DD")
	}
	return Date(d), nil
}

// IsZero reports whether d is the zero Date, which is not a date.
func (d Date) IsZero() bool { return d == Date{} }

// IsValid reports whether d is a day that exists, in a year from 0 to 9999. The zero Date is
// not valid.
func (d Date) IsValid() bool { return jsonwire.Date(d).Valid() }

// String returns the date in the form YYYY-MM-DD, and "" for the zero Date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	var buf [10]byte
	return string(jsonwire.Date(d).Append(buf[:0]))
}

// MarshalText returns the date in the form YYYY-MM-DD, and no bytes for the zero Date. A date
// that does not exist is an error.
func (d Date) MarshalText() ([]byte, error) { return d.AppendText(nil) }

// AppendText appends what [Date.MarshalText] returns.
func (d Date) AppendText(b []byte) ([]byte, error) {
	if d.IsZero() {
		return b, nil
	}
	if !d.IsValid() {
		return b, errors.New("gocardless: not an existing date: " + d.String())
	}
	return jsonwire.Date(d).Append(b), nil
}

// UnmarshalText reads what [ParseDate] reads; an empty string is the zero Date.
func (d *Date) UnmarshalText(text []byte) error {
	v, ok := jsonwire.ParseDate(text)
	if !ok {
		return errors.New("gocardless: not a date in the form YYYY-MM-DD")
	}
	*d = Date(v)
	return nil
}

// AddDays returns the date n days after d, or before it when n is negative.
func (d Date) AddDays(n int) Date { return NewDate(d.Year, d.Month, d.Day+n) }

// Compare returns -1 when d is before other, +1 when it is after it, and 0 when they are the
// same day.
func (d Date) Compare(other Date) int {
	switch {
	case d == other:
		return 0
	case d.Before(other):
		return -1
	}
	return +1
}

// Before reports whether d is an earlier day than other.
func (d Date) Before(other Date) bool {
	if d.Year != other.Year {
		return d.Year < other.Year
	}
	if d.Month != other.Month {
		return d.Month < other.Month
	}
	return d.Day < other.Day
}

// After reports whether d is a later day than other.
func (d Date) After(other Date) bool { return other.Before(d) }

// Time returns the first moment of the day in a location, which is midnight unless a clock change
// skips it. A nil location is UTC.
func (d Date) Time(loc *time.Location) time.Time {
	if loc == nil {
		loc = time.UTC
	}
	midnight := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
	// A clock change can skip midnight or repeat it, and which one time.Date then returns is not
	// specified. So each offset is tried in turn, from a time before the day in all locations.
	for at := midnight.Add(-36 * time.Hour).In(loc); ; {
		_, offset := at.Zone()
		start := midnight.Add(-time.Duration(offset) * time.Second).In(loc)
		if start.Before(at) {
			start = at // the change to this offset skipped midnight
		}
		_, end := at.ZoneBounds()
		if start.Before(end) || end.IsZero() || !end.After(at) {
			return start
		}
		at = end
	}
}

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.Time(time.UTC).Weekday() }
