package jsonwire

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
)

// ratInt64 reads a whole number with package math/big. Numbers with an exponent too large to
// compute are decided by their sign.
func ratInt64(text string) (int64, bool) {
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, ok := new(big.Rat).SetString(text[:i])
		if ok && mantissa.Sign() == 0 {
			return 0, true
		}
		if len(strings.TrimLeft(text[i+1:], "+-0")) > 4 {
			return 0, false
		}
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok || !r.IsInt() || !r.Num().IsInt64() {
		return 0, false
	}
	return r.Num().Int64(), true
}

func FuzzInteger(f *testing.F) {
	for _, s := range []string{"0", "-1", "100.0", "1e2", "12.5e1", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e-1", "1000e-3",
		"0.000e400", "1e19", "0.00000000000000000000000000001e30", "123456789012345678901234567890e-20"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		isNumber := json.Valid([]byte(s)) && s == strings.TrimSpace(s) && strings.ContainsAny(s[:1], "-0123456789")
		if n := scanNumber([]byte(s)); (n == len(s) && n > 0) != isNumber {
			t.Fatalf("%q: scanNumber %d, valid %v", s, n, isNumber)
		}
		if !isNumber {
			return
		}
		got, problem := parseInteger([]byte(s))
		want, ok := ratInt64(s)
		if (problem == "") != ok || ok && got != want {
			t.Errorf("%q: got %d %q, want %d, %v", s, got, problem, want, ok)
		}
	})
}
