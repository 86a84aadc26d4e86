package jsonwire

import (
	"testing"
	"unsafe"
)

// TestInternedInOnePlace alternates between two strings that belong in the same place.
func TestInternedInOnePlace(t *testing.T) {
	d := NewDecoder(nil)
	texts := [][]byte{[]byte("EUR"), []byte("pending_submission")}
	first := []string{d.intern(texts[0]), d.intern(texts[1])}
	for range 3 {
		for i, text := range texts {
			if got := d.intern(text); got != first[i] || unsafe.StringData(got) != unsafe.StringData(first[i]) {
				t.Errorf("%s: a new %q", text, got)
			}
		}
	}
}
