package load

import (
	"strings"
	"testing"
)

// A note reaches each of its operations, and every operation that does not exist is reported.
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
	var errs problems
	overlay.unused("2026-01-01", &errs)
	if err := errs.err(); err == nil || !strings.Contains(err.Error(), "b.create") || strings.Contains(err.Error(), "a.create") {
		t.Errorf("unused: %v; want b.create alone", err)
	}
	overlay.note("b.create")
	errs = problems{}
	overlay.unused("2026-01-01", &errs)
	if err := errs.err(); err != nil {
		t.Errorf("unused: %v", err)
	}
}
