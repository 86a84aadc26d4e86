package gocardless

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText is how much of a foreign message goes into the text of an error.
const maxText = 300

// scrub makes a text from outside fit for logs: what looks like an e-mail
// address, an IBAN, a card or account number, a bearer token or the password in
// a URL is masked, control characters become spaces, and the length is bounded.
//
// A name or a street cannot be recognised, so this narrows what a message may
// give away and does not close it; the messages of the API quote the field's
// name much more often than its value.
func scrub(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		if b.Len() >= maxText {
			b.WriteString("…")
			break
		}
		// Words are runs of anything but space and quotes.
		n := strings.IndexFunc(text, isDelimiter)
		if n == 0 {
			r, size := utf8.DecodeRuneInString(text)
			if unicode.IsControl(r) || r == utf8.RuneError {
				r = ' '
			}
			b.WriteRune(r)
			text = text[size:]
			continue
		}
		if n < 0 {
			n = len(text)
		}
		// Account numbers and IBANs are often written in groups.
		if end := digitGroups(text); end > 0 {
			b.WriteString("[number]")
			text = text[end:]
			continue
		}
		b.WriteString(scrubWord(text[:n]))
		text = text[n:]
	}
	return b.String()
}

func isDelimiter(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError || strings.ContainsRune("\"'`<>()[]{},;=", r)
}

// scrubWord masks a word when it looks like something private.
func scrubWord(word string) string {
	core := strings.TrimRight(word, ".:!?")
	tail := word[len(core):]
	switch at := strings.LastIndexByte(core, '@'); {
	case at > 0 && strings.Contains(core[:at], "://"):
		return "[URL]" + tail
	case at > 0:
		return "[e-mail]" + tail
	}
	if len(core) > 120 {
		return "[long text]" + tail
	}
	return word
}

// digitGroups returns the length of what looks like an account number or an IBAN
// at the start of text: six digits or more, possibly in groups, possibly after a
// country code. It returns 0 when there is none.
func digitGroups(text string) int {
	digits, end := 0, 0
	letters := 0
	i := 0
	for i < len(text) {
		c := text[i]
		switch {
		case '0' <= c && c <= '9':
			digits++
			end = i + 1
		case 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z':
			letters++
			if letters > 12 {
				return 0
			}
		case c == ' ' || c == '-':
			// A group ends. Words without digits are not part of a number.
			if end != i {
				i = len(text)
				continue
			}
		default:
			i = len(text)
			continue
		}
		i++
	}
	if digits < 6 {
		return 0
	}
	return end
}

// safeID returns an identifier that came in a header, if it looks like one.
func safeID(id string) string {
	if len(id) > 128 {
		return ""
	}
	for i := range len(id) {
		if c := id[i]; c <= ' ' || c >= 0x7f {
			return ""
		}
	}
	return id
}
