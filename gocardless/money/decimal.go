package money

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
)

// Decimal is an exact decimal number. The API uses it for amounts in minor units with a fraction,
// such as those of payout items, and for exchange rates. The zero Decimal is 0. Equal numbers
// compare equal with ==: "1.50" is "1.5".
type Decimal struct {
	coef  int64 // the number without its point, and without zeros at the end of its fraction
	scale uint8 // how many digits of coef are after the point
}

// maxScale is how many decimals a Decimal can have.
const maxScale = 18

// ErrOverflow means that the result of a calculation does not fit into a [Decimal].
var ErrOverflow = errors.New("money: number out of range")

// FromMinor returns a whole number, such as an amount in minor units.
func FromMinor(n int64) Decimal { return Decimal{coef: n} }

// ParseDecimal reads a decimal number such as "12", "-0.5" or "1.1234567890", with up to 18
// digits. It takes no exponent, no plus sign, no spaces and no separators of thousands.
func ParseDecimal(s string) (Decimal, error) {
	bad := func() (Decimal, error) { return Decimal{}, errors.New("money: not a decimal number") }
	rest, minus := s, false
	if len(s) > 0 && s[0] == '-' {
		rest, minus = s[1:], true
	}
	var coef int64
	count, scale := 0, -1
	for i := 0; i < len(rest); i++ {
		c := rest[i]
		switch {
		case c == '.' && scale < 0 && i > 0:
			scale = 0
			continue
		case c < '0' || c > '9':
			return bad()
		}
		if scale >= 0 {
			scale++
		}
		if count++; count > maxScale {
			return Decimal{}, fmt.Errorf("%w: more than %d digits", ErrOverflow, maxScale)
		}
		coef = 10*coef + int64(c-'0')
	}
	if count == 0 || scale == 0 {
		return bad()
	}
	if minus {
		coef = -coef
	}
	return normal(coef, max(scale, 0)), nil
}

// normal removes the zeros at the end of the fraction.
func normal(coef int64, scale int) Decimal {
	for scale > 0 && coef%10 == 0 {
		coef /= 10
		scale--
	}
	return Decimal{coef, uint8(scale)}
}

// String returns the shortest form of the number, as in "-0.5" or "12".
func (d Decimal) String() string { return point(strconv.FormatInt(d.coef, 10), int(d.scale)) }

// MarshalText returns what String does.
func (d Decimal) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what [ParseDecimal] reads.
func (d *Decimal) UnmarshalText(text []byte) error {
	v, err := ParseDecimal(string(text))
	if err == nil {
		*d = v
	}
	return err
}

// MinorUnits returns the number without its fraction, and whether it had none: for an amount in
// minor units, whether it is a whole number of them.
func (d Decimal) MinorUnits() (minor int64, whole bool) {
	if d.scale == 0 {
		return d.coef, true
	}
	return d.coef / power(int(d.scale)), false
}

// Round returns the nearest whole number; a half is rounded away from zero.
func (d Decimal) Round() int64 {
	minor, whole := d.MinorUnits()
	if whole {
		return minor
	}
	p := power(int(d.scale))
	switch rest := d.coef % p; {
	case rest >= p/2:
		return minor + 1
	case rest <= -p/2:
		return minor - 1
	}
	return minor
}

// Sign returns -1, 0 or +1.
func (d Decimal) Sign() int {
	switch {
	case d.coef < 0:
		return -1
	case d.coef > 0:
		return +1
	}
	return 0
}

// Neg returns -d.
func (d Decimal) Neg() Decimal { return Decimal{-d.coef, d.scale} }

// Add returns d + other, or ErrOverflow.
func (d Decimal) Add(other Decimal) (Decimal, error) {
	scale := max(d.scale, other.scale)
	a, errA := d.atScale(scale)
	b, errB := other.atScale(scale)
	sum := a + b
	if errA != nil || errB != nil || (a > 0) == (b > 0) && a != 0 && b != 0 && (sum > 0) != (a > 0) {
		return Decimal{}, ErrOverflow
	}
	return normal(sum, int(scale)), nil
}

// Sub returns d - other, or ErrOverflow.
func (d Decimal) Sub(other Decimal) (Decimal, error) { return d.Add(other.Neg()) }

// Mul returns d * other, or ErrOverflow.
func (d Decimal) Mul(other Decimal) (Decimal, error) {
	coef, err := mul(d.coef, other.coef)
	scale := int(d.scale) + int(other.scale)
	if err != nil || scale > maxScale {
		return Decimal{}, ErrOverflow
	}
	return normal(coef, scale), nil
}

// Sum returns the sum of numbers, or ErrOverflow.
func Sum(numbers ...Decimal) (Decimal, error) {
	var sum Decimal
	for _, n := range numbers {
		var err error
		if sum, err = sum.Add(n); err != nil {
			return Decimal{}, err
		}
	}
	return sum, nil
}

// atScale returns the coefficient for a scale that is not smaller.
func (d Decimal) atScale(scale uint8) (int64, error) { return mul(d.coef, power(int(scale-d.scale))) }

func power(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

func mul(a, b int64) (int64, error) {
	high, low := bits.Mul64(magnitude(a), magnitude(b))
	if high != 0 || low > math.MaxInt64 {
		return 0, ErrOverflow
	}
	if (a < 0) != (b < 0) {
		return -int64(low), nil
	}
	return int64(low), nil
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}
