package money

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

func TestFormat(t *testing.T) {
	for _, x := range []struct {
		minor    int64
		currency gocardless.Currency
		want     string
	}{
		{1500, "GBP", "£15.00"}, {-5, "EUR", "-€0.05"}, {0, "USD", "US$0.00"}, {100, "AUD", "A$1.00"}, {99, "CAD", "C$0.99"},
		{1234567, "NZD", "NZ$12345.67"}, {1500, "SEK", "SEK 15.00"}, {-1500, "DKK", "-DKK 15.00"}, {1, "PLN", "PLN 0.01"},
		{1, "", "0.01"}, {1, "\x1b[31m", "0.01"}, {1, "gbp", "0.01"},
		{math.MaxInt64, "GBP", "£92233720368547758.07"}, {math.MinInt64, "GBP", "-£92233720368547758.08"},
	} {
		if got := Format(x.minor, x.currency); got != x.want {
			t.Errorf("Format(%d, %q) = %q, want %q", x.minor, x.currency, got, x.want)
		}
	}
	if got := Major(-1505); got != "-15.05" {
		t.Errorf("Major = %q", got)
	}
	half, _ := ParseDecimal("-12.5")
	if got := half.Format(gocardless.CurrencyGBP); got != "-£0.125" {
		t.Errorf("half a penny = %q", got)
	}
	// Every currency of the API has a prefix.
	for _, c := range []gocardless.Currency{gocardless.CurrencyAUD, gocardless.CurrencyCAD, gocardless.CurrencyDKK, gocardless.CurrencyEUR,
		gocardless.CurrencyGBP, gocardless.CurrencyNZD, gocardless.CurrencySEK, gocardless.CurrencyUSD} {
		if Format(1, c) == "0.01" {
			t.Errorf("%s is not formatted", c)
		}
	}
}

func TestParseDecimal(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "-0": "0", "-0.0": "0", "12": "12", "1.50": "1.5", "-0.5": "-0.5", "007": "7", "100": "100", "1.1234567890": "1.123456789",
		"999999999999999999": "999999999999999999",
	} {
		d, err := ParseDecimal(in)
		if err != nil || d.String() != want {
			t.Errorf("ParseDecimal(%q) = %s, %v, want %s", in, d, err, want)
		}
		if again, err := ParseDecimal(d.String()); err != nil || again != d {
			t.Errorf("%q: %v read again is %v, %v", in, d, again, err)
		}
	}
	for _, in := range []string{"", "-", ".", "1.", ".5", "+1", "1e3", "1,000", " 1", "1 ", "0x1", "--1", "1.2.3", "NaN", "1.-2", "١"} {
		if d, err := ParseDecimal(in); err == nil {
			t.Errorf("ParseDecimal(%q) = %s, want an error", in, d)
		}
	}
	if _, err := ParseDecimal("1234567890123456789"); !errors.Is(err, ErrOverflow) {
		t.Errorf("19 digits: %v", err)
	}
}

func TestMinorUnitsAndRound(t *testing.T) {
	for _, x := range []struct {
		in           string
		minor, round int64
		whole        bool
	}{
		{"100.0", 100, 100, true}, {"100.5", 100, 101, false}, {"-100.5", -100, -101, false}, {"0.4", 0, 0, false}, {"-0.49", 0, 0, false},
		{"-0.5", 0, -1, false}, {"0.5", 0, 1, false}, {"-7", -7, -7, true},
	} {
		d, err := ParseDecimal(x.in)
		minor, whole := d.MinorUnits()
		if err != nil || minor != x.minor || whole != x.whole || d.Round() != x.round {
			t.Errorf("%s: %d, %v, rounded %d, %v", x.in, minor, whole, d.Round(), err)
		}
	}
}

// Results are equal to those of rational arithmetic, unless they overflow.
func TestArithmetic(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	rat := func(d Decimal) *big.Rat {
		v, ok := new(big.Rat).SetString(d.String())
		if !ok {
			t.Fatalf("%q", d)
		}
		return v
	}
	random := func() Decimal {
		return normal(r.Int64N(int64(1)<<r.IntN(63))*int64(1-2*r.IntN(2)), r.IntN(10))
	}
	overflows := 0
	for range 20_000 {
		a, b := random(), random()
		for name, op := range map[string]func() (Decimal, *big.Rat, error){
			"+": func() (Decimal, *big.Rat, error) { d, err := a.Add(b); return d, new(big.Rat).Add(rat(a), rat(b)), err },
			"-": func() (Decimal, *big.Rat, error) { d, err := a.Sub(b); return d, new(big.Rat).Sub(rat(a), rat(b)), err },
			"*": func() (Decimal, *big.Rat, error) { d, err := a.Mul(b); return d, new(big.Rat).Mul(rat(a), rat(b)), err },
		} {
			got, want, err := op()
			if err != nil {
				if overflows++; !errors.Is(err, ErrOverflow) || got != (Decimal{}) {
					t.Fatalf("%s %s %s: %v, %v", a, name, b, got, err)
				}
				continue
			}
			if rat(got).Cmp(want) != 0 {
				t.Fatalf("%s %s %s = %s, want %s", a, name, b, got, want.FloatString(20))
			}
		}
	}
	if overflows == 0 || overflows > 40_000 {
		t.Errorf("%d overflows", overflows)
	}
	if s, err := Sum(FromMinor(1), FromMinor(2), FromMinor(3).Neg()); err != nil || s.Sign() != 0 {
		t.Errorf("sum = %s, %v", s, err)
	}
	if _, err := Sum(FromMinor(math.MaxInt64), FromMinor(1)); !errors.Is(err, ErrOverflow) {
		t.Errorf("sum: %v", err)
	}
	if FromMinor(-1).Sign() != -1 || FromMinor(1).Sign() != 1 {
		t.Error("signs")
	}
}

func TestDecimalInJSON(t *testing.T) {
	var v struct{ Amount Decimal }
	if err := json.Unmarshal([]byte(`{"Amount":"-37.50"}`), &v); err != nil {
		t.Fatal(err)
	}
	if out, err := json.Marshal(v); err != nil || string(out) != `{"Amount":"-37.5"}` {
		t.Errorf("%s, %v", out, err)
	}
	if err := json.Unmarshal([]byte(`{"Amount":"x"}`), &v); err == nil || v.Amount.String() != "-37.5" {
		t.Errorf("%v, %v", v, err)
	}
}

func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{"0", "-1.5", "1.", "99999999999999999999", "-", "1.1234567890"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDecimal(s)
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(s)
		got, ok2 := new(big.Rat).SetString(d.String())
		if !ok || !ok2 || got.Cmp(want) != 0 || strings.HasPrefix(d.String(), "-0") && d.Sign() == 0 {
			t.Errorf("%q is read as %s", s, d)
		}
	})
}
