package jsonwire

import (
	"strconv"
	"time"
)

// Date is a day. The zero Date stands for null.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// Valid reports whether d is a day that exists, in a year from 0 to 9999.
func (d Date) Valid() bool {
	return d.Year >= 0 && d.Year <= 9999 && d.Month >= time.January && d.Month <= time.December &&
		d.Day >= 1 && d.Day <= daysIn(d.Year, d.Month)
}

// Append appends the form YYYY-MM-DD.
func (d Date) Append(b []byte) []byte {
	if d.Year < 0 || d.Year > 9999 || d.Month < 0 || d.Month > 99 || d.Day < 0 || d.Day > 99 {
		// Not a date, but worth showing in a message.
		return append(b, strconv.Itoa(d.Year)+"-"+strconv.Itoa(int(d.Month))+"-"+strconv.Itoa(d.Day)...)
	}
	b = append(b, "0000-00-00"...)
	digits := (d.Year*100+int(d.Month))*100 + d.Day
	for i := len(b) - 1; digits > 0; i-- {
		if b[i] != '-' {
			b[i] += byte(digits % 10)
			digits /= 10
		}
	}
	return b
}

// daysIn returns the number of days in a month from January to December.
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

// ParseDate reads a date, or the day of a timestamp. An empty b is the zero Date.
func ParseDate(b []byte) (Date, bool) {
	if len(b) == 0 {
		return Date{}, true
	}
	d, ok := parseDay(b)
	if !ok {
		return Date{}, false
	}
	if len(b) > len("2006-01-02") {
		if _, ok := ParseTime(b); !ok {
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
	return d, y1|y2|m|day >= 0 && d.Valid()
}

// pair reads two decimal digits. It is negative if they are not digits.
func pair(b []byte) int {
	hi, lo := b[0]-'0', b[1]-'0'
	if hi > 9 || lo > 9 {
		return -1
	}
	return int(hi)*10 + int(lo)
}

// ParseTime reads a timestamp. It reads the form that the API writes, 2014-05-08T17:01:06.000Z
// with or without the fraction, itself, and leaves the rest of RFC 3339 to package time. The result
// is in UTC. A date is its first moment, and an empty b is the zero time.
func ParseTime(b []byte) (time.Time, bool) {
	if len(b) == 0 {
		return time.Time{}, true
	}
	d, ok := parseDay(b)
	if !ok {
		return time.Time{}, false
	}
	if len(b) == len("2006-01-02") {
		return d.at(0, 0), true
	}
	if nano, ok := fraction(b); ok && b[10] == 'T' && b[13] == ':' && b[16] == ':' {
		hour, minute, second := pair(b[11:]), pair(b[14:]), pair(b[17:])
		if hour|minute|second >= 0 && hour < 24 && minute < 60 && second < 60 {
			return d.at((hour*60+minute)*60+second, nano), true
		}
	}
	var t time.Time
	err := t.UnmarshalText(b)
	return t.UTC(), err == nil
}

// at returns the moment of a valid day, in UTC.
func (d Date) at(second, nano int) time.Time {
	// The days since 1970, in years that start in March, so that the leap day is the last.
	year, month := d.Year, int(d.Month)-3
	if month < 0 {
		year, month = year-1, month+12
	}
	year += 400 // so that it is not negative
	days := year*365 + year/4 - year/100 + year/400 + (month*153+2)/5 + d.Day - 1 - 865_565
	return time.Unix(int64(days)*86400+int64(second), int64(nano)).UTC()
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
