package workdays

import (
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// The rules are those of the schemes' operators, not of the countries: the US Federal Reserve does
// not move a holiday that falls on a Saturday, TARGET closes on six days whatever the country, and
// Bankgirot closes on Christmas Eve. That is why no library of national holidays is used.

// days is a set of days.
type days map[gocardless.Date]bool

func dates(list ...string) []gocardless.Date {
	out := make([]gocardless.Date, len(list))
	for i, s := range list {
		d, err := gocardless.ParseDate(s)
		if err != nil {
			panic("workdays: " + s)
		}
		out[i] = d
	}
	return out
}

// A holidayRule returns the day of a holiday in a year, or the zero Date if that year has none. Taken
// has the holidays of earlier rules, for a rule that has to choose a free day.
type holidayRule func(year int, taken days) gocardless.Date

// on is a fixed day that is not moved when it falls on a weekend.
func on(month time.Month, d int) holidayRule {
	return func(y int, _ days) gocardless.Date { return gocardless.NewDate(y, month, d) }
}

// moved is a fixed day that moves from a weekend to the next weekday that is free.
func moved(month time.Month, d int) holidayRule {
	return func(y int, taken days) gocardless.Date {
		x := gocardless.NewDate(y, month, d)
		if weekend(x) {
			for weekend(x) || taken[x] {
				x = x.AddDays(1)
			}
		}
		return x
	}
}

// sundayMoved is a fixed day that moves from a Sunday to Monday, but not from a Saturday.
func sundayMoved(month time.Month, d int) holidayRule {
	return func(y int, _ days) gocardless.Date {
		x := gocardless.NewDate(y, month, d)
		if x.Weekday() == time.Sunday {
			x = x.AddDays(1)
		}
		return x
	}
}

// nth is the nth weekday of a month; -1 is the last.
func nth(n int, w time.Weekday, month time.Month) holidayRule {
	return func(y int, _ days) gocardless.Date {
		if n < 0 {
			return onOrBefore(gocardless.NewDate(y, month+1, 0), w)
		}
		first := gocardless.NewDate(y, month, 1)
		return first.AddDays((int(w)-int(first.Weekday())+7)%7 + 7*(n-1))
	}
}

func onOrBefore(d gocardless.Date, w time.Weekday) gocardless.Date {
	return d.AddDays(-((int(d.Weekday()) - int(w) + 7) % 7))
}

// easter is a day so many days after Easter Sunday.
func easter(after int) holidayRule {
	return func(y int, _ days) gocardless.Date { return easterSunday(y).AddDays(after) }
}

// easterSunday is the Gregorian computus in its anonymous form.
func easterSunday(y int) gocardless.Date {
	a, b, c := y%19, y/100, y%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return gocardless.NewDate(y, time.Month(n/31), n%31+1)
}

// since limits a rule to a year and later ones, until to a year and earlier ones.
func since(year int, r holidayRule) holidayRule {
	return func(y int, taken days) gocardless.Date {
		if y < year {
			return gocardless.Date{}
		}
		return r(y, taken)
	}
}

func until(year int, r holidayRule) holidayRule {
	return func(y int, taken days) gocardless.Date {
		if y > year {
			return gocardless.Date{}
		}
		return r(y, taken)
	}
}

// fridayFrom is the first Friday on or after a day, for Midsummer Eve.
func fridayFrom(month time.Month, d int) holidayRule {
	return func(y int, _ days) gocardless.Date { return onOrBefore(gocardless.NewDate(y, month, d+6), time.Friday) }
}

var calendars = map[string]*Calendar{
	"bacs": {name: "bacs",
		rules: []holidayRule{
			moved(time.January, 1), easter(-2), easter(1), nth(1, time.Monday, time.May), nth(-1, time.Monday, time.May),
			nth(-1, time.Monday, time.August), on(time.December, 25), on(time.December, 26),
			moved(time.December, 25), moved(time.December, 26),
		},
		extra: dates("2020-05-08", "2022-06-02", "2022-06-03", "2022-09-19", "2023-05-08"),
		not:   dates("2020-05-04", "2022-05-30"),
	},
	"target": {name: "target", rules: []holidayRule{
		on(time.January, 1), easter(-2), easter(1), on(time.May, 1), on(time.December, 25), on(time.December, 26),
	}},
	"bankgirot": {name: "bankgirot", rules: []holidayRule{
		on(time.January, 1), on(time.January, 6), easter(-2), easter(1), on(time.May, 1), easter(39), on(time.June, 6),
		fridayFrom(time.June, 19), on(time.December, 24), on(time.December, 25), on(time.December, 26), on(time.December, 31),
	}},
	"becs": {name: "becs", rules: []holidayRule{
		moved(time.January, 1), moved(time.January, 26), easter(-2), easter(1), on(time.April, 25), nth(2, time.Monday, time.June),
		on(time.December, 25), on(time.December, 26), moved(time.December, 25), moved(time.December, 26),
	}, extra: dates("2022-09-22")},
	"becs_nz": {name: "becs_nz",
		rules: []holidayRule{
			on(time.January, 1), on(time.January, 2), moved(time.January, 1), moved(time.January, 2), moved(time.February, 6), easter(-2), easter(1),
			moved(time.April, 25), nth(1, time.Monday, time.June), nth(4, time.Monday, time.October),
			on(time.December, 25), on(time.December, 26), moved(time.December, 25), moved(time.December, 26),
		},
		// Matariki follows the moon; the dates are set by law.
		extra: dates(
			"2022-06-24", "2022-09-26", "2023-07-14", "2024-06-28", "2025-06-20", "2026-07-10", "2027-06-25", "2028-07-14",
			"2029-07-06", "2030-06-21", "2031-07-11", "2032-07-02", "2033-06-24", "2034-07-07", "2035-06-29",
		),
	},
	"betalingsservice": {name: "betalingsservice", rules: []holidayRule{
		on(time.January, 1), easter(-3), easter(-2), easter(1), until(2023, easter(26)), easter(39), easter(40), easter(50),
		on(time.June, 5), on(time.December, 24), on(time.December, 25), on(time.December, 26), on(time.December, 31),
	}},
	"pad": {name: "pad", rules: []holidayRule{
		moved(time.January, 1), easter(-2),
		func(y int, _ days) gocardless.Date {
			return onOrBefore(gocardless.NewDate(y, time.May, 24), time.Monday)
		},
		moved(time.July, 1), nth(1, time.Monday, time.August), nth(1, time.Monday, time.September), since(2021, moved(time.September, 30)),
		nth(2, time.Monday, time.October), moved(time.November, 11),
		on(time.December, 25), on(time.December, 26), moved(time.December, 25), moved(time.December, 26),
	}},
	"ach": {name: "ach", rules: []holidayRule{
		sundayMoved(time.January, 1), nth(3, time.Monday, time.January), nth(3, time.Monday, time.February), nth(-1, time.Monday, time.May),
		since(2022, sundayMoved(time.June, 19)), sundayMoved(time.July, 4), nth(1, time.Monday, time.September), nth(2, time.Monday, time.October),
		sundayMoved(time.November, 11), nth(4, time.Thursday, time.November), sundayMoved(time.December, 25),
	}},
}
