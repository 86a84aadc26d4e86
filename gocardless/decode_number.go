package gocardless

import (
	"math"
	"strconv"
)

func itoa(n int) string { return strconv.Itoa(n) }

// number steps over a number and returns its text, nil when there is none.
func (d *decoder) number() []byte {
	d.next()
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

// integer reads an integer, and false for null or an error.
func (d *decoder) integer() (int64, bool) {
	switch c := d.next(); {
	case c-'0' <= 9 || c == '-':
		start := d.pos
		b := d.number()
		if b == nil {
			return 0, false
		}
		return d.toInteger(start, b)
	case c == '"':
		start := d.pos
		b := d.text()
		if scanNumber(b) != len(b) || len(b) == 0 {
			if d.err == nil {
				d.failAt(start, "expected an integer, found a string")
			}
			return 0, false
		}
		return d.toInteger(start, b)
	}
	if !d.null() {
		d.wrong("an integer")
	}
	return 0, false
}

// toInteger converts the number b, which stands at start.
func (d *decoder) toInteger(start int, b []byte) (int64, bool) {
	n, err := parseInteger(b)
	if err != "" {
		d.failAt(start, err)
		return 0, false
	}
	return n, true
}

// parseInteger converts a JSON number to an integer without a detour over floating point. It
// returns what is wrong, or "".
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
	return 0, "integer out of range"
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
	if i < len(b) { // the e
		e, err := strconv.Atoi(string(b[i+1:]))
		if err != nil || e > math.MaxInt32 || e < math.MinInt32 {
			// Too large to add; the sign decides what it means below.
			e = math.MaxInt32
			if b[i+1] == '-' {
				e = math.MinInt32
			}
		}
		exp += e
	}
	for len(mantissa) > 0 && mantissa[len(mantissa)-1] == '0' {
		mantissa = mantissa[:len(mantissa)-1]
		exp++
	}
	for len(mantissa) > 0 && mantissa[0] == '0' {
		mantissa = mantissa[1:]
	}
	switch {
	case len(mantissa) == 0:
		return 0, ""
	case exp < 0:
		return 0, "expected an integer, found a fraction"
	case exp > 20 || len(mantissa)+exp > 20:
		return 0, "integer out of range"
	}
	for range exp {
		mantissa = append(mantissa, '0')
	}
	n, err := strconv.ParseUint(string(mantissa), 10, 64)
	if err != nil {
		return 0, "integer out of range"
	}
	return n, ""
}

// float64 reads a number.
func (d *decoder) float64() float64 {
	switch c := d.next(); {
	case c-'0' <= 9 || c == '-':
	case c == 'n':
		d.null()
		return 0
	default:
		d.wrong("a number")
		return 0
	}
	start := d.pos
	b := d.number()
	if b == nil {
		return 0
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		d.failAt(start, "number out of range")
		return 0
	}
	return f
}
