// Package render writes replies of the API as tables, JSON, CSV or YAML, or through jq filters and
// templates.
package render

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Safe escapes every character that a terminal acts on, and invalid UTF-8. Some data comes from
// payers: control characters could move the cursor or set the title, and controls of the writing
// direction could make one amount look like another.
func Safe(s string) string { return escape(s, false) }

// SafeText does the same as Safe, but keeps line breaks and tabs.
func SafeText(s string) string { return escape(s, true) }

func escape(s string, layout bool) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		_, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteString(`\x` + hex(uint32(s[i]), 2))
		case layout && (r == '\n' || r == '\t'), !dangerous(r):
			b.WriteRune(r)
		case r > 0xffff:
			b.WriteString(`\U` + hex(uint32(r), 8))
		default:
			b.WriteString(`\u` + hex(uint32(r), 4))
		}
	}
	return b.String()
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// dangerous reports whether a terminal acts on a character instead of showing it.
func dangerous(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029'
}

func hex(n uint32, digits int) string {
	const set = "0123456789abcdef"
	out := make([]byte, digits)
	for i := digits - 1; i >= 0; i-- {
		out[i] = set[n&15]
		n >>= 4
	}
	return string(out)
}

// safeJSON escapes the same characters as Safe, in JSON's own form, so that the value stays the same.
func safeJSON(raw []byte) []byte {
	return escapeInside(raw, func(r rune) string {
		hi, lo := utf16.EncodeRune(r)
		return `\u` + hex(uint32(hi), 4) + `\u` + hex(uint32(lo), 4)
	})
}

// safeYAML does the same in double-quoted strings of YAML, which has no surrogate pairs.
func safeYAML(raw []byte) []byte {
	return escapeInside(raw, func(r rune) string { return `\U` + hex(uint32(r), 8) })
}

func escapeInside(raw []byte, long func(rune) string) []byte {
	if plain(string(raw)) {
		return raw
	}
	var b strings.Builder
	for _, r := range string(raw) {
		switch {
		case r == '\n' || r == '\t' || !dangerous(r):
			b.WriteRune(r)
		case r > 0xffff:
			b.WriteString(long(r))
		default:
			b.WriteString(`\u` + hex(uint32(r), 4))
		}
	}
	return []byte(b.String())
}

// width returns how many columns a string takes on most terminals: two for wide characters, none for
// combining ones.
func width(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Mn, r):
		case wide(r):
			n += 2
		default:
			n++
		}
	}
	return n
}

func wide(r rune) bool {
	return r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 ||
		r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 || r >= 0x1f300 && r <= 0x1faff || r >= 0x20000 && r <= 0x3fffd)
}

// Clip shortens a string to a number of columns.
func Clip(s string, columns int) string {
	if columns < 1 || width(s) <= columns {
		return s
	}
	n := 0
	for i, r := range s {
		n += width(string(r))
		if n > columns-1 {
			return s[:i] + "…"
		}
	}
	return s
}
