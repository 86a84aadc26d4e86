package gocardlesstest

import (
	"testing"
	"time"
)

// These dates are from replies of the API in 2016 and 2024. A cassette does not compare values.
func TestCapturedChargeDates(t *testing.T) {
	for _, x := range []struct {
		at     string
		active bool
		want   string
	}{
		{"2016-04-29T21:03:00Z", true, "2016-05-06"}, // over the bank holiday of 2 May
		{"2016-05-09T22:07:00Z", true, "2016-05-13"},
		{"2016-06-14T23:43:00Z", true, "2016-06-20"},
		{"2016-08-19T16:48:00Z", true, "2016-08-25"},
		{"2024-03-20T11:21:00Z", false, "2024-03-26"},
	} {
		at, err := time.Parse(time.RFC3339, x.at)
		if err != nil {
			t.Fatal(err)
		}
		const age = 30 * 24 * time.Hour
		var w *world
		if x.active {
			w = newWorld(t, WithFrozenClock(at.Add(-age)))
			w.sb.Advance(age)
		} else {
			w = newWorld(t, WithFrozenClock(at))
		}
		if got := w.ok("GET", "/mandates/"+w.mandate, "").Str("next_possible_charge_date"); got != x.want {
			t.Errorf("at %s, active %v: next possible charge date %s, want %s", x.at, x.active, got, x.want)
		}
	}
}
