package relay

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

var t0 = time.Date(2026, time.September, 14, 9, 0, 0, 0, time.UTC)

// reopen simulates a crash: it does not close the previous state.
func reopen(t *testing.T, path string) *State {
	t.Helper()
	s, fresh, err := Open(path)
	if err != nil || fresh {
		t.Fatalf("fresh: %t, %v", fresh, err)
	}
	return s
}

func TestStateOutlivesACrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "listen", "s.json")
	s, fresh, err := Open(path)
	if err != nil || !fresh || len(s.Secret()) < 40 {
		t.Fatalf("fresh: %t, secret %q, %v", fresh, s.Secret(), err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.From(t0))
	done := Pending{Event: "EV1", Endpoint: "http://a", At: t0}
	undone := Pending{Event: "EV2", Endpoint: "http://a", At: t0}
	open := Pending{Event: "EV3", Endpoint: "http://a", At: t0}
	must(s.Start(done))
	must(s.Settle(done))
	must(s.Start(undone))
	must(s.Undo(undone))
	must(s.Start(open))
	must(s.Advance(t0.Add(time.Minute)))
	secret := s.Secret()

	// A crash left an incomplete line at the end of the journal.
	f, err := os.OpenFile(path+".journal", os.O_APPEND|os.O_WRONLY, 0)
	must(err)
	_, err = f.WriteString(`{"event":"EV4","endp`)
	must(err)
	must(f.Close())
	for range 2 { // reading it changes nothing
		s = reopen(t, path)
		if s.Secret() != secret || !s.Cursor().Equal(t0.Add(time.Minute)) || !s.Begin().Equal(t0) {
			t.Errorf("came back as %+v", s.saved)
		}
		if !s.Done(done) || s.Done(undone) || !s.Done(open) || s.Done(Pending{Event: "EV1", Endpoint: "http://b"}) {
			t.Errorf("knows %v", s.known)
		}
		if d := s.Doubtful(); len(d) != 1 || d[0].Event != "EV3" {
			t.Errorf("in doubt: %v", d)
		}
	}

	// A new sandbox uses the ids of an earlier one again.
	if s.Done(Pending{Event: done.Event, Endpoint: done.Endpoint, At: t0.Add(time.Second)}) {
		t.Error("an event with the same id and another time is taken for the old one")
	}

	// After a number of lines the state forgets entries that are too old to be looked up again.
	for i := range journalLines + 1 {
		must(s.Advance(t0.Add(time.Hour + time.Duration(i)*time.Minute)))
	}
	if s.Done(done) {
		t.Error("remembers an event from long ago")
	}
	must(os.WriteFile(path, []byte("{"), 0o600))
	if _, _, err := Open(path); err == nil {
		t.Error("a damaged file was taken for an empty one")
	}
}
