package jsonpointer

import (
	"slices"
	"testing"
)

// The examples of RFC 6901, section 5, and names that an escaper in two steps gets wrong.
func TestJoinAndSplit(t *testing.T) {
	for want, names := range map[string][]string{
		"/foo/0": {"foo", "0"}, "/": {""}, "/a~1b": {"a/b"}, "/c%d": {"c%d"}, "/m~0n": {"m~n"},
		"/~01": {"~1"}, "/~10": {"/0"}, "/a.b/~0~1": {"a.b", "~/"},
	} {
		got := Join("", names...)
		if got != want {
			t.Errorf("%q: got %q, want %q", names, got, want)
		}
		if back := Split(got[1:]); !slices.Equal(back, names) {
			t.Errorf("%q leads through %q, want %q", got, back, names)
		}
	}
}
