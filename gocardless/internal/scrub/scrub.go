// Package scrub makes strings from outside safe to put into errors and logs.
package scrub

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText is the length, in bytes, after which Text cuts a string.
const maxText = 300

// Mask removes an access token from a string. A nil Mask changes nothing.
type Mask func(string) string

// Text is like the function [Text], and removes the token as well.
func (m Mask) Text(s string) string {
	if m != nil {
		s = m(s)
	}
	return Text(s)
}

// Lengths of tokens. The API's are much longer.
const (
	shortToken = 8  // a shorter one is not masked: it may be part of any message
	longToken  = 16 // a shorter one is masked as a whole word only
)

// Token returns the Mask of an access token.
func Token(token string) Mask {
	switch {
	case len(token) < shortToken:
		return nil
	case len(token) >= longToken:
		return func(s string) string { return strings.ReplaceAll(s, token, tokenMask) }
	}
	return func(s string) string { return replaceWord(s, token) }
}

const tokenMask = "[token]"

// replaceWord masks the occurrences of a token that are not part of a longer word.
func replaceWord(s, token string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, token)
		if i < 0 {
			write(&b, s)
			return b.String()
		}
		end := i + len(token)
		if i > 0 && isWord(s[i-1]) || end < len(s) && isWord(s[end]) {
			write(&b, s[:i+1])
			s = s[i+1:]
			continue
		}
		write(&b, s[:i], tokenMask)
		s = s[end:]
	}
}

func isWord(c byte) bool { return isAlnum(c) || c == '_' || c == '-' }

// Text makes a string from outside safe to log. It masks e-mail addresses, IBANs, numbers of six
// digits or more (of accounts, cards, telephones, sort codes), users, paths and queries in URLs, and
// everything in double quotes or backticks that is not a plain name. Dates stay, control characters
// become spaces, and the length is bounded.
//
// Text cannot recognise people's names and addresses outside quotes.
func Text(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		if b.Len() >= maxText {
			write(&b, "…")
			break
		}
		switch c := text[i]; {
		case c == '"' || c == '`':
			i += scrubQuoted(&b, text[i:])
		case isWordByte(c):
			i += scrubWord(&b, text[i:])
		default:
			writeClean(&b, text[i:i+1])
			i++
		}
	}
	return b.String()
}

// isWordByte reports whether a byte can be part of a word: a letter of any script, a digit, or a
// punctuation character that occurs in e-mail addresses.
func isWordByte(c byte) bool {
	return c >= utf8.RuneSelf || isAlnum(c) || c == '@' || c == '+' || c == '_' || c == '.' || c == '%' || c == '-'
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// scrubQuoted writes a quotation at the start of text and returns its length.
func scrubQuoted(b *strings.Builder, text string) int {
	quote := text[0]
	end := closingQuote(text[1:], quote)
	if end < 0 {
		write(b, text[:1])
		return 1
	}
	inner := text[1 : 1+end]
	if !isName(inner) {
		inner = "…"
	}
	write(b, text[:1], inner, text[:1])
	return end + 2
}

// closingQuote returns the index of the quote that ends a quotation, or -1. As package fmt writes it
// with %q, a quote inside has a backslash before it. The last quote ends the quotation in any case.
func closingQuote(text string, quote byte) int {
	end := -1
	for i := range len(text) {
		if text[i] != quote {
			continue
		}
		end = i
		if i == 0 || text[i-1] != '\\' {
			break
		}
	}
	return end
}

// isName reports whether a string looks like the name of a field or a code.
func isName(s string) bool {
	if len(s) > 60 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !('a' <= c && c <= 'z' || c == '_' || c == '.' || c == '[' || c == ']') {
			return false
		}
	}
	return true
}

// scrubWord writes the word at the start of text, or a mask for it, and returns the number of bytes
// that it replaces.
func scrubWord(b *strings.Builder, text string) int {
	n := 0
	for n < len(text) && isWordByte(text[n]) {
		n++
	}
	word := text[:n]
	switch {
	case strings.IndexByte(word, '@') >= 0:
		write(b, "[e-mail]")
		return n
	case n <= 20 && longestDigits(word) < 3 && strings.HasPrefix(text[n:], "://"):
		return scrubURL(b, text, n)
	}
	if length, mask := numberAt(text); length > 0 {
		write(b, mask)
		// The rest of the word would reveal a part of the number.
		for length < len(text) && isAlnum(text[length]) {
			length++
		}
		return length
	}
	if longestDigits(word) >= 6 {
		write(b, "[number]")
		return n
	}
	if len(word) > 80 {
		write(b, "[long text]")
		return n
	}
	// A number may start after a punctuation character inside the word.
	if cut := strings.IndexAny(word[1:], "+-_.%"); cut >= 0 {
		n = cut + 2
	}
	writeClean(b, text[:n])
	return n
}

