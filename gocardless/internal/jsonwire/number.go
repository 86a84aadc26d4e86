package jsonwire

import (
	"bytes"
	"math"
	"strconv"
)

// Number reads a number as the document writes it.
func (d *Decoder) Number() string { return string(d.number()) }

// number steps over a number and returns its digits, or nil if there is none.
func (d *Decoder) number() []byte {
	d.Next()
	n := scanNumber(d.data[d.pos:])
	if n == 0 {
		d.syntax("a value")
		return nil
	}
	d.pos += n
	return d.data[d.pos-n : d.pos]
}

// scanNumber returns the length of the JSON number at the start of b, 0 when there is none.
func scanNumber(b []byte) int {
	i := 0
	if i < len(b) && b[i] == '-' {
		i++
	}
	switch n := digits(b[i:]); {
	case n == 0:
		return 0
	case b[i] == '0':
		i++ // a further digit is the caller's problem: it cannot follow a value
	default:
		i += n
	}
	if i < len(b) && b[i] == '.' {
		n := digits(b[i+1:])
		if n == 0 {
			return 0
		}
		i += 1 + n
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		j := i + 1
		if j < len(b) && (b[j] == '+' || b[j] == '-') {
			j++
		}
		n := digits(b[j:])
		if n == 0 {
			return 0
		}
		i = j + n
	}
	return i
}

// digits returns how many decimal digits b starts with.
func digits(b []byte) int {
	for i, c := range b {
		if c-'0' > 9 {
			return i
		}
	}
	return len(b)
}

// What is expected and found when a number cannot be read.
const (
	anInteger  = "an integer"
	aNumber    = "a number"
	outOfRange = "a number out of range"
	aFraction  = "a fraction"
)

// integer reads an integer. It returns false for null and for a misfit.
func (d *Decoder) integer() (int64, bool) {
	if n, ok := d.shortInteger(); ok {
		return n, true
	}
	start, b, ok := d.numeral(anInteger)
	if !ok {
		return 0, false
	}
	n, problem := parseInteger(b)
	if problem != "" {
		d.unreadable(start, anInteger, problem)
		return 0, false
	}
	return n, true
}

// shortInteger reads a few digits that another member follows, which is what an amount mostly is.
func (d *Decoder) shortInteger() (int64, bool) {
	data, i := d.data, d.pos
	n := int64(0)
	for ; i < len(data) && data[i]-'0' <= 9; i++ {
		n = n*10 + int64(data[i]-'0')
	}
	digits := i - d.pos
	if digits == 0 || digits > 18 || data[d.pos] == '0' && digits > 1 || i == len(data) || data[i] != ',' {
		return 0, false
	}
	d.pos = i
	return n, true
}

// Float64 reads a number.
func (d *Decoder) Float64() float64 {
	f, _ := d.float()
	return f
}

// float reads a number. It returns false for null and for a misfit.
func (d *Decoder) float() (float64, bool) {
	start, b, ok := d.numeral(aNumber)
	if !ok {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		d.unreadable(start, aNumber, outOfRange)
		return 0, false
	}
	return f, true
}

// numeral returns the digits of a number, which may be in a string, and where they are. It
// returns false for null and for a misfit.
func (d *Decoder) numeral(expected string) (start int, b []byte, ok bool) {
	c := d.Next()
	start = d.pos
	switch {
	case c-'0' <= 9 || c == '-':
		b = d.number()
		return start, b, b != nil
	case c == '"':
		b = d.quoted()
		if len(b) > 0 && scanNumber(b) == len(b) {
			return start, b, true
		}
		d.unreadable(start, expected, "a string")
	case d.Null():
	default:
		found := kindOf(c)
		if found == "" {
			d.syntax(expected)
			break
		}
		d.Skip()
		d.unreadable(start, expected, found)
	}
	return start, nil, false
}

// anyNumber reads a number that no field expects.
func (d *Decoder) anyNumber() any {
	b := d.number()
	if b == nil {
		return nil
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return string(b)
	}
	return f
}

// ParseInteger converts a JSON number to an integer without a detour through floating point. It
// returns what was found instead of an integer, or "".
func ParseInteger(b []byte) (int64, string) {
	if len(b) == 0 || scanNumber(b) != len(b) {
		return 0, "a string"
	}
	return parseInteger(b)
}

func parseInteger(b []byte) (int64, string) {
	neg := b[0] == '-'
	if neg {
		b = b[1:]
	}
	var n uint64
	if len(b) <= 18 {
		i := 0
		for ; i < len(b) && b[i]-'0' <= 9; i++ {
			n = n*10 + uint64(b[i]-'0')
		}
		if i == len(b) {
			if neg {
				return -int64(n), ""
			}
			return int64(n), ""
		}
	}
	n, err := parseDecimal(b)
	switch {
	case err != "":
		return 0, err
	case neg && n <= -math.MinInt64:
		return -int64(n), ""
	case !neg && n <= math.MaxInt64:
		return int64(n), ""
	}
	return 0, outOfRange
}

// parseDecimal converts an unsigned JSON number with a whole value.
func parseDecimal(b []byte) (uint64, string) {
	// The value is mantissa·10^exp; the mantissa is the digits without the point.
	mantissa := make([]byte, 0, 32)
	exp, i := 0, 0
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		mantissa = append(mantissa, b[i])
	}
	if i < len(b) && b[i] == '.' {
		for i++; i < len(b) && b[i]-'0' <= 9; i++ {
			mantissa = append(mantissa, b[i])
			exp--
		}
	}
	if i < len(b) {
		exp += exponent(b[i+1:])
	}
	digits := bytes.TrimRight(mantissa, "0")
	exp += len(mantissa) - len(digits)
	mantissa = bytes.TrimLeft(digits, "0")
	switch {
	case len(mantissa) == 0:
		return 0, ""
	case exp < 0:
		return 0, aFraction
	case exp > 20 || len(mantissa)+exp > 20:
		return 0, outOfRange
	}
	for range exp {
		mantissa = append(mantissa, '0')
	}
	n, err := strconv.ParseUint(string(mantissa), 10, 64)
	if err != nil {
		return 0, outOfRange
	}
	return n, ""
}

// exponent reads what follows the e of a number. One that is too large to add counts as the largest of its
// sign.
func exponent(b []byte) int {
	e, err := strconv.Atoi(string(b))
	switch {
	case err == nil && e >= math.MinInt32 && e <= math.MaxInt32:
		return e
	case b[0] == '-':
		return math.MinInt32
	}
	return math.MaxInt32
}
