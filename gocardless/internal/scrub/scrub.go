// Package scrub makes strings from outside safe to put into errors and logs.
package scrub

import (
	"strings"
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
	for done := 0; ; {
		i := strings.Index(s[done:], token)
		if i < 0 {
			return s
		}
		i += done
		end := i + len(token)
		if done = i + 1; i > 0 && isWord(s[i-1]) || end < len(s) && isWord(s[end]) {
			continue
		}
		s = s[:i] + tokenMask + s[end:]
		done = i + len(tokenMask)
	}
}

func isWord(c byte) bool { return isAlnum(c) || c == '_' || c == '-' }

// Text makes a string from outside safe to log. It masks e-mail addresses, IBANs, numbers of six
// digits or more (of accounts, cards, telephones, sort codes), users, paths and queries in URLs, and
// everything in double quotes or backticks that is not a plain name. Dates and IPv4 addresses with a
// port stay, unusual characters become plain ones, and the length is bounded.
//
// Text cannot recognise people's names and addresses outside quotes.
func Text(text string) string {
	text = plain(text)
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
			b.WriteByte(c)
			i++
		}
	}
	return b.String()
}

// plain replaces the characters in which a number, copied from a document or a web page, can be
// written besides ASCII. White space, dashes, characters of no width and control characters become
// spaces, wide letters and digits narrow ones.
func plain(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case ' ' <= r && r <= '~':
		case r <= '\u00a0', r == '\u00ad', '\u2000' <= r && r <= '\u2015', '\u2028' <= r && r <= '\u206f', r == '\u2212', r == '\u3000', r == '\ufeff', r == utf8.RuneError:
			r = ' '
		case '\uff01' <= r && r <= '\uff5e':
			r -= '\uff01' - '!'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// isWordByte reports whether a byte can be part of a word: a letter of any script, a digit, or a
// punctuation character that occurs in e-mail addresses. It is not inlined, like write.
//
//go:noinline
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
	n := wordLength(text, "")
	word := text[:n]
	// A local part may have more characters, and a URL an encoded at sign.
	if m := wordLength(text, "!#$&'*/=?^{|}~"); strings.Contains(text[:m], "@") || strings.Contains(text[:m], "%40") {
		write(b, "[e-mail]")
		return m
	}
	switch {
	case isDate(text):
		write(b, text[:dateLength])
		return dateLength
	case n+1 < len(text) && text[n] == ':' && isDigits(text[n+1:n+2]) && isIPv4(word):
		// Without a port, it may as well be the number of an account.
		write(b, word)
		return n
	}
	if n <= 20 && longestDigits(word) < 3 && strings.HasPrefix(text[n:], "://") {
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
	write(b, text[:n])
	return n
}

// wordLength returns the length of the word at the start of text, which may contain the additional
// characters.
func wordLength(text, additional string) int {
	n := 0
	for n < len(text) && (isWordByte(text[n]) || strings.IndexByte(additional, text[n]) >= 0) {
		n++
	}
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

// scrubURL writes a URL without its user, path and query.
func scrubURL(b *strings.Builder, text string, scheme int) int {
	end := strings.IndexAny(text, " \"'`<>")
	if end < 0 {
		end = len(text)
	}
	rest := text[scheme+len("://") : end]
	host := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host = rest[:i]
	}
	write(b, text[:scheme], "://")
	at := strings.LastIndexByte(rest, '@')
	if at > len(host) {
		// The slash may belong to a password, and what looks like the host to the user.
		write(b, "…")
		return end
	}
	host = host[at+1:]
	write(b, host[:min(len(host), 100)])
	if len(host) < len(rest) {
		write(b, "/…")
	}
	return end
}

// numberAt looks for an IBAN or a number of six digits or more at the start of text, possibly
// written in groups, and returns its length and a mask.
func numberAt(text string) (int, string) {
	iban := len(text) >= 4 && isLetter(text[0]) && isLetter(text[1]) && isDigits(text[2:4])
	g := groupsAt(text, iban)
	switch {
	case iban && g.length >= 15:
		return g.end, "[IBAN]"
	case iban:
	case g.plain >= 6:
		// Groups after a point or slash do not count, so that 5000.00 is left as an amount.
		return g.plainEnd, "[number]"
	case g.length >= 6 && g.count >= 3:
		return g.end, "[number]"
	}
	return 0, ""
}

// groups is a number in groups.
type groups struct {
	count, length, end int // of groups, their characters, and where they end
	plain, plainEnd    int // length and end of the groups before the first point or slash
}

// groupsAt reads groups with up to three separators between them, as in "20 - 00 - 00".
func groupsAt(text string, iban bool) (g groups) {
	plain, i := true, 0
	if text[0] == '+' {
		i = 1
	}
	for {
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
		for end := min(i+3, len(text)); i < end && strings.IndexByte(" -_./", text[i]) >= 0; i++ {
			plain = plain && text[i] != '.' && text[i] != '/'
		}
		if i == g.end {
			return g
		}
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
			return longestDigits(s) > 0
		}
	}
	return true
}

func isLetter(c byte) bool { return isAlnum(c) && c > '9' }

const dateLength = len("2026-05-01")

// isDate reports whether text begins with a date like 2026-05-01.
func isDate(s string) bool {
	if len(s) < dateLength || s[5:7] > "12" || s[8:10] > "31" {
		return false
	}
	for i := range dateLength {
		if separator := i == 4 || i == 7; separator && s[i] != '-' || !separator && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return len(s) == dateLength || s[10] == 'T' || !isAlnum(s[10]) && s[10] != '-'
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
