package load

import "testing"

// A note applies to each of its operations, and every operation that does not exist is reported.
func TestNotes(t *testing.T) {
	overlay, err := ParseOverlay([]byte(`{"notes":[{"operations":["a.create","b.create"],"note":"Ask first.","reason":"r"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if note := overlay.note("a.create"); note != "Ask first." {
		t.Errorf("the note is %q", note)
	}
	if note := overlay.note("c.create"); note != "" {
		t.Errorf("an operation without a note has %q", note)
	}
	stale := overlay.parts(overlay.stale("2026-01-01"))
	if want := (Stale{"/notes/0/operations/1", "b.create"}); len(stale) != 1 || stale[0] != want {
		t.Errorf("stale: %v, want %v alone", stale, want)
	}
	overlay.note("b.create")
	if stale := overlay.stale("2026-01-01"); len(stale) > 0 {
		t.Errorf("stale: %v", stale)
	}
}
