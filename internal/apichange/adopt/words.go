package adopt

import (
	"crypto/sha256"
	"encoding/hex"
	"html"
	"regexp"
	"strings"
	"unicode"

	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// SourceKey marks a description that must still be written. It holds the vendor's description, which is not
// ours to publish, or "" if there is none. A release is refused while there is such a mark.
const SourceKey = "x-description-source"

// ValueSourceKey does the same for the values of an enum.
const ValueSourceKey = "x-enum-descriptions-source"

// words compares the vendor's description of a place with ours. Ours stays. If the vendor's has changed since
// the last update, it is put next to ours for review.
func (m *merger) words(raw *jsontree.Value, place, text string, order []string) {
	text = Plain(text)
	if text == "" {
		return
	}
	ours := raw.Get("description").Str()
	if sameWords(ours, text) {
		delete(m.lock, place)
		return
	}
	if m.opts.Words {
		raw.SetOrdered("description", jsontree.NewString(text), order)
		raw.Delete(SourceKey)
		delete(m.lock, place)
		return
	}
	print, known := fingerprint(text), m.lock[place]
	m.lock[place] = print
	if ours == "" || known != "" && known != print {
		raw.SetOrdered(SourceKey, jsontree.NewString(text), order)
	}
}

// newWords adds the description of something new, or the mark that it must be written.
func (m *merger) newWords(raw *jsontree.Value, text string, order []string) {
	text = Plain(text)
	if m.opts.Words && text != "" {
		raw.SetOrdered("description", jsontree.NewString(text), order)
		return
	}
	if ours := m.ourWords(text); ours != "" {
		raw.SetOrdered("description", jsontree.NewString(ours), order)
		return
	}
	raw.SetOrdered(SourceKey, jsontree.NewString(text), order)
}

// ourWords returns a description of ours with the same words, such as that of metadata, or "".
func (m *merger) ourWords(text string) string {
	if m.texts == nil {
		m.texts = map[string]string{}
		m.ours.Root.Walk(func(_ string, v *jsontree.Value) {
			if d := v.Get("description").Str(); d != "" {
				m.texts[strings.Join(wordsOf(d), " ")] = d
			}
		})
	}
	if text == "" {
		return ""
	}
	return m.texts[strings.Join(wordsOf(text), " ")]
}

func fingerprint(text string) string {
	sum := sha256.Sum256([]byte(strings.Join(wordsOf(text), " ")))
	return hex.EncodeToString(sum[:8])
}

// sameWords compares descriptions by their words, without markup and punctuation.
func sameWords(a, b string) bool {
	x, y := wordsOf(a), wordsOf(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i] != y[i] {
			return false
		}
	}
	return true
}

func wordsOf(s string) []string {
	return strings.FieldsFunc(Plain(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

var (
	comment   = regexp.MustCompile(`(?s)<!--.*?-->`)
	code      = regexp.MustCompile(`(?is)<(?:code|tt|kbd)\b[^>]*>(.*?)</(?:code|tt|kbd)>`)
	item      = regexp.MustCompile(`(?i)<li\b[^>]*>`)
	paragraph = regexp.MustCompile(`(?i)</?(?:p|ul|ol|div|h[1-6]|pre|blockquote|table|tr|dl|dd|dt|section|article)\b[^>]*>`)
	lineBreak = regexp.MustCompile(`(?i)<br\s*/?>|</li>`)
	link      = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	tag       = regexp.MustCompile(`</?[a-zA-Z][^<>]*>`)
	blank     = regexp.MustCompile(`[ \t]+`)
	breaks    = regexp.MustCompile(` ?\n ?`)
	empty     = regexp.MustCompile(`\n{3,}`)
)

// Plain turns a description with HTML or Markdown links into plain text with backticks around code. It only
// trims a description without either.
func Plain(s string) string {
	if strings.ContainsAny(s, "<&") {
		s = comment.ReplaceAllString(s, "")
		s = code.ReplaceAllString(s, "`$1`")
		s = item.ReplaceAllString(s, "\n- ")
		s = lineBreak.ReplaceAllString(s, "\n")
		s = paragraph.ReplaceAllString(s, "\n\n")
		s = tag.ReplaceAllString(s, "")
		s = html.UnescapeString(s)
		s = strings.ReplaceAll(s, "\u00a0", " ")
		s = blank.ReplaceAllString(s, " ")
		s = breaks.ReplaceAllString(s, "\n")
		s = empty.ReplaceAllString(s, "\n\n")
	}
	return strings.TrimSpace(link.ReplaceAllString(s, "$1"))
}

// Unwritten lists the places of a document whose descriptions must still be written.
func Unwritten(root *jsontree.Value) []string {
	var out []string
	root.Walk(func(pointer string, v *jsontree.Value) {
		for _, key := range []string{SourceKey, ValueSourceKey} {
			if v.Kind == jsontree.Object && v.Has(key) {
				out = append(out, jsontree.Join(pointer, key))
			}
		}
	})
	return out
}
