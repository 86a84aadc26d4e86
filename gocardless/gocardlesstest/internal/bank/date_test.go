package bank

import (
	"testing"
	"time"
)

// Dates are formatted and parsed as in package time.
func TestDates(t *testing.T) {
	for at := time.Date(1999, 12, 25, 13, 0, 0, 0, time.UTC); at.Year() < 2033; at = at.AddDate(0, 0, 1) {
		d := DateOf(at)
		if want := at.Format(time.DateOnly); string(d) != want {
			t.Fatalf("DateOf(%v) = %s", at, d)
		}
		if got := d.At(13, 0); !got.Equal(at) {
			t.Fatalf("%s at 13:00 is %v, want %v", d, got, at)
		}
	}
	for _, bad := range []Date{"", "2026-02-29", "2026-13-01", "2026-00-10", "2026-1-01", "20260101", "2026-01-01T", "2026/01/01", "-026-01-01", "2026-+1-01", "２０26-1-1"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was taken for a date", bad)
				}
			}()
			bad.Time()
		}()
	}
}
