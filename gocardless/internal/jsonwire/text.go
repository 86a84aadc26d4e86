package jsonwire

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// Sizes of the memory for strings.
const (
	poolFirst = 192 // bytes set aside for the first strings
	poolMax   = 512 // bytes that strings share
	keepMax   = 128 // a longer string has its own memory
	seenSize  = 64  // strings that the decoder recognises; a power of two
	seenMax   = 32  // a longer string is not looked up
)

// keep returns a copy of b. Short strings that follow one another share an allocation, which is
// small: a caller who keeps an id keeps half a kilobyte at most, and never the page.
func (d *Decoder) keep(b []byte) string {
	n := len(b)
	if n == 0 {
		return ""
	}
	if n > keepMax {
		return string(b)
	}
	if cap(d.pool)-len(d.pool) < n {
		d.pool = make([]byte, 0, max(d.poolSize, n))
		d.poolSize = min(len(d.data)-d.pos, poolMax)
	}
	used := len(d.pool)
	d.pool = d.pool[:used+n]
	copy(d.pool[used:], b)
	return unsafe.String(&d.pool[used], n) // nothing writes there again
}

// intern returns b as a string, the same memory each time where it can. It is not inlined: many
// methods would hold a copy.
//
//go:noinline
func (d *Decoder) intern(b []byte) string {
	n := len(b)
	if n == 0 {
		return ""
	}
	if n > seenMax {
		return string(b)
	}
	i := (uint(b[0])*7 + uint(b[n-1])*31 + uint(b[n/2])*3 + uint(n)) % seenSize
	if d.seen[i] != string(b) {
		i = (i ^ 1) % seenSize // its other place
		if d.seen[i] != string(b) {
			d.turn ^= 1
			i = (i ^ d.turn) % seenSize
			d.seen[i] = string(b)
		}
	}
	return d.seen[i]
}

// quoted reads a string literal whose opening quote is at d.pos. It returns the contents:
// a part of the input, or of d.scratch if there were escapes or invalid UTF-8. They are valid
// until the next read.
func (d *Decoder) quoted() []byte {
	data, start := d.data, d.pos+1
	i := start
	for ; i >= 0 && i < len(data)-8; i += 8 {
		if found := special(binary.LittleEndian.Uint64(data[i : i+8])); found != 0 {
			i += bits.TrailingZeros64(found) / 8
			break
		}
	}
	for ; i < len(data); i++ {
		if c := data[i]; c == '"' {
			d.pos = i + 1
			return data[start:i]
		} else if !safe[c] {
			break
		}
	}
	return d.unusualText(start, i)
}

// special marks those among eight bytes that do not stand for themselves in a string. The highest bit
// of a byte is set below if the byte is a control character or, but for one bit, a space; if it is a
// backslash; or if it is not ASCII. A borrow may set it in a later byte as well, never in an earlier
// one: only the first mark counts.
func special(word uint64) uint64 {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	control, slash := word^('"'-' ')*ones, word^'\\'*ones
	return ((control - (' '+1)*ones) | (slash - ones) | word) & tops
}

// unusualText continues quoted at i, at a byte that does not stand for itself.
func (d *Decoder) unusualText(start, i int) []byte {
	data := d.data
	out := append(d.scratch[:0], data[start:i]...)
	for i < len(data) {
		c := data[i]
		switch {
		case c == '"':
			d.pos = i + 1
			d.scratch = out
			return out
		case c == '\\':
			var size int
			if out, size = unescape(out, data[i:]); size == 0 {
				d.failAt(i, "invalid escape in a string")
				return nil
			}
			i += size
		case c < ' ':
			d.failAt(i, "control character in a string")
			return nil
		case c < utf8.RuneSelf:
			out = append(out, c)
			i++
		default:
			// An invalid byte decodes as RuneError of width 1, hence becomes U+FFFD.
			r, size := utf8.DecodeRune(data[i:])
			out = utf8.AppendRune(out, r)
			i += size
		}
	}
	d.failAt(len(data), "unexpected end in a string")
	return nil
}

// validText returns text in which U+FFFD stands for each run of invalid UTF-8, like
// strings.ToValidUTF8, which is larger.
func validText(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	var out []byte
	for invalid := false; len(b) > 0; {
		r, size := utf8.DecodeRune(b)
		wrong := r == utf8.RuneError && size == 1
		if !wrong || !invalid {
			out = utf8.AppendRune(out, r)
		}
		b, invalid = b[size:], wrong
	}
	return out
}

// unescape appends what the escape sequence at the start of b means, and returns the length
// of the sequence, 0 when it is invalid. Half a surrogate pair becomes U+FFFD.
func unescape(out, b []byte) ([]byte, int) {
	if len(b) < 2 {
		return out, 0
	}
	switch c := b[1]; c {
	case '"', '\\', '/':
		return append(out, c), 2
	case 'b':
		return append(out, '\b'), 2
	case 'f':
		return append(out, '\f'), 2
	case 'n':
		return append(out, '\n'), 2
	case 'r':
		return append(out, '\r'), 2
	case 't':
		return append(out, '\t'), 2
	case 'u':
		r := hex4(b[2:])
		if r < 0 {
			return out, 0
		}
		if utf16.IsSurrogate(r) {
			if len(b) >= 8 && b[6] == '\\' && b[7] == 'u' {
				if pair := utf16.DecodeRune(r, hex4(b[8:])); pair != utf8.RuneError {
					return utf8.AppendRune(out, pair), 12
				}
			}
			r = utf8.RuneError
		}
		return utf8.AppendRune(out, r), 6
	}
	return out, 0
}

// lowerKey returns a copy of a key in lower case, or nil when it is that already. Like
// encoding/json it knows the two letters beyond ASCII that fold to an ASCII letter; no other can
// be part of a name of the API.
func lowerKey(key []byte) []byte {
	i := 0
	for i < len(key) && key[i] < utf8.RuneSelf && (key[i] < 'A' || key[i] > 'Z') {
		i++
	}
	if i == len(key) {
		return nil
	}
	lower := strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		case r == '\u212a': // the sign of the unit kelvin
			return 'k'
		case r == '\u017f': // long s
			return 's'
		}
		return r
	}, string(key))
	if lower == string(key) {
		return nil
	}
	return []byte(lower)
}

// hex4 reads four hexadecimal digits, and returns -1 when there are none.
func hex4(b []byte) rune {
	if len(b) < 4 {
		return -1
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}