// write is not inlined, because every program links this package.
//
//go:noinline
func write(b *strings.Builder, parts ...string) {
	for _, part := range parts {
		b.WriteString(part)
	}
}

// writeClean writes text with spaces in place of control characters and invalid UTF-8.
func writeClean(b *strings.Builder, text string) {
	for _, r := range text {
		if unicode.IsControl(r) || r == utf8.RuneError {
			r = ' '
		}
		b.WriteRune(r)
	}
}

// scrubURL writes a URL without its user, path and query.
func scrubURL(b *strings.Builder, text string, scheme int) int {
	end := strings.IndexFunc(text, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("\"'`<>", r) })
	if end < 0 {
		end = len(text)
	}
	rest := text[scheme+len("://") : end]
	host := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host = rest[:i]
	}
	writeClean(b, text[:scheme])
	write(b, "://")
	at := strings.LastIndexByte(rest, '@')
	if at > len(host) {
		// The slash may belong to a password, and what looks like the host to the user.
		write(b, "…")
		return end
	}
	host = host[at+1:]
	writeClean(b, host[:min(len(host), 100)])
	if len(host) < len(rest) {
		write(b, "/…")
	}
	return end
}

// numberAt looks for an IBAN or a number of six digits or more at the start of text, possibly
// written in groups, and returns its length and a mask. Dates and IP addresses are not numbers.
func numberAt(text string) (int, string) {
	if isDate(text) {
		return 0, ""
	}
	iban := len(text) >= 4 && isLetter(text[0]) && isLetter(text[1]) && isDigits(text[2:4])
	g := groupsAt(text, iban)
	switch {
	case iban && g.length >= 15:
		return g.end, "[IBAN]"
	case iban:
	case g.plain >= 6:
		// Groups after a point or slash do not count, so that 5000.00 is left as an amount.
		return g.plainEnd, "[number]"
	case g.length >= 6 && g.count >= 3 && !isIPv4(text[:g.end]):
		return g.end, "[number]"
	}
	return 0, ""
}

// groups is a number in groups.
type groups struct {
	count, length, end int // of groups, their characters, and where they end
	plain, plainEnd    int // length and end of the groups before the first point or slash
}

// groupsAt reads groups with one separator between them.
func groupsAt(text string, iban bool) (g groups) {
	plain := true
	for i := 0; ; i++ {
		if i == 0 && text[0] == '+' {
			i++
		}
		start := i
		for i < len(text) && isAlnum(text[i]) {
			i++
		}
		group := text[start:i]
		if group == "" || !isDigits(group) && !iban || iban && start > 0 && !isGroup(group) {
			return g
		}
		g.count, g.length, g.end = g.count+1, g.length+len(group), i
		if plain {
			g.plain, g.plainEnd = g.length, i
		}
		if i == len(text) || strings.IndexByte(" -./", text[i]) < 0 {
			return g
		}
		plain = plain && text[i] != '.' && text[i] != '/'
	}
}

// isIPv4 reports whether s looks like an address of four bytes.
func isIPv4(s string) bool {
	parts := strings.Split(s, ".")
	for _, part := range parts {
		if len(part) > 3 {
			return false
		}
	}
	return len(parts) == 4
}

// isGroup reports whether a string may be one of the later groups of an IBAN.
func isGroup(s string) bool {
	if len(s) > 4 {
		return false
	}
	for i := range len(s) {
		if 'a' <= s[i] && s[i] <= 'z' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return isAlnum(c) && c > '9' }

// isDate reports whether text begins with a date like 2026-05-01.
func isDate(s string) bool {
	return len(s) >= 10 && isDigits(s[:4]) && s[4] == '-' && isDigits(s[5:7]) && s[7] == '-' && isDigits(s[8:10]) &&
		(len(s) == 10 || s[10] == 'T' || !isAlnum(s[10]) && s[10] != '-')
}

func isDigits(s string) bool { return longestDigits(s) == len(s) }

// longestDigits returns the length of the longest run of digits.
func longestDigits(s string) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// ID returns an identifier from outside, or "" if it does not look like one.
func ID(id string) string {
	if len(id) > 128 {
		return ""
	}
	for i := range len(id) {
		if c := id[i]; !isAlnum(c) && c != '-' && c != '_' {
			return ""
		}
	}
	return id
}
