package workdays

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

func TestHolidays(t *testing.T) {
	for _, x := range []struct {
		name string
		year int
		want []string
	}{
		{"bacs", 2025, []string{"2025-01-01", "2025-04-18", "2025-04-21", "2025-05-05", "2025-05-26", "2025-08-25", "2025-12-25", "2025-12-26"}},
		{"bacs", 2026, []string{"2026-01-01", "2026-04-03", "2026-04-06", "2026-05-04", "2026-05-25", "2026-08-31", "2026-12-25", "2026-12-28"}},
		{"bacs", 2027, []string{"2027-01-01", "2027-03-26", "2027-03-29", "2027-05-03", "2027-05-31", "2027-08-30", "2027-12-27", "2027-12-28"}},
		{"bacs", 2022, []string{"2022-01-03", "2022-04-15", "2022-04-18", "2022-05-02", "2022-06-02", "2022-06-03", "2022-08-29", "2022-09-19", "2022-12-26", "2022-12-27"}},
		{"target", 2026, []string{"2026-01-01", "2026-04-03", "2026-04-06", "2026-05-01", "2026-12-25"}},
		{"ach", 2023, []string{"2023-01-02", "2023-01-16", "2023-02-20", "2023-05-29", "2023-06-19", "2023-07-04", "2023-09-04", "2023-10-09", "2023-11-23", "2023-12-25"}},
		{"bankgirot", 2026, []string{"2026-01-01", "2026-01-06", "2026-04-03", "2026-04-06", "2026-05-01", "2026-05-14", "2026-06-19", "2026-12-24", "2026-12-25", "2026-12-31"}},
		{"becs_nz", 2022, []string{"2022-01-03", "2022-01-04", "2022-02-07", "2022-04-15", "2022-04-18", "2022-04-25", "2022-06-06", "2022-06-24", "2022-09-26", "2022-10-24", "2022-12-26", "2022-12-27"}},
		{"pad", 2026, []string{"2026-01-01", "2026-04-03", "2026-05-18", "2026-07-01", "2026-08-03", "2026-09-07", "2026-09-30", "2026-10-12", "2026-11-11", "2026-12-25", "2026-12-28"}},
	} {
		var got []string
		for _, d := range calendars[x.name].Holidays(x.year) {
			got = append(got, d.String())
		}
		if !slices.Equal(got, x.want) {
			t.Errorf("%s %d:\n got %v\nwant %v", x.name, x.year, got, x.want)
		}
	}
}

