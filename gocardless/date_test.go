package gocardless

import (
	"encoding/json"
	"testing"
	"time"
)

func TestParseDate(t *testing.T) {
	for text, want := range map[string]Date{
		"2025-01-31": {2025, 1, 31}, "2024-02-29": {2024, 2, 29}, "2000-02-29": {2000, 2, 29}, "0000-01-01": {0, 1, 1},
		"2014-05-08T17:01:06.000Z": {2014, 5, 8}, "2014-05-08T23:59:59+02:00": {2014, 5, 8},
	} {
		if got, err := ParseDate(text); err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "2025-02-29", "1900-02-29", "2025-00-01", "2025-13-01", "2025-04-31", "2025-01-00", "2025-1-1", "20250101",
		"2025-01-01x", "2025-01-01T25:00:00Z", "2025-01-01 00:00:00Z", "-025-01-01", "2025/01/01", "٢٠٢٥-01-01", " 2025-01-01"} {
		if got, err := ParseDate(text); err == nil {
			t.Errorf("%s: got %v, want an error", text, got)
		}
	}
}

func TestDateText(t *testing.T) {
	type doc struct{ D Date }
	text, err := json.Marshal(doc{Date{2025, 3, 9}})
	if err != nil || string(text) != `{"D":"2025-03-09"}` {
		t.Errorf("got %s, %v", text, err)
	}
	var v doc
	if err := json.Unmarshal([]byte(`{"D":"2025-03-09T01:02:03Z"}`), &v); err != nil || v.D != (Date{2025, 3, 9}) {
		t.Errorf("got %v, %v", v.D, err)
	}
	if err := json.Unmarshal([]byte(`{"D":""}`), &v); err != nil || !v.D.IsZero() {
		t.Errorf("empty text: got %v, %v, want the zero date", v.D, err)
	}
	for _, d := range []Date{{2025, 2, 29}, {2025, 13, 1}, {2025, 1, 0}, {-1, 1, 1}, {10000, 1, 1}, {2025, 0, 0}} {
		if text, err := d.MarshalText(); err == nil {
			t.Errorf("%#v: got %s, want an error", d, text)
		}
		if d.String() == "" {
			t.Errorf("%#v must show itself in a message", d)
		}
	}
	if text, err := (Date{}).MarshalText(); err != nil || len(text) != 0 {
		t.Errorf("zero date: got %q, %v", text, err)
	}
}

func TestDateArithmetic(t *testing.T) {
	d := NewDate(2024, time.February, 29)
	for n, want := range map[int]Date{0: {2024, 2, 29}, 1: {2024, 3, 1}, -29: {2024, 1, 31}, 366: {2025, 3, 1}, -60: {2023, 12, 31}} {
		if got := d.AddDays(n); got != want {
			t.Errorf("AddDays(%d): got %v, want %v", n, got, want)
		}
	}
	if got := NewDate(2025, time.April, 31); got != (Date{2025, 5, 1}) {
		t.Errorf("31 April: got %v, want 1 May", got)
	}
	if got := d.Weekday(); got != time.Thursday {
		t.Errorf("got %v, want Thursday", got)
	}
	days := []Date{{2023, 12, 31}, {2024, 1, 1}, {2024, 1, 2}, {2024, 2, 1}, {2025, 1, 1}}
	for i, a := range days {
		for j, b := range days {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := a.Compare(b); got != want || a.Before(b) != (want < 0) || a.After(b) != (want > 0) {
				t.Errorf("%v and %v: got %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestDateTime(t *testing.T) {
	// The changes of these zones are at midnight, forwards, and backwards.
	load := func(name string) *time.Location {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Skip("no time zone database: ", err)
		}
		return loc
	}
	for _, test := range []struct {
		zone string
		date Date
		want string
	}{
		{"UTC", Date{2025, 3, 30}, "2025-03-30T00:00:00Z"},
		{"Europe/London", Date{2025, 3, 30}, "2025-03-30T00:00:00Z"},
		{"Europe/London", Date{2025, 3, 31}, "2025-03-31T00:00:00+01:00"},
		{"America/Sao_Paulo", Date{2018, 11, 4}, "2018-11-04T01:00:00-02:00"},
		{"America/Sao_Paulo", Date{2018, 2, 18}, "2018-02-18T00:00:00-03:00"},
		{"Africa/Cairo", Date{2023, 4, 28}, "2023-04-28T01:00:00+03:00"},
		{"Asia/Amman", Date{2021, 10, 29}, "2021-10-29T00:00:00+03:00"},   // midnight came twice
		{"Pacific/Apia", Date{2011, 12, 29}, "2011-12-29T00:00:00-10:00"}, // the day before one that does not exist there
		{"Europe/London", Date{2040, 12, 31}, "2040-12-31T00:00:00Z"},
		{"Etc/GMT+5", Date{1, 1, 1}, "0001-01-01T00:00:00-05:00"},
	} {
		got := test.date.Time(load(test.zone))
		if got.Format(time.RFC3339) != test.want {
			t.Errorf("%v in %s: got %v, want %s", test.date, test.zone, got, test.want)
		}
		if back := DateOf(got); back != test.date {
			t.Errorf("%v in %s: back to %v", test.date, test.zone, back)
		}
	}
	if got := (Date{2025, 1, 2}).Time(nil); got.Location() != time.UTC {
		t.Errorf("a nil location must be UTC, got %v", got)
	}
}

func FuzzDate(f *testing.F) {
	f.Add("2025-01-31")
	f.Add("2025-02-29")
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) != len("2006-01-02") {
			return
		}
		got, gotErr := ParseDate(s)
		want, wantErr := time.Parse("2006-01-02", s)
		if (gotErr == nil) != (wantErr == nil) || gotErr == nil && (got != DateOf(want) || got.String() != s) {
			t.Errorf("%q: got %v, %v, want %v, %v", s, got, gotErr, want, wantErr)
		}
	})
}
