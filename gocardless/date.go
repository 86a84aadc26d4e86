package gocardless

import (
	"errors"
	"time"
)

// Date is a day without a time or a time zone, such as the day on which a payment is
// collected. Dates can be compared with ==. The zero Date is no date; it stands for null and
// for what is absent.
//
// Its text form, also in JSON, is YYYY-MM-DD, for years 0 to 9999.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// NewDate returns the date of a year, month and day. A day outside of the month counts on
// into the next or the previous one, as in [time.Date]: 31 April is 1 May.
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
// 2025-02-29. A timestamp as in RFC 3339 is accepted and cut after the day, because some
// fields of the API have changed from one to the other; an empty text is not a date.
func ParseDate(s string) (Date, error) {
	d, ok := parseDate([]byte(s))
	if !ok || s == "" {
		return Date{}, errors.New("gocardless: not a date in the form YYYY-MM-DD")
	}
	return d, nil
}

// IsZero reports whether d is the zero Date, which is no date.
func (d Date) IsZero() bool { return d == Date{} }

// IsValid reports whether d is a day that exists, in a year from 0 to 9999. The zero Date is
// not valid.
func (d Date) IsValid() bool {
	return d.Year >= 0 && d.Year <= 9999 && d.Month >= time.January && d.Month <= time.December &&
		d.Day >= 1 && d.Day <= daysIn(d.Year, d.Month)
}

// String returns the date in the form YYYY-MM-DD, and "" for the zero Date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	var buf [10]byte
	return string(d.append(buf[:0]))
}

// append appends the text form.
func (d Date) append(b []byte) []byte {
	if d.Year < 0 || d.Year > 9999 || d.Month < 0 || d.Month > 99 || d.Day < 0 || d.Day > 99 {
		// Not a date, but worth seeing in a message.
		return append(b, itoa(d.Year)+"-"+itoa(int(d.Month))+"-"+itoa(d.Day)...)
	}
	y, m, day := d.Year, int(d.Month), d.Day
	return append(b,
		byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-',
		byte('0'+m/10), byte('0'+m%10), '-',
		byte('0'+day/10), byte('0'+day%10))
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
		return b, errors.New("gocardless: no such date: " + d.String())
	}
	return d.append(b), nil
}

// UnmarshalText reads what [ParseDate] reads; an empty text is the zero Date.
func (d *Date) UnmarshalText(text []byte) error {
	v, ok := parseDate(text)
	if !ok {
		return errors.New("gocardless: not a date in the form YYYY-MM-DD")
	}
	*d = v
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

// Time returns the first moment of the day in a location, which is midnight unless a change
// of the clocks has skipped it. A nil location is UTC.
func (d Date) Time(loc *time.Location) time.Time {
	if loc == nil {
		loc = time.UTC
	}
	t := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, loc)
	if t.Hour() != 0 || t.Day() != d.Day {
		// Midnight was skipped. time.Date then takes the offset before or after the
		// change; the change itself is where the day starts.
		if _, end := t.ZoneBounds(); !end.IsZero() && DateOf(t) != d {
			return end
		}
		start, _ := t.ZoneBounds()
		if !start.IsZero() && DateOf(start) == d {
			return start
		}
	}
	return t
}

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.Time(time.UTC).Weekday() }

// daysIn returns the number of days of a month, which must be one of the twelve.
func daysIn(year int, month time.Month) int {
	switch month {
	case time.February:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case time.April, time.June, time.September, time.November:
		return 30
	}
	return 31
}

// parseDate reads a date, or a timestamp as a date. Nothing is the zero Date.
func parseDate(b []byte) (Date, bool) {
	if len(b) == 0 {
		return Date{}, true
	}
	d, ok := parseDay(b)
	if !ok {
		return Date{}, false
	}
	if len(b) > len("2006-01-02") {
		if _, ok := parseTime(b); !ok {
			return Date{}, false
		}
	}
	return d, true
}

// parseDay reads the YYYY-MM-DD at the start of b.
func parseDay(b []byte) (Date, bool) {
	if len(b) < 10 || b[4] != '-' || b[7] != '-' {
		return Date{}, false
	}
	y1, y2, m, day := pair(b), pair(b[2:]), pair(b[5:]), pair(b[8:])
	d := Date{y1*100 + y2, time.Month(m), day}
	return d, y1|y2|m|day >= 0 && d.IsValid()
}

// pair reads two decimal digits; it is negative when they are none.
func pair(b []byte) int {
	hi, lo := b[0]-'0', b[1]-'0'
	if hi > 9 || lo > 9 {
		return -1
	}
	return int(hi)*10 + int(lo)
}

// parseTime reads a timestamp. The form that the API writes, 2014-05-08T17:01:06.000Z with or
// without the fraction, is read here; the rest of RFC 3339 by package time. A date is its
// first moment in UTC, and nothing is the zero time.
func parseTime(b []byte) (time.Time, bool) {
	if len(b) == 0 {
		return time.Time{}, true
	}
	d, ok := parseDay(b)
	if !ok {
		return time.Time{}, false
	}
	if len(b) == len("2006-01-02") {
		return d.Time(time.UTC), true
	}
	if nano, ok := fraction(b); ok && b[10] == 'T' && b[13] == ':' && b[16] == ':' {
		hour, minute, second := pair(b[11:]), pair(b[14:]), pair(b[17:])
		if hour|minute|second >= 0 && hour < 24 && minute < 60 && second < 60 {
			return time.Date(d.Year, d.Month, d.Day, hour, minute, second, nano, time.UTC), true
		}
	}
	var t time.Time
	err := t.UnmarshalText(b)
	return t, err == nil
}

// fraction reads the nanoseconds of a timestamp in UTC with three decimals or none.
func fraction(b []byte) (int, bool) {
	switch {
	case len(b) == len("2006-01-02T15:04:05Z") && b[19] == 'Z':
		return 0, true
	case len(b) == len("2006-01-02T15:04:05.000Z") && b[19] == '.' && b[23] == 'Z':
		tenths, rest := b[20]-'0', pair(b[21:])
		if tenths <= 9 && rest >= 0 {
			return (int(tenths)*100 + rest) * int(time.Millisecond), true
		}
	}
	return 0, false
}