// Observations of the real API: when a mandate was fetched, and its next_possible_charge_date.
func TestNextPossibleChargeDate(t *testing.T) {
	for _, x := range []struct {
		scheme       string
		now, created string
		want         string
	}{
		{"bacs", "2016-04-29T21:03:00Z", "2016-01-04T09:00:00Z", "2016-05-06"},
		{"bacs", "2016-05-09T22:07:00Z", "2016-01-04T09:00:00Z", "2016-05-13"},
		{"bacs", "2016-06-14T23:43:00Z", "2016-01-04T09:00:00Z", "2016-06-20"},
		{"bacs", "2016-08-19T16:48:00Z", "2016-01-04T09:00:00Z", "2016-08-25"},
		{"bacs", "2024-03-20T11:21:00Z", "2024-03-20T11:21:00Z", "2024-03-26"}, // a new mandate
		// Before the cut-off, in winter and in summer time (documents).
		{"bacs", "2026-01-12T15:59:00Z", "2025-01-01T09:00:00Z", "2026-01-15"},
		{"bacs", "2026-01-12T16:00:00Z", "2025-01-01T09:00:00Z", "2026-01-16"},
		{"bacs", "2026-06-15T14:59:00Z", "2025-01-01T09:00:00Z", "2026-06-18"},
		{"bacs", "2026-06-15T15:00:00Z", "2025-01-01T09:00:00Z", "2026-06-19"},
		// On a Saturday the work begins on Monday.
		{"bacs", "2026-06-13T09:00:00Z", "2025-01-01T09:00:00Z", "2026-06-18"},
		{"becs", "2026-06-16T09:00:00Z", "2025-01-01T09:00:00Z", "2026-06-17"},
		{"autogiro", "2026-09-14T09:00:00Z", "2025-01-01T09:00:00Z", "2026-09-24"},
		{"betalingsservice", "2026-09-14T09:00:00Z", "2025-01-01T09:00:00Z", "2026-10-01"},
		{"betalingsservice", "2026-09-25T09:00:00Z", "2025-01-01T09:00:00Z", "2026-11-02"},
	} {
		at := func(s string) time.Time {
			v, err := time.Parse(time.RFC3339, s)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		got, err := EarliestChargeDate(gocardless.Scheme(x.scheme), at(x.now), at(x.created))
		if err != nil || got.String() != x.want {
			t.Errorf("%s at %s: %s, %v, want %s", x.scheme, x.now, got, err, x.want)
		}
	}
}

func day(s string) gocardless.Date { return dates(s)[0] }

func TestWorkingDays(t *testing.T) {
	c := calendars["bacs"]
	for _, x := range []struct {
		from string
		n    int
		want string
	}{
		{"2026-04-02", 1, "2026-04-07"}, {"2026-04-07", -1, "2026-04-02"}, {"2026-04-04", 1, "2026-04-07"}, {"2026-09-14", 5, "2026-09-21"},
		{"2026-09-14", 0, "2026-09-14"}, {"2026-04-04", 0, "2026-04-04"},
	} {
		if got := c.Add(day(x.from), x.n); got.String() != x.want {
			t.Errorf("%s %+d: %s, want %s", x.from, x.n, got, x.want)
		}
	}
	if n, p := c.Next(day("2026-04-03")), c.Previous(day("2026-04-06")); n != day("2026-04-07") || p != day("2026-04-02") {
		t.Errorf("next %s, previous %s", n, p)
	}
	// Steps forwards and backwards cancel out, on any working day of four years.
	for name, c := range calendars {
		if c.Name() != name {
			t.Errorf("calendar %s is named %s", name, c.Name())
		}
		for d := day("2024-01-01"); d.Before(day("2028-01-01")); d = d.AddDays(1) {
			if c.IsWorkingDay(d) && c.Add(c.Add(d, 7), -7) != d {
				t.Fatalf("%s: %s moved by 7 working days and back is %s", name, d, c.Add(c.Add(d, 7), -7))
			}
		}
	}
}

// Every scheme of the API has a calendar, except the one that no longer exists.
func TestEveryScheme(t *testing.T) {
	for _, s := range []gocardless.Scheme{
		gocardless.SchemeACH, gocardless.SchemeAutogiro, gocardless.SchemeBacs, gocardless.SchemeBecs, gocardless.SchemeBecsNz,
		gocardless.SchemeBetalingsservice, gocardless.SchemeFasterPayments, gocardless.SchemePad, gocardless.SchemePayTo,
		gocardless.SchemeSepaCore, gocardless.SchemeSepaCreditTransfer, gocardless.SchemeSepaInstantCreditTransfer,
	} {
		if c, err := For(s); err != nil || c == nil {
			t.Errorf("%s: %v, %v", s, c, err)
		}
	}
	for _, s := range []gocardless.Scheme{gocardless.SchemeSepaCor1, "", "gold"} {
		if _, err := For(s); err == nil {
			t.Errorf("%q: no error", s)
		}
		if _, err := EarliestChargeDate(s, time.Now(), time.Time{}); err == nil {
			t.Errorf("%q: no error", s)
		}
	}
}

// The steps of a payment come one after the other, and the latest day to create it is consistent with the
// earliest charge date.
func TestSteps(t *testing.T) {
	for scheme, timing := range timings {
		for d := day("2026-01-01"); d.Before(day("2027-01-01")); d = d.AddDays(1) {
			if !timing.Calendar.IsWorkingDay(d) {
				continue
			}
			s, c, p := timing.SubmissionDate(d), timing.ConfirmationDate(d), timing.PayoutDate(d)
			if s.After(d) || c.Before(d) || p.Before(c) {
				t.Fatalf("%s: charged %s, submitted %s, confirmed %s, paid out %s", scheme, d, s, c, p)
			}
			last := timing.LatestCreation(d)
			if timing.Monthly || timing.Instant {
				if !last.IsZero() {
					t.Fatalf("%s: latest creation %s", scheme, last)
				}
				continue
			}
			noon, late := last.Time(time.UTC).Add(12*time.Hour), last.Time(time.UTC).Add(17*time.Hour)
			if got := timing.EarliestChargeDate(noon, time.Time{}); got != d {
				t.Fatalf("%s: created on %s, charged %s, want %s", scheme, last, got, d)
			}
			if got := timing.EarliestChargeDate(late, time.Time{}); !got.After(d) {
				t.Fatalf("%s: created late on %s, charged %s", scheme, last, got)
			}
		}
	}
}

func ExampleEarliestChargeDate() {
	thursday := time.Date(2026, time.April, 2, 17, 0, 0, 0, time.UTC) // before Easter, after the cut-off
	d, err := EarliestChargeDate(gocardless.SchemeBacs, thursday, time.Time{})
	fmt.Println(d, err)
	// Output: 2026-04-10 <nil>
}

func ExampleFor() {
	calendar, err := For(gocardless.SchemeSepaCore)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(calendar.Name(), calendar.Holidays(2026))
	fmt.Println(calendar.Add(gocardless.NewDate(2026, time.December, 23), 2))
	// Output:
	// target [2026-01-01 2026-04-03 2026-04-06 2026-05-01 2026-12-25]
	// 2026-12-28
}
