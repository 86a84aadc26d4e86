package scrub

import (
	"strings"
	"testing"
)

// A number is masked with any separator between its groups.
func TestSpellings(t *testing.T) {
	wide := func(s string) string {
		return strings.Map(func(r rune) rune {
			if isAlnum(byte(r)) {
				r += '\uff01' - '!'
			}
			return r
		}, s)
	}
	for _, separator := range []string{"", " ", "  ", "\t", "\r\n", "-", " - ", "_", ".", "/", "\u00a0", "\u2009", "\u202f", "\u3000", "\u200b", "\u00ad", "\ufeff", "\u2011", "\u2013", "\u2212", "\u00a0\u2013\u00a0", "\x00", "\xff"} {
		for number, want := range map[string]string{
			"GB33 BUKB 2020 1555 5555 55": "[IBAN]", "FR14 2004 1010 0505 0001 3M02 606": "[IBAN]", "4242 4242 4242 4242": "[number]",
			"55 77 99 11": "[number]", "20 00 00": "[number]", "+44 20 7946 0958": "[number]",
		} {
			for _, s := range []string{number, wide(number)} {
				s = strings.ReplaceAll(s, " ", separator)
				if got := Text("no " + s + ", or"); got != "no "+want+", or" {
					t.Errorf("%q becomes %q", s, got)
				}
			}
		}
	}
}
