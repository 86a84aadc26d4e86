package jsonwire

import (
	"testing"
	"time"
)

func FuzzTime(f *testing.F) {
	for _, s := range []string{"2014-05-08T17:01:06.000Z", "2014-05-08T17:01:06Z", "2014-05-08T17:01:06.123456789+02:00", "2014-02-30T00:00:00Z",
		"2014-05-08T24:00:00Z", "2014-05-08T23:59:60Z", "2014-05-08t17:01:06z", "2014-05-08T17:01:06.0Z", "9999-12-31T23:59:59.999Z", "0000-01-01T00:00:00.000Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := ParseTime([]byte(s))
		var want time.Time
		err := want.UnmarshalText([]byte(s))
		if len(s) == 0 || len(s) == len("2006-01-02") {
			return // accepted beyond RFC 3339
		}
		if ok != (err == nil) || ok && (!got.Equal(want) || got.Location() != time.UTC) {
			t.Errorf("%q: got %v, %v, want %v in UTC, %v", s, got, ok, want, err)
		}
		if d, dateOK := ParseDate([]byte(s)); dateOK != ok || ok && d != dateOf(want) {
			t.Errorf("%q as a date: got %v, %v, want the day of %v", s, d, dateOK, want)
		}
	})
}
